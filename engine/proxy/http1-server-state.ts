/**
 * What the server's side of HTTP/1 knows of its connection, and the small things that everything it does needs. Requests are
 * written in http1-requests.ts, responses read in http1-server.ts.
 */
import { Body } from '../http/body.ts';
import type { Chunk, Conn } from '../io/contract.ts';
import { CUR_USED } from '../shm/counters.ts';
import { abandon } from './closing.ts';
import type { Server } from './nouns.ts';
import type { ResponseHold } from './response-hold.ts';
import type { Stream } from './stream.ts';

/** Drawn in http1-server.ts. */
type Phase = 'opening' | 'head' | 'body' | 'done' | 'tunnel' | 'pooled';

export class Http1ServerState {
  conn: Conn | null = null;
  readonly server: Server;
  /** What tells it from others to the same server: see `poolKey`. */
  readonly key: string;
  /** The server's address that it goes to. */
  readonly version: number;
  /** Exchanges it has served, this one not counted. */
  exchanges = 0;
  /** ms of the io clock at which it went into the pool. */
  idleSince = 0;
  exchange: Stream | null = null;
  phase: Phase = 'opening';
  /** A response head that came in pieces. */
  buffer: Uint8Array | null = null;
  used = 0;
  readonly body = new Body();
  /** The connection may serve again. */
  keep = false;
  /** All of the request has left. */
  requestEnded = false;
  /** The server will send no more. */
  peerEnded = false;
  /** While rules look at a head: what follows it. */
  rest: Chunk | null = null;
  restAt = 0;
  /** It is there to be counted (`strict-maxconn`). */
  #there = true;
  /** What is kept back while they wait; null = nothing. */
  hold: ResponseHold | null = null;

  constructor(server: Server, key: string) {
    this.server = server;
    this.key = key;
    this.version = server.live.version;
  }

  get reused(): boolean {
    return this.exchanges > 0;
  }

  get partial(): boolean {
    return this.buffer !== null;
  }

  /** Takes up an exchange: on a new connection before it is open, on a pooled one at once. */
  attach(stream: Stream): void {
    this.exchange = stream;
    this.requestEnded = false;
    this.keep = true;
    if (this.phase === 'pooled') this.phase = 'head';
    this.count(1);
    this.server.pool.used();
  }

  /** Closes a pooled connection. The pool has forgotten it already. */
  close(): void {
    const { conn } = this;
    this.conn = null;
    if (conn !== null) abandon(conn, this.peerEnded);
    this.leave();
  }

  /** The connection has ended. */
  leave(): void {
    if (!this.#there) return;
    this.#there = false;
    this.server.room?.give();
  }

  releaseBuffer(): void {
    if (this.buffer === null) return;
    this.server.backend.context.spareBuffers.push(this.buffer);
    this.buffer = null;
  }

  count(n: number): void {
    this.server.backend.context.counters[this.server.row + CUR_USED]! += n;
  }
}
