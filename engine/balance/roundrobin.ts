/** Turns by weight: `roundrobin`, and `static-rr`, which differs in where its schedule comes from. */
import { type Balancer, NONE, type Subject } from './balancer.ts';
import type { Farm } from './farm.ts';
import { smoothSchedule } from './schedule.ts';

/** The servers in the order of their turns, from the farm as it is now. */
type MakeSchedule = (farm: Farm) => Int32Array;

export class RoundRobin implements Balancer {
  readonly #farm: Farm;
  readonly #make: MakeSchedule;
  #schedule: Int32Array = new Int32Array(0);

  constructor(farm: Farm, make: MakeSchedule = dynamicSchedule) {
    this.#farm = farm;
    this.#make = make;
  }

  pick(_subject: Subject, avoid: number): number {
    const farm = this.#farm;
    if (farm.changed()) this.#schedule = this.#make(farm);
    if (this.#schedule.length === 0) return NONE;
    const server = this.#next();
    return server === avoid || farm.full(server) ? this.#another(avoid) : server;
  }

  #next(): number {
    return this.#schedule[this.#farm.turn() % this.#schedule.length]!;
  }

  /** A full server's turns are used up, not given to its neighbour: the others keep their proportions. */
  #another(avoid: number): number {
    const free = this.#farm.anyFree(avoid);
    if (free < 0 || free === avoid) return free;
    for (let tries = this.#schedule.length; tries > 0; tries--) {
      const server = this.#next();
      if (server !== avoid && !this.#farm.full(server)) return server;
    }
    return free;
  }
}

function dynamicSchedule(farm: Farm): Int32Array {
  return smoothSchedule(farm.members, farm.weights);
}
