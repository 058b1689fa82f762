/**
 * The HTTP/1 parser: one pass over the bytes of a head, strict by RFC 9112. A head that is not complete is parsed from
 * its start again when more has come: at most `maxHeadBytes` bytes per call, and only for heads that come in pieces.
 *
 *      n = parseRequest(head, bytes, start, end, limits)
 *      n > 0   the head is bytes[start, start + n), the body follows
 *      n = 0   call again with a longer span (the same bytes first, here or in another array)
 *      n < 0   errorOf(n) says why (invalid.ts)
 *
 * Where RFC 9112 leaves a choice: empty lines before a request are skipped, header values are unfolded, equal
 * Content-Length values are merged, as HAProxy does; one space only between the parts of a start line, and every line ends with
 * CRLF, stricter than HAProxy.
 */
import { CR, isDigit, LF, latin1, lower, SP, span, TARGET, TOKEN_LOWER, VALUE } from './chars.ts';
import { type Limits, lineEnd, parseFields } from './fields.ts';
import type { Head } from './head.ts';
import { invalid } from './invalid.ts';
import {
  H_CONTENT_LENGTH,
  H_TRANSFER_ENCODING,
  METHOD_CONNECT,
  METHOD_DELETE,
  METHOD_GET,
  METHOD_HEAD,
  METHOD_OPTIONS,
  methodId,
} from './names.ts';
import { hostEnd, portOf, UriParts } from './uri.ts';
import { isLineEnd, isSimple, parseAnyVersion, parseVersion } from './version.ts';

export type { Limits } from './fields.ts';

const ERR_TOO_LARGE = invalid('head-too-large');
const ERR_METHOD = invalid('method');
const ERR_TARGET = invalid('target');
const ERR_TARGET_FORM = invalid('target-form');
const ERR_AUTHORITY = invalid('authority');
const ERR_VERSION = invalid('version');
const ERR_START_LINE = invalid('start-line');
const ERR_STATUS = invalid('status');
const ERR_REASON = invalid('reason');
const ERR_ENCODING = invalid('transfer-encoding');
const ERR_CODING = invalid('transfer-coding');
const ERR_ENCODING_10 = invalid('transfer-encoding-1.0');
const ERR_HOST_MISSING = invalid('host-missing');
const ERR_HOST = invalid('host');
const ERR_HOST_DIFFERS = invalid('host-differs');
const ERR_PAYLOAD_10 = invalid('payload-1.0');
const ERR_WEBSOCKET_KEY = invalid('websocket-key');

const HTTP = latin1('http');
const HTTPS = latin1('https');
const WEBSOCKET = latin1('websocket');
const TRANSFER_ENCODING = latin1('transfer-encoding');
const CHUNKED = latin1('chunked');
/** Base64 of 16 bytes (RFC 6455 4.1). */
const WEBSOCKET_KEY_BYTES = 24;
const STAR = 42;
const SLASH = 47;
/** A status that is let pass when told so is at most this. */
const STATUS_MAX = 65_535;
const HASH = 35;

/** Scratch for the rare targets that are not in origin-form. */
const parts = new UriParts();

/** Parses the head of a request; see the top of the file. */
export function parseRequest(head: Head, bytes: Uint8Array, start: number, end: number, limits: Limits): number {
  let at = skipEmptyLines(bytes, start, end, limits.relaxed);
  if (at < 0) return at;
  head.bytes = bytes;
  head.begin(at);
  at = parseRequestLine(head, bytes, at, end, limits.relaxed);
  if (at > 0) at = isSimple(head, bytes) ? finishSimple(head, at) : finishHead(head, bytes, at, end, limits);
  if (at > 0) {
    const error = checkRequest(head, bytes, limits);
    if (error < 0) return error;
  }
  return consumed(at, start, end, limits);
}

/** Parses the head of a response; see the top of the file. */
export function parseResponse(head: Head, bytes: Uint8Array, start: number, end: number, limits: Limits): number {
  head.bytes = bytes;
  head.begin(start);
  let at = parseStatusLine(head, bytes, start, end, limits.relaxed);
  if (at > 0) at = finishHead(head, bytes, at, end, limits);
  return consumed(at, start, end, limits);
}

function finishSimple(head: Head, at: number): number {
  head.headersStart = head.end = at;
  head.version = 0;
  return at;
}

function finishHead(head: Head, bytes: Uint8Array, pos: number, end: number, limits: Limits): number {
  head.headersStart = pos;
  const at = parseFields(head, bytes, pos, end, limits);
  if (at <= 0) return at;
  head.end = at;
  const error = head.encodingIndex >= 0 ? checkEncoding(head, limits) : 0;
  return error < 0 ? error : at;
}

/** `at` (offset after the head, 0 or an error) as the parser's result. */
function consumed(at: number, start: number, end: number, limits: Limits): number {
  if (at < 0) return at;
  if (at > 0) return at - start <= limits.maxHeadBytes ? at - start : ERR_TOO_LARGE;
  return end - start < limits.maxHeadBytes ? 0 : ERR_TOO_LARGE;
}

/** The first byte of the request; `end` when there are only empty lines yet (RFC 9112 2.2). */
function skipEmptyLines(bytes: Uint8Array, start: number, end: number, relaxed: boolean): number {
  let at = start;
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) {
    const next = lineEnd(bytes, at, end, relaxed);
    if (next <= 0) return next === 0 ? end : next;
    at = next;
  }
  return at;
}

function parseRequestLine(head: Head, bytes: Uint8Array, start: number, end: number, relaxed: boolean): number {
  let at = start;
  while (at < end && TOKEN_LOWER[bytes[at]!] !== 0) at++;
  if (at === end) return 0;
  if (bytes[at] !== SP || at === start) return ERR_METHOD;
  head.methodStart = start;
  head.methodEnd = at;
  head.methodId = head.sentMethodId = methodId(bytes, start, at);
  head.uriStart = ++at;
  at = span(TARGET, bytes, at, end);
  while (relaxed && at < end && (TARGET[bytes[at]!] === 1 || isUnsafe(bytes[at]!))) at++;
  if (at === end) return 0;
  if (bytes[at] !== SP && !(relaxed && isLineEnd(bytes[at]!))) {
    return bytes[at] === CR && at > head.uriStart ? ERR_VERSION : ERR_TARGET;
  }
  if (at === head.uriStart) return ERR_TARGET;
  head.uriEnd = at;
  at = relaxed ? parseAnyVersion(head, bytes, at, end) : parseVersion(head, bytes, at + 1, end);
  if (at <= 0) return at;
  if (at === end) return 0;
  if (bytes[at] !== CR && bytes[at] !== LF) return isDigit(bytes[at]!) ? ERR_VERSION : ERR_START_LINE;
  const next = lineEnd(bytes, at, end, relaxed);
  if (next <= 0) return next;
  if (next - at === 1) head.verbatim = false;
  if (bytes[head.uriStart] === SLASH && head.methodId !== METHOD_CONNECT) return next;
  const error = parseTarget(head, bytes);
  return error < 0 && !relaxed ? error : next;
}

function isUnsafe(byte: number): boolean {
  return byte > 127 || byte === HASH;
}

/** A target that is not in origin-form (RFC 9112 3.2.2 to 3.2.4). Returns 0 or an error. */
function parseTarget(head: Head, bytes: Uint8Array): number {
  const start = head.uriStart;
  const end = head.uriEnd;
  if (head.methodId === METHOD_CONNECT) {
    head.authorityStart = start;
    head.authorityEnd = end;
    const host = hostEnd(bytes, start, end);
    // The port is not optional here, and not empty.
    return host > start && host + 1 < end ? 0 : ERR_AUTHORITY;
  }
  if (bytes[start] === STAR && end === start + 1) return head.methodId === METHOD_OPTIONS ? 0 : ERR_TARGET_FORM;
  parts.split(bytes, start, end);
  if (parts.schemeEnd === parts.schemeStart) return ERR_TARGET_FORM;
  head.authorityStart = parts.authorityStart;
  head.authorityEnd = parts.authorityEnd;
  return hostEnd(bytes, parts.authorityStart, parts.authorityEnd) > parts.authorityStart ? 0 : ERR_AUTHORITY;
}

function parseStatusLine(head: Head, bytes: Uint8Array, start: number, end: number, relaxed: boolean): number {
  let at = relaxed ? parseAnyVersion(head, bytes, start, end) : parseVersion(head, bytes, start, end);
  if (at <= 0) return at;
  // SP, three digits, and what follows them.
  if (end - at < 5) return 0;
  if (bytes[at] !== SP) return isDigit(bytes[at]!) ? ERR_VERSION : ERR_START_LINE;
  at++;
  const digits = at;
  for (; at < digits + 3; at++) {
    if (!isDigit(bytes[at]!)) return ERR_STATUS;
    head.status = head.status * 10 + bytes[at]! - 48;
  }
  if (head.status < 100) return ERR_STATUS;
  while (relaxed && at < end && isDigit(bytes[at]!) && head.status <= STATUS_MAX) {
    head.status = head.status * 10 + bytes[at++]! - 48;
  }
  if (head.status > STATUS_MAX) return ERR_STATUS;
  if (at === end) return 0;
  if (bytes[at] === SP) {
    head.reasonStart = ++at;
  } else {
    // Servers that leave out the space before an empty reason are many; it is written with one.
    if (bytes[at] !== CR && bytes[at] !== LF) return isDigit(bytes[at]!) ? ERR_STATUS : ERR_START_LINE;
    head.reasonStart = at;
    head.verbatim = false;
  }
  at = span(VALUE, bytes, at, end);
  if (at === end) return 0;
  head.reasonEnd = at;
  if (bytes[at] !== CR && bytes[at] !== LF) return ERR_REASON;
  const next = lineEnd(bytes, at, end, relaxed);
  if (next - at === 1) head.verbatim = false;
  return next;
}

/** Transfer-Encoding, alone and beside Content-Length (RFC 9112 6.1, 6.3). Returns 0 or an error. */
function checkEncoding(head: Head, { relaxed, keepInsecure }: Limits): number {
  if (head.looseEncoding) {
    // A relaxed response says it plainly from here on, or not at all.
    if (!relaxed || head.status === 0) return ERR_ENCODING;
    head.removeAll(H_TRANSFER_ENCODING);
    head.encodingIndex = -1;
    if (!head.chunked) return head.otherCoding ? ERR_ENCODING : 0;
    if (!head.add(TRANSFER_ENCODING, CHUNKED)) return ERR_TOO_LARGE;
  }
  if (!head.chunked) return ERR_ENCODING;
  if (head.otherCoding) return ERR_CODING;
  if (head.version === 0) {
    if (!relaxed) return ERR_ENCODING_10;
    head.mustClose = true;
  }
  if (head.lengthIndex >= 0) {
    dropLength(head);
    if (!keepInsecure) head.mustClose = true;
  }
  return 0;
}

/** It says nothing: the payload is chunked, or what follows a CONNECT is no payload (RFC 9110 9.3.6). */
function dropLength(head: Head): void {
  head.removeAll(H_CONTENT_LENGTH);
  head.lengthIndex = -1;
  head.contentLength = -1;
}

function checkRequest(head: Head, bytes: Uint8Array, { relaxed, anyPayload }: Limits): number {
  if (head.methodId === METHOD_CONNECT && head.contentLength > 0) dropLength(head);
  const payload = head.chunked || head.contentLength > 0;
  if (head.version === 0 && payload && !anyPayload && isBodyless(head.methodId)) return ERR_PAYLOAD_10;
  if (relaxed) return 0;
  if (head.hostIndex < 0) {
    if (head.version === 1) return ERR_HOST_MISSING;
  } else {
    const start = head.valueStart[head.hostIndex]!;
    const end = head.valueEnd[head.hostIndex]!;
    const host = hostEnd(bytes, start, end);
    if (host < 0) return ERR_HOST;
    if (head.authorityEnd > head.authorityStart && !isSameHost(head, bytes, start, host, end)) return ERR_HOST_DIFFERS;
  }
  return head.upgradeIndex >= 0 ? checkUpgrade(head, bytes) : 0;
}

/** Methods that a peer of HTTP/1.0 may not expect a payload with. */
function isBodyless(method: number): boolean {
  return method === METHOD_GET || method === METHOD_HEAD || method === METHOD_DELETE;
}

/** The key that a WebSocket handshake needs (RFC 6455 4.1), which HAProxy checks as well. */
function checkUpgrade(head: Head, bytes: Uint8Array): number {
  const i = head.upgradeIndex;
  const value = head.valueStart[i]!;
  if (!head.connectionUpgrade || !isSameText(bytes, value, head.valueEnd[i]!, WEBSOCKET, 0, WEBSOCKET.length)) return 0;
  const key = head.websocketKeyIndex;
  return key >= 0 && head.valueEnd[key]! - head.valueStart[key]! === WEBSOCKET_KEY_BYTES ? 0 : ERR_WEBSOCKET_KEY;
}

/** Whether the target's authority and Host `bytes[start, end)` name the same host and port; an absent port is the scheme's. */
function isSameHost(head: Head, bytes: Uint8Array, start: number, host: number, end: number): boolean {
  const { authorityStart, authorityEnd } = head;
  const authorityHost = hostEnd(bytes, authorityStart, authorityEnd);
  if (!isSameText(bytes, authorityStart, authorityHost, bytes, start, host)) return false;
  const port = portOf(bytes, Math.min(host + 1, end), end);
  const authorityPort = portOf(bytes, Math.min(authorityHost + 1, authorityEnd), authorityEnd);
  if (port === authorityPort) return true;
  // CONNECT has no scheme: an absent port is either of the two, as in HAProxy.
  const absent = port === 0 ? authorityPort : port;
  if (port !== 0 && authorityPort !== 0) return false;
  const connect = head.methodId === METHOD_CONNECT;
  const scheme = authorityStart - 3;
  const http = !connect && isSameText(bytes, head.uriStart, scheme, HTTP, 0, HTTP.length);
  const https = !connect && isSameText(bytes, head.uriStart, scheme, HTTPS, 0, HTTPS.length);
  return (absent === 80 && (connect || http)) || (absent === 443 && (connect || https));
}

/** Equality without regard to the case of letters. */
function isSameText(a: Uint8Array, aStart: number, aEnd: number, b: Uint8Array, bStart: number, bEnd: number): boolean {
  if (aEnd - aStart !== bEnd - bStart) return false;
  for (let i = aStart, j = bStart; i < aEnd; i++, j++) if (lower(a[i]!) !== lower(b[j]!)) return false;
  return true;
}
