/** random(draws): the least loaded of a few servers drawn at random by weight (the power of two choices). */
import { type Balancer, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';

/** An unsigned 32-bit number, each as likely as any other. */
type Draw = () => number;

/** Marsaglia's xorshift: one word of state, the same numbers for the same seed. */
export function xorshift(seed: number): Draw {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

export class Random implements Balancer {
  readonly #farm: Farm;
  readonly #draw: Draw;
  readonly #draws: number;
  /** Weight of the members up to and including each. */
  #upTo = new Float64Array(0);

  constructor(farm: Farm, draw: Draw) {
    this.#farm = farm;
    this.#draw = draw;
    this.#draws = farm.proxy.balance.draws;
  }

  pick(_subject: Subject, avoid: number): number {
    const farm = this.#farm;
    if (farm.changed()) {
      let total = 0;
      this.#upTo = Float64Array.from(farm.weights, weight => (total += weight));
    }
    const { members, weights } = farm;
    if (members.length === 0) return NONE;
    let best = -1;
    for (let n = 0; n < this.#draws; n++) {
      const i = this.#drawMember();
      const server = members[i]!;
      if (server === avoid || !farm.hasRoom(server) || farm.full(server)) continue;
      if (best < 0 || farm.load(server) * weights[best]! < farm.load(members[best]!) * weights[i]!) best = i;
    }
    return best >= 0 ? members[best]! : this.#scan(avoid);
  }

  /** All draws hit servers that cannot be used: the next one that can, from a random place on. */
  #scan(avoid: number): number {
    const farm = this.#farm;
    const { members } = farm;
    const start = this.#drawMember();
    for (let n = 0; n < members.length; n++) {
      const server = members[(start + n) % members.length]!;
      if (server !== avoid && farm.hasRoom(server) && !farm.full(server)) return server;
    }
    return farm.anyFree(avoid);
  }

  /** The place in `members` of a server drawn by weight: a binary search, O(log servers). */
  #drawMember(): number {
    const upTo = this.#upTo;
    const drawn = (this.#draw() / 2 ** 32) * this.#farm.totalWeight;
    let low = 0;
    let high = upTo.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (upTo[middle]! <= drawn) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
