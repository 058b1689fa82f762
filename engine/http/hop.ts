/**
 * Headers that belong to one connection, not to the message: what Connection leaves with, which connections live on.
 * As HAProxy 2.x, recorded in test/http/haproxy-modes.json:
 *
 *      mode            to the server (request 1.1 / 1.0)     to the client
 *      keep-alive      nothing / connection: keep-alive      nothing, or close when the client asked for it
 *      server-close    connection: close / nothing           as keep-alive
 *      close           connection: close / nothing           connection: close
 *
 * The version in the start line is the sender's own and is never changed: a response HTTP/1.1 goes to a client of
 * HTTP/1.0 as such. `connection: close` is left out in a message of HTTP/1.0, where it is what happens anyway;
 * `connection: keep-alive` is put in when the message is HTTP/1.0 or answers a request of HTTP/1.0.
 *
 * Of a received Connection only the tokens close and keep-alive go, before rules look; the others (upgrade, te, ...) stay,
 * with the headers they name. A close that a rule puts there ends the connection on which the message leaves. When upgrade is among them, nothing is put in: the connection's fate is in the answer. Keep-Alive and
 * Proxy-Connection pass as any header.
 */
import { isWord, latin1 } from './chars.ts';
import { listItemEnd, trimEnd, trimStart } from './fields.ts';
import type { Head } from './head.ts';
import { H_CONNECTION, H_CONTENT_LENGTH, H_TE, H_TRANSFER_ENCODING, H_UPGRADE, METHOD_CONNECT } from './names.ts';

const CONNECTION = latin1('connection');
const CLOSE = latin1('close');
const KEEP_ALIVE = latin1('keep-alive');
const UPGRADE = latin1('upgrade');
const TRAILERS = latin1('trailers');
const COMMA = 44;
const SEMICOLON = 59;
const SP = 32;

/** `option http-keep-alive`, `http-server-close`, `httpclose`. */
export type HttpMode = 'keep-alive' | 'server-close' | 'close';

/** Whether the client's connection may serve another request after this one, by mode and request. */
export function clientPersists(mode: HttpMode, request: Head): boolean {
  return mode !== 'close' && persists(request);
}

/** Whether the server's connection may serve another request after this response. `untilClose`: its body has no other end. */
export function serverPersists(mode: HttpMode, response: Head, untilClose: boolean): boolean {
  return mode === 'keep-alive' && !untilClose && persists(response);
}

/** What the message itself says (RFC 9112 9.3): close wins over keep-alive. A request that does not persist is its client's last. */
export function persists(head: Head): boolean {
  if (head.connectionClose || head.mustClose) return false;
  return head.version === 1 || head.connectionKeepAlive;
}

/** Sets the Connection header of a request to the server; `keep` in mode keep-alive. False when `extra` is full. */
export function setRequestConnection(head: Head, keep: boolean): boolean {
  return setConnection(head, keep, head.version);
}

/**
 * Sets the Connection header of a response to the client; `keep` when the client's connection lives on. Interim
 * responses (1xx) and the answer that opens a CONNECT tunnel get none. False when `extra` is full.
 */
export function setResponseConnection(
  head: Head,
  keep: boolean,
  requestVersion: number,
  requestMethod: number,
): boolean {
  if (head.status < 200 || (requestMethod === METHOD_CONNECT && head.status < 300)) return true;
  return setConnection(head, keep, requestVersion);
}

/** A head was received: its close and keep-alive are for us, no rule sees them. Those that stand there later are rules'. */
export function dropReceivedPersistence(head: Head): void {
  if (head.connectionClose || head.connectionKeepAlive) dropPersistence(head);
}

/** Takes close and keep-alive out of all Connection headers. True when close was there. */
export function dropPersistence(head: Head): boolean {
  return (dropAllTokens(head) & SAYS_CLOSE) !== 0;
}

function dropAllTokens(head: Head): number {
  let tokens = 0;
  for (let i = head.find(H_CONNECTION); i >= 0; i = head.find(H_CONNECTION, i + 1)) tokens |= dropTokens(head, i);
  return tokens;
}

/** A rule that put close there has its way: `head.closes` tells how it leaves. */
function setConnection(head: Head, keep: boolean, requestVersion: number): boolean {
  const tokens = dropAllTokens(head);
  head.closes = !keep || (tokens & SAYS_CLOSE) !== 0;
  if ((tokens & SAYS_UPGRADE) !== 0) return true;
  if (head.closes) return head.version === 0 || head.add(CONNECTION, CLOSE);
  return (head.version === 1 && requestVersion === 1) || head.add(CONNECTION, KEEP_ALIVE);
}

const SAYS_UPGRADE = 1;
const SAYS_CLOSE = 2;

/** Takes close and keep-alive out of Connection slot `i`, in place; tells which of two tokens there were. */
function dropTokens(head: Head, i: number): number {
  const bytes = head.bytesOf(i);
  const start = head.valueStart[i]!;
  const end = head.valueEnd[i]!;
  let tokens = 0;
  let dropped = false;
  // First look: most values lose all or nothing, and then no byte moves.
  for (let at = start; at < end; ) {
    const next = listItemEnd(bytes, at, end);
    const last = trimEnd(bytes, at, next);
    if (isPersistence(bytes, at, last)) dropped = true;
    if (isWord(bytes, at, last, CLOSE)) tokens |= SAYS_CLOSE;
    else if (isWord(bytes, at, last, UPGRADE)) tokens |= SAYS_UPGRADE;
    at = trimStart(bytes, next + 1, end);
  }
  if (dropped) keepOthers(head, i, bytes, start, end);
  return tokens;
}

function isPersistence(bytes: Uint8Array, start: number, end: number): boolean {
  return isWord(bytes, start, end, CLOSE) || isWord(bytes, start, end, KEEP_ALIVE);
}

/** Moves the tokens that stay to the front of the value; removes the slot when there are none. */
function keepOthers(head: Head, i: number, bytes: Uint8Array, start: number, end: number): void {
  let to = start;
  for (let at = start; at < end; ) {
    const next = listItemEnd(bytes, at, end);
    const last = trimEnd(bytes, at, next);
    if (last > at && !isPersistence(bytes, at, last)) {
      if (to > start) {
        bytes[to++] = COMMA;
        // There may be no room for the space when the value had none: it is only for the eye.
        if (to < at) bytes[to++] = SP;
      }
      bytes.copyWithin(to, at, last);
      to += last - at;
    }
    at = trimStart(bytes, next + 1, end);
  }
  if (to === start) head.remove(i);
  else head.shrink(i, to);
}

/** Of what a client takes from one hop, only trailers can pass: one `te: trailers` is left, or none (RFC 9110 10.1.4). */
export function keepTrailersOnly(request: Head): boolean {
  let kept = false;
  for (let i = request.find(H_TE); i >= 0; i = request.find(H_TE, i + 1)) {
    if (kept || !namesTrailers(request.bytesOf(i), request.valueStart[i]!, request.valueEnd[i]!)) request.remove(i);
    else if (!request.setValue(i, TRAILERS)) return false;
    else kept = true;
  }
  return true;
}

function namesTrailers(bytes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; ) {
    const next = listItemEnd(bytes, at, end);
    let last = at;
    while (last < next && bytes[last] !== SEMICOLON) last++;
    if (isWord(bytes, at, trimEnd(bytes, at, last), TRAILERS)) return true;
    at = trimStart(bytes, next + 1, end);
  }
  return false;
}

/** A request with a payload cannot upgrade: its Upgrade header goes before anybody sees it, as in HAProxy. */
export function dropUpgradeOfPayload(request: Head): void {
  if (!request.connectionUpgrade || (!request.chunked && request.contentLength <= 0)) return;
  request.removeAll(H_UPGRADE);
  request.upgradeIndex = -1;
  request.connectionUpgrade = false;
}

/** Takes the lengths out of a response that cannot have them: 1xx and 204 (RFC 9110 8.6, RFC 9112 6.1). */
export function dropForbiddenLengths(response: Head): void {
  if (response.status >= 200 && response.status !== 204) return;
  if (response.lengthIndex >= 0) response.removeAll(H_CONTENT_LENGTH);
  if (response.encodingIndex >= 0) response.removeAll(H_TRANSFER_ENCODING);
}
