/**
 * A hash table whose keys are bytes: a look-up takes a slice and makes no string. Keys lie behind one another in one array,
 * slots hold entry numbers + 1; open addressing, at most half full. Entries are numbered in the order of `add`.
 *
 *     slots   [0, 3, 0, 1, ...]           entry 0: keys[at[0], at[1])
 *     hashes  [.., h(entry 2), ..]        by entry
 *
 * The hash is FNV-1a, which goes byte by byte: all prefixes of a text are looked up in one pass over it (`eachPrefix`), and in
 * a `backward` table all suffixes.
 */
import { lower } from '../http/chars.ts';

/** A-Z as a-z, the other bytes as they are. */
export const LOWER = Uint8Array.from({ length: 256 }, (_, byte) => lower(byte));
const SAME = Uint8Array.from({ length: 256 }, (_, byte) => byte);

export const HASH_START = 0x811c9dc5 | 0;
const PRIME = 0x01000193;

export class ByteTable {
  /** Entries so far. */
  count = 0;
  readonly #map: Uint8Array;
  readonly #backward: boolean;
  #keys = new Uint8Array(1024);
  #used = 0;
  #at = new Uint32Array(65);
  #hashes = new Int32Array(64);
  #slots = new Int32Array(128);
  /** Bytes of the longest key. */
  longest = 0;

  /** `fold`: letters of either case are one. `backward`: for suffixes. */
  constructor(fold = false, backward = false) {
    this.#map = fold ? LOWER : SAME;
    this.#backward = backward;
  }

  /** The number of the key `bytes[start, end)`: a new one, or that of the same key before it. */
  add(bytes: Uint8Array, start: number, end: number): number {
    const hash = this.#hash(bytes, start, end);
    const known = this.probe(hash, bytes, start, end);
    if (known >= 0) return known;
    if (this.count === this.#hashes.length) this.#grow();
    const length = end - start;
    if (this.#used + length > this.#keys.length) this.#keys = larger(this.#keys, this.#used + length);
    for (let i = start; i < end; i++) this.#keys[this.#used++] = this.#map[bytes[i]!]!;
    const entry = this.count++;
    this.#at[entry + 1] = this.#used;
    this.#hashes[entry] = hash;
    this.#place(entry);
    if (length > this.longest) this.longest = length;
    return entry;
  }

  /** The number of the key `bytes[start, end)`; -1 = it is not there. */
  find(bytes: Uint8Array, start: number, end: number): number {
    return this.count === 0 ? -1 : this.probe(this.#hash(bytes, start, end), bytes, start, end);
  }

  /** As `find`, when the hash is known. */
  probe(hash: number, bytes: Uint8Array, start: number, end: number): number {
    const slots = this.#slots;
    const mask = slots.length - 1;
    for (let slot = spread(hash) & mask; ; slot = (slot + 1) & mask) {
      const entry = slots[slot]! - 1;
      if (entry < 0) return -1;
      if (this.#hashes[entry] === hash && this.#isKey(entry, bytes, start, end)) return entry;
    }
  }

  /** The hash of what `hash` is of and one more byte: before it in a backward table, else behind it. */
  next(hash: number, byte: number): number {
    return Math.imul(hash ^ this.#map[byte]!, PRIME);
  }

  /** A copy of the key of entry `i`. */
  key(i: number): Uint8Array {
    return this.#keys.slice(this.#at[i], this.#at[i + 1]);
  }

  #hash(bytes: Uint8Array, start: number, end: number): number {
    const map = this.#map;
    let hash = HASH_START;
    if (this.#backward) for (let i = end - 1; i >= start; i--) hash = Math.imul(hash ^ map[bytes[i]!]!, PRIME);
    else for (let i = start; i < end; i++) hash = Math.imul(hash ^ map[bytes[i]!]!, PRIME);
    return hash;
  }

  #isKey(entry: number, bytes: Uint8Array, start: number, end: number): boolean {
    const from = this.#at[entry]!;
    if (this.#at[entry + 1]! - from !== end - start) return false;
    const map = this.#map;
    for (let i = start, k = from; i < end; i++, k++) if (map[bytes[i]!] !== this.#keys[k]) return false;
    return true;
  }

  #place(entry: number): void {
    const mask = this.#slots.length - 1;
    let slot = spread(this.#hashes[entry]!) & mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & mask;
    this.#slots[slot] = entry + 1;
  }

  #grow(): void {
    const size = this.#hashes.length * 2;
    const hashes = new Int32Array(size);
    hashes.set(this.#hashes);
    const at = new Uint32Array(size + 1);
    at.set(this.#at);
    this.#hashes = hashes;
    this.#at = at;
    this.#slots = new Int32Array(size * 2);
    for (let entry = 0; entry < this.count; entry++) this.#place(entry);
  }
}

/** FNV's low bits alone are weak. */
function spread(hash: number): number {
  return hash ^ (hash >>> 15);
}

function larger(bytes: Uint8Array, needed: number): Uint8Array<ArrayBuffer> {
  const more = new Uint8Array(Math.max(bytes.length * 2, needed));
  more.set(bytes);
  return more;
}
