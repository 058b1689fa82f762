/**
 * Compression of one body after another, by the libraries inside Node through `node:ffi`: no streams, no promises, no thread
 * pool; what a call does is bounded by SLICE_BYTES. Measured (21 KiB of JSON, gzip level 1): 84 µs a body; the one-shot
 * functions of node:zlib take 120 to 260 µs, as they make their state and their buffers each time.
 *
 *      encoder.begin(level);
 *      encoder.load(bytes, at, at + SLICE_BYTES)              input of the next calls of `run`, copied
 *      do { n = encoder.run(CONTINUE); send(OUTPUT, OUTPUT_START, OUTPUT_START + n) } while (encoder.more)
 *
 * All encoders of a thread share one input and one output buffer: each is empty again before another encoder's turn.
 */

import ffi from 'node:ffi';
import { copy } from '../bytes.ts';

/** Input of one call at most. Bytes. */
export const SLICE_BYTES = 16_384;
/** Output of one call at most: more than a slice that cannot be compressed becomes. Bytes. */
export const OUTPUT_BYTES = SLICE_BYTES + 1_024;
/** Room before and behind the output, for the framing that the caller puts around it. Bytes. */
export const OUTPUT_START = 16;
const OUTPUT_TAIL = 16;

/** What a call of `run` is to do beside taking the input. */
export const CONTINUE = 0;
/** All that was put in comes out. */
export const FLUSH = 1;
/** The same, and the body ends. */
export const FINISH = 2;
export type Operation = typeof CONTINUE | typeof FLUSH | typeof FINISH;

export interface Encoder {
  /** Name of the format (`formats.ts`). */
  readonly format: string;
  /** Native memory that it holds. Bytes. */
  readonly bytes: number;
  /** Starts a body. */
  begin(level: number): void;
  /** `setLevel` does something. */
  readonly adapts: boolean;
  /** Another level for what follows, 0 = none; only right after a flush. */
  setLevel(level: number): void;
  /** Input, at most SLICE_BYTES, for the next calls of `run`. */
  load(bytes: Uint8Array, start: number, end: number): void;
  /** Gives how many bytes are in OUTPUT now, from OUTPUT_START on. Throws when the library fails, which it has no reason to. */
  run(operation: Operation): number;
  /** The same `run` again is due: there is more output, or input left. */
  readonly more: boolean;
  /** Ends it. Idempotent; it must not be used any more. */
  free(): void;
}

const INPUT = new Uint8Array(SLICE_BYTES);
export const OUTPUT = new Uint8Array(OUTPUT_START + OUTPUT_BYTES + OUTPUT_TAIL);

/** The addresses of INPUT and of what follows OUTPUT_START in OUTPUT. */
export const INPUT_AT = ffi.getRawPointer(INPUT.buffer);
export const OUTPUT_AT = ffi.getRawPointer(OUTPUT.buffer) + BigInt(OUTPUT_START);

/** Encoders alive in this thread: what a test counts. */
export const alive = { encoders: 0 };

export function loadInput(bytes: Uint8Array, start: number, end: number): void {
  copy(bytes, start, end, INPUT, 0);
}
