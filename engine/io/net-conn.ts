/**
 * A connection of the `net` io: the contract's rules laid over one net.Socket.
 */
import type net from 'node:net';
import os from 'node:os';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '../limits.ts';
import { parseIp, UNNAMED } from './address.ts';
import { POISON, SYN_BYTES_MAX } from './common.ts';
import type { Address, Chunk, Conn, Handler } from './contract.ts';
import { readOption, type SocketOption, setOption, TCP_SAVED_SYN } from './native.ts';

const { errno: ERRNO } = os.constants;

const NO_BYTES = Buffer.alloc(0);

/** What a connection asks of its io. */
export interface NetLoop {
  /** There will be a turn after the events of this poll. */
  wake(): void;
  /** `conn.flush` is to be called at the end of the turn. */
  hasOutput(conn: NetConn): void;
  /** `conn.deliverHeld` is to be called in the next turn. */
  later(conn: NetConn): void;
  lend(data: Buffer): NetChunk;
  takeBack(chunk: NetChunk): void;
  gone(conn: NetConn): void;
}

/**
 * Received bytes belong to the garbage collector here, so that keeping them needs nothing but a count. One object
 * serves for all chunks that are not kept.
 */
export class NetChunk implements Chunk {
  bytes: Uint8Array = NO_BYTES;
  start = 0;
  end = 0;
  #kept = 0;
  readonly #poison: boolean;

  constructor(poison: boolean) {
    this.#poison = poison;
  }

  lend(data: Buffer): void {
    this.bytes = data;
    this.end = data.length;
    this.#kept = 1;
  }

  /** The handler has returned. False when it kept the chunk: this object is not free then. */
  takeBack(): boolean {
    this.release();
    if (this.#kept > 0) return false;
    this.bytes = NO_BYTES;
    this.end = 0;
    return true;
  }

  keep(): void {
    this.#kept++;
  }

  release(): void {
    if (this.#kept === 0) throw new Error('io: chunk released more often than kept');
    if (--this.#kept === 0 && this.#poison) this.bytes.fill(POISON);
  }
}

export class NetConn implements Conn {
  readonly id: number;
  handler: Handler;
  alive = true;
  paused = false;
  /** Neither corked nor in the io's list of connections with output. */
  idle = true;
  /** The peer's end arrived while paused: told at `resume`. */
  endHeld = false;
  readonly #io: NetLoop;
  readonly #socket: net.Socket;
  /** Chunks under way to the kernel, null for copied bytes: one entry per write, in order. */
  readonly #writes: (Chunk | null)[] = [];
  readonly #wrote = () => this.#written();
  readonly #unix: boolean;
  #opened: boolean;
  #shut = false;
  #ended = false;
  #closing = false;
  #over = false;
  #errno = 0;
  #peer: Address | null;
  #local: Address | null;

  constructor(
    io: NetLoop,
    id: number,
    socket: net.Socket,
    handler: Handler,
    peer: Address | null,
    unix: Address | null,
  ) {
    this.id = id;
    this.handler = handler;
    this.#io = io;
    this.#socket = socket;
    this.#opened = peer === null;
    this.#peer = peer;
    this.#local = unix;
    this.#unix = unix !== null;
    socket.on('data', data => this.#data(data as Buffer));
    socket.on('end', () => this.#end());
    socket.on('finish', () => this.#finish());
    socket.on('error', error => this.#error(error));
    socket.on('close', () => this.#close());
    if (!this.#opened) socket.on('connect', () => this.#connect());
  }

  /** Node tells it only on the handle. */
  get fd(): number | undefined {
    const { _handle: handle } = this.#socket as { readonly _handle?: { readonly fd?: number } };
    return handle?.fd;
  }

  get pending(): number {
    return this.#socket.destroyed ? 0 : this.#socket.writableLength;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    const copy = Buffer.allocUnsafe(end - start);
    copy.set(bytes.subarray(start, end));
    this.#write(copy, null);
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    chunk.keep();
    this.#write(chunk.bytes.subarray(start, end), chunk);
  }

  #writable(): boolean {
    return this.alive && !this.#shut;
  }

  #write(bytes: Uint8Array, chunk: Chunk | null): void {
    if (this.idle) {
      this.idle = false;
      this.#socket.cork();
      this.#io.hasOutput(this);
    }
    this.#writes.push(chunk);
    this.#socket.write(bytes, this.#wrote);
    if (this.#socket.writableLength > HIGH_WATER_BYTES) this.#over = true;
  }

  /** Lets the output of this turn go. */
  flush(): void {
    this.idle = true;
    this.#socket.uncork();
  }

  /** The kernel took one write, or the socket is destroyed and it never will. */
  #written(): void {
    this.#writes.shift()?.release();
    if (!this.#over || !this.alive || this.#socket.writableLength > LOW_WATER_BYTES) return;
    this.#over = false;
    this.#io.wake();
    this.handler.onDrain(this);
  }

  pause(): void {
    if (this.paused) return;
    this.paused = true;
    if (this.alive) this.#socket.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (!this.alive) return;
    if (this.endHeld) this.#io.later(this);
    else this.#socket.resume();
  }

  /** What `resume` left for later. */
  deliverHeld(): void {
    if (!this.endHeld || this.paused || !this.alive) return;
    this.endHeld = false;
    this.handler.onEnd(this);
  }

  shutdown(): void {
    if (!this.#writable()) return;
    this.#shut = true;
    this.#io.wake();
    this.#socket.end();
  }

  close(): void {
    if (!this.alive) return;
    if (!this.#opened && this.#socket.writableLength === 0) {
      this.abort(false);
      return;
    }
    this.alive = false;
    this.#closing = true;
    this.#io.wake();
    // What still arrives is read and dropped: closing a socket with unread data would send RST and cost the peer
    // the output that is under way.
    if (this.#socket.writableFinished) this.#socket.destroy();
    else {
      this.#socket.end();
      this.#socket.resume();
    }
  }

  abort(reset: boolean): void {
    this.alive = false;
    this.#io.wake();
    // libuv refuses to reset a socket whose shutdown is still waiting for output to leave.
    const canReset = this.#opened && !this.#unix && !(this.#socket.writableEnded && !this.#socket.writableFinished);
    if (this.#socket.destroyed) return;
    if (reset && canReset) this.#socket.resetAndDestroy();
    else this.#socket.destroy();
  }

  peer(): Address | null {
    this.#peer ??= this.#unix ? UNNAMED : parseIp(this.#socket.remoteAddress ?? '', this.#socket.remotePort ?? 0);
    return this.#peer;
  }

  local(): Address | null {
    this.#local ??= parseIp(this.#socket.localAddress ?? '', this.#socket.localPort ?? 0);
    return this.#local;
  }

  tcpInfo(): null {
    return null;
  }

  savedSyn(): Uint8Array | null {
    const { fd } = this;
    if (fd === undefined || fd < 0 || this.#unix) return null;
    const syn = new Uint8Array(SYN_BYTES_MAX);
    const length = readOption(fd, TCP_SAVED_SYN, syn);
    return length > 0 ? syn.subarray(0, length) : null;
  }

  setOption(option: SocketOption, value: number): void {
    const { fd } = this;
    if (fd !== undefined && fd >= 0 && !this.#unix) setOption(fd, option, value);
  }

  vanish(): void {
    this.abort(true);
  }

  #connect(): void {
    this.#opened = true;
    if (!this.alive) return;
    this.#io.wake();
    this.handler.onOpen(this);
    if (this.alive && !this.paused) this.#socket.resume();
  }

  #data(data: Buffer): void {
    if (!this.alive) return;
    this.#io.wake();
    const chunk = this.#io.lend(data);
    this.handler.onData(this, chunk);
    this.#io.takeBack(chunk);
  }

  #end(): void {
    if (!this.alive || this.#ended) return;
    this.#ended = true;
    this.#io.wake();
    if (this.paused) this.endHeld = true;
    else this.handler.onEnd(this);
  }

  #finish(): void {
    if (this.#closing) this.#socket.destroy();
  }

  #error(error: NodeJS.ErrnoException): void {
    this.alive = false;
    this.#errno = errnoOf(error);
  }

  #close(): void {
    this.alive = false;
    this.#io.wake();
    while (this.#writes.length > 0) this.#writes.shift()?.release();
    this.#io.gone(this);
    this.handler.onClose(this, this.#errno);
  }
}

/** libuv's number is minus errno; Node's own errors have only a name. */
function errnoOf(error: NodeJS.ErrnoException): number {
  if (error.errno !== undefined && error.errno !== 0) return Math.abs(error.errno);
  return (ERRNO as Record<string, number>)[error.code ?? ''] ?? ERRNO.EIO;
}
