/** sticky: one server takes everything until it goes down, then the next one does; all workers together. */
import { type Balancer, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';

export class Sticky implements Balancer {
  readonly #farm: Farm;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  pick(_subject: Subject, _avoid: number): number {
    const farm = this.#farm;
    farm.changed();
    const { members } = farm;
    if (members.length === 0) return NONE;
    const kept = farm.kept();
    if (farm.uses(kept)) return kept;
    // Who came back up stands behind those that were there: the list goes round.
    const next = members.find(server => server > kept) ?? members[0]!;
    return farm.keep(kept, next);
  }
}
