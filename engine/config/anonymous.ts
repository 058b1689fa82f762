/**
 * Names and addresses as hashes (`-dC<key>`, `set anon`): the same one for the same name and key, so that who reads a dump sees
 * what belongs together, and too short to lead back: 24 bits of xxHash-32 with the key as its seed.
 */
import { xxh32 } from '../sample/xxhash.ts';

/** `3fe2a1`; as it is with the key 0 and for nothing at all. */
export function hashed(text: string, key: number): string {
  if (key === 0 || text === '') return text;
  const bytes = Buffer.from(text);
  return (xxh32(bytes, 0, bytes.length, key) & 0xff_ffff).toString(16).padStart(6, '0');
}

/** Words in front of an address: what it is, or how it is meant. */
const PREFIX =
  /^(?:(?:unix|abns|abnsz|ipv4|ipv6|fd|sockpair|udp|udp4|udp6|tcp|tcp4|tcp6|mptcp|quic4|quic6|stream|dgram|uxst)(?:\+\w+)?@)+/;

/** Hosts that tell nothing about anybody. */
const COMMON = new Set(['', '*', '0.0.0.0', '::', '[::]', '127.0.0.1', '::1', '[::1]', 'localhost']);

/** An address: its kind and port stay. Several, with commas between them, one by one. */
export function hashedAddress(text: string, key: number): string {
  if (key === 0) return text;
  return text
    .split(',')
    .map(one => {
      const prefix = PREFIX.exec(one)?.[0] ?? '';
      const rest = one.slice(prefix.length);
      if (prefix.startsWith('fd@')) return one;
      if (rest.startsWith('/') || /^(unix|abns)/.test(prefix)) return `${prefix}PATH(${hashed(rest, key)})`;
      const [, host = '', port = ''] = /^(.*?)((?::[+-]?[\d-]*)?)$/.exec(rest)!;
      if (COMMON.has(host)) return one;
      const kind = host.includes(':') ? 'IPV6' : /^[\d.]+$/.test(host) ? 'IPV4' : 'HOST';
      return `${prefix}${kind}(${hashed(host, key)})${port}`;
    })
    .join(',');
}
