/** Integers and ranges of them: single numbers in a map, ranges in a list; the first in the configuration counts. */
import { Numbers } from './numbers.ts';
import type { PatternSet } from './pattern.ts';
import { type Sample, view } from './sample.ts';

/** `5`, `5:`, `:9`, `5:9` or `5-9` as the lowest and the highest; null when it is none of these. */
export function parseRange(text: string): readonly [number, number] | null {
  const [, low, separator, high = ''] = /^(-?\d+|)(?:([:-])(-?\d+|))?$/.exec(text) ?? [];
  if (low === undefined || (low === '' && high === '') || !isInt64(low) || !isInt64(high)) return null;
  if (separator === undefined) return [Number(low), Number(low)];
  return [low === '' ? -Infinity : Number(low), high === '' ? Infinity : Number(high)];
}

function isInt64(digits: string): boolean {
  return BigInt.asIntN(64, BigInt(digits)) === BigInt(digits);
}

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

  add(bytes: Uint8Array, start: number, end: number, value: number): void {
    const range = parseRange(view(bytes).toString('latin1', start, end));
    if (range === null) return;
    const [low, high] = range;
    if (low !== high) {
      this.#ranges.push([low, high, value]);
      return;
    }
    const place = this.#single.get(low) ?? this.#single.size;
    this.#single.set(low, place);
    this.#numbers.add(place, value);
  }

  remove(bytes: Uint8Array, start: number, end: number, value: number): void {
    const range = this.#ranges.findIndex(([, , other]) => other === value);
    if (range >= 0) this.#ranges.splice(range, 1);
    const [low] = parseRange(view(bytes).toString('latin1', start, end)) ?? [];
    const place = low === undefined ? undefined : this.#single.get(low);
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
