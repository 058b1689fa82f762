/** Where the points of a server on the ring of consistent hashing begin: `hash-key` (manual 5.2). */
import type { HashKey, Server } from '../config/server-model.ts';
import { isNowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { xxh32 } from '../sample/xxhash.ts';
import { avalanche } from './hash.ts';

/** Points of one server at most (weight 256): those of ids are numbered from id x 4096, so that no two servers share one. */
const POINTS_PER_SERVER = 4096;

/** Gives the key, any 32-bit integer; null = the server has no such thing, and its id goes instead. */
type KeyOf = (server: Server, address: Address) => number | null;

const KEYS: Readonly<Record<HashKey, KeyOf>> = {
  id: ({ id }) => (id * POINTS_PER_SERVER) | 0,
  id32: ({ id }) => id | 0,
  guid: ({ guid }) => {
    const bytes = new TextEncoder().encode(guid ?? '');
    return guid === null ? null : xxh32(bytes, 0, bytes.length, 0);
  },
  addr: (_, address) => addressKey(address, 0),
  'addr-port': (_, address) => addressKey(address, avalanche(address.port)),
};

/** The first of the server's points: the others follow it. `address` is where it is reached now. */
export function nodeKey(server: Server, address: Address): number {
  return KEYS[server.hashKey](server, address) ?? KEYS.id(server, address)!;
}

function addressKey(address: Address, seed: number): number | null {
  const { family, bytes } = address;
  if (family === 1 || isNowhere(address)) return null;
  if (family === 6) return xxh32(bytes, 0, 16, seed);
  return avalanche(seed + (bytes[0]! | (bytes[1]! << 8) | (bytes[2]! << 16) | (bytes[3]! << 24)));
}
