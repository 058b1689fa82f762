/** DEFLATE (RFC 1951) bare, in zlib's wrapper (RFC 1950) or in gzip's (RFC 1952), by the zlib inside Node. */
import ffi from 'node:ffi';
import {
  alive,
  CONTINUE,
  type Encoder,
  FINISH,
  INPUT_AT,
  loadInput,
  type Operation,
  OUTPUT_AT,
  OUTPUT_BYTES,
} from './encoder.ts';

type Wrapper = 'gzip' | 'deflate' | 'raw-deflate';

/** Of `windowBits`: what zlib adds to the window's, or how it is told to write no wrapper. */
const WINDOW_BITS: Readonly<Record<Wrapper, (bits: number) => number>> = {
  gzip: bits => bits + 16,
  deflate: bits => bits,
  'raw-deflate': bits => -bits,
};

const Z_NO_FLUSH = 0;
const Z_SYNC_FLUSH = 2;
const Z_FINISH = 4;
const FLUSHES = [Z_NO_FLUSH, Z_SYNC_FLUSH, Z_FINISH] as const;

const Z_STREAM_END = 1;
/** No progress was possible: all had been flushed before. */
const Z_BUF_ERROR = -5;
const Z_DEFLATED = 8;
const Z_DEFAULT_STRATEGY = 0;

/*
 * struct z_stream, 64 bits:
 *
 *      0 next_in   8 avail_in (32)   16 total_in   24 next_out   32 avail_out (32)   40 total_out   48 msg   56 state
 *     64 zalloc   72 zfree   80 opaque   88 data_type (32)   96 adler   104 reserved
 */
const Z_STREAM_BYTES = 112;
const AVAIL_IN = 8 / 4;
const AVAIL_OUT = 32 / 4;
const NEXT_IN = 0;
const NEXT_OUT = 24 / 8;

type Zlib = ReturnType<typeof open>;
let zlib: Zlib | null = null;

function open() {
  const { functions } = ffi.dlopen(null, {
    zlibVersion: { return: 'pointer', arguments: [] },
    deflateInit2_: { return: 'i32', arguments: ['pointer', 'i32', 'i32', 'i32', 'i32', 'i32', 'pointer', 'i32'] },
    deflate: { return: 'i32', arguments: ['pointer', 'i32'] },
    deflateParams: { return: 'i32', arguments: ['pointer', 'i32', 'i32'] },
    deflateReset: { return: 'i32', arguments: ['pointer'] },
    deflateEnd: { return: 'i32', arguments: ['pointer'] },
  });
  return functions;
}

/** Memory of one state, as zlib's documentation counts it. Bytes. */
function deflateBytes(windowBits: number, memLevel: number): number {
  return (1 << (windowBits + 2)) + (1 << (memLevel + 9));
}

export class Deflate implements Encoder {
  readonly format: Wrapper;
  readonly bytes: number;
  readonly adapts = true;
  more = false;
  readonly #zlib: Zlib;
  readonly #words: Uint32Array;
  readonly #pointers: BigUint64Array;
  readonly #stream: bigint;
  #freed = false;
  /** The level that the state is set to. */
  #level: number;

  /** Throws when there is no memory, or no zlib to be found in this Node. */
  constructor(format: Wrapper, level: number, windowBits: number, memLevel: number) {
    zlib ??= open();
    const stream = new ArrayBuffer(Z_STREAM_BYTES);
    this.format = format;
    this.bytes = deflateBytes(windowBits, memLevel);
    this.#zlib = zlib;
    this.#words = new Uint32Array(stream);
    this.#pointers = new BigUint64Array(stream);
    this.#stream = ffi.getRawPointer(stream);
    this.#level = level;
    // zlib has never written raw streams with a window of 256 bytes.
    const bits = WINDOW_BITS[format](Math.max(windowBits, 9));
    const version = zlib.zlibVersion();
    const args = [level, Z_DEFLATED, bits, memLevel, Z_DEFAULT_STRATEGY] as const;
    const made = zlib.deflateInit2_(this.#stream, ...args, version, Z_STREAM_BYTES);
    if (made !== 0) throw new Error(`zlib: no state (${made})`);
    alive.encoders++;
  }

  begin(level: number): void {
    this.#zlib.deflateReset(this.#stream);
    this.#words[AVAIL_IN] = 0;
    this.setLevel(level);
  }

  setLevel(level: number): void {
    if (level === this.#level) return;
    this.#level = level;
    // Nothing is pending: this writes nothing.
    this.#pointers[NEXT_OUT] = OUTPUT_AT;
    this.#words[AVAIL_OUT] = OUTPUT_BYTES;
    this.#zlib.deflateParams(this.#stream, level, Z_DEFAULT_STRATEGY);
  }

  load(bytes: Uint8Array, start: number, end: number): void {
    loadInput(bytes, start, end);
    this.#pointers[NEXT_IN] = INPUT_AT;
    this.#words[AVAIL_IN] = end - start;
  }

  run(operation: Operation): number {
    const words = this.#words;
    this.#pointers[NEXT_OUT] = OUTPUT_AT;
    words[AVAIL_OUT] = OUTPUT_BYTES;
    const result = this.#zlib.deflate(this.#stream, FLUSHES[operation]);
    if (result < 0 && result !== Z_BUF_ERROR) throw new Error(`zlib: deflate failed (${result})`);
    const left = words[AVAIL_OUT]!;
    if (operation === FINISH) this.more = result !== Z_STREAM_END;
    else this.more = left === 0 || (operation === CONTINUE && words[AVAIL_IN]! > 0);
    return OUTPUT_BYTES - left;
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    alive.encoders--;
    this.#zlib.deflateEnd(this.#stream);
  }
}
