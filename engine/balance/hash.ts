/**
 * The functions of `hash-type`: bytes in, an unsigned 32-bit number out. They must give HAProxy's own numbers, so that a
 * farm keeps its mapping when it moves: test/balance/vectors pins them.
 */
import type { HashType } from '../config/proxy-model.ts';

/** Hashes bytes[start..end): 0..2^32-1. */
export type Hash = (bytes: Uint8Array, start: number, end: number) => number;

/** sdbm's string hash: multiplies by 65599. */
function sdbm(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 65_599) + bytes[i]!) | 0;
  return hash >>> 0;
}

/** Bernstein's: multiplies by 33. */
function djb2(bytes: Uint8Array, start: number, end: number): number {
  let hash = 5381;
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 33) + bytes[i]!) | 0;
  return hash >>> 0;
}

/** Two words that swap places at each byte, each rotated by an amount that the words themselves give. */
function wt6(bytes: Uint8Array, start: number, end: number): number {
  let a = 0xa53c965a | 0;
  let b = 0x5ca6953a | 0;
  let turnA = 18;
  let turnB = 6;
  for (let i = start; i < end; i++) {
    const mixed = rotateLeft(~(b + bytes[i]!), turnB);
    b = rotateLeft(~(a ^ bytes[i]!), turnA);
    a = mixed;
    const turns = (a >>> 16) ^ b;
    turnB = turns & 31;
    turnA = (turns & 0xffff) >>> 11;
  }
  return (a ^ b) >>> 0;
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}

/** CRC-32 of Ethernet and gzip (polynomial 0x04c11db7, reflected), by a table of 256 words. */
const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array, start: number, end: number): number {
  let crc = -1;
  for (let i = start; i < end; i++) crc = (crc >>> 8) ^ CRC_TABLE[(crc ^ bytes[i]!) & 0xff]!;
  return ~crc >>> 0;
}

/** The key is the hash: its leading decimal digits, after an optional sign, modulo 2^32. */
function none(bytes: Uint8Array, start: number, end: number): number {
  const sign = start < end && (bytes[start] === MINUS || bytes[start] === PLUS) ? bytes[start] : 0;
  let number = 0;
  for (let i = sign ? start + 1 : start; i < end; i++) {
    const digit = bytes[i]! - ZERO;
    if (digit < 0 || digit > 9) break;
    number = (Math.imul(number, 10) + digit) | 0;
  }
  return (sign === MINUS ? -number : number) >>> 0;
}
const MINUS = 0x2d;
const PLUS = 0x2b;
const ZERO = 0x30;

const FUNCTIONS: Record<HashType['fn'], Hash> = { sdbm, djb2, wt6, crc32, none };

/**
 * Bob Jenkins' six-shift integer hash with full avalanche, then a multiplication by a prime near 3/4 of the range, which
 * spreads close results over the whole consistent ring. `word` is any 32-bit integer; the result is unsigned.
 */
export function avalanche(word: number): number {
  let a = word | 0;
  a = (a + 0x7ed55d16 + (a << 12)) | 0;
  a = a ^ 0xc761c23c ^ (a >>> 19);
  a = (a + 0x165667b1 + (a << 5)) | 0;
  a = (a + (0xd3a2646c | 0)) ^ (a << 9);
  a = (a + (0xfd7046c5 | 0) + (a << 3)) | 0;
  a = a ^ 0xb55a4f09 ^ (a >>> 16);
  return Math.imul(a, 3_221_225_473) >>> 0;
}

/** The hash that a backend's `hash-type` asks for. */
export function hashFor(type: Pick<HashType, 'fn' | 'avalanche'>): Hash {
  const fn = FUNCTIONS[type.fn];
  return type.avalanche ? (bytes, start, end) => avalanche(fn(bytes, start, end)) : fn;
}
