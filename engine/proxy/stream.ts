/**
 * A stream: one HTTP exchange, or one TCP connection, between a client side and a server side. What it does next is a
 * row of the table in steps.ts, what it knows is in stream-state.ts; this file is what its sides tell it and ask of it.
 *
 * An HTTP/1 session has one stream object and uses it again for each request.
 */

import { type EventName, observed } from '../health/observe.ts';
import type { HttpMode } from '../http/hop.ts';
import type { Chunk } from '../io/contract.ts';
import { HIGH_WATER_BYTES, SPARE_STREAMS_MAX } from '../limits.ts';
import { CLI_ABORTS, FAILED_RESP, SRV_ABORTS } from '../shm/counters.ts';
import { countEvent, SERVER_FAILURE } from '../stick/tracking.ts';
import { Timer } from '../time.ts';
import { countBytes, countFailedRequest, countingBackend } from './account.ts';
import { fail } from './answer.ts';
import { countMove } from './attempts.ts';
import { tryAgain } from './layer7-retry.ts';
import type { Context, Server } from './nouns.ts';
import { freePlace, serveQueue } from './queue.ts';
import { endTarpit, inspectServer } from './rule-steps.ts';
import type { Session } from './session.ts';
import type { ClientSide, Trailers } from './sides.ts';
import { type Next, STEP, STEPS, type StepIndex, WAIT } from './steps.ts';
import { StreamState } from './stream-state.ts';
import { CAUSE, type Cause } from './termination.ts';

export class Stream extends StreamState {
  /** Queue, connect and server time-outs: what it means when it fires is a column of the step table. */
  readonly timer: Timer<Stream>;
  /** The server's pending output when its timer was last armed. */
  #serverPending = 0;

  constructor(context: Context) {
    super(context);
    this.timer = new Timer<Stream>(this, expire);
  }

  /** Goes to `step` and on, until a step has to wait for something. */
  goto(step: StepIndex | typeof WAIT): void {
    let next = step;
    while (next !== WAIT) {
      this.step = next;
      next = STEPS[next]!.run(this);
    }
  }

  get now(): number {
    return this.context.io.now();
  }

  get active(): boolean {
    return this.step !== STEP.idle;
  }

  /** Remembers why the stream ends; the first cause counts. The letter, that of the step, tells where. */
  terminate(cause: Cause, letter = STEPS[this.step]!.letter): void {
    if (this.cause !== CAUSE.none) return;
    this.cause = cause;
    this.phase = letter;
  }

  // --- from the client side ---

  /** Payload of the request; only called while `accepting`. */
  requestData(chunk: Chunk, start: number, end: number): void {
    this.payloadSent = true;
    if (this.requestFilters !== null) this.requestFilters.data(chunk, start, end);
    else {
      this.serverBytesOut += end - start;
      this.serverSide!.data(chunk, start, end);
    }
    this.requestSent();
    if (this.frontend.proxy.options.contstats) countBytes(this);
    // A service of the frontend takes payload too, and has no time-outs of a server.
    if (this.backend?.proxy.options.independentStreams === false) this.touchServer();
  }

  /** The client waits while the server's side or a filter is full. */
  requestSent(): void {
    if (this.serverFull()) this.client.pause();
  }

  /** A filter holds nothing back any more. */
  requestFlows(): void {
    if (!this.serverFull()) this.client.resume();
  }

  requestEnd(trailers: Trailers | null): void {
    if (this.serverSide === null) {
      this.requestDone = true;
      this.lookAgain();
    } else if (this.requestFilters === null) this.requestEnded(trailers);
    else this.requestFilters.end(trailers);
  }

  /** All of the request has gone to the server's side. */
  requestEnded(trailers: Trailers | null): void {
    this.requestDone = true;
    this.serverSide?.end(trailers);
    if (this.halfClosed) this.serverSide?.shut();
    // In a tunnel an end is nothing that the server has to answer: its time goes on, unless there is one for ends.
    if (this.step !== STEP.tunnel || this.timeouts.serverFinMs !== 0) this.touchServer();
    if (this.step === STEP.tunnel || this.step === STEP.transfer) this.goto(this.step);
  }

  /** Filters of the request, or of the response, take payload without its chunk framing. */
  get unframesRequest(): boolean {
    return this.requestFilters?.unframed === true;
  }

  get unframesResponse(): boolean {
    return this.responseFilters?.unframed === true;
  }

  /** More of what the step's rules wait for has come, or nothing more will. */
  lookAgain(): void {
    if (this.#rulesWait()) this.goto(this.step);
  }

  /** The step's rules wait for what a side sends. */
  #rulesWait(): boolean {
    return this.inspecting || this.awaitsBody;
  }

  /** The client is who it says. */
  handshakeDone(): void {
    if (this.awaitsHandshake) this.goto(this.step);
  }

  /** The client's connection is gone, or its time ran out. */
  clientGone(cause: Cause): void {
    if (!this.active) return;
    if (this.step === STEP.tarpit) {
      this.goto(endTarpit(this));
      return;
    }
    if ((cause === CAUSE.client || cause === CAUSE.clientTimeout) && this.#rulesWait() && this.serverSide === null) {
      if (cause === CAUSE.clientTimeout && this.awaitsBody) this.timeUp = true;
      else this.clientLeft = cause;
      this.goto(this.step);
      return;
    }
    // Who was sent away did not leave.
    const killed = this.cause !== CAUSE.none;
    const silent = cause === CAUSE.clientTimeout && this.#passesSilence(this.client.pending);
    const sending = cause === CAUSE.client && this.step === STEP.waiting && !this.requestDone;
    if (sending) this.terminate(cause, 'D');
    else this.terminate(cause);
    if (!killed && (cause === CAUSE.client || cause === CAUSE.clientTimeout)) this.#countAbort();
    if (silent) this.#endRequest();
    else this.goto(STEP.finish);
  }

  /**
   * Plain TCP: a side that was silent for too long has ended, and no more. The other one hears of it, and what it has to say goes on
   * until it ends, or is silent for too long as well. `pending`: what the side has not taken is no silence.
   */
  #passesSilence(pending: number): boolean {
    return this.step === STEP.tunnel && !this.http && pending === 0;
  }

  #endRequest(): void {
    this.client.pause();
    if (!this.requestDone) this.requestEnd(null);
  }

  /** The server was silent for too long: true when that was but the end of what it sends. */
  serverEndsBySilence(): boolean {
    if (!this.#passesSilence(this.serverSide?.conn?.pending ?? 0)) return false;
    this.serverSide?.pause();
    if (!this.responseDone) this.responseEnd(null);
    return true;
  }

  /** The client left: before there was a server its request has failed, too. */
  #countAbort(): void {
    const { counters } = this.context;
    const backend = countingBackend(this);
    // A whole request whose connection was not made yet is not known to any server.
    if (this.http && this.phase === 'C' && this.requestDone) return;
    if (backend !== null) counters[backend.row + CLI_ABORTS]! += 1;
    if (this.server !== null) counters[this.server.row + CLI_ABORTS]! += 1;
    if (this.phase === 'R') countFailedRequest(this);
  }

  /** Ends the stream at once for a reason of our own: who waits for a response is told so, any other client's connection ends. */
  kill(cause: Cause): void {
    if (this.step === STEP.waiting && this.requestDone) {
      this.countServer(FAILED_RESP);
      this.goto(fail(this, 502, cause));
      return;
    }
    if (this.step === STEP.transfer && this.requestDone) {
      this.countServer(SRV_ABORTS);
      this.terminate(cause);
    } else this.terminate(cause, '-');
    this.goto(STEP.finish);
  }

  /**
   * The client half-closed, where `option abortonclose` makes that an end. A server that has the request hears of it and
   * decides; what never came to a server does not count as aborted.
   */
  clientAborts(): void {
    if (this.step === STEP.tarpit) this.goto(endTarpit(this));
    else if (this.accepting && this.serverSide !== null) {
      this.halfClosed = true;
      if (this.requestDone) this.serverSide.shut();
      this.touchServer();
    } else if (this.applet === null) {
      this.terminate(CAUSE.client);
      this.goto(STEP.finish);
    }
  }

  /** The client's side has taken what was pending. */
  clientDrained(): void {
    if (this.step === STEP.applet) this.goto(STEP.applet);
    else this.responseFlows();
  }

  // --- from the server side ---

  connected(): void {
    this.goto(STEP.connected);
  }

  /** A response head, interim or final, is in `responseHead`. */
  gotResponseHead(): void {
    const { status } = this.responseHead;
    this.responded = status >= 200 || status === 101;
    this.touchServer();
    const next = this.responded ? tryAgain(this, status) : null;
    this.goto(next ?? STEP.response);
  }

  /** What the server sent is no valid response. */
  badResponse(): void {
    this.observe('badHead');
    // Counted even where another attempt follows, unlike silence.
    this.countServer(FAILED_RESP);
    const next = tryAgain(this, 'junk-response');
    if (next === null) this.countTracked(SERVER_FAILURE);
    this.goto(next ?? fail(this, 502, CAUSE.proxy));
  }

  /** The payload of the response breaks its framing. */
  brokenResponse(): void {
    this.terminate(CAUSE.server);
    this.countServer(FAILED_RESP);
    this.goto(STEP.finish);
  }

  responseData(chunk: Chunk, start: number, end: number): void {
    this.serverBytesIn += end - start;
    if (this.responseFilters === null) this.client.data(chunk, start, end);
    else this.responseFilters.data(chunk, start, end);
    this.responseSent();
    if (this.frontend.proxy.options.contstats) countBytes(this);
    this.touchServer();
  }

  /** The server waits while the client's side or a filter is full. */
  responseSent(): void {
    if (this.#clientFull()) this.serverSide?.pause();
  }

  /** The client has taken what was pending, or a filter holds nothing back any more. */
  responseFlows(): void {
    if (!this.#clientFull()) this.serverSide?.resume();
  }

  #clientFull(): boolean {
    const { conn } = this.client;
    if (conn !== null && conn.pending > HIGH_WATER_BYTES) return true;
    return this.responseFilters?.holding === true;
  }

  responseEnd(trailers: Trailers | null): void {
    if (this.responseFilters === null) this.responseEnded(trailers);
    else this.responseFilters.end(trailers);
  }

  /** All of the response has gone to the client's side. */
  responseEnded(trailers: Trailers | null): void {
    this.responseDone = true;
    this.client.end(trailers);
    this.goto(this.step);
  }

  /** The server's connection is gone before its message was complete. */
  serverGone(): void {
    this.goto(STEPS[this.step]!.serverGone(this));
  }

  /** TCP: rules look at what came from the server, which its side holds; then it passes, or the stream ends. */
  inspectResponse(): Next {
    const next = inspectServer(this);
    if (next === null) {
      this.holdsResponse = false;
      this.touchServer();
      this.serverSide?.resume();
      if (this.closing) this.#closeServer();
      return this.step === STEP.tunnel ? STEP.tunnel : WAIT;
    }
    return next;
  }

  /** `tcp-response content close`: what came passes, nothing else does. */
  #closeServer(): void {
    this.requestDone = true;
    this.dropServerSide();
    if (!this.responseDone) this.responseEnd(null);
  }

  serverDrained(): void {
    if (this.requestFilters?.holding !== true) this.client.resume();
  }

  /** It is this stream's turn in the queue: it has a place on `server`. */
  dequeued(server: Server): void {
    if (this.server === null) this.balanced = true;
    this.server = server;
    countMove(this);
    this.assignedAt = this.now;
    this.holdsPlace = true;
    this.goto(STEP.connect);
  }

  // --- time ---

  /** Arms the timer of the step: `ms` from now, 0 = never. */
  wait(ms: number): void {
    this.context.wheel.arm(this.timer, ms === 0 ? Infinity : this.now + ms);
  }

  /** The server did something, or something was sent to it. */
  touchServer(): void {
    // The timer is that of rules.
    if (this.awaitsBody || this.paused || this.inspecting) return;
    this.#serverPending = this.serverSide?.conn?.pending ?? 0;
    this.wait(this.#serverTimeoutMs());
  }

  /** The client's time-out now: `tunnel` once both sides are plain bytes, `client-fin` once one direction is shut. */
  clientTimeoutMs(): number {
    const { clientFinMs } = this.frontend.proxy.timeouts;
    if (this.step !== STEP.tunnel) return this.clientMs;
    if ((this.requestDone || this.responseDone) && clientFinMs !== 0) return clientFinMs;
    return this.timeouts.tunnelMs || this.clientMs;
  }

  /** Whether sending to the client counts as its activity; `option independent-streams`: not when it is for it to send. */
  get sendingRefreshes(): boolean {
    return !this.frontend.proxy.options.independentStreams || !this.waitsForClient();
  }

  /** It is for the client to send: it has not ended, and a server takes what it sends, or rules wait for it. */
  waitsForClient(): boolean {
    // Until the server answers its time is that of both, as in HAProxy: a client that stalls gets 504.
    if (this.step === STEP.waiting && this.timeouts.serverMs !== 0) return false;
    return (this.accepting || this.#rulesWait()) && !this.requestDone && !this.#held();
  }

  /** A filter holds something back. */
  #held(): boolean {
    return this.requestFilters?.holding === true || this.responseFilters?.holding === true;
  }

  #serverTimeoutMs(): number {
    const t = this.timeouts;
    if (this.halfClosed) return t.serverFinMs || t.serverMs;
    if (this.step !== STEP.tunnel) return t.serverMs;
    if ((this.requestDone || this.responseDone) && t.serverFinMs !== 0) return t.serverFinMs;
    return t.tunnelMs || t.serverMs;
  }

  /** At a server time-out: true (and the timer armed again) when it is not the server that keeps us waiting. */
  serverMayGoOn(): boolean {
    const pending = this.serverSide?.conn?.pending ?? 0;
    const progress = pending > 0 && pending < this.#serverPending;
    const sends = pending === 0 && !this.requestDone && this.step === STEP.transfer;
    // One that has ended in a tunnel, and has taken all, has nothing left to do.
    const ended = pending === 0 && this.responseDone && this.step === STEP.tunnel;
    const waitsForClient = sends || ended || this.client.pending > 0;
    if (!progress && !waitsForClient && !this.#held()) return false;
    this.touchServer();
    return true;
  }

  /** Keeps a value for the logs in a slot of the frontend; false when it has no such slot. */
  capture(response: boolean, slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { requestCaptures, responseCaptures } = this.frontend.proxy;
    const limit = (response ? responseCaptures : requestCaptures)[slot];
    if (limit === undefined) return false;
    this.frontend.notes!.open(this);
    const slots = response ? this.responseCaptures : this.requestCaptures;
    slots[slot] = bytes.slice(start, Math.min(end, start + limit.lenBytes));
    return true;
  }

  // --- counting ---

  /** Tells what the server's traffic showed (`observe`). */
  observe(event: EventName): void {
    observed(this.context.memory, this.server!.at, this.server!.config, event);
  }

  /** Adds one to a counter of frontend, backend and server, as far as the stream got. */
  count(counter: number): void {
    this.context.counters[this.frontend.row + counter]! += 1;
    this.countServer(counter);
  }

  /** Counts an event where the stream, or its session, tracks. */
  countTracked(event: Parameters<typeof countEvent>[2]): void {
    countEvent(this.tracked, this.session.tracked, event, this.now);
  }

  /** Adds one to a counter of backend and server, as far as the stream got. */
  countServer(counter: number): void {
    const c = this.context.counters;
    if (this.backend !== null) c[this.backend.row + counter]! += 1;
    if (this.server !== null) c[this.server.row + counter]! += 1;
  }

  // --- letting go ---

  /** Lets go of the server's connection. */
  dropServerSide(): void {
    const side = this.serverSide;
    if (this.awaitsRoom) this.server!.room!.leave(this);
    this.serverSide = null;
    this.accepting = false;
    side?.release();
  }

  /** Gives the place on the server back. */
  dropPlace(): void {
    if (!this.holdsPlace) return;
    this.holdsPlace = false;
    freePlace(this.server!);
    serveQueue(this.server!);
  }

  /** Forgets the server: another one will be chosen. */
  leaveServer(): void {
    this.server = null;
    this.balanced = false;
  }

  /** The server, or a filter before it, cannot take more payload now. */
  serverFull(): boolean {
    const conn = this.serverSide?.conn ?? null;
    if (conn !== null && conn.pending > HIGH_WATER_BYTES) return true;
    return this.requestFilters?.holding === true;
  }

  /** `option abortonclose`: a client that half-closes may have given up. A TCP client that has sent nothing has. */
  abortsOnClose(): boolean {
    const { abortonclose } = (this.backend ?? this.frontend).proxy.options;
    if (this.http) return abortonclose ?? this.backend !== null;
    // While rules of a frontend look at bytes, their end is but the last of them.
    if (this.connectedAt !== 0 || this.backend === null) return false;
    const nothingToSend = this.bytesIn === 0 && !this.inspecting;
    return nothingToSend || abortonclose === true;
  }

  /** How connections of this stream live on: the stricter of frontend and backend. */
  get serverMode(): HttpMode {
    const front = this.frontend.proxy.options.http;
    const back = this.backend!.proxy.options.http;
    if (front === 'close' || back === 'close') return 'close';
    return front === 'server-close' || back === 'server-close' ? 'server-close' : 'keep-alive';
  }
}

/** A stream for one exchange or TCP connection of `session`; `dropStream` gives it back. */
export function takeStream(session: Session, client: ClientSide, http: boolean): Stream {
  const stream = session.context.spareStreams.pop() ?? new Stream(session.context);
  stream.session = session;
  stream.frontend = session.frontend;
  stream.client = client;
  stream.http = http;
  return stream;
}

export function dropStream(stream: Stream): void {
  stream.context.wheel.disarm(stream.timer);
  if (stream.context.spareStreams.length < SPARE_STREAMS_MAX) stream.context.spareStreams.push(stream);
}

function expire(stream: Stream): void {
  stream.goto(STEPS[stream.step]!.timeout(stream));
}
