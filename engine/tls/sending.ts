/** What the owner of a TLS connection does with it: send, shut down, close. Plaintext in, records out. */
import { NOBODY } from '../io/common.ts';
import type { Chunk, Handler, Io, Layer } from '../io/contract.ts';
import type { TlsConnection } from './connection.ts';
import type { TlsEnd } from './end.ts';
import type { TlsError } from './errors.ts';
import { Outgoing } from './outgoing.ts';
import { Over } from './over.ts';
import { EARLY, READY, WAITING } from './phases.ts';
import * as wire from './wire.ts';

export abstract class Sending extends Over implements Layer {
  handler: Handler = NOBODY;
  alive = true;
  /** Null until the context is known. */
  tls: TlsConnection | null = null;
  error: TlsError | null = null;
  protected readonly io: Io;
  protected readonly end: TlsEnd;
  protected readonly out: Outgoing;
  protected phase = WAITING;
  /** `settle` is to come. */
  protected listed = false;
  /** What the owner asked for before the handshake was complete. */
  protected leaving: 'no' | 'shutdown' | 'close' = 'no';
  protected shut = false;
  /** The owner was told that the peer sends no more. */
  protected ended = false;
  protected underEnded = false;

  constructor(io: Io, end: TlsEnd) {
    super();
    this.io = io;
    this.end = end;
    this.out = new Outgoing(io);
  }

  abstract settle(): void;
  /** The peer broke the protocol, or sent an alert. */
  protected abstract broke(): void;
  /** What came and was not delivered is not wanted any more. */
  protected abstract drop(): void;

  get pending(): number {
    return this.under.pending + this.out.bytes;
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (this.out.send(bytes, start, end)) this.#list();
    else this.broke();
  }

  forward(chunk: Chunk, start: number, end: number): void {
    if (end <= start || !this.#writable()) return;
    if (this.out.forward(chunk, start, end)) this.#list();
    else this.broke();
  }

  /** What is sent becomes records at once. */
  protected get flows(): boolean {
    return this.phase === READY || this.phase === EARLY;
  }

  #writable(): boolean {
    return this.alive && !this.shut && this.leaving === 'no';
  }

  /** Records that OpenSSL has made go into the connection. */
  protected flush(): void {
    const n = wire.produced();
    if (n === 0) return;
    const records = this.io.take(n);
    wire.take(records.address, n);
    records.end = n;
    this.under.forward(records, 0, n);
    records.release();
  }

  /** What was gathered is sent at the end of the turn. */
  #list(): void {
    if (this.out.bytes > 0) this.settleLater();
  }

  protected settleLater(): void {
    if (this.listed) return;
    this.listed = true;
    this.io.settle(this);
  }

  protected sendGathered(): void {
    if (!this.out.settle()) this.broke();
  }

  /** Nothing more will be sent: close_notify, then FIN. */
  shutdown(): void {
    if (!this.alive || this.shut) return;
    if (this.phase < READY || this.out.stalled) {
      this.leaving = 'shutdown';
      return;
    }
    this.leaving = 'no';
    this.finish();
    this.shut = true;
    if (this.ended && !this.underEnded) this.under.close();
    else this.under.shutdown();
  }

  close(): void {
    if (!this.alive) return;
    const waiting = this.phase === EARLY || this.out.stalled;
    if (waiting) this.leaving = 'close';
    else if (!this.shut) this.finish();
    this.alive = false;
    if (!waiting) this.under.close();
  }

  /** What the owner wanted to do once what it had sent before could be written, which it can now. */
  protected doDelayed(): void {
    if (this.leaving === 'close') this.leave();
    if (!this.alive) return;
    if (this.leaving === 'shutdown') this.shutdown();
  }

  /** Closes, now that what was to be sent before has been. */
  protected leave(): void {
    this.finish();
    this.under.close();
  }

  protected finish(): void {
    if (this.phase !== READY) return;
    this.sendGathered();
    this.tls!.close();
    this.flush();
  }

  abort(reset: boolean): void {
    this.alive = false;
    this.drop();
    this.under.abort(reset);
  }

  vanish(hops: number): void {
    this.alive = false;
    this.drop();
    this.under.vanish(hops);
  }
}
