/**
 * Sliding one-second rates, HAProxy's `freq_ctr`, with one writer per worker.
 *
 *   [second, current, previous, max, ...]   five doubles inside a counters row
 *
 * All workers cut time at whole seconds of the shared clock, so their sums are what one counter for all would hold:
 * rate = current + previous x (share of the second still to come).
 */

const SECOND = 0;
const CURRENT = 1;
const PREVIOUS = 2;
/** The highest rate of all workers together that this worker has seen. */
const MAX = 3;
/** When this worker last looked at the others for MAX: ms. */
const LOOKED = 4;

/** How often a worker looks at the other workers' rows to keep the maximum. Milliseconds. */
const LOOK_EVERY_MS = 10;

/** Where the rows of one rate stand: the offset of each worker's. `own` is the writer's. */
type RateRows = Int32Array | readonly number[];

/** Counts `n` events at `now` (ms) on the rate whose rows are `rows`; `own` is the row of the calling worker. */
export function rateAdd(c: Float64Array, rows: RateRows, own: number, now: number, n: number): void {
  const second = Math.floor(now / 1000);
  if (c[own + SECOND] !== second) {
    // The past second is complete: its total may be the maximum.
    keepMax(c, own, secondTotal(c, rows, c[own + SECOND]!));
    c[own + PREVIOUS] = c[own + SECOND] === second - 1 ? c[own + CURRENT]! : 0;
    c[own + CURRENT] = 0;
    c[own + SECOND] = second;
  }
  c[own + CURRENT]! += n;
  if (now - c[own + LOOKED]! >= LOOK_EVERY_MS) {
    c[own + LOOKED] = now;
    keepMax(c, own, Math.floor(rateSum(c, rows, now)));
  }
}

/** Events per second now, over all workers; a whole number, HAProxy's rounding. */
export function rateRead(c: Float64Array, rows: RateRows, now: number): number {
  return Math.floor(rateSum(c, rows, now));
}

/** The highest rate seen so far, over all workers. */
export function rateMax(c: Float64Array, rows: RateRows, now: number): number {
  let max = rateRead(c, rows, now);
  let latest = 0;
  for (let i = 0; i < rows.length; i++) {
    max = Math.max(max, c[rows[i]! + MAX]!);
    latest = Math.max(latest, c[rows[i]! + SECOND]!);
  }
  return Math.max(max, secondTotal(c, rows, latest));
}

/** Adds the rows of another memory to the row `to` of `c`: as one writer would have counted all. The maxima do not add up. */
export function rateFold(c: Float64Array, to: number, from: Float64Array, rows: RateRows): void {
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const second = Math.max(c[to + SECOND]!, from[row + SECOND]!);
    const current = within(c, to, second) + within(from, row, second);
    c[to + PREVIOUS] = within(c, to, second - 1) + within(from, row, second - 1);
    c[to + CURRENT] = current;
    c[to + SECOND] = second;
    keepMax(c, to, from[row + MAX]!);
  }
}

/** Events of one row in a whole second, as far as it still tells. */
function within(c: Float64Array, row: number, second: number): number {
  if (c[row + SECOND] === second) return c[row + CURRENT]!;
  return c[row + SECOND] === second + 1 ? c[row + PREVIOUS]! : 0;
}

/** Forgets the maximum (`clear counters`). Only the writer of `own` may call it. */
export function rateClearMax(c: Float64Array, own: number): void {
  c[own + MAX] = 0;
}

function rateSum(c: Float64Array, rows: RateRows, now: number): number {
  const second = Math.floor(now / 1000);
  const left = 1 - (now - second * 1000) / 1000;
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    const at = c[row + SECOND]!;
    if (at === second) sum += c[row + CURRENT]! + c[row + PREVIOUS]! * left;
    else if (at === second - 1) sum += c[row + CURRENT]! * left;
  }
  return sum;
}

/** Events of all workers in the whole second `second`, as far as the rows still tell. */
function secondTotal(c: Float64Array, rows: RateRows, second: number): number {
  if (second === 0) return 0;
  let sum = 0;
  for (let i = 0; i < rows.length; i++) {
    const row = rows[i]!;
    if (c[row + SECOND] === second) sum += c[row + CURRENT]!;
    else if (c[row + SECOND] === second + 1) sum += c[row + PREVIOUS]!;
  }
  return sum;
}

function keepMax(c: Float64Array, own: number, rate: number): void {
  if (rate > c[own + MAX]!) c[own + MAX] = rate;
}
