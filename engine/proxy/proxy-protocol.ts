/**
 * The PROXY protocol (its document comes with HAProxy), versions 1 and 2: reading it from clients (`accept-proxy`) and
 * making it for servers (`send-proxy`, `send-proxy-v2`) and checks (`check-send-proxy`).
 *
 *   v1   PROXY TCP4 192.0.2.1 198.51.100.2 56324 443\r\n                     107 bytes at most
 *   v2   \r\n\r\n\0\r\nQUIT\n | version+command | family | length (2) | addresses, TLVs
 */
import { latin1, textOf } from '../http/chars.ts';
import { hostText, parseIp } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { isIntact, seal } from './proxy-fields.ts';

/** A header of version 1 is at most this long. */
export const V1_MAX_BYTES = 107;
export const V2_MAX_BYTES = 16 + 65_535;
const V2_HEAD_BYTES = 16;
const V1_START = latin1('PROXY ');
const V2_START = new Uint8Array([13, 10, 13, 10, 0, 13, 10, 81, 85, 73, 84, 10]);

/** What a header says: who speaks to whom, or nothing (`LOCAL`, `UNKNOWN`). */
interface ProxyHeader {
  /** Bytes it took. */
  readonly length: number;
  readonly source: Address | null;
  readonly destination: Address | null;
  /** Version 2: what stands behind the addresses (proxy-fields.ts); null = nothing. */
  readonly fields: Uint8Array | null;
}

/** Parses `bytes[0, end)`. 'more' = incomplete, 'bad' = not a PROXY header. */
export function parseProxyHeader(bytes: Uint8Array, end: number): ProxyHeader | 'more' | 'bad' {
  if (startsWith(bytes, end, V2_START)) return end < V2_HEAD_BYTES ? 'more' : parseV2(bytes, end);
  if (startsWith(bytes, end, V1_START)) return end < V1_START.length ? 'more' : parseV1(bytes, end);
  return 'bad';
}

/** True while `bytes[0, end)` may still become, or is, `start`. */
function startsWith(bytes: Uint8Array, end: number, start: Uint8Array): boolean {
  for (let i = 0; i < Math.min(end, start.length); i++) if (bytes[i] !== start[i]) return false;
  return true;
}

function parseV1(bytes: Uint8Array, end: number): ProxyHeader | 'more' | 'bad' {
  const limit = Math.min(end, V1_MAX_BYTES);
  let at = 0;
  while (at + 1 < limit && !(bytes[at] === 13 && bytes[at + 1] === 10)) at++;
  if (at + 1 >= limit) return end < V1_MAX_BYTES ? 'more' : 'bad';
  const [, family, from, to, fromPort, toPort, rest] = textOf(bytes, 0, at).split(' ');
  const length = at + 2;
  if (family === 'UNKNOWN') return { length, source: null, destination: null, fields: null };
  if ((family !== 'TCP4' && family !== 'TCP6') || toPort === undefined || rest !== undefined) return 'bad';
  const source = v1Address(family, from!, fromPort!);
  const destination = v1Address(family, to!, toPort);
  return source === null || destination === null ? 'bad' : { length, source, destination, fields: null };
}

function v1Address(family: 'TCP4' | 'TCP6', ip: string, port: string): Address | null {
  if (!/^(0|[1-9]\d{0,4})$/.test(port) || Number(port) > 65_535) return null;
  const address = parseIp(ip, Number(port));
  return address !== null && address.family === (family === 'TCP4' ? 4 : 6) ? address : null;
}

/** Both addresses, by family: none, IPv4, IPv6, unix. */
const ADDRESS_BYTES: readonly number[] = [0, 12, 36, 216];

function parseV2(bytes: Uint8Array, end: number): ProxyHeader | 'more' | 'bad' {
  const command = bytes[12]!;
  const family = bytes[13]! >> 4;
  const addressBytes = (bytes[14]! << 8) | bytes[15]!;
  const length = V2_HEAD_BYTES + addressBytes;
  if (command >> 4 !== 2 || (command & 15) > 1) return 'bad';
  if (end < length) return 'more';
  const size = family === 1 ? 4 : family === 2 ? 16 : 0;
  const fieldsAt = V2_HEAD_BYTES + (ADDRESS_BYTES[family] ?? 0);
  const isLocal = (command & 15) === 0;
  // The addresses of a connection of the proxy itself mean nothing, whatever their length.
  if (fieldsAt > length) return isLocal ? { length, source: null, destination: null, fields: null } : 'bad';
  if (!isIntact(bytes.subarray(0, length), fieldsAt)) return 'bad';
  const fields = fieldsAt === length ? null : bytes.slice(fieldsAt, length);
  if (isLocal || size === 0) return { length, source: null, destination: null, fields };
  const ports = V2_HEAD_BYTES + 2 * size;
  const read = (at: number, port: number): Address => ({
    family: size === 4 ? 4 : 6,
    bytes: bytes.slice(at, at + size),
    port: (bytes[port]! << 8) | bytes[port + 1]!,
  });
  return { length, source: read(V2_HEAD_BYTES, ports), destination: read(V2_HEAD_BYTES + size, ports + 2), fields };
}

/**
 * The header that tells a server about a client. Unknown or mixed addresses give the form that says nothing. Version 2 has
 * `fields` behind the addresses.
 */
export function proxyHeader(
  version: 1 | 2,
  source: Address | null,
  destination: Address | null,
  fields: Uint8Array = NO_FIELDS,
): Uint8Array {
  const known = source !== null && destination !== null && source.family !== 1 && source.family === destination.family;
  if (version === 1) {
    if (!known) return latin1('PROXY UNKNOWN\r\n');
    const family = `TCP${source.family}`;
    return latin1(
      `PROXY ${family} ${hostText(source)} ${hostText(destination)} ${source.port} ${destination.port}\r\n`,
    );
  }
  const size = known ? source.bytes.length : 0;
  const addressBytes = known ? 2 * size + 4 : 0;
  const bytes = addressBytes + fields.length;
  const out = new Uint8Array(V2_HEAD_BYTES + bytes);
  out.set(V2_START);
  out[12] = known ? 0x21 : 0x20;
  out[14] = bytes >> 8;
  out[15] = bytes & 255;
  out.set(fields, V2_HEAD_BYTES + addressBytes);
  if (known) setAddresses(out, source, destination, size);
  seal(out, V2_HEAD_BYTES + addressBytes);
  return out;
}

const NO_FIELDS = new Uint8Array(0);

function setAddresses(out: Uint8Array, source: Address, destination: Address, size: number): void {
  out[13] = source.family === 4 ? 0x11 : 0x21;
  out.set(source.bytes, V2_HEAD_BYTES);
  out.set(destination.bytes, V2_HEAD_BYTES + size);
  const ports = V2_HEAD_BYTES + 2 * size;
  out.set([source.port >> 8, source.port & 255, destination.port >> 8, destination.port & 255], ports);
}
