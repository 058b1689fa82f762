/**
 * A simulated network behind the io contract: for tests of everything above it. One seed decides every delay, split,
 * merge, order and fault, so that a failure is repeated by its seed. Time is virtual and moves only in `run`.
 *
 * Any number of endpoints (`host`) share one network, so that a test runs client, proxy and server in it. Bytes of
 * one direction of one connection keep their order; nothing else does.
 */
import os from 'node:os';
import { BACKLOG_DEFAULT } from '../limits.ts';
import { addressText, UNNAMED } from './address.ts';
import type { Address, Conn, ConnectOptions, Handler, Io, Listening } from './contract.ts';
import { Pipe, SimConn, type SimLoop, type SimWire } from './sim-conn.ts';
import { Slots } from './slots.ts';

const { ECONNREFUSED } = os.constants.errno;

/** Between an event and the turn that it causes, and between two things of one direction, ms. */
const MOMENT_MS = 0.001;
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
  /** Connects to this address get no answer from now on. */
  blackhole(address: Address): void;
  /** Moves time by `ms`, or until nothing is left to happen. Errors thrown by handlers come out with the seed. */
  run(ms?: number): void;
  /** Runs until `done`. Throws when nothing is left to happen before. */
  until(done: () => boolean): void;
}

export function createSim(seed: number, options: SimOptions = {}): Sim {
  return new Network(seed, options);
}

/** Mulberry32: small, and good enough to choose among cases. */
function randomFrom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Event {
  readonly at: number;
  readonly run: () => void;
}

/** A binary heap: the earliest event first. */
class Events {
  readonly #heap: Event[] = [];

  get nextAt(): number {
    return this.#heap[0]?.at ?? Infinity;
  }

  push(event: Event): void {
    const heap = this.#heap;
    let i = heap.push(event) - 1;
    while (i > 0) {
      const up = (i - 1) >> 1;
      if (heap[up]!.at <= event.at) break;
      heap[i] = heap[up]!;
      i = up;
    }
    heap[i] = event;
  }

  pop(): Event {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let i = 0;
    for (;;) {
      let down = 2 * i + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && heap[down + 1]!.at < heap[down]!.at) down++;
      if (heap[down]!.at >= last.at) break;
      heap[i] = heap[down]!;
      i = down;
    }
    heap[i] = last;
    return first;
  }
}

/** A listening socket, shared by all descriptors of it. */
class SimListener {
  readonly address: Address;
  readonly backlog: number;
  readonly waiting: SimConn[] = [];
  readonly listenings = new Set<SimListening>();
  fds = 1;

  constructor(address: Address, backlog: number) {
    this.address = address;
    this.backlog = backlog;
  }

  wake(): void {
    for (const listening of this.listenings) listening.wake();
  }
}

class Network implements Sim, SimWire {
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
      let host: SimIo | null = null;
      let at = this.#events.nextAt;
      for (const h of this.#hosts) {
        if (h.nextAt < at) {
          at = h.nextAt;
          host = h;
        }
      }
      if (at === Infinity || at > limit) {
        if (limit !== Infinity) this.#now = limit;
        return false;
      }
      this.#now = Math.max(this.#now, at);
      try {
        if (host === null) this.#events.pop().run();
        else host.turnOver();
      } catch (error) {
        throw new Error(`sim: ${(error as Error).message} (seed ${this.seed})`, { cause: error });
      }
    }
    return true;
  }
}

class SimListening implements Listening {
  readonly listener: SimListener;
  readonly #io: SimIo;
  readonly #network: Network;
  readonly #fd: number;
  readonly #burst: number;
  readonly #accept: (conn: Conn) => void;
  #open = true;

  constructor(io: SimIo, network: Network, fd: number, burst: number, accept: (conn: Conn) => void) {
    this.#io = io;
    this.#network = network;
    this.#fd = fd;
    this.#burst = burst;
    this.#accept = accept;
    this.listener = network.listenerOf(fd);
    this.resume();
  }

  wake(): void {
    this.#io.wake();
  }

  pause(): void {
    this.listener.listenings.delete(this);
  }

  resume(): void {
    if (!this.#open) return;
    this.listener.listenings.add(this);
    this.wake();
  }

  close(): void {
    if (!this.#open) return;
    this.pause();
    this.#open = false;
    this.#network.closeFd(this.#fd);
    this.#io.unlisten(this);
  }

  /** Accepts what waits, up to the burst. */
  accept(): void {
    for (let n = 0; n < this.#burst; n++) {
      if (!this.listener.listenings.has(this)) return;
      const conn = this.listener.waiting.shift();
      if (conn === undefined) return;
      this.#io.own(conn);
      this.#accept(conn);
    }
    if (this.listener.waiting.length > 0) this.wake();
  }
}

class SimIo implements Io, SimLoop {
  readonly name = 'sim';
  /** When the next turn is due, ms. */
  nextAt = Infinity;
  readonly #network: Network;
  readonly #address: Address;
  readonly #conns = new Slots<SimConn>();
  readonly #listenings = new Set<SimListening>();
  #turn: (now: number) => number = () => Infinity;
  #ready = new Set<SimConn>();
  #output = new Set<SimConn>();
  #stopped: (() => void) | null = null;

  constructor(network: Network, ip: Uint8Array) {
    this.#network = network;
    this.#address = { family: 4, bytes: ip, port: 0 };
  }

  now(): number {
    return this.#network.now();
  }

  listen(fd: number, burst: number, accept: (conn: Conn) => void): Listening {
    const listening = new SimListening(this, this.#network, fd, burst, accept);
    this.#listenings.add(listening);
    return listening;
  }

  unlisten(listening: SimListening): void {
    this.#listenings.delete(listening);
  }

  connect(address: Address, options: ConnectOptions, handler: Handler): Conn {
    const network = this.#network;
    const source = options.source ?? this.#address;
    const local = address.family === 1 ? UNNAMED : { ...source, port: source.port || network.port() };
    const out = new Pipe(network.windowBytes());
    const conn = new SimConn(network, out, new Pipe(network.windowBytes()), address, local);
    conn.handler = handler;
    this.own(conn);
    network.handshake(conn, address);
    return conn;
  }

  own(conn: SimConn): void {
    const id = this.#conns.take();
    this.#conns.set(id, conn);
    conn.own(this, id);
  }

  onTurn(turn: (now: number) => number): void {
    this.#turn = turn;
    this.wake();
  }

  wake(): void {
    this.nextAt = Math.min(this.nextAt, this.#network.now() + MOMENT_MS);
  }

  ready(conn: SimConn): void {
    this.#ready.add(conn);
    this.wake();
  }

  hasOutput(conn: SimConn): void {
    this.#output.add(conn);
    this.wake();
  }

  gone(conn: SimConn): void {
    this.#conns.free(conn.id);
  }

  /** One turn: events in random order, some put off; accepts; the engine's turn; output. */
  turnOver(): void {
    this.nextAt = Infinity;
    for (const conn of this.#shuffled()) {
      if (this.#network.random() < this.#network.disorder) this.ready(conn);
      else conn.deliver();
    }
    for (const listening of [...this.#listenings]) listening.accept();
    const deadline = this.#turn(this.#network.now());
    const output = this.#output;
    this.#output = new Set();
    for (const conn of output) conn.transmit();
    this.nextAt = Math.min(this.nextAt, Math.max(deadline, this.#network.now() + MOMENT_MS));
    if (this.#conns.used === 0) this.#stopped?.();
  }

  #shuffled(): SimConn[] {
    const conns = [...this.#ready];
    this.#ready = new Set();
    for (let i = conns.length - 1; i > 0; i--) {
      const j = Math.floor(this.#network.random() * (i + 1));
      [conns[i], conns[j]] = [conns[j]!, conns[i]!];
    }
    return conns;
  }

  /** Resolves in the turn after which nothing is left: `run` the network meanwhile. */
  stop(): Promise<void> {
    return new Promise(resolve => {
      this.#stopped = resolve;
      this.#turn = () => Infinity;
      for (const listening of [...this.#listenings]) listening.close();
      this.#conns.each(conn => conn.abort(false));
      this.wake();
    });
  }
}
