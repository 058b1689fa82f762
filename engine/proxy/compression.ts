/**
 * Which messages are compressed (manual 4.2, `compression`). A response's format is chosen when its request goes to the server;
 * whether it is used, when its head comes. Settings of the backend go before those of the frontend.
 */
import type { CompressionFormat } from '../config/filter-spec.ts';
import { acceptedEncoding } from '../http/accept-encoding.ts';
import { BODY_NONE, responseBody } from '../http/body.ts';
import { isWord, latin1, lower, textOf } from '../http/chars.ts';
import { listItemEnd, trimEnd, trimStart } from '../http/fields.ts';
import type { Head } from '../http/head.ts';
import {
  H_ACCEPT_ENCODING,
  H_CACHE_CONTROL,
  H_CONTENT_ENCODING,
  H_CONTENT_LENGTH,
  H_CONTENT_TYPE,
  H_ETAG,
  H_USER_AGENT,
  METHOD_HEAD,
} from '../http/names.ts';
import { maxHeadLength, writeResponseHead } from '../http/write.ts';
import { parseReply } from '../rules/after-response.ts';
import { FAILED_REWRITES } from '../shm/counters.ts';
import { type Compressor, compressorOf } from './compressor.ts';
import type { Compressed, ProxyFilters } from './proxy-filters.ts';
import { Reply } from './reply.ts';
import type { Stream } from './stream.ts';
import { filterRequest, filterResponse } from './stream-filters.ts';

const TRANSFER_ENCODING = latin1('transfer-encoding');
const CHUNKED = latin1('chunked');
const VARY = latin1('vary');
const ACCEPT_ENCODING = latin1('Accept-Encoding');
const CONTENT_ENCODING = latin1('content-encoding');
const NO_TRANSFORM = latin1('no-transform');
const MULTIPART = latin1('multipart');
const MOZILLA_4 = latin1('Mozilla/4');
const WEAK = latin1('W/');
/** `Mozilla/4.0 (compatible; MSIE 6.0; Windows NT 5.1; SV1)`, and 7 to 9. */
const UNDERSTANDING_MSIE = /^.{25}MSIE (?:[7-9]|6.{20}SV1)/;
const QUOTE = 34;
/** What Content-Encoding says. */
const CODINGS = Object.fromEntries(
  ['gzip', 'deflate', 'raw-deflate', 'br', 'zstd'].map(name => [name, latin1(name.replace('raw-', ''))]),
);

/** The request is about to leave: chooses the format of its response, and compresses the request itself. */
export function prepareCompression(stream: Stream): void {
  const front = stream.frontend.filters;
  const back = stream.backend!.filters;
  chooseFormat(stream, front, back);
  const place = earlier(front?.compressesRequest ?? -1, back?.compressesRequest ?? -1);
  if (place >= 0) compressRequest(stream, place, pick(front?.request, back?.request));
}

/** The first of two places that is one. */
function earlier(a: number, b: number): number {
  return a >= 0 ? a : b;
}

const NOTHING: Compressed = { formats: [], types: [], minBytes: 0 };

/** Each setting that the backend has, else the frontend's. */
function pick(front: Compressed = NOTHING, back: Compressed = NOTHING): Compressed {
  return {
    formats: back.formats.length > 0 ? back.formats : front.formats,
    types: back.types.length > 0 ? back.types : front.types,
    minBytes: back.minBytes || front.minBytes,
  };
}

function chooseFormat(stream: Stream, front: ProxyFilters | null, back: ProxyFilters | null): void {
  if (earlier(front?.compressesResponse ?? -1, back?.compressesResponse ?? -1) < 0) return;
  const head = stream.requestHead;
  const filters = (back?.response.formats.length ? back : front)!;
  const { formats } = filters.response;
  if (misunderstands(head)) return;
  const chosen = acceptedEncoding(head, filters.names);
  if (chosen >= 0) stream.acceptedFormat = formats[chosen]!;
  else if (formats.includes('identity')) stream.acceptedFormat = 'identity';
  if (stream.acceptedFormat !== null && (front?.offload || back?.offload)) head.removeAll(H_ACCEPT_ENCODING);
}

/** Old browsers say that they understand what they do not: Mozilla/4, but for MSIE 6 of XP SP2 and MSIE 7 and later. */
function misunderstands(head: Head): boolean {
  const i = head.find(H_USER_AGENT);
  if (i < 0) return false;
  const bytes = head.bytesOf(i);
  const start = head.valueStart[i]!;
  if (!begins(bytes, start, head.valueEnd[i]!, MOZILLA_4, false)) return false;
  const agent = textOf(bytes, start, head.valueEnd[i]!);
  return !UNDERSTANDING_MSIE.test(agent);
}

function compressRequest(stream: Stream, place: number, { formats, types, minBytes }: Compressed): void {
  const head = stream.requestHead;
  const format = formats[0];
  if (format === undefined || head.version === 0 || stream.requestDone || !compressible(head, types, minBytes)) return;
  if (stream.context.encoders.tooMuch(stream.now)) return;
  const compressor = compressorOf(stream, false, place, format);
  if (compressor === null) return;
  if (announce(head, format, false)) filterRequest(stream, compressor);
  else giveUp(stream, compressor);
}

/** The response head is as it came: whether its payload is compressed is decided before any rule changes it. */
export function decideCompression(stream: Stream): void {
  const { requestHead, responseHead: head } = stream;
  const { types, minBytes } = pick(stream.frontend.filters?.response, stream.backend?.filters?.response);
  const { status } = head;
  const { methodId, version } = requestHead;
  const takes = version > 0 && head.version > 0 && status >= 200 && status <= 203 && methodId !== METHOD_HEAD;
  const may =
    takes && compressible(head, types, minBytes) && isUsual(head) && !stream.context.encoders.tooMuch(stream.now);
  stream.compression = may ? stream.acceptedFormat : null;
}

/** The response head is as the rules have left it: says that the payload is compressed, and does it. */
export function compressResponse(stream: Stream): void {
  const head = stream.responseHead;
  const format = stream.compression!;
  stream.compression = null;
  // `set-status` may have left no payload.
  if (responseBody(head, stream.requestHead.methodId) === BODY_NONE) return;
  const front = stream.frontend.filters;
  const back = stream.backend?.filters;
  const place = earlier(front?.compressesResponse ?? -1, back?.compressesResponse ?? -1);
  const compressor = compressorOf(stream, true, place, format);
  if (compressor === null) return;
  if (announce(head, format, true)) {
    head.chunked = true;
    stream.compression = format;
    filterResponse(stream, compressor);
  } else giveUp(stream, compressor);
}

/** A dump of our own (the statistics page) is compressed as a server's response is: whether, its head says as it is made. */
export function decideReply(stream: Stream, reply: Reply): void {
  chooseFormat(stream, stream.frontend.filters, stream.backend?.filters ?? null);
  if (stream.acceptedFormat === null) return;
  parseReply(stream.responseHead, reply);
  decideCompression(stream);
}

/** The reply as it leaves when its dump is compressed; `stream.compression` says whether it is. */
export function compressReply(stream: Stream, reply: Reply): Reply {
  if (stream.compression === null) return reply;
  const head = stream.responseHead;
  parseReply(head, reply);
  compressResponse(stream);
  const out = new Uint8Array(maxHeadLength(head));
  return new Reply(out.subarray(0, writeResponseHead(head, out, 0)), reply.closes);
}

/** There is no room for what would have to be said. */
function giveUp(stream: Stream, compressor: Compressor): void {
  compressor.release();
  stream.count(FAILED_REWRITES);
}

/** What holds in both directions: there is a payload, not yet encoded, which may be changed and is of a kind that is wanted. */
function compressible(head: Head, types: readonly Uint8Array[], minBytes: number): boolean {
  if (head.otherCoding || (!head.chunked && head.contentLength <= 0)) return false;
  if (!head.chunked && head.contentLength < minBytes) return false;
  if (head.find(H_CONTENT_ENCODING) >= 0 || forbidsChange(head)) return false;
  const type = head.find(H_CONTENT_TYPE);
  if (type < 0) return types.length === 0;
  const bytes = head.bytesOf(type);
  const start = head.valueStart[type]!;
  const end = head.valueEnd[type]!;
  if (begins(bytes, start, end, MULTIPART, true)) return false;
  return types.length === 0 || types.some(each => begins(bytes, start, end, each, true));
}

/** `Cache-Control: no-transform`. */
function forbidsChange(head: Head): boolean {
  for (let i = head.find(H_CACHE_CONTROL); i >= 0; i = head.find(H_CACHE_CONTROL, i + 1)) {
    const bytes = head.bytesOf(i);
    const end = head.valueEnd[i]!;
    for (let at = head.valueStart[i]!; at < end; ) {
      const next = listItemEnd(bytes, at, end);
      if (isWord(bytes, at, trimEnd(bytes, at, next), NO_TRANSFORM)) return true;
      at = trimStart(bytes, next + 1, end);
    }
  }
  return false;
}

/** No ETag, or one that can be weakened: `"..."` or `W/"..."`. */
function isUsual(head: Head): boolean {
  const i = head.find(H_ETAG);
  if (i < 0) return true;
  if (head.find(H_ETAG, i + 1) >= 0) return false;
  const bytes = head.bytesOf(i);
  const end = head.valueEnd[i]!;
  const open = head.valueStart[i]! + (isWeak(head, i) ? WEAK.length : 0);
  return end - open >= 2 && bytes[open] === QUOTE && bytes[end - 1] === QUOTE;
}

function isWeak(head: Head, i: number): boolean {
  return begins(head.bytesOf(i), head.valueStart[i]!, head.valueEnd[i]!, WEAK, false);
}

/** The payload is another one byte for byte: the tag must not say otherwise (RFC 9110 8.8.1). What a rule wrote may be no tag. */
function weaken(head: Head, i: number): boolean {
  const at = head.valueStart[i]!;
  return head.valueEnd[i] === at || head.bytesOf(i)[at] !== QUOTE || head.splice(i, at, at, WEAK);
}

/** Says in the head what the payload will be: in chunks, as nobody knows how long it will be. False = nothing is changed. */
function announce(head: Head, format: CompressionFormat, response: boolean): boolean {
  const { count } = head;
  const etag = response ? head.find(H_ETAG) : -1;
  const done =
    (head.chunked || head.add(TRANSFER_ENCODING, CHUNKED)) &&
    (!response || head.add(VARY, ACCEPT_ENCODING)) &&
    (format === 'identity' || head.add(CONTENT_ENCODING, CODINGS[format]!)) &&
    (etag < 0 || weaken(head, etag));
  if (done) head.removeAll(H_CONTENT_LENGTH);
  else for (let i = count; i < head.count; i++) head.remove(i);
  return done;
}

function begins(bytes: Uint8Array, start: number, end: number, word: Uint8Array, anyCase: boolean): boolean {
  if (end - start < word.length) return false;
  for (let i = 0; i < word.length; i++) {
    const byte = bytes[start + i]!;
    if ((anyCase ? lower(byte) : byte) !== word[i]) return false;
  }
  return true;
}
