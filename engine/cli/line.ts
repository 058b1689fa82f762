/** A line of the runtime API into commands: `;` between them, a backslash takes the next character as it is. */

/** Words that a command may have; the rest is dropped, as HAProxy does. */
const WORDS_MAX = 64;

/** The commands of one line, each as its words. A line without any word is one empty command. */
export function splitLine(line: string): string[][] {
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
