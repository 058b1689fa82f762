/** Splitting a request target without copying: everything is an offset into the bytes that hold it. */
import { EQUALS, HOST, isDigit } from './chars.ts';

const SLASH = 47;
const QUESTION = 63;
const HASH = 35;
const AMPERSAND = 38;
const COLON = 58;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;

/**
 * The parts of a target; an empty range (`start === end`) means that the part is not there. Reused: `split` overwrites.
 *
 *      http://example.org:8080/a/b?x=1
 *      scheme authority       path query     origin-form has path and query only,
 *                                            asterisk-form has the path `*`
 */
export class UriParts {
  schemeStart = 0;
  schemeEnd = 0;
  authorityStart = 0;
  authorityEnd = 0;
  /** Without the query. */
  pathStart = 0;
  pathEnd = 0;
  /** After the `?`. */
  queryStart = 0;
  queryEnd = 0;
  hasQuery = false;

  /** Splits the target `bytes[start, end)`, which may be in any of the forms of RFC 9112 3.2 but the authority-form. */
  split(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    this.schemeStart = this.schemeEnd = this.authorityStart = this.authorityEnd = start;
    if (bytes[start] !== SLASH) at = this.#splitOrigin(bytes, start, end);
    this.pathStart = at;
    while (at < end && bytes[at] !== QUESTION && bytes[at] !== HASH) at++;
    this.pathEnd = at;
    this.hasQuery = at < end && bytes[at] === QUESTION;
    if (this.hasQuery) at++;
    this.queryStart = at;
    while (at < end && bytes[at] !== HASH) at++;
    this.queryEnd = this.hasQuery ? at : this.queryStart;
  }

  /** Scheme and authority of an absolute-form target; returns where the path starts, `start` when it is no such target. */
  #splitOrigin(bytes: Uint8Array, start: number, end: number): number {
    const colon = schemeEnd(bytes, start, end);
    if (colon < 0 || colon + 2 >= end || bytes[colon + 1] !== SLASH || bytes[colon + 2] !== SLASH) return start;
    this.schemeEnd = colon;
    let at = colon + 3;
    this.authorityStart = at;
    while (at < end && bytes[at] !== SLASH && bytes[at] !== QUESTION && bytes[at] !== HASH) at++;
    this.authorityEnd = at;
    return at;
  }
}

/** Where the scheme that starts at `start` ends (its colon); -1 = no scheme there (RFC 3986 3.1). */
function schemeEnd(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    const b = bytes[at]!;
    const letter = (b | 32) >= 97 && (b | 32) <= 122;
    if (b === COLON) return at > start ? at : -1;
    if (!letter && (at === start || !(isDigit(b) || b === 43 || b === 45 || b === 46))) return -1;
  }
  return -1;
}

/**
 * Where the host of `host[:port]` ends: at the colon before the port, or at `end`. -1 = not a valid host and port
 * (RFC 9110 4.2.1, 7.2): user information, a byte no host may hold, a port that is not 0..65535. An empty host is valid
 * here, and so is an empty port.
 */
export function hostEnd(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  if (at < end && bytes[at] === OPEN_BRACKET) {
    at++;
    while (at < end && (bytes[at] === COLON || HOST[bytes[at]!] === 1)) at++;
    if (at === end || bytes[at] !== CLOSE_BRACKET) return -1;
    at++;
  } else {
    while (at < end && HOST[bytes[at]!] === 1) at++;
  }
  const host = at;
  if (at < end && (bytes[at] !== COLON || portOf(bytes, at + 1, end) < 0)) return -1;
  return host;
}

/** The port in `bytes[start, end)`: 0..65535, 0 when empty, -1 when it is none. */
export function portOf(bytes: Uint8Array, start: number, end: number): number {
  let port = 0;
  for (let at = start; at < end; at++) {
    if (!isDigit(bytes[at]!)) return -1;
    port = port * 10 + bytes[at]! - 48;
    if (port > 65_535) return -1;
  }
  return port;
}

/**
 * Finds the parameter `name` in the query (or form body) `bytes[start, end)`. Returns where its value starts, -1 when it is
 * not there; `paramEnd` gives the value's end. `delimiter` separates the parameters.
 */
export function findParam(
  bytes: Uint8Array,
  start: number,
  end: number,
  name: Uint8Array,
  delimiter = AMPERSAND,
): number {
  let at = start;
  while (at < end) {
    let i = 0;
    while (i < name.length && at + i < end && bytes[at + i] === name[i]) i++;
    const after = at + i;
    if (i === name.length && after < end && bytes[after] === EQUALS) return after + 1;
    if (i === name.length && (after === end || bytes[after] === delimiter)) return after;
    at = after;
    while (at < end && bytes[at] !== delimiter) at++;
    at++;
  }
  return -1;
}

/** Where the parameter value that starts at `start` ends. */
export function paramEnd(bytes: Uint8Array, start: number, end: number, delimiter = AMPERSAND): number {
  let at = start;
  while (at < end && bytes[at] !== delimiter) at++;
  return at;
}
