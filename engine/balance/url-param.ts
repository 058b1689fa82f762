/** balance url_param: the value of one parameter of the query string, or with `check_post` of the body. */
import type { Balance } from '../config/proxy-model.ts';
import type { Subject } from './balancer.ts';
import type { Hash } from './hash.ts';
import { type Key, NO_KEY } from './keyed.ts';

const QUESTION = 0x3f;
const EQUALS = 0x3d;
const AMPERSAND = 0x26;

export function urlParamKey(balance: Balance, hash: Hash): Key {
  const name = new TextEncoder().encode(balance.name);
  const checkPost = balance.checkPostBytes > 0;
  return (subject: Subject) => {
    const uri = subject.uri();
    if (uri === null) return NO_KEY;
    const { bytes, end } = uri;
    const question = find(bytes, uri.start, end, QUESTION);
    const value = findValue(bytes, question + 1, end, name);
    if (value >= 0) return hash(bytes, value, find(bytes, value, end, AMPERSAND));
    const body = checkPost ? subject.body() : null;
    return body === null ? NO_KEY : bodyKey(body.bytes, body.start, body.end, name, hash);
  };
}

/** A body may be anything. As HAProxy, judge by the value's first byte: white space is an empty value, no token no key. */
function bodyKey(bytes: Uint8Array, start: number, end: number, name: Uint8Array, hash: Hash): number {
  const value = findValue(bytes, start, end, name);
  if (value < 0) return NO_KEY;
  const first = value < end ? bytes[value]! : AMPERSAND;
  if (isSpace(first)) return hash(bytes, value, value);
  if (first !== AMPERSAND && !isToken(first)) return NO_KEY;
  return hash(bytes, value, find(bytes, value, end, AMPERSAND));
}

/** Where the value of `name=value` begins in a list joined by ampersands, or -1. */
function findValue(bytes: Uint8Array, start: number, end: number, name: Uint8Array): number {
  for (let at = start; at + name.length < end; at = find(bytes, at, end, AMPERSAND) + 1) {
    if (bytes[at + name.length] === EQUALS && startsWith(bytes, at, name)) return at + name.length + 1;
  }
  return -1;
}

function startsWith(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}

/** The first `byte` in [start, end), or `end`. */
function find(bytes: Uint8Array, start: number, end: number, byte: number): number {
  let at = start;
  while (at < end && bytes[at] !== byte) at++;
  return at;
}

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d || byte === 0x0a;
}

/** RFC 9110 5.6.2. */
const TOKEN = Uint8Array.from({ length: 256 }, (_, byte) =>
  /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)) ? 1 : 0,
);

function isToken(byte: number): boolean {
  return TOKEN[byte] === 1;
}
