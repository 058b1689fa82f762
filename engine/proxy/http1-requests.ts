/** The requests of the server's side of HTTP/1: a head, payload as the client sends it, trailers. */
import { CRLF, writeRequestHead } from '../http/write.ts';
import type { Chunk } from '../io/contract.ts';
import { Http1ServerState } from './http1-server-state.ts';
import { keepPayload, notePayload } from './layer7-retry.ts';
import type { Trailers } from './sides.ts';

export class Http1Requests extends Http1ServerState {
  request(): void {
    const stream = this.exchange!;
    const head = stream.requestHead;
    if (head.closes) this.keep = false;
    const { scratch } = stream.context;
    const length = writeRequestHead(head, scratch, 0);
    stream.backend!.nameCases?.apply(scratch, 0, length);
    stream.serverBytesOut += length;
    this.conn?.send(scratch, 0, length);
    this.requestEnded = stream.requestDone;
    const { sent } = stream;
    if (sent === null) keepPayload(stream);
    else this.conn?.send(sent.bytes, 0, sent.length);
  }

  data(chunk: Chunk, start: number, end: number): void {
    notePayload(this.exchange!, chunk.bytes, start, end);
    this.conn?.forward(chunk, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    notePayload(this.exchange!, bytes, start, end);
    this.conn?.send(bytes, start, end);
  }

  end(trailers: Trailers | null): void {
    const { conn } = this;
    this.requestEnded = true;
    if (conn === null) return;
    if (this.phase === 'tunnel') conn.shutdown();
    else if (trailers !== null) {
      const dropped = this.server.backend.proxy.options.dropRequestTrailers;
      const bytes = dropped ? CRLF : trailers.trailers;
      const end = dropped ? CRLF.length : trailers.trailersEnd;
      if (!dropped) this.server.backend.nameCases?.applyFields(bytes, 0, end);
      notePayload(this.exchange!, bytes, 0, end);
      conn.send(bytes, 0, end);
    }
  }

  shut(): void {
    this.keep = false;
    this.conn?.shutdown();
  }

  tunnel(): void {
    this.phase = 'tunnel';
    this.keep = false;
    // What the client sends from here on has no other end than its own.
    this.requestEnded = false;
  }
}
