/** The system's words for the errors a check can meet: logs and the `last_chk` column show them as the C library says them. */
import { constants } from 'node:os';
import type { SocksNews } from '../io/socks4.ts';

const TEXTS = [
  ['EACCES', 'Permission denied'],
  ['EADDRINUSE', 'Address already in use'],
  ['EADDRNOTAVAIL', 'Cannot assign requested address'],
  ['EAFNOSUPPORT', 'Address family not supported by protocol'],
  ['EAGAIN', 'Resource temporarily unavailable'],
  ['ECONNABORTED', 'Software caused connection abort'],
  ['ECONNREFUSED', 'Connection refused'],
  ['ECONNRESET', 'Connection reset by peer'],
  ['EHOSTUNREACH', 'No route to host'],
  ['EINVAL', 'Invalid argument'],
  ['EMFILE', 'Too many open files'],
  ['ENETUNREACH', 'Network is unreachable'],
  ['ENFILE', 'Too many open files in system'],
  ['ENOBUFS', 'No buffer space available'],
  ['ENOENT', 'No such file or directory'],
  ['ENOTCONN', 'Transport endpoint is not connected'],
  ['EPERM', 'Operation not permitted'],
  ['EPIPE', 'Broken pipe'],
  ['EPROTO', 'Protocol error'],
  // Of no socket: see ConnectOptions.ports.
  ['ERANGE', 'Source port range exhausted'],
  ['ETIMEDOUT', 'Connection timed out'],
] as const;

const BY_NUMBER = new Map<number, string>(TEXTS.map(([name, text]) => [constants.errno[name], text]));

/** The text of a positive errno; '' for 0. */
export function errnoText(errno: number): string {
  if (errno === 0) return '';
  return BY_NUMBER.get(errno) ?? `Unknown error ${errno}`;
}

/** Why there is no connection through a SOCKS proxy; `errno` of a connection that broke. */
export function socksText(news: SocksNews, errno: number): string {
  if (news === 'reached') return `SOCKS4 Proxy handshake aborted by server (${errnoText(errno)})`;
  return `SOCKS4 Proxy ${news === 'denied' ? 'deny the request' : 'read error during handshake'}`;
}
