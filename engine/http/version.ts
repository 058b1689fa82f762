/** The version in a start line, and what may stand there instead when a proxy relaxes its parsing. */
import { CR, isDigit, isExactly, isPrefix, LF, latin1, SP } from './chars.ts';
import type { Head } from './head.ts';
import { invalid } from './invalid.ts';
import { METHOD_GET } from './names.ts';

const ERR_VERSION = invalid('version');
const ERR_PREFACE = invalid('http2-preface');

const HTTP_1 = latin1('HTTP/1.');
const HTTP_1_1 = latin1('HTTP/1.1');
/** `HTTP/1.x`, in bytes. */
const VERSION_BYTES = 8;
const PRI = latin1('PRI');
const DOT = 46;
const SLASH = 47;
const DIGIT_1 = 49;
const DIGIT_9 = 57;
const UPPER_A = 65;
const UPPER_Z = 90;

/** `HTTP/1.x` at `start`. A minor version above 1 becomes 1, in the bytes too (RFC 9110 2.5). */
export function parseVersion(head: Head, bytes: Uint8Array, start: number, end: number): number {
  const digit = start + HTTP_1.length;
  // What cannot become a version is told at once: nothing more may ever come.
  const begun = isPrefix(bytes, start, Math.min(end, digit), HTTP_1);
  if (begun && end - start < VERSION_BYTES) return 0;
  if (!begun || !isDigit(bytes[digit]!)) {
    return isExactly(bytes, head.methodStart, head.methodEnd, PRI) ? ERR_PREFACE : ERR_VERSION;
  }
  head.version = bytes[digit] === DIGIT_1 - 1 ? 0 : 1;
  if (bytes[digit]! > DIGIT_1) bytes[digit] = DIGIT_1;
  return digit + 1;
}

/**
 * What is let pass as a version when told so, at the space `start` before it: none (HTTP/0.9), or a word of another protocol, which
 * counts as HTTP/1.0 and stays as it is. `X/1.1` to `X/9.9` become HTTP/1.1, in the bytes too, as in HAProxy.
 */
export function parseAnyVersion(head: Head, bytes: Uint8Array, start: number, end: number): number {
  let at = bytes[start] === SP ? start + 1 : start;
  if (at === end) return 0;
  if (isLineEnd(bytes[at]!)) return head.methodId === METHOD_GET ? at : ERR_VERSION;
  const word = at;
  while (at < end && isVersionByte(bytes[at]!)) at++;
  if (at === end) return 0;
  if (at === word) return ERR_VERSION;
  if (isPrefix(bytes, word, at, HTTP_1) && at - word === VERSION_BYTES) return parseVersion(head, bytes, word, end);
  if (isExactly(bytes, head.methodStart, head.methodEnd, PRI)) return ERR_PREFACE;
  const major = bytes[word + 5]!;
  const usual = at - word === VERSION_BYTES && bytes[word + 4] === SLASH && bytes[word + 6] === DOT;
  if (usual && (major > DIGIT_1 || (major === DIGIT_1 && bytes[word + 7]! >= DIGIT_1))) {
    bytes.set(HTTP_1_1, word);
    return at;
  }
  head.version = 0;
  head.versionStart = word;
  head.versionEnd = at;
  return at;
}

/** `.`, `/`, digits, capital letters. */
function isVersionByte(byte: number): boolean {
  return (byte >= DOT && byte <= DIGIT_9) || (byte >= UPPER_A && byte <= UPPER_Z);
}

/** A request of HTTP/0.9 is a line without a version: no headers follow. */
export function isSimple({ uriEnd }: Head, bytes: Uint8Array): boolean {
  return bytes[uriEnd] !== SP || isLineEnd(bytes[uriEnd + 1]!);
}

export function isLineEnd(byte: number): boolean {
  return byte === CR || byte === LF;
}
