/**
 * `filter bwlim-in`, `filter bwlim-out` (manual 9.7): no more than so many bytes pass in a period. What is over the limit is
 * held, its source paused, and goes on when the timer fires.
 */
import type { BandwidthSpec } from '../config/filter-spec.ts';
import type { Chunk } from '../io/contract.ts';
import type { Sample } from '../sample/sample.ts';
import type { Table } from '../stick/table.ts';
import { Timer } from '../time.ts';
import { ByteMeter, type Meter } from './byte-meter.ts';
import type { Filter, Sink } from './filter.ts';
import { ownChunk } from './own-chunk.ts';
import { sharedMeter } from './shared-meter.ts';
import type { Trailers } from './sides.ts';
import type { Stream } from './stream.ts';
import { filterRequest, filterResponse } from './stream-filters.ts';

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
  readonly meter: Meter;
  #held: Held[] = [];
  /** The message ended while bytes were held; undefined = it has not. */
  #end: Trailers | null | undefined;
  #over = false;
  readonly #timer: Timer<Bandwidth>;

  constructor(stream: Stream, incoming: boolean, place: number, meter: Meter) {
    this.place = place;
    this.#stream = stream;
    this.#incoming = incoming;
    this.meter = meter;
    this.#timer = new Timer<Bandwidth>(this, filter => filter.#goOn());
  }

  get holding(): boolean {
    return this.#held.length > 0;
  }

  data(chunk: Chunk, start: number, end: number): void {
    const passing = this.holding ? 0 : this.meter.take(end - start, this.#stream.now);
    if (passing > 0) this.next.data(chunk, start, start + passing);
    if (passing === end - start) return;
    chunk.keep();
    this.#hold({ chunk, start: start + passing, end });
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    const passing = this.holding ? 0 : this.meter.take(end - start, this.#stream.now);
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
    if (!this.#over) this.meter.release();
    this.#over = true;
  }

  #hold(held: Held): void {
    this.#held.push(held);
    if (!this.#timer.armed) this.#arm();
  }

  #arm(): void {
    const { now, context } = this.#stream;
    context.wheel.arm(this.#timer, this.meter.when(this.#heldBytes, now));
  }

  get #heldBytes(): number {
    return this.#held.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  /** Passes on `bytes` of what is held. */
  #pass(bytes: number): void {
    for (let left = bytes; left > 0; ) {
      const first = this.#held[0]!;
      const { chunk, start, end } = first;
      const length = Math.min(left, end - start);
      left -= length;
      first.start += length;
      if (first.start === end) this.#held.shift();
      this.next.data(chunk, start, start + length);
      if (first.start === end) chunk.release();
    }
  }

  /** Time has passed: on with what may pass. */
  #goOn(): void {
    const stream = this.#stream;
    // The server is being tried again: what is held belongs behind what will be repeated.
    if (this.#incoming && !stream.accepting) {
      this.#arm();
      return;
    }
    this.#pass(this.meter.take(this.#heldBytes, stream.now));
    stream.touchServer();
    if (this.holding) this.#arm();
    else if (this.#end !== undefined) this.next.end(this.#end);
    else if (this.#incoming) stream.requestFlows();
    else stream.responseFlows();
  }
}

function filterAt(stream: Stream, { kind }: BandwidthSpec, place: number): Bandwidth | null {
  const chain = kind === 'bwlim-in' ? stream.requestFilters : stream.responseFilters;
  return (chain?.at(place) as Bandwidth | undefined) ?? null;
}

function put(stream: Stream, { kind }: BandwidthSpec, place: number, meter: Meter): void {
  const incoming = kind === 'bwlim-in';
  const filter = new Bandwidth(stream, incoming, place, meter);
  if (incoming) filterRequest(stream, filter);
  else filterResponse(stream, filter);
}

/** `set-bandwidth-limit`: from now on, or anew, the stream has this limit to itself. */
export function limitStream(
  stream: Stream,
  spec: BandwidthSpec,
  place: number,
  limitBytes: number,
  periodMs: number,
): void {
  const known = filterAt(stream, spec, place);
  const meter = known === null ? new ByteMeter(spec.minBytes, stream.now) : (known.meter as ByteMeter);
  meter.set(limitBytes, periodMs);
  if (known === null) put(stream, spec, place, meter);
}

/** The same with a limit that it shares with all streams of the key in `sample`. */
export function limitTogether(stream: Stream, spec: BandwidthSpec, place: number, table: Table, sample: Sample): void {
  if (filterAt(stream, spec, place) !== null) return;
  const meter = sharedMeter(table, sample, spec, stream.now);
  if (meter !== null) put(stream, spec, place, meter);
}
