/**
 * Patterns and the ways to match them (manual 7.1): one row per method, which says what samples it takes, how a pattern is
 * read and which structure finds one. The structure gives the number of the pattern found: ACLs only ask whether there is
 * one, maps take the value of that number. Where several match, it is HAProxy's choice: the first in the list, except that
 * prefixes and networks are in trees, where the longest counts.
 */
import { METHOD_NAMES } from '../http/names.ts';
import { ByteTable, HASH_START } from './byte-table.ts';
import { NetworkList, parseNetwork } from './network-list.ts';
import { NumberList } from './number-list.ts';
import { compileRegex, regexProblem } from './regex.ts';
import { ADDR, ANY, BIN, BOOL, bytesOf, METH, type Sample, SINT, STR, type Type, view } from './sample.ts';

export type MatchName =
  | 'found'
  | 'bool'
  | 'int'
  | 'ip'
  | 'bin'
  | 'len'
  | 'str'
  | 'beg'
  | 'sub'
  | 'dir'
  | 'dom'
  | 'end'
  | 'reg'
  | 'meth';

/** A set of patterns that finds which one a sample matches. */
export interface PatternSet {
  /** The sample has the type that the method wants. Returns the number of a pattern, -1 = none. */
  find(sample: Sample): number;
  /** Takes pattern number `value`, whose text is `bytes[start, end)`. It has been checked. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void;
}

export interface MatchMethod {
  readonly name: MatchName;
  /** What samples are cast to. */
  readonly type: Type;
  /** Types of samples that it makes sense for; the matrix of manual 7.1. */
  readonly takes: readonly Type[];
  /** It looks at no patterns. */
  readonly bare: boolean;
  readonly doc: string;
  /** Whether a pattern can be wrong. */
  readonly checked: boolean;
  /** What is wrong with a pattern; null = nothing. HAProxy's words. */
  readonly problem: (text: string) => string | null;
  readonly make: (fold: boolean) => PatternSet;
}

const fine = (): null => null;
const EVERY: readonly Type[] = [BOOL, SINT, ADDR, STR, BIN, METH];
const NUMBERS: readonly Type[] = [BOOL, SINT, ADDR, STR];

export const MATCH_METHODS: readonly MatchMethod[] = [
  {
    ...{ name: 'found', type: ANY, takes: EVERY, bare: true, doc: 'there is a value' },
    ...{ checked: false, problem: fine, make: () => ALWAYS },
  },
  {
    ...{ name: 'bool', type: BOOL, takes: [BOOL, SINT, STR], bare: true, doc: 'the value is true' },
    ...{ checked: false, problem: fine, make: () => TRUTH },
  },
  {
    ...{ name: 'int', type: SINT, takes: NUMBERS, bare: false, doc: 'an integer or a range' },
    ...{ checked: true, problem: numberProblem, make: () => new NumberList(sample => sample.int) },
  },
  {
    ...{ name: 'ip', type: ADDR, takes: [ADDR, STR, BIN], bare: false, doc: 'an address or a network' },
    ...{ checked: true, problem: ipProblem, make: () => new NetworkList() },
  },
  {
    ...{ name: 'bin', type: BIN, takes: [STR, BIN], bare: false, doc: 'bytes, in hexadecimal digits' },
    ...{ checked: true, problem: hexProblem, make: () => new HexSet() },
  },
  {
    ...{ name: 'len', type: STR, takes: EVERY, bare: false, doc: 'the length, as an integer or a range' },
    ...{ checked: true, problem: numberProblem, make: () => new NumberList(sample => sample.end - sample.start) },
  },
  text('str', 'the whole text', fold => new ExactSet(fold)),
  text('beg', 'what the text begins with', fold => new PrefixSet(fold)),
  text('sub', 'what the text has in it', fold => new SubstringList(fold)),
  text('dir', 'parts of the text between slashes', fold => new PartSet(fold, '/')),
  text('dom', 'parts of the text between dots, slashes, colons and question marks', fold => new PartSet(fold, './:?')),
  text('end', 'what the text ends with', fold => new SuffixSet(fold)),
  {
    ...{ name: 'reg', type: STR, takes: EVERY, bare: false, doc: 'a regular expression' },
    ...{ checked: true, problem: regexProblem, make: fold => new RegexList(fold) },
  },
  {
    ...{ name: 'meth', type: METH, takes: [METH, STR], bare: false, doc: 'an HTTP method' },
    ...{ checked: false, problem: fine, make: () => new MethodSet() },
  },
];

const BY_NAME = new Map<string, MatchMethod>(MATCH_METHODS.map(method => [method.name, method]));

export function matchMethod(name: string): MatchMethod | null {
  return BY_NAME.get(name) ?? null;
}

/** The method that an expression of this type is matched with when none is given; null = one must be. */
export function defaultMatch(type: Type): MatchName | null {
  if (type === BOOL) return 'bool';
  if (type === SINT) return 'int';
  if (type === STR) return 'str';
  if (type === METH) return 'meth';
  return type === ADDR || type === 4 || type === 5 ? 'ip' : null;
}

function text(name: MatchName, doc: string, make: MatchMethod['make']): MatchMethod {
  return { name, type: STR, takes: EVERY, bare: false, doc, checked: false, problem: fine, make };
}

function numberProblem(pattern: string): string | null {
  const [, low, colon, high] = /^(-?\d*)(:?)(-?\d*)$/.exec(pattern) ?? [];
  if (low === undefined || (low === '' && high === '')) return `'${pattern}' is not a number`;
  if (colon === ':' && low !== '' && high !== '' && Number(low) > Number(high)) {
    return `'${pattern}' is not a valid number range`;
  }
  return null;
}

function ipProblem(pattern: string): string | null {
  return parseNetwork(pattern) === null ? `'${pattern}' is not a valid IPv4 or IPv6 address` : null;
}

function hexProblem(pattern: string): string | null {
  const bad = /[^0-9A-Fa-f]/.exec(pattern);
  if (bad !== null) return `an hex digit is expected (found '${bad[0]}')`;
  return pattern.length % 2 === 1 ? 'an even number of hex digit is expected' : null;
}

const ALWAYS: PatternSet = { find: () => 0, add: () => {} };
const TRUTH: PatternSet = { find: sample => (sample.int === 0 ? -1 : 0), add: () => {} };

/** Exact texts: a hash table. The number of a key is that of its first pattern. */
class ExactSet implements PatternSet {
  readonly #table: ByteTable;
  readonly #values: number[] = [];

  constructor(fold: boolean) {
    this.#table = new ByteTable(fold);
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const entry = this.#table.add(bytes, start, end);
    this.#values[entry] ??= value;
  }

  find({ bytes, start, end }: Sample): number {
    const entry = this.#table.find(bytes, start, end);
    return entry < 0 ? -1 : this.#values[entry]!;
  }
}

/** Bytes given in hexadecimal. */
class HexSet extends ExactSet {
  constructor() {
    super(false);
  }

  override add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const raw = Buffer.from(view(bytes).toString('latin1', start, end), 'hex');
    super.add(raw, 0, raw.length, value);
  }
}

/**
 * Prefixes: all prefixes of a text are looked up in one pass. The longest counts; ignoring case it is the first in the
 * list, as HAProxy has no tree for that.
 */
class PrefixSet implements PatternSet {
  readonly #table: ByteTable;
  readonly #values: number[] = [];
  readonly #first: boolean;

  constructor(fold: boolean) {
    this.#table = new ByteTable(fold);
    this.#first = fold;
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    this.#values[this.#table.add(bytes, start, end)] ??= value;
  }

  find({ bytes, start, end }: Sample): number {
    const table = this.#table;
    const stop = Math.min(end, start + table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = start; ; at++) {
      const entry = table.probe(hash, bytes, start, at);
      if (entry >= 0) best = this.#first && best >= 0 ? Math.min(best, this.#values[entry]!) : this.#values[entry]!;
      if (at === stop) return best;
      hash = table.next(hash, bytes[at]!);
    }
  }
}

/** Suffixes: as prefixes, from the end; the first in the list counts. */
class SuffixSet implements PatternSet {
  readonly #table: ByteTable;
  readonly #values: number[] = [];

  constructor(fold: boolean) {
    this.#table = new ByteTable(fold, true);
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    this.#values[this.#table.add(bytes, start, end)] ??= value;
  }

  find({ bytes, start, end }: Sample): number {
    const table = this.#table;
    const stop = Math.max(start, end - table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = end; ; at--) {
      const entry = table.probe(hash, bytes, at, end);
      if (entry >= 0 && (best < 0 || this.#values[entry]! < best)) best = this.#values[entry]!;
      if (at === stop) return best;
      hash = table.next(hash, bytes[at - 1]!);
    }
  }
}

/** Whole parts between delimiters: every run of parts is looked up, from each beginning in one pass. */
class PartSet implements PatternSet {
  readonly #table: ByteTable;
  readonly #values: number[] = [];
  readonly #delimiters = new Uint8Array(256);

  constructor(fold: boolean, delimiters: string) {
    this.#table = new ByteTable(fold);
    for (const c of delimiters) this.#delimiters[c.charCodeAt(0)] = 1;
  }

  /** Delimiters around a pattern mean nothing. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    let from = start;
    let to = end;
    while (from < to && this.#delimiters[bytes[from]!] === 1) from++;
    while (to > from && this.#delimiters[bytes[to - 1]!] === 1) to--;
    this.#values[this.#table.add(bytes, from, to)] ??= value;
  }

  find({ bytes, start, end }: Sample): number {
    let best = -1;
    for (let at = start; at <= end; at++) {
      if (at > start && this.#delimiters[bytes[at - 1]!] !== 1) continue;
      const found = this.#from(bytes, at, end);
      if (found >= 0 && (best < 0 || found < best)) best = found;
    }
    return best;
  }

  /** The first pattern that stands at `start`. */
  #from(bytes: Uint8Array, start: number, end: number): number {
    const table = this.#table;
    const stop = Math.min(end, start + table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = start; ; at++) {
      if (at === end || this.#delimiters[bytes[at]!] === 1) {
        const entry = table.probe(hash, bytes, start, at);
        if (entry >= 0 && (best < 0 || this.#values[entry]! < best)) best = this.#values[entry]!;
      }
      if (at >= stop) return best;
      hash = table.next(hash, bytes[at]!);
    }
  }
}

/** Texts somewhere inside: one search after the other, by the C++ of Buffer. */
class SubstringList implements PatternSet {
  readonly #patterns: Buffer[] = [];
  readonly #values: number[] = [];
  readonly #fold: boolean;

  constructor(fold: boolean) {
    this.#fold = fold;
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const text = view(bytes).toString('latin1', start, end);
    this.#patterns.push(Buffer.from(this.#fold ? lowerAscii(text) : text, 'latin1'));
    this.#values.push(value);
  }

  find(sample: Sample): number {
    const where = this.#fold
      ? Buffer.from(lowerAscii(sample.text()), 'latin1')
      : view(sample.bytes).subarray(sample.start, sample.end);
    for (let i = 0; i < this.#patterns.length; i++) if (where.includes(this.#patterns[i]!)) return this.#values[i]!;
    return -1;
  }
}

export function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase());
}

class RegexList implements PatternSet {
  readonly #patterns: RegExp[] = [];
  readonly #values: number[] = [];
  readonly #flags: string;

  constructor(fold: boolean) {
    this.#flags = fold ? 'i' : '';
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    this.#patterns.push(compileRegex(view(bytes).toString('utf8', start, end), this.#flags));
    this.#values.push(value);
  }

  find(sample: Sample): number {
    const text = sample.text();
    for (let i = 0; i < this.#patterns.length; i++) if (this.#patterns[i]!.test(text)) return this.#values[i]!;
    return -1;
  }
}

/** Methods: those known by number in an array, the others by their names. */
class MethodSet implements PatternSet {
  readonly #known: number[] = METHOD_NAMES.map(() => -1);
  readonly #others = new ExactSet(false);

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const id = METHOD_NAMES.indexOf(view(bytes).toString('latin1', start, end));
    if (id > 0) this.#known[id] = this.#known[id]! < 0 ? value : this.#known[id]!;
    else this.#others.add(bytes, start, end, value);
  }

  find(sample: Sample): number {
    return sample.int > 0 ? this.#known[sample.int]! : this.#others.find(sample);
  }
}

/** A set of patterns given in the configuration. */
export function setOf(method: MatchMethod, fold: boolean, patterns: readonly string[]): PatternSet {
  const set = method.make(fold);
  patterns.forEach((pattern, i) => {
    const bytes = bytesOf(pattern);
    set.add(bytes, 0, bytes.length, i);
  });
  return set;
}
