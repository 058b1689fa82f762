/** An endpoint of the simulated network, and its listening sockets. */
import { UNNAMED } from './address.ts';
import { heapChunk } from './common.ts';
import type { Address, Conn, ConnectOptions, Handler, Io, Layer, Listening, OwnChunk } from './contract.ts';
import type { Network } from './sim.ts';
import { Pipe, SimConn, type SimLoop } from './sim-conn.ts';
import { Slots } from './slots.ts';

/** Between an event and the turn that it causes, and between two things of one direction, ms. */
export const MOMENT_MS = 0.001;
/** A listening socket, shared by all descriptors of it. */
export class SimListener {
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

  close(closed: () => void = () => {}): void {
    if (!this.#open) return;
    this.pause();
    this.#open = false;
    this.#network.closeFd(this.#fd);
    this.#io.unlisten(this, closed);
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

export class SimIo implements Io, SimLoop {
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
  #layers = new Set<Layer>();
  #stopped: (() => void) | null = null;
  /** Who waits to hear that its listening socket is closed. */
  #closed: (() => void)[] = [];

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

  unlisten(listening: SimListening, closed: () => void): void {
    this.#listenings.delete(listening);
    this.#closed.push(closed);
    this.wake();
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

  take(bytes: number): OwnChunk {
    return heapChunk(bytes, true);
  }

  settle(layer: Layer): void {
    this.#layers.add(layer);
    this.wake();
  }

  gone(conn: SimConn): void {
    this.#conns.free(conn.id);
  }

  /** One turn: events in random order, some put off; accepts; the engine's turn; output. */
  turnOver(): void {
    this.nextAt = Infinity;
    for (const closed of this.#closed.splice(0)) closed();
    for (const conn of this.#shuffled()) {
      if (this.#network.random() < this.#network.disorder) this.ready(conn);
      else conn.deliver();
    }
    for (const listening of [...this.#listenings]) listening.accept();
    const deadline = this.#turn(this.#network.now());
    const layers = this.#layers;
    this.#layers = new Set();
    for (const layer of layers) layer.settle();
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
