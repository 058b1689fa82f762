/**
 * The order in which servers get their turns: an array of servers in which each stands as often as its weight says, as
 * evenly spread as can be. Every worker computes the same one from the same shared weights, and the shared turn counter
 * is the place in it: so a full turn over all workers together follows the weights exactly.
 */

/** Turns in a schedule at most: HAProxy's own limit, 4,095 servers of weight 256, fits. */
const TURNS_MAX = 1 << 20;

/**
 * Lays `weights[i]` turns of `members[i]` out evenly, in HAProxy's order. A server is due again total / weight turns after its
 * last one was. Who has been due longest goes, the heavier first; who has had no turn yet goes when nobody is due, the heaviest first.
 *
 *   weights 3 1    s1 s1 s1 s2
 *   weights 1 1 1  s1 s2 s3
 *   weights 4 1 2  s1 s1 s3 s1 s2 s1 s3
 *
 * O(turns) unless many servers are due at the same turn.
 */
export function smoothSchedule(members: Int32Array, weights: Int32Array): Int32Array {
  const shares = reduce(weights);
  const turns = sum(shares);
  const fresh = Array.from(shares.keys()).sort((a, b) => shares[b]! - shares[a]! || a - b);
  const due = new DueServers(turns, shares);
  let begun = 0;
  return Int32Array.from({ length: turns }, (_, turn) => {
    const server = due.takeBy(turn) ?? (begun < fresh.length ? fresh[begun++]! : due.takeBy(turns)!);
    due.serve(server, turn);
    return members[server]!;
  });
}

/** The servers that wait for their next turns, by the turn at which each is due: lists, the last that came first. */
class DueServers {
  readonly #turns: number;
  readonly #shares: Int32Array;
  /** By turn: the head of its list; by server: the next in the list. -1 = none. */
  readonly #first: Int32Array;
  readonly #next: Int32Array;
  /** By server: turns that it has left, and in 1/share of a turn when it was due last (-1 = it was not). */
  readonly #left: Int32Array;
  readonly #dueAt: Float64Array;
  /** No list before this one has servers. */
  #earliest = 0;

  constructor(turns: number, shares: Int32Array) {
    this.#turns = turns;
    this.#shares = shares;
    this.#first = new Int32Array(turns).fill(-1);
    this.#next = new Int32Array(shares.length).fill(-1);
    this.#left = shares.slice();
    this.#dueAt = new Float64Array(shares.length).fill(-1);
  }

  /** The one that has been due longest at `turn`; null = none is due. */
  takeBy(turn: number): number | null {
    const first = this.#first;
    const end = Math.min(turn, this.#turns - 1);
    let at = this.#earliest;
    while (at <= end && first[at] === -1) at++;
    this.#earliest = Math.min(at, turn);
    if (at > end) return null;
    const server = this.#heaviest(at);
    this.#remove(server, at);
    return server;
  }

  /** `server` has its turn. */
  serve(server: number, turn: number): void {
    const share = this.#shares[server]!;
    const before = this.#dueAt[server]! < 0 ? turn * share : this.#dueAt[server]!;
    this.#dueAt[server] = before + this.#turns;
    this.#left[server]!--;
    if (this.#left[server] === 0) return;
    const at = Math.min(Math.floor(this.#dueAt[server]! / share), this.#turns - 1);
    this.#earliest = Math.min(this.#earliest, at);
    this.#next[server] = this.#first[at]!;
    this.#first[at] = server;
  }

  /** Of several the one that has waited longest. */
  #heaviest(at: number): number {
    let best = this.#first[at]!;
    for (let server = best; server !== -1; server = this.#next[server]!) {
      if (this.#shares[server]! >= this.#shares[best]!) best = server;
    }
    return best;
  }

  #remove(server: number, at: number): void {
    if (this.#first[at] === server) {
      this.#first[at] = this.#next[server]!;
      return;
    }
    let before = this.#first[at]!;
    while (this.#next[before] !== server) before = this.#next[before]!;
    this.#next[before] = this.#next[server]!;
  }
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
