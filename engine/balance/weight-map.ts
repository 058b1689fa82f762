/**
 * The table of map-based hashing and of static-rr: an array of servers in which each stands as often as its weight says,
 * in HAProxy's own order, so that `table[hash % length]` is the server it would choose.
 *
 * The order: after t turns of T in all, a server of weight w is due floor(t x w / T) times. Each turn goes to the server
 * most behind on what it is due; among equals to the first declared. Hence the first declared always comes first.
 */
import { gcd, sum } from './schedule.ts';

/**
 * `weights[i]` occurrences (divided by what all weights have in common) of each `members[i]`.
 * O(turns x log servers): the servers are the leaves of a tournament tree whose root is the one most behind.
 */
export function weightMap(members: Int32Array, weights: Int32Array): Int32Array {
  const common = weights.reduce(gcd, 0);
  const shares = weights.map(weight => weight / common);
  const turns = sum(shares);
  const map = new Int32Array(turns);
  const race = new Tournament(shares.length);
  // Server i becomes due for the n-th time at turn ceil(n x T / w): dueAt[turn] heads the list of those, -1 ends it.
  const dueAt = new Int32Array(turns + 1).fill(-1);
  const next = new Int32Array(shares.length);
  const times = new Int32Array(shares.length).fill(1);
  const schedule = (i: number) => {
    const turn = Math.ceil((times[i]!++ * turns) / shares[i]!);
    if (turn > turns) return;
    next[i] = dueAt[turn]!;
    dueAt[turn] = i;
  };
  for (let i = 0; i < shares.length; i++) schedule(i);
  for (let turn = 1; turn <= turns; turn++) {
    for (let i = dueAt[turn]!; i !== -1; ) {
      const following = next[i]!;
      race.add(i, 1);
      schedule(i);
      i = following;
    }
    const chosen = race.winner();
    map[turn - 1] = members[chosen]!;
    race.add(chosen, -1);
  }
  return map;
}

/** Scores whose maximum (the leftmost one) is known at any time; a change costs O(log n). */
class Tournament {
  readonly #leaves: number;
  readonly #score: Int32Array;
  /** Heap-shaped: the winner of node k is that of 2k or 2k + 1; the leaf of score i is node #leaves + i. */
  readonly #winner: Int32Array;

  constructor(size: number) {
    this.#leaves = 2 ** Math.ceil(Math.log2(Math.max(size, 1)));
    this.#score = new Int32Array(this.#leaves).fill(-0x40000000).fill(0, 0, size);
    this.#winner = new Int32Array(2 * this.#leaves);
    for (let i = 0; i < this.#leaves; i++) this.#winner[this.#leaves + i] = i;
    for (let node = this.#leaves - 1; node > 0; node--) this.#play(node);
  }

  add(index: number, points: number): void {
    this.#score[index]! += points;
    for (let node = (this.#leaves + index) >> 1; node > 0; node >>= 1) this.#play(node);
  }

  winner(): number {
    return this.#winner[1]!;
  }

  #play(node: number): void {
    const left = this.#winner[2 * node]!;
    const right = this.#winner[2 * node + 1]!;
    this.#winner[node] = this.#score[right]! > this.#score[left]! ? right : left;
  }
}
