/**
 * `balance rdp-cookie`, `persist rdp-cookie`: the routing cookie in the first packet of a remote desktop client ([MS-RDPBCGR] 2.2.1.1).
 *
 *   TPKT header (RFC 1006)      X.224 connection request
 *   ┌────┬────┬────────┐ ┌────┬────┬─────────┬─────────┬───────┬───────────────────────────┐
 *   │ 03 │ 00 │ length │ │ li │ E0 │ dst ref │ src ref │ class │ Cookie: name=value CR LF  │
 *   └────┴────┴────────┘ └────┴────┴─────────┴─────────┴───────┴───────────────────────────┘
 *     1    1      2        1    1       2         2        1      from byte 11
 */
import type { Balance } from '../config/proxy-model.ts';
import type { Slice, Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const COOKIE_AT = 11;
const DEFAULT_NAME = 'mstshash';
const SPACE = 0x20;
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;

const LABEL = new TextEncoder().encode('cookie:');

export function rdpCookieKey(balance: Balance, hash: Hash): Key {
  const cookie = new RdpCookie(balance.name || DEFAULT_NAME);
  return (subject: Subject) => {
    const payload = subject.payload();
    if (payload === null || !cookie.find(payload)) return NO_KEY;
    return hash(payload.bytes, cookie.start, cookie.end);
  };
}

/** Finds the value of the cookie of one name. */
export class RdpCookie {
  readonly #name: Uint8Array;
  /** Of the value that was found, in the bytes that were looked at. */
  start = 0;
  end = 0;

  constructor(name: string) {
    this.#name = new TextEncoder().encode(name.toLowerCase());
  }

  find({ bytes, start, end }: Slice): boolean {
    let at = skip(bytes, start + COOKIE_AT, end, LABEL);
    if (at < 0) return false;
    while (at < end && bytes[at] === SPACE) at++;
    const afterName = skip(bytes, at, end, this.#name);
    if (afterName < 0 || bytes[afterName] !== EQUALS) return false;
    this.start = afterName + 1;
    this.end = this.start;
    while (this.end < end && bytes[this.end] !== CR) this.end++;
    return this.end > this.start && this.end + 1 < end && bytes[this.end + 1] === LF;
  }
}

/** Where `word` (lower case) ends when it stands at `at` in either case, else -1. */
function skip(bytes: Uint8Array, at: number, end: number, word: Uint8Array): number {
  if (at + word.length > end) return -1;
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[at + i]!;
    if ((byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte) !== word[i]) return -1;
  }
  return at + word.length;
}
