/**
 * How often something happened in the last period, counted by all threads together (HAProxy's `freq_ctr` over a period).
 *
 *   [start][current][previous]     32-bit words; start: when the current period began, 0 = nothing was counted yet
 *
 *   rate = current + previous x (share of the period still to come)
 *
 * A period begins with the first event, so that the first period's count is exact. Whoever counts when the period is over
 * turns it: sets LOCKED by compare-and-swap, moves current to previous, writes the new start. There is no call and no loop
 * between, so that a thread cannot end there; and nobody waits for it: who counts meanwhile adds to `current`, which the
 * turn takes by exchange, so that no event is lost; it may only count in the period before. A start that stays LOCKED
 * after all is taken over once it is two periods old.
 *
 * Times are milliseconds of the shared clock, 31 bits: differences of up to 12 days are right.
 */

const CURRENT = 1;
const PREVIOUS = 2;
const LOCKED = 0x8000_0000 | 0;
const MASK = 0x7fff_ffff;

/** Looks at a start that is being written before it is taken as it is. */
const SPINS = 64;

/** Milliseconds from `start` to `now`, below 0 if it is later. */
function since(start: number, now: number): number {
  return ((now - start) << 1) >> 1;
}

/** Counts `n` events at `now` (ms, any number). */
export function freqAdd(words: Int32Array, at: number, now: number, periodMs: number, n: number): void {
  const start = Atomics.load(words, at);
  if (start <= 0 || since(start, now) >= periodMs) turn(words, at, start, now, periodMs);
  Atomics.add(words, at + CURRENT, n);
}

function turn(words: Int32Array, at: number, start: number, now: number, periodMs: number): void {
  const age = since(start & MASK, now);
  if (start < 0 && age < 2 * periodMs) return;
  const fresh = start <= 0 || age >= 2 * periodMs;
  const next = fresh ? now & MASK || 1 : (start + periodMs) & MASK || 1;
  if (Atomics.compareExchange(words, at, start, start | LOCKED) !== start) return;
  const count = Atomics.exchange(words, at + CURRENT, 0);
  Atomics.store(words, at + PREVIOUS, fresh ? 0 : count);
  Atomics.store(words, at, next);
}

/** Events in the last period at `now`, a whole number with HAProxy's rounding. */
export function freqRead(words: Int32Array, at: number, now: number, periodMs: number): number {
  let start = Atomics.load(words, at);
  if (start === 0) return 0;
  let current = 0;
  let previous = 0;
  for (let spins = 0; spins < SPINS; spins++) {
    current = Atomics.load(words, at + CURRENT) >>> 0;
    previous = Atomics.load(words, at + PREVIOUS) >>> 0;
    const again = Atomics.load(words, at);
    if (again === start && start > 0) break;
    start = again;
  }
  return freqOf(Math.max(since(start & MASK, now), 0), current, previous, periodMs);
}

/** The rate of a counter whose current period began `ageMs` ago. */
function freqOf(ageMs: number, current: number, previous: number, periodMs: number): number {
  const late = ageMs > periodMs;
  const now = late ? 0 : current;
  const past = ageMs > 2 * periodMs ? 0 : late ? current : previous;
  // A single event stays one until its period is over twice, rather than none.
  if (past <= 1 && now === 0) return past;
  const left = periodMs - (late ? ageMs - periodMs : ageMs);
  return Math.floor((past * left) / periodMs) + now;
}

/** What a counter holds, for a peer: ms since its period began, and both counts. */
export function freqState(
  words: Int32Array,
  at: number,
  now: number,
): [ageMs: number, current: number, previous: number] {
  const start = Atomics.load(words, at);
  const age = start === 0 ? 0 : Math.max(since(start & MASK, now), 0);
  return [age, Atomics.load(words, at + CURRENT) >>> 0, Atomics.load(words, at + PREVIOUS) >>> 0];
}

/** Sets a counter to what a peer or an operator says. */
export function freqSet(
  words: Int32Array,
  at: number,
  now: number,
  ageMs: number,
  current: number,
  previous: number,
): void {
  Atomics.store(words, at + CURRENT, current | 0);
  Atomics.store(words, at + PREVIOUS, previous | 0);
  Atomics.store(words, at, (now - ageMs) & MASK || 1);
}
