/**
 * The client's side of HTTP/1: requests out of the connection's bytes, responses into them.
 *
 *   idle ──first byte──► head ──► body ──► done ──response complete──► idle (keep-alive) or over
 *                          │        └─────────────► tunnel (upgrade, CONNECT)
 *                          └─ bad, late ─► over: the answer leaves, what still comes is thrown away
 *
 * Bytes are consumed as far as the phase allows. What must wait (payload before there is a server, a pipelined request)
 * is held: the chunk is kept and the connection paused, so at most one chunk is ever held.
 */

import type { Slice } from '../balance/balancer.ts';
import { copy } from '../bytes.ts';
import {
  BODY_CHUNKED,
  BODY_NONE,
  BODY_UNTIL_CLOSE,
  Body,
  DATA,
  DONE,
  ERROR,
  MORE,
  requestBody,
  responseBody,
} from '../http/body.ts';
import type { Head } from '../http/head.ts';
import {
  clientPersists,
  dropForbiddenLengths,
  dropReceivedPersistence,
  dropUpgradeOfPayload,
  persists,
  setResponseConnection,
} from '../http/hop.ts';
import { errorOf } from '../http/invalid.ts';
import { H_TRANSFER_ENCODING, METHOD_HEAD } from '../http/names.ts';
import { parseRequest } from '../http/parse.ts';
import { headLength } from '../http/reply.ts';
import { CRLF, writeResponseHead } from '../http/write.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { HIGH_WATER_BYTES } from '../limits.ts';
import {
  CUR_H1_CONNS,
  CUR_H1_STREAMS,
  FAILED_REQ,
  H1_BYTES_IN,
  H1_BYTES_OUT,
  H1_CONNS,
  H1_STREAMS,
} from '../shm/counters.ts';
import { CLIENT_ERROR } from '../stick/tracking.ts';
import { takeRequest } from './account.ts';
import { keepBadMessage } from './bad-messages.ts';
import { arrived, BodyBuffer, payloadEnd } from './body-buffer.ts';
import { listenOut } from './closing.ts';
import { ownChunk } from './own-chunk.ts';
import type { Reply } from './reply.ts';
import type { Session, SessionDriver } from './session.ts';
import type { ClientSide, Trailers } from './sides.ts';
import { fail, STEP, type StepIndex } from './steps.ts';
import { dropStream, type Stream, takeStream } from './stream.ts';
import { CAUSE, type Cause } from './termination.ts';

type Phase = 'idle' | 'head' | 'body' | 'done' | 'tunnel' | 'over';

/** After an answer that the client may not have read while it was still sending: how long we listen on. Milliseconds. */
const LINGER_MS = 1000;

/** Nothing more can be consumed now. */
const HOLD = -1;

export class Http1Client implements ClientSide, SessionDriver, Handler {
  conn: Conn | null;
  readonly session: Session;
  #stream: Stream | null = null;
  #phase: Phase = 'idle';
  /** The head as far as it came; borrowed from the worker while there is a request. */
  #buffer: Uint8Array | null = null;
  #used = 0;
  readonly #body = new Body();
  #held: Chunk | null = null;
  #heldAt = 0;
  #consuming = false;
  /** While the stream's first steps run: what follows the request head. */
  #rest: Chunk | null = null;
  #restAt = 0;
  /** The payload as far as rules have asked for it, while there is no server yet. */
  #gathered: BodyBuffer | null = null;
  #requests = 0;
  /** Where the next stream begins its steps. */
  #enters: StepIndex = STEP.inspect;
  #idleSince: number;
  /** The client half-closed. */
  #ended = false;
  /** The connection may go on after this exchange. */
  #keep = false;
  /** The client has said that it sends nothing after this request. */
  #last = false;
  /** The response has no payload, whatever the server sends (`set-status`). */
  #mute = false;
  /** The response goes out in chunks. */
  #chunked = false;
  #pendingWhenArmed = 0;

  constructor(session: Session) {
    this.session = session;
    session.driver = this;
    this.conn = session.conn;
    this.conn.handler = this;
    this.#idleSince = session.context.io.now();
    this.#count(CUR_H1_CONNS, 1);
    this.#count(H1_CONNS, 1);
    this.#waitForRequest();
  }

  /** A TCP stream goes on in HTTP; `came` begins its request, and is released. */
  adopt(stream: Stream, came: Chunk | null): void {
    const ended = stream.requestDone;
    stream.client = this;
    stream.http = true;
    stream.requestDone = false;
    // Counted anew, as far as they are read.
    stream.bytesIn = 0;
    this.#enters = STEP.request;
    this.#open(stream);
    this.resume();
    if (came !== null) {
      this.#count(H1_BYTES_IN, came.end - came.start);
      this.#consume(came, came.start);
      came.release();
    }
    if (ended && this.conn !== null) this.onEnd();
  }

  // --- from the connection ---

  onOpen(): void {}

  onData(_conn: Conn, chunk: Chunk): void {
    this.#count(H1_BYTES_IN, chunk.end - chunk.start);
    this.#consume(chunk, chunk.start);
  }

  onEnd(): void {
    this.#ended = true;
    const stream = this.#stream;
    if (this.#phase === 'over') this.#close();
    else if (this.#phase === 'idle') this.#noRequest(400, CAUSE.client);
    else if (this.#phase === 'tunnel') stream!.requestEnd(null);
    else if (this.#phase === 'head') this.#refuse(400, CAUSE.client);
    else if (this.#phase === 'body') stream!.clientGone(CAUSE.client);
    else if (stream!.abortsOnClose()) {
      this.#keep = false;
      stream!.clientAborts();
    }
  }

  onDrain(): void {
    this.#touch();
    if (this.#stream !== null) this.#stream.clientDrained();
    else if (this.#phase === 'idle') {
      this.#waitForRequest();
      this.resume();
    }
  }

  onClose(): void {
    this.conn = null;
    if (this.#phase === 'idle') this.#noRequest(400, CAUSE.client);
    else if (this.#phase === 'head') this.#refuse(400, CAUSE.client);
    else this.#stream?.clientGone(CAUSE.client);
    this.#phase = 'over';
    this.#forget();
    this.#count(CUR_H1_CONNS, -1);
    this.session.closed();
  }

  stream(): Stream | null {
    return this.#stream;
  }

  onTimeout(): void {
    const stream = this.#stream;
    const pending = this.pending;
    if (this.#phase === 'over') this.conn?.abort(false);
    else if (this.#phase === 'idle' && pending > 0 && pending < this.#pendingWhenArmed) this.#touch();
    else if (this.#phase === 'idle') this.#noRequest(408, CAUSE.clientTimeout);
    else if (this.#phase === 'head') this.#refuse(408, CAUSE.clientTimeout);
    else if (pending > 0 && pending < this.#pendingWhenArmed) this.#touch();
    else if (pending > 0 || stream!.waitsForClient()) stream!.clientGone(CAUSE.clientTimeout);
    else if (this.#phase === 'tunnel' || this.#phase === 'body') this.#touch();
  }

  onStop(before: number): void {
    // A client that has not had an answer yet takes a close for a failure: it is served first.
    const idle = this.#phase === 'idle' && this.#requests > 0 && this.#idleSince <= before;
    if (idle && this.session.mustEnd && !this.session.frontend.proxy.options.idleCloseOnResponse) this.#close();
  }

  // --- consuming what the client sends ---

  #consume(chunk: Chunk, at: number): void {
    this.#consuming = true;
    let pos = at;
    while (pos < chunk.end) {
      const next = this.#step(chunk, pos);
      if (next === HOLD) break;
      pos = next;
    }
    this.#consuming = false;
    if (pos < chunk.end) this.#hold(chunk, pos);
    else this.#letGo(chunk);
  }

  #step(chunk: Chunk, at: number): number {
    switch (this.#phase) {
      case 'idle':
        // Who sends requests and reads no responses does not get to fill our memory with them.
        if (this.pending > HIGH_WATER_BYTES) return HOLD;
        this.#begin();
        return at;
      case 'head':
        return this.#readHead(chunk, at);
      case 'body':
        return this.#readBody(chunk, at);
      case 'done':
        return HOLD;
      case 'tunnel':
        this.#stream!.bytesIn += chunk.end - at;
        this.#touch();
        this.#stream!.requestData(chunk, at, chunk.end);
        return chunk.end;
      case 'over':
        return chunk.end;
    }
  }

  #hold(chunk: Chunk, at: number): void {
    this.#heldAt = at;
    if (this.#held === chunk) return;
    chunk.keep();
    this.#held = chunk;
    this.conn?.pause();
  }

  /** The chunk is consumed: if it was held, read on. */
  #letGo(chunk: Chunk): void {
    if (this.#held !== chunk) return;
    this.#held = null;
    chunk.release();
    if (this.#stream === null || !this.#stream.serverFull()) this.conn?.resume();
  }

  /** The first byte of a request. */
  #begin(): void {
    const { session } = this;
    const now = session.context.io.now();
    const stream = takeStream(session, this, true);
    const first = this.#requests === 0;
    stream.begin(first, first ? session.acceptedAt : this.#idleSince, this.#idleSince, now);
    this.#open(stream);
    const t = session.frontend.proxy.timeouts;
    if (!first && t.httpRequestMs !== 0) session.wait(t.httpRequestMs);
  }

  /** A head is read for `stream`. */
  #open(stream: Stream): void {
    const { context } = this.session;
    this.#stream = stream;
    this.#requests++;
    this.#buffer = context.spareBuffers.pop() ?? new Uint8Array(context.model.global.tune.bufsizeBytes);
    this.#used = 0;
    this.#phase = 'head';
    this.#count(CUR_H1_STREAMS, 1);
    this.#count(H1_STREAMS, 1);
  }

  #readHead(chunk: Chunk, at: number): number {
    const stream = this.#stream!;
    const buffer = this.#buffer!;
    const n = Math.min(chunk.end - at, buffer.length - this.#used);
    copy(chunk.bytes, at, at + n, buffer, this.#used);
    const before = this.#used;
    this.#used += n;
    const head = stream.requestHead;
    const length = parseRequest(head, buffer, 0, this.#used, stream.frontend.requestLimits);
    if (length === 0) return at + n;
    if (length < 0) {
      const { name, status } = errorOf(length);
      keepBadMessage(stream, 'request', name, buffer, 0, this.#used);
      this.#refuse(status, CAUSE.proxy);
      return chunk.end;
    }
    const next = at + length - before;
    this.#rest = chunk;
    this.#restAt = next;
    this.#start(stream, head, length);
    this.#rest = null;
    return this.#restAt;
  }

  /** The head is complete: the stream begins its steps. */
  #start(stream: Stream, head: Head, length: number): void {
    stream.requestAt = stream.now;
    stream.bytesIn += length;
    this.#last = !persists(head);
    this.#keep = clientPersists(stream.frontend.proxy.options.http, head);
    dropReceivedPersistence(head);
    dropUpgradeOfPayload(head);
    const kind = requestBody(head);
    this.#body.reset(kind, head.contentLength);
    this.#phase = kind === BODY_NONE ? 'done' : 'body';
    stream.requestDone = kind === BODY_NONE;
    this.#touch();
    const step = this.#enters;
    this.#enters = STEP.inspect;
    // A stream that was TCP's has begun already, and its bytes were inspected.
    if (step === STEP.inspect) this.session.context.events.streamBegan(stream);
    stream.goto(step);
  }

  /** Payload goes to the server with its framing as received, checked; without when a filter wants none. */
  #readBody(chunk: Chunk, at: number): number {
    const stream = this.#stream!;
    if (!stream.accepting) return this.#gatherBody(stream, chunk, at);
    if (this.#gathered !== null) this.#replay();
    if (this.#phase !== 'body') return at;
    const body = this.#body;
    const relay = !stream.unframesRequest;
    let pos = at;
    do {
      const next = relay ? body.relay(chunk.bytes, pos, chunk.end) : body.step(chunk.bytes, pos, chunk.end);
      stream.bytesIn += next - pos;
      pos = next;
      if (body.event === DATA) stream.requestData(chunk, body.dataStart, body.dataEnd);
    } while (body.event < DONE && body.event !== MORE && this.#phase === 'body');
    this.#touch();
    if (this.#phase !== 'body') return pos;
    if (body.event === DONE) {
      this.#phase = 'done';
      stream.requestEnd(body.trailersEnd > 0 ? body : null);
    } else if (body.event === ERROR) {
      this.#badBody(stream);
      return chunk.end;
    }
    return pos;
  }

  /** Rules want to see the payload before there is a server. */
  #gatherBody(stream: Stream, chunk: Chunk, at: number): number {
    const buffer = this.#gathered;
    if (buffer === null || buffer.done || buffer.full || !stream.awaitsBody) return HOLD;
    const next = buffer.take(chunk.bytes, at, chunk.end);
    this.#touch();
    stream.lookAgain();
    return next;
  }

  /** There is a server: what was gathered goes first. */
  #replay(): void {
    const { raw } = this.#gathered!;
    this.#gathered = null;
    if (raw.length > 0) this.#readBody(ownChunk(raw), 0);
  }

  /** The framing of the request's payload is invalid: what follows cannot be trusted. */
  #badBody(stream: Stream): void {
    stream.count(FAILED_REQ);
    stream.countTracked(CLIENT_ERROR);
    this.#keep = false;
    if (!stream.responded) stream.goto(fail(stream, 400, CAUSE.proxy));
    else stream.clientGone(CAUSE.proxy);
  }

  /** No request came out of what the client sent, or did not send: an error answer, a count, a log line. */
  #refuse(status: number, cause: Cause): void {
    const stream = this.#stream!;
    const { frontend } = stream;
    takeRequest(stream);
    stream.countTracked(CLIENT_ERROR);
    stream.refused = true;
    this.session.context.counters[frontend.row + FAILED_REQ]! += 1;
    this.session.context.counters[this.session.listener.row + FAILED_REQ]! += 1;
    stream.terminate(cause);
    stream.status = status;
    this.#keep = false;
    stream.responseDone = true;
    const page = frontend.errors.early(status);
    this.#send(page, 0, page.length);
    stream.goto(STEP.finish);
  }

  /** The client ended, or let the time run out, without a request. Only a first one that never came is worth telling. */
  #noRequest(status: number, cause: Cause): void {
    const { options } = this.session.frontend.proxy;
    if (this.#requests > 0 || options.httpIgnoreProbes) {
      this.#close();
      return;
    }
    this.#begin();
    this.#stream!.firstByteAt = 0;
    this.#refuse(status, cause);
  }

  // --- from the stream ---

  get pending(): number {
    return this.conn === null ? 0 : this.conn.pending;
  }

  gather(): BodyBuffer {
    const { contentLength } = this.#stream!.requestHead;
    const maxBytes = this.session.context.model.global.tune.bufsizeBytes;
    if (this.#gathered === null) {
      this.#gathered = new BodyBuffer(this.#body.kind, contentLength, maxBytes);
      this.#gatherHeld(this.#gathered);
    }
    return this.#gathered;
  }

  /** What came before anybody asked for it. */
  #gatherHeld(buffer: BodyBuffer): void {
    const held = this.#held;
    if (held === null || this.#consuming) return;
    this.#heldAt = buffer.take(held.bytes, this.#heldAt, held.end);
    if (this.#heldAt === held.end) this.#letGo(held);
  }

  /** In HTTP mode content rules see a whole head, and wait for nothing else. */
  inspected(): boolean {
    return false;
  }

  buffered(): Slice | null {
    if (this.#gathered !== null) return this.#gathered.slice;
    const chunk = this.#rest ?? this.#held;
    if (chunk === null || this.#phase !== 'body') return null;
    return arrived(this.#body, chunk, this.#rest === null ? this.#heldAt : this.#restAt);
  }

  respond(head: Head): void {
    const stream = this.#stream!;
    const interim = head.status < 200 && head.status !== 101;
    dropForbiddenLengths(head);
    if (!interim) this.#frameResponse(stream, head);
    const { scratch } = this.session.context;
    const end = writeResponseHead(head, scratch, 0);
    this.session.frontend.nameCases?.apply(scratch, 0, end);
    this.#send(scratch, 0, end);
  }

  /** Decides how the payload of the response is delimited, and whether the connection goes on (RFC 9112 6.3, 9.3). */
  #frameResponse(stream: Stream, head: Head): void {
    const { requestHead } = stream;
    const kind = requestHead.methodId === METHOD_HEAD ? BODY_NONE : responseBody(head, requestHead.sentMethodId);
    this.#chunked = kind === BODY_CHUNKED && requestHead.version === 1;
    this.#mute = kind === BODY_NONE;
    if (kind === BODY_CHUNKED && !this.#chunked) head.removeAll(H_TRANSFER_ENCODING);
    const endsAtClose = kind === BODY_UNTIL_CLOSE || (kind === BODY_CHUNKED && !this.#chunked);
    if (endsAtClose || !clientPersists(stream.backend!.proxy.options.http, requestHead)) this.#keep = false;
    if (this.session.mustEnd) this.#keep = false;
    setResponseConnection(head, this.#keep, requestHead.version, requestHead.sentMethodId);
    if (head.closes) this.#keep = false;
  }

  /** Whether the client can take the response's chunks as they are: an HTTP/1.0 client cannot. */
  get takesChunks(): boolean {
    return this.#chunked;
  }

  reply(reply: Reply, keep: boolean): void {
    const stream = this.#stream!;
    const head = stream.requestHead;
    if (keep && this.#phase === 'body') this.#skipPayload(stream);
    if (!keep || !stream.requestDone || this.session.mustEnd) this.#keep = false;
    stream.responseDone = true;
    const bytes = this.#cased(reply.bytes(this.#keep, head.version));
    this.#send(bytes, 0, head.methodId === METHOD_HEAD ? headLength(bytes) : bytes.length);
  }

  /** A response of our own, with the header names that clients want. */
  #cased(bytes: Uint8Array): Uint8Array {
    const { nameCases } = this.session.frontend;
    if (nameCases === null) return bytes;
    const copy = bytes.slice();
    nameCases.apply(copy, 0, headLength(copy));
    return copy;
  }

  /** The answer needs no server: a payload that is here already, and whole, is thrown away and the connection goes on. */
  #skipPayload(stream: Stream): void {
    const { kind, payload } = this.#body;
    const chunk = this.#rest ?? this.#held;
    const at = this.#rest === null ? this.#heldAt : this.#restAt;
    if (this.#gathered !== null) {
      if (!this.#gathered.done) return;
    } else {
      const whole = chunk !== null && payload === 0;
      const end = whole ? payloadEnd(kind, stream.requestHead.contentLength, chunk.bytes, at, chunk.end) : -1;
      if (end < 0) return;
      if (this.#rest === null) this.#heldAt = end;
      else this.#restAt = end;
    }
    this.#phase = 'done';
    stream.requestDone = true;
  }

  open(reply: Reply, chunked: boolean): void {
    const stream = this.#stream!;
    if (!chunked || !stream.requestDone || this.session.mustEnd) this.#keep = false;
    this.#chunked = chunked;
    this.#mute = false;
    const bytes = this.#cased(reply.bytes(this.#keep, stream.requestHead.version));
    this.#send(bytes, 0, bytes.length);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.#mute) return;
    this.#send(bytes, start, end);
    if (this.#stream!.sendingRefreshes) this.#touch();
  }

  data(chunk: Chunk, start: number, end: number): void {
    const { conn } = this;
    if (conn === null || this.#mute) return;
    this.#count(H1_BYTES_OUT, end - start);
    this.#stream!.bytesOut += end - start;
    conn.forward(chunk, start, end);
    if (this.#stream!.sendingRefreshes) this.#touch();
  }

  end(trailers: Trailers | null): void {
    if (this.#phase === 'tunnel') this.conn?.shutdown();
    else if (trailers !== null && this.#chunked) {
      if (this.#stream!.backend!.proxy.options.dropResponseTrailers) this.#send(CRLF, 0, CRLF.length);
      else this.#send(trailers.trailers, 0, trailers.trailersEnd);
    }
  }

  /** It is HTTP already. */
  upgrade(): void {}

  tunnel(): void {
    this.#phase = 'tunnel';
    this.#chunked = this.#mute = false;
    this.#keep = false;
    this.#keepRequestLine();
    this.#releaseBuffer();
    this.#touch();
  }

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    if (this.#gathered !== null && this.#stream?.accepting) this.#replay();
    const held = this.#held;
    if (held !== null && !this.#consuming) this.#consume(held, this.#heldAt);
    if (this.#held === null) this.conn?.resume();
  }

  /** The stream is over: on to the next request, or the end of the connection. */
  done(): void {
    const stream = this.#stream!;
    const complete = stream.requestDone && stream.responseDone;
    const cut = stream.cause !== CAUSE.none && !stream.responseDone;
    this.#dropStream(stream);
    if (this.conn === null) return;
    if (cut) this.#cut(stream.cause);
    else if (!complete || this.#phase === 'head') this.#linger();
    else if (!this.#keep || this.#ended) this.#part();
    else this.#nextRequest();
  }

  #nextRequest(): void {
    this.#phase = 'idle';
    this.#idleSince = this.session.context.io.now();
    if (this.pending > HIGH_WATER_BYTES) this.#touch();
    else this.#waitForRequest();
    this.resume();
  }

  /** Ends the connection once its output has left. */
  #close(): void {
    this.#phase = 'over';
    this.session.wait(this.session.frontend.proxy.timeouts.clientMs);
    this.conn?.close();
  }

  /** The response cannot be completed: the connection ends, so that the client sees it. */
  #cut(cause: Cause): void {
    const { nolinger } = this.session.frontend.proxy.options;
    // A client that does not read what it was sent will not read the rest either; any other is to get what there is.
    if (nolinger || cause === CAUSE.clientTimeout) {
      this.#phase = 'over';
      this.conn?.abort(nolinger);
    } else this.#close();
  }

  /**
   * The last answer is on its way: the session is over. Unless the client has said so itself, the connection is listened
   * to a little longer: a client that sends its next request now would otherwise see a reset instead of the answer.
   */
  #part(): void {
    const conn = this.conn!;
    const { context } = this.session;
    this.#phase = 'over';
    this.conn = null;
    this.#forget();
    this.#count(CUR_H1_CONNS, -1);
    const { clientMs } = this.session.frontend.proxy.timeouts;
    listenOut(context, conn, this.#ended || this.#last, conn.pending > 0 && clientMs !== 0 ? clientMs : LINGER_MS);
    this.session.closed();
  }

  /** The client may still be sending, or sends its next request now: a close would reset the connection under the answer. */
  #linger(): void {
    this.#phase = 'over';
    this.session.wait(LINGER_MS);
    if (this.#ended) this.conn?.close();
    else {
      this.conn?.shutdown();
      if (!this.#consuming) this.resume();
    }
  }

  #send(bytes: Uint8Array, start: number, end: number): void {
    if (this.conn === null) return;
    this.#count(H1_BYTES_OUT, end - start);
    this.#stream!.bytesOut += end - start;
    this.conn.send(bytes, start, end);
  }

  #dropStream(stream: Stream): void {
    this.#stream = null;
    this.#gathered = null;
    this.#count(CUR_H1_STREAMS, -1);
    this.#releaseBuffer();
    dropStream(stream);
  }

  /** The buffer goes to other requests; the log line at the end of the tunnel will show the request line. */
  #keepRequestLine(): void {
    const head = this.#stream!.requestHead;
    head.bytes = head.bytes.slice(0, head.headersStart);
  }

  #releaseBuffer(): void {
    if (this.#buffer === null) return;
    this.session.context.spareBuffers.push(this.#buffer);
    this.#buffer = null;
  }

  #forget(): void {
    this.#held?.release();
    this.#held = null;
  }

  /** Arms the time-out for the next request: the manual's order of `timeout http-keep-alive`, `http-request`, `client`. */
  #waitForRequest(): void {
    const t = this.session.frontend.proxy.timeouts;
    const ms = this.#requests === 0 ? t.httpRequestMs : t.httpKeepAliveMs || t.httpRequestMs;
    this.session.wait(ms || t.clientMs);
  }

  /** The client did something, or something was sent to it. */
  #touch(): void {
    this.#pendingWhenArmed = this.pending;
    this.session.wait(this.#stream?.clientTimeoutMs() ?? this.session.frontend.proxy.timeouts.clientMs);
  }

  #count(counter: number, n: number): void {
    this.session.context.counters[this.session.frontend.row + counter]! += n;
  }
}
