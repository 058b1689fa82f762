/**
 * The header names and methods that Sluice knows by a number, so that rules and the data path compare numbers, not
 * bytes. A header's number is found from its bytes while the head is parsed, without making a string.
 */
import { isExactly, latin1 } from './chars.ts';

/** Known header names; a name's place is its number, 0 is every other name. */
const NAMES = [
  '',
  'host',
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'expect',
  'sec-websocket-key',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'cookie',
  'set-cookie',
  'set-cookie2',
  'x-forwarded-for',
  'x-forwarded-proto',
  'x-original-to',
  'forwarded',
  'via',
  'date',
  'server',
  'cache-control',
  'pragma',
  'expires',
  'age',
  'vary',
  'etag',
  'last-modified',
  'location',
  'authorization',
  'proxy-authorization',
  'www-authenticate',
  'proxy-authenticate',
  'content-type',
  'content-encoding',
  'accept',
  'accept-encoding',
  'accept-language',
  'user-agent',
  'referer',
  'origin',
  'range',
  'if-modified-since',
  'if-none-match',
  'sec-websocket-accept',
  'strict-transport-security',
  'http2-settings',
] as const;

const NAME_BYTES = NAMES.map(latin1);

/** The number of a known header name (lower case). */
function known(name: (typeof NAMES)[number]): number {
  return NAMES.indexOf(name);
}

export const H_OTHER = 0;
export const H_HOST = known('host');
export const H_CONTENT_LENGTH = known('content-length');
export const H_TRANSFER_ENCODING = known('transfer-encoding');
export const H_CONNECTION = known('connection');
export const H_UPGRADE = known('upgrade');
export const H_EXPECT = known('expect');
export const H_SEC_WEBSOCKET_KEY = known('sec-websocket-key');
/** The numbers up to here are those the parser itself looks into. */
export const H_LAST_FACT = H_SEC_WEBSOCKET_KEY;
export const H_TE = known('te');
export const H_COOKIE = known('cookie');
export const H_SET_COOKIE = known('set-cookie');
export const H_SET_COOKIE2 = known('set-cookie2');
export const H_VIA = known('via');
export const H_CACHE_CONTROL = known('cache-control');
export const H_PRAGMA = known('pragma');
export const H_EXPIRES = known('expires');
export const H_ETAG = known('etag');
export const H_AUTHORIZATION = known('authorization');
export const H_CONTENT_TYPE = known('content-type');
export const H_CONTENT_ENCODING = known('content-encoding');
export const H_ACCEPT_ENCODING = known('accept-encoding');
export const H_USER_AGENT = known('user-agent');

/** Methods known by number; METHOD_OTHER is every other token. */
export const METHOD_NAMES: readonly string[] = [
  '',
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'DELETE',
  'OPTIONS',
  'CONNECT',
  'TRACE',
  'PATCH',
];
export const METHOD_OTHER = 0;
export const METHOD_GET = METHOD_NAMES.indexOf('GET');
export const METHOD_HEAD = METHOD_NAMES.indexOf('HEAD');
export const METHOD_POST = METHOD_NAMES.indexOf('POST');
export const METHOD_DELETE = METHOD_NAMES.indexOf('DELETE');
export const METHOD_OPTIONS = METHOD_NAMES.indexOf('OPTIONS');
export const METHOD_CONNECT = METHOD_NAMES.indexOf('CONNECT');

const METHOD_BYTES = METHOD_NAMES.map(latin1);

/*
 * A perfect hash of the names: length, first, last and middle byte, with the first multipliers (found at load) that
 * put every name in a slot of its own. A look-up is one slot and one comparison.
 */
const SLOTS = 1024;

function hash(bytes: Uint8Array, start: number, end: number, a: number, b: number): number {
  const length = end - start;
  const middle = bytes[start + (length >> 1)]!;
  return (length * a + bytes[start]! * b + bytes[end - 1]! * 7 + middle * 31) & (SLOTS - 1);
}

function perfect(): { slots: Uint8Array; a: number; b: number } {
  for (let a = 1; a < 64; a++) {
    for (let b = 1; b < 64; b++) {
      const slots = new Uint8Array(SLOTS);
      let placed = 1;
      for (; placed < NAMES.length; placed++) {
        const name = NAME_BYTES[placed]!;
        const slot = hash(name, 0, name.length, a, b);
        if (slots[slot] !== 0) break;
        slots[slot] = placed;
      }
      if (placed === NAMES.length) return { slots, a, b };
    }
  }
  throw new Error('header names: no perfect hash found, use more slots');
}

const { slots: SLOT, a: A, b: B } = perfect();

/** All names behind one another; name `id` is `FLAT[FLAT_AT[id], FLAT_AT[id + 1])`. */
const FLAT = latin1(NAMES.join(''));
const FLAT_AT = Uint16Array.from({ length: NAMES.length + 1 }, (_, id) => NAMES.slice(0, id).join('').length);

/** The number of the lower-case header name `bytes[start, end)` (not empty); H_OTHER when it is not in the table. */
export function headerId(bytes: Uint8Array, start: number, end: number): number {
  const id = SLOT[hash(bytes, start, end, A, B)]!;
  if (id === H_OTHER) return H_OTHER;
  let from = FLAT_AT[id]!;
  if (FLAT_AT[id + 1]! - from !== end - start) return H_OTHER;
  const flat = FLAT;
  for (let i = start; i < end; i++, from++) if (bytes[i] !== flat[from]) return H_OTHER;
  return id;
}

/** The number of a lower-case header name in a string: for configuration and rules being compiled. */
export function headerIdOf(name: string): number {
  return name === '' ? H_OTHER : headerId(latin1(name), 0, name.length);
}

/** The number of the method `bytes[start, end)`, exact case (RFC 9110 9.1); METHOD_OTHER when not in the table. */
export function methodId(bytes: Uint8Array, start: number, end: number): number {
  for (let id = 1; id < METHOD_NAMES.length; id++) {
    const word = METHOD_BYTES[id]!;
    if (word[0] === bytes[start] && isExactly(bytes, start, end, word)) return id;
  }
  return METHOD_OTHER;
}

const IDEMPOTENT = new Set(
  ['GET', 'HEAD', 'PUT', 'DELETE', 'OPTIONS', 'TRACE'].map(name => METHOD_NAMES.indexOf(name as never)),
);

/** Whether doing a request of this method twice is as doing it once (RFC 9110 9.2.2). */
export function isIdempotent(method: number): boolean {
  return IDEMPOTENT.has(method);
}
