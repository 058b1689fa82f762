/**
 * A cursor over the words of one line. Keyword functions take what they need from left to right; an expectation that
 * is not met reports a diagnostic that marks the word, and gives null.
 *
 *     timeout client 30s
 *             ▲      ▲
 *         current   peek()          index = 2, left = 1
 *
 * `what` names the value. Messages begin with the word before it, so `what` may be that keyword again
 * (`'maxconn' expects an integer`) or a noun phrase (`'default_backend' expects a backend name`).
 */
import type { Diagnostics, Severity } from './diagnostics.ts';
import { didYouMean } from './suggest.ts';
import {
  checkRange,
  type Parsed,
  parseInteger,
  parseSize,
  parseTime,
  type Range,
  TIME_MAX_MS,
  type TimeUnit,
} from './units.ts';
import type { Line, Word } from './words.ts';

const TIME_UNIT_NAMES: Record<TimeUnit, string> = {
  us: 'microseconds',
  ms: 'milliseconds',
  s: 'seconds',
  m: 'minutes',
  h: 'hours',
  d: 'days',
};

function between({ min, max }: Range): string {
  if (max !== undefined) return ` between ${min ?? 0} and ${max}`;
  return min === undefined ? '' : ` of at least ${min}`;
}

export class Cursor {
  readonly line: Line;
  readonly diagnostics: Diagnostics;
  /** The word that `next` would give. */
  index = 0;

  constructor(line: Line, diagnostics: Diagnostics) {
    this.line = line;
    this.diagnostics = diagnostics;
  }

  /** Words not taken yet. */
  get left(): number {
    return this.line.words.length - this.index;
  }

  /** The word taken last; before the first is taken, the first. */
  get current(): Word {
    return this.line.words[Math.max(this.index - 1, 0)]!;
  }

  peek(): Word | null {
    return this.line.words[this.index] ?? null;
  }

  next(): Word | null {
    const word = this.peek();
    if (word !== null) this.index++;
    return word;
  }

  /** Takes all that is left. */
  rest(): Word[] {
    const words = this.line.words.slice(this.index);
    this.index = this.line.words.length;
    return words;
  }

  /** Takes the next word if it is `text`. */
  match(text: string): boolean {
    if (this.peek()?.text !== text) return false;
    this.index++;
    return true;
  }

  /** Any word that is not empty. */
  expectWord(what: string): Word | null {
    const subject = this.#subject(what, 'an argument');
    const word = this.next();
    if (word !== null && word.text !== '') return word;
    this.error(subject, undefined, word ?? this.#end());
    return null;
  }

  /** An integer within `range` (default 0 to 2147483647). */
  expectInt(what: string, range: Range = {}): number | null {
    return this.#expect(what, `an integer${between(range)}`, text => parseInteger(text, range), false);
  }

  /** A time in milliseconds; `unit` is that of a bare number. `range` in milliseconds. */
  expectTime(what: string, unit: TimeUnit, range: Range = {}): number | null {
    return this.#expect(what, `a time (in ${TIME_UNIT_NAMES[unit]} by default)`, text => {
      const time = parseTime(text, unit);
      return 'error' in time ? time : checkRange(time.value, range, TIME_MAX_MS);
    });
  }

  /** A size in bytes. */
  expectSize(what: string): number | null {
    return this.#expect(what, 'a size (in bytes by default)', parseSize);
  }

  /** One of the words of `list`. */
  expectOneOf<T extends string>(what: string, list: readonly T[]): T | null {
    const names = list.map(name => `'${name}'`);
    const kind = names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
    const subject = this.#subject(what, kind);
    const word = this.next();
    const found = list.find(name => name === word?.text);
    if (found !== undefined) return found;
    if (word === null) this.error(subject, undefined, this.#end());
    else this.error(`${subject}, not '${word.text}'`, didYouMean(word.text, list) ?? undefined, word);
    return null;
  }

  /** Nothing may follow. False after reporting the first word that does. */
  expectEnd(): boolean {
    const word = this.peek();
    if (word === null) return true;
    const subject = this.index === 0 ? '' : `'${this.current.text}' `;
    this.error(`${subject}cannot handle unexpected argument '${word.text}'`, undefined, word);
    return false;
  }

  error(message: string, hint?: string, word: Word = this.current): void {
    this.#report('alert', message, hint, word);
  }

  warning(message: string, hint?: string, word: Word = this.current): void {
    this.#report('warning', message, hint, word);
  }

  /** `detailed`: the parser's message says more than `kind` does. */
  #expect(what: string, kind: string, parse: (text: string) => Parsed<number>, detailed = true): number | null {
    const subject = this.#subject(what, kind);
    const word = this.next();
    if (word === null || word.text === '') {
      this.error(subject, undefined, word ?? this.#end());
      return null;
    }
    const parsed = parse(word.text);
    if ('value' in parsed) return parsed.value;
    const why = detailed ? `: ${parsed.error} in '${word.text}'` : `, not '${word.text}'`;
    this.error(`${subject}${why}`, undefined, word);
    return null;
  }

  /** `'maxconn' expects an integer`: who expects what, said before the value is taken. */
  #subject(what: string, kind: string): string {
    const keyword = this.index === 0 ? null : this.current.text;
    if (keyword === null) return `expected ${what}`;
    if (what === keyword || what.endsWith(` ${keyword}`)) return `'${what}' expects ${kind}`;
    return kind === 'an argument' ? `'${keyword}' expects ${what}` : `'${keyword}' expects ${kind} as ${what}`;
  }

  /** The place behind the last word, where one is missing. */
  #end(): Word {
    const last = this.line.words.at(-1)!;
    return last.column === 0 ? last : { text: '', column: last.column + last.width, width: 1 };
  }

  #report(severity: Severity, message: string, hint: string | undefined, word: Word): void {
    const { file, line, source } = this.line;
    const { column, width } = word;
    this.diagnostics.mark(severity, { file, line, source, column, width }, message, hint);
  }
}
