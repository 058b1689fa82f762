/** A set of places of a table, as bits; taken out in turns, so that none waits for ever. */

export class Slots {
  readonly #words: Uint32Array;
  readonly #size: number;
  #count = 0;
  #at = 0;

  constructor(size: number) {
    this.#size = size;
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  get count(): number {
    return this.#count;
  }

  has(slot: number): boolean {
    return (this.#words[slot >>> 5]! & (1 << (slot & 31))) !== 0;
  }

  add(slot: number): void {
    if (this.has(slot)) return;
    this.#words[slot >>> 5]! |= 1 << (slot & 31);
    this.#count++;
  }

  delete(slot: number): void {
    if (!this.has(slot)) return;
    this.#words[slot >>> 5]! &= ~(1 << (slot & 31));
    this.#count--;
  }

  fill(): void {
    for (let slot = 0; slot < this.#size; slot++) this.add(slot);
  }

  /** The next one in turn, taken out; -1 = none. */
  take(): number {
    if (this.#count === 0) return -1;
    for (let word = this.#at; ; word = word + 1 === this.#words.length ? 0 : word + 1) {
      const bits = this.#words[word]!;
      if (bits === 0) continue;
      this.#at = word;
      const slot = word * 32 + 31 - Math.clz32(bits & -bits);
      this.delete(slot);
      return slot;
    }
  }
}
