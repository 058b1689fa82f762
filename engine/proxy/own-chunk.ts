/** Bytes of our own where a received chunk is expected. */
import type { Chunk } from '../io/contract.ts';

/** A chunk over `bytes`, which nobody may change any more: keeping it needs nothing. */
export function ownChunk(bytes: Uint8Array): Chunk {
  return { bytes, start: 0, end: bytes.length, keep() {}, release() {} };
}
