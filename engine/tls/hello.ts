/** The client hello in the bytes that came so far: it decides which certificate is shown, before OpenSSL sees it. */
import type { Chunk } from '../io/contract.ts';
import {
  ClientHello,
  EXT_SERVER_NAME,
  EXT_SIGNATURE_ALGORITHMS,
  NOT_TLS,
  TOO_SHORT,
  u16,
} from '../sample/client-hello.ts';
import { captureLists, type HelloLists } from './hello-lists.ts';

const HANDSHAKE = 22;
const RECORD_HEADER_BYTES = 5;
/** Longer ones are not looked into. */
const HELLO_BYTES_MAX = 16_384;

const reader = new ClientHello();

/** What a hello asks for. */
export interface Hello {
  /** As the client wrote it; '' = it named none. */
  readonly serverName: string;
  /** The client can check such signatures. */
  readonly ecdsa: boolean;
  readonly rsa: boolean;
  /** What it offers; null = nobody wants to know. */
  readonly lists: HelloLists | null;
}

/**
 * Reads `bytes[start, end)`, which begin the connection. Null when more must come; `NO_HELLO` when it is none, or one
 * that is not looked into: OpenSSL will say what is wrong with it. `captureBytes` of its lists are kept.
 */
export function readHello(bytes: Uint8Array, start: number, end: number, captureBytes: number): Hello | null {
  let result = reader.read(bytes, start, end);
  if (result === NOT_TLS) {
    const joined = joinRecords(bytes, start, end);
    if (joined === null) return null;
    result = joined.length === 0 ? NOT_TLS : reader.read(joined, 0, joined.length);
  }
  if (result === TOO_SHORT) return end - start >= HELLO_BYTES_MAX ? NO_HELLO : null;
  if (result !== 0 || reader.type !== 1) return NO_HELLO;
  const lists = captureBytes === 0 ? null : captureLists(reader, captureBytes);
  return { serverName: serverName(), ...signatures(), lists };
}

/** Gathers what comes until the client's hello is whole. */
export class FirstBytes {
  /** What came before the last `read`; null = nothing. */
  #begin: Uint8Array | null = null;

  /** The hello in all that came, as `readHello` gives it. */
  read({ bytes, start, end }: Chunk, captureBytes: number): Hello | null {
    const begin = this.#begin;
    const all = begin === null ? bytes.subarray(start, end) : Buffer.concat([begin, bytes.subarray(start, end)]);
    const hello = readHello(all, 0, all.length, captureBytes);
    if (hello === null) this.#begin = begin === null ? new Uint8Array(all) : all;
    return hello;
  }

  /** All that came before `chunk`; null = nothing. */
  take(): Uint8Array | null {
    const begin = this.#begin;
    this.#begin = null;
    return begin;
  }
}

export const NO_HELLO: Hello = { serverName: '', ecdsa: false, rsa: true, lists: null };

/** One record out of the several that a hello came in; empty when they are none, null when more must come. */
function joinRecords(bytes: Uint8Array, start: number, end: number): Uint8Array | null {
  const parts: Uint8Array[] = [];
  let size = 0;
  let wanted = 4;
  for (let at = start; size < wanted; ) {
    if (at + RECORD_HEADER_BYTES > end) return null;
    if (bytes[at] !== HANDSHAKE || bytes[at + 1] !== 3) return new Uint8Array(0);
    const length = u16(bytes, at + 3);
    const part = bytes.subarray(at + RECORD_HEADER_BYTES, Math.min(at + RECORD_HEADER_BYTES + length, end));
    parts.push(part);
    size += part.length;
    at += RECORD_HEADER_BYTES + length;
    const head = Buffer.concat(parts);
    if (head.length >= 4) wanted = 4 + head.readUIntBE(1, 3);
    if (length === 0 || wanted > HELLO_BYTES_MAX) return new Uint8Array(0);
  }
  return Buffer.concat([Uint8Array.of(HANDSHAKE, 3, 1, wanted >> 8, wanted & 255), ...parts]).subarray(
    0,
    RECORD_HEADER_BYTES + wanted,
  );
}

/** RFC 6066 3: a list of names, of which only host names (0) exist. */
function serverName(): string {
  const at = reader.extension(EXT_SERVER_NAME);
  if (at < 0 || reader.lengthOf(at) < 5 || reader.bytes[at + 2] !== 0) return '';
  const length = u16(reader.bytes, at + 3);
  if (length + 5 > reader.lengthOf(at)) return '';
  return Buffer.from(reader.bytes.buffer, reader.bytes.byteOffset + at + 5, length).toString('latin1');
}

/** SignatureScheme (RFC 8446 4.2.3): before TLS 1.3 hash and algorithm, 1 = RSA, 3 = ECDSA. */
function signatures(): { ecdsa: boolean; rsa: boolean } {
  const at = reader.extension(EXT_SIGNATURE_ALGORITHMS);
  if (at < 0) return { ecdsa: false, rsa: true };
  let [ecdsa, rsa] = [false, false];
  for (let i = at + 2; i + 1 < at + reader.lengthOf(at); i += 2) {
    const scheme = u16(reader.bytes, i);
    if ((scheme & 255) === 3 && scheme < 0x700) ecdsa = true;
    else if ((scheme & 255) === 1 || (scheme >= 0x804 && scheme <= 0x806)) rsa = true;
  }
  return { ecdsa: ecdsa && ecdsaCipher(), rsa };
}

/** Before TLS 1.3 the cipher says how the server signs. */
function ecdsaCipher(): boolean {
  for (let i = reader.ciphersStart; i + 1 < reader.ciphersEnd; i += 2) {
    const suite = u16(reader.bytes, i);
    if (suite >= 0x1301 && suite <= 0x1305) return true;
    if (ECDSA_SUITES.has(suite)) return true;
  }
  return false;
}

/** The TLS 1.2 suites (and older) with ECDSA in their names. */
const ECDSA_SUITES: ReadonlySet<number> = new Set([
  ...[0xc006, 0xc007, 0xc008, 0xc009, 0xc00a, 0xc023, 0xc024, 0xc02b, 0xc02c, 0xcca9, 0xc0ac, 0xc0ad, 0xc0ae, 0xc0af],
  ...[0xc048, 0xc049, 0xc05c, 0xc05d, 0xc072, 0xc073, 0xc086, 0xc087],
]);
