/** Zstandard (RFC 8878), by the library inside Node. */
import ffi from 'node:ffi';
import { alive, type Encoder, INPUT_AT, loadInput, type Operation, OUTPUT_AT, OUTPUT_BYTES } from './encoder.ts';

/** ZSTD_EndDirective has our numbers: continue, flush, end. */
const RESET_SESSION = 1;
const PARAM_LEVEL = 100;
const PARAM_WINDOW_LOG = 101;
/** A window of 512 KiB: what a decoder must hold, far below the 8 MiB that RFC 9659 lets it refuse. */
const WINDOW_LOG = 19;
/** What a context of such settings has been seen to take. */
const BYTES = 2 * 1024 * 1024;

/*
 * ZSTD_inBuffer and ZSTD_outBuffer, in words of 8 bytes:
 *
 *      0 in.src   1 in.size   2 in.pos   3 out.dst   4 out.size   5 out.pos
 */
const IN_SIZE = 1;
const IN_POS = 2;
const OUT_POS = 5;

type Library = ReturnType<typeof open>;
let zstd: Library | null = null;

function open() {
  const { functions } = ffi.dlopen(null, {
    ZSTD_createCCtx: { return: 'pointer', arguments: [] },
    ZSTD_CCtx_setParameter: { return: 'u64', arguments: ['pointer', 'i32', 'i32'] },
    ZSTD_CCtx_reset: { return: 'u64', arguments: ['pointer', 'i32'] },
    ZSTD_compressStream2: { return: 'u64', arguments: ['pointer', 'pointer', 'pointer', 'i32'] },
    ZSTD_isError: { return: 'u32', arguments: ['u64'] },
    ZSTD_freeCCtx: { return: 'u64', arguments: ['pointer'] },
  });
  return functions;
}

export class Zstd implements Encoder {
  readonly format = 'zstd';
  readonly bytes = BYTES;
  readonly adapts = false;
  more = false;
  readonly #library: Library;
  readonly #context: bigint;
  readonly #buffers = new BigUint64Array(new ArrayBuffer(48));
  readonly #in: bigint;
  readonly #out: bigint;
  #freed = false;

  /** Throws when there is no memory, or no Zstandard to be found in this Node. */
  constructor() {
    zstd ??= open();
    this.#library = zstd;
    const context = zstd.ZSTD_createCCtx();
    if (context === 0n || context === null) throw new Error('zstd: no memory');
    this.#context = context;
    this.#in = ffi.getRawPointer(this.#buffers.buffer);
    this.#out = this.#in + 24n;
    this.#buffers.set([INPUT_AT, 0n, 0n, OUTPUT_AT, BigInt(OUTPUT_BYTES), 0n]);
    alive.encoders++;
  }

  begin(level: number): void {
    const { ZSTD_CCtx_reset, ZSTD_CCtx_setParameter } = this.#library;
    ZSTD_CCtx_reset(this.#context, RESET_SESSION);
    ZSTD_CCtx_setParameter(this.#context, PARAM_LEVEL, level);
    ZSTD_CCtx_setParameter(this.#context, PARAM_WINDOW_LOG, WINDOW_LOG);
    this.#buffers[IN_SIZE] = this.#buffers[IN_POS] = 0n;
  }

  /** A frame keeps its level. */
  setLevel(): void {}

  load(bytes: Uint8Array, start: number, end: number): void {
    loadInput(bytes, start, end);
    this.#buffers[IN_SIZE] = BigInt(end - start);
    this.#buffers[IN_POS] = 0n;
  }

  run(operation: Operation): number {
    const buffers = this.#buffers;
    buffers[OUT_POS] = 0n;
    const left = this.#library.ZSTD_compressStream2(this.#context, this.#out, this.#in, operation);
    if (this.#library.ZSTD_isError(left) !== 0) throw new Error('zstd: compression failed');
    const inputLeft = buffers[IN_POS]! < buffers[IN_SIZE]!;
    // With CONTINUE the result is a mere hint of what is inside.
    this.more = inputLeft || (operation !== 0 && left > 0n);
    return Number(buffers[OUT_POS]!);
  }

  free(): void {
    if (this.#freed) return;
    this.#freed = true;
    alive.encoders--;
    this.#library.ZSTD_freeCCtx(this.#context);
  }
}
