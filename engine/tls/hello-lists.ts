/**
 * What a client's hello offers, kept for fetches where `tune.ssl.capture-buffer-size` gives room. The lists share that room
 * in the order in which they stand here; who comes too late is cut short.
 */
import { type ClientHello, EXT_SIGNATURE_ALGORITHMS, EXT_SUPPORTED_GROUPS } from '../sample/client-hello.ts';
import { xxh64 } from '../sample/xxhash.ts';

const EXT_POINT_FORMATS = 11;
const EXT_SUPPORTED_VERSIONS = 43;

/** Lists of 16-bit numbers, but `formats` of 8-bit ones; big-endian. */
export interface HelloLists {
  /** Major and minor in one number: 771 = TLS 1.2, which all newer ones say. */
  readonly version: number;
  readonly ciphers: Uint8Array;
  /** Of all ciphers, whatever was kept of them. */
  readonly ciphersHash: bigint;
  readonly extensions: Uint8Array;
  readonly groups: Uint8Array;
  readonly formats: Uint8Array;
  readonly versions: Uint8Array;
  readonly signatures: Uint8Array;
}

export function captureLists(hello: ClientHello, room: number): HelloLists {
  const { bytes, version, ciphersStart, ciphersEnd } = hello;
  let left = room;
  const kept = (start: number, end: number): Uint8Array => {
    const part = bytes.slice(start, start + Math.max(0, Math.min(end - start, left)));
    left -= part.length;
    return part;
  };
  /** The list in an extension, after its length of `size` bytes. */
  const within = (type: number, size: 1 | 2): Uint8Array => {
    const at = hello.extension(type);
    return at < 0 ? new Uint8Array(0) : kept(at + size, at + hello.lengthOf(at));
  };
  const ciphers = kept(ciphersStart, ciphersEnd);
  const types = extensionTypes(hello).subarray(0, left & ~1);
  left -= types.length;
  return {
    version: (version >> 16) * 256 + (version & 0xffff),
    ciphers,
    ciphersHash: xxh64(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length), ciphersStart, ciphersEnd, 0n),
    extensions: types,
    groups: within(EXT_SUPPORTED_GROUPS, 2),
    formats: within(EXT_POINT_FORMATS, 1),
    versions: within(EXT_SUPPORTED_VERSIONS, 1),
    signatures: within(EXT_SIGNATURE_ALGORITHMS, 2),
  };
}

function extensionTypes({ bytes, extensionsStart, extensionsEnd }: ClientHello): Uint8Array {
  const types: number[] = [];
  for (let at = extensionsStart; at + 4 <= extensionsEnd; at += 4 + bytes[at + 2]! * 256 + bytes[at + 3]!) {
    types.push(bytes[at]!, bytes[at + 1]!);
  }
  return Uint8Array.from(types);
}

/** Without the numbers that say nothing and only keep servers from choking on new ones (RFC 8701). */
export function withoutGrease(list: Uint8Array): Uint8Array {
  const isGrease = (at: number) => list[at] === list[at + 1] && (list[at]! & 15) === 10;
  const kept: number[] = [];
  for (let at = 0; at + 1 < list.length; at += 2) if (!isGrease(at)) kept.push(list[at]!, list[at + 1]!);
  return Uint8Array.from(kept);
}
