/** Expired entries go even where nobody looks: the control thread frees their places, some at a time. */
import { Timer, type TimerWheel } from '../time.ts';
import type { Tables } from './tables.ts';

/** Interval, and entries of a table that go at most each time; when there were as many, the rest follows at once. */
const PURGE_MS = 500;
const PURGE_AT_ONCE = 1_000;
const PURGE_MORE_MS = 5;

export function startPurging(tables: Tables, wheel: TimerWheel, now: () => number): { stop(): void } {
  const expiring = tables.list.filter(table => table.spec.expireMs > 0);
  const timer = new Timer(null, () => {
    let more = false;
    for (const table of expiring) more = table.purge(now(), PURGE_AT_ONCE) === PURGE_AT_ONCE || more;
    wheel.arm(timer, now() + (more ? PURGE_MORE_MS : PURGE_MS));
  });
  if (expiring.length > 0) wheel.arm(timer, now() + PURGE_MS);
  return { stop: () => wheel.forget(timer) };
}
