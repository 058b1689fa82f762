/** Header lines, of heads and trailer sections alike, and the facts that framing and connections depend on. */
import { COLON, COMMA, CR, isDigit, isWord, LF, latin1, lower, SP, span, TAB, TOKEN_LOWER, VALUE } from './chars.ts';
import { type Head, PIECES, RAW, REMOVED } from './head.ts';
import { invalid } from './invalid.ts';
import {
  H_CONNECTION,
  H_CONTENT_LENGTH,
  H_EXPECT,
  H_HOST,
  H_LAST_FACT,
  H_OTHER,
  H_SEC_WEBSOCKET_KEY,
  H_TRANSFER_ENCODING,
  H_UPGRADE,
  headerId,
} from './names.ts';

export interface Limits {
  /** `tune.bufsize` less `tune.maxrewrite`: a head may be this long. */
  readonly maxHeadBytes: number;
  /** Header lines accepted; HAProxy's is `tune.http.maxhdr` less one. At most what the Head was made for. */
  readonly maxHeaders: number;
  /** `option accept-unsafe-violations-in-http-request` or `-response`. */
  readonly relaxed: boolean;
  /** `h1-accept-payload-with-any-method`. */
  readonly anyPayload?: boolean;
  /** `h1-do-not-close-on-insecure-transfer-encoding`. */
  readonly keepInsecure?: boolean;
}

const ERR_TOO_MANY = invalid('too-many-headers');
const ERR_LINE_END = invalid('line-end');
const ERR_NAME = invalid('name');
const ERR_NAME_SPACE = invalid('name-space');
const ERR_NO_COLON = invalid('no-colon');
const ERR_VALUE = invalid('value');
const ERR_LENGTH = invalid('content-length');
const ERR_LENGTH_DIFFERS = invalid('content-length-differs');
const ERR_ENCODING = invalid('transfer-encoding');
const ERR_HOST_REPEATED = invalid('host-repeated');

const CLOSE = latin1('close');
const KEEP_ALIVE = latin1('keep-alive');
const UPGRADE = latin1('upgrade');
const CHUNKED = latin1('chunked');
const CONTINUE = latin1('100-continue');

function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}

/**
 * Parses header lines from `pos` to the empty line that ends them. Returns the offset after the empty line, 0 when
 * `end` comes first, or an error (invalid.ts). Makes names lower-case and unfolds obs-fold (RFC 9112 5.2) in place.
 */
export function parseFields(head: Head, bytes: Uint8Array, pos: number, end: number, limits: Limits): number {
  const most = Math.min(limits.maxHeaders, head.source.length);
  let at = pos;
  for (;;) {
    if (at >= end) return 0;
    const first = bytes[at]!;
    if (first === CR || first === LF) {
      const next = lineEnd(bytes, at, end, limits.relaxed);
      if (next - at === 1) head.verbatim = false;
      return next;
    }
    if (head.count >= most) return ERR_TOO_MANY;
    at = parseField(head, bytes, at, end, limits.relaxed);
    if (at <= 0) return at;
  }
}

/** One header line that starts at `start`, into a slot. Returns as parseFields. */
function parseField(head: Head, bytes: Uint8Array, start: number, end: number, relaxed: boolean): number {
  let at = start;
  for (; at < end; at++) {
    const b = bytes[at]!;
    const c = TOKEN_LOWER[b]!;
    if (c === 0) break;
    if (c !== b) bytes[at] = c;
  }
  if (at === end) return 0;
  let source = RAW;
  if (bytes[at] !== COLON || at === start) {
    if (!relaxed || at === start || isBlank(bytes[start]!)) return nameError(bytes, start, at);
    // HAProxy drops a header with a bad name when told to accept the message.
    while (at < end && bytes[at] !== COLON && bytes[at] !== CR && bytes[at] !== LF) at++;
    if (at === end) return 0;
    if (bytes[at] !== COLON) return ERR_NO_COLON;
    source = REMOVED;
  }
  const nameEnd = at++;
  const valueStart = trimStart(bytes, at, end);
  at = valueStart;
  let next = 0;
  for (;;) {
    at = span(VALUE, bytes, at, end);
    if (at === end) return 0;
    if (bytes[at] !== CR && bytes[at] !== LF) {
      if (!relaxed) return ERR_VALUE;
      at++;
      continue;
    }
    next = lineEnd(bytes, at, end, relaxed);
    if (next <= 0) return next;
    if (next === end) return 0;
    if (!isBlank(bytes[next]!)) break;
    bytes.fill(SP, at, next);
  }
  const valueEnd = trimEnd(bytes, valueStart, at);
  // An unfolded line may begin with the blanks of its fold.
  const from = trimStart(bytes, valueStart, valueEnd);
  const tidy = from === nameEnd + 2 && bytes[nameEnd + 1] === SP && valueEnd + 2 === next;
  if (source === RAW && !tidy) source = PIECES;
  if (source !== RAW) head.verbatim = false;
  const id = source === REMOVED ? H_OTHER : headerId(bytes, start, nameEnd);
  const i = head.push(start, nameEnd, from, valueEnd, id, source);
  const error = id !== H_OTHER && id <= H_LAST_FACT ? note(head, bytes, i, id) : 0;
  return error < 0 ? error : next;
}

/** The offset after the line end at `at`, 0 when it may not be complete, ERR_LINE_END. */
export function lineEnd(bytes: Uint8Array, at: number, end: number, relaxed: boolean): number {
  if (bytes[at] === LF) return relaxed ? at + 1 : ERR_LINE_END;
  if (at + 1 >= end) return 0;
  return bytes[at] === CR && bytes[at + 1] === LF ? at + 2 : ERR_LINE_END;
}

function nameError(bytes: Uint8Array, start: number, at: number): number {
  const b = bytes[at]!;
  if (isBlank(b)) return ERR_NAME_SPACE;
  return at > start && (b === CR || b === LF) ? ERR_NO_COLON : ERR_NAME;
}

/** Keeps what slot `i` says in the head's facts. Returns 0 or an error. */
function note(head: Head, bytes: Uint8Array, i: number, id: number): number {
  switch (id) {
    case H_HOST:
      if (head.hostIndex >= 0) return ERR_HOST_REPEATED;
      head.hostIndex = i;
      return 0;
    case H_CONTENT_LENGTH:
      return noteLength(head, bytes, i);
    case H_TRANSFER_ENCODING:
      return noteEncoding(head, bytes, i);
    case H_CONNECTION:
      noteConnection(head, bytes, i);
      return 0;
    case H_UPGRADE:
      if (head.upgradeIndex < 0) head.upgradeIndex = i;
      return 0;
    case H_EXPECT:
      if (isWord(bytes, head.valueStart[i]!, head.valueEnd[i]!, CONTINUE)) head.expectContinue = true;
      return 0;
    case H_SEC_WEBSOCKET_KEY:
      head.websocketKeyIndex = i;
      return 0;
    default:
      return 0;
  }
}

/**
 * Content-Length: a number, or the same number several times (`5, 5`, or on several lines), which leaves here as one
 * (RFC 9110 8.6).
 */
function noteLength(head: Head, bytes: Uint8Array, i: number): number {
  const end = head.valueEnd[i]!;
  let at = head.valueStart[i]!;
  for (;;) {
    let length = 0;
    const digits = at;
    for (; at < end && isDigit(bytes[at]!); at++) {
      length = length * 10 + bytes[at]! - 48;
      if (length > Number.MAX_SAFE_INTEGER) return ERR_LENGTH;
    }
    if (at === digits) return ERR_LENGTH;
    if (head.lengthIndex < 0) {
      head.lengthIndex = i;
      head.contentLength = length;
      head.valueEnd[i] = at;
    } else if (length !== head.contentLength) {
      return ERR_LENGTH_DIFFERS;
    }
    while (at < end && isBlank(bytes[at]!)) at++;
    if (at === end) break;
    if (bytes[at++] !== COMMA) return ERR_LENGTH;
    while (at < end && isBlank(bytes[at]!)) at++;
  }
  if (head.lengthIndex !== i) {
    head.remove(i);
  } else if (head.valueEnd[i] !== end) {
    head.source[i] = PIECES;
    head.verbatim = false;
  }
  return 0;
}

/** Transfer-Encoding: codings in order, over all lines; chunked only as the very last (RFC 9112 6.1, 7). */
function noteEncoding(head: Head, bytes: Uint8Array, i: number): number {
  if (head.encodingIndex < 0) head.encodingIndex = i;
  const end = head.valueEnd[i]!;
  let at = head.valueStart[i]!;
  for (;;) {
    const next = listItemEnd(bytes, at, end);
    const last = trimEnd(bytes, at, next);
    const chunked = isWord(bytes, at, last, CHUNKED);
    if (last === at || (chunked && head.chunked)) head.looseEncoding = true;
    else if (head.chunked) return ERR_ENCODING;
    else if (chunked) head.chunked = true;
    else head.otherCoding = true;
    if (next === end) return 0;
    at = trimStart(bytes, next + 1, end);
  }
}

function noteConnection(head: Head, bytes: Uint8Array, i: number): void {
  const end = head.valueEnd[i]!;
  let at = head.valueStart[i]!;
  while (at < end) {
    const next = listItemEnd(bytes, at, end);
    const last = trimEnd(bytes, at, next);
    const first = lower(bytes[at]!);
    if (first === CLOSE[0] && isWord(bytes, at, last, CLOSE)) head.connectionClose = true;
    else if (first === KEEP_ALIVE[0] && isWord(bytes, at, last, KEEP_ALIVE)) head.connectionKeepAlive = true;
    else if (first === UPGRADE[0] && isWord(bytes, at, last, UPGRADE)) head.connectionUpgrade = true;
    at = trimStart(bytes, next + 1, end);
  }
}

/** The comma that ends the list item at `at`, or `end`. */
export function listItemEnd(bytes: Uint8Array, at: number, end: number): number {
  let to = at;
  while (to < end && bytes[to] !== COMMA) to++;
  return to;
}

export function trimStart(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}

export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = end;
  while (at > start && isBlank(bytes[at - 1]!)) at--;
  return at;
}
