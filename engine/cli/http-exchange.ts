/**
 * One HTTP request of the control thread and its answer, for `httpclient`: on a connection of its own, never in the data path.
 *
 *   connect ──► send ──► head ──► body ──► over          a connection that fails is tried again, `retries` times
 *      ▲          │
 *      └──── 1 s ─┘
 *
 * What comes is gathered until it is taken; a reader that is slow makes the server wait.
 */
import { constants } from 'node:os';
import { errnoText } from '../health/errnos.ts';
import { BODY_UNTIL_CLOSE, Body, DATA, DONE, ERROR, responseBody, TRAILERS } from '../http/body.ts';
import { Head } from '../http/head.ts';
import { errorOf } from '../http/invalid.ts';
import { parseResponse } from '../http/parse.ts';
import type { Address, Chunk, Conn, Handler, Io } from '../io/contract.ts';
import { HEADERS_MAX, HIGH_WATER_BYTES, HTTPCLIENT_IDLE_MS } from '../limits.ts';
import { Timer, type TimerWheel } from '../time.ts';
import type { TlsEnd } from '../tls/end.ts';
import { connectOver } from '../tls/ends.ts';

/** After a connection that failed. Milliseconds, as HAProxy. */
const RETRY_MS = 1_000;
/** What a connection ends with whose TLS does not come about. */
const { EPROTO } = constants.errno;
const OPTIONS = { source: null, tfo: false };

interface HttpRequest {
  readonly address: Address;
  /** Null = without TLS. */
  readonly tls: TlsEnd | null;
  /** As in http/names.ts. */
  readonly method: number;
  /** Head and payload. */
  readonly bytes: Uint8Array;
  readonly connectMs: number;
  readonly retries: number;
  /** Called once: no connection is made any more. */
  ended(): void;
}

interface Env {
  readonly io: Io;
  readonly wheel: TimerWheel;
  now(): number;
}

export class HttpExchange implements Handler {
  /** Nothing more comes. */
  over = false;
  /** Why the answer is not whole; null = it is, so far. */
  error: string | null = null;
  readonly #env: Env;
  readonly #request: HttpRequest;
  /** Called when there is something to take, or nothing more will be. */
  readonly #told: () => void;
  readonly #timer: Timer<HttpExchange>;
  readonly #limits: { readonly maxHeadBytes: number; readonly maxHeaders: number; readonly relaxed: boolean };
  readonly #head: Head;
  readonly #body = new Body();
  #conn: Conn | null = null;
  #open = false;
  #ended = false;
  #left: number;
  /** Bytes of a head that is not complete; null = the body has begun. */
  #begun: Uint8Array | null = new Uint8Array(0);
  #pieces: Uint8Array[] = [];
  #waiting = 0;

  constructor(env: Env, request: HttpRequest, maxHeadBytes: number, told: () => void) {
    this.#env = env;
    this.#request = request;
    this.#told = told;
    this.#left = request.retries;
    this.#limits = { maxHeadBytes, maxHeaders: HEADERS_MAX, relaxed: false };
    this.#head = new Head(HEADERS_MAX, 0);
    this.#timer = new Timer<HttpExchange>(this, exchange => exchange.#expired());
    this.#connect();
  }

  /** What has come since the last time; empty = nothing. */
  take(): Uint8Array {
    const all = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#waiting = 0;
    this.#conn?.resume();
    return all;
  }

  giveUp(): void {
    this.#env.wheel.forget(this.#timer);
    this.#conn?.abort(false);
    this.#conn = null;
    if (!this.#ended) this.#request.ended();
    this.#ended = true;
  }

  onOpen(conn: Conn): void {
    this.#open = true;
    const { bytes } = this.#request;
    conn.send(bytes, 0, bytes.length);
    this.#arm(HTTPCLIENT_IDLE_MS);
  }

  onData(_conn: Conn, { bytes, start, end }: Chunk): void {
    this.#arm(HTTPCLIENT_IDLE_MS);
    if (this.#begun === null) this.#payload(bytes, start, end);
    else this.#heads(Buffer.concat([this.#begun, bytes.subarray(start, end)]));
    if (this.#waiting > HIGH_WATER_BYTES) this.#conn?.pause();
    this.#told();
  }

  onEnd(): void {
    if (this.#begun === null && this.#body.kind === BODY_UNTIL_CLOSE) this.#finish(null);
    else this.#finish('the server closed the connection before its answer was whole');
  }

  onDrain(): void {}

  onClose(conn: Conn, errno: number): void {
    if (conn !== this.#conn) return;
    this.#conn = null;
    const why = errno === EPROTO ? 'TLS failed' : errno > 0 ? errnoText(errno) : 'the connection was closed';
    if (this.#open) this.#finish(why);
    else this.#failed(why);
  }

  #connect(): void {
    const { address, tls, connectMs } = this.#request;
    const { io } = this.#env;
    this.#conn = connectOver(io, this, tls, under => io.connect(address, OPTIONS, under));
    this.#arm(connectMs);
  }

  #failed(why: string): void {
    if (this.#left-- > 0) this.#arm(RETRY_MS);
    else this.#finish(why);
  }

  #expired(): void {
    if (this.#conn === null) {
      this.#connect();
      return;
    }
    this.#conn.abort(false);
    this.#conn = null;
    if (this.#open) this.#finish('the server says nothing any more');
    else this.#failed('the connection takes too long');
  }

  /** Heads of interim responses, then that of the response. */
  #heads(bytes: Uint8Array): void {
    let at = 0;
    for (;;) {
      const n = parseResponse(this.#head, bytes, at, bytes.length, this.#limits);
      if (n < 0) {
        this.#finish(`the answer is not valid: ${errorOf(n).name}`);
        return;
      }
      if (n === 0) {
        this.#begun = bytes.subarray(at);
        return;
      }
      at += n;
      if (this.#head.status >= 200) break;
    }
    this.#begun = null;
    const { version, status, reasonStart, reasonEnd, headersStart, end, contentLength } = this.#head;
    const reason = Buffer.from(bytes.subarray(reasonStart, reasonEnd)).toString('latin1');
    this.#say(Buffer.from(`HTTP/1.${version} ${status} ${reason}\n`, 'latin1'));
    this.#say(bytes.slice(headersStart, end));
    this.#body.reset(responseBody(this.#head, this.#request.method), contentLength);
    this.#payload(bytes, at, bytes.length);
  }

  #payload(bytes: Uint8Array, start: number, end: number): void {
    const body = this.#body;
    let at = start;
    do {
      at = body.step(bytes, at, end);
      if (body.event === DATA) this.#say(bytes.slice(body.dataStart, body.dataEnd));
    } while (body.event === DATA || body.event === TRAILERS);
    if (body.event === DONE) this.#finish(null);
    else if (body.event === ERROR) this.#finish(`the answer is not valid: ${errorOf(body.error).name}`);
  }

  #say(piece: Uint8Array): void {
    this.#pieces.push(piece);
    this.#waiting += piece.length;
  }

  #finish(error: string | null): void {
    if (this.over) return;
    this.over = true;
    this.error = error;
    this.giveUp();
    this.#told();
  }

  #arm(ms: number): void {
    this.#env.wheel.arm(this.#timer, ms > 0 ? this.#env.now() + ms : Infinity);
  }
}
