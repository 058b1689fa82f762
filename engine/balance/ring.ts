/**
 * The ring of consistent hashing: each server has 16 points per unit of weight at places that depend on its key only (node-key.ts), and
 * a hash belongs to the nearest point. HAProxy's places, so that both choose alike.
 */
import { avalanche } from './hash.ts';
import { sum } from './schedule.ts';

const POINTS_PER_WEIGHT = 16;

export class Ring {
  /** Places of the points, ascending. */
  #places: Uint32Array;
  /** The server of each point. */
  #servers: Int32Array;

  /** `keys[i]` and `weights[i]` are those of server `members[i]`; weights are in units of 1 or 1/16. */
  constructor(members: Int32Array, keys: Int32Array, weights: Int32Array, unitsPerWeight = 1) {
    const pointsPerUnit = POINTS_PER_WEIGHT / unitsPerWeight;
    const length = sum(weights) * pointsPerUnit;
    this.#places = new Uint32Array(length);
    this.#servers = new Int32Array(length);
    let point = 0;
    for (let i = 0; i < members.length; i++) {
      const first = keys[i]!;
      const count = weights[i]! * pointsPerUnit;
      for (let k = 0; k < count; k++, point++) {
        this.#places[point] = avalanche(first + k);
        this.#servers[point] = members[i]!;
      }
    }
    this.#sort(0);
    this.#sort(16);
  }

  /**
   * One pass of a radix sort, by the 16 bits of the places from `shift` on. Equal ones keep their order. A farm of 1,000
   * servers of weight 100 has 1.6 million points: sorting by comparisons would stop the worker for half a second.
   */
  #sort(shift: 0 | 16): void {
    const [places, servers] = [this.#places, this.#servers];
    const starts = new Int32Array(0x10001);
    for (let i = 0; i < places.length; i++) starts[((places[i]! >>> shift) & 0xffff) + 1]!++;
    for (let digit = 0; digit < 0x10000; digit++) starts[digit + 1]! += starts[digit]!;
    this.#places = new Uint32Array(places.length);
    this.#servers = new Int32Array(places.length);
    for (let i = 0; i < places.length; i++) {
      const to = starts[(places[i]! >>> shift) & 0xffff]!++;
      this.#places[to] = places[i]!;
      this.#servers[to] = servers[i]!;
    }
  }

  /** Number of points. */
  get length(): number {
    return this.#places.length;
  }

  /** The server of a point; points beyond the last are the first ones again. */
  server(point: number): number {
    return this.#servers[point % this.#servers.length]!;
  }

  /** The point nearest to `hash` around the ring, the one before it when both are as near. The ring is not empty. */
  nearest(hash: number): number {
    const places = this.#places;
    let low = 0;
    let high = places.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (places[middle]! < hash) low = middle + 1;
      else high = middle;
    }
    const after = low === places.length ? 0 : low;
    const before = after === 0 ? places.length - 1 : after - 1;
    return (hash - places[before]!) >>> 0 <= (places[after]! - hash) >>> 0 ? before : after;
  }
}
