/** Integers and ranges of them: single numbers in a map, ranges in a list; the first in the configuration counts. */
import type { PatternSet } from './pattern.ts';
import { type Sample, view } from './sample.ts';

export class NumberList implements PatternSet {
  readonly #of: (sample: Sample) => number;
  readonly #single = new Map<number, number>();
  /** [low, high, value] of each range. */
  readonly #ranges: (readonly [number, number, number])[] = [];

  /** `of` gives the number that is matched. Beyond 2^53 the nearest double is. */
  constructor(of: (sample: Sample) => number) {
    this.#of = of;
  }

  /** `5`, `5:`, `:9`, `5:9`. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const [low = '', high] = view(bytes).toString('latin1', start, end).split(':');
    if (high === undefined) {
      if (!this.#single.has(Number(low))) this.#single.set(Number(low), value);
    } else this.addRange(low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high), value);
  }

  /** Both ends included. */
  addRange(low: number, high: number, value: number): void {
    this.#ranges.push([low, high, value]);
  }

  find(sample: Sample): number {
    const number = this.#of(sample);
    let best = this.#single.get(number) ?? -1;
    for (const [low, high, value] of this.#ranges) {
      if (number >= low && number <= high && (best < 0 || value < best)) best = value;
    }
    return best;
  }
}
