/** The structures behind the ways to match: hashes for whole texts and their parts, lists where there is no better way. */
import { METHOD_NAMES } from '../http/names.ts';
import { ByteTable, HASH_START } from './byte-table.ts';
import { Numbers } from './numbers.ts';
import type { PatternSet } from './pattern.ts';
import { compileRegex } from './regex.ts';
import { type Sample, view } from './sample.ts';

export const ALWAYS: PatternSet = { find: () => 0, add: () => {}, remove: () => {} };
export const TRUTH: PatternSet = { ...ALWAYS, find: sample => (sample.int === 0 ? -1 : 0) };

/** What the sets below have in common: a hash table of keys, and which patterns each key stands for. */
class KeySet {
  readonly table: ByteTable;
  readonly numbers = new Numbers();

  constructor(fold: boolean, backward = false) {
    this.table = new ByteTable(fold, backward);
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    this.numbers.add(this.table.add(bytes, start, end), value);
  }

  remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const entry = this.table.find(bytes, start, end);
    if (entry >= 0) this.numbers.remove(entry, value);
  }

  /** The first pattern of the key with this hash; -1 = none. */
  probe(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const entry = this.table.probe(hash, bytes, start, end);
    return entry < 0 ? -1 : this.numbers.first(entry);
  }
}

/** Exact texts. */
export class ExactSet extends KeySet implements PatternSet {
  find({ bytes, start, end }: Sample): number {
    const entry = this.table.find(bytes, start, end);
    return entry < 0 ? -1 : this.numbers.first(entry);
  }

  /** All patterns that are this text. */
  all(bytes: Uint8Array, start: number, end: number): readonly number[] {
    const entry = this.table.find(bytes, start, end);
    return entry < 0 ? [] : this.numbers.all(entry);
  }
}

/** Bytes given in hexadecimal. */
export class HexSet extends ExactSet {
  constructor() {
    super(false);
  }

  override add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const raw = rawOf(bytes, start, end);
    super.add(raw, 0, raw.length, value);
  }

  override remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const raw = rawOf(bytes, start, end);
    super.remove(raw, 0, raw.length, value);
  }
}

function rawOf(bytes: Uint8Array, start: number, end: number): Uint8Array {
  return Buffer.from(view(bytes).toString('latin1', start, end), 'hex');
}

/** The lower of two numbers of patterns, of which -1 is none. */
function earlier(a: number, b: number): number {
  return a < 0 || (b >= 0 && b < a) ? b : a;
}

/**
 * Prefixes: all prefixes of a text are looked up in one pass. The longest counts; ignoring case it is the first in the
 * list, as HAProxy has no tree for that.
 */
export class PrefixSet extends KeySet implements PatternSet {
  readonly #first: boolean;

  constructor(fold: boolean) {
    super(fold);
    this.#first = fold;
  }

  find({ bytes, start, end }: Sample): number {
    const table = this.table;
    const stop = Math.min(end, start + table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = start; ; at++) {
      const found = this.probe(hash, bytes, start, at);
      if (found >= 0) best = this.#first ? earlier(best, found) : found;
      if (at === stop) return best;
      hash = table.next(hash, bytes[at]!);
    }
  }
}

/** Suffixes: as prefixes, from the end; the first in the list counts. */
export class SuffixSet extends KeySet implements PatternSet {
  constructor(fold: boolean) {
    super(fold, true);
  }

  find({ bytes, start, end }: Sample): number {
    const table = this.table;
    const stop = Math.max(start, end - table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = end; ; at--) {
      best = earlier(best, this.probe(hash, bytes, at, end));
      if (at === stop) return best;
      hash = table.next(hash, bytes[at - 1]!);
    }
  }
}

/** Whole parts between delimiters: every run of parts is looked up, from each beginning in one pass. */
export class PartSet extends KeySet implements PatternSet {
  readonly #delimiters = new Uint8Array(256);

  constructor(fold: boolean, delimiters: string) {
    super(fold);
    for (const c of delimiters) this.#delimiters[c.charCodeAt(0)] = 1;
  }

  override add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const [from, to] = this.#inner(bytes, start, end);
    super.add(bytes, from, to, value);
  }

  override remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const [from, to] = this.#inner(bytes, start, end);
    super.remove(bytes, from, to, value);
  }

  find({ bytes, start, end }: Sample): number {
    let best = -1;
    for (let at = start; at <= end; at++) {
      if (at > start && this.#delimiters[bytes[at - 1]!] !== 1) continue;
      best = earlier(best, this.#from(bytes, at, end));
    }
    return best;
  }

  /** Delimiters around a pattern mean nothing. */
  #inner(bytes: Uint8Array, start: number, end: number): readonly [number, number] {
    let from = start;
    let to = end;
    while (from < to && this.#delimiters[bytes[from]!] === 1) from++;
    while (to > from && this.#delimiters[bytes[to - 1]!] === 1) to--;
    return [from, to];
  }

  /** The first pattern that stands at `start`. One of delimiters alone stands but at the end. */
  #from(bytes: Uint8Array, start: number, end: number): number {
    const table = this.table;
    const stop = Math.min(end, start + table.longest);
    let hash = HASH_START;
    let best = -1;
    for (let at = start; ; at++) {
      const stops = at === end || (at > start && this.#delimiters[bytes[at]!] === 1);
      if (stops) best = earlier(best, this.probe(hash, bytes, start, at));
      if (at >= stop) return best;
      hash = table.next(hash, bytes[at]!);
    }
  }
}

/** Patterns that are tried one after the other. */
class PatternList<T> {
  readonly patterns: T[] = [];
  readonly #values: number[] = [];

  push(pattern: T, value: number): void {
    this.patterns.push(pattern);
    this.#values.push(value);
  }

  remove(_bytes: Uint8Array, _start: number, _end: number, value: number): void {
    const at = this.#values.indexOf(value);
    if (at < 0) return;
    this.patterns.splice(at, 1);
    this.#values.splice(at, 1);
  }

  /** What pattern number `value` was made into. */
  made(value: number): T {
    return this.patterns[this.#values.indexOf(value)]!;
  }

  /** The number of pattern `i`; -1 for -1. */
  value(i: number): number {
    return i < 0 ? -1 : this.#values[i]!;
  }
}

/** Texts somewhere inside: one search after the other, by the C++ of Buffer. */
export class SubstringList extends PatternList<Buffer> implements PatternSet {
  readonly #fold: boolean;

  constructor(fold: boolean) {
    super();
    this.#fold = fold;
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const text = view(bytes).toString('latin1', start, end);
    this.push(Buffer.from(this.#fold ? lowerAscii(text) : text, 'latin1'), value);
  }

  find(sample: Sample): number {
    if (this.patterns.length === 0) return -1;
    const where = this.#fold
      ? Buffer.from(lowerAscii(sample.text()), 'latin1')
      : view(sample.bytes).subarray(sample.start, sample.end);
    return this.value(this.patterns.findIndex(pattern => where.includes(pattern)));
  }
}

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase());
}

export class RegexList extends PatternList<RegExp> implements PatternSet {
  readonly #flags: string;

  constructor(fold: boolean) {
    super();
    this.#flags = fold ? 'i' : '';
  }

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    this.push(compileRegex(view(bytes).toString('utf8', start, end), this.#flags), value);
  }

  find(sample: Sample): number {
    if (this.patterns.length === 0) return -1;
    const text = sample.text();
    return this.value(this.patterns.findIndex(pattern => pattern.test(text)));
  }
}

/** Methods: those known by number, the others by their names. */
export class MethodSet implements PatternSet {
  readonly #known = new Numbers();
  readonly #others = new ExactSet(false);

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const id = methodOf(bytes, start, end);
    if (id > 0) this.#known.add(id, value);
    else this.#others.add(bytes, start, end, value);
  }

  remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const id = methodOf(bytes, start, end);
    if (id > 0) this.#known.remove(id, value);
    else this.#others.remove(bytes, start, end, value);
  }

  find(sample: Sample): number {
    return sample.int > 0 ? this.#known.first(sample.int) : this.#others.find(sample);
  }
}

function methodOf(bytes: Uint8Array, start: number, end: number): number {
  return METHOD_NAMES.indexOf(view(bytes).toString('latin1', start, end));
}
