/** `shards`: which peer gets an entry, by a hash of its table and key, so that all processes agree. */
import { xxh64 } from '../sample/xxhash.ts';
import type { SharedTable } from './shared-table.ts';

/** 1 to `shards`; 0 where there are none. `key` as it travels. */
export function shardOf({ name, keyType }: SharedTable, key: Uint8Array, shards: number): number {
  if (shards === 0) return 0;
  const seed = xxh64(Buffer.from(name), 0, Buffer.byteLength(name), 0n);
  // An integer as it is in memory: the lowest byte first.
  const bytes =
    keyType === 'integer' ? Buffer.from(key).reverse() : Buffer.from(key.buffer, key.byteOffset, key.length);
  return Number(xxh64(bytes, 0, bytes.length, seed) % BigInt(shards)) + 1;
}
