/** Brotli (RFC 7932), by the library inside Node. */
import ffi from 'node:ffi';
import {
  alive,
  type Encoder,
  FINISH,
  INPUT_AT,
  loadInput,
  type Operation,
  OUTPUT_AT,
  OUTPUT_BYTES,
} from './encoder.ts';

/** Of BrotliEncoderOperation: process, flush, finish. The same numbers as ours. */
const PARAM_QUALITY = 1;
const PARAM_LGWIN = 2;
/** Above this a slice takes milliseconds. */
const QUALITY_MAX = 5;
/** A window of 256 KiB. */
const LGWIN = 18;
/** What an instance of such settings has been seen to take. */
const BYTES = 2 * 1024 * 1024;

/** Where the arguments of a call stand that are passed by address, in words of 8 bytes. */
const AVAILABLE_IN = 0;
const NEXT_IN = 1;
const AVAILABLE_OUT = 2;
const NEXT_OUT = 3;

type Library = ReturnType<typeof open>;
let brotli: Library | null = null;

function open() {
  const { functions } = ffi.dlopen(null, {
    BrotliEncoderCreateInstance: { return: 'pointer', arguments: ['pointer', 'pointer', 'pointer'] },
    BrotliEncoderSetParameter: { return: 'i32', arguments: ['pointer', 'i32', 'u32'] },
    BrotliEncoderCompressStream: {
      return: 'i32',
      arguments: ['pointer', 'i32', 'pointer', 'pointer', 'pointer', 'pointer', 'pointer'],
    },
    BrotliEncoderHasMoreOutput: { return: 'i32', arguments: ['pointer'] },
    BrotliEncoderDestroyInstance: { return: 'void', arguments: ['pointer'] },
  });
  return functions;
}

export class Brotli implements Encoder {
  readonly format = 'br';
  readonly bytes = BYTES;
  readonly adapts = false;
  more = false;
  readonly #library: Library;
  readonly #args = new BigUint64Array(new ArrayBuffer(32));
  readonly #at: readonly [bigint, bigint, bigint, bigint];
  /** 0n = none: an instance is good for one body. */
  #instance = 0n;
  #freed = false;

  /** Throws when there is no Brotli to be found in this Node. */
  constructor() {
    brotli ??= open();
    this.#library = brotli;
    const at = ffi.getRawPointer(this.#args.buffer);
    this.#at = [at, at + 8n, at + 16n, at + 24n];
    alive.encoders++;
  }

  begin(level: number): void {
    this.#destroy();
    const instance = this.#library.BrotliEncoderCreateInstance(0n, 0n, 0n);
    if (instance === 0n || instance === null) throw new Error('brotli: no memory');
    this.#instance = instance;
    this.#library.BrotliEncoderSetParameter(instance, PARAM_QUALITY, Math.min(level, QUALITY_MAX));
    this.#library.BrotliEncoderSetParameter(instance, PARAM_LGWIN, LGWIN);
    this.#args[AVAILABLE_IN] = 0n;
  }

  /** An instance keeps its quality. */
  setLevel(): void {}

  load(bytes: Uint8Array, start: number, end: number): void {
    loadInput(bytes, start, end);
    this.#args[AVAILABLE_IN] = BigInt(end - start);
    this.#args[NEXT_IN] = INPUT_AT;
  }

  run(operation: Operation): number {
    const args = this.#args;
    const [availableIn, nextIn, availableOut, nextOut] = this.#at;
    args[AVAILABLE_OUT] = BigInt(OUTPUT_BYTES);
    args[NEXT_OUT] = OUTPUT_AT;
    const { BrotliEncoderCompressStream, BrotliEncoderHasMoreOutput } = this.#library;
    const done = BrotliEncoderCompressStream(this.#instance, operation, availableIn, nextIn, availableOut, nextOut, 0n);
    if (done === 0) throw new Error('brotli: compression failed');
    this.more = args[AVAILABLE_IN]! > 0n || BrotliEncoderHasMoreOutput(this.#instance) !== 0;
    if (operation === FINISH && !this.more) this.#destroy();
    return OUTPUT_BYTES - Number(args[AVAILABLE_OUT]!);
  }

  #destroy(): void {
    const instance = this.#instance;
    this.#instance = 0n;
    if (instance !== 0n) this.#library.BrotliEncoderDestroyInstance(instance);
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    alive.encoders--;
    this.#destroy();
  }
}
