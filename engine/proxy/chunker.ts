/** Chunks for a payload whose length rules have taken out of its head (rules/framing.ts). */
import { isBodyless } from '../http/body.ts';
import { latin1 } from '../http/chars.ts';
import { type Head, REMOVED } from '../http/head.ts';
import { H_CONTENT_LENGTH, H_TRANSFER_ENCODING, METHOD_HEAD } from '../http/names.ts';
import { CHUNK_SIZE_MAX_BYTES, CRLF, LAST_CHUNK, writeChunkSize } from '../http/write.ts';
import type { Chunk } from '../io/contract.ts';
import type { Filter, Sink } from './filter.ts';
import type { Stream } from './stream.ts';
import { filterRequest, filterResponse } from './stream-filters.ts';

const CONTENT_LENGTH = latin1('content-length');
const TRANSFER_ENCODING = latin1('transfer-encoding');
const CHUNKED = latin1('chunked');
const SIZE_LINE = new Uint8Array(CHUNK_SIZE_MAX_BYTES);

class Chunker implements Filter {
  /** Behind all others. */
  readonly place = Number.MAX_SAFE_INTEGER;
  readonly unframed = true;
  readonly holding = false;
  next!: Sink;

  data(chunk: Chunk, start: number, end: number): void {
    this.#size(end - start);
    this.next.data(chunk, start, end);
    this.next.write(CRLF, 0, CRLF.length);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.#size(end - start);
    this.next.write(bytes, start, end);
    this.next.write(CRLF, 0, CRLF.length);
  }

  #size(bytes: number): void {
    this.next.write(SIZE_LINE, 0, writeChunkSize(SIZE_LINE, 0, bytes));
  }

  /** A payload that had a length has no trailers. */
  end(): void {
    this.next.write(LAST_CHUNK, 0, LAST_CHUNK.length);
    this.next.end(null);
  }

  release(): void {}
}

/** A length was received and is not told any more, nor is anything else (compression frames by itself). */
function lostLength(head: Head): boolean {
  if (head.lengthIndex < 0 || head.source[head.lengthIndex] !== REMOVED) return false;
  return head.find(H_CONTENT_LENGTH) < 0 && head.find(H_TRANSFER_ENCODING) < 0;
}

/** The request is about to leave. False when there is no room in its head. */
export function chunkRequest(stream: Stream): boolean {
  const head = stream.requestHead;
  if (!lostLength(head) || head.contentLength <= 0) return true;
  if (!head.add(TRANSFER_ENCODING, CHUNKED)) return false;
  filterRequest(stream, new Chunker());
  return true;
}

/** The response is about to leave: a client of HTTP/1.0 is told the length, as it knows no chunks. False when there is no room. */
export function chunkResponse(stream: Stream): boolean {
  const head = stream.responseHead;
  const { methodId, sentMethodId, version } = stream.requestHead;
  if (methodId === METHOD_HEAD || !lostLength(head) || isBodyless(head, sentMethodId)) return true;
  if (version === 0) return restoreLength(head);
  if (!head.add(TRANSFER_ENCODING, CHUNKED)) return false;
  head.chunked = true;
  filterResponse(stream, new Chunker());
  return true;
}

/** The same for a response of our own, whose payload is here: returns that as it leaves. */
export function chunkReply({ responseHead: head, requestHead }: Stream, payload: Uint8Array): Uint8Array {
  if (requestHead.methodId === METHOD_HEAD || !lostLength(head)) return payload;
  if (requestHead.version === 0 || head.version === 0 || !head.add(TRANSFER_ENCODING, CHUNKED)) {
    restoreLength(head);
    return payload;
  }
  const { length } = payload;
  return length === 0 ? LAST_CHUNK : Buffer.concat([latin1(`${length.toString(16)}\r\n`), payload, CRLF, LAST_CHUNK]);
}

/** Tells the length after all. False when there is no room. */
function restoreLength(head: Head): boolean {
  return head.add(CONTENT_LENGTH, String(head.contentLength));
}
