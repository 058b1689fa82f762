/**
 * TLS as a layer of the io contract: a connection that speaks TLS over another one. Whoever has it sees plaintext and needs
 * to know nothing of it, over every io.
 *
 *   Conn of the io ── records ──► TlsConn ── plaintext ──► Handler
 *          ▲                         │
 *          └── Outgoing ◄────────────┘ Held: records for an owner that has paused
 *
 *   accepted   waiting ──client hello──► handshake ──► open: `TlsEnd.done`
 *              with early data: handshake ──► early: `TlsEnd.done` ──► open: `TlsEnd.settled`
 *   outgoing   waiting ──connected─────► handshake ──► open: `onOpen`
 *              with early data: `onOpen` ──end of the turn──► handshake ──► open
 */
import { constants } from 'node:os';
import type { Chunk, Conn, Handler, Io, OwnChunk } from '../io/contract.ts';
import { TLS_EARLY_BYTES } from '../limits.ts';
import { FAILED, OPEN, OVER, TlsConnection } from './connection.ts';
import type { TlsEnd, TlsFailure } from './end.ts';
import { FirstBytes, type Hello, NO_HELLO } from './hello.ts';
import { watchKeyUpdates } from './key-updates.ts';
import { BROKEN, EARLY, HANDSHAKE, READY, WAITING } from './phases.ts';
import { Receiving } from './receiving.ts';
import { refusalOf } from './refusals.ts';
import * as wire from './wire.ts';

const { EPROTO } = constants.errno;

/** Fatal alert 112, unrecognized_name. */
const NO_SUCH_NAME = Uint8Array.of(21, 3, 1, 0, 2, 2, 112);

/** Its handshake; what flows afterwards is `Receiving` and `Sending`. */
export class TlsConn extends Receiving implements Handler {
  /** What the client's hello asked for; null = none came, or we are the client. */
  hello: Hello | null = null;
  failure: TlsFailure = 'none';
  readonly #first = new FirstBytes();
  /** `hello` came, and how the turn ends decides whether it is answered. */
  #hesitates = false;
  /** Early data came. */
  earlyReceived = false;
  /** The owner knows that it may speak: `onOpen`. */
  #told = false;
  /** What the owner sends in this turn goes with our hello. */
  #offers = false;

  /** We spoke first. */
  get client(): boolean {
    return this.end.client;
  }

  /** The handshake is complete. */
  get open(): boolean {
    return this.phase === READY;
  }

  /** Early data came and the handshake is not complete: it may be a replay. */
  get early(): boolean {
    return this.phase === EARLY;
  }

  // --- from the connection under it ---

  onOpen(): void {
    if (!this.#start(NO_HELLO)) this.#fail('noName');
    else if (this.tls!.earlyRoom > 0) this.#offer();
    else this.shake(0);
  }

  /** The owner speaks before the handshake: what it says at once is early data. */
  #offer(): void {
    this.#offers = this.#told = true;
    this.settleLater();
    this.handler.onOpen(this);
  }

  #sendOffer(): void {
    const tls = this.tls!;
    this.#offers = false;
    // The owner has left again.
    if (!this.alive && this.leaving === 'no') return;
    const early = this.out.takeEarly(Math.min(tls.earlyRoom, TLS_EARLY_BYTES));
    if (early === null || tls.sendEarly(early)) this.shake(0);
    else this.#shaken(tls);
  }

  onData(_under: Conn, chunk: Chunk): void {
    if (this.#hesitates) this.held.push(chunk, chunk.start);
    else if (this.phase === WAITING) this.#awaitHello(chunk);
    else this.consume(chunk, chunk.start);
  }

  onEnd(): void {
    this.underEnded = true;
    if (this.phase === READY) this.tellEnd();
    else if (this.phase === EARLY) this.broke();
    else if (this.#hesitates) this.#fail('aborted');
    else this.#fail(this.phase === WAITING ? 'empty' : 'failed');
  }

  onDrain(): void {
    if (this.flows && this.alive) this.handler.onDrain(this);
  }

  onClose(_under: Conn, errno: number): void {
    this.alive = false;
    if (this.phase < EARLY && this.failure === 'none') {
      this.failure = this.phase === WAITING ? 'aborted' : 'failed';
      this.end.done?.(this);
    }
    this.phase = BROKEN;
    this.drop();
    this.out.drop();
    this.handler.onClose(this, errno === 0 && this.error !== null ? EPROTO : errno);
    this.end.gone?.(this);
    this.tls?.free();
  }

  // --- the handshake ---

  #awaitHello(chunk: Chunk): void {
    const hello = this.#first.read(chunk, this.end.captureBytes ?? 0);
    if (hello === null) return;
    if (hello !== NO_HELLO) this.hello = hello;
    const begin = this.#first.take();
    if (begin !== null) this.held.push(copied(begin), 0);
    this.held.push(chunk, chunk.start);
    this.#hesitates = this.end.hesitates === true;
    if (this.#hesitates) this.settleLater();
    else this.#answer(hello);
  }

  /** Begins the handshake that `hello`, which is held, asks for. */
  #answer(hello: Hello): void {
    if (this.#start(hello)) {
      this.deliverHeld();
      return;
    }
    const { first, at } = this.held;
    this.under.send(NO_SUCH_NAME, 0, NO_SUCH_NAME.length);
    this.error = refusalOf(hello, first!.bytes, at);
    this.#fail('noName');
  }

  /** False when nobody is to be shown. */
  #start(hello: Hello): boolean {
    const context = this.end.context(hello);
    if (context === null) return false;
    this.tls = new TlsConnection(context, this.end.client);
    this.phase = HANDSHAKE;
    this.end.prepare?.(this.tls, this.under);
    return true;
  }

  /** What has been written leaves (an alert says why), then the connection goes. */
  #fail(failure: TlsFailure): void {
    this.phase = BROKEN;
    this.failure = failure;
    this.alive = false;
    this.drop();
    this.end.done?.(this);
    this.under.close();
  }

  /** A step of the handshake on what was fed, which ends at `end`; gives where it stopped. */
  protected shake(end: number): number {
    const tls = this.tls!;
    if (tls.awaitsEarly) return this.#shakeEarly(tls, end);
    const result = tls.handshake();
    const at = end - wire.unread();
    wire.drop();
    this.flush();
    if (result === FAILED) this.#shaken(tls);
    else if (result === OPEN) this.#opened();
    return at;
  }

  /** As far as early data leads. A record at a time, for who gets it may send at once. */
  #shakeEarly(tls: TlsConnection, end: number): number {
    const plain = this.io.take(TLS_EARLY_BYTES);
    const result = tls.readEarly(plain.address, TLS_EARLY_BYTES);
    const at = end - wire.unread();
    wire.drop();
    this.flush();
    plain.end = Math.max(result, 0);
    if (plain.end > 0) this.#takeEarly(plain);
    plain.release();
    if (result === FAILED) this.#shaken(tls);
    // OpenSSL may have what it needs for the rest.
    return result === OVER ? this.#shakeOn(at) : at;
  }

  #shakeOn(at: number): number {
    this.shake(at);
    return at;
  }

  #takeEarly(plain: OwnChunk): void {
    if (this.phase === HANDSHAKE) {
      this.phase = EARLY;
      this.earlyReceived = true;
      if (!this.#begin()) return;
    }
    if (!this.paused && this.earlyPlain.length === 0) this.deliver(plain);
    else {
      plain.keep();
      this.earlyPlain.push(plain);
    }
  }

  /** The handshake failed. */
  #shaken(tls: TlsConnection): void {
    if (this.phase === EARLY) this.broke();
    else {
      this.error = tls.error;
      this.#fail('failed');
    }
  }

  /** The owner may read and write. False when the connection did not survive that. */
  #begin(): boolean {
    this.end.done?.(this);
    if (this.phase === BROKEN) return false;
    if (!this.out.open(this.tls!, this.under)) this.broke();
    return this.phase !== (BROKEN as number);
  }

  #opened(): void {
    if (this.tls!.earlyRejected) {
      this.#fail('earlyRejected');
      return;
    }
    if (this.tls!.context.keyUpdatesMax > 0) watchKeyUpdates(this.tls!.pointer);
    const before = this.phase;
    this.phase = READY;
    if (before === EARLY) this.end.settled?.(this);
    else this.#begin();
    if (this.phase !== READY) return;
    this.doDelayed();
    if (!this.alive) return;
    if (this.paused) this.under.pause();
    if (this.end.client && !this.#told) this.handler.onOpen(this);
  }

  protected hearing(): void {
    this.end.heard?.(this);
  }

  settle(): void {
    this.listed = false;
    if (this.phase === BROKEN) return;
    if (this.#hesitates) {
      this.#hesitates = false;
      if (this.alive) this.#answer(this.hello ?? NO_HELLO);
    }
    if (this.#offers) this.#sendOffer();
    if (this.flows) this.sendGathered();
    this.deliverHeld();
    if (this.flows) this.sendGathered();
  }
}

/** A chunk of bytes that the garbage collector has. */
function copied(bytes: Uint8Array): Chunk {
  return { bytes, start: 0, end: bytes.length, keep() {}, release() {} };
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
