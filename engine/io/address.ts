/**
 * `Address` values to text and back. Text is HAProxy's: `127.0.0.1:80`, `::1:80` (no brackets), a unix path as it is,
 * `abns@name` or `abnsz@name` for a name in Linux's abstract namespace.
 */
import type { Address } from './contract.ts';
import { ipText, parseIpv4, parseIpv6 } from './ip.ts';

const utf8 = new TextDecoder();

/** The unnamed unix address: what a client that did not bind has. */
export const UNNAMED: Address = Object.freeze({ family: 1, bytes: new Uint8Array(0), port: 0 });

/** No address at all, with the port that goes with the one to come: that of a server whose name does not resolve. */
export function nowhere(port: number): Address {
  return { ...UNNAMED, port };
}

export function isNowhere({ bytes }: Address): boolean {
  return bytes.length === 0;
}

/**
 * Bytes of an abstract name as `abns@` means it: zeros fill `sun_path`, as with HAProxy. Other programs, and `abnsz@`, end it
 * where the text ends, which is another name.
 */
const PADDED_NAME_BYTES = 108;

/** An abstract name is kept as the kernel has it: its first byte is zero. */
export function isAbstract(address: Address): boolean {
  return address.family === 1 && address.bytes.length > 0 && address.bytes[0] === 0;
}

/** A unix address: a path, or a name in the abstract namespace. */
export function unixAddress(name: string, kind: 'path' | 'abns' | 'abnsz' = 'path'): Address {
  const text = kind === 'path' ? name : `\0${name}`;
  const bytes = new TextEncoder().encode(kind === 'abns' ? text.padEnd(PADDED_NAME_BYTES, '\0') : text);
  return { family: 1, bytes: kind === 'abns' ? bytes.slice(0, PADDED_NAME_BYTES) : bytes, port: 0 };
}

/** The host part: `127.0.0.1`, `::1`, `/run/x.sock`, `abns@x`. IPv6 as RFC 5952 writes it. */
export function hostText(address: Address): string {
  const b = address.bytes;
  if (address.family !== 1) return ipText(b);
  if (!isAbstract(address)) return utf8.decode(b);
  let end = b.length;
  while (b[end - 1] === 0) end--;
  return `${b.length === PADDED_NAME_BYTES ? 'abns' : 'abnsz'}@${utf8.decode(b.subarray(1, Math.max(end, 1)))}`;
}

/** The address as messages and logs write it. */
export function addressText(address: Address): string {
  return address.family === 1 ? hostText(address) : `${hostText(address)}:${address.port}`;
}

export function sameAddress(a: Address, b: Address): boolean {
  if (a.family !== b.family || a.port !== b.port || a.bytes.length !== b.bytes.length) return false;
  for (let i = 0; i < a.bytes.length; i++) if (a.bytes[i] !== b.bytes[i]) return false;
  return true;
}

/** An IPv4 or IPv6 address in numbers (a `%zone` is dropped); null when it is neither. */
export function parseIp(text: string, port: number): Address | null {
  const bytes = text.includes(':') ? parseIpv6(text.replace(/%.*$/s, '')) : parseIpv4(text);
  return bytes === null ? null : { family: bytes.length === 4 ? 4 : 6, bytes, port };
}
