/**
 * What all TLS connections of a thread read from and write to: two BIOs. A connection is given bytes, does one thing, and
 * its records are taken away before another one is touched, so that two BIOs do for all, and an idle connection holds no
 * buffers of its own.
 *
 *   received chunk ◄── input BIO points at it ──► SSL_read ──► plaintext, where the caller wants it
 *   plaintext ──► SSL_write ──► output BIO points at it ──► the chunk that is sent
 *   handshakes, alerts ──► output BIO, its own memory ── `take` ──► the chunk that is sent
 *
 * The input BIO is a read-only memory BIO: it holds no bytes but points at them, by its public `BUF_MEM` (openssl/buffer.h):
 *
 *   length 8 | data 8 | max 8 | flags 8         reading moves `data` on and lowers `length`
 *
 * OpenSSL takes from it no more than the record it needs, so that what is left there is exactly what was not looked at.
 *
 * The output BIO has two of them: what was written, and what of it was not read yet. They agree whenever nothing is in it,
 * so that both may be pointed elsewhere between two calls.
 */
import { copy } from '../bytes.ts';
import { BIO, openssl, pointerTo, view } from './openssl.ts';

const BUF_MEM_BYTES = 32;
const LENGTH = 0;
const DATA = 1;
/** As 32-bit words. */
const LENGTH_WORD = 0;
const MAX_WORD = 4;

/** Bytes that have no address are copied here first. */
const STAGING_BYTES = 65_536;
const staging = new Uint8Array(STAGING_BYTES);
const stagingAt = pointerTo(staging);

const nothing = new ArrayBuffer(8);
const input = openssl.BIO_new_mem_buf(pointerTo(nothing), 0);
const output = openssl.BIO_new(openssl.BIO_s_mem());

/** Where a BIO's BUF_MEM is. */
function memoryOf(bio: bigint): ArrayBuffer {
  const found = new BigUint64Array(1);
  openssl.BIO_ctrl(bio, BIO.memory, 0n, pointerTo(found.buffer));
  return view(found[0]!, BUF_MEM_BYTES);
}

/** Where the BUF_MEM of what was not read yet is: a memory BIO's own data begins with pointers to both. */
function restOf(bio: bigint): ArrayBuffer {
  const [written, rest] = new BigUint64Array(view(openssl.BIO_get_data(bio), 16));
  const found = new BigUint64Array(1);
  openssl.BIO_ctrl(bio, BIO.memory, 0n, pointerTo(found.buffer));
  if (written !== found[0]) throw new Error('tls: the memory BIOs of this OpenSSL are not known');
  return view(rest!, BUF_MEM_BYTES);
}

// An empty input means "more will come", not the end.
openssl.BIO_ctrl(input, BIO.endOfFile, -1n, 0n);
const input64 = new BigUint64Array(memoryOf(input));
const input32 = new Uint32Array(input64.buffer);
const output32 = new Uint32Array(memoryOf(output));
const output64 = new BigUint64Array(output32.buffer);
const outputRest = new BigUint64Array(restOf(output));
const outputRest32 = new Uint32Array(outputRest.buffer);
input64[LENGTH] = 0n;

/** Lets a connection read and write here. */
export function attach(ssl: bigint): void {
  openssl.BIO_up_ref(input);
  openssl.BIO_up_ref(output);
  openssl.SSL_set_bio(ssl, input, output);
}

/** The next bytes to read: `bytes[start, end)`, at most STAGING_BYTES when `address`, that of `bytes[0]`, is not known. */
export function feed(bytes: Uint8Array, address: bigint | undefined, start: number, end: number): void {
  input64[DATA] = locate(bytes, address, start, end);
  input32[LENGTH_WORD] = end - start;
  input32[MAX_WORD] = end - start;
}

/** How many of them were not read. */
export function unread(): number {
  return input32[LENGTH_WORD]!;
}

/** Forgets them. */
export function drop(): void {
  input32[LENGTH_WORD] = 0;
  input32[MAX_WORD] = 0;
}

/** The address of `bytes[start]`, where native code finds it until the next call. */
export function locate(bytes: Uint8Array, address: bigint | undefined, start: number, end: number): bigint {
  if (address !== undefined) return start === 0 ? address : address + BigInt(start);
  copy(bytes, start, end, staging, 0);
  return stagingAt;
}

/** How many bytes may be fed or located at once. */
export const SPAN_BYTES = STAGING_BYTES;

/** Bytes of records to be sent. */
export function produced(): number {
  return output32[LENGTH_WORD]!;
}

/** Moves `bytes` of them, all there are, to `address`. */
export function take(address: bigint, bytes: number): void {
  openssl.BIO_read(output, address, bytes);
  // The BIO itself would do that only with the next write.
  output32[LENGTH_WORD] = 0;
}

/**
 * Bytes that the records of `bytes` bytes of plaintext need at most. Records may be as short as 512 bytes (RFC 6066 4), and none adds
 * more than 128 to its plaintext, nor does a key update that goes before them.
 */
export function roomFor(bytes: number): number {
  return bytes + (bytes >> 2) + 512;
}

/** The output BIO's own memory while it is aimed elsewhere: `data` and `max`, as they stand in a BUF_MEM. */
const own = new Uint32Array(BUF_MEM_BYTES / 4);
const DATA_WORD = 2;
const END_WORD = 6;

function copyMemory(from: Uint32Array, to: Uint32Array): void {
  for (let word = DATA_WORD; word < END_WORD; word++) to[word] = from[word]!;
}

/** What is written next goes to `address`: there must be room for all of it, `room` bytes. */
export function aim(address: bigint, room: number): void {
  copyMemory(output32, own);
  output64[DATA] = address;
  outputRest[DATA] = address;
  output32[MAX_WORD] = room;
  outputRest32[MAX_WORD] = room;
}

/** How much that was. From now on it goes into the output BIO's own memory again. */
export function aimed(): number {
  const bytes = output32[LENGTH_WORD]!;
  output32[LENGTH_WORD] = 0;
  outputRest32[LENGTH_WORD] = 0;
  copyMemory(own, output32);
  copyMemory(own, outputRest32);
  return bytes;
}
