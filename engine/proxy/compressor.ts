/**
 * The filter that compresses a payload, and frames it in chunks. What came in one turn of the loop leaves at its end, flushed, so
 * that a slow or endless response reaches the client as it is made; a body that ends in the same turn is not flushed twice.
 */
import type { CompressionFormat } from '../config/filter-spec.ts';
import { CHUNK_SIZE_MAX_BYTES, CRLF, LAST_CHUNK, LAST_CHUNK_LINE, writeChunkSize } from '../http/write.ts';
import type { Chunk } from '../io/contract.ts';
import {
  CONTINUE,
  type Encoder,
  FINISH,
  FLUSH,
  type Operation,
  OUTPUT,
  OUTPUT_START,
  SLICE_BYTES,
} from '../io/encoder.ts';
import { COMP_BYP, COMP_IN, COMP_OUT, COMP_RSP } from '../shm/counters.ts';
import { countingBackend } from './account.ts';
import type { Filter, Sink } from './filter.ts';
import type { Trailers } from './sides.ts';
import type { Stream } from './stream.ts';

const SIZE_LINE = new Uint8Array(CHUNK_SIZE_MAX_BYTES);

export class Compressor implements Filter {
  readonly place: number;
  readonly unframed = true;
  readonly holding = false;
  next!: Sink;
  readonly #stream: Stream;
  readonly #response: boolean;
  /** null = `identity`, or the body is over. */
  #encoder: Encoder | null;
  #level: number;
  /** Bytes of this turn. */
  #in = 0;
  #out = 0;
  #waiting = false;

  constructor(stream: Stream, response: boolean, place: number, encoder: Encoder | null) {
    this.place = place;
    this.#stream = stream;
    this.#response = response;
    this.#encoder = encoder;
    this.#level = stream.context.encoders.maxLevel;
  }

  data(chunk: Chunk, start: number, end: number): void {
    if (this.#encoder !== null) this.#compress(this.#encoder, chunk.bytes, start, end);
    else {
      this.#openChunk(end - start);
      this.next.data(chunk, start, end);
      this.next.write(CRLF, 0, CRLF.length);
    }
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.#encoder !== null) this.#compress(this.#encoder, bytes, start, end);
    else {
      this.#openChunk(end - start);
      this.next.write(bytes, start, end);
      this.next.write(CRLF, 0, CRLF.length);
    }
  }

  #compress(encoder: Encoder, bytes: Uint8Array, start: number, end: number): void {
    for (let at = start; at < end; at += SLICE_BYTES) {
      encoder.load(bytes, at, Math.min(at + SLICE_BYTES, end));
      this.#run(encoder, CONTINUE, null);
    }
    this.#in += end - start;
    if (this.#waiting) return;
    this.#waiting = true;
    this.#stream.context.encoders.flushLater(this);
  }

  /** The end of a turn in which payload came. */
  flush(): void {
    const encoder = this.#encoder;
    // A request is being sent again: the rest waits until it can follow.
    if (encoder !== null && !this.#response && !this.#stream.accepting) {
      this.#stream.context.encoders.flushLater(this);
      return;
    }
    this.#waiting = false;
    if (encoder === null) return;
    this.#run(encoder, FLUSH, null);
    this.#count();
    this.#adapt(encoder);
    if (this.#response) this.#stream.responseSent();
    else this.#stream.requestSent();
  }

  end(trailers: Trailers | null): void {
    const encoder = this.#encoder;
    const last = trailers === null ? LAST_CHUNK : LAST_CHUNK_LINE;
    if (encoder === null) this.next.write(last, 0, last.length);
    else this.#run(encoder, FINISH, last);
    this.#count();
    if (this.#response) this.#add(COMP_RSP, 1);
    this.release();
    this.next.end(trailers);
  }

  release(): void {
    const encoder = this.#encoder;
    this.#encoder = null;
    if (encoder !== null) this.#stream.context.encoders.give(encoder);
  }

  /** Passes on what the encoder gives, each time as one chunk; behind the last one `last`, which ends the body. */
  #run(encoder: Encoder, operation: Operation, last: Uint8Array | null): void {
    do {
      const length = encoder.run(operation);
      this.#out += length;
      this.#emit(length, encoder.more ? null : last);
    } while (encoder.more);
  }

  /** One chunk around the bytes in OUTPUT: there is room before and behind them. */
  #emit(length: number, last: Uint8Array | null): void {
    let from = OUTPUT_START;
    let to = OUTPUT_START + length;
    if (length > 0) {
      const size = writeChunkSize(SIZE_LINE, 0, length);
      from -= size;
      OUTPUT.set(SIZE_LINE.subarray(0, size), from);
      OUTPUT.set(CRLF, to);
      to += CRLF.length;
    }
    if (last !== null) {
      OUTPUT.set(last, to);
      to += last.length;
    }
    if (to > from) this.next.write(OUTPUT, from, to);
  }

  /** `identity`: the payload as it is becomes a chunk. */
  #openChunk(length: number): void {
    this.next.write(SIZE_LINE, 0, writeChunkSize(SIZE_LINE, 0, length));
    if (this.#response) this.#add(COMP_BYP, length);
  }

  #count(): void {
    const { context, now } = this.#stream;
    if (this.#in + this.#out > 0) context.encoders.count(this.#in, this.#out, now);
    if (this.#response && this.#level > 0) {
      this.#add(COMP_IN, this.#in);
      this.#add(COMP_OUT, this.#out);
    } else if (this.#response) this.#add(COMP_BYP, this.#in);
    this.#in = this.#out = 0;
  }

  /** The bytes of a page of our own are those of a `listen` section's backend, too; the response is not. */
  #add(counter: number, n: number): void {
    const { frontend, backend, context } = this.#stream;
    const counting = counter === COMP_RSP ? backend : countingBackend(this.#stream);
    context.counters[frontend.row + counter]! += n;
    if (counting !== null) context.counters[counting.row + counter]! += n;
  }

  /** A little less when a limit is reached, a little more when none is. */
  #adapt(encoder: Encoder): void {
    const { encoders } = this.#stream.context;
    const level = encoders.tooMuch(this.#stream.now)
      ? Math.max(this.#level - 1, 0)
      : Math.min(this.#level + 1, encoders.maxLevel);
    if (level === this.#level || !encoder.adapts) return;
    this.#level = level;
    encoder.setLevel(level);
  }
}

/** The compressor of a body in `format`; null when there is no memory for one. */
export function compressorOf(
  stream: Stream,
  response: boolean,
  place: number,
  format: CompressionFormat,
): Compressor | null {
  if (format === 'identity') return new Compressor(stream, response, place, null);
  const encoder = stream.context.encoders.take(format);
  return encoder === null ? null : new Compressor(stream, response, place, encoder);
}
