/** xxHash (github.com/Cyan4973/xxHash, its specification): XXH32 on doubles, XXH64 on BigInt as it works on 64-bit words. */

const P32 = [0x9e3779b1, 0x85ebca77, 0xc2b2ae3d, 0x27d4eb2f, 0x165667b1] as const;

function rotl32(x: number, n: number): number {
  return (x << n) | (x >>> (32 - n));
}

function u32(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

function round32(acc: number, lane: number): number {
  return Math.imul(rotl32((acc + Math.imul(lane, P32[1])) | 0, 13), P32[0]);
}

/** 0..2^32-1. */
export function xxh32(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let at = start;
  let hash: number;
  if (end - start >= 16) {
    let a = (seed + P32[0] + P32[1]) | 0;
    let b = (seed + P32[1]) | 0;
    let c = seed | 0;
    let d = (seed - P32[0]) | 0;
    for (; at + 16 <= end; at += 16) {
      a = round32(a, u32(bytes, at));
      b = round32(b, u32(bytes, at + 4));
      c = round32(c, u32(bytes, at + 8));
      d = round32(d, u32(bytes, at + 12));
    }
    hash = (rotl32(a, 1) + rotl32(b, 7) + rotl32(c, 12) + rotl32(d, 18)) | 0;
  } else hash = (seed + P32[4]) | 0;
  hash = (hash + end - start) | 0;
  for (; at + 4 <= end; at += 4) hash = Math.imul(rotl32((hash + Math.imul(u32(bytes, at), P32[2])) | 0, 17), P32[3]);
  for (; at < end; at++) hash = Math.imul(rotl32((hash + Math.imul(bytes[at]!, P32[4])) | 0, 11), P32[0]);
  hash = Math.imul(hash ^ (hash >>> 15), P32[1]);
  hash = Math.imul(hash ^ (hash >>> 13), P32[2]);
  return (hash ^ (hash >>> 16)) >>> 0;
}

const P64 = [
  0x9e3779b185ebca87n,
  0xc2b2ae3d27d4eb4fn,
  0x165667b19e3779f9n,
  0x85ebca77c2b2ae63n,
  0x27d4eb2f165667c5n,
] as const;

export function u64(x: bigint): bigint {
  return BigInt.asUintN(64, x);
}

function rotl64(x: bigint, n: bigint): bigint {
  return u64((x << n) | (x >> (64n - n)));
}

function round64(acc: bigint, lane: bigint): bigint {
  return u64(rotl64(u64(acc + lane * P64[1]), 31n) * P64[0]);
}

function merge64(hash: bigint, acc: bigint): bigint {
  return u64((hash ^ round64(0n, acc)) * P64[0] + P64[3]);
}

export function avalanche64(hash: bigint): bigint {
  let h = u64((hash ^ (hash >> 33n)) * P64[1]);
  h = u64((h ^ (h >> 29n)) * P64[2]);
  return h ^ (h >> 32n);
}

/** 0..2^64-1. */
export function xxh64(bytes: Buffer, start: number, end: number, seed: bigint): bigint {
  let at = start;
  let hash: bigint;
  if (end - start >= 32) {
    const acc = [u64(seed + P64[0] + P64[1]), u64(seed + P64[1]), u64(seed), u64(seed - P64[0])];
    for (; at + 32 <= end; at += 32) {
      for (let i = 0; i < 4; i++) acc[i] = round64(acc[i]!, bytes.readBigUInt64LE(at + 8 * i));
    }
    const [a, b, c, d] = acc as [bigint, bigint, bigint, bigint];
    hash = u64(rotl64(a, 1n) + rotl64(b, 7n) + rotl64(c, 12n) + rotl64(d, 18n));
    hash = merge64(merge64(merge64(merge64(hash, a), b), c), d);
  } else hash = u64(seed + P64[4]);
  hash = u64(hash + BigInt(end - start));
  for (; at + 8 <= end; at += 8) {
    hash = u64(rotl64(hash ^ round64(0n, bytes.readBigUInt64LE(at)), 27n) * P64[0] + P64[3]);
  }
  if (at + 4 <= end) {
    hash = u64(rotl64(hash ^ u64(BigInt(bytes.readUInt32LE(at)) * P64[0]), 23n) * P64[1] + P64[2]);
    at += 4;
  }
  for (; at < end; at++) hash = u64(rotl64(hash ^ u64(BigInt(bytes[at]!) * P64[4]), 11n) * P64[0]);
  return avalanche64(hash);
}
