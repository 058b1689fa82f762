/**
 * The server's side of HTTP/1: a request head into the connection, a response out of its bytes. Between exchanges the
 * object waits in its server's pool (server-pool.ts).
 *
 *   opening ──► head ──► body ──► done ──release──► pooled ──take──► head ...
 *                │        └─ until the server closes, when neither length nor chunks are given
 *                └─ 101, or 2xx to CONNECT ──► tunnel
 *
 * One object, in three layers: what is known (http1-server-state.ts), requests (http1-requests.ts), responses (here).
 */
import type { Slice } from '../balance/balancer.ts';
import { copy } from '../bytes.ts';
import {
  BODY_CHUNKED,
  BODY_NONE,
  BODY_UNTIL_CLOSE,
  chunksError,
  DATA,
  DONE,
  ERROR,
  MORE,
  responseBody,
} from '../http/body.ts';
import type { Head } from '../http/head.ts';
import { dropReceivedPersistence, serverPersists } from '../http/hop.ts';
import { errorOf } from '../http/invalid.ts';
import { parseResponse } from '../http/parse.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { keepBadMessage } from './bad-messages.ts';
import { arrived, type BodyBuffer } from './body-buffer.ts';
import { abandon, endOrderly } from './closing.ts';
import { Http1Requests } from './http1-requests.ts';
import { ResponseHold } from './response-hold.ts';
import type { ServerSide } from './sides.ts';
import type { Stream } from './stream.ts';
import { CAUSE } from './termination.ts';

export class Http1Server extends Http1Requests implements ServerSide, Handler {
  // --- from the connection ---

  onOpen(): void {
    this.phase = 'head';
    this.exchange?.connected();
  }

  onData(_conn: Conn, chunk: Chunk): void {
    if (this.phase === 'pooled') {
      // A server must not speak first: whatever this is, it is no answer to anything.
      this.#leavePool();
      return;
    }
    this.#consume(chunk, chunk.start);
  }

  #consume(chunk: Chunk, from: number): void {
    let at = from;
    while (at < chunk.end && this.exchange !== null && this.hold === null) at = this.#step(chunk, at);
    if (this.hold !== null && at < chunk.end) this.#holdBack(this.hold, chunk, at);
  }

  /** Rules wait: they look again when the payload grows. */
  #holdBack(hold: ResponseHold, chunk: Chunk, at: number): void {
    hold.take(this.conn, chunk, at);
    if (hold.body.broken) {
      this.keep = false;
      this.exchange!.badResponse();
    } else this.exchange!.lookAgain();
  }

  onEnd(): void {
    this.peerEnded = true;
    if (this.phase === 'pooled') this.#leavePool();
    else this.#ended();
  }

  onDrain(): void {
    this.exchange?.serverDrained();
  }

  onClose(_conn: Conn, errno: number): void {
    this.conn = null;
    this.leave();
    if (this.phase === 'pooled') {
      this.server.pool.remove(this);
      return;
    }
    if (this.exchange !== null) this.exchange.errno = errno;
    if (errno !== 0 && this.hold === null && (this.phase === 'body' || !this.requestEnded)) this.exchange?.serverGone();
    else this.#ended();
  }

  /** The server will send no more. */
  #ended(): void {
    this.keep = false;
    const stream = this.exchange;
    if (stream === null) return;
    if (this.hold !== null) {
      // Rules decide about what there is; how it ended is seen when it is passed on.
      this.peerEnded = this.hold.body.done = true;
      stream.lookAgain();
    } else if (this.phase === 'tunnel') stream.responseEnd(null);
    else if (this.phase === 'body' && this.body.kind === BODY_UNTIL_CLOSE) {
      this.phase = 'done';
      stream.responseEnd(null);
    } else if (this.phase !== 'done') stream.serverGone();
  }

  #leavePool(): void {
    this.server.pool.remove(this);
    this.close();
  }

  // --- reading the response ---

  #step(chunk: Chunk, at: number): number {
    switch (this.phase) {
      case 'head':
        return this.#readHead(chunk, at);
      case 'body':
        return this.#readBody(chunk, at);
      case 'tunnel':
        this.exchange!.responseData(chunk, at, chunk.end);
        return chunk.end;
      default:
        // Bytes after the end of the response: the connection is out of step and cannot be used again.
        this.keep = false;
        return chunk.end;
    }
  }

  /** A head that is whole in one chunk is parsed where it lies; the rest of one that is not is gathered in a buffer. */
  #readHead(chunk: Chunk, at: number): number {
    const stream = this.exchange!;
    const head = stream.responseHead;
    const { responseLimits } = stream.backend!;
    if (this.buffer === null) {
      const length = parseResponse(head, chunk.bytes, at, chunk.end, responseLimits);
      if (length < 0) keepBadMessage(stream, 'response', errorOf(length).name, chunk.bytes, at, chunk.end);
      if (length !== 0) {
        const next = this.#gotHead(stream, head, length, at, chunk);
        if (this.exchange === stream) this.hold?.keepHead(chunk);
        return next;
      }
      this.buffer = stream.context.spareBuffers.pop() ?? new Uint8Array(stream.context.model.global.tune.bufsizeBytes);
      this.used = 0;
    }
    const n = Math.min(chunk.end - at, this.buffer.length - this.used);
    copy(chunk.bytes, at, at + n, this.buffer, this.used);
    const before = this.used;
    this.used += n;
    stream.touchServer();
    const length = parseResponse(head, this.buffer, 0, this.used, responseLimits);
    if (length === 0) return at + n;
    if (length < 0) keepBadMessage(stream, 'response', errorOf(length).name, this.buffer, 0, this.used);
    return this.#gotHead(stream, head, length, at - before, chunk);
  }

  /** `length` as the parser returned it, `from` where the head starts (or would start) in the chunk. */
  #gotHead(stream: Stream, head: Head, length: number, from: number, chunk: Chunk): number {
    if (length < 0 || this.#startsBroken(stream, head, from + length, chunk)) {
      this.keep = false;
      this.releaseBuffer();
      stream.badResponse();
      return chunk.end;
    }
    stream.serverBytesIn += length;
    const interim = head.status < 200 && head.status !== 101;
    if (!interim) this.#frame(stream, head);
    // Bytes after a response without payload: the connection is out of step and must not serve again.
    if (this.phase === 'done' && from + length < chunk.end) this.keep = false;
    this.rest = chunk;
    this.restAt = from + length;
    stream.gotResponseHead();
    this.rest = null;
    if (this.exchange === stream) this.#headLeft(stream);
    return from + length;
  }

  /** The payload that came with the head is wrong: so is the response, of which the client has seen nothing yet. */
  #startsBroken(stream: Stream, head: Head, at: number, chunk: Chunk): boolean {
    if (!head.chunked || responseBody(head, stream.requestHead.sentMethodId) !== BODY_CHUNKED) return false;
    const error = chunksError(chunk.bytes, at, chunk.end);
    if (error < 0) keepBadMessage(stream, 'response', errorOf(error).name, chunk.bytes, chunk.start, chunk.end);
    return error < 0;
  }

  /** The head has left, unless rules wait. */
  #headLeft(stream: Stream): void {
    if (stream.holdsResponse) {
      this.gather();
      return;
    }
    this.hold = null;
    this.releaseBuffer();
    if (this.phase === 'done') stream.responseEnd(null);
  }

  /** How the payload is delimited (RFC 9112 6.3), and whether the connection can serve again. */
  #frame(stream: Stream, head: Head): void {
    const kind = responseBody(head, stream.requestHead.sentMethodId);
    dropReceivedPersistence(head);
    this.body.reset(kind, head.contentLength);
    this.keep &&= serverPersists(stream.serverMode, head, kind === BODY_UNTIL_CLOSE);
    this.phase = kind === BODY_NONE ? 'done' : 'body';
  }

  /** Payload goes to the client with its framing as received and checked, or without when the client knows no chunks, or a filter wants none. */
  #readBody(chunk: Chunk, at: number): number {
    const stream = this.exchange!;
    const body = this.body;
    const relay = body.kind !== BODY_CHUNKED || (stream.client.takesChunks && !stream.unframesResponse);
    let pos = at;
    do {
      pos = relay ? body.relay(chunk.bytes, pos, chunk.end) : body.step(chunk.bytes, pos, chunk.end);
      if (body.event === DATA) stream.responseData(chunk, body.dataStart, body.dataEnd);
    } while (body.event < DONE && body.event !== MORE && this.exchange === stream);
    if (this.exchange !== stream) return chunk.end;
    if (body.event === DONE) {
      this.phase = 'done';
      // What follows the response in this chunk belongs to nothing: see `step`.
      if (pos < chunk.end) this.keep = false;
      stream.responseEnd(body.trailersEnd > 0 ? body : null);
    } else if (body.event === ERROR) {
      this.keep = false;
      stream.brokenResponse();
    }
    return body.event === MORE ? pos : chunk.end;
  }

  // --- from the stream ---

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    const hold = this.hold;
    const stream = this.exchange;
    if (hold === null || stream === null) this.conn?.resume();
    else if (!stream.holdsResponse) this.#replay(stream, hold);
  }

  /** The head has left: what was kept back follows it. */
  #replay(stream: Stream, hold: ResponseHold): void {
    this.hold = null;
    hold.replay((chunk, at) => this.#consume(chunk, at));
    this.releaseBuffer();
    if (this.exchange === stream && this.phase === 'done' && !stream.responseDone) stream.responseEnd(null);
    if (this.exchange !== stream) return;
    if (this.peerEnded || this.conn === null) this.#ended();
    else stream.responseFlows();
  }

  gather(): BodyBuffer {
    const { responseHead, context } = this.exchange!;
    const { bufsizeBytes } = context.model.global.tune;
    this.hold ??= new ResponseHold(this.body.kind, responseHead.contentLength, bufsizeBytes);
    return this.hold.body;
  }

  gatherMore(maxBytes: number): void {
    this.gather();
    this.hold!.grow(this.conn, maxBytes);
  }

  buffered(): Slice | null {
    if (this.hold !== null) return this.hold.body.slice;
    return this.rest === null ? null : arrived(this.body, this.rest, this.restAt);
  }

  release(): void {
    const stream = this.exchange!;
    this.exchange = null;
    this.hold?.release();
    this.hold = null;
    this.releaseBuffer();
    this.count(-1);
    const { conn } = this;
    if (conn === null) return;
    this.exchanges++;
    if (this.phase === 'done' && this.keep && this.requestEnded && !stream.closing && stream.cause === CAUSE.none) {
      this.phase = 'pooled';
      conn.resume();
      this.server.pool.put(this, stream.session);
      return;
    }
    this.conn = null;
    if (this.phase === 'done' || this.phase === 'tunnel') endOrderly(stream.context, conn, this.server, this.peerEnded);
    else abandon(conn, this.peerEnded);
    this.leave();
  }
}
