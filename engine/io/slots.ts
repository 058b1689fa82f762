/**
 * Connection ids: 31 bits, an index in the low 20 and a generation in the high 11. A freed index comes back with the
 * next generation, so that a late event for the old connection does not match the new one.
 */
const INDEX_BITS = 20;
const INDEX_MASK = (1 << INDEX_BITS) - 1;
const GENERATION_MASK = (1 << (31 - INDEX_BITS)) - 1;

/** Connections at once, per io. */
const SLOTS_MAX = 1 << INDEX_BITS;

/** The index of an id. */
export const indexOf = (id: number) => id & INDEX_MASK;

export class Slots<T> {
  readonly #max: number;
  readonly #entries: (T | null)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  #used = 0;

  /** `max` ids at once. */
  constructor(max: number = SLOTS_MAX) {
    this.#max = Math.min(max, SLOTS_MAX);
  }

  /** How many ids are in use. */
  get used(): number {
    return this.#used;
  }

  /** A free id, to be filled with `set`; -1 when all are in use. */
  take(): number {
    let index = this.#free.pop();
    if (index === undefined) {
      index = this.#entries.length;
      if (index === this.#max) return -1;
      this.#entries.push(null);
      this.#generations.push(0);
    }
    this.#used++;
    return (this.#generations[index]! << INDEX_BITS) | index;
  }

  set(id: number, entry: T): void {
    this.#entries[id & INDEX_MASK] = entry;
  }

  /** What `id` names; null when it was freed, even if its index is in use again. */
  get(id: number): T | null {
    const index = id & INDEX_MASK;
    return this.#generations[index] === id >>> INDEX_BITS ? (this.#entries[index] ?? null) : null;
  }

  free(id: number): void {
    const index = id & INDEX_MASK;
    this.#entries[index] = null;
    this.#generations[index] = (this.#generations[index]! + 1) & GENERATION_MASK;
    this.#free.push(index);
    this.#used--;
  }

  /** Calls `visit` with every entry. Entries may be freed meanwhile. */
  each(visit: (entry: T) => void): void {
    for (let i = 0; i < this.#entries.length; i++) {
      const entry = this.#entries[i];
      if (entry !== null && entry !== undefined) visit(entry);
    }
  }
}
