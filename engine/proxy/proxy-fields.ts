/**
 * Fields in a PROXY header of version 2 behind the addresses, as its document has them:
 *
 *   type 1 | length 2 | value
 *   SSL    client 1 | verify 4 | fields again
 */
import { crc32c } from '../sample/crc32c.ts';

/** Types of fields, as `fc_pp_tlv` names them. */
export const TLV = {
  ALPN: 0x01,
  AUTHORITY: 0x02,
  CRC32: 0x03,
  NOOP: 0x04,
  UNIQUE_ID: 0x05,
  SSL: 0x20,
  SSL_VERSION: 0x21,
  SSL_CN: 0x22,
  SSL_CIPHER: 0x23,
  SSL_SIG_ALG: 0x24,
  SSL_KEY_ALG: 0x25,
  NETNS: 0x30,
} as const;

const HEAD_BYTES = 3;
/** Of the checksum. */
export const CRC_BYTES = 4;
/** Of what stands before the fields within SSL. */
export const SSL_BYTES = 5;

export function field(type: number, value: Uint8Array | string): Uint8Array[] {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value;
  return [Uint8Array.of(type, bytes.length >> 8, bytes.length & 255), bytes];
}

/** A field, unless its value is empty. */
export function known(type: number, value: Uint8Array | string | null): Uint8Array[] {
  return value === null || value.length === 0 ? [] : field(type, value);
}

/** Puts the checksum of the whole header where it belongs; `at` is where its fields begin. */
export function seal(header: Uint8Array, at: number): void {
  if (header[at] !== TLV.CRC32) return;
  new DataView(header.buffer, header.byteOffset).setUint32(at + HEAD_BYTES, crc32c(header, 0, header.length));
}

/** The values of the fields of one type, in their order, those within SSL too. */
export function valuesOf(fields: Uint8Array, type: number): Uint8Array[] {
  const found: Uint8Array[] = [];
  for (let at = 0; at + HEAD_BYTES <= fields.length; ) {
    const end = at + HEAD_BYTES + fields[at + 1]! * 256 + fields[at + 2]!;
    if (end > fields.length) break;
    const value = fields.subarray(at + HEAD_BYTES, end);
    if (fields[at] === type) found.push(value);
    else if (fields[at] === TLV.SSL) found.push(...valuesOf(value.subarray(SSL_BYTES), type));
    at = end;
  }
  return found;
}

/** Whether the checksum in a header, if there is one, is right; its fields begin at `at`. */
export function isIntact(header: Uint8Array, at: number): boolean {
  const [sum] = valuesOf(header.subarray(at), TLV.CRC32);
  if (sum === undefined) return true;
  if (sum.length !== CRC_BYTES) return false;
  const copy = header.slice();
  copy.fill(0, sum.byteOffset - header.byteOffset, sum.byteOffset - header.byteOffset + CRC_BYTES);
  return new DataView(sum.buffer, sum.byteOffset).getUint32(0) === crc32c(copy, 0, copy.length);
}
