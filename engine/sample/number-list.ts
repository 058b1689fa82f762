/** Integers and ranges of them: single numbers in a map, ranges in a list; the first in the configuration counts. */
import { Numbers } from './numbers.ts';
import type { PatternSet } from './pattern.ts';
import { type Sample, view } from './sample.ts';

export class NumberList implements PatternSet {
  readonly #of: (sample: Sample) => number;
  /** The place of each number in `#numbers`. */
  readonly #single = new Map<number, number>();
  readonly #numbers = new Numbers();
  /** [low, high, value] of each range. */
  readonly #ranges: (readonly [number, number, number])[] = [];

  /** `of` gives the number that is matched. Beyond 2^53 the nearest double is. */
  constructor(of: (sample: Sample) => number) {
    this.#of = of;
  }

  /** `5`, `5:`, `:9`, `5:9`. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const [low = '', high] = view(bytes).toString('latin1', start, end).split(':');
    if (high !== undefined) {
      this.#ranges.push([low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high), value]);
      return;
    }
    const place = this.#single.get(Number(low)) ?? this.#single.size;
    this.#single.set(Number(low), place);
    this.#numbers.add(place, value);
  }

  remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const range = this.#ranges.findIndex(([, , other]) => other === value);
    if (range >= 0) this.#ranges.splice(range, 1);
    const place = this.#single.get(Number(view(bytes).toString('latin1', start, end)));
    if (place !== undefined) this.#numbers.remove(place, value);
  }

  find(sample: Sample): number {
    const number = this.#of(sample);
    const place = this.#single.get(number);
    let best = place === undefined ? -1 : this.#numbers.first(place);
    for (const [low, high, value] of this.#ranges) {
      if (number >= low && number <= high && (best < 0 || value < best)) best = value;
    }
    return best;
  }
}
