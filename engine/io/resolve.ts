/**
 * Host names to addresses at start, through the C library, so that /etc/hosts and nsswitch count as everywhere else.
 * Blocks the thread: for the master while it reads a configuration, never for a worker.
 */
import ffi from 'node:ffi';
import type { Address } from './contract.ts';
import { AF_INET, AF_INET6, AF_UNIX, decodeSockaddr, SOCK_STREAM } from './native.ts';

const { functions: libc } = ffi.dlopen(null, {
  getaddrinfo: { return: 'i32', arguments: ['string', 'pointer', 'pointer', 'pointer'] },
  freeaddrinfo: { return: 'void', arguments: ['pointer'] },
});

/**
 * struct addrinfo: flags 0, family 4, socktype 8, protocol 12, addrlen 16, then two pointers that Linux and macOS have
 * in different order (addr 24, canonname 32 on Linux), next 40.
 */
const ADDRINFO_BYTES = 48;
const ADDR_AT = process.platform === 'darwin' ? 32 : 24;
const FAMILIES: readonly number[] = [AF_INET, AF_INET6];

/** The first address of `host`, port 0, of the family (0 = of any); null when it has none. */
export function resolveHost(host: string, family: Address['family'] | 0 = 0): Address | null {
  const hints = new Int32Array(ADDRINFO_BYTES / 4);
  if (family !== 0) hints[1] = family === 6 ? AF_INET6 : AF_INET;
  hints[2] = SOCK_STREAM;
  const result = new BigUint64Array(1);
  if (libc.getaddrinfo(host, 0n, hints, result) !== 0) return null;
  const first = result[0]!;
  const found = ffi.getInt32(first, 4);
  const length = ffi.getInt32(first, 16);
  const name = FAMILIES.includes(found)
    ? new Uint8Array(ffi.toArrayBuffer(ffi.getUint64(first, ADDR_AT), length))
    : null;
  const address = name === null ? null : decodeSockaddr(name, length);
  libc.freeaddrinfo(first);
  return address === null || address.family === AF_UNIX ? null : address;
}
