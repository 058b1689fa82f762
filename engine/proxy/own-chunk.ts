/** Bytes of our own where a received chunk is expected. */
import type { Chunk } from '../io/contract.ts';

/** A chunk over `bytes`, which nobody may change any more: keeping it needs nothing. */
export function ownChunk(bytes: Uint8Array): Chunk {
  return { bytes, start: 0, end: bytes.length, keep() {}, release() {} };
}

/** One chunk with the bytes of all; they are released. */
export function joined(chunks: readonly Chunk[]): Chunk {
  const bytes = new Uint8Array(chunks.reduce((sum, { start, end }) => sum + end - start, 0));
  let at = 0;
  for (const chunk of chunks) {
    bytes.set(chunk.bytes.subarray(chunk.start, chunk.end), at);
    at += chunk.end - chunk.start;
    chunk.release();
  }
  return ownChunk(bytes);
}
