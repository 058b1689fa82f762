/** Counters that go on where a process was replaced by another: those of a new process begin at zero. */
import { type Counters, type Health, NO_COUNTERS, sum } from './health.ts';

type ById = Readonly<Record<string, Counters>>;

export class LastingCounters {
  #last: Health | null = null;
  /** What ended processes had counted. */
  #fronts: ById = {};
  #pools: ById = {};

  /** @returns `health` with everything counted since the first look */
  add(health: Health): Health {
    if (this.#last !== null && restarted(this.#last, health)) {
      this.#fronts = total(this.#fronts, closed(this.#last.fronts));
      this.#pools = total(this.#pools, closed(this.#last.pools));
    }
    this.#last = health;
    return { ...health, fronts: onto(health.fronts, this.#fronts), pools: onto(health.pools, this.#pools) };
  }
}

function restarted(before: Health, now: Health): boolean {
  const less = (a: ById, b: ById) =>
    Object.entries(a).some(([id, old]) => b[id] !== undefined && b[id].total_connections < old.total_connections);
  return less(before.fronts, now.fronts) || less(before.pools, now.pools);
}

function closed(counters: ById): ById {
  return Object.fromEntries(Object.entries(counters).map(([id, c]) => [id, { ...c, active_connections: 0 }]));
}

function total(a: ById, b: ById): ById {
  return onto({ ...Object.fromEntries(Object.keys(a).map(id => [id, NO_COUNTERS])), ...b }, a);
}

/** The counters of `now`, each with those of `base`. */
function onto(now: ById, base: ById): ById {
  return Object.fromEntries(
    Object.entries(now).map(([id, c]) => [id, base[id] === undefined ? c : sum([base[id], c])]),
  );
}
