/** The filters of a stream: where they are put in, what stands behind the last one, and that they go with the stream. */
import type { Chunk } from '../io/contract.ts';
import { type Filter, FilterChain, type Sink } from './filter.ts';
import type { Trailers } from './sides.ts';
import type { Stream } from './stream.ts';

/** Behind the filters of the request: the server's side. */
class ToServer implements Sink {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  data(chunk: Chunk, start: number, end: number): void {
    this.#stream.serverBytesOut += end - start;
    this.#stream.serverSide?.data(chunk, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#stream.serverBytesOut += end - start;
    this.#stream.serverSide?.write(bytes, start, end);
  }

  end(trailers: Trailers | null): void {
    this.#stream.requestEnded(trailers);
  }
}

/** Behind the filters of the response: the client's side. */
class ToClient implements Sink {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  data(chunk: Chunk, start: number, end: number): void {
    this.#stream.client.data(chunk, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#stream.client.write(bytes, start, end);
  }

  end(trailers: Trailers | null): void {
    this.#stream.responseEnded(trailers);
  }
}

export function filterRequest(stream: Stream, filter: Filter): void {
  stream.requestFilters ??= new FilterChain(new ToServer(stream));
  stream.requestFilters.insert(filter);
}

export function filterResponse(stream: Stream, filter: Filter): void {
  stream.responseFilters ??= new FilterChain(new ToClient(stream));
  stream.responseFilters.insert(filter);
}

/** The stream is over. */
export function dropFilters(stream: Stream): void {
  stream.requestFilters?.release();
  stream.responseFilters?.release();
}

/** Stages of a backend come after those of the frontend: what is added to their places. */
export const BACKEND_PLACES = 1_000;
