/**
 * The lexer: the text of one file into lines of words (manual 2.1 to 2.3). It is lazy, one line per `next()`, because
 * a line may change the environment (`setenv`) that the words of the next one are made from.
 *
 *     bind "fd@${FD}" name\ x # comment       words: bind | fd@3 | name x
 *     ▲    ▲          ▲
 *     column 3        column 19, width 7      columns and widths count in the line as written, quotes included
 *
 * A line with an error in it is reported and left out; the next one starts fresh. A backslash at the very end of a
 * line joins it with the next, outside quotes and in weak ones; words that begin on a joined line have column 0.
 */
import { LINE_WORDS_MAX } from '../limits.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Line, Word } from './words.ts';

export type Environment = Record<string, string | undefined>;

/** What `\n` and its kin stand for; the other escaped characters stand for themselves. */
const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };
const ESCAPABLE = ' \t\\"\'#';
const BLANK = ' \t\v\f';
const PSEUDO = 'the pseudo-variables are .FILE, .LINE and .SECTION';

/** The characters of consecutive `\xNN`: their bytes read as UTF-8, or as Latin-1 when they are not UTF-8. */
function decodeBytes(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return Buffer.from(bytes).toString('latin1');
  }
}

/** What is wrong with a line: where in the text, how many characters to mark, the message and the hint. */
interface Problem {
  readonly at: number;
  readonly width: number;
  readonly message: string;
  readonly hint: string | null;
}

export class Lexer {
  /** The section that the last line stood in, for `.SECTION`: its name, or its type. Set by the reader. */
  section = '';
  readonly #file: string;
  readonly #text: string;
  readonly #env: Environment;
  readonly #diagnostics: Diagnostics;
  #at = 0;
  /** Number of the physical line that `#at` is in. */
  #row = 1;

  // --- of the line being read ---
  #begin = 0;
  #end = 0;
  #words: Word[] = [];
  /** The word being read; null between words. */
  #word: string | null = null;
  #wordAt = 0;
  #quote: '' | '"' | "'" = '';
  #quoteAt = 0;
  #problem: Problem | null = null;

  constructor(file: string, text: string, env: Environment, diagnostics: Diagnostics) {
    this.#file = file;
    this.#text = text;
    this.#env = env;
    this.#diagnostics = diagnostics;
  }

  /** The next line that has words; null at the end of the file. */
  next(): Line | null {
    while (this.#at < this.#text.length) {
      const line = this.#readLine();
      if (line !== null) return line;
    }
    return null;
  }

  #readLine(): Line | null {
    const row = this.#row;
    this.#begin = this.#at;
    this.#end = this.#endOfLine(this.#at);
    this.#words = [];
    this.#word = null;
    this.#quote = '';
    this.#problem = null;
    const source = this.#text.slice(this.#begin, this.#end);
    while (this.#problem === null && this.#readCharacter());
    if (this.#problem === null && this.#quote !== '') this.#fail(this.#quoteAt, 1, 'unmatched quote');
    if (this.#problem === null) this.#flush();
    this.#finishLine();
    const problem: Problem | null = this.#problem;
    if (problem !== null) {
      this.#report(problem, row, source);
      return null;
    }
    if (this.#words.length === 0) return null;
    return { file: this.#file, line: row, source, words: this.#limited(row, source) };
  }

  /** Takes one character or escape or variable. False at the end of the line. */
  #readCharacter(): boolean {
    const at = this.#at;
    const c = this.#text[at];
    if (c === undefined || c === '\n' || (c === '\r' && this.#isLineEnd(at))) return false;
    if (c === '\0' || c === '\r') {
      const name = c === '\0' ? 'NUL character' : 'carriage return';
      this.#fail(at, 1, `unexpected ${name}`, 'the file may be damaged, or not be a text file');
    } else if (c === this.#quote) this.#closeQuote();
    else if (this.#quote === "'") this.#append(c);
    else if (c === '\\') this.#escape();
    else if (c === '$' && this.#quote === '"') this.#variable();
    else if (this.#quote !== '') this.#append(c);
    else if (c === '"' || c === "'") this.#openQuote(c);
    else if (BLANK.includes(c)) this.#blank();
    else if (c === '#') return false;
    else this.#append(c);
    return true;
  }

  #append(text: string, length = text.length): void {
    this.#startWord();
    this.#word += text;
    this.#at += length;
  }

  #startWord(): void {
    if (this.#word !== null) return;
    this.#word = '';
    this.#wordAt = this.#at;
  }

  #openQuote(quote: '"' | "'"): void {
    this.#startWord();
    this.#quote = quote;
    this.#quoteAt = this.#at++;
  }

  #closeQuote(): void {
    this.#quote = '';
    this.#at++;
  }

  #blank(): void {
    this.#flush();
    this.#at++;
  }

  /** Ends the word being read, if any. */
  #flush(): void {
    if (this.#word === null) return;
    const joined = this.#wordAt > this.#end;
    const column = joined ? 0 : this.#wordAt - this.#begin + 1;
    const width = joined ? 0 : Math.min(this.#at, this.#end) - this.#wordAt;
    this.#words.push({ text: this.#word, column, width });
    this.#word = null;
  }

  #escape(): void {
    const c = this.#text[this.#at + 1];
    if (c === 'x') this.#hexadecimal();
    else if (c !== undefined && Object.hasOwn(ESCAPES, c)) this.#append(ESCAPES[c]!, 2);
    else if (c !== undefined && ESCAPABLE.includes(c)) this.#append(c, 2);
    // Outside quotes `\$` stays as it is, whatever the manual's table says: regular expressions count on it.
    else if (c === '$' && this.#quote === '"') this.#append(c, 2);
    else if (c === '\n' || (c === '\r' && this.#text[this.#at + 2] === '\n')) this.#join();
    else this.#append('\\');
  }

  /** Goes on with the next physical line. */
  #join(): void {
    this.#at = this.#text.indexOf('\n', this.#at) + 1;
    this.#row++;
  }

  #hexadecimal(): void {
    const run = /(?:\\x[0-9a-f]{2})+/iy;
    run.lastIndex = this.#at;
    const digits = run.exec(this.#text)?.[0];
    if (digits === undefined) {
      this.#fail(this.#at, 2, 'truncated or invalid hexadecimal sequence', 'write two hexadecimal digits after \\x');
      return;
    }
    const bytes = Uint8Array.from(digits.slice(2).split(/\\x/i), pair => Number.parseInt(pair, 16));
    const nul = bytes.indexOf(0);
    if (nul >= 0) this.#fail(this.#at + 4 * nul, 4, 'NUL character in a word');
    else this.#append(decodeBytes(bytes), digits.length);
  }

  /** `$NAME`, `${NAME}`, `${NAME-default}`, `${NAME[*]}`, `${NAME[*]-default}`; NAME may be a pseudo-variable. */
  #variable(): void {
    this.#startWord();
    const brace = this.#text[this.#at + 1] === '{';
    const nameAt = this.#at + (brace ? 2 : 1);
    const syntax = /\.(?:FILE|LINE|SECTION)|[A-Za-z_][A-Za-z0-9_]*/y;
    syntax.lastIndex = nameAt;
    const name = syntax.exec(this.#text)?.[0];
    if (name === undefined) {
      const hint = this.#text[nameAt] === '.' ? PSEUDO : 'write \\$ for a dollar sign in double quotes';
      this.#fail(nameAt, 1, 'forbidden first char in environment variable name', hint);
      return;
    }
    const tail = /(\[\*\])?(?:-([^}\n]*))?\}/y;
    tail.lastIndex = nameAt + name.length;
    const rest = brace ? tail.exec(this.#text) : null;
    if (brace && rest === null) {
      this.#fail(nameAt - 1, 1, 'unmatched brace in environment variable name');
      return;
    }
    const value = this.#lookUp(name) ?? rest?.[2] ?? '';
    const after = nameAt + name.length + (rest?.[0].length ?? 0);
    if (rest?.[1] !== undefined) this.#expand(value, after);
    else this.#append(value, after - this.#at);
  }

  /** `[*]`: each blank in the value ends a word, and no value at all leaves no word. */
  #expand(value: string, after: number): void {
    const list = value.split(/\s+/);
    const wordAt = this.#wordAt;
    this.#at = after;
    for (const [i, text] of list.entries()) {
      if (i > 0) {
        if (this.#word !== '') this.#flush();
        this.#word = '';
        this.#wordAt = wordAt;
      }
      this.#word += text;
    }
    const closing = this.#text[after] === '"' && BLANK.concat('\r\n#').includes(this.#text[after + 1] ?? '\n');
    if (this.#word === '' && closing) this.#word = null;
  }

  #lookUp(name: string): string | undefined {
    if (name === '.FILE') return this.#file;
    if (name === '.LINE') return String(this.#row);
    if (name === '.SECTION') return this.section;
    return Object.hasOwn(this.#env, name) ? this.#env[name] : undefined;
  }

  /** Where the physical line that holds `at` ends, its line feed and the carriage returns before it not included. */
  #endOfLine(at: number): number {
    const feed = this.#text.indexOf('\n', at);
    let end = feed < 0 ? this.#text.length : feed;
    while (end > at && this.#text[end - 1] === '\r') end--;
    return end;
  }

  #isLineEnd(at: number): boolean {
    return this.#endOfLine(at) === at;
  }

  /** Skips comments and what follows an error; a file that ends without a line feed may have been cut. */
  #finishLine(): void {
    const feed = this.#text.indexOf('\n', this.#at);
    this.#at = feed < 0 ? this.#text.length : feed + 1;
    if (feed < 0 && !this.#text.endsWith('\n') && this.#problem === null) {
      this.#report(
        { at: this.#end, width: 1, message: 'missing LF on last line, file might have been truncated', hint: null },
        this.#row,
        this.#text.slice(this.#begin, this.#end),
      );
    }
    this.#row++;
  }

  #limited(row: number, source: string): readonly Word[] {
    if (this.#words.length <= LINE_WORDS_MAX) return this.#words;
    const { column, width } = this.#words[LINE_WORDS_MAX]!;
    const message = `too many words, truncating after word ${LINE_WORDS_MAX}`;
    this.#report({ at: this.#begin + column - 1, width, message, hint: null }, row, source);
    return this.#words.slice(0, LINE_WORDS_MAX);
  }

  #fail(at: number, width: number, message: string, hint: string | null = null): void {
    this.#problem = { at, width, message, hint };
  }

  #report({ at, width, message, hint }: Problem, row: number, source: string): void {
    const inFirst = at >= this.#begin && at <= this.#end;
    const column = inFirst ? at - this.#begin + 1 : 0;
    const where = inFirst ? `${message} at position ${column}` : message;
    const place = { file: this.#file, line: row };
    this.#diagnostics.add({
      ...{ severity: 'alert', place, column, width: inFirst ? width : 0, source, message: where, hint },
    });
  }
}

/** All lines of one file, with an environment that does not change. */
export function lex(file: string, text: string, env: Environment, diagnostics: Diagnostics): Line[] {
  const lexer = new Lexer(file, text, env, diagnostics);
  const lines: Line[] = [];
  for (let line = lexer.next(); line !== null; line = lexer.next()) lines.push(line);
  return lines;
}
