/**
 * Both sides of a TCP stream: bytes pass as they are. Upgraded HTTP connections and CONNECT tunnels do the same with
 * their own classes' `tunnel` state, because the connection there began as HTTP.
 */
import type { Slice } from '../balance/balancer.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { joined } from './chunks.ts';
import { CLOSING } from './closing-handler.ts';
import type { Server } from './nouns.ts';
import type { Session, SessionDriver } from './session.ts';
import type { ClientSide, ServerSide } from './sides.ts';
import { STEP } from './steps.ts';
import { dropStream, type Stream, takeStream } from './stream.ts';
import { CAUSE } from './termination.ts';

export class RawClient implements ClientSide, SessionDriver, Handler {
  conn: Conn | null;
  readonly session: Session;
  readonly #stream: Stream;
  /** What arrived before the server was there: the connection is paused meanwhile, so it is one chunk at most. */
  #held: Chunk | null = null;
  #pendingWhenArmed = 0;

  constructor(session: Session) {
    const { conn, acceptedAt } = session;
    this.conn = conn;
    this.session = session;
    conn.handler = this;
    const now = session.context.io.now();
    this.#stream = takeStream(session, this, false);
    this.#stream.begin(true, acceptedAt, now, now);
    this.#touch();
    session.context.events.streamBegan(this.#stream);
    this.#stream.goto(STEP.inspect);
  }

  // --- from the connection ---

  onOpen(): void {}

  onData(conn: Conn, chunk: Chunk): void {
    this.#stream.bytesIn += chunk.end - chunk.start;
    this.#touch();
    if (this.#stream.accepting) {
      this.#stream.requestData(chunk, chunk.start, chunk.end);
      return;
    }
    if (this.#held === null) {
      chunk.keep();
      this.#held = chunk;
    } else this.#held = joined(this.#held, chunk);
    if (!this.#stream.inspecting || this.inspected()) conn.pause();
    this.#stream.lookAgain();
  }

  onEnd(): void {
    this.#touch();
    this.#stream.requestEnd(null);
  }

  onDrain(): void {
    this.#touch();
    this.#stream.clientDrained();
  }

  onClose(_conn: Conn, errno: number): void {
    this.conn = null;
    this.#forget();
    if (this.#stream.active) this.#stream.clientGone(errno === 0 ? CAUSE.none : CAUSE.client);
    this.session.closed();
  }

  onTimeout(): void {
    const pending = this.pending;
    const progress = pending > 0 && pending < this.#pendingWhenArmed;
    // Nobody waits for the client when it may not send (the server is slow) and has taken everything.
    const waiting = pending > 0 || (!this.#stream.requestDone && this.#stream.accepting);
    if (progress || !waiting) this.#touch();
    else this.#stream.clientGone(CAUSE.clientTimeout);
  }

  onStop(): void {}

  // --- from the stream ---

  get pending(): number {
    return this.conn === null ? 0 : this.conn.pending;
  }

  gather(): never {
    throw new Error('raw: there is no payload to wait for in TCP mode');
  }

  inspected(): boolean {
    const held = this.#held;
    const full = held !== null && held.end - held.start >= this.session.context.model.global.tune.bufsizeBytes;
    return full || this.#stream.requestDone;
  }

  buffered(): Slice | null {
    return this.#held;
  }

  data(chunk: Chunk, start: number, end: number): void {
    if (this.conn === null) return;
    this.#stream.bytesOut += end - start;
    this.conn.forward(chunk, start, end);
    this.#touch();
  }

  end(): void {
    this.conn?.shutdown();
    this.#touch();
  }

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      this.#stream.requestData(held, held.start, held.end);
      held.release();
    }
    if (this.#stream.accepting && !this.#stream.serverFull()) this.conn?.resume();
  }

  /** There are no heads and no frames in TCP mode. */
  readonly takesChunks = false;
  respond(): void {}
  reply(): void {}
  open(): void {}
  write(): void {}
  tunnel(): void {}

  done(): void {
    const conn = this.conn;
    const stream = this.#stream;
    this.#forget();
    if (conn !== null) {
      if (stream.cause === CAUSE.none || stream.cause === CAUSE.server) conn.close();
      else conn.abort(false);
    }
    dropStream(stream);
  }

  #forget(): void {
    this.#held?.release();
    this.#held = null;
  }

  /** Arms the client's time-out: `tunnel` once both sides are connected, `client-fin` once one direction is shut. */
  #touch(): void {
    const stream = this.#stream;
    const t = stream.frontend.proxy.timeouts;
    const { tunnelMs } = stream.timeouts;
    this.#pendingWhenArmed = this.pending;
    const half = stream.requestDone || stream.responseDone;
    if (half && t.clientFinMs !== 0) this.session.wait(t.clientFinMs);
    else if (stream.step === STEP.tunnel && tunnelMs !== 0) this.session.wait(tunnelMs);
    else this.session.wait(stream.clientMs);
  }
}

export class RawServer implements ServerSide, Handler {
  conn: Conn | null = null;
  readonly reused = false;
  #stream: Stream | null;
  readonly #server: Server;
  #open = false;
  /** What came while rules looked at it. */
  #held: Chunk | null = null;

  constructor(stream: Stream, server: Server) {
    this.#stream = stream;
    this.#server = server;
    stream.holdsResponse = server.backend.lists.serverContent !== null;
  }

  onOpen(): void {
    this.#open = true;
    this.#stream?.connected();
  }

  onData(conn: Conn, chunk: Chunk): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (stream.holdsResponse) this.#hold(stream, conn, chunk);
    else stream.responseData(chunk, chunk.start, chunk.end);
  }

  /** Rules look at what the server sends before the client gets it. */
  #hold(stream: Stream, conn: Conn, chunk: Chunk): void {
    if (this.#held === null) {
      chunk.keep();
      this.#held = chunk;
    } else this.#held = joined(this.#held, chunk);
    stream.responseHeld = this.#held;
    if (this.#held.end - this.#held.start >= stream.context.model.global.tune.bufsizeBytes) {
      stream.timeUp = true;
      conn.pause();
    }
    stream.goto(stream.inspectResponse());
  }

  onEnd(): void {
    const stream = this.#stream;
    if (stream === null) return;
    if (stream.holdsResponse) {
      stream.timeUp = true;
      stream.goto(stream.inspectResponse());
    }
    this.#stream?.responseEnd(null);
  }

  onDrain(): void {
    this.#stream?.serverDrained();
  }

  onClose(_conn: Conn, errno: number): void {
    this.conn = null;
    const stream = this.#stream;
    if (stream === null) return;
    stream.errno = errno;
    if (this.#open && errno === 0) stream.responseEnd(null);
    else stream.serverGone();
  }

  request(): void {
    if (this.#stream!.requestDone) this.end();
  }

  data(chunk: Chunk, start: number, end: number): void {
    this.conn?.forward(chunk, start, end);
  }

  end(): void {
    this.conn?.shutdown();
  }

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    const held = this.#held;
    if (held !== null && this.#stream?.holdsResponse === false) {
      this.#held = null;
      this.#stream.responseData(held, held.start, held.end);
      held.release();
    }
    this.conn?.resume();
  }

  tunnel(): void {}

  release(): void {
    this.#held?.release();
    this.#held = null;
    const stream = this.#stream;
    this.#stream = null;
    const conn = this.conn;
    this.conn = null;
    if (conn === null) return;
    conn.handler = CLOSING;
    if (!this.#open || stream?.cause !== CAUSE.none || this.#server.backend.proxy.options.nolinger)
      conn.abort(this.#server.backend.proxy.options.nolinger);
    else conn.close();
  }
}
