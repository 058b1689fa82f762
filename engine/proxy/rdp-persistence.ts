/**
 * `persist rdp-cookie` (manual 4.2): terminal servers in "token redirection" tell their clients to come back with a cookie
 * that names the server: `<address>.<port>.0000`, decimal numbers of the bytes in network order read as little-endian ones
 * ([MS-RDPBCGR] 2.2.1.1).
 *
 *     127.0.0.1:3389  ->  16777343.15629.0000
 */
import type { RdpCookie } from '../balance/rdp-cookie.ts';
import { textOf } from '../http/chars.ts';
import type { Server } from './nouns.ts';
import type { Stream } from './stream.ts';
import { isDown } from './usable.ts';

/** The usable server that the cookie names; null = none. */
export function rdpServer(stream: Stream): Server | null {
  const { rdpCookie } = stream.backend!;
  return rdpCookie === null || stream.ignoresPersistence ? null : namedServer(stream, rdpCookie);
}

function namedServer(stream: Stream, cookie: RdpCookie): Server | null {
  const { servers, proxy } = stream.backend!;
  const payload = stream.client.buffered();
  if (payload === null || !cookie.find(payload)) return null;
  const token = /^(\d{1,10})\.(\d{1,5})\./.exec(textOf(payload.bytes, cookie.start, cookie.end));
  if (token === null) return null;
  const [address, port] = [Number(token[1]), swapped(Number(token[2]))];
  const named = servers.find(({ live }) => {
    const { family, bytes, port: own } = live.address;
    return family === 4 && own === port && littleEndian(bytes) === address;
  });
  if (named === undefined) return null;
  return !isDown(named) || proxy.options.persist || stream.forcesPersistence ? named : null;
}

function swapped(port: number): number {
  return ((port & 0xff) << 8) | ((port >> 8) & 0xff);
}

function littleEndian(bytes: Uint8Array): number {
  return ((bytes[3]! << 24) | (bytes[2]! << 16) | (bytes[1]! << 8) | bytes[0]!) >>> 0;
}
