/**
 * The io contract: the only door between the engine and sockets, and the one place a reader must understand to
 * know what a connection may do. Three implementations: `net` (node:net, everywhere), `uring` (io_uring, Linux)
 * and `sim` (a seeded network with faults, for tests). All engine code runs the same on each.
 *
 *          accept(conn)                            handler.onOpen      (outgoing only: connected)
 *   Io ───────────────────►  Handler  ◄── Conn ──  handler.onData      (0..n, a lent chunk)
 *          connect()                               handler.onEnd       (0..1, the peer will send no more)
 *                                                  handler.onDrain     (after a send that crossed HIGH_WATER)
 *                                                  handler.onClose     (exactly 1, always the last call)
 *
 * Rules that every implementation keeps, and that test/io/contract.test.ts checks on each:
 *  - One thread. No call made by the engine calls back into the handler before it returns: `onClose` after
 *    `abort()`, and `onOpen` after `connect()`, come in a later event.
 *  - A chunk is lent to `onData` until it returns. To use its bytes later, `keep` it and `release` it once, or pass
 *    it to `forward`, which does both by itself.
 *  - Bytes given to `send` are copied before it returns; bytes given to `forward` are not, unless they are so few that a
 *    copy costs less.
 *  - All that one loop turn sends on a connection leaves together at the end of the turn.
 *  - After `pause` returns no more `onData` or `onEnd` comes until `resume`; what had arrived is held, never lost.
 *  - Half-close works both ways: `onEnd` leaves the sending side open, `shutdown` the receiving side.
 *  - A connection whose two directions have both ended closes by itself: `onClose` with 0.
 *  - After `close` or `abort` nothing comes but `onClose`; after `abort` and `stop` its errno is 0, unless the
 *    connection had failed before.
 *  - Errors are values: `onClose(conn, errno)` with a positive errno, 0 for an orderly end.
 */

import type { SocketOption } from './native.ts';
import type { SocketSetting } from './socket-settings.ts';

/** A span of received bytes: `bytes[start, end)`. Lent; see the rules above. */
export interface Chunk {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  /** Where `bytes[0]` lies, for native code, as long as the chunk is valid; absent where that is not known. */
  readonly address?: bigint;
  /** Makes the chunk's bytes stay valid until `release`. May be called several times; counts. */
  keep(): void;
  /** Gives back one `keep`. */
  release(): void;
}

/** A chunk that its owner fills: `bytes[start, end)` is what it holds. */
export interface OwnChunk extends Chunk {
  end: number;
  readonly address: bigint;
}

/** A layer over connections (engine/tls) that has something to do at the end of a turn. */
export interface Layer {
  /** Called once, after the engine's turn and before output leaves: data may be delivered and sent. */
  settle(): void;
}

/**
 * An address: IPv4 (4 bytes), IPv6 (16 bytes) or a unix path (`bytes` is its UTF-8; port 0). A name in the abstract
 * namespace begins with a zero byte; the unnamed unix address has no bytes. Never mutated.
 */
export interface Address {
  readonly family: 4 | 6 | 1;
  readonly bytes: Uint8Array;
  /** 0..65535; 0 for unix. */
  readonly port: number;
}

export interface Conn {
  /** Which connection this is, for logs and for matching late events: index + generation packed in 31 bits. */
  readonly id: number;
  /** Its descriptor, where the io has one and tells it. */
  readonly fd?: number | undefined;
  /** Who hears of this connection. The owner may replace it at any time (a pooled server connection changes hands). */
  handler: Handler;
  /** Bytes taken by `send` and `forward` and not yet by the kernel. */
  readonly pending: number;
  /** False once `onClose` was or is about to be called; sending to a dead connection is ignored. */
  readonly alive: boolean;
  /** Copies `bytes[start, end)` into the connection's output. */
  send(bytes: Uint8Array, start: number, end: number): void;
  /** Sends `chunk.bytes[start, end)` without a copy; keeps the chunk until the kernel has taken it. */
  forward(chunk: Chunk, start: number, end: number): void;
  /** Stops receiving: back-pressure goes to the peer. Idempotent. */
  pause(): void;
  resume(): void;
  /** Half-close after all pending output (FIN). Idempotent. */
  shutdown(): void;
  /** Orderly end: pending output, FIN, then `onClose`. Nothing more is received. Bounded by the caller's own timer. */
  close(): void;
  /** Immediate end; with `reset`, the peer sees RST (`option nolinger`, `reject`). Pending output is lost. */
  abort(reset: boolean): void;
  /** The peer's address as the kernel gives it; null where it is unknown. Cached. */
  peer(): Address | null;
  /** The local address. Cached. */
  local(): Address | null;
  /** An option of the socket, an int; nothing where the io has no descriptor, or when the system refuses it. */
  setOption(option: SocketOption, value: number): void;
  /** What the kernel knows of the connection: Linux's `struct tcp_info`, lent until the next call; null where it cannot be had. */
  tcpInfo(): Uint8Array | null;
  /** The SYN that the peer began with, where `tcp-ss` has kept it; the kernel tells it once. */
  savedSyn(): Uint8Array | null;
  /**
   * Immediate end that the peer should not notice: no packet at all, where the system lets us; else, and with `hops` above 0,
   * a RST that lives for so many hops (1 when `hops` is 0). Where the io has no descriptor, as `abort(true)`.
   */
  vanish(hops: number): void;
}

export interface Handler {
  /** An outgoing connection is established. */
  onOpen(conn: Conn): void;
  /** Bytes arrived, never empty. */
  onData(conn: Conn, chunk: Chunk): void;
  /** The peer half-closed: no more `onData`. */
  onEnd(conn: Conn): void;
  /** `pending` fell to LOW_WATER_BYTES or below after it had passed HIGH_WATER_BYTES. */
  onDrain(conn: Conn): void;
  /** The connection is gone, its slot may be reused. `errno` 0 = orderly, ECONNREFUSED ... as in <errno.h>. */
  onClose(conn: Conn, errno: number): void;
}

/** Local ports that connections take turns with. */
export interface SourcePorts {
  /** 0 = none is free. */
  take(): number;
  give(port: number): void;
}

/** What `connect` needs beside the address. Frozen, one per server. */
export interface ConnectOptions {
  /** Local address to bind (`source`); null = any. */
  readonly source: Address | null;
  /** The port of `source` is one of these, given back when the connection is gone. None is free: ERANGE. */
  readonly ports?: SourcePorts | null;
  /** Set IP_BIND_ADDRESS_NO_PORT-like details, TCP fast open (`tfo`), where the system has them. */
  readonly tfo: boolean;
  /**
   * The handshake's last ACK waits for what we send first (`option tcp-smart-connect`), where that can be asked for: who closes at
   * once with a reset was never accepted.
   */
  readonly delayAck?: boolean;
  /** `source` may be an address that is not on this machine (`usesrc`). */
  readonly transparent?: boolean;
  /** The network namespace that it is made in, where the thread has opened it; '' or absent = our own. */
  readonly namespace?: string;
  /** It speaks MPTCP where the peer does. */
  readonly mptcp?: boolean;
  /** What else the socket is given. */
  readonly settings?: readonly SocketSetting[];
}

/** A listening socket served by this io. */
export interface Listening {
  /** Stops accepting (the socket keeps listening: connections wait in the kernel's queue). Idempotent. */
  pause(): void;
  resume(): void;
  /**
   * Closes this thread's descriptor of the socket. What the kernel had handed over by then still goes to `accept`;
   * `closed` is called in a later event, when nothing more can come.
   */
  close(closed?: () => void): void;
}

export interface Io {
  readonly name: 'net' | 'uring' | 'sim';
  /** Milliseconds of the shared monotonic clock (engine/time.ts), read once per loop turn. */
  now(): number;
  /**
   * Accepts on the listening descriptor `fd`, which this io owns from now on. `accept` must set `conn.handler`
   * before it returns, or abort the connection. At most `burst` connections are accepted in one turn.
   */
  listen(fd: number, burst: number, accept: (conn: Conn) => void): Listening;
  /** Starts a connection. The time limit is the caller's timer: `abort` cancels a connect under way. */
  connect(address: Address, options: ConnectOptions, handler: Handler): Conn;
  /**
   * The loop calls `turn(now)` once per turn after all events were handled and before output leaves, and again no
   * later than the deadline (ms, same clock; Infinity = none) that `turn` returned.
   */
  onTurn(turn: (now: number) => number): void;
  /**
   * For code that the io did not call (a message, a doorbell): call it first. It brings `now` up to date and makes a turn
   * follow, so that timers armed and bytes sent now are looked after.
   */
  wake(): void;
  /** A chunk with room for `bytes` at least, to be filled and sent with `forward`. The caller has one `keep` of it. */
  take(bytes: number): OwnChunk;
  /** `layer.settle` is to be called at the end of this turn, or of the next when none is under way. */
  settle(layer: Layer): void;
  /** Closes everything this io owns, at once. Resolves when the kernel has let go of all of it. */
  stop(): Promise<void>;
}
