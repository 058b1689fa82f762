/** balance uri: the URI up to the question mark (`whole`: all of it), cut by `len` and `depth` where they are given. */
import type { Balance } from '../config/proxy-model.ts';
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const SLASH = 0x2f;
const QUESTION = 0x3f;
const COLON = 0x3a;

export function uriKey(balance: Balance, hash: Hash): Key {
  const { whole, depth, lenBytes, pathOnly } = balance;
  return (subject: Subject) => {
    const uri = subject.uri();
    if (uri === null) return NO_KEY;
    const { bytes } = uri;
    const start = pathOnly ? pathStart(bytes, uri.start, uri.end) : uri.start;
    const last = lenBytes > 0 ? Math.min(uri.end, start + lenBytes) : uri.end;
    let end = start;
    // The slash after `depth` directories ends the key: the first one stands before them.
    for (let slashes = 0; end < last; end++) {
      if (bytes[end] === SLASH && depth > 0 && slashes++ === depth) break;
      if (bytes[end] === QUESTION && !whole) break;
    }
    return hash(bytes, start, end);
  };
}

/** Where the path begins: after the scheme and authority of an absolute URI (RFC 9112 3.2.2); the end when it has none. */
function pathStart(bytes: Uint8Array, start: number, end: number): number {
  if (bytes[start] === SLASH) return start;
  let at = start;
  while (at < end && bytes[at] !== COLON) at++;
  if (bytes[at + 1] !== SLASH || bytes[at + 2] !== SLASH) return end;
  at += 3;
  while (at < end && bytes[at] !== SLASH) at++;
  return at;
}
