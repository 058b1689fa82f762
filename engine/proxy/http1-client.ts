/**
 * The client's side of HTTP/1: requests out of the connection's bytes, responses into them.
 *
 *   idle ──first byte──► head ──► body ──► done ──response complete──► idle (keep-alive) or over
 *                          │        └─────────────► tunnel (upgrade, CONNECT)
 *                          └─ bad, late ─► over: the answer leaves, what still comes is thrown away
 *
 * Bytes are consumed as far as the phase allows. What must wait (payload before there is a server, a pipelined request)
 * is held: the chunk is kept and the connection paused, so at most one chunk is ever held.
 *
 * One object, in three layers: what is known (http1-client-state.ts), responses (http1-responses.ts), requests (here). Beside
 * them stand payload that waits (http1-payload.ts) and the ends of connections (http1-endings.ts), which are rarer.
 */

import type { Slice } from '../balance/balancer.ts';
import { copy } from '../bytes.ts';
import { BODY_NONE, chunksError, DATA, DONE, ERROR, MORE, requestBody } from '../http/body.ts';
import type { Head } from '../http/head.ts';
import { clientPersists, dropReceivedPersistence, dropUpgradeOfPayload, persists } from '../http/hop.ts';
import { errorOf } from '../http/invalid.ts';
import { parseRequest } from '../http/parse.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { HIGH_WATER_BYTES } from '../limits.ts';
import { CUR_H1_CONNS, CUR_H1_STREAMS, H1_BYTES_IN, H1_CONNS, H1_STREAMS } from '../shm/counters.ts';
import { keepBadMessage } from './bad-messages.ts';
import type { BodyBuffer } from './body-buffer.ts';
import { badBody, close, cut, late, linger, noRequest, part, refuse } from './http1-endings.ts';
import { bufferedPayload, gather, gatherBody, gatherMore, HOLD, hasPayload } from './http1-payload.ts';
import { Http1Responses } from './http1-responses.ts';
import { ownChunk } from './own-chunk.ts';
import type { Session, SessionDriver } from './session.ts';
import type { ClientSide } from './sides.ts';
import { STEP } from './steps.ts';
import { dropStream, type Stream, takeStream } from './stream.ts';
import { CAUSE } from './termination.ts';

export class Http1Client extends Http1Responses implements ClientSide, SessionDriver, Handler {
  constructor(session: Session) {
    super(session);
    session.driver = this;
    session.conn.handler = this;
    this.count(CUR_H1_CONNS, 1);
    this.count(H1_CONNS, 1);
    this.waitForRequest();
  }

  /** A TCP stream goes on in HTTP; `came` begins its request, and is released. */
  adopt(stream: Stream, came: Chunk | null): void {
    const ended = stream.requestDone;
    stream.client = this;
    stream.http = true;
    stream.requestDone = false;
    // Counted anew, as far as they are read.
    stream.bytesIn = 0;
    this.enters = STEP.request;
    this.#beginHead(stream);
    this.resume();
    if (came !== null) {
      this.count(H1_BYTES_IN, came.end - came.start);
      this.#consume(came, came.start);
      came.release();
    }
    if (ended && this.conn !== null) this.onEnd();
  }

  // --- from the connection ---

  onOpen(): void {}

  onData(_conn: Conn, chunk: Chunk): void {
    this.count(H1_BYTES_IN, chunk.end - chunk.start);
    this.#consume(chunk, chunk.start);
  }

  onEnd(): void {
    this.ended = true;
    const stream = this.exchange;
    if (this.phase === 'over') close(this);
    else if (this.phase === 'idle') noRequest(this, 400, CAUSE.client);
    else if (this.phase === 'tunnel') stream!.requestEnd(null);
    else if (this.phase === 'head') refuse(this, 400, CAUSE.client);
    else if (this.phase === 'body' && !hasPayload(this)) stream!.clientGone(CAUSE.client);
    else if (stream!.abortsOnClose()) {
      this.keep = false;
      stream!.clientAborts();
    }
  }

  onDrain(): void {
    this.touch();
    if (this.exchange !== null) this.exchange.clientDrained();
    else if (this.phase === 'idle') {
      this.waitForRequest();
      this.resume();
    }
  }

  onClose(): void {
    this.conn = null;
    if (this.phase === 'idle') noRequest(this, 400, CAUSE.client);
    else if (this.phase === 'head') refuse(this, 400, CAUSE.client);
    else this.exchange?.clientGone(CAUSE.client);
    this.phase = 'over';
    this.forget();
    this.count(CUR_H1_CONNS, -1);
    this.session.closed();
  }

  stream(): Stream | null {
    return this.exchange;
  }

  onTimeout(): void {
    late(this);
  }

  onStop(before: number): void {
    // A client that has not had an answer yet takes a close for a failure: it is served first.
    const idle = this.phase === 'idle' && this.requests > 0 && this.idleSince <= before;
    if (idle && this.session.mustEnd && !this.session.frontend.proxy.options.idleCloseOnResponse) close(this);
  }

  // --- consuming what the client sends ---

  #consume(chunk: Chunk, at: number): void {
    this.consuming = true;
    let pos = at;
    while (pos < chunk.end) {
      const next = this.#step(chunk, pos);
      if (next === HOLD) break;
      pos = next;
    }
    this.consuming = false;
    if (pos < chunk.end) this.#hold(chunk, pos);
    else this.letGo(chunk);
  }

  #step(chunk: Chunk, at: number): number {
    switch (this.phase) {
      case 'idle':
        // Who sends requests and reads no responses does not get to fill our memory with them.
        if (this.pending > HIGH_WATER_BYTES) return HOLD;
        this.begin();
        return at;
      case 'head':
        return this.#readHead(chunk, at);
      case 'body':
        return this.#readBody(chunk, at);
      case 'done':
        return HOLD;
      case 'tunnel':
        this.exchange!.bytesIn += chunk.end - at;
        this.touch();
        this.exchange!.requestData(chunk, at, chunk.end);
        return chunk.end;
      case 'over':
        return chunk.end;
    }
  }

  #hold(chunk: Chunk, at: number): void {
    this.heldAt = at;
    if (this.held === chunk) return;
    chunk.keep();
    this.held = chunk;
    this.conn?.pause();
  }

  /** The chunk is consumed: if it was held, read on. */
  letGo(chunk: Chunk): void {
    if (this.held !== chunk) return;
    this.held = null;
    chunk.release();
    if (this.exchange === null || !this.exchange.serverFull()) this.conn?.resume();
  }

  /** The first byte of a request. */
  begin(): void {
    const { session } = this;
    const now = session.context.io.now();
    const stream = takeStream(session, this, true);
    const first = this.requests === 0;
    stream.begin(first, first ? session.acceptedAt : this.idleSince, this.idleSince, now);
    this.#beginHead(stream);
    const t = session.frontend.proxy.timeouts;
    if (t.httpRequestMs === 0) this.touch();
    else session.wait(t.httpRequestMs);
  }

  /** A head is read for `stream`. */
  #beginHead(stream: Stream): void {
    const { context } = this.session;
    this.exchange = stream;
    this.requests++;
    this.buffer = context.spareBuffers.pop() ?? new Uint8Array(context.model.global.tune.bufsizeBytes);
    this.used = 0;
    this.phase = 'head';
    this.count(CUR_H1_STREAMS, 1);
    this.count(H1_STREAMS, 1);
  }

  #readHead(chunk: Chunk, at: number): number {
    const stream = this.exchange!;
    const buffer = this.buffer!;
    const n = Math.min(chunk.end - at, buffer.length - this.used);
    copy(chunk.bytes, at, at + n, buffer, this.used);
    const before = this.used;
    this.used += n;
    const head = stream.requestHead;
    const length = parseRequest(head, buffer, 0, this.used, stream.frontend.requestLimits);
    if (length === 0) {
      // Without a time for all of it the client's time-out is between its pieces.
      if (stream.frontend.proxy.timeouts.httpRequestMs === 0) this.touch();
      return at + n;
    }
    const next = at + length - before;
    // Payload that came with the head and is wrong makes the whole request so: nobody else need hear of it.
    const error = length > 0 && head.chunked ? chunksError(chunk.bytes, next, chunk.end) : length;
    if (error < 0) {
      const { name, status } = errorOf(error);
      keepBadMessage(stream, 'request', name, buffer, 0, this.used);
      refuse(this, status, CAUSE.proxy);
      return chunk.end;
    }
    this.rest = chunk;
    this.restAt = next;
    this.#start(stream, head, length);
    this.rest = null;
    return this.restAt;
  }

  /** The head is complete: the stream begins its steps. */
  #start(stream: Stream, head: Head, length: number): void {
    stream.requestKnown = true;
    stream.bytesIn += length;
    this.last = !persists(head);
    this.keep = clientPersists(stream.frontend.proxy.options.http, head);
    dropReceivedPersistence(head);
    dropUpgradeOfPayload(head);
    const kind = requestBody(head);
    this.body.reset(kind, head.contentLength);
    this.phase = kind === BODY_NONE ? 'done' : 'body';
    stream.requestDone = kind === BODY_NONE;
    this.touch();
    const step = this.enters;
    this.enters = STEP.inspect;
    // A stream that was TCP's has begun already, and its bytes were inspected.
    if (step === STEP.inspect) this.session.context.events.streamBegan(stream);
    stream.goto(step);
  }

  /** Payload goes to the server with its framing as received, checked; without when a filter wants none. */
  #readBody(chunk: Chunk, at: number): number {
    const stream = this.exchange!;
    if (!stream.accepting) return gatherBody(this, stream, chunk, at);
    if (this.gathered !== null) this.#replay();
    if (this.phase !== 'body') return at;
    const body = this.body;
    const relay = !stream.unframesRequest;
    let pos = at;
    do {
      const next = relay ? body.relay(chunk.bytes, pos, chunk.end) : body.step(chunk.bytes, pos, chunk.end);
      stream.bytesIn += next - pos;
      pos = next;
      if (body.event === DATA) stream.requestData(chunk, body.dataStart, body.dataEnd);
    } while (body.event < DONE && body.event !== MORE && this.phase === 'body');
    this.touch();
    if (this.phase !== 'body') return pos;
    if (body.event === DONE) {
      this.phase = 'done';
      stream.requestEnd(body.trailersEnd > 0 ? body : null);
    } else if (body.event === ERROR) {
      badBody(this, stream);
      return chunk.end;
    }
    return pos;
  }

  /** There is a server: what was gathered goes first. */
  #replay(): void {
    const { raw } = this.gathered!;
    this.gathered = null;
    if (raw.length > 0) this.#readBody(ownChunk(raw), 0);
  }

  gather(): BodyBuffer {
    return gather(this);
  }

  gatherMore(maxBytes: number): void {
    gatherMore(this, maxBytes);
  }

  /** In HTTP mode content rules see a whole head, and wait for payload as far as it can be gathered. */
  inspected(): boolean {
    const { gathered } = this;
    return this.exchange!.requestDone || (gathered !== null && (gathered.done || gathered.full));
  }

  buffered(): Slice | null {
    return bufferedPayload(this);
  }

  /** It is HTTP already. */
  upgrade(): void {}

  tunnel(): void {
    this.phase = 'tunnel';
    this.chunked = this.mute = false;
    this.keep = false;
    this.#keepRequestLine();
    this.releaseBuffer();
    this.touch();
  }

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    if (this.gathered !== null && this.exchange?.accepting) this.#replay();
    const held = this.held;
    if (held !== null && !this.consuming) this.#consume(held, this.heldAt);
    if (this.held !== null) return;
    this.conn?.resume();
    // Its time for the next piece of payload begins when that can be taken.
    if (this.phase === 'body') this.touch();
  }

  /** The stream is over: on to the next request, or the end of the connection. */
  done(): void {
    const stream = this.exchange!;
    const complete = stream.requestDone && stream.responseDone;
    const broken = stream.cause !== CAUSE.none && !stream.responseDone;
    this.#dropStream(stream);
    if (this.conn === null) return;
    if (broken) cut(this, stream.cause);
    else if (!complete || this.phase === 'head') linger(this);
    else if (!this.keep || this.ended) part(this);
    else this.#nextRequest();
  }

  #nextRequest(): void {
    this.phase = 'idle';
    this.idleSince = this.session.context.io.now();
    if (this.pending > HIGH_WATER_BYTES) this.touch();
    else this.waitForRequest();
    this.resume();
  }

  #dropStream(stream: Stream): void {
    this.exchange = null;
    this.gathered = null;
    this.count(CUR_H1_STREAMS, -1);
    this.releaseBuffer();
    dropStream(stream);
  }

  /** The buffer goes to other requests; the log line at the end of the tunnel will show the request line. */
  #keepRequestLine(): void {
    const head = this.exchange!.requestHead;
    head.bytes = head.bytes.slice(0, head.headersStart);
  }
}
