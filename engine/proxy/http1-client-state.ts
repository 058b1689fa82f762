/**
 * What the client's side of HTTP/1 knows of its connection, and the small things that everything it does needs. Requests are
 * read in http1-client.ts, responses written in http1-responses.ts, and how it ends is in http1-endings.ts.
 */
import { Body } from '../http/body.ts';
import type { Chunk, Conn } from '../io/contract.ts';
import { H1_BYTES_OUT } from '../shm/counters.ts';
import type { BodyBuffer } from './body-buffer.ts';
import type { Session } from './session.ts';
import { STEP, type StepIndex } from './step.ts';
import type { Stream } from './stream.ts';

/** Drawn in http1-client.ts. */
type Phase = 'idle' | 'head' | 'body' | 'done' | 'tunnel' | 'over';

export class Http1ClientState {
  conn: Conn | null;
  readonly session: Session;
  exchange: Stream | null = null;
  phase: Phase = 'idle';
  /** The head as far as it came; borrowed from the worker while there is a request. */
  buffer: Uint8Array | null = null;
  used = 0;
  readonly body = new Body();
  held: Chunk | null = null;
  heldAt = 0;
  consuming = false;
  /** While the stream's first steps run: what follows the request head. */
  rest: Chunk | null = null;
  restAt = 0;
  /** The payload as far as rules have asked for it, while there is no server yet. */
  gathered: BodyBuffer | null = null;
  requests = 0;
  /** Where the next stream begins its steps. */
  enters: StepIndex = STEP.inspect;
  idleSince: number;
  /** The client half-closed. */
  ended = false;
  /** The connection may go on after this exchange. */
  keep = false;
  /** The client has said that it sends nothing after this request. */
  last = false;
  /** The response has no payload, whatever the server sends (`set-status`). */
  mute = false;
  /** The response goes out in chunks. */
  chunked = false;
  pendingWhenArmed = 0;

  constructor(session: Session) {
    this.session = session;
    this.conn = session.conn;
    this.idleSince = session.context.io.now();
  }

  get pending(): number {
    return this.conn === null ? 0 : this.conn.pending;
  }

  /** The client did something, or something was sent to it. */
  touch(): void {
    this.pendingWhenArmed = this.pending;
    this.session.wait(this.exchange?.clientTimeoutMs() ?? this.session.frontend.proxy.timeouts.clientMs);
  }

  /** Arms the time-out for the next request: the manual's order of `timeout http-keep-alive`, `http-request`, `client`. */
  waitForRequest(): void {
    const t = this.session.frontend.proxy.timeouts;
    const ms = this.requests === 0 ? t.httpRequestMs : t.httpKeepAliveMs || t.httpRequestMs;
    this.session.wait(ms || t.clientMs);
  }

  send(bytes: Uint8Array, start: number, end: number): void {
    if (this.conn === null) return;
    this.count(H1_BYTES_OUT, end - start);
    // To HAProxy what is no request has no stream that could count them.
    if (!this.exchange!.refused) this.exchange!.bytesOut += end - start;
    this.conn.send(bytes, start, end);
  }

  releaseBuffer(): void {
    if (this.buffer === null) return;
    this.session.context.spareBuffers.push(this.buffer);
    this.buffer = null;
  }

  forget(): void {
    this.held?.release();
    this.held = null;
  }

  count(counter: number, n: number): void {
    this.session.context.counters[this.session.frontend.row + counter]! += n;
  }
}
