/**
 * In which order entries expire: a heap in shared memory, with the places that are free behind it. Only who holds the
 * table's writer lock touches it.
 *
 *   position   0 .................. used ............. handed ......... size
 *              │ heap of live ones  │ free again       │ never used yet   (position p is for place p then)
 *   each: [expire when queued][place]
 *
 * A refreshed entry stays where it is, with its old expire, so that refreshing costs nothing; it gets its right position
 * when it comes to the top. As expires only move later, the top is never later than any: an entry at the top whose expire
 * is what it was queued with is the oldest of all. Four children each: a level is one cache line.
 */

const KEY = 0;
const PLACE = 1;
const WORDS = 2;
const CHILDREN = 4;

export const ORDER_WORDS = WORDS;

/** `a` is before `b`: milliseconds of a clock that wraps around. */
export function before(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

export class Order {
  readonly #words: Int32Array;
  readonly #at: number;

  constructor(words: Int32Array, at: number) {
    this.#words = words;
    this.#at = at;
  }

  /** Expire with which the entry at `position` was queued. */
  key(position: number): number {
    return this.#words[this.#at + position * WORDS + KEY]!;
  }

  place(position: number): number {
    return this.#words[this.#at + position * WORDS + PLACE]!;
  }

  set(position: number, key: number, place: number): void {
    const at = this.#at + position * WORDS;
    this.#words[at + KEY] = key;
    this.#words[at + PLACE] = place;
  }

  /** Adds `place` to a heap of `used`. A new entry expires last: it hardly ever moves. */
  push(used: number, key: number, place: number): void {
    let position = used;
    while (position > 0) {
      const parent = ((position - 1) / CHILDREN) | 0;
      if (!before(key, this.key(parent))) break;
      this.set(position, this.key(parent), this.place(parent));
      position = parent;
    }
    this.set(position, key, place);
  }

  /** Gives the entry at `position` another, later expire. */
  later(position: number, key: number, used: number): void {
    const place = this.place(position);
    for (;;) {
      const first = position * CHILDREN + 1;
      const end = Math.min(first + CHILDREN, used);
      let least = -1;
      let leastKey = key;
      for (let child = first; child < end; child++) {
        if (!before(this.key(child), leastKey)) continue;
        least = child;
        leastKey = this.key(child);
      }
      if (least < 0) break;
      this.set(position, leastKey, this.place(least));
      position = least;
    }
    this.set(position, key, place);
  }

  /** Takes the entry at `position` out of a heap of `used`; its place is free, behind the heap. */
  remove(position: number, used: number): void {
    const last = used - 1;
    const freed = this.place(position);
    const key = this.key(last);
    const place = this.place(last);
    this.set(last, 0, freed);
    if (position === last) return;
    this.set(position, key, place);
    // The last one may belong above or below: above happens only for positions that are not the top.
    const parent = ((position - 1) / CHILDREN) | 0;
    if (position > 0 && before(key, this.key(parent))) {
      let at = position;
      while (at > 0 && before(key, this.key(((at - 1) / CHILDREN) | 0))) {
        const up = ((at - 1) / CHILDREN) | 0;
        this.set(at, this.key(up), this.place(up));
        at = up;
      }
      this.set(at, key, place);
    } else this.later(position, key, last);
  }

  /** Position of `place` among the first `used`; -1 = it is not there. As long as the table is. */
  find(place: number, used: number): number {
    for (let position = 0; position < used; position++) if (this.place(position) === place) return position;
    return -1;
  }
}
