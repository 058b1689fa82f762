/**
 * What rules may do to Content-Length and Transfer-Encoding, which say where a payload ends: what HAProxy 2.6 does, as far as
 * the message stays whole. What would cut it in two, or promise what does not come, is refused; HAProxy answers 500, or
 * both sides wait for each other.
 *
 *      del content-length             the payload leaves in chunks (proxy/chunker.ts); in an answer to HEAD, and 304, it is gone
 *      set content-length <number>    the true one: nothing changes; another: refused, but in answers to HEAD and 304
 *      set content-length <other>     as del
 *      add content-length             nothing where there is one; else refused
 *      set transfer-encoding chunked  as del content-length; another coding is refused
 *      del transfer-encoding          nothing: chunks stay chunks
 *
 * In a message without a payload all of this changes nothing. Responses of our own are treated alike.
 */
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, requestBody, responseBody } from '../http/body.ts';
import { isWord, latin1, textOf } from '../http/chars.ts';
import type { Head } from '../http/head.ts';
import { H_CONTENT_LENGTH, H_TRANSFER_ENCODING, METHOD_HEAD } from '../http/names.ts';
import type { Standpoint } from '../sample/context.ts';

const CONTENT_LENGTH = latin1('content-length');
const CHUNKED = latin1('chunked');

export function isFraming(id: number): boolean {
  return id === H_CONTENT_LENGTH || id === H_TRANSFER_ENCODING;
}

/** The head that the rules of `at` edit. */
export function headOf(at: Standpoint): Head {
  return at.response ? at.stream!.responseHead : at.stream!.requestHead;
}

function kindOf(at: Standpoint): number {
  const { requestHead, responseHead } = at.stream!;
  return at.response ? responseBody(responseHead, requestHead.sentMethodId) : requestBody(requestHead);
}

/** Removes the header `id`, one of the two. */
export function removeFraming(at: Standpoint, id: number): void {
  const head = headOf(at);
  // A request of HTTP/1.0 cannot have chunks instead.
  const needed = !at.response && head.version === 0 && kindOf(at) === BODY_LENGTH;
  if (id === H_CONTENT_LENGTH && !needed) head.removeAll(id);
}

/** Sets (`replaces`) or adds the header `id`, one of the two. False when that cannot be. */
export function putFraming(at: Standpoint, id: number, value: Uint8Array, replaces: boolean): boolean {
  const kind = kindOf(at);
  if (id === H_CONTENT_LENGTH) return putLength(at, kind, value, replaces);
  if (!isWord(value, 0, value.length, CHUNKED)) return kind === BODY_NONE;
  if (kind === BODY_LENGTH) removeFraming(at, H_CONTENT_LENGTH);
  return true;
}

function putLength(at: Standpoint, kind: number, value: Uint8Array, replaces: boolean): boolean {
  const head = headOf(at);
  const text = textOf(value, 0, value.length);
  const length = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (kind === BODY_NONE) return !tellsOnly(at) || length < 0 || tellLength(head, value, replaces);
  if (kind === BODY_LENGTH && (!replaces || length === head.contentLength)) return true;
  if (length < 0 && replaces && kind !== BODY_CHUNKED) removeFraming(at, H_CONTENT_LENGTH);
  return length < 0;
}

/** The response has no payload, and says how long it would be. */
function tellsOnly({ stream, response }: Standpoint): boolean {
  return response && (stream!.requestHead.sentMethodId === METHOD_HEAD || stream!.responseHead.status === 304);
}

function tellLength(head: Head, value: Uint8Array, replaces: boolean): boolean {
  if (replaces) head.removeAll(H_CONTENT_LENGTH);
  return head.find(H_CONTENT_LENGTH) >= 0 || head.add(CONTENT_LENGTH, value);
}
