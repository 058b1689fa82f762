/**
 * `Address` values to text and back. Text is HAProxy's: `127.0.0.1:80`, `::1:80` (no brackets), a unix path as it is,
 * `abns@name` for a name in Linux's abstract namespace.
 */
import type { Address } from './contract.ts';

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

/** An abstract name is kept as the kernel has it: its first byte is zero. */
export function isAbstract(address: Address): boolean {
  return address.family === 1 && address.bytes.length > 0 && address.bytes[0] === 0;
}

/** A unix address: a path, or `name` in the abstract namespace. */
export function unixAddress(name: string, abstract = false): Address {
  return { family: 1, bytes: new TextEncoder().encode(abstract ? `\0${name}` : name), port: 0 };
}

/** The host part: `127.0.0.1`, `::1`, `/run/x.sock`, `abns@x`. IPv6 as RFC 5952 writes it. */
export function hostText(address: Address): string {
  const b = address.bytes;
  if (address.family !== 1) return ipText(b);
  if (!isAbstract(address)) return utf8.decode(b);
  let end = b.length;
  while (b[end - 1] === 0) end--;
  return `abns@${utf8.decode(b.subarray(1, Math.max(end, 1)))}`;
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

/** 4 or 16 bytes as text, IPv6 as RFC 5952 writes it. */
export function ipText(b: Uint8Array): string {
  if (b.length === 4) return `${b[0]}.${b[1]}.${b[2]}.${b[3]}`;
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2) words.push((b[i]! << 8) | b[i + 1]!);
  if (words.slice(0, 5).every(w => w === 0) && words[5] === 0xffff) return `::ffff:${b.subarray(12).join('.')}`;
  // RFC 5952 section 4.2: the longest run of two or more zero words becomes `::`, the first one of equals.
  let at = -1;
  let length = 1;
  for (let i = 0; i < 8; i++) {
    let n = 0;
    while (i + n < 8 && words[i + n] === 0) n++;
    if (n > length) {
      at = i;
      length = n;
    }
  }
  const hex = (part: number[]) => part.map(w => w.toString(16)).join(':');
  return at < 0 ? hex(words) : `${hex(words.slice(0, at))}::${hex(words.slice(at + length))}`;
}

/** Parses an IPv4 or IPv6 address in numbers (a `%zone` is dropped); null when it is neither. */
export function parseIp(text: string, port: number): Address | null {
  const bytes = text.includes(':') ? ipv6Bytes(text) : ipv4Bytes(text);
  if (bytes === null) return null;
  return { family: bytes.length === 4 ? 4 : 6, bytes, port };
}

function ipv4Bytes(text: string): Uint8Array | null {
  const parts = text.split('.');
  if (parts.length !== 4) return null;
  const bytes = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    if (!/^\d{1,3}$/.test(parts[i]!) || Number(parts[i]) > 255) return null;
    bytes[i] = Number(parts[i]);
  }
  return bytes;
}

function ipv6Bytes(text: string): Uint8Array | null {
  const zone = text.indexOf('%');
  const halves = (zone < 0 ? text : text.slice(0, zone)).split('::');
  if (halves.length > 2) return null;
  const head = ipv6Half(halves[0]!);
  const tail = halves.length === 2 ? ipv6Half(halves[1]!) : [];
  if (head === null || tail === null) return null;
  const length = head.length + tail.length;
  if (halves.length === 2 ? length > 14 : length !== 16) return null;
  const bytes = new Uint8Array(16);
  bytes.set(head, 0);
  bytes.set(tail, 16 - tail.length);
  return bytes;
}

/** The bytes of `a:b:c` or `a:b:1.2.3.4`. */
function ipv6Half(text: string): number[] | null {
  if (text === '') return [];
  const bytes: number[] = [];
  const words = text.split(':');
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word.includes('.') && i === words.length - 1) {
      const v4 = ipv4Bytes(word);
      if (v4 === null) return null;
      bytes.push(...v4);
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(word)) return null;
      const value = Number.parseInt(word, 16);
      bytes.push(value >> 8, value & 0xff);
    }
  }
  return bytes.length > 16 ? null : bytes;
}
