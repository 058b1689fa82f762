/** leastconn: the server with the fewest streams (on it and waiting for it) for its weight. */
import { type Balancer, FULL, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';

export class LeastConn implements Balancer {
  readonly #farm: Farm;
  /** The servers that share the lowest load of the scan; filled from the start at each pick. */
  #equals = new Int32Array(0);

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  pick(_subject: Subject, avoid: number): number {
    const farm = this.#farm;
    if (farm.changed()) this.#equals = new Int32Array(farm.members.length);
    const { members, weights } = farm;
    if (members.length === 0) return NONE;
    let count = 0;
    let lowest = 0;
    let lowestWeight = 1;
    for (let i = 0; i < members.length; i++) {
      const server = members[i]!;
      if (server === avoid || farm.queueFull(server)) continue;
      // An idle server is the least loaded whatever its weight. load / weight is compared without dividing.
      const streams = farm.load(server);
      const load = streams === 0 ? 0 : streams + 1;
      const difference = count === 0 ? -1 : load * lowestWeight - lowest * weights[i]!;
      if (difference > 0) continue;
      if (difference < 0) {
        count = 0;
        lowest = load;
        lowestWeight = weights[i]!;
      }
      this.#equals[count++] = server;
    }
    if (count > 0) return this.#equals[count === 1 ? 0 : farm.turn() % count]!;
    return farm.uses(avoid) && !farm.queueFull(avoid) ? avoid : FULL;
  }
}
