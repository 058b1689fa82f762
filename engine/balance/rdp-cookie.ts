/**
 * balance rdp-cookie(name): the routing cookie in the first packet of a remote desktop client ([MS-RDPBCGR] 2.2.1.1).
 *
 *   TPKT header (RFC 1006)      X.224 connection request
 *   ┌────┬────┬────────┐ ┌────┬────┬─────────┬─────────┬───────┬───────────────────────────┐
 *   │ 03 │ 00 │ length │ │ li │ E0 │ dst ref │ src ref │ class │ Cookie: name=value CR LF  │
 *   └────┴────┴────────┘ └────┴────┴─────────┴─────────┴───────┴───────────────────────────┘
 *     1    1      2        1    1       2         2        1      from byte 11
 */
import type { Balance } from '../config/model.ts';
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const COOKIE_AT = 11;
const DEFAULT_NAME = 'mstshash';
const SPACE = 0x20;
const EQUALS = 0x3d;
const CR = 0x0d;
const LF = 0x0a;

export function rdpCookieKey(balance: Balance, hash: Hash): Key {
  const label = new TextEncoder().encode('cookie:');
  const name = new TextEncoder().encode((balance.name || DEFAULT_NAME).toLowerCase());
  return (subject: Subject) => {
    const payload = subject.payload();
    if (payload === null) return NO_KEY;
    const { bytes, end } = payload;
    const afterLabel = skip(bytes, payload.start + COOKIE_AT, end, label);
    if (afterLabel < 0) return NO_KEY;
    let at = afterLabel;
    while (at < end && bytes[at] === SPACE) at++;
    const afterName = skip(bytes, at, end, name);
    if (afterName < 0 || bytes[afterName] !== EQUALS) return NO_KEY;
    const start = afterName + 1;
    let stop = start;
    while (stop < end && bytes[stop] !== CR) stop++;
    if (stop === start || stop + 1 >= end || bytes[stop + 1] !== LF) return NO_KEY;
    return hash(bytes, start, stop);
  };
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
