/**
 * leastconn: the server with the fewest streams (on it and waiting for it) for its weight; among equals the one whose last
 * turn is longest ago, over all workers.
 */
import { type Balancer, FULL, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';

export class LeastConn implements Balancer {
  readonly #farm: Farm;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  pick(_subject: Subject, avoid: number): number {
    const farm = this.#farm;
    farm.changed();
    const { members, weights } = farm;
    if (members.length === 0) return NONE;
    let best = FULL;
    let bestLoad = 0;
    let bestWeight = 1;
    let bestTurn = 0;
    for (let i = 0; i < members.length; i++) {
      const server = members[i]!;
      const streams = farm.load(server);
      if (server === avoid || farm.queueFull(server, streams)) continue;
      // An idle server is the least loaded whatever its weight. load / weight is compared without dividing.
      const load = streams === 0 ? 0 : streams + 1;
      const more = best < 0 ? -1 : load * bestWeight - bestLoad * weights[i]!;
      if (more > 0) continue;
      const turn = farm.chosenAt(server);
      if (more === 0 && ((turn - bestTurn) | 0) >= 0) continue;
      best = server;
      bestLoad = load;
      bestWeight = weights[i]!;
      bestTurn = turn;
    }
    if (best < 0 && farm.uses(avoid) && !farm.queueFull(avoid, farm.load(avoid))) best = avoid;
    if (best >= 0) farm.choose(best);
    return best;
  }
}
