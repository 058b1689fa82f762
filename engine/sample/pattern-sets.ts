/** The structures behind the ways to match: hashes for whole texts and their parts, lists where there is no better way. */
import { METHOD_NAMES } from '../http/names.ts';
import { ByteTable, HASH_START } from './byte-table.ts';
import type { PatternSet } from './pattern.ts';
import { compileRegex } from './regex.ts';
import { type Sample, view } from './sample.ts';

export const ALWAYS: PatternSet = { find: () => 0, add: () => {} };
export const TRUTH: PatternSet = { find: sample => (sample.int === 0 ? -1 : 0), add: () => {} };

/** Exact texts: a hash table. The number of a key is that of its first pattern. */
export class ExactSet implements PatternSet {
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
export class HexSet extends ExactSet {
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
export class PrefixSet implements PatternSet {
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
export class SuffixSet implements PatternSet {
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
export class PartSet implements PatternSet {
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
export class SubstringList implements PatternSet {
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

function lowerAscii(text: string): string {
  return text.replace(/[A-Z]+/g, letters => letters.toLowerCase());
}

export class RegexList implements PatternSet {
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
export class MethodSet implements PatternSet {
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
