/**
 * The entries of one version of a pattern reference in one thread, and the structures that find them. Entries have numbers
 * in the order in which they were added, and ids, which ascend too and are the same in all threads.
 *
 *     spans   [keyStart, keyEnd, valueStart, valueEnd] by number; keyStart = GONE: the entry was deleted
 *     text    offsets below `base.length` are in the file's bytes, which are not copied; others in `own`
 */
import { type MatchMethod, matchMethod, type PatternSet } from './pattern.ts';
import { eachEntry, type PatternHead, type PatternRef } from './pattern-ref.ts';
import type { ExactSet } from './pattern-sets.ts';
import { bytesOf } from './sample.ts';

const GONE = 0xffff_ffff;
/** Deleted entries, and bytes of old values, that are always put up with. */
const SPARE_ENTRIES = 1_024;
const SPARE_BYTES = 64 * 1024;

const NOTHING = new Uint8Array(0);

/** The method and case of a head. */
export type Way = Pick<PatternHead, 'match' | 'fold'>;

/** How changes find their entries. */
export const BY_KEY: Way = { match: 'str', fold: false };

export class Generation {
  readonly #base: Uint8Array;
  #own = NOTHING;
  #used = 0;
  /** Bytes of `own` that belong to no entry any more. */
  #wasted = 0;
  #spans = new Uint32Array(16);
  #ids = new Float64Array(4);
  readonly #sets = new Map<string, PatternSet>();
  /** Numbers given so far. */
  count = 0;
  /** Entries there are. */
  live = 0;

  /** `ref`: begins with the entries of the configuration, whose ids are their numbers; null: with none. */
  constructor(ref: PatternRef | null, ways: Iterable<Way> = []) {
    this.#base = ref?.bytes ?? NOTHING;
    if (ref !== null) this.#load(ref);
    for (const way of ways) this.set(way);
  }

  /** Adds an entry: its key is `bytes[start, mid)`, its value `bytes[mid, end)`. */
  add(id: number, bytes: Uint8Array, start: number, mid: number, end: number): void {
    const at = this.#keep(bytes, start, end);
    this.#push(id, at, at + mid - start, at + mid - start, at + end - start);
  }

  setValue(entry: number, bytes: Uint8Array, start: number, end: number): void {
    this.#wasted += this.#spans[entry * 4 + 3]! - this.#spans[entry * 4 + 2]!;
    this.#spans[entry * 4 + 2] = this.#keep(bytes, start, end);
    this.#spans[entry * 4 + 3] = this.#spans[entry * 4 + 2]! + end - start;
  }

  remove(entry: number): void {
    const bytes = this.keyBytes(entry);
    const start = this.keyStart(entry);
    const end = this.keyEnd(entry);
    for (const set of this.#sets.values()) set.remove(bytes, start, end, entry);
    this.#wasted += this.#spans[entry * 4 + 3]! - this.#spans[entry * 4]!;
    this.#spans[entry * 4] = GONE;
    this.live--;
  }

  /** The structure that finds entries in a way; made when it is asked for the first time. */
  set(way: Way): PatternSet {
    const name = `${way.match} ${way.fold}`;
    let set = this.#sets.get(name);
    if (set === undefined) {
      set = (matchMethod(way.match) as MatchMethod).make(way.fold);
      this.#fill(set);
      this.#sets.set(name, set);
    }
    return set;
  }

  /** The entry with an id; -1 = there is none (any more). */
  withId(id: number): number {
    let low = 0;
    let high = this.count - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#ids[middle]! < id) low = middle + 1;
      else high = middle;
    }
    return low < this.count && this.#ids[low] === id && this.isThere(low) ? low : -1;
  }

  /** The entries with just this key. */
  withKey(key: Uint8Array): readonly number[] {
    return (this.set(BY_KEY) as ExactSet).all(key, 0, key.length);
  }

  isThere(entry: number): boolean {
    return this.#spans[entry * 4] !== GONE;
  }

  id(entry: number): number {
    return this.#ids[entry]!;
  }

  /** The array that holds the key, from `keyStart` to `keyEnd`. */
  keyBytes(entry: number): Uint8Array {
    return this.#spans[entry * 4]! < this.#base.length ? this.#base : this.#own;
  }

  keyStart(entry: number): number {
    return this.#inside(this.#spans[entry * 4]!);
  }

  keyEnd(entry: number): number {
    return this.keyStart(entry) + this.#spans[entry * 4 + 1]! - this.#spans[entry * 4]!;
  }

  /** The array that holds the value. It is never written to again. */
  valueBytes(entry: number): Uint8Array {
    return this.#spans[entry * 4 + 2]! < this.#base.length ? this.#base : this.#own;
  }

  valueStart(entry: number): number {
    return this.#inside(this.#spans[entry * 4 + 2]!);
  }

  valueEnd(entry: number): number {
    return this.valueStart(entry) + this.#spans[entry * 4 + 3]! - this.#spans[entry * 4 + 2]!;
  }

  key(entry: number): Uint8Array {
    return this.keyBytes(entry).subarray(this.keyStart(entry), this.keyEnd(entry));
  }

  value(entry: number): Uint8Array {
    return this.valueBytes(entry).subarray(this.valueStart(entry), this.valueEnd(entry));
  }

  /** Most of what it keeps is of no use any more. */
  get isLoose(): boolean {
    const gone = this.count - this.live;
    return gone > this.live + SPARE_ENTRIES || this.#wasted > (this.#used + this.#base.length) / 2 + SPARE_BYTES;
  }

  /** The same entries with the same ids, and nothing else. Their numbers change. */
  compacted(ways: Iterable<Way>): Generation {
    const fresh = new Generation(null, ways);
    for (let entry = 0; entry < this.count; entry++) {
      if (!this.isThere(entry)) continue;
      const [key, value] = [this.key(entry), this.value(entry)];
      const both = new Uint8Array(key.length + value.length);
      both.set(key);
      both.set(value, key.length);
      fresh.add(this.id(entry), both, 0, key.length, both.length);
    }
    return fresh;
  }

  #load(ref: PatternRef): void {
    eachEntry(ref.bytes, ref.pairs, (start, end, valueStart, valueEnd) => {
      this.#push(this.count, start, end, valueStart, valueEnd);
    });
    for (const pattern of ref.patterns) {
      const key = bytesOf(pattern);
      this.add(this.count, key, 0, key.length, key.length);
    }
  }

  #fill(set: PatternSet): void {
    for (let entry = 0; entry < this.count; entry++) {
      if (this.isThere(entry)) set.add(this.keyBytes(entry), this.keyStart(entry), this.keyEnd(entry), entry);
    }
  }

  #inside(offset: number): number {
    return offset < this.#base.length ? offset : offset - this.#base.length;
  }

  #push(id: number, keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    if (this.count === this.#ids.length) this.#grow();
    const entry = this.count++;
    this.#ids[entry] = id;
    this.#spans[entry * 4] = keyStart;
    this.#spans[entry * 4 + 1] = keyEnd;
    this.#spans[entry * 4 + 2] = valueStart;
    this.#spans[entry * 4 + 3] = valueEnd;
    this.live++;
    const bytes = this.keyBytes(entry);
    for (const set of this.#sets.values()) set.add(bytes, this.keyStart(entry), this.keyEnd(entry), entry);
  }

  /** Copies into `own`; where it is now. A new array when it is full: slices of the old one may be in use. */
  #keep(bytes: Uint8Array, start: number, end: number): number {
    const needed = this.#used + end - start;
    if (needed > this.#own.length) {
      const more = new Uint8Array(Math.max(needed, 2 * this.#own.length));
      more.set(this.#own.subarray(0, this.#used));
      this.#own = more;
    }
    this.#own.set(bytes.subarray(start, end), this.#used);
    const at = this.#base.length + this.#used;
    this.#used = needed;
    return at;
  }

  #grow(): void {
    const ids = new Float64Array(this.#ids.length * 2);
    ids.set(this.#ids);
    const spans = new Uint32Array(this.#spans.length * 2);
    spans.set(this.#spans);
    this.#ids = ids;
    this.#spans = spans;
  }
}
