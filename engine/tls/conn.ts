/**
 * TLS as a layer of the io contract: a connection that speaks TLS over another one. Whoever has it sees plaintext and needs
 * to know nothing of it, over every io.
 *
 *   Conn of the io ── records ──► TlsConn ── plaintext ──► Handler
 *
 *   accepted   waiting ──client hello──► handshake ──► open: `TlsEnd.done`
 *   outgoing   waiting ──connected─────► handshake ──► open: `onOpen`
 *
 * What is sent in one turn is gathered and becomes records at its end; long spans become records where they lie. What was
 * received and not yet read while the owner has paused is kept as records.
 */
import { constants } from 'node:os';
import { copy } from '../bytes.ts';
import { NOBODY } from '../io/common.ts';
import type { Address, Chunk, Conn, Handler, Io, Layer, OwnChunk } from '../io/contract.ts';
import { TLS_GATHER_BYTES } from '../limits.ts';
import { CLOSED, FAILED, MORE, OPEN, TlsConnection } from './connection.ts';
import type { TlsContext } from './context.ts';
import type { TlsError } from './errors.ts';
import { type Hello, NO_HELLO, readHello } from './hello.ts';
import * as wire from './wire.ts';

const { EPROTO } = constants.errno;

/** A record with its header (RFC 5246 6.2.3, RFC 8446 5.2). */
const RECORD_BYTES_MAX = 5 + 16_384 + 2_048;

/** Fatal alert 112, unrecognized_name. */
const NO_SUCH_NAME = Uint8Array.of(21, 3, 1, 0, 2, 2, 112);

/** Which end of TLS a connection is, and what its owner has to say before the handshake. */
export interface TlsEnd {
  /** We speak first. */
  readonly client: boolean;
  /** How much of what a client's hello offers is kept (`tune.ssl.capture-buffer-size`); not given = nothing. */
  readonly captureBytes?: number;
  /**
   * The context, once it can be known: for an accepted connection by the client's hello, else `NO_HELLO`. Null = nobody
   * is to be shown.
   */
  context(hello: Hello): TlsContext | null;
  /** Settings of this very connection, before the handshake. `conn` is that of the io: what is sent there goes before. */
  prepare?(tls: TlsConnection, conn: Conn): void;
  /** The handshake is complete, or failed (`conn.failure`). */
  done?(conn: TlsConn): void;
  /** The first plaintext has come. */
  heard?(conn: TlsConn): void;
  /** The connection is gone, `onClose` was told. */
  gone?(conn: TlsConn): void;
}

/** Why there was no handshake: `empty` = the peer left before it had said hello, `aborted` = the connection broke before that. */
export type TlsFailure = 'none' | 'failed' | 'empty' | 'aborted' | 'noName';

const WAITING = 0;
const HANDSHAKE = 1;
const READY = 2;
/** Nothing more can be read or written: the connection under it goes. */
const BROKEN = 3;

export class TlsConn implements Conn, Handler, Layer {
  handler: Handler = NOBODY;
  alive = true;
  /** The connection of the io. */
  under!: Conn;
  /** Null until the context is known. */
  tls: TlsConnection | null = null;
  /** What the client's hello asked for; null = none came, or we are the client. */
  hello: Hello | null = null;
  failure: TlsFailure = 'none';
  error: TlsError | null = null;
  readonly #io: Io;
  readonly #end: TlsEnd;
  #phase = WAITING;
  #paused = false;
  /** `settle` is to come. */
  #listed = false;
  /** The beginning of a client hello. */
  #begin: Uint8Array | null = null;
  /** Records that were not read yet, and where they go on. */
  #held: Chunk[] | null = null;
  #heldAt = 0;
  /** Bytes of a record that is not complete. */
  #partial = 0;
  /** Plaintext to become records at the end of the turn; before the handshake is done it stays. */
  #gathered: OwnChunk | null = null;
  /** Plaintext before the handshake that found no room there. */
  #early: Uint8Array[] | null = null;
  /** What the owner asked for before the handshake was complete. */
  #leaving: 'no' | 'shutdown' | 'close' = 'no';
  #shut = false;
  #ended = false;
  #underEnded = false;
  /** Plaintext came. */
  #heard = false;

  /** `under` is to be set by the caller: see `acceptTls` and `connectTls`. */
  constructor(io: Io, end: TlsEnd) {
    this.#io = io;
    this.#end = end;
  }

  get id(): number {
    return this.under.id;
  }

  get pending(): number {
    return this.under.pending + (this.#gathered?.end ?? 0);
  }

  /** We spoke first. */
  get client(): boolean {
    return this.#end.client;
  }

  /** The handshake is complete. */
  get open(): boolean {
    return this.#phase === READY;
  }

  // --- from the connection under it ---

  onOpen(): void {
    if (this.#start(NO_HELLO)) this.#shake(0);
  }

  onData(_under: Conn, chunk: Chunk): void {
    if (this.#phase === WAITING) this.#awaitHello(chunk);
    else this.#consume(chunk, chunk.start);
  }

  onEnd(): void {
    this.#underEnded = true;
    if (this.#phase === READY) this.#tellEnd();
    else this.#fail(this.#phase === WAITING ? 'empty' : 'failed');
  }

  onDrain(): void {
    if (this.#phase === READY && this.alive) this.handler.onDrain(this);
  }

  onClose(_under: Conn, errno: number): void {
    this.alive = false;
    if (this.#phase < READY && this.failure === 'none') {
      this.failure = this.#phase === WAITING ? 'aborted' : 'failed';
      this.#end.done?.(this);
    }
    this.#phase = BROKEN;
    this.#dropHeld();
    this.#gathered?.release();
    this.#gathered = null;
    this.handler.onClose(this, errno === 0 && this.error !== null ? EPROTO : errno);
    this.#end.gone?.(this);
    this.tls?.free();
  }

  // --- the handshake ---

  /** Gathers what came until the client's hello is whole. */
  #awaitHello(chunk: Chunk): void {
    let { bytes, start, end } = chunk;
    const begin = this.#begin;
    if (begin !== null) {
      bytes = Buffer.concat([begin, bytes.subarray(start, end)]);
      start = 0;
      end = bytes.length;
    }
    const hello = readHello(bytes, start, end, this.#end.captureBytes ?? 0);
    if (hello === null) {
      this.#begin = bytes.slice(start, end);
      return;
    }
    this.#begin = null;
    if (hello !== NO_HELLO) this.hello = hello;
    if (!this.#start(hello)) return;
    if (begin === null) this.#consume(chunk, chunk.start);
    else this.#consume({ bytes, start, end, keep() {}, release() {} }, start);
  }

  /** False when nobody is to be shown. */
  #start(hello: Hello): boolean {
    const context = this.#end.context(hello);
    if (context === null) {
      if (!this.#end.client) this.under.send(NO_SUCH_NAME, 0, NO_SUCH_NAME.length);
      this.#fail('noName');
      return false;
    }
    this.tls = new TlsConnection(context, this.#end.client);
    this.#phase = HANDSHAKE;
    this.#end.prepare?.(this.tls, this.under);
    return true;
  }

  /** What has been written leaves (an alert says why), then the connection goes. */
  #fail(failure: TlsFailure): void {
    this.#phase = BROKEN;
    this.failure = failure;
    this.alive = false;
    this.#dropHeld();
    this.#end.done?.(this);
    this.under.close();
  }

  // --- records in, plaintext out ---

  /** Reads records `chunk[at, end)`, as far as the owner lets; the rest is held. */
  #consume(chunk: Chunk, at: number): void {
    if (this.#held !== null) {
      this.#hold(chunk, at);
      return;
    }
    const rest = this.#advance(chunk, at);
    if (rest < chunk.end && this.#phase !== BROKEN && this.alive && !this.#ended) this.#hold(chunk, rest);
  }

  /** Gives where it stopped: at the end, or where the owner paused. */
  #advance(chunk: Chunk, start: number): number {
    let at = start;
    while (at < chunk.end && this.#phase !== BROKEN && !this.#ended && (!this.#paused || this.#phase === HANDSHAKE)) {
      const end = Math.min(chunk.end, at + wire.SPAN_BYTES);
      wire.feed(chunk.bytes, chunk.address, at, end);
      at = this.#phase === HANDSHAKE ? this.#shake(end) : this.#read(end);
    }
    return at;
  }

  /** A step of the handshake on what was fed, which ends at `end`; gives where it stopped. */
  #shake(end: number): number {
    const tls = this.tls!;
    const result = tls.handshake();
    const at = end - wire.unread();
    wire.drop();
    this.#flush();
    if (result === FAILED) {
      this.error = tls.error;
      this.#fail('failed');
    } else if (result === OPEN) this.#opened();
    return at;
  }

  #opened(): void {
    this.#phase = READY;
    this.#end.done?.(this);
    if (this.#phase !== READY) return;
    this.#sendEarly();
    if (this.#leaving === 'close') this.#leave();
    if (!this.alive) return;
    if (this.#leaving === 'shutdown') this.shutdown();
    if (this.#paused) this.under.pause();
    if (this.#end.client) this.handler.onOpen(this);
  }

  /** Plaintext out of what was fed; gives where it stopped. */
  #read(end: number): number {
    const tls = this.tls!;
    const fed = wire.unread();
    // Plaintext is never longer than its records.
    const room = fed + this.#partial;
    const plain = this.#io.take(room);
    let used = 0;
    let last = 1;
    while (used < room && wire.unread() > 0) {
      last = tls.read(used === 0 ? plain.address : plain.address + BigInt(used), room - used);
      if (last <= 0) break;
      used += last;
    }
    const rest = wire.unread();
    wire.drop();
    this.#partial = last === MORE ? Math.min(this.#partial + fed - rest, RECORD_BYTES_MAX) : 0;
    this.#flush();
    plain.end = used;
    if (used > 0) this.#deliver(plain);
    plain.release();
    if (last === CLOSED) this.#tellEnd();
    else if (last === FAILED) this.#broke(tls);
    return end - rest;
  }

  #deliver(plain: Chunk): void {
    if (!this.#heard) {
      this.#heard = true;
      this.#end.heard?.(this);
    }
    if (this.alive) this.handler.onData(this, plain);
  }

  /** The peer broke the protocol, or sent an alert. */
  #broke(tls: TlsConnection): void {
    if (this.#phase === BROKEN) return;
    this.error = tls.error;
    this.#phase = BROKEN;
    this.alive = false;
    this.#dropHeld();
    this.under.close();
  }

  #tellEnd(): void {
    if (this.#ended || !this.alive) return;
    this.#ended = true;
    this.#dropHeld();
    this.handler.onEnd(this);
    if (this.#shut && !this.#underEnded && this.alive) this.under.close();
  }

  #hold(chunk: Chunk, at: number): void {
    if (this.#held === null) {
      this.#held = [];
      this.#heldAt = at;
    }
    chunk.keep();
    this.#held.push(chunk);
    this.under.pause();
  }

  #deliverHeld(): void {
    while (this.#held !== null && !this.#paused && this.alive) {
      const chunk = this.#held[0]!;
      const at = this.#advance(chunk, this.#heldAt);
      if (this.#held === null) break;
      if (at < chunk.end && !this.#ended) {
        this.#heldAt = at;
        return;
      }
      this.#held.shift();
      chunk.release();
      const next = this.#held[0];
      if (next === undefined) this.#held = null;
      else this.#heldAt = next.start;
    }
    if (!this.#paused && this.alive) this.under.resume();
  }

  #dropHeld(): void {
    const held = this.#held;
    this.#held = null;
    for (const chunk of held ?? []) chunk.release();
  }

  // --- plaintext in, records out ---

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (end - start <= TLS_GATHER_BYTES) this.#gather(bytes, start, end);
    else this.#write(bytes, undefined, start, end);
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (end - start <= TLS_GATHER_BYTES / 2) this.#gather(chunk.bytes, start, end);
    else this.#write(chunk.bytes, chunk.address, start, end);
  }

  #writable(): boolean {
    return this.alive && !this.#shut && this.#leaving === 'no';
  }

  #gather(bytes: Uint8Array, start: number, end: number): void {
    let gathered = this.#gathered;
    if (gathered !== null && gathered.end + end - start > gathered.bytes.length) {
      this.#sendGathered();
      gathered = null;
    }
    if (this.#phase === BROKEN) return;
    gathered ??= this.#io.take(TLS_GATHER_BYTES);
    if (gathered !== this.#gathered) gathered.end = 0;
    this.#gathered = gathered;
    copy(bytes, start, end, gathered.bytes, gathered.end);
    gathered.end += end - start;
    this.#list();
  }

  #write(bytes: Uint8Array, address: bigint | undefined, start: number, end: number): void {
    this.#sendGathered();
    if (this.#phase < READY) {
      this.#early ??= [];
      this.#early.push(bytes.slice(start, end));
      return;
    }
    for (let at = start; at < end && this.#phase === READY; at += wire.SPAN_BYTES) {
      const stop = Math.min(at + wire.SPAN_BYTES, end);
      if (this.tls!.write(wire.locate(bytes, address, at, stop), stop - at)) this.#flush();
      else this.#broke(this.tls!);
    }
  }

  /** What was gathered becomes records, or waits for the handshake. */
  #sendGathered(): void {
    const gathered = this.#gathered;
    if (gathered === null) return;
    this.#gathered = null;
    this.#write(gathered.bytes, gathered.address, 0, gathered.end);
    gathered.release();
  }

  #sendEarly(): void {
    const early = this.#early;
    this.#early = null;
    const gathered = this.#gathered;
    this.#gathered = null;
    for (const bytes of early ?? []) this.#write(bytes, undefined, 0, bytes.length);
    this.#gathered = gathered;
    this.#sendGathered();
  }

  /** Records that OpenSSL has made go into the connection. */
  #flush(): void {
    const n = wire.produced();
    if (n === 0) return;
    const records = this.#io.take(n);
    wire.take(records.address, n);
    records.end = n;
    this.under.forward(records, 0, n);
    records.release();
  }

  #list(): void {
    if (this.#listed) return;
    this.#listed = true;
    this.#io.settle(this);
  }

  settle(): void {
    this.#listed = false;
    if (this.#phase === BROKEN) return;
    if (this.#phase === READY) this.#sendGathered();
    this.#deliverHeld();
    if (this.#phase === READY) this.#sendGathered();
  }

  // --- the rest of the contract ---

  pause(): void {
    this.#paused = true;
    // The handshake is not the owner's business.
    if (this.#phase >= READY) this.under.pause();
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    if (this.#held !== null) this.#list();
    else this.under.resume();
  }

  /** Nothing more will be sent: close_notify, then FIN. */
  shutdown(): void {
    if (!this.alive || this.#shut) return;
    if (this.#phase < READY) {
      this.#leaving = 'shutdown';
      return;
    }
    this.#leaving = 'no';
    this.#finish();
    this.#shut = true;
    if (this.#ended && !this.#underEnded) this.under.close();
    else this.under.shutdown();
  }

  close(): void {
    if (!this.alive) return;
    const waiting = this.#phase < READY && (this.#early !== null || this.#gathered !== null);
    if (waiting) this.#leaving = 'close';
    else if (!this.#shut) this.#finish();
    this.alive = false;
    if (!waiting) this.under.close();
  }

  /** Closes, now that what was to be sent before has been. */
  #leave(): void {
    this.#finish();
    this.under.close();
  }

  #finish(): void {
    if (this.#phase !== READY) return;
    this.#sendGathered();
    this.tls!.close();
    this.#flush();
  }

  abort(reset: boolean): void {
    this.alive = false;
    this.#dropHeld();
    this.under.abort(reset);
  }

  peer(): Address | null {
    return this.under.peer();
  }

  local(): Address | null {
    return this.under.local();
  }

  delayAck(): void {
    this.under.delayAck();
  }

  tcpInfo(): Uint8Array | null {
    return this.under.tcpInfo();
  }

  vanish(hops: number): void {
    this.alive = false;
    this.#dropHeld();
    this.under.vanish(hops);
  }

  keepAlive(idle: number, interval: number, count: number): void {
    this.under.keepAlive(idle, interval, count);
  }
}

/** TLS over an accepted connection. */
export function acceptTls(io: Io, under: Conn, end: TlsEnd): TlsConn {
  const conn = new TlsConn(io, end);
  conn.under = under;
  under.handler = conn;
  return conn;
}

/** TLS over the connection that `connect` starts, for whom it is given. */
export function connectTls(io: Io, end: TlsEnd, handler: Handler, connect: (under: Handler) => Conn): TlsConn {
  const conn = new TlsConn(io, end);
  conn.handler = handler;
  conn.under = connect(conn);
  return conn;
}
