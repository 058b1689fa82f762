/**
 * The first TLS message of a client, read where it lies in the received bytes (RFC 8446 4.1.2, RFC 5246 7.4.1.2).
 *
 *     record     16 | version 2 | length 2 |          a hello may go over several records; only one that is in the
 *     handshake  01 | length 3  |                     first is read, as HAProxy does
 *     hello      version 2 | random 32 | session id <1> | cipher suites <2> | compression <1> | extensions <2>
 *     extension  type 2 | <2> data                    <n> = preceded by its length in n bytes
 */

const HANDSHAKE = 0x16;
const RECORD_BYTES_MAX = 16_384 + 256;

/** What `find` says beside an offset: the bytes are no client hello, or not enough of one yet. */
export const NOT_TLS = -1;
export const TOO_SHORT = -2;

export const EXT_SERVER_NAME = 0;
export const EXT_SUPPORTED_GROUPS = 10;
export const EXT_SIGNATURE_ALGORITHMS = 13;
export const EXT_ALPN = 16;
export const EXT_SESSION_TICKET = 35;
export const EXT_KEY_SHARE = 51;

export class ClientHello {
  bytes: Uint8Array = new Uint8Array(0);
  /** Type of the handshake message: 1 = client hello, 2 = server hello. */
  type = 0;
  /** major x 65536 + minor: the hello's own version, that of the record while the hello has not come. */
  version = 0;
  ciphersStart = 0;
  ciphersEnd = 0;
  extensionsStart = 0;
  extensionsEnd = 0;

  /** Reads `bytes[start, end)`: 0 when a whole hello is there, else NOT_TLS or TOO_SHORT. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.bytes = bytes;
    if (end - start < 1) return TOO_SHORT;
    if (bytes[start] !== HANDSHAKE) return NOT_TLS;
    if (end - start < 11) return TOO_SHORT;
    const record = u16(bytes, start + 3);
    if (bytes[start + 1] !== 3 || record < 4 || record > RECORD_BYTES_MAX) return NOT_TLS;
    const body = start + 5;
    this.type = bytes[body]!;
    const length = (bytes[body + 1]! << 16) | u16(bytes, body + 2);
    this.version = bytes[body + 4]! * 65_536 + bytes[body + 5]!;
    if (length + 4 > record) return NOT_TLS;
    if (body + 4 + length > end) return TOO_SHORT;
    return this.type === 1 ? this.#hello(body + 4, body + 4 + length) : 0;
  }

  #hello(start: number, end: number): number {
    const { bytes } = this;
    const session = start + 34;
    if (session >= end) return NOT_TLS;
    const ciphers = session + 1 + bytes[session]!;
    if (ciphers + 2 > end) return NOT_TLS;
    this.ciphersStart = ciphers + 2;
    this.ciphersEnd = ciphers + 2 + u16(bytes, ciphers);
    if (this.ciphersEnd >= end) return NOT_TLS;
    const extensions = this.ciphersEnd + 1 + bytes[this.ciphersEnd]!;
    if (extensions + 2 > end) {
      this.extensionsStart = this.extensionsEnd = end;
      return extensions === end ? 0 : NOT_TLS;
    }
    this.extensionsStart = extensions + 2;
    this.extensionsEnd = extensions + 2 + u16(bytes, extensions);
    return this.extensionsEnd > end ? NOT_TLS : 0;
  }

  /** Where the data of the extension begins; its length is in the two bytes before. -1 = it is not there. */
  extension(type: number): number {
    const { bytes } = this;
    for (let at = this.extensionsStart; at + 4 <= this.extensionsEnd; ) {
      const length = u16(bytes, at + 2);
      if (at + 4 + length > this.extensionsEnd) return -1;
      if (u16(bytes, at) === type) return at + 4;
      at += 4 + length;
    }
    return -1;
  }

  /** Length of the extension whose data begins at `at`. */
  lengthOf(at: number): number {
    return u16(this.bytes, at - 2);
  }
}

export function u16(bytes: Uint8Array, at: number): number {
  return (bytes[at]! << 8) | bytes[at + 1]!;
}
