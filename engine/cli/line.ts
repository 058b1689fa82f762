/**
 * A line of the runtime API into commands: `;` between them, a backslash takes the next character as it is. A last word
 * that begins with `<<` announces a payload: the lines up to one that is what follows the `<<` (an empty one without it).
 */

/** Words that a command may have; the rest is dropped, as HAProxy does. */
const WORDS_MAX = 64;
/** Characters after the `<<`; with more it is no announcement. */
const PATTERN_MAX = 64;

export interface Line {
  /** Each as its words; a line without any word is one empty command. */
  readonly commands: string[][];
  /** The line that ends the payload of the last command; null = it has none. */
  readonly payloadEnd: string | null;
}

/** The commands of one line. */
export function splitLine(line: string): Line {
  const announced = /(?:^|\s)<<(\S*)\s*$/.exec(line);
  const payload = announced !== null && announced[1]!.length <= PATTERN_MAX;
  const commands = splitCommands(payload ? line.slice(0, announced.index) : line);
  return { commands, payloadEnd: payload ? announced[1]! : null };
}

function splitCommands(line: string): string[][] {
  const commands: string[][] = [];
  let words: string[] = [];
  let word: string | null = null;
  const endWord = () => {
    if (word !== null && words.length < WORDS_MAX) words.push(word);
    word = null;
  };
  const endCommand = () => {
    endWord();
    if (words.length > 0) commands.push(words);
    words = [];
  };
  for (let i = 0; i < line.length; i++) {
    const c = line[i]!;
    if (c === '\\' && i + 1 < line.length) word = (word ?? '') + line[++i];
    else if (c === ';') endCommand();
    else if (c === ' ' || c === '\t' || c === '\r') endWord();
    else word = (word ?? '') + c;
  }
  endCommand();
  return commands.length > 0 ? commands : [[]];
}
