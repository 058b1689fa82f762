/**
 * The index of a table: buckets of slots that lead from the hash of a key to its place (layout.ts). Slots are written by the
 * writer only, and read by all.
 */
import { mix } from './key.ts';
import { BUCKET_WORDS, type Layout } from './layout.ts';

export class Slots {
  /** Bits of a slot that are the place + 1; the others are those of the hash. */
  readonly placeMask: number;
  readonly #words: Int32Array;
  readonly #index: number;
  readonly #buckets: number;

  constructor(words: Int32Array, { index, buckets }: Layout, size: number) {
    this.#words = words;
    this.#index = index;
    this.#buckets = buckets;
    this.placeMask = 2 ** (32 - Math.clz32(size)) - 1;
  }

  /** Word offset of the bucket in which a key belongs. */
  first(hash: number): number {
    return this.#bucket(mix(hash));
  }

  /** The one it goes to when the first has overflowed, as the first word of that tells. */
  second(hash: number): number {
    return this.#bucket(mix(~hash));
  }

  #bucket(hash: number): number {
    return this.#index + Math.floor(((hash >>> 0) / 4_294_967_296) * this.#buckets) * BUCKET_WORDS;
  }

  /** A free slot for a key; -1 = neither of its buckets has one. */
  free(hash: number): number {
    const first = this.first(hash);
    const slot = this.#freeIn(first);
    if (slot >= 0) return slot;
    Atomics.store(this.#words, first, 1);
    return this.#freeIn(this.second(hash));
  }

  #freeIn(bucket: number): number {
    for (let slot = bucket + 1; slot < bucket + BUCKET_WORDS; slot++) if (this.#words[slot] === 0) return slot;
    return -1;
  }

  fill(slot: number, hash: number, place: number): void {
    Atomics.store(this.#words, slot, (hash & ~this.placeMask) | (place + 1));
  }

  /** Frees the slot that leads to a dead place. */
  drop(hash: number, place: number): void {
    if (!this.#dropIn(this.first(hash), place)) this.#dropIn(this.second(hash), place);
  }

  #dropIn(bucket: number, place: number): boolean {
    for (let slot = bucket + 1; slot < bucket + BUCKET_WORDS; slot++) {
      if ((this.#words[slot]! & this.placeMask) !== place + 1) continue;
      Atomics.store(this.#words, slot, 0);
      return true;
    }
    return false;
  }

  /** Frees all slots that lead to places for which `isLive` does not hold. */
  clean(isLive: (place: number) => boolean): void {
    const end = this.#index + this.#buckets * BUCKET_WORDS;
    for (let slot = this.#index; slot < end; slot++) {
      // The first word of a bucket is no slot.
      if ((slot - this.#index) % BUCKET_WORDS === 0) continue;
      const place = (this.#words[slot]! & this.placeMask) - 1;
      if (place >= 0 && !isLive(place)) Atomics.store(this.#words, slot, 0);
    }
  }
}
