/**
 * Both sides of a TCP stream: bytes pass as they are. Upgraded HTTP connections and CONNECT tunnels do the same with
 * their own classes' `tunnel` state, because the connection there began as HTTP.
 */
import type { Slice } from '../balance/balancer.ts';
import type { Chunk, Conn, Handler } from '../io/contract.ts';
import { BUFSIZE_BYTES } from '../limits.ts';
import { abandon, endOrderly, listenOut } from './closing.ts';
import { Http1Client } from './http1-client.ts';
import type { Server } from './nouns.ts';
import { joined } from './own-chunk.ts';
import type { Session, SessionDriver } from './session.ts';
import type { ClientSide, ServerSide } from './sides.ts';
import { STEP } from './steps.ts';
import { dropStream, type Stream, takeStream } from './stream.ts';
import { CAUSE } from './termination.ts';

/** How long a client that was refused is listened to. Milliseconds. */
const TURN_AWAY_MS = 50;

export class RawClient implements ClientSide, SessionDriver, Handler {
  conn: Conn | null;
  readonly session: Session;
  readonly #stream: Stream;
  /** What arrived before the server was there. */
  #held: Chunk[] | null = null;
  #heldBytes = 0;
  /** The client ended before the server was there. */
  #endHeld = false;
  #pendingWhenArmed = 0;
  /** The stream was given back, and may serve another connection by now: only the end of this one is waited for. */
  #over = false;
  /** Both directions of the client's connection ended in order, while a filter held some of what it had sent. */
  #outlived = false;

  constructor(session: Session) {
    const { conn, acceptedAt } = session;
    this.conn = conn;
    this.session = session;
    session.driver = this;
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
    chunk.keep();
    this.#held ??= [];
    this.#held.push(chunk);
    this.#heldBytes += chunk.end - chunk.start;
    // Reading on would be the only way to see the client's end; but there is a limit to what we hold for that.
    const { inspecting, line } = this.#stream;
    const reads = inspecting || line !== null || this.#stream.abortsOnClose();
    if (!reads || this.#heldBytes >= BUFSIZE_BYTES) conn.pause();
    this.#stream.lookAgain();
  }

  onEnd(): void {
    this.#touch();
    if (this.#stream.abortsOnClose()) this.#stream.clientAborts();
    else {
      this.#endHeld = !this.#stream.accepting;
      this.#stream.requestEnd(null);
    }
  }

  onDrain(): void {
    this.#touch();
    this.#stream.clientDrained();
  }

  onClose(_conn: Conn, errno: number): void {
    this.conn = null;
    this.#forget();
    if (!this.#over && errno === 0 && this.#stream.requestFilters?.holding === true) {
      this.#outlived = true;
      // Its end may not have been told while it was paused; all that came before is with the filter.
      this.#stream.requestEnd(null);
    } else {
      if (!this.#over && this.#stream.active) this.#stream.clientGone(errno === 0 ? CAUSE.none : CAUSE.client);
      this.session.closed();
    }
  }

  stream(): Stream | null {
    return this.#stream;
  }

  onTimeout(): void {
    if (this.#over) {
      this.conn?.abort(false);
      return;
    }
    const pending = this.pending;
    const progress = pending > 0 && pending < this.#pendingWhenArmed;
    // Nobody waits for the client when it may not send (the server is slow) and has taken everything.
    const waiting = pending > 0 || this.#stream.waitsForClient();
    if (progress || !waiting) this.#touch();
    else this.#stream.clientGone(CAUSE.clientTimeout);
  }

  onStop(): void {}

  // --- from the stream ---

  get pending(): number {
    return this.conn === null ? 0 : this.conn.pending;
  }

  buffered(): Slice | null {
    const held = this.#held;
    if (held === null) return null;
    // Content rules look at all that came.
    if (held.length > 1) this.#held = [joined(held)];
    return this.#held![0]!;
  }

  inspected(): boolean {
    return this.#heldBytes >= BUFSIZE_BYTES || this.#stream.requestDone;
  }

  data(chunk: Chunk, start: number, end: number): void {
    if (this.conn === null) return;
    this.#stream.bytesOut += end - start;
    this.conn.forward(chunk, start, end);
    if (this.#stream.sendingRefreshes) this.#touch();
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    if (this.conn === null) return;
    this.#stream.bytesOut += end - start;
    this.conn.send(bytes, start, end);
    if (this.#stream.sendingRefreshes) this.#touch();
  }

  end(): void {
    this.conn?.shutdown();
    // Its time goes on, unless there is one for ends.
    if (this.session.frontend.proxy.timeouts.clientFinMs !== 0) this.#touch();
  }

  pause(): void {
    this.conn?.pause();
  }

  resume(): void {
    const held = this.#held;
    if (held !== null) {
      this.#held = null;
      this.#heldBytes = 0;
      for (const chunk of held) {
        this.#stream.requestData(chunk, chunk.start, chunk.end);
        chunk.release();
      }
    }
    if (this.#endHeld && this.#stream.accepting) {
      this.#endHeld = false;
      this.#stream.requestEnd(null);
    }
    if (!this.#stream.accepting || this.#stream.serverFull() || this.conn === null) return;
    // Its time does not run while it may not send.
    this.#touch();
    this.conn.resume();
  }

  upgrade(): void {
    this.buffered();
    const came = this.#held?.[0] ?? null;
    this.#held = null;
    new Http1Client(this.session).adopt(this.#stream, came);
  }

  /** There are no heads and no frames in TCP mode. */
  readonly takesChunks = false;
  respond(): void {}
  reply(): void {}
  open(): void {}
  gather(): never {
    return noPayload();
  }
  gatherMore(): void {}
  tunnel(): void {}

  done(): void {
    const conn = this.conn;
    const stream = this.#stream;
    this.#over = true;
    this.#forget();
    if (conn !== null) {
      if (stream.frontend.proxy.options.nolinger && conn.pending === 0) conn.abort(true);
      else if (conn.alive && isTurnedAway(stream)) this.#turnAway(conn);
      else if (endedInOrder(stream) || stream.cause === CAUSE.server) conn.close();
      else conn.abort(false);
    }
    dropStream(stream);
    if (this.#outlived) this.session.closed();
  }

  /** The client is refused, perhaps before its first bytes were read: they are, lest it sees a reset. */
  #turnAway(conn: Conn): void {
    this.conn = null;
    listenOut(this.session.context, conn, this.#stream.requestDone, TURN_AWAY_MS);
    this.session.closed();
  }

  #forget(): void {
    for (const chunk of this.#held ?? []) chunk.release();
    this.#held = null;
  }

  /** The client did something, or something was sent to it. */
  #touch(): void {
    this.#pendingWhenArmed = this.pending;
    this.session.wait(this.#stream.clientTimeoutMs());
  }
}

/** Rules refused it, or there was no server for it. */
function isTurnedAway({ cause, connectedAt }: Stream): boolean {
  return cause === CAUSE.proxy || (cause === CAUSE.server && connectedAt === 0);
}

/** What either side still has to take is for it, be it that a side was silent for too long. */
function endedInOrder({ cause, requestDone, responseDone }: Stream): boolean {
  return cause === CAUSE.none || (requestDone && responseDone);
}

function noPayload(): never {
  throw new Error('raw: there is no payload to wait for in TCP mode');
}

export class RawServer implements ServerSide, Handler {
  conn: Conn | null = null;
  readonly reused = false;
  readonly partial = false;
  #stream: Stream | null;
  readonly #server: Server;
  #open = false;
  /** What came while rules looked at it. */
  #held: Chunk | null = null;
  /** The server will send no more. */
  #ended = false;

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
    chunk.keep();
    this.#held = this.#held === null ? chunk : joined([this.#held, chunk]);
    if (this.#held.end - this.#held.start >= BUFSIZE_BYTES) {
      stream.timeUp = true;
      conn.pause();
    }
    stream.goto(stream.inspectResponse());
  }

  onEnd(): void {
    this.#ended = true;
    const stream = this.#stream;
    if (stream?.holdsResponse) {
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

  /** What came before comes as payload, and then its end. */
  request(): void {}

  buffered(): Slice | null {
    return this.#held;
  }

  gather(): never {
    return noPayload();
  }
  gatherMore(): void {}

  data(chunk: Chunk, start: number, end: number): void {
    this.conn?.forward(chunk, start, end);
  }

  write(bytes: Uint8Array, start: number, end: number): void {
    this.conn?.send(bytes, start, end);
  }

  end(): void {
    this.shut();
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

  shut(): void {
    this.conn?.shutdown();
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
    const { context } = this.#server.backend;
    if (stream !== null && endedInOrder(stream)) endOrderly(context, conn, this.#server, this.#ended);
    else abandon(conn, this.#ended);
  }
}
