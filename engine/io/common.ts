/** What the implementations of the io contract have in common. */
import ffi from 'node:ffi';
import type { Handler, OwnChunk } from './contract.ts';

/** Hears nothing: the handler of an accepted connection until its owner sets one. */
export const NOBODY: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** Of a saved SYN: Ethernet, IP and TCP headers with all their options. */
export const SYN_BYTES_MAX = 256;

/** What a chunk is overwritten with when it is given back, in tests: a late read shows. */
export const POISON = 0xdb;

/** A chunk in memory of the garbage collector, for ios that have no pools. */
export function heapChunk(size: number, poison = false): OwnChunk {
  const memory = new ArrayBuffer(size);
  let kept = 1;
  return {
    bytes: new Uint8Array(memory),
    start: 0,
    end: 0,
    address: ffi.getRawPointer(memory),
    keep() {
      kept++;
    },
    release() {
      if (kept === 0) throw new Error('io: chunk released more often than kept');
      if (--kept === 0 && poison) this.bytes.fill(POISON);
    },
  };
}
