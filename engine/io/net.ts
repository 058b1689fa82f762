/**
 * The io contract over node:net: the implementation that runs everywhere. All of Node's stream model that the
 * contract does not want stays in this file.
 *
 *   libuv polls ──► socket events ──► handlers ──► check phase (setImmediate): turn(now), then output leaves
 *
 * An event asks for a turn (`wake`), which runs once after all events of that poll. When nothing happens, nothing
 * runs but one timer for the deadline that the last turn gave.
 */
import net from 'node:net';
import { BACKLOG_DEFAULT } from '../limits.ts';
import { after, monotonicMs } from '../time.ts';
import { hostText, UNNAMED } from './address.ts';
import { listenerName } from './bind.ts';
import { heapChunk, NOBODY } from './common.ts';
import type { Address, Conn, ConnectOptions, Handler, Io, Layer, Listening, OwnChunk } from './contract.ts';
import { LentPorts, NO_PORT } from './lent-ports.ts';
import { backlogOf, closeFd, dupFd } from './native.ts';
import { NetChunk, NetConn, type NetLoop } from './net-conn.ts';
import { Slots } from './slots.ts';
import { isSpecial, openSocket } from './socket-settings.ts';

/** The longest delay a Node timer takes, ms; a later deadline is looked at again then. */
const TIMER_MAX_MS = 2 ** 31 - 1;
/**
 * For the sockets of both sides. The highWaterMark makes a paused socket stop reading after what one read has
 * brought; output is counted against the limits of the contract, not against it.
 */
const SOCKET_OPTIONS = { allowHalfOpen: true, noDelay: true, highWaterMark: 1 };
/** Of a socket that is made here and not connected yet: Node must not read from it. */
const OPENED_OPTIONS = { ...SOCKET_OPTIONS, manualStart: true };

interface NetOptions {
  /** Overwrite every chunk that is given back, so that a late read shows. For tests. */
  readonly poison?: boolean;
}

export function createNetIo(options: NetOptions = {}): Io {
  return new NetIo(options.poison === true);
}

class NetListening implements Listening {
  readonly #io: NetIo;
  readonly #accept: (conn: Conn) => void;
  readonly #backlog: number;
  readonly #unix: Address | null;
  #server: net.Server | null = null;
  #fd: number;

  constructor(io: NetIo, fd: number, accept: (conn: Conn) => void) {
    const local = listenerName(fd);
    if (local === null) throw new Error(`io: descriptor ${fd} is not a bound socket`);
    this.#io = io;
    this.#fd = fd;
    this.#accept = accept;
    // Node calls listen(2) again on a descriptor it is given: with the backlog that the socket has, nothing changes.
    this.#backlog = backlogOf(fd, BACKLOG_DEFAULT);
    this.#unix = local.family === 1 ? local : null;
    this.#serve();
  }

  #serve(): void {
    // libuv accepts one connection per loop turn, so that any burst is kept. Paused at first: whether to read is for
    // `accept` to say.
    const server = net.createServer({ ...SOCKET_OPTIONS, pauseOnConnect: true });
    server.on('connection', socket => this.#io.accepted(socket, this.#unix, this.#accept));
    // Out of descriptors or memory: the kernel keeps the connection and the next turn tries again.
    server.on('error', () => {});
    server.listen({ fd: this.#fd }, this.#backlog);
    this.#server = server;
  }

  /** A server cannot stop accepting and stay: it is closed, and a duplicate keeps the socket for the next one. */
  pause(): void {
    if (this.#server === null) return;
    const copy = dupFd(this.#fd);
    // Out of descriptors: accepting stops by itself.
    if (copy < 0) return;
    this.#server.close();
    this.#server = null;
    this.#fd = copy;
  }

  resume(): void {
    if (this.#server === null && this.#fd >= 0) this.#serve();
  }

  close(closed: () => void = () => {}): void {
    if (this.#fd < 0) return;
    // Node tells of each connection as it accepts it: none is left between.
    setImmediate(closed);
    if (this.#server === null) closeFd(this.#fd);
    else this.#server.close();
    this.#server = null;
    this.#fd = -1;
    this.#io.unlisten(this);
  }
}

class NetIo implements Io, NetLoop {
  readonly name = 'net';
  readonly #poison: boolean;
  readonly #conns = new Slots<NetConn>();
  readonly #listenings = new Set<NetListening>();
  readonly #ports = new LentPorts();
  readonly #run = () => this.#turnOver();
  readonly #alarm = () => this.#alarmed();
  #turn: (now: number) => number = () => Infinity;
  #now = monotonicMs();
  /** A turn is asked for or running; `#now` holds until its end. */
  #awake = false;
  #output: NetConn[] = [];
  #flushing: NetConn[] = [];
  #held: NetConn[] = [];
  #layers: Layer[] = [];
  #spare: NetChunk;
  #timer: { cancel(): void } | null = null;
  #timerAt = Infinity;
  #stopped: (() => void) | null = null;

  constructor(poison: boolean) {
    this.#poison = poison;
    this.#spare = new NetChunk(poison);
  }

  now(): number {
    return this.#awake ? this.#now : monotonicMs();
  }

  listen(fd: number, _burst: number, accept: (conn: Conn) => void): Listening {
    const listening = new NetListening(this, fd, accept);
    this.#listenings.add(listening);
    return listening;
  }

  unlisten(listening: NetListening): void {
    this.#listenings.delete(listening);
  }

  accepted(socket: net.Socket, unix: Address | null, accept: (conn: Conn) => void): void {
    this.wake();
    const id = this.#stopped === null ? this.#conns.take() : -1;
    if (id < 0) {
      socket.destroy();
      return;
    }
    const conn = new NetConn(this, id, socket, NOBODY, null, unix);
    this.#conns.set(id, conn);
    accept(conn);
    if (conn.alive && !conn.paused) socket.resume();
  }

  connect(address: Address, options: ConnectOptions, handler: Handler): Conn {
    this.wake();
    const id = this.#conns.take();
    if (id < 0) throw new Error('io: too many connections');
    const unix = address.family === 1 ? UNNAMED : null;
    const lent = unix === null ? this.#ports.lend(id, options) : options;
    const fd = lent === null ? -NO_PORT : unix === null && isSpecial(lent) ? openSocket(address, lent) : null;
    const socket = new net.Socket(fd === null || fd < 0 ? SOCKET_OPTIONS : { fd, ...OPENED_OPTIONS });
    socket.pause();
    const conn = new NetConn(this, id, socket, handler, address, unix);
    this.#conns.set(id, conn);
    if (fd !== null && fd < 0) socket.destroy(Object.assign(new Error('cannot prepare the socket'), { errno: fd }));
    else socket.connect(fd === null ? connectOptions(address, lent!) : { host: hostText(address), port: address.port });
    return conn;
  }

  onTurn(turn: (now: number) => number): void {
    this.#turn = turn;
    this.wake();
  }

  wake(): void {
    if (this.#awake) return;
    this.#awake = true;
    this.#now = monotonicMs();
    setImmediate(this.#run);
  }

  hasOutput(conn: NetConn): void {
    this.#output.push(conn);
    this.wake();
  }

  later(conn: NetConn): void {
    this.#held.push(conn);
    this.wake();
  }

  take(bytes: number): OwnChunk {
    return heapChunk(bytes, this.#poison);
  }

  settle(layer: Layer): void {
    this.#layers.push(layer);
    this.wake();
  }

  lend(data: Buffer): NetChunk {
    this.#spare.lend(data);
    return this.#spare;
  }

  takeBack(chunk: NetChunk): void {
    if (!chunk.takeBack()) this.#spare = new NetChunk(this.#poison);
  }

  gone(conn: NetConn): void {
    this.#ports.giveBack(conn.id);
    this.#conns.free(conn.id);
    if (this.#conns.used === 0) this.#stopped?.();
  }

  #turnOver(): void {
    const held = this.#held;
    if (held.length > 0) {
      this.#held = [];
      for (const conn of held) conn.deliverHeld();
    }
    this.#now = monotonicMs();
    const deadline = this.#turn(this.#now);
    const layers = this.#layers;
    if (layers.length > 0) {
      this.#layers = [];
      for (const layer of layers) layer.settle();
    }
    const flushing = this.#output;
    this.#output = this.#flushing;
    this.#flushing = flushing;
    for (const conn of flushing) conn.flush();
    flushing.length = 0;
    this.#awake = false;
    if (this.#held.length > 0 || this.#layers.length > 0) this.wake();
    this.#setTimer(deadline);
  }

  /** One timer. When the deadline has moved later it is left alone: it then finds nothing due and is set anew. */
  #setTimer(deadline: number): void {
    if (deadline >= this.#timerAt && deadline !== Infinity) return;
    this.#timer?.cancel();
    this.#timer = null;
    this.#timerAt = deadline;
    if (deadline === Infinity || this.#stopped !== null) return;
    this.#timer = after(Math.min(Math.max(Math.ceil(deadline - this.#now), 1), TIMER_MAX_MS), this.#alarm);
  }

  #alarmed(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.wake();
  }

  stop(): Promise<void> {
    return new Promise(resolve => {
      this.#stopped = resolve;
      for (const listening of [...this.#listenings]) listening.close();
      this.#setTimer(Infinity);
      this.#conns.each(conn => conn.abort(false));
      if (this.#conns.used === 0) setImmediate(resolve);
    });
  }
}

function connectOptions(address: Address, options: ConnectOptions): net.NetConnectOpts {
  if (address.family === 1) return { path: new TextDecoder().decode(address.bytes) };
  const { source } = options;
  return {
    host: hostText(address),
    port: address.port,
    ...(source === null ? {} : { localAddress: hostText(source), localPort: source.port }),
  };
}
