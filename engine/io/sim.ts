/**
 * A simulated network behind the io contract: for tests of everything above it. One seed decides every delay, split,
 * merge, order and fault, so that a failure is repeated by its seed. Time is virtual and moves only in `run`.
 *
 * Any number of endpoints (`host`) share one network, so that a test runs client, proxy and server in it. Bytes of
 * one direction of one connection keep their order; nothing else does.
 */
import os from 'node:os';
import { BACKLOG_DEFAULT } from '../limits.ts';
import { addressText } from './address.ts';
import type { Address, Io } from './contract.ts';
import { type Pipe, SimConn, type SimWire } from './sim-conn.ts';
import { Events, randomFrom } from './sim-events.ts';
import { MOMENT_MS, SimIo, SimListener } from './sim-io.ts';

const { ECONNREFUSED } = os.constants.errno;

/** After how long a connect that met a full backlog is tried again, ms. */
const SYN_RETRY_MS = 1_000;
/** A network that takes more steps than this in one `run` is taken to be in an endless loop. */
const STEPS_MAX = 5_000_000;
const FIRST_EPHEMERAL_PORT = 32_768;

export interface SimOptions {
  /** Of one way, least and most, ms. Default 0.01 to 2. */
  readonly latencyMs?: readonly [number, number];
  /** What a direction of a connection can hold, least and most, bytes. Default 1 to 256 KiB. */
  readonly windowBytes?: readonly [number, number];
  /** How likely a chunk is cut, or an event put off by a turn. 0..1, default 0.3. */
  readonly disorder?: number;
  /** How likely a connection breaks when it sends. 0..1, default 0. */
  readonly resets?: number;
}

export interface Sim {
  readonly seed: number;
  /** Virtual milliseconds. */
  now(): number;
  /** A new endpoint. */
  host(): Io;
  /** A listening descriptor for `Io.listen`; port 0 becomes a free one, see `nameOf`. Throws when the address is taken. */
  bind(address: Address, backlog?: number): number;
  /** Another descriptor of the same listening socket. */
  dup(fd: number): number;
  /** The address that a listening descriptor has. */
  nameOf(fd: number): Address;
  /** Closes a descriptor that no io has taken. */
  closeFd(fd: number): void;
  /** Connects to this address get no answer from now on. */
  blackhole(address: Address): void;
  /** When the next thing happens, virtual ms; Infinity when nothing is left to happen. */
  readonly nextAt: number;
  /**
   * Does the one thing that happens next, and moves time there. False when nothing happens up to `limit` (ms): time is `limit`
   * then. Errors thrown by handlers come out with the seed.
   */
  step(limit: number): boolean;
  /** Moves time by `ms`, or until nothing is left to happen. */
  run(ms?: number): void;
  /** Runs until `done`. Throws when nothing is left to happen before. */
  until(done: () => boolean): void;
}

export function createSim(seed: number, options: SimOptions = {}): Sim {
  return new Network(seed, options);
}

export class Network implements Sim, SimWire {
  readonly seed: number;
  readonly random: () => number;
  readonly #latency: readonly [number, number];
  readonly #window: readonly [number, number];
  readonly disorder: number;
  readonly #resets: number;
  readonly #events = new Events();
  readonly #hosts: SimIo[] = [];
  readonly #listeners = new Map<string, SimListener>();
  readonly #fds: (SimListener | null)[] = [];
  readonly #holes = new Set<string>();
  #ports = FIRST_EPHEMERAL_PORT;
  #now = 1_000;

  constructor(seed: number, options: SimOptions) {
    this.seed = seed;
    this.random = randomFrom(seed);
    this.#latency = options.latencyMs ?? [0.01, 2];
    this.#window = options.windowBytes ?? [1_024, 256 * 1_024];
    this.disorder = options.disorder ?? 0.3;
    this.#resets = options.resets ?? 0;
  }

  now(): number {
    return this.#now;
  }

  host(): Io {
    const host = new SimIo(this, Uint8Array.of(10, 0, this.#hosts.length >> 8, (this.#hosts.length & 0xff) + 1));
    this.#hosts.push(host);
    return host;
  }

  port(): number {
    return this.#ports++;
  }

  bind(asked: Address, backlog = BACKLOG_DEFAULT): number {
    const address = asked.family !== 1 && asked.port === 0 ? { ...asked, port: this.port() } : asked;
    const key = addressText(address);
    if (this.#listeners.has(key)) throw new Error(`sim: ${key} is in use`);
    const listener = new SimListener(address, backlog);
    this.#listeners.set(key, listener);
    return this.#fds.push(listener) - 1;
  }

  dup(fd: number): number {
    const listener = this.listenerOf(fd);
    listener.fds++;
    return this.#fds.push(listener) - 1;
  }

  nameOf(fd: number): Address {
    return this.listenerOf(fd).address;
  }

  listenerOf(fd: number): SimListener {
    const listener = this.#fds[fd] ?? null;
    if (listener === null) throw new Error(`sim: descriptor ${fd} is not open`);
    return listener;
  }

  closeFd(fd: number): void {
    const listener = this.listenerOf(fd);
    this.#fds[fd] = null;
    if (--listener.fds > 0) return;
    this.#listeners.delete(addressText(listener.address));
    for (const conn of listener.waiting.splice(0)) conn.abort(true);
  }

  blackhole(address: Address): void {
    this.#holes.add(addressText(address));
  }

  // What connections ask for (SimWire).

  carry(pipe: Pipe, run: () => void): void {
    const [least, most] = this.#latency;
    const at = Math.max(this.#now + least + this.random() * (most - least), pipe.lastAt + MOMENT_MS);
    pipe.lastAt = at;
    this.#events.push({ at, run });
  }

  portion(bytes: number): number {
    return this.random() < this.disorder ? 1 + Math.floor(this.random() * bytes) : bytes;
  }

  breaks(): boolean {
    return this.#resets > 0 && this.random() < this.#resets;
  }

  windowBytes(): number {
    const [least, most] = this.#window;
    return Math.floor(least + this.random() * (most - least));
  }

  /** The three-way handshake of `client`, which `to` may answer, refuse or leave open. */
  handshake(client: SimConn, to: Address): void {
    const key = addressText(to);
    this.carry(client.out, () => {
      if (this.#holes.has(key) || client.gone) return;
      const listener = this.#listeners.get(key);
      if (listener === undefined) {
        this.carry(client.in, () => client.fail(ECONNREFUSED));
      } else if (listener.waiting.length >= listener.backlog) {
        this.#events.push({ at: this.#now + SYN_RETRY_MS, run: () => this.handshake(client, to) });
      } else {
        const server = new SimConn(this, client.in, client.out, client.local(), listener.address);
        server.established = true;
        server.other = client;
        client.other = server;
        this.carry(client.in, () => client.opened());
        listener.waiting.push(server);
        listener.wake();
      }
    });
  }

  // Running.

  run(ms = Infinity): void {
    this.#steps(this.#now + ms, () => false);
  }

  until(done: () => boolean): void {
    if (!this.#steps(Infinity, done)) throw new Error(`sim: nothing left to happen (seed ${this.seed})`);
  }

  /** True when `done` said so, false when nothing is left to happen up to `limit`. */
  #steps(limit: number, done: () => boolean): boolean {
    for (let steps = 0; !done(); steps++) {
      if (steps > STEPS_MAX) throw new Error(`sim: no end in sight (seed ${this.seed})`);
      if (!this.step(limit)) return false;
    }
    return true;
  }

  get nextAt(): number {
    let at = this.#events.nextAt;
    for (const host of this.#hosts) at = Math.min(at, host.nextAt);
    return at;
  }

  step(limit: number): boolean {
    const at = this.nextAt;
    if (at === Infinity || at > limit) {
      if (limit !== Infinity) this.#now = Math.max(this.#now, limit);
      return false;
    }
    this.#now = Math.max(this.#now, at);
    try {
      if (this.#events.nextAt === at) this.#events.pop().run();
      else this.#oneOf(at).turnOver();
    } catch (error) {
      throw new Error(`sim: ${(error as Error).message} (seed ${this.seed})`, { cause: error });
    }
    return true;
  }

  /** The endpoint whose turn it is at `at`; of several any, as of threads. */
  #oneOf(at: number): SimIo {
    const due = this.#hosts.filter(host => host.nextAt === at);
    return due[due.length === 1 ? 0 : Math.floor(this.random() * due.length)]!;
  }
}
