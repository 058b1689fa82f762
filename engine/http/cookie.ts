/**
 * Cookies, as offsets into the slots of a head. What `cookie SERVERID insert|prefix|rewrite` needs: find one cookie, give it
 * another value, cut a prefix off it, take it out.
 */
import { EQUALS, SEMICOLON, SP, TAB } from './chars.ts';
import type { Head } from './head.ts';
import { H_COOKIE, H_SET_COOKIE, H_SET_COOKIE2 } from './names.ts';

const COMMA = 44;
const QUOTE = 34;
const BACKSLASH = 92;
const NOTHING = new Uint8Array(0);

/**
 * Where a cookie is. The offsets are for `head.bytesOf(slot)`; they hold until that slot is edited.
 *
 *      cookie: a=1; SERVERID=s1; b=2
 *                   ^nameStart     valueEnd = pairEnd
 */
export class CookieAt {
  slot = -1;
  nameStart = 0;
  nameEnd = 0;
  valueStart = 0;
  /** The value without white space at its end. */
  valueEnd = 0;
  /** The separator after the pair, or the end of the header. */
  pairEnd = 0;
}

/** Finds the request cookie `name` (exact case) in all Cookie headers; the first one counts. */
export function findCookie(head: Head, name: Uint8Array, at: CookieAt): boolean {
  for (let i = head.find(H_COOKIE); i >= 0; i = head.find(H_COOKIE, i + 1)) {
    if (findInValue(head, i, head.valueStart[i]!, name, at)) return true;
  }
  return false;
}

/** Finds the next one after that at `at`, which may have been edited since up to its end: `endBytes` before that of its header. */
export function findNextCookie(head: Head, name: Uint8Array, at: CookieAt, endBytes: number): boolean {
  const { slot } = at;
  if (findInValue(head, slot, head.valueEnd[slot]! - endBytes + 1, name, at)) return true;
  for (let i = head.find(H_COOKIE, slot + 1); i >= 0; i = head.find(H_COOKIE, i + 1)) {
    if (findInValue(head, i, head.valueStart[i]!, name, at)) return true;
  }
  return false;
}

/**
 * Finds the first Set-Cookie or Set-Cookie2 (RFC 2965: several cookies, with commas between them) at or after slot `from` that
 * sets `name`. Its attributes lie after `pairEnd`.
 */
export function findSetCookie(head: Head, name: Uint8Array, at: CookieAt, from = 0): boolean {
  for (let i = nextSetCookie(head, from); i >= 0; i = nextSetCookie(head, i + 1)) {
    for (let found = readSetCookie(head, i, head.valueStart[i]!, at); found; found = readNextSetCookie(head, at)) {
      if (isNamed(head.bytesOf(i), at, name)) return true;
    }
  }
  return false;
}

/** The slot of the next header that sets cookies; -1 = none. */
export function nextSetCookie(head: Head, from: number): number {
  const [one, two] = [head.find(H_SET_COOKIE, from), head.find(H_SET_COOKIE2, from)];
  return one < 0 || two < 0 ? Math.max(one, two) : Math.min(one, two);
}

/** Reads the cookie that is set from `start` on; false at the end of the header. */
export function readSetCookie(head: Head, slot: number, start: number, at: CookieAt): boolean {
  at.slot = slot;
  if (start >= head.valueEnd[slot]!) return false;
  readPair(head.bytesOf(slot), start, head.valueEnd[slot]!, at, true);
  return true;
}

/** Reads the next one that the same Set-Cookie2 sets. */
export function readNextSetCookie(head: Head, at: CookieAt): boolean {
  if (head.id[at.slot] !== H_SET_COOKIE2) return false;
  return readSetCookie(head, at.slot, attributesEnd(head, at) + 1, at);
}

/** Takes a cookie of a Set-Cookie or Set-Cookie2 out, with its attributes; the header goes when it sets no other. */
export function removeSetCookie(head: Head, at: CookieAt): void {
  const { slot } = at;
  const [start, end] = [head.valueStart[slot]!, head.valueEnd[slot]!];
  const to = head.id[slot] === H_SET_COOKIE2 ? attributesEnd(head, at) : end;
  if (to < end) head.splice(slot, at.nameStart, skipBlanks(head.bytesOf(slot), to + 1, end), NOTHING);
  else if (at.nameStart === start) head.remove(slot);
  else head.splice(slot, head.bytesOf(slot).lastIndexOf(COMMA, at.nameStart), end, NOTHING);
}

/** Where the attributes of a cookie end: at a comma that is not quoted, or with the header. */
function attributesEnd(head: Head, at: CookieAt): number {
  const bytes = head.bytesOf(at.slot);
  const end = head.valueEnd[at.slot]!;
  let quoted = false;
  for (let pos = at.pairEnd; pos < end; pos++) {
    if (bytes[pos] === QUOTE) quoted = !quoted;
    else if (!quoted && bytes[pos] === COMMA) return pos;
  }
  return end;
}

function skipBlanks(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}

/** Gives the cookie another value. False when the head has no room for it. */
export function replaceValue(head: Head, at: CookieAt, value: Uint8Array): boolean {
  return head.splice(at.slot, at.valueStart, at.valueEnd, value);
}

/** Puts `prefix` before the value (`cookie ... prefix`: `server~value`). False when the head has no room for it. */
export function prefixValue(head: Head, at: CookieAt, prefix: Uint8Array): boolean {
  return head.splice(at.slot, at.valueStart, at.valueStart, prefix);
}

/** Cuts the first `length` bytes off the value. */
export function cutPrefix(head: Head, at: CookieAt, length: number): void {
  head.splice(at.slot, at.valueStart, Math.min(at.valueStart + length, at.valueEnd), NOTHING);
}

/** Takes a request cookie out, with one separator; the header goes when nothing else is in it. */
export function removeCookie(head: Head, at: CookieAt): void {
  const { slot } = at;
  const bytes = head.bytesOf(slot);
  const start = head.valueStart[slot]!;
  const end = head.valueEnd[slot]!;
  let from = at.nameStart;
  let to = at.pairEnd;
  if (to < end) {
    to++;
    while (to < end && isBlank(bytes[to]!)) to++;
  } else {
    while (from > start && (isBlank(bytes[from - 1]!) || isSeparator(bytes[from - 1]!))) from--;
  }
  if (from === start && to === end) head.remove(slot);
  else head.splice(slot, from, to, NOTHING);
}

function findInValue(head: Head, i: number, from: number, name: Uint8Array, at: CookieAt): boolean {
  const bytes = head.bytesOf(i);
  const end = head.valueEnd[i]!;
  let pos = from;
  while (pos < end) {
    readPair(bytes, pos, end, at, true);
    at.slot = i;
    if (isNamed(bytes, at, name)) return true;
    pos = at.pairEnd + 1;
  }
  return false;
}

/** Reads `name=value` from `start` into `at`. A pair without `=` has an empty name. A comma separates cookies of requests. */
export function readPair(bytes: Uint8Array, start: number, end: number, at: CookieAt, comma: boolean): void {
  let pos = start;
  while (pos < end && isBlank(bytes[pos]!)) pos++;
  at.nameStart = pos;
  while (pos < end && bytes[pos] !== EQUALS && bytes[pos] !== SEMICOLON && !(comma && bytes[pos] === COMMA)) pos++;
  const named = pos < end && bytes[pos] === EQUALS;
  at.nameEnd = named ? trimmed(bytes, at.nameStart, pos) : at.nameStart;
  if (named) pos++;
  while (named && pos < end && isBlank(bytes[pos]!)) pos++;
  at.valueStart = pos;
  let quoted = false;
  for (; pos < end; pos++) {
    const b = bytes[pos]!;
    if (b === QUOTE) quoted = !quoted;
    else if (quoted && b === BACKSLASH) pos++;
    else if (!quoted && (b === SEMICOLON || (comma && b === COMMA))) break;
  }
  at.pairEnd = Math.min(pos, end);
  at.valueEnd = trimmed(bytes, at.valueStart, at.pairEnd);
}

function isNamed(bytes: Uint8Array, at: CookieAt, name: Uint8Array): boolean {
  if (at.nameEnd - at.nameStart !== name.length || name.length === 0) return false;
  for (let i = 0; i < name.length; i++) if (bytes[at.nameStart + i] !== name[i]) return false;
  return true;
}

function trimmed(bytes: Uint8Array, start: number, end: number): number {
  let to = end;
  while (to > start && isBlank(bytes[to - 1]!)) to--;
  return to;
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}

function isSeparator(byte: number): boolean {
  return byte === SEMICOLON || byte === COMMA;
}
