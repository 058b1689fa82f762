/**
 * The ring of consistent hashing: each server has 16 points per unit of weight at places that depend on its id only, and
 * a hash belongs to the nearest point. HAProxy's places, so that both choose alike.
 */
import { avalanche } from './hash.ts';

const POINTS_PER_WEIGHT = 16;
/** Points of one server at most (weight 256): its points are numbered from id x 4096. */
const POINTS_PER_SERVER = 4096;
/** A point is sorted as one exact double: place x 2^20 + member. Farms have 2^20 servers at most (limits.ts). */
const MEMBER_RANGE = 2 ** 20;

export class Ring {
  /** Places of the points, ascending. */
  readonly #places: Uint32Array;
  /** The server of each point. */
  readonly #servers: Int32Array;

  /** `ids[i]` and `weights[i]` are those of server `members[i]`. */
  constructor(members: Int32Array, ids: Int32Array, weights: Int32Array) {
    const points: number[] = [];
    for (let i = 0; i < members.length; i++) {
      const count = weights[i]! * POINTS_PER_WEIGHT;
      for (let k = 0; k < count; k++) points.push(avalanche(ids[i]! * POINTS_PER_SERVER + k) * MEMBER_RANGE + i);
    }
    const sorted = Float64Array.from(points).sort();
    this.#places = Uint32Array.from(sorted, point => Math.floor(point / MEMBER_RANGE));
    this.#servers = Int32Array.from(sorted, point => members[point % MEMBER_RANGE]!);
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
