/** Chunks over bytes of our own. */
import type { Chunk } from '../io/contract.ts';

/** Keeping it needs nothing: the bytes are never given back. */
export function owned(bytes: Uint8Array): Chunk {
  return { bytes, start: 0, end: bytes.length, keep() {}, release() {} };
}

/** A chunk with the bytes of both; `first` is released. `second` may be lent. */
export function joined(first: Chunk, second: Chunk): Chunk {
  const length = first.end - first.start;
  const bytes = new Uint8Array(length + second.end - second.start);
  bytes.set(first.bytes.subarray(first.start, first.end));
  bytes.set(second.bytes.subarray(second.start, second.end), length);
  first.release();
  return owned(bytes);
}
