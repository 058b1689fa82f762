/**
 * Keys of stick tables as words: the key in hand stands in `KEY` from the moment it is read until the next one is. One
 * thread looks at one key at a time.
 *
 *   ip       [4 bytes]            integer  [value]
 *   ipv6     [16 bytes]           binary   [len bytes, zeros at the end]
 *   string   [length][bytes, zeros at the end]
 */
import type { StickTable } from '../config/stick-model.ts';
import { STICK_KEY_BYTES_MAX } from '../limits.ts';
import { cast } from '../sample/cast.ts';
import { BIN, IPV4, IPV6, type Sample, SINT, STR, type Type } from '../sample/sample.ts';
import type { KeyType } from './data-types.ts';

/** With room for the longest key and its length. */
export const KEY = new Int32Array(1 + STICK_KEY_BYTES_MAX / 4);
const BYTES = new Uint8Array(KEY.buffer);

const SAMPLE_TYPES: Readonly<Record<KeyType, Type>> = { ip: IPV4, ipv6: IPV6, integer: SINT, string: STR, binary: BIN };

/** The sample type that a key is made of. */
export function keyType({ key }: Pick<StickTable, 'key'>): Type {
  return SAMPLE_TYPES[key];
}

/** Words that a key takes in an entry. */
export function keyWords({ key, keyBytes }: Pick<StickTable, 'key' | 'keyBytes'>): number {
  return Math.ceil(keyBytes / 4) + (key === 'string' ? 1 : 0);
}

/** Puts the sample into KEY as a key of the table. False when its type or value does not allow it. */
export function setKey(table: Pick<StickTable, 'key' | 'keyBytes'>, sample: Sample): boolean {
  const { key, keyBytes } = table;
  if (!cast(sample, SAMPLE_TYPES[key])) return false;
  if (key === 'integer') {
    KEY[0] = sample.wide === null ? sample.int | 0 : Number(BigInt.asIntN(32, sample.wide));
    return true;
  }
  setBytes(key, keyBytes, sample.bytes, sample.start, sample.end);
  return true;
}

/** The same with the bytes of a key as they are: of an address, of a text; an integer's four, lowest first. */
export function setKeyBytes({ key, keyBytes }: Pick<StickTable, 'key' | 'keyBytes'>, bytes: Uint8Array): void {
  setBytes(key, keyBytes, bytes, 0, bytes.length);
}

function setBytes(key: KeyType, keyBytes: number, bytes: Uint8Array, start: number, end: number): void {
  const length = Math.min(end - start, keyBytes);
  const words = key === 'string' ? (length + 3) >> 2 : (keyBytes + 3) >> 2;
  const first = key === 'string' ? 1 : 0;
  // Only the last word of a text, and what is behind a short binary, is not written whole below.
  for (let w = length >> 2; w < words; w++) KEY[first + w] = 0;
  if (first === 1) KEY[0] = length;
  const to = first * 4;
  for (let i = 0; i < length; i++) BYTES[to + i] = bytes[start + i]!;
}

/** Words of KEY that make up the key: all of it, but only as much of a text as there is. */
export function usedWords(key: KeyType, words: number): number {
  return key === 'string' ? 1 + ((KEY[0]! + 3) >> 2) : words;
}

/** MurmurHash3 of the first `count` words of KEY: 32 bits. */
export function hashKey(count: number, seed: number): number {
  let h = seed;
  for (let i = 0; i < count; i++) {
    let k = Math.imul(KEY[i]!, 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  return mix(h ^ count);
}

/** MurmurHash3's last step: every bit of the input changes every bit of the result. */
export function mix(h: number): number {
  h ^= h >>> 16;
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
