/**
 * NetScaler's client IP insertion (its document comes with HAProxy): the headers of the last packet of the client's handshake.
 *
 *   legacy     magic 4 | length of what follows 4                            | IP header | TCP header
 *   standard   magic 4 | length of all 4 | type 2 | length of what follows 2 | IP header | TCP header
 *
 * What tells them apart is the byte behind the first length: the version of an IP header, or the zero that the type begins with.
 */
import type { Address } from '../io/contract.ts';

const LEGACY_BYTES = 8;
const STANDARD_BYTES = 12;
/** Far more than the longest headers there are. */
export const CIP_MAX_BYTES = 16_384;
const IPV6_BYTES = 40;
const TCP_BYTES = 20;
const TCP = 6;

export interface CipHeader {
  /** Bytes it took. */
  readonly length: number;
  readonly source: Address;
  readonly destination: Address;
  readonly fields: null;
}

/** Parses `bytes[0, end)`. 'more' = incomplete; the others are names in connection-errors.ts. */
export function parseCip(
  bytes: Uint8Array,
  end: number,
  magic: number,
): CipHeader | 'more' | 'CIP_BAD_MAGIC' | 'CIP_BAD_PROTO' | 'CIP_TRUNCATED' {
  const words = new DataView(bytes.buffer, bytes.byteOffset);
  if (end >= 4 && words.getUint32(0) !== magic) return 'CIP_BAD_MAGIC';
  if (end < STANDARD_BYTES) return 'more';
  const version = bytes[LEGACY_BYTES]! >> 4;
  const standard = bytes[LEGACY_BYTES] === 0;
  if (!standard && version !== 4 && version !== 6) return 'CIP_BAD_PROTO';
  const at = standard ? STANDARD_BYTES : LEGACY_BYTES;
  const length = at + (standard ? words.getUint16(10) : words.getUint32(4));
  if (length > CIP_MAX_BYTES) return 'CIP_TRUNCATED';
  return end < length ? 'more' : parseHeaders(bytes, at, length);
}

function parseHeaders(bytes: Uint8Array, at: number, length: number): CipHeader | 'CIP_BAD_PROTO' | 'CIP_TRUNCATED' {
  if (at === length) return 'CIP_TRUNCATED';
  const version = bytes[at]! >> 4;
  const isV4 = version === 4;
  if (!isV4 && version !== 6) return 'CIP_BAD_PROTO';
  const ipBytes = isV4 ? (bytes[at]! & 15) * 4 : IPV6_BYTES;
  if (at + ipBytes + TCP_BYTES > length) return 'CIP_TRUNCATED';
  if (bytes[at + (isV4 ? 9 : 6)] !== TCP || (isV4 && ipBytes < 20)) return 'CIP_BAD_PROTO';
  const [from, size] = isV4 ? [at + 12, 4] : [at + 8, 16];
  const ports = at + ipBytes;
  const read = (address: number, port: number): Address => ({
    family: isV4 ? 4 : 6,
    bytes: bytes.slice(address, address + size),
    port: (bytes[port]! << 8) | bytes[port + 1]!,
  });
  return { length, source: read(from, ports), destination: read(from + size, ports + 2), fields: null };
}
