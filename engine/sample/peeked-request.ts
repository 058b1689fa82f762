/**
 * HTTP in TCP mode: the head that the bytes held for content rules begin with, if they do (manual 4.2, `tcp-request content`).
 * It is parsed in a copy, as the parser changes the names that it reads, and once for all that is asked of the same bytes.
 */
import type { Head } from '../http/head.ts';
import { parseRequest } from '../http/parse.ts';
import type { Stream } from '../proxy/stream.ts';

let copy = new Uint8Array(0);
/** What `copy` is of: bytes are only ever added to those that a stream holds. */
let of = 0;
let length = -1;
/** What the parser said: bytes of the head, 0 = more must come, below 0 = it is none. */
let result = 0;

function parse(stream: Stream): number {
  // Over, or one that stands in for a connection that had none.
  if (!stream.active) return -1;
  const held = stream.client.buffered();
  if (held === null) return 0;
  const bytes = held.end - held.start;
  if (stream.id === of && bytes === length) return result;
  if (copy.length < bytes) copy = new Uint8Array(bytes);
  copy.set(held.bytes.subarray(held.start, held.end));
  of = stream.id;
  length = bytes;
  result = parseRequest(stream.requestHead, copy, 0, bytes, stream.frontend.requestLimits);
  return result;
}

/** The head of a request in the bytes that a TCP client has sent; null = there is none, or not all of it. Valid during one call. */
export function peekedHead(stream: Stream): Head | null {
  return parse(stream) > 0 ? stream.requestHead : null;
}

/** More bytes may make a request head of what a TCP client has sent. */
export function mayBeRequest(stream: Stream): boolean {
  return parse(stream) === 0;
}
