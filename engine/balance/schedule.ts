/**
 * The order in which servers get their turns: an array of servers in which each stands as often as its weight says, as
 * evenly spread as can be. Every worker computes the same one from the same shared weights, and the shared turn counter
 * is the place in it: so a full turn over all workers together follows the weights exactly.
 */

/** Turns in a schedule at most: HAProxy's own limit, 4,095 servers of weight 256, fits. */
const TURNS_MAX = 1 << 20;

/**
 * Lays `weights[i]` occurrences of `members[i]` at equal distances over the turns. Servers of the same weight start one
 * after another, so that equal weights give s1 s2 s3 s1 ...
 *
 *   weights 3 1    s1 at 1/6, 3/6, 5/6; s2 at 1/2:                s1 s1 s2 s1
 *   weights 2 2 1  s1 at 1/8, 5/8; s2 at 3/8, 7/8; s3 at 1/2:     s1 s2 s3 s1 s2
 *
 * O(turns): places are rounded to the turn, and those that fall together stand in the order of the servers.
 */
export function smoothSchedule(members: Int32Array, weights: Int32Array): Int32Array {
  const shares = reduce(weights);
  const turns = sum(shares);
  const phases = phasesOf(shares);
  // A counting sort of all occurrences by their turn.
  const starts = new Int32Array(turns + 1);
  for (let i = 0; i < shares.length; i++) {
    for (let k = 0; k < shares[i]!; k++) starts[turnOf(k, phases[i]!, shares[i]!, turns) + 1]!++;
  }
  for (let turn = 0; turn < turns; turn++) starts[turn + 1]! += starts[turn]!;
  const schedule = new Int32Array(turns);
  for (let i = 0; i < shares.length; i++) {
    for (let k = 0; k < shares[i]!; k++) schedule[starts[turnOf(k, phases[i]!, shares[i]!, turns)]!++] = members[i]!;
  }
  return schedule;
}

function turnOf(k: number, phase: number, share: number, turns: number): number {
  return Math.floor(((k + phase) * turns) / share);
}

/** Where between two of its occurrences each server starts, 0..1: the n servers of one weight at 1/2n, 3/2n, ... */
function phasesOf(shares: Int32Array): Float64Array {
  const equals = new Map<number, number>();
  for (const share of shares) equals.set(share, (equals.get(share) ?? 0) + 1);
  const seen = new Map<number, number>();
  return Float64Array.from(shares, share => {
    const rank = seen.get(share) ?? 0;
    seen.set(share, rank + 1);
    return (rank + 0.5) / equals.get(share)!;
  });
}

/** Weights divided by what they have in common; beyond TURNS_MAX in sum scaled down, never below 1. */
function reduce(weights: Int32Array): Int32Array {
  const common = weights.reduce(gcd, 0);
  const reduced = weights.map(weight => weight / common);
  const total = sum(reduced);
  if (total <= TURNS_MAX) return reduced;
  return reduced.map(weight => Math.max(1, Math.floor((weight * TURNS_MAX) / total)));
}

/** Greatest common divisor; 0 when both are. */
export function gcd(a: number, b: number): number {
  let [x, y] = [a, b];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

export function sum(numbers: Int32Array): number {
  let total = 0;
  for (let i = 0; i < numbers.length; i++) total += numbers[i]!;
  return total;
}
