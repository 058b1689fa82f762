/**
 * Log formats (manual 8.2.6), compiled once into a list of writers. Nothing is parsed and no string is made when a line
 * is written.
 *
 *     %ci:%cp  [%{+Q}r]  100%%          %name  %{flags}name  %(label)name  %%  text  spaces (several count as one)
 */
import type { Mode } from '../config/model.ts';
import { didYouMean } from '../config/suggest.ts';
import { bytesOf, type Line } from './line.ts';
import type { Scene } from './scene.ts';
import { END, type Flags, type Moment, START, VARIABLES, type Writer } from './variables.ts';

export interface LogFormat {
  /** When all of its values are known. */
  readonly known: Moment;
  /** Appends the line. */
  readonly write: Writer;
  /** Names of the variables in it. */
  readonly names: ReadonlySet<string>;
}

export interface FormatError {
  /** HAProxy's words where it has some. */
  readonly error: string;
  readonly hint: string | null;
}

/** Whether it is a format for HTTP or TCP, and `option logasap`. */
export interface FormatKind {
  readonly mode: Mode;
  readonly partial: boolean;
  /** Spaces stay as they are: it is a value of a rule, not a log line. */
  readonly spaces?: 'kept';
}

const BY_NAME = new Map(VARIABLES.map(variable => [variable.name, variable]));

const FLAGS = { Q: 'quote', X: 'hex', E: 'escape', M: 'mandatory' } as const;
const LATER_FLAGS = ['json', 'cbor', 'bin'];
const TYPES = ['str', 'sint', 'bool'];

const SPACE = 32;

type MutableFlags = { -readonly [K in keyof Flags]: Flags[K] };

/** One item after its `%`: `(label)`, `{flags}`, then a name, an expression or a character. */
const ITEM =
  /%(?:\((?<label>[^)]*)(?<labelEnd>\)?))?(?:\{(?<flags>[^}]*)(?<flagsEnd>\}?))?(?<what>\[[^\]]*\]?|[A-Za-z]+|.?)/sy;

/** Compiles `text`; the first error in it otherwise. */
export function compileFormat(text: string, kind: FormatKind): LogFormat | FormatError {
  return new Compiler(text, kind).compile();
}

export function isError(format: LogFormat | FormatError): format is FormatError {
  return 'error' in format;
}

class Compiler {
  readonly #text: string;
  readonly #mode: Mode;
  readonly #keepsSpaces: boolean;
  readonly #flags: MutableFlags;
  readonly #writers: Writer[] = [];
  readonly #names = new Set<string>();
  #known: Moment = START;
  #error: FormatError | null = null;

  constructor(text: string, { mode, partial, spaces }: FormatKind) {
    this.#text = text;
    this.#mode = mode;
    this.#keepsSpaces = spaces === 'kept';
    this.#flags = { quote: false, hex: false, escape: false, mandatory: true, partial };
  }

  compile(): LogFormat | FormatError {
    let at = 0;
    while (at < this.#text.length && this.#error === null) at = this.#next(at);
    if (this.#error !== null) return this.#error;
    const writers = this.#writers;
    const write = (line: Line, scene: Scene): void => {
      for (let i = 0; i < writers.length; i++) writers[i]!(line, scene);
    };
    const known = this.#known === END && this.#flags.partial ? 1 : this.#known;
    return { known, write, names: this.#names };
  }

  /** Compiles the item, the text or the spaces at `at`; gives where the next begins. */
  #next(at: number): number {
    const text = this.#text;
    if (text[at] === '%') return this.#item(at);
    let end = at;
    const spaces = isSpace(text[at]!);
    while (end < text.length && text[end] !== '%' && isSpace(text[end]!) === spaces) end++;
    if (spaces && !this.#keepsSpaces) this.#writers.push(separate);
    else this.#literal(text.slice(at, end));
    return end;
  }

  #item(at: number): number {
    ITEM.lastIndex = at;
    const { label, labelEnd, flags, flagsEnd, what } = ITEM.exec(this.#text)!.groups!;
    const end = ITEM.lastIndex;
    if (labelEnd === '') this.#fail(`truncated line after '${label}'`);
    else if (flagsEnd === '') this.#fail(`truncated line after '${flags}'`);
    else if (label?.includes(':') && !TYPES.includes(label.slice(label.indexOf(':') + 1))) {
      this.#fail(`unexpected output type '${label.slice(label.indexOf(':') + 1)}'`, `one of ${TYPES.join(', ')}`);
    } else if (what === '' && flags === undefined) this.#fail("truncated line after '%'", "use '%%' for a single '%'");
    else if (what!.startsWith('[')) this.#expression(what!);
    else if (/^[A-Za-z]/.test(what!)) this.#variable(what!, flags ?? '');
    else if (flags !== undefined) {
      this.#fail(`parse argument modifier without variable name near '%{${flags}}'`);
    } else if (/^[\s\d]/.test(what!)) {
      const where = `near '${what}' at position ${at + 1} line : '${this.#text}'`;
      this.#fail(`unexpected variable name ${where}. Maybe you want to write a single '%', use the syntax '%%'`);
    } else this.#literal(what === '%' ? '%' : `%${what}`);
    return end;
  }

  #expression(what: string): void {
    if (!what.endsWith(']')) this.#fail(`missing ']' after '${what.slice(1)}'`);
    else this.#fail(`'%${what}' is not supported by Sluice yet`);
  }

  #variable(name: string, flagText: string): void {
    const flags = this.#read(flagText);
    if (flags === null) return;
    if (name === 'o') {
      Object.assign(this.#flags, flags);
      return;
    }
    const row = BY_NAME.get(name);
    if (row === undefined) {
      const message = `no such format variable '${name}'. If you wanted to emit the '%' character verbatim, you need to use '%%'`;
      this.#fail(message, didYouMean(name, BY_NAME.keys()));
      return;
    }
    if (row.mode === 'http' && this.#mode !== 'http') {
      this.#fail(`format variable '${name}' is reserved for HTTP mode`);
      return;
    }
    this.#names.add(name);
    this.#known = Math.max(this.#known, row.known) as Moment;
    this.#writers.push(row.writer(flags));
  }

  /** The flags in force for an item with `{text}`; null after an error. */
  #read(text: string): Flags | null {
    const flags = { ...this.#flags };
    for (const word of text.split(',')) {
      const name = word.trim().replace(/^[+-]/, '');
      if (name === '') continue;
      if (LATER_FLAGS.includes(name)) return this.#fail(`flag '${name}' is not supported by Sluice yet`);
      const field = FLAGS[name as keyof typeof FLAGS];
      if (field === undefined) return this.#fail(`unknown flag '${name}'`, 'one of Q, X, E');
      flags[field] = !word.trim().startsWith('-');
    }
    return flags;
  }

  #literal(text: string): void {
    const bytes = bytesOf(text);
    this.#writers.push(line => line.raw(bytes));
  }

  #fail(error: string, hint: string | null = null): null {
    this.#error ??= { error, hint };
    return null;
  }
}

function isSpace(char: string): boolean {
  return char === ' ' || char === '\t';
}

/** Spaces in a format separate: several, or one after a value that was left out, are one. */
function separate(line: Line): void {
  if (line.length > 0 && line.bytes[line.length - 1] !== SPACE) line.byte(SPACE);
}
