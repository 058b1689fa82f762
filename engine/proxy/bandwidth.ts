/**
 * `filter bwlim-in`, `filter bwlim-out` (manual 9.7): no more than so many bytes pass in a period. What is over the limit is
 * held, its source paused, and goes on when the timer fires.
 *
 * Counted as HAProxy counts rates: bytes of this period, and of the last one as far as it is still in sight:
 *
 *      |---- last ----|--now--.
 *              |<- a period ->|      rate = current + last x (share of the period still to come)
 */
import type { BandwidthSpec } from '../config/filter-spec.ts';
import type { Chunk } from '../io/contract.ts';
import { Timer } from '../time.ts';
import type { Filter, Sink } from './filter.ts';
import { ownChunk } from './own-chunk.ts';
import type { Trailers } from './sides.ts';
import type { Stream } from './stream.ts';
import { filterRequest, filterResponse } from './stream-filters.ts';

/** What is held goes on in steps of this long, so that a fast stream does not fire a timer every millisecond. */
const STEP_MS = 10;

/** Bytes held: of a chunk that is kept. */
interface Held {
  readonly chunk: Chunk;
  start: number;
  readonly end: number;
}

export class Bandwidth implements Filter {
  readonly place: number;
  readonly unframed = false;
  next!: Sink;
  readonly #stream: Stream;
  readonly #incoming: boolean;
  readonly #minBytes: number;
  #limit = 0;
  #periodMs = 1;
  #began: number;
  #current = 0;
  #last = 0;
  #held: Held[] = [];
  /** The message ended while bytes were held; undefined = it has not. */
  #end: Trailers | null | undefined;
  readonly #timer: Timer<Bandwidth>;

  constructor(stream: Stream, spec: BandwidthSpec, place: number) {
    this.place = place;
    this.#stream = stream;
    this.#incoming = spec.kind === 'bwlim-in';
    this.#minBytes = spec.minBytes;
    this.#began = stream.now;
    this.#timer = new Timer<Bandwidth>(this, filter => filter.#goOn());
  }

  /** Another limit, from now on; what has passed still counts. */
  set(limitBytes: number, periodMs: number): void {
    this.#limit = limitBytes;
    this.#periodMs = periodMs;
  }

  get holding(): boolean {
    return this.#held.length > 0;
  }

  data(chunk: Chunk, start: number, end: number): void {
    const passing = this.holding ? 0 : this.#take(end - start);
    if (passing > 0) this.next.data(chunk, start, start + passing);
    if (passing === end - start) return;
    chunk.keep();
    this.#hold({ chunk, start: start + passing, end });
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    const passing = this.holding ? 0 : this.#take(end - start);
    if (passing > 0) this.next.write(bytes, start, start + passing);
    if (passing === end - start) return;
    const chunk = ownChunk(bytes.slice(start + passing, end));
    this.#hold({ chunk, start: 0, end: chunk.end });
  }

  end(trailers: Trailers | null): void {
    if (this.holding) this.#end = trailers;
    else this.next.end(trailers);
  }

  release(): void {
    this.#stream.context.wheel.forget(this.#timer);
    for (const { chunk } of this.#held.splice(0)) chunk.release();
  }

  #hold(held: Held): void {
    this.#held.push(held);
    if (!this.#timer.armed) this.#arm();
  }

  /** How many of `bytes` may pass now; they are counted. */
  #take(bytes: number): number {
    const allowed = Math.min(bytes, Math.floor(this.#allowed()));
    if (allowed <= 0 || (allowed < bytes && allowed < Math.min(this.#minBytes, this.#limit))) return 0;
    this.#current += allowed;
    return allowed;
  }

  #allowed(): number {
    const elapsed = this.#turnPeriod();
    return this.#limit - this.#current - this.#last * (1 - elapsed / this.#periodMs);
  }

  /** Begins a new period if it is time for one; gives how long the one of now has been. Milliseconds. */
  #turnPeriod(): number {
    const elapsed = this.#stream.now - this.#began;
    const periods = Math.floor(elapsed / this.#periodMs);
    if (periods > 0) {
      this.#last = periods === 1 ? this.#current : 0;
      this.#current = 0;
      this.#began += periods * this.#periodMs;
    }
    return elapsed - periods * this.#periodMs;
  }

  /** Wakes up when the next step may pass: what is let in again within the period, else at its end. */
  #arm(): void {
    const { now, context } = this.#stream;
    const step = Math.max(this.#minBytes, (this.#limit * STEP_MS) / this.#periodMs, 1);
    const wanted = Math.min(step, this.#limit, this.#heldBytes);
    const missing = wanted - this.#allowed();
    const inPeriod = this.#last > 0 ? (missing * this.#periodMs) / this.#last : Infinity;
    const at = Math.min(now + Math.max(inPeriod, 0), this.#began + this.#periodMs);
    context.wheel.arm(this.#timer, at);
  }

  get #heldBytes(): number {
    return this.#held.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Time has passed: on with what may pass. */
  #goOn(): void {
    const stream = this.#stream;
    // The server is being tried again: what is held belongs behind what will be repeated.
    if (this.#incoming && !stream.accepting) {
      this.#arm();
      return;
    }
    while (this.#held.length > 0) {
      const first = this.#held[0]!;
      const { chunk, start, end } = first;
      const passing = this.#take(end - start);
      if (passing === 0) break;
      first.start += passing;
      if (first.start === end) this.#held.shift();
      this.next.data(chunk, start, start + passing);
      if (first.start === end) chunk.release();
    }
    stream.touchServer();
    if (this.holding) this.#arm();
    else if (this.#end !== undefined) this.next.end(this.#end);
    else if (this.#incoming) stream.requestFlows();
    else stream.responseFlows();
  }
}

/** `set-bandwidth-limit`: from now on, or anew, the stream is limited. */
export function limitBandwidth(
  stream: Stream,
  spec: BandwidthSpec,
  place: number,
  limitBytes: number,
  periodMs: number,
): void {
  const incoming = spec.kind === 'bwlim-in';
  const chain = incoming ? stream.requestFilters : stream.responseFilters;
  let filter = chain?.at(place) as Bandwidth | null | undefined;
  if (filter == null) {
    filter = new Bandwidth(stream, spec, place);
    if (incoming) filterRequest(stream, filter);
    else filterResponse(stream, filter);
  }
  filter.set(limitBytes, periodMs);
}
