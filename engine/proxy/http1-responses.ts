/** Responses to the client of an HTTP/1 connection: their heads, how their payload is delimited, answers of our own. */
import { BODY_CHUNKED, BODY_NONE, BODY_UNTIL_CLOSE, responseBody } from '../http/body.ts';
import type { Head } from '../http/head.ts';
import { dropForbiddenLengths, setResponseConnection } from '../http/hop.ts';
import { H_TRANSFER_ENCODING, METHOD_HEAD } from '../http/names.ts';
import { headLength } from '../http/reply.ts';
import { CRLF, writeResponseHead } from '../http/write.ts';
import type { Chunk } from '../io/contract.ts';
import { H1_BYTES_OUT } from '../shm/counters.ts';
import { Http1ClientState } from './http1-client-state.ts';
import { skipPayload } from './http1-payload.ts';
import type { Reply } from './reply.ts';
import type { Trailers } from './sides.ts';
import type { Stream } from './stream.ts';

export class Http1Responses extends Http1ClientState {
  respond(head: Head): void {
    const stream = this.exchange!;
    const interim = head.status < 200 && head.status !== 101;
    dropForbiddenLengths(head);
    if (!interim) this.#frameResponse(stream, head);
    const { scratch } = this.session.context;
    const end = writeResponseHead(head, scratch, 0);
    this.session.frontend.nameCases?.apply(scratch, 0, end);
    this.send(scratch, 0, end);
  }

  /** Decides how the payload of the response is delimited, and whether the connection goes on (RFC 9112 6.3, 9.3). */
  #frameResponse(stream: Stream, head: Head): void {
    const { requestHead } = stream;
    const kind = requestHead.methodId === METHOD_HEAD ? BODY_NONE : responseBody(head, requestHead.sentMethodId);
    this.chunked = kind === BODY_CHUNKED && requestHead.version === 1;
    this.mute = kind === BODY_NONE;
    if (kind === BODY_CHUNKED && !this.chunked) head.removeAll(H_TRANSFER_ENCODING);
    const endsAtClose = kind === BODY_UNTIL_CLOSE || (kind === BODY_CHUNKED && !this.chunked);
    if (endsAtClose || this.session.mustEnd) this.keep = false;
    setResponseConnection(head, this.keep, requestHead.version, requestHead.sentMethodId);
    if (head.closes) this.keep = false;
  }

  /** Whether the client can take the response's chunks as they are: an HTTP/1.0 client cannot. */
  get takesChunks(): boolean {
    return this.chunked;
  }

  reply(reply: Reply, keep: boolean): void {
    const stream = this.exchange!;
    const head = stream.requestHead;
    if (keep && this.phase === 'body') skipPayload(this, stream);
    if (!keep || !stream.requestDone || this.session.mustEnd) this.keep = false;
    stream.responseDone = true;
    const bytes = this.#cased(reply.bytes(this.keep, head.version));
    this.send(bytes, 0, head.methodId === METHOD_HEAD ? headLength(bytes) : bytes.length);
  }

  open(reply: Reply, chunked: boolean): void {
    const stream = this.exchange!;
    if (!chunked || !stream.requestDone || this.session.mustEnd) this.keep = false;
    this.chunked = chunked;
    this.mute = false;
    const bytes = this.#cased(reply.bytes(this.keep, stream.requestHead.version));
    this.send(bytes, 0, bytes.length);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.mute) return;
    this.send(bytes, start, end);
    if (this.exchange!.sendingRefreshes) this.touch();
  }

  data(chunk: Chunk, start: number, end: number): void {
    const { conn } = this;
    if (conn === null || this.mute) return;
    this.count(H1_BYTES_OUT, end - start);
    this.exchange!.bytesOut += end - start;
    conn.forward(chunk, start, end);
    if (this.exchange!.sendingRefreshes) this.touch();
  }

  end(trailers: Trailers | null): void {
    if (this.phase === 'tunnel') this.conn?.shutdown();
    else if (trailers !== null && this.chunked) {
      if (this.exchange!.backend!.proxy.options.dropResponseTrailers) this.send(CRLF, 0, CRLF.length);
      else this.#sendTrailers(trailers);
    }
  }

  #sendTrailers({ trailers, trailersEnd }: Trailers): void {
    this.session.frontend.nameCases?.applyFields(trailers, 0, trailersEnd);
    this.send(trailers, 0, trailersEnd);
  }

  /** A response of our own, with the header names that clients want. */
  #cased(bytes: Uint8Array): Uint8Array {
    const { nameCases } = this.session.frontend;
    if (nameCases === null) return bytes;
    const copy = bytes.slice();
    nameCases.apply(copy, 0, headLength(copy));
    return copy;
  }
}
