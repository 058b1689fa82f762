/** first: the server of the lowest id that has a place left. */
import { type Balancer, FULL, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';

export class First implements Balancer {
  readonly #farm: Farm;
  /** The members by ascending id. */
  #order = new Int32Array(0);

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  pick(_subject: Subject, avoid: number): number {
    const farm = this.#farm;
    if (farm.changed()) {
      const { servers } = farm.proxy;
      this.#order = Int32Array.from(farm.members).sort((a, b) => servers[a]!.id - servers[b]!.id);
    }
    const order = this.#order;
    if (order.length === 0) return NONE;
    for (let i = 0; i < order.length; i++) if (order[i] !== avoid && !farm.full(order[i]!)) return order[i]!;
    return farm.uses(avoid) && !farm.full(avoid) ? avoid : FULL;
  }
}
