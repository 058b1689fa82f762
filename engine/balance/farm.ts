/**
 * The servers of one backend as its balancer sees them: which ones take traffic now, with which weights, and how loaded
 * they are. Shared words are read where they stand; what is computed from them is computed again when the backend's
 * generation moved.
 *
 * Loads and limits are read without Atomics, ten times as fast: a word is never half written, and a load that is a moment
 * old is as good, since the place itself is taken by an atomic operation (shm/atomics.ts) that sees the limit.
 */
import type { Proxy } from '../config/proxy-model.ts';
import type { Memory, Topology } from '../shm/memory.ts';
import { PROXY, RAMP_FULL, SERVER } from '../shm/words.ts';
import { FULL } from './balancer.ts';
import { dynamicMaxconn, rampedLimit } from './maxconn.ts';

const { served: SERVED, queued: QUEUED, maxconn: MAXCONN, chosen: CHOSEN } = SERVER.at;
const { eweight: EWEIGHT, uweight: UWEIGHT, ramp: RAMP } = SERVER.at;

export class Farm {
  readonly proxy: Proxy;
  /** Indexes in `proxy.servers` of the servers in use: the active ones, else the backup ones. In their order. */
  members: Int32Array = new Int32Array(0);
  /** Units that make a weight of 1: see `#weigh`. */
  unitsPerWeight: 1 | typeof RAMP_FULL = 1;
  /** Weight of each member in these units, 1 or more. */
  weights: Int32Array = new Int32Array(0);
  /** Sum of `weights`. */
  totalWeight = 0;
  readonly #words: Int32Array;
  /** Word offset of the struct of each server of the proxy. */
  readonly #at: Int32Array;
  readonly #minconn: Int32Array;
  readonly #maxqueue: Int32Array;
  readonly #proxyAt: number;
  #generation = 0;
  #built = false;
  /** By server: weight of the members before it, and its own weight (0 = not a member). For `hasRoom`. */
  readonly #weightBefore: Float64Array;
  readonly #weight: Int32Array;

  constructor(memory: Memory, topology: Topology, proxy: Proxy) {
    const first = topology.firstServer[proxy.index]!;
    this.proxy = proxy;
    this.#words = memory.words;
    this.#proxyAt = memory.proxy(proxy.index);
    const slots = topology.firstServer[proxy.index + 1]! - first;
    this.#at = Int32Array.from({ length: slots }, (_, i) => memory.server(first + i));
    this.#minconn = new Int32Array(slots);
    this.#maxqueue = new Int32Array(slots);
    this.#weightBefore = new Float64Array(slots);
    this.#weight = new Int32Array(slots);
  }

  /** Reads states and weights again if they changed since the last call. True when they did: make your tables again. */
  changed(): boolean {
    // Before the weights: a change that comes while we read them is seen at the next call.
    const generation = Atomics.load(this.#words, this.#proxyAt + PROXY.at.generation);
    if (this.#built && generation === this.#generation) return false;
    this.#generation = generation;
    this.#built = true;
    this.#read();
    return true;
  }

  #read(): void {
    const { servers, options } = this.proxy;
    for (const { index, minconn, maxqueue } of servers) {
      this.#minconn[index] = minconn;
      this.#maxqueue[index] = maxqueue;
    }
    const usable = servers.filter(server => Atomics.load(this.#words, this.#at[server.index]! + EWEIGHT) > 0);
    let members = usable.filter(server => !server.backup);
    if (members.length === 0) members = options.allbackups ? usable : usable.slice(0, 1);
    this.members = Int32Array.from(members, server => server.index);
    this.#weigh();
    this.#weight.fill(0);
    this.totalWeight = 0;
    for (let i = 0; i < this.members.length; i++) {
      this.#weightBefore[this.members[i]!] = this.totalWeight;
      this.#weight[this.members[i]!] = this.weights[i]!;
      this.totalWeight += this.weights[i]!;
    }
  }

  /** Weights are whole, or while a member starts slowly in the sixteenths in which its weight grows. */
  #weigh(): void {
    const word = (index: number, field: number): number => Atomics.load(this.#words, this.#at[index]! + field);
    this.unitsPerWeight = this.members.some(index => word(index, RAMP) > 0) ? RAMP_FULL : 1;
    this.weights = this.members.map(index => {
      if (this.unitsPerWeight === 1) return word(index, EWEIGHT) || 1;
      return Math.min(word(index, UWEIGHT) * (word(index, RAMP) || RAMP_FULL), word(index, EWEIGHT) * RAMP_FULL) || 1;
    });
  }

  /** True when `server` takes traffic now. */
  uses(server: number): boolean {
    return server >= 0 && this.#weight[server]! > 0;
  }

  /** The next round-robin turn, shared by all workers: 0..2^32-1. */
  turn(): number {
    return Atomics.add(this.#words, this.#proxyAt + PROXY.at.turn, 1) >>> 0;
  }

  /** The server that takes everything (sticky); -1 = none yet. The word of the turns says it: nobody else takes any. */
  kept(): number {
    return Atomics.load(this.#words, this.#proxyAt + PROXY.at.turn) - 1;
  }

  /** From now on it is `next`, unless another worker has replaced `kept` already. Gives who it is. */
  keep(kept: number, next: number): number {
    const found = Atomics.compareExchange(this.#words, this.#proxyAt + PROXY.at.turn, kept + 1, next + 1) - 1;
    return found === kept ? next : found;
  }

  /** The turn at which a server was last `choose`n, a number that wraps around. */
  chosenAt(server: number): number {
    return this.#words[this.#at[server]! + CHOSEN]!;
  }

  /** Notes that it is chosen now: all workers then prefer others that are as little loaded. */
  choose(server: number): void {
    Atomics.store(this.#words, this.#at[server]! + CHOSEN, this.turn() + 1);
  }

  /** Streams on a server and waiting for it. */
  load(server: number): number {
    const at = this.#at[server]!;
    return this.#words[at + SERVED]! + this.#words[at + QUEUED]!;
  }

  /** Streams a server takes now; 0 = no limit. The stream that asks is among those of the backend (be_sess) already. */
  limit(server: number): number {
    const maxconn = this.#words[this.#at[server]! + MAXCONN]!;
    const ramp = this.#words[this.#at[server]! + RAMP]!;
    if (maxconn === 0) return 0;
    if (this.#minconn[server] === 0) return rampedLimit(maxconn, ramp);
    const streams = this.#words[this.#proxyAt + PROXY.at.be_sess]!;
    return rampedLimit(dynamicMaxconn(this.#minconn[server]!, maxconn, this.proxy.fullconn, streams), ramp);
  }

  /** True when a stream given to `server` would have to wait: its places are taken or others already wait. */
  full(server: number): boolean {
    const limit = this.limit(server);
    if (limit === 0) return false;
    const at = this.#at[server]!;
    return this.#words[at + QUEUED]! > 0 || this.#words[at + SERVED]! >= limit;
  }

  /** True when a server that carries `load` has neither a place nor, where `maxqueue` gives some, one in its queue left. */
  queueFull(server: number, load: number): boolean {
    const limit = this.limit(server);
    return limit > 0 && load >= limit + this.#maxqueue[server]!;
  }

  /** The first member that is not full, `avoid` only when it alone is; FULL when there is none. */
  anyFree(avoid: number): number {
    const { members } = this;
    for (let i = 0; i < members.length; i++) if (members[i] !== avoid && !this.full(members[i]!)) return members[i]!;
    return this.uses(avoid) && !this.full(avoid) ? avoid : FULL;
  }

  /**
   * `hash-balance-factor`: true when one more stream leaves the server's load within the factor. All members together
   * get ceil((streams + 1) x factor / 100) places, dealt out by weight so that their sum is exact; each has at least one.
   */
  hasRoom(server: number): boolean {
    const factor = this.proxy.hash.balanceFactor;
    if (factor === 0) return true;
    const streams = this.#words[this.#proxyAt + PROXY.at.be_served]!;
    const places = Math.ceil(((streams + 1) * factor) / 100);
    const before = this.#weightBefore[server]!;
    const upTo = before + this.#weight[server]!;
    const own = Math.floor((places * upTo) / this.totalWeight) - Math.floor((places * before) / this.totalWeight);
    return this.#words[this.#at[server]! + SERVED]! < Math.max(own, 1);
  }
}
