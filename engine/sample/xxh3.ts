/**
 * XXH3, 64 bits (github.com/Cyan4973/xxHash, its specification). All words have 64 bits, so this is arithmetic on BigInt; it is
 * for keys of some bytes, not for payloads.
 */
import { avalanche64 } from './xxhash.ts';

/** The default secret, 192 bytes. */
const SECRET = Buffer.from(
  'b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671fcb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c' +
    '3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364' +
    'eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e',
  'hex',
);

const MASK = (1n << 64n) - 1n;
const P32_1 = 0x9e3779b1n;
const P32_2 = 0x85ebca77n;
const P32_3 = 0xc2b2ae3dn;
const P64_1 = 0x9e3779b185ebca87n;
const P64_2 = 0xc2b2ae3d27d4eb4fn;
const P64_3 = 0x165667b19e3779f9n;
const P64_4 = 0x85ebca77c2b2ae63n;
const P64_5 = 0x27d4eb2f165667c5n;
const MX1 = 0x165667919e3779f9n;
const MX2 = 0x9fb21c651e98df25n;

const mul = (a: bigint, b: bigint): bigint => (a * b) & MASK;
const swap64 = (x: bigint): bigint => {
  let out = 0n;
  for (let i = 0n; i < 8n; i++) out = (out << 8n) | ((x >> (8n * i)) & 0xffn);
  return out;
};
const rotl = (x: bigint, n: bigint): bigint => ((x << n) | (x >> (64n - n))) & MASK;
/** The two halves of a product of 128 bits. */
const fold = (a: bigint, b: bigint): bigint => {
  const product = a * b;
  return (product & MASK) ^ (product >> 64n);
};

function avalanche(x: bigint): bigint {
  const y = mul(x ^ (x >> 37n), MX1);
  return y ^ (y >> 32n);
}

const r32 = (b: Buffer, at: number): bigint => BigInt(b.readUInt32LE(at));
const r64 = (b: Buffer, at: number): bigint => b.readBigUInt64LE(at);

/** 0 to 16 bytes. */
function short(b: Buffer, seed: bigint): bigint {
  const n = b.length;
  if (n > 8) {
    const flip1 = (r64(SECRET, 24) ^ r64(SECRET, 32)) + seed;
    const flip2 = (r64(SECRET, 40) ^ r64(SECRET, 48)) - seed;
    const low = r64(b, 0) ^ (flip1 & MASK);
    const high = r64(b, n - 8) ^ (flip2 & MASK);
    return avalanche((BigInt(n) + swap64(low) + high + fold(low, high)) & MASK);
  }
  if (n >= 4) {
    const low = seed & 0xffffffffn;
    const swapped = swap64(low) >> 32n;
    const mixed = seed ^ (swapped << 32n);
    const flip = ((r64(SECRET, 8) ^ r64(SECRET, 16)) - mixed) & MASK;
    const keyed = (r32(b, n - 4) + (r32(b, 0) << 32n)) ^ flip;
    let h = mul(keyed ^ rotl(keyed, 49n) ^ rotl(keyed, 24n), MX2);
    h = mul(h ^ ((h >> 35n) + BigInt(n)), MX2);
    return h ^ (h >> 28n);
  }
  if (n > 0) {
    const combined = (BigInt(b[0]!) << 16n) | (BigInt(b[n >> 1]!) << 24n) | BigInt(b[n - 1]!) | (BigInt(n) << 8n);
    return avalanche64(combined ^ (((r32(SECRET, 0) ^ r32(SECRET, 4)) + seed) & MASK));
  }
  return avalanche64(seed ^ r64(SECRET, 56) ^ r64(SECRET, 64));
}

function mix16(b: Buffer, at: number, secret: number, seed: bigint): bigint {
  const low = r64(b, at) ^ ((r64(SECRET, secret) + seed) & MASK);
  const high = r64(b, at + 8) ^ ((r64(SECRET, secret + 8) - seed) & MASK);
  return fold(low, high);
}

/** 17 to 128 bytes. */
function middle(b: Buffer, seed: bigint): bigint {
  const n = b.length;
  let acc = mul(BigInt(n), P64_1);
  for (let i = Math.floor((n - 1) / 32); i >= 0; i--) {
    acc += mix16(b, 16 * i, 32 * i, seed) + mix16(b, n - 16 * (i + 1), 32 * i + 16, seed);
  }
  return avalanche(acc & MASK);
}

/** 129 to 240 bytes. */
function long(b: Buffer, seed: bigint): bigint {
  const n = b.length;
  const rounds = Math.floor(n / 16);
  let acc = mul(BigInt(n), P64_1);
  for (let i = 0; i < 8; i++) acc += mix16(b, 16 * i, 16 * i, seed);
  acc = avalanche(acc & MASK);
  for (let i = 8; i < rounds; i++) acc += mix16(b, 16 * i, 16 * (i - 8) + 3, seed);
  acc += mix16(b, n - 16, 136 - 17, seed);
  return avalanche(acc & MASK);
}

const STRIPE = 64;
const STRIPES = (SECRET.length - STRIPE) / 8;

/** The secret that a seed makes of the default one. */
function secretOf(seed: bigint): Buffer {
  if (seed === 0n) return SECRET;
  const out = Buffer.alloc(SECRET.length);
  for (let at = 0; at < out.length; at += 16) {
    out.writeBigUInt64LE((r64(SECRET, at) + seed) & MASK, at);
    out.writeBigUInt64LE((r64(SECRET, at + 8) - seed) & MASK, at + 8);
  }
  return out;
}

function accumulate(acc: bigint[], b: Buffer, at: number, secret: Buffer, from: number): void {
  for (let i = 0; i < 8; i++) {
    const value = r64(b, at + 8 * i);
    const keyed = value ^ r64(secret, from + 8 * i);
    acc[i ^ 1] = (acc[i ^ 1]! + value) & MASK;
    acc[i] = (acc[i]! + (keyed & 0xffffffffn) * (keyed >> 32n)) & MASK;
  }
}

function scramble(acc: bigint[], secret: Buffer): void {
  for (let i = 0; i < 8; i++) {
    acc[i] = mul(acc[i]! ^ (acc[i]! >> 47n) ^ r64(secret, secret.length - STRIPE + 8 * i), P32_1);
  }
}

/** More than 240 bytes. */
function bulk(b: Buffer, seed: bigint): bigint {
  const secret = secretOf(seed);
  const acc = [P32_3, P64_1, P64_2, P64_3, P64_4, P32_2, P64_5, P32_1];
  const n = b.length;
  const block = STRIPE * STRIPES;
  const blocks = Math.floor((n - 1) / block);
  for (let i = 0; i < blocks; i++) {
    for (let s = 0; s < STRIPES; s++) accumulate(acc, b, i * block + s * STRIPE, secret, 8 * s);
    scramble(acc, secret);
  }
  const rest = Math.floor((n - 1 - block * blocks) / STRIPE);
  for (let s = 0; s < rest; s++) accumulate(acc, b, blocks * block + s * STRIPE, secret, 8 * s);
  accumulate(acc, b, n - STRIPE, secret, SECRET.length - STRIPE - 7);
  let hash = mul(BigInt(n), P64_1);
  for (let i = 0; i < 4; i++) {
    hash += fold(acc[2 * i]! ^ r64(secret, 11 + 16 * i), acc[2 * i + 1]! ^ r64(secret, 19 + 16 * i));
  }
  return avalanche(hash & MASK);
}

/** 0 to 2^64-1. */
export function xxh3(bytes: Uint8Array, start: number, end: number, seed: bigint): bigint {
  const b = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
  const bits = BigInt.asUintN(64, seed);
  if (b.length <= 16) return short(b, bits);
  if (b.length <= 128) return middle(b, bits);
  return b.length <= 240 ? long(b, bits) : bulk(b, bits);
}
