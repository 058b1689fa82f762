/**
 * The dynamic connection limit of a server (`minconn`, `maxconn`, `fullconn`; manual chapters 5.2 and 4.2).
 *
 *   limit
 *   maxconn ┤            ┌──────────
 *           │         ／
 *           │      ／
 *   minconn ┼───┘
 *           └────────────┴────────── streams in the backend
 *                      fullconn
 */
import { RAMP_FULL } from '../shm/words.ts';

/**
 * Streams a server takes now, when its backend holds `streams`. 0 = no limit. `maxconn` is the limit in force, 0 = none;
 * `minconn` 0 and `fullconn` 0 = the limit does not move.
 */
export function dynamicMaxconn(minconn: number, maxconn: number, fullconn: number, streams: number): number {
  if (minconn === 0 || minconn >= maxconn || streams >= fullconn) return maxconn;
  return Math.max(minconn, Math.floor((streams * maxconn) / fullconn));
}

/** What of a limit a server may use that starts slowly (`slowstart`): the sixteenths that are over, a place at least. */
export function rampedLimit(limit: number, ramp: number): number {
  return ramp === 0 || limit === 0 ? limit : Math.max(1, Math.floor((limit * (ramp - 1)) / RAMP_FULL));
}
