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
import { NOBODY } from '../io/common.ts';
import type { Chunk, Conn, Handler, Io, Layer, OwnChunk } from '../io/contract.ts';
import { TLS_EARLY_BYTES } from '../limits.ts';
import { CLOSED, FAILED, OPEN, OVER, TlsConnection } from './connection.ts';
import type { TlsEnd, TlsFailure } from './end.ts';
import type { TlsError } from './errors.ts';
import { Held } from './held.ts';
import { FirstBytes, type Hello, NO_HELLO } from './hello.ts';
import { Incoming } from './incoming.ts';
import { KeyUpdates, keyUpdatesCame, watchKeyUpdates } from './key-updates.ts';
import { Outgoing } from './outgoing.ts';
import { Over } from './over.ts';
import * as wire from './wire.ts';

const { EPROTO } = constants.errno;

/** Fatal alert 112, unrecognized_name. */
const NO_SUCH_NAME = Uint8Array.of(21, 3, 1, 0, 2, 2, 112);

const WAITING = 0;
const HANDSHAKE = 1;
/** The client's early data goes to the owner while the handshake goes on. */
const EARLY = 2;
const READY = 3;
/** Nothing more can be read or written: the connection under it goes. */
const BROKEN = 4;

export class TlsConn extends Over implements Conn, Handler, Layer {
  handler: Handler = NOBODY;
  alive = true;
  /** Null until the context is known. */
  tls: TlsConnection | null = null;
  /** What the client's hello asked for; null = none came, or we are the client. */
  hello: Hello | null = null;
  failure: TlsFailure = 'none';
  error: TlsError | null = null;
  readonly #io: Io;
  readonly #end: TlsEnd;
  readonly #first = new FirstBytes();
  readonly #in: Incoming;
  readonly #out: Outgoing;
  readonly #held = new Held();
  /** Early data while the owner has paused: the handshake goes on. TLS_EARLY_BYTES at most. */
  #earlyPlain: OwnChunk[] = [];
  /** Early data came. */
  earlyReceived = false;
  #phase = WAITING;
  #paused = false;
  /** `settle` is to come. */
  #listed = false;
  /** What the owner asked for before the handshake was complete. */
  #leaving: 'no' | 'shutdown' | 'close' = 'no';
  #shut = false;
  #ended = false;
  #underEnded = false;
  /** Null = none came. */
  #keyUpdates: KeyUpdates | null = null;
  /** Plaintext came. */
  #heard = false;
  /** The owner knows that it may speak: `onOpen`. */
  #told = false;
  /** What the owner sends in this turn goes with our hello. */
  #offers = false;

  /** `under` is to be set by the caller: see `acceptTls` and `connectTls`. */
  constructor(io: Io, end: TlsEnd) {
    super();
    this.#io = io;
    this.#end = end;
    this.#in = new Incoming(io);
    this.#out = new Outgoing(io);
  }

  get pending(): number {
    return this.under.pending + this.#out.bytes;
  }

  /** We spoke first. */
  get client(): boolean {
    return this.#end.client;
  }

  /** The handshake is complete. */
  get open(): boolean {
    return this.#phase === READY;
  }

  /** Early data came and the handshake is not complete: it may be a replay. */
  get early(): boolean {
    return this.#phase === EARLY;
  }

  // --- from the connection under it ---

  onOpen(): void {
    if (!this.#start(NO_HELLO)) return;
    if (this.tls!.earlyRoom > 0) this.#offer();
    else this.#shake(0);
  }

  /** The owner speaks before the handshake: what it says at once is early data. */
  #offer(): void {
    this.#offers = this.#told = true;
    this.#settleLater();
    this.handler.onOpen(this);
  }

  #sendOffer(): void {
    const tls = this.tls!;
    this.#offers = false;
    // The owner has left again.
    if (!this.alive && this.#leaving === 'no') return;
    const early = this.#out.takeEarly(Math.min(tls.earlyRoom, TLS_EARLY_BYTES));
    if (early === null || tls.sendEarly(early)) this.#shake(0);
    else this.#shaken(tls);
  }

  onData(_under: Conn, chunk: Chunk): void {
    if (this.#phase === WAITING) this.#awaitHello(chunk);
    else this.#consume(chunk, chunk.start);
  }

  onEnd(): void {
    this.#underEnded = true;
    if (this.#phase === READY) this.#tellEnd();
    else if (this.#phase === EARLY) this.#broke();
    else this.#fail(this.#phase === WAITING ? 'empty' : 'failed');
  }

  onDrain(): void {
    if (this.#flows && this.alive) this.handler.onDrain(this);
  }

  onClose(_under: Conn, errno: number): void {
    this.alive = false;
    if (this.#phase < EARLY && this.failure === 'none') {
      this.failure = this.#phase === WAITING ? 'aborted' : 'failed';
      this.#end.done?.(this);
    }
    this.#phase = BROKEN;
    this.#drop();
    this.#out.drop();
    this.handler.onClose(this, errno === 0 && this.error !== null ? EPROTO : errno);
    this.#end.gone?.(this);
    this.tls?.free();
  }

  // --- the handshake ---

  #awaitHello(chunk: Chunk): void {
    const hello = this.#first.read(chunk, this.#end.captureBytes ?? 0);
    if (hello === null) return;
    if (hello !== NO_HELLO) this.hello = hello;
    if (!this.#start(hello)) return;
    const begin = this.#first.take();
    if (begin !== null) this.#consume(copied(begin), 0);
    this.#consume(chunk, chunk.start);
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
    this.#drop();
    this.#end.done?.(this);
    this.under.close();
  }

  // --- records in, plaintext out ---

  /** Reads records `chunk[at, end)`, as far as the owner lets; the rest is held. */
  #consume(chunk: Chunk, at: number): void {
    if (this.#held.first !== undefined) {
      this.#hold(chunk, at);
      return;
    }
    const rest = this.#advance(chunk, at);
    if (rest < chunk.end && this.#phase !== BROKEN && this.alive && !this.#ended) this.#hold(chunk, rest);
  }

  /** Gives where it stopped: at the end, or where the owner paused. */
  #advance(chunk: Chunk, start: number): number {
    let at = start;
    while (at < chunk.end && this.#phase !== BROKEN && !this.#ended && (!this.#paused || this.#phase < READY)) {
      const end = Math.min(chunk.end, at + wire.SPAN_BYTES);
      wire.feed(chunk.bytes, chunk.address, at, end);
      at = this.#phase < READY ? this.#shake(end) : this.#read(end);
    }
    return at;
  }

  /** A step of the handshake on what was fed, which ends at `end`; gives where it stopped. */
  #shake(end: number): number {
    const tls = this.tls!;
    if (tls.awaitsEarly) return this.#shakeEarly(tls, end);
    const result = tls.handshake();
    const at = end - wire.unread();
    wire.drop();
    this.#flush();
    if (result === FAILED) this.#shaken(tls);
    else if (result === OPEN) this.#opened();
    return at;
  }

  /** As far as early data leads. A record at a time, for who gets it may send at once. */
  #shakeEarly(tls: TlsConnection, end: number): number {
    const plain = this.#io.take(TLS_EARLY_BYTES);
    const result = tls.readEarly(plain.address, TLS_EARLY_BYTES);
    const at = end - wire.unread();
    wire.drop();
    this.#flush();
    plain.end = Math.max(result, 0);
    if (plain.end > 0) this.#takeEarly(plain);
    plain.release();
    if (result === FAILED) this.#shaken(tls);
    // OpenSSL may have what it needs for the rest.
    return result === OVER ? this.#shakeOn(at) : at;
  }

  #shakeOn(at: number): number {
    this.#shake(at);
    return at;
  }

  #takeEarly(plain: OwnChunk): void {
    if (this.#phase === HANDSHAKE) {
      this.#phase = EARLY;
      this.earlyReceived = true;
      if (!this.#begin()) return;
    }
    if (!this.#paused && this.#earlyPlain.length === 0) this.#deliver(plain);
    else {
      plain.keep();
      this.#earlyPlain.push(plain);
    }
  }

  /** The handshake failed. */
  #shaken(tls: TlsConnection): void {
    if (this.#phase === EARLY) this.#broke();
    else {
      this.error = tls.error;
      this.#fail('failed');
    }
  }

  /** The owner may read and write. False when the connection did not survive that. */
  #begin(): boolean {
    this.#end.done?.(this);
    if (this.#phase === BROKEN) return false;
    if (!this.#out.open(this.tls!, this.under)) this.#broke();
    return this.#phase !== (BROKEN as number);
  }

  #opened(): void {
    if (this.tls!.earlyRejected) {
      this.#fail('earlyRejected');
      return;
    }
    if (this.tls!.context.keyUpdatesMax > 0) watchKeyUpdates(this.tls!.pointer);
    const before = this.#phase;
    this.#phase = READY;
    if (before === EARLY) this.#end.settled?.(this);
    else this.#begin();
    if (this.#phase !== READY) return;
    if (this.#leaving === 'close') this.#leave();
    if (!this.alive) return;
    if (this.#leaving === 'shutdown') this.shutdown();
    if (this.#paused) this.under.pause();
    if (this.#end.client && !this.#told) this.handler.onOpen(this);
  }

  /** Plaintext out of what was fed; gives where it stopped. */
  #read(end: number): number {
    const last = this.#in.read(this.tls!);
    const { plain } = this.#in;
    const at = end - wire.unread();
    wire.drop();
    this.#flush();
    const flood = keyUpdatesCame() && this.#tooManyKeyUpdates();
    if (plain.end > 0 && !flood) this.#deliver(plain);
    plain.release();
    if (last === CLOSED) this.#tellEnd();
    else if (last === FAILED || flood) this.#broke();
    return at;
  }

  #tooManyKeyUpdates(): boolean {
    this.#keyUpdates ??= new KeyUpdates();
    return this.#keyUpdates.tooMany(this.tls!.context.keyUpdatesMax, this.#io.now());
  }

  #deliver(plain: Chunk): void {
    if (!this.#heard) {
      this.#heard = true;
      this.#end.heard?.(this);
    }
    if (this.alive) this.handler.onData(this, plain);
  }

  /** The peer broke the protocol, or sent an alert. */
  #broke(): void {
    if (this.#phase === BROKEN) return;
    this.error = this.tls!.error;
    this.#phase = BROKEN;
    this.alive = false;
    this.#drop();
    this.under.close();
  }

  #tellEnd(): void {
    if (this.#ended || !this.alive) return;
    this.#ended = true;
    this.#drop();
    this.handler.onEnd(this);
    if (this.#shut && !this.#underEnded && this.alive) this.under.close();
  }

  #hold(chunk: Chunk, at: number): void {
    this.#held.push(chunk, at);
    this.under.pause();
  }

  #deliverHeld(): void {
    while (this.#earlyPlain.length > 0 && !this.#paused && this.alive) {
      const plain = this.#earlyPlain.shift()!;
      this.#deliver(plain);
      plain.release();
    }
    const held = this.#held;
    while (held.first !== undefined && !this.#paused && this.alive) {
      const chunk = held.first;
      const at = this.#advance(chunk, held.at);
      // Nothing is held any more when the connection has ended meanwhile.
      if (held.first === undefined) break;
      if (at < chunk.end && !this.#ended) {
        held.at = at;
        return;
      }
      held.shift();
    }
    if (!this.#paused && this.alive) this.under.resume();
  }

  // --- plaintext in, records out ---

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (this.#out.send(bytes, start, end)) this.#list();
    else this.#broke();
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (this.#out.forward(chunk, start, end)) this.#list();
    else this.#broke();
  }

  /** What is sent becomes records at once. */
  get #flows(): boolean {
    return this.#phase === READY || this.#phase === EARLY;
  }

  #drop(): void {
    this.#held.drop();
    for (const plain of this.#earlyPlain.splice(0)) plain.release();
  }

  #writable(): boolean {
    return this.alive && !this.#shut && this.#leaving === 'no';
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

  /** What was gathered is sent at the end of the turn. */
  #list(): void {
    if (this.#out.bytes > 0) this.#settleLater();
  }

  #settleLater(): void {
    if (this.#listed) return;
    this.#listed = true;
    this.#io.settle(this);
  }

  #sendGathered(): void {
    if (!this.#out.settle()) this.#broke();
  }

  settle(): void {
    this.#listed = false;
    if (this.#phase === BROKEN) return;
    if (this.#offers) this.#sendOffer();
    if (this.#flows) this.#sendGathered();
    this.#deliverHeld();
    if (this.#flows) this.#sendGathered();
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
    if (this.#held.first === undefined && this.#earlyPlain.length === 0) this.under.resume();
    else this.#settleLater();
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
    const waiting = this.#phase === EARLY || (this.#phase < READY && this.#out.waits);
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
    this.#drop();
    this.under.abort(reset);
  }

  vanish(hops: number): void {
    this.alive = false;
    this.#drop();
    this.under.vanish(hops);
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
