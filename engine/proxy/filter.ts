/**
 * Filters stand between the sides of a stream, in each direction those that the configuration and the rules want there:
 *
 *      client ── requestData ──► [filter] ──► [filter] ──► server
 *      client ◄── [filter] ◄── [filter] ◄── responseData ── server
 *
 * A stream without filters has null in the place of the chain and pays one comparison.
 */
import type { Chunk } from '../io/contract.ts';
import type { Trailers } from './sides.ts';

/** Where payload goes: a filter, or what stands behind the last one. */
export interface Sink {
  /** Payload that may be kept without a copy. */
  data(chunk: Chunk, start: number, end: number): void;
  /** Payload that is only lent: it is copied by whoever needs it later. */
  write(bytes: Uint8Array, start: number, end: number): void;
  /** The message is complete. */
  end(trailers: Trailers | null): void;
}

export interface Filter extends Sink {
  /** Filters of a direction stand in the order of these. */
  readonly place: number;
  next: Sink;
  /** Takes payload without its chunk framing. */
  readonly unframed: boolean;
  /** Holds payload back for now: its source is to pause. */
  readonly holding: boolean;
  /** The stream is over: gives back all it has. Idempotent; nothing is passed on any more. */
  release(): void;
}

/** The filters of one direction of a stream. */
export class FilterChain implements Sink {
  readonly #filters: Filter[] = [];
  readonly #last: Sink;
  #first: Sink;
  #ended = false;

  /** `last` takes what comes out. */
  constructor(last: Sink) {
    this.#last = last;
    this.#first = last;
  }

  insert(filter: Filter): void {
    const behind = this.#filters.findIndex(other => other.place > filter.place);
    this.#filters.splice(behind < 0 ? this.#filters.length : behind, 0, filter);
    this.#first = this.#filters[0]!;
    this.#filters.forEach((each, i) => {
      each.next = this.#filters[i + 1] ?? this.#last;
    });
  }

  at(place: number): Filter | null {
    return this.#filters.find(filter => filter.place === place) ?? null;
  }

  get holding(): boolean {
    for (const filter of this.#filters) if (filter.holding) return true;
    return false;
  }

  get unframed(): boolean {
    for (const filter of this.#filters) if (filter.unframed) return true;
    return false;
  }

  data(chunk: Chunk, start: number, end: number): void {
    this.#first.data(chunk, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#first.write(bytes, start, end);
  }

  /** A TCP side may tell its end twice. */
  end(trailers: Trailers | null): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#first.end(trailers);
  }

  release(): void {
    for (const filter of this.#filters) filter.release();
  }
}
