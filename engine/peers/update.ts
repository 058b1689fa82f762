/**
 * Entries on the wire (HAProxy's doc/peers.txt, "Entry update message format"):
 *
 *   [ update id, 4 bytes ]?  [ time to live in ms, 4 bytes ]?  [ key ]  [ values ]
 *
 * An incremental update has no id: it is the one after the id before. A timed one has the time. The key is 4 bytes of an
 * integer, a length and a string, or as many bytes as the definition says.
 */

import { KEY_TYPES, type KeyType } from '../stick/data-types.ts';
import type { Reader, Writer } from './bytes.ts';
import type { Definition } from './definition.ts';
import type { HeardTexts, SentTexts } from './dictionary.ts';
import { type Column, type Entry, width } from './shared-table.ts';

/** What a lifetime of 32 bits can tell. Milliseconds. */
const EXPIRE_MAX_MS = 0x7fff_ffff;

export function writeKey(out: Writer, keyType: KeyType, key: Uint8Array): void {
  if (keyType === 'string') out.varint(key.length);
  out.raw(key);
}

/** Null when it is not all there. The bytes are lent. */
export function readKey(body: Reader, { keyType, keyBytes }: Definition): Uint8Array | null {
  const length =
    keyType === KEY_TYPES.string.number ? body.varint() : keyType === KEY_TYPES.integer.number ? 4 : keyBytes;
  // An announced string length counts one more.
  if (keyType === KEY_TYPES.string.number && length >= keyBytes) return null;
  const key = body.take(length);
  return body.bad ? null : key;
}

export function writeExpire(out: Writer, expireMs: number): void {
  out.uint32(Math.min(Math.ceil(expireMs), EXPIRE_MAX_MS));
}

export function writeValues(out: Writer, columns: readonly Column[], { values }: Entry, texts: SentTexts): void {
  let at = 0;
  for (const { type, count } of columns) {
    for (let left = count * width(type); left > 0; left--, at++) {
      if (type.kind === 'name') texts.write(out, String(values[at]));
      else out.varint(Number(values[at]));
    }
  }
}

/** Reads the values of `columns` into `entry`. False when they are not all there. */
export function readValues(body: Reader, columns: readonly Column[], entry: Entry, texts: HeardTexts): boolean {
  const { values } = entry;
  values.length = 0;
  for (const { type, count } of columns) {
    for (let left = count * width(type); left > 0; left--) {
      const value = type.kind === 'name' ? texts.read(body) : body.varint();
      if (value === null) return false;
      values.push(value);
    }
  }
  return !body.bad;
}
