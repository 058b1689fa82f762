/**
 * The io contract over io_uring. The ring is the outer loop, and libuv is its guest:
 *
 *   setImmediate ──► lap: poll libuv's descriptor, then cycles ──► something for libuv, or time is up ──► libuv ──┐
 *        ▲                                                                                                        │
 *        └────────────────────────────────────────────────────────────────────────────────────────────────────────┘
 *   cycle:  turn(now) if there was an event ─► output becomes entries ─► enter: submit, wait ─► completions ─► handlers
 *
 * One cycle follows the other as a promise's reaction: promises settled in a handler take a step between two cycles, ticks wait for
 * the end of the lap. (As ticks of Node's the cycles cost a microsecond more, and promises waited.) Messages, doorbells and
 * whatever has a descriptor wake the ring at once through libuv's; Node's timers, which have none, are at most URING_GUEST_MS
 * late. What a handler leaves to libuv without a descriptor (setImmediate) waits for QUIET_MS without an event.
 */
import {
  URING_BULK_BLOCKS,
  URING_BULK_BLOCKS_MAX,
  URING_BULK_BYTES,
  URING_COMPLETIONS,
  URING_ENTRIES,
  URING_FILES_MAX,
  URING_GUEST_MS,
  URING_LOOK_MS,
  URING_OUTPUT_BLOCKS,
  URING_OUTPUT_BLOCKS_MAX,
  URING_OUTPUT_BYTES,
  URING_RECEIVE_BLOCKS,
  URING_RECEIVE_BLOCKS_MAX,
  URING_RECEIVE_BYTES,
} from '../../limits.ts';
import { monotonicMs } from '../../time.ts';
import { listenerName } from '../bind.ts';
import type { Address, Conn, ConnectOptions, Handler, Io, Layer, Listening, OwnChunk } from '../contract.ts';
import { LentPorts, NO_PORT } from '../lent-ports.ts';
import { socketIn } from '../namespaces.ts';
import * as native from '../native.ts';
import { indexOf, Slots } from '../slots.ts';
import { type SocketSetting, transparency } from '../socket-settings.ts';
import { abiRefusal } from './abi.ts';
import { OutputBlocks, Pieces, type PoolSize, ReceiveBlocks } from './buffers.ts';
import { type Calls, systemCalls } from './calls.ts';
import { UringConn, type UringLoop } from './conn.ts';
import { type ListenLoop, UringListening } from './listen.ts';
import * as ops from './ops.ts';
import { KIND } from './ops.ts';
import { Ring } from './ring.ts';

/** After an event, libuv is asked as soon as there was none for this long. Less makes each wait set a nearer timer. Milliseconds. */
const QUIET_MS = 3;
/** Whose reactions are the cycles. */
const SETTLED = Promise.resolve();
/** Entries between the settings of a socket and its connect, and that. */
const STEPS_MAX = 4;
/** Two ios in one thread wait in turn. Milliseconds. */
const SHARED_MS = 1;

export interface UringOptions {
  /** Overwrite every chunk that is given back, so that a late read shows. For tests. */
  readonly poison?: boolean;
  readonly received?: PoolSize;
  readonly output?: PoolSize;
  /** In place of the system's. */
  readonly calls?: Calls;
}

/** An io of its own ring, or why this machine does not give one. */
export function createUringIo(options: UringOptions = {}): UringIo | string {
  const refusal = abiRefusal();
  if (refusal !== null) return refusal;
  const calls = options.calls ?? systemCalls();
  const received = options.received ?? {
    bytes: URING_RECEIVE_BYTES,
    count: URING_RECEIVE_BLOCKS,
    max: URING_RECEIVE_BLOCKS_MAX,
  };
  const limits = native.fdLimits();
  const files = Math.min('soft' in limits ? limits.soft : URING_FILES_MAX, URING_FILES_MAX);
  const ring = Ring.open(calls, {
    entries: URING_ENTRIES,
    completions: URING_COMPLETIONS,
    buffers: received.max,
    files,
  });
  if (typeof ring === 'string') return ring;
  const output = options.output ?? {
    bytes: URING_OUTPUT_BYTES,
    count: URING_OUTPUT_BLOCKS,
    max: URING_OUTPUT_BLOCKS_MAX,
  };
  return new UringIo(ring, calls.guestFd(), files, received, output, options.poison === true);
}

/** Records of as many bytes as one receive may bring. */
const BULK: PoolSize = { bytes: URING_BULK_BYTES, count: URING_BULK_BLOCKS, max: URING_BULK_BLOCKS_MAX };

/** Rings open in this thread. */
let rings = 0;

export class UringIo implements Io, UringLoop, ListenLoop {
  readonly name = 'uring';
  readonly ring: Ring;
  readonly received: ReceiveBlocks;
  readonly output: OutputBlocks;
  readonly pieces = new Pieces();
  /** What layers fill: short spans, and long ones. */
  readonly #spans: OutputBlocks;
  readonly #bulk: OutputBlocks;
  readonly #spanBytes: number;
  readonly #guestFd: number;
  readonly #conns: Slots<UringConn | UringListening>;
  readonly #listenings = new Set<UringListening>();
  readonly #ports = new LentPorts();
  readonly #lap = () => this.#startLap();
  readonly #yield = () => void setImmediate(this.#lap);
  readonly #cycle = () => this.#runCycle();
  #turn: (now: number) => number = () => Infinity;
  #now = monotonicMs();
  #deadline = Infinity;
  /** A turn is to come. `#now` holds from the completions to its end. */
  #awake = false;
  #inCycle = false;
  #running = false;
  #lapEnd = 0;
  /** When listening sockets are looked at without having been told. */
  #lookAt = 0;
  /** There was an event since libuv was last asked. */
  #active = false;
  /** The last `enter` brought nothing. */
  #idled = false;
  #guestPolled = false;
  #guestReady = false;
  #unsettled: UringConn[] = [];
  #settling: UringConn[] = [];
  #layers: Layer[] = [];
  #settlingLayers: Layer[] = [];
  #unsettledListeners: UringListening[] = [];
  #resting: UringListening[] = [];
  #unguarded: UringConn[] = [];
  #held: { deliverHeld(): void }[] = [];
  /** Set by `stop`: what it gives, and what resolves it. */
  #stopped: PromiseWithResolvers<void> | null = null;
  /** The ring is closed. */
  #finished = false;

  constructor(ring: Ring, guestFd: number, files: number, received: PoolSize, output: PoolSize, poison: boolean) {
    this.ring = ring;
    this.#guestFd = guestFd;
    this.#conns = new Slots(files);
    this.received = new ReceiveBlocks(ring, received, poison);
    this.output = new OutputBlocks(output, poison);
    this.#spans = new OutputBlocks(output, poison, false);
    this.#bulk = new OutputBlocks(BULK, poison, false);
    this.#spanBytes = output.bytes;
    rings++;
  }

  now(): number {
    return this.#inCycle ? this.#now : monotonicMs();
  }

  onTurn(turn: (now: number) => number): void {
    this.#turn = turn;
    this.wake();
  }

  listen(fd: number, burst: number, accept: (conn: Conn) => void): Listening {
    const local = listenerName(fd);
    if (local === null) throw new Error(`io: descriptor ${fd} is not a bound socket`);
    const id = this.#conns.take();
    if (id < 0) throw new Error('io: too many connections');
    // Accepted sockets have it from here.
    if (local.family !== 1) native.setOption(fd, native.TCP_NODELAY, 1);
    const put = this.ring.putFile(indexOf(id), fd);
    if (put < 0) throw new Error(`io: descriptor ${fd}: ${native.errorText(-put)}`);
    native.closeFd(fd);
    const listening = new UringListening(this, id, burst, local, accept);
    this.#conns.set(id, listening);
    this.#listenings.add(listening);
    return listening;
  }

  connect(address: Address, options: ConnectOptions, handler: Handler): Conn {
    if (this.#finished) throw new Error('io: stopped');
    const name = native.encodeSockaddr(address);
    if (name === null) throw new Error('io: unix path too long');
    const id = this.#conns.take();
    if (id < 0) throw new Error('io: too many connections');
    const conn = new UringConn(this, id, false, address, null);
    conn.handler = handler;
    this.#conns.set(id, conn);
    const lent = address.family === 1 ? options : this.#ports.lend(id, options);
    const error = lent === null ? -NO_PORT : this.#open(id, address, name, lent);
    if (error < 0) this.later({ deliverHeld: () => conn.onConnect(error) });
    if (this.#stopped !== null) conn.abort(false);
    this.wake();
    return conn;
  }

  /** Asks for a socket and its connection; minus errno when there is nothing to wait for. */
  #open(id: number, address: Address, name: Uint8Array, options: ConnectOptions): number {
    const { ring } = this;
    const family = name[0]! | (name[1]! << 8);
    const protocol = address.family === 1 ? 0 : native.protocolOf(options);
    if (options.namespace && address.family !== 1) {
      const error = this.#openIn(id, options.namespace, family, protocol);
      if (error < 0) return error;
    } else ops.socket(ring, id, family, native.SOCK_STREAM, protocol);
    if (address.family !== 1) {
      ops.setOption(ring, id, native.TCP_NODELAY, 1);
      if (options.delayAck) ops.setOption(ring, id, native.TCP_QUICKACK, 0);
      if (options.tfo) ops.setOption(ring, id, native.TCP_FASTOPEN_CONNECT, 1);
      const source = options.source === null ? null : native.encodeSockaddr(options.source);
      if (source !== null) {
        const chosen = options.source!.port !== 0;
        ops.setOption(ring, id, chosen ? native.SO_REUSEADDR : native.IP_BIND_ADDRESS_NO_PORT, 1);
      }
      // What the connection must not be made without comes last, each step linked to the next, and the last to the connect.
      ring.room((options.settings?.length ?? 0) + STEPS_MAX);
      if (options.settings) for (const fatal of [false, true]) equip(ring, id, address, options.settings, fatal);
      if (options.transparent) showAnother(ring, id, options.source!);
      if (source !== null) ops.bind(ring, id, source);
    }
    ops.connect(ring, id, name);
    return 0;
  }

  /** No operation of the ring goes to another namespace. */
  #openIn(id: number, namespace: string, family: number, protocol: number): number {
    const fd = socketIn(namespace, family, native.SOCK_STREAM, protocol);
    if (fd < 0) return fd;
    const put = this.ring.putFile(indexOf(id), fd);
    native.closeFd(fd);
    return put;
  }

  accepted(id: number, peer: Address | number, local: Address | null, accept: (conn: Conn) => void): void {
    const conn = new UringConn(this, id, true, peer, local);
    this.#conns.set(id, conn);
    this.unsettled(conn);
    if (this.#stopped !== null) conn.abort(false);
    else accept(conn);
  }

  reserve(): number {
    return this.#conns.take();
  }

  unreserve(id: number): void {
    this.#conns.free(id);
  }

  gone(conn: UringConn): void {
    this.#ports.giveBack(conn.id);
    this.#conns.free(conn.id);
  }

  unlisten(listening: UringListening): void {
    this.#listenings.delete(listening);
    this.#conns.free(listening.id);
  }

  unsettled(conn: UringConn): void {
    conn.listed = true;
    this.#unsettled.push(conn);
    this.wake();
  }

  unsettledListener(listening: UringListening, soon: boolean): void {
    (soon ? this.#unsettledListeners : this.#resting).push(listening);
    if (soon) this.wake();
  }

  later(one: { deliverHeld(): void }): void {
    this.#held.push(one);
    this.wake();
  }

  take(bytes: number): OwnChunk {
    return (bytes <= this.#spanBytes ? this.#spans : this.#bulk).take(bytes);
  }

  settle(layer: Layer): void {
    this.#layers.push(layer);
    this.wake();
  }

  unguarded(conn: UringConn): void {
    this.#unguarded.push(conn);
  }

  /** `now` needs nothing: outside of a cycle it looks at the clock. */
  wake(): void {
    this.#awake = true;
    if (this.#running) return;
    this.#running = true;
    setImmediate(this.#lap);
  }

  #startLap(): void {
    this.#now = monotonicMs();
    this.#lapEnd = this.#now + (rings > 1 ? SHARED_MS : URING_GUEST_MS);
    this.#active = false;
    this.#guestReady = false;
    if (!this.#guestPolled) {
      this.#guestPolled = true;
      ops.pollGuest(this.ring, this.#guestFd);
    }
    for (const conn of this.#unguarded) conn.guard();
    this.#unguarded.length = 0;
    if (this.#now >= this.#lookAt) {
      this.#lookAt = this.#now + URING_LOOK_MS;
      for (const listening of this.#listenings) listening.look();
    }
    for (const listening of this.#resting.splice(0)) this.unsettledListener(listening, true);
    this.#runCycle();
  }

  #runCycle(): void {
    this.#inCycle = true;
    // What a handler throws goes to whoever listens for it; the loop goes on.
    try {
      if (this.#awake || this.#now >= this.#deadline) this.#takeTurn();
      this.received.publish();
      this.ring.enter(this.#waitMs());
      this.#now = monotonicMs();
      this.#complete();
    } finally {
      this.#inCycle = false;
      this.#goOn();
    }
  }

  #waitMs(): number {
    if (this.#awake) return 0;
    const until = Math.min(this.#lapEnd, this.#deadline, this.#active ? this.#now + QUIET_MS : Infinity);
    return Math.max(until - this.#now, 0);
  }

  /** The next cycle, or libuv, or rest. */
  #goOn(): void {
    const quiet = !this.#awake && this.#now < this.#deadline;
    if (this.#stopped !== null && this.#conns.used === 0) this.#finish(this.#stopped);
    else if (this.#guestReady || this.#now >= this.#lapEnd || (quiet && this.#active && this.#idled)) {
      // Twice: what others have left to setImmediate comes before the ring waits again.
      if (quiet && this.#conns.used === 0 && this.#deadline === Infinity) this.#running = false;
      else setImmediate(this.#yield);
    } else void SETTLED.then(this.#cycle);
  }

  #takeTurn(): void {
    this.#awake = false;
    const held = this.#held;
    if (held.length > 0) {
      this.#held = [];
      for (const one of held) one.deliverHeld();
    }
    this.#deadline = this.#turn(this.#now);
    const layers = this.#layers;
    if (layers.length > 0) {
      this.#layers = this.#settlingLayers;
      this.#settlingLayers = layers;
      for (const layer of layers) layer.settle();
      layers.length = 0;
    }
    const listeners = this.#unsettledListeners;
    if (listeners.length > 0) {
      this.#unsettledListeners = [];
      for (const listening of listeners) listening.settle();
    }
    const settling = this.#unsettled;
    this.#unsettled = this.#settling;
    this.#settling = settling;
    for (const conn of settling) conn.settle();
    settling.length = 0;
    // What the turn itself has asked of others was settled with them, but for what is held.
    this.#awake = this.#held.length > 0 || this.#unsettled.length > 0 || this.#layers.length > 0;
  }

  #complete(): void {
    const { ring } = this;
    this.#idled = true;
    while (ring.next()) {
      if (ring.kind === KIND.QUIET) continue;
      this.#idled = false;
      if (ring.kind === KIND.GUEST) {
        this.#guestPolled = false;
        this.#guestReady = true;
        continue;
      }
      this.#active = true;
      this.#awake = true;
      this.#dispatch(ring.kind, ring.res, ring.flags, this.#conns.get(ring.user));
    }
  }

  #dispatch(kind: number, res: number, flags: number, owner: UringConn | UringListening | null): void {
    if (owner instanceof UringConn) {
      if (kind === KIND.RECV) owner.onReceive(res, flags);
      else if (kind === KIND.SEND) owner.onSend(res);
      else if (kind === KIND.CONNECT) owner.onConnect(res);
      else if (kind === KIND.PREPARE) owner.onPrepare(res);
      else if (kind === KIND.GUARD) owner.onGuard();
      else owner.onClosed();
    } else if (owner !== null) {
      if ((kind & ops.KIND_MASK) === KIND.ACCEPT) owner.onAccept(kind >> ops.KIND_BITS, res);
      else owner.onClosed();
    }
  }

  stop(): Promise<void> {
    if (this.#stopped !== null) return this.#stopped.promise;
    this.#stopped = Promise.withResolvers<void>();
    this.#turn = () => Infinity;
    this.#deadline = Infinity;
    for (const listening of this.#listenings) listening.close();
    this.#conns.each(owner => {
      if (owner instanceof UringConn) owner.abort(false);
    });
    this.wake();
    return this.#stopped.promise;
  }

  /** Nothing is under way any more. No lap follows: `#running` stays set. */
  #finish(stopped: PromiseWithResolvers<void>): void {
    rings--;
    this.#finished = true;
    this.ring.close();
    stopped.resolve();
  }
}

/** Sets what may fail, or what must not. */
function equip(ring: Ring, id: number, peer: Address, settings: readonly SocketSetting[], fatal: boolean): void {
  for (const { option, value, fatal: must } of settings) {
    if (must !== fatal) continue;
    const wanted = value(peer);
    const bytes = typeof wanted === 'number' ? new Uint8Array(Int32Array.of(wanted).buffer) : wanted;
    ops.setBytes(ring, id, option, bytes, fatal);
  }
}

const ON = new Uint8Array(Int32Array.of(1).buffer);

function showAnother(ring: Ring, id: number, source: Address): void {
  for (const option of transparency(source)) ops.setBytes(ring, id, option, ON, true);
}
