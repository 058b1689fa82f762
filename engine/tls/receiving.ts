/** What comes on a TLS connection: records in, plaintext out, as far as the owner lets. */
import type { Chunk, Conn, Io, OwnChunk } from '../io/contract.ts';
import { LOW_WATER_BYTES } from '../limits.ts';
import { CLOSED, FAILED } from './connection.ts';
import type { TlsEnd } from './end.ts';
import { Held } from './held.ts';
import { Incoming } from './incoming.ts';
import { KeyUpdates, keyUpdatesCame } from './key-updates.ts';
import { BROKEN, READY } from './phases.ts';
import { Sending } from './sending.ts';
import * as wire from './wire.ts';

export abstract class Receiving extends Sending implements Conn {
  readonly #in: Incoming;
  protected readonly held = new Held();
  /** Early data while the owner has paused: the handshake goes on. TLS_EARLY_BYTES at most. */
  protected earlyPlain: OwnChunk[] = [];
  protected paused = false;
  /** Null = none came. */
  #keyUpdates: KeyUpdates | null = null;
  /** Plaintext came. */
  #heard = false;

  constructor(io: Io, end: TlsEnd) {
    super(io, end);
    this.#in = new Incoming(io);
  }

  /** A step of the handshake on what was fed, which ends at `end`; gives where it stopped. */
  protected abstract shake(end: number): number;
  /** The first plaintext has come. */
  protected abstract hearing(): void;

  /** Reads records `chunk[at, end)`, as far as the owner lets; the rest is held. */
  protected consume(chunk: Chunk, at: number): void {
    if (this.held.first !== undefined) {
      this.#hold(chunk, at);
      return;
    }
    const rest = this.#advance(chunk, at);
    if (rest < chunk.end && this.phase !== BROKEN && this.alive && !this.ended) this.#hold(chunk, rest);
  }

  /** Gives where it stopped: at the end, or where the owner paused. */
  #advance(chunk: Chunk, start: number): number {
    let at = start;
    while (at < chunk.end && this.phase !== BROKEN && !this.ended && (!this.paused || this.phase < READY)) {
      const end = Math.min(chunk.end, at + wire.SPAN_BYTES);
      wire.feed(chunk.bytes, chunk.address, at, end);
      at = this.phase < READY ? this.shake(end) : this.#read(end);
    }
    return at;
  }

  /** Plaintext out of what was fed; gives where it stopped. */
  #read(end: number): number {
    const last = this.#in.read(this.tls!);
    const { plain } = this.#in;
    const at = end - wire.unread();
    wire.drop();
    this.flush();
    const flood = keyUpdatesCame() && this.#tooManyKeyUpdates();
    if (this.out.stalled && last !== FAILED) this.#sendStalled();
    if (plain.end > 0 && !flood) this.deliver(plain);
    plain.release();
    if (last === CLOSED) this.tellEnd();
    else if (last === FAILED || flood) this.broke();
    return at;
  }

  /** A handshake that the server has asked for may be complete, so that what has waited for it can be written. */
  #sendStalled(): void {
    if (!this.out.open(this.tls!, this.under)) this.broke();
    else if (!this.out.stalled) {
      this.doDelayed();
      // It may never have been more than the connection under it takes at once.
      if (this.alive && this.pending <= LOW_WATER_BYTES) this.handler.onDrain(this);
    }
  }

  #tooManyKeyUpdates(): boolean {
    this.#keyUpdates ??= new KeyUpdates();
    return this.#keyUpdates.tooMany(this.tls!.context.keyUpdatesMax, this.io.now());
  }

  protected deliver(plain: Chunk): void {
    if (!this.#heard) {
      this.#heard = true;
      this.hearing();
    }
    if (this.alive) this.handler.onData(this, plain);
  }

  /** The peer broke the protocol, or sent an alert. */
  protected broke(): void {
    if (this.phase === BROKEN) return;
    this.error = this.tls!.error;
    this.phase = BROKEN;
    this.alive = false;
    this.drop();
    this.under.close();
  }

  protected tellEnd(): void {
    if (this.ended || !this.alive) return;
    this.ended = true;
    this.drop();
    this.handler.onEnd(this);
    if (this.shut && !this.underEnded && this.alive) this.under.close();
  }

  #hold(chunk: Chunk, at: number): void {
    this.held.push(chunk, at);
    this.under.pause();
  }

  protected deliverHeld(): void {
    while (this.earlyPlain.length > 0 && !this.paused && this.alive) {
      const plain = this.earlyPlain.shift()!;
      this.deliver(plain);
      plain.release();
    }
    const held = this.held;
    // The handshake is not the owner's business.
    while (held.first !== undefined && (!this.paused || this.phase < READY) && this.alive) {
      const chunk = held.first;
      const at = this.#advance(chunk, held.at);
      // Nothing is held any more when the connection has ended meanwhile.
      if (held.first === undefined) break;
      if (at < chunk.end && !this.ended) {
        held.at = at;
        return;
      }
      held.shift();
    }
    if (!this.paused && this.alive) this.under.resume();
  }

  protected drop(): void {
    this.held.drop();
    for (const plain of this.earlyPlain.splice(0)) plain.release();
  }

  pause(): void {
    this.paused = true;
    // The handshake is not the owner's business.
    if (this.phase >= READY) this.under.pause();
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    if (this.held.first === undefined && this.earlyPlain.length === 0) this.under.resume();
    else this.settleLater();
  }
}
