/**
 * A stream: one HTTP exchange, or one TCP connection, between a client side and a server side. What it does next is a
 * row of the table in steps.ts; this file is what it is made of, and what its sides tell it.
 *
 * An HTTP/1 session has one stream object and uses it again for each request.
 */
import type { Slice, Subject } from '../balance/balancer.ts';
import type { CompressionFormat } from '../config/filter-spec.ts';
import type { Place } from '../config/model.ts';
import type { Timeouts } from '../config/proxy-model.ts';
import { type EventName, observed } from '../health/observe.ts';
import { latin1 } from '../http/chars.ts';
import { Head } from '../http/head.ts';
import type { HttpMode } from '../http/hop.ts';
import { isIdempotent } from '../http/names.ts';
import type { Address, Chunk } from '../io/contract.ts';
import { HIGH_WATER_BYTES, SPARE_STREAMS_MAX } from '../limits.ts';
import { evaluate } from '../rules/values.ts';
import { BIN } from '../sample/sample.ts';
import { StreamVars } from '../sample/vars.ts';
import { BYTES_IN, BYTES_OUT, CLI_ABORTS, FAILED_RESP } from '../shm/counters.ts';
import type { Dump } from '../stats/out.ts';
import {
  countEvent,
  countTraffic,
  NOTHING_TRACKED,
  newTracked,
  SERVER_FAILURE,
  type Tracked,
} from '../stick/tracking.ts';
import { Timer } from '../time.ts';
import type { CookieDates } from './cookie-dates.ts';
import type { Reply } from './errors.ts';
import type { FilterChain } from './filter.ts';
import { type SentPayload, tryAgain } from './layer7-retry.ts';
import type { NameAsk } from './name-asks.ts';
import type { Captured } from './notes.ts';
import type { Backend, Context, Frontend, Server } from './nouns.ts';
import { freePlace } from './queue.ts';
import { inspectServer } from './rule-steps.ts';
import { HERE } from './rules.ts';
import type { Session } from './session.ts';
import type { ClientSide, ServerSide, Trailers } from './sides.ts';
import { fail, type Next, STEP, STEPS, type StepIndex, WAIT } from './steps.ts';
import { StickStores } from './stick-stores.ts';
import { CAUSE, type Cause } from './termination.ts';
import type { WaitingLine } from './waiting-line.ts';

/** A frontend without captures. */
const NO_CAPTURES: Captured[] = [];

export class Stream implements Subject {
  readonly context: Context;
  /** Which one it is of this worker, from 1 on: each exchange has its own. */
  id = 0;
  session!: Session;
  frontend!: Frontend;
  client!: ClientSide;
  /** HTTP mode. */
  http = false;
  /** The heads of the exchange; not filled in TCP mode, and before they came. */
  readonly requestHead: Head;
  readonly responseHead: Head;
  backend: Backend | null = null;
  server: Server | null = null;
  serverSide: ServerSide | null = null;
  step: StepIndex = STEP.idle;
  /** Queue, connect and server time-outs: what it means when it fires is a column of the step table. */
  readonly timer: Timer<Stream>;

  // --- the queue it stands in (queue.ts) ---
  line: WaitingLine | null = null;
  /** Which of its heap, and its place in the queue. */
  lineAt = 0;
  place = 0;

  // --- how far it got ---
  requestDone = false;
  responseDone = false;
  /** The server side takes payload now. */
  accepting = false;
  /** A final response head came from the server. */
  responded = false;
  /** It makes a tunnel of the connections. */
  opensTunnel = false;
  /** Payload of the request went to a server: the request cannot be repeated. */
  payloadSent = false;
  /** What went out of the payload, while the request may have to be sent again (layer7-retry.ts). */
  sent: SentPayload | null = null;
  /** What the request's persistence cookie was worth. */
  cookie: 'none' | 'invalid' | 'down' | 'valid' | 'expired' | 'old' = 'none';
  /** What `maxidle` and `maxlife` look at; null = no such cookie came. */
  cookieDates: CookieDates | null = null;
  /** A dump that answers the request, made as the client reads (stats-applet.ts). */
  applet: Dump | null = null;
  /** When its last piece was made. Milliseconds. */
  pieceAt = 0;
  /** Variables of the rules. */
  readonly vars = new StreamVars();
  /** What it tracks in stick tables, beside its session. */
  readonly tracked: readonly Tracked[];
  /** What the client sent is no request: there is no head to look at. */
  refused = false;
  /** Its request was counted. */
  requestTaken = false;
  /** Not to be logged (`monitor-uri`). */
  silent = false;
  /** It ends without an answer, for the client to ask again. */
  leftToClient = false;
  /** Its line is written. */
  logged = false;
  /** Its number over all workers (log variable %rt); -1 = nobody has asked. */
  number = -1;
  /** What became of the persistence cookie in the response (manual 8.5, fourth letter). */
  cookieSet: 'N' | 'P' | 'D' | 'I' | 'R' | 'U' = 'N';
  /** Our address towards the server, kept only where a log format asks for it. */
  serverLocal: Address | null = null;
  /** Places in the queues that it stood in, 1 = first, summed. */
  serverQueuePlace = 0;
  backendQueuePlace = 0;
  /** How many had got a place out of the queue when it came to stand there. */
  dequeuedBefore = 0;
  /** errno of the server connection that failed last. */
  errno = 0;
  /** The first exchange of its session. */
  first = false;
  /** The algorithm chose the server, not persistence. */
  balanced = false;
  redispatched = false;
  /** The server that has just failed and from which it moves; null = none. */
  movesFrom: Server | null = null;
  /** No pooled connection for this one: the last pooled one was dead. */
  mustOpen = false;
  holdsPlace = false;
  retriesLeft = 0;
  attempts = 0;
  /** Index of the server that has just failed, to be avoided by the next choice; -1 = none. */
  avoid = -1;
  /** What the last failed connection attempt counts as. */
  failure: Cause = CAUSE.server;
  /** The server's pending output when its timer was last armed. */
  #serverPending = 0;

  // --- what rules did and wait for (rule-steps.ts) ---
  /** Where the evaluation of the step's rules goes on. */
  ruleAt = 0;
  /** What the step waited for has not come in time. */
  timeUp = false;
  /** Content rules look at what comes; those of a response until this time, ms. */
  inspecting = false;
  inspectUntil = 0;
  /** Rules wait for the payload of the request or the response: its side gathers it. */
  awaitsBody = false;
  /** `wait-for-handshake`: the client's early data may be a replay. */
  awaitsHandshake = false;
  /** `pause` is under way. */
  paused = false;
  /** A name is looked up for `do-resolve`. */
  nameAsk: NameAsk | null = null;
  /** A rewrite that fails ends the stream (`strict-mode`); not in http-after-response rules, which have the last word. */
  strict = true;
  lastWord = false;
  /** What `tarpit` answers in the end. */
  tarpit: Reply | null = null;
  /** The time-outs in force: the frontend's until there is a backend, changed by `set-timeout`. */
  timeouts!: Timeouts;
  clientMs = 0;
  /** The last rule that ended the evaluation of its list, and one that waits; null = none. */
  lastRule: Place | null = null;
  waitingRule: Place | null = null;
  /** `set-log-level`; -1 = as the log lines say. */
  logLevel = -1;
  /** `set-retries`; -1 = as the backend says. */
  retries = -1;
  /** `set-priority-class`, `set-priority-offset`. */
  priorityClass = 0;
  priorityOffsetMs = 0;
  /** `disable-l7-retry`. */
  noRepeat = false;
  /** `tcp-response content close`. */
  closing = false;
  forcesPersistence = false;
  ignoresPersistence = false;
  /** Keys that stick to the server once there is one. */
  readonly stickStores = new StickStores();
  /** The server of a `use-server` rule. */
  ruledServer: Server | null = null;
  /** What the server sends is held back until its rules have decided. */
  holdsResponse = false;
  // --- filters (stream-filters.ts) ---
  requestFilters: FilterChain | null = null;
  responseFilters: FilterChain | null = null;
  /** What the response is compressed with, or may be while its head has not come; null = it is not. */
  compression: CompressionFormat | null = null;

  // --- captures (notes.ts) ---
  requestCaptures: Captured[] = NO_CAPTURES;
  responseCaptures: Captured[] = NO_CAPTURES;
  requestCookie: Captured = null;
  responseCookie: Captured = null;
  uniqueId: Uint8Array | null = null;

  // --- for the log: milliseconds of the io clock, 0 = not reached ---
  acceptedAt = 0;
  idleSince = 0;
  firstByteAt = 0;
  requestAt = 0;
  assignedAt = 0;
  connectAt = 0;
  connectedAt = 0;
  responseAt = 0;
  finishedAt = 0;
  status = 0;
  /** From the client and to it, as far as they are counted; to the server and from it. */
  bytesIn = 0;
  bytesOut = 0;
  serverBytesOut = 0;
  serverBytesIn = 0;
  #countedIn = 0;
  #countedOut = 0;
  cause: Cause = CAUSE.none;
  phase = '-';

  constructor(context: Context) {
    const { maxhdr, maxrewriteBytes, bufsizeBytes } = context.model.global.tune;
    this.context = context;
    const { model } = context;
    this.tracked = model.tables.length === 0 ? NOTHING_TRACKED : newTracked(model.global.tune.stickCounters);
    this.requestHead = new Head(maxhdr, maxrewriteBytes, bufsizeBytes);
    this.responseHead = new Head(maxhdr, maxrewriteBytes, bufsizeBytes);
    this.timer = new Timer<Stream>(this, expire);
  }

  /** Makes the object ready for an exchange. Times in ms of the io clock. */
  begin(first: boolean, acceptedAt: number, idleSince: number, firstByteAt: number): void {
    this.id = ++this.context.begunStreams;
    this.step = STEP.request;
    this.backend = this.server = this.serverSide = null;
    this.requestDone =
      this.responseDone =
      this.accepting =
      this.responded =
      this.payloadSent =
      this.silent =
      this.leftToClient =
      this.logged =
      this.refused =
      this.requestTaken =
        false;
    this.#beginRules();
    this.cookie = 'none';
    this.cookieSet = 'N';
    this.cookieDates = null;
    this.number = -1;
    this.serverLocal = null;
    this.serverQueuePlace = this.backendQueuePlace = 0;
    this.applet = null;
    this.vars.clear();
    this.errno = 0;
    this.balanced = this.redispatched = this.mustOpen = this.holdsPlace = false;
    this.first = first;
    this.attempts = 0;
    this.avoid = -1;
    this.movesFrom = null;
    this.acceptedAt = acceptedAt;
    this.idleSince = idleSince;
    this.firstByteAt = firstByteAt;
    this.requestAt = this.assignedAt = this.connectAt = this.connectedAt = this.responseAt = this.finishedAt = 0;
    this.serverBytesIn = this.serverBytesOut = 0;
    this.status = this.bytesIn = this.bytesOut = this.#countedIn = this.#countedOut = 0;
    this.cause = CAUSE.none;
    this.phase = '-';
  }

  #beginRules(): void {
    const { timeouts } = this.frontend.proxy;
    this.ruleAt = this.inspectUntil = 0;
    this.timeUp =
      this.inspecting =
      this.awaitsBody =
      this.awaitsHandshake =
      this.paused =
      this.lastWord =
      this.noRepeat =
      this.closing =
        false;
    this.stickStores.clear();
    this.forcesPersistence = this.ignoresPersistence = this.holdsResponse = false;
    this.strict = true;
    this.tarpit = this.ruledServer = this.uniqueId = this.lastRule = this.waitingRule = null;
    this.timeouts = timeouts;
    this.clientMs = timeouts.clientMs;
    this.logLevel = this.retries = -1;
    this.priorityClass = this.priorityOffsetMs = 0;
    this.requestCaptures = this.responseCaptures = NO_CAPTURES;
    this.requestCookie = this.responseCookie = null;
    this.requestFilters = this.responseFilters = this.compression = null;
    this.session.forgetOverrides();
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
    this.touchServer();
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
    this.touchServer();
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
    if (this.inspecting || this.awaitsBody) this.goto(this.step);
  }

  /** The client is who it says. */
  handshakeDone(): void {
    if (this.awaitsHandshake) this.goto(this.step);
  }

  /** The client's connection is gone, or its time ran out. */
  clientGone(cause: Cause): void {
    if (!this.active) return;
    // Who was sent away did not leave.
    const killed = this.cause !== CAUSE.none;
    const sending = cause === CAUSE.client && this.step === STEP.waiting && !this.requestDone;
    if (sending) this.terminate(cause, 'D');
    else this.terminate(cause);
    const aborted = !killed && (cause === CAUSE.client || cause === CAUSE.clientTimeout);
    if (aborted && this.connectedAt !== 0) this.countServer(CLI_ABORTS);
    this.goto(STEP.finish);
  }

  /** Ends the stream at once for a reason of our own; its client's connection goes with it. */
  kill(cause: Cause): void {
    this.terminate(cause);
    this.goto(STEP.finish);
  }

  /** The client half-closed and `option abortonclose` makes that an end: while it waits for a response it is told so. */
  clientAborts(): void {
    if (this.step !== STEP.waiting) {
      this.clientGone(CAUSE.client);
      return;
    }
    this.countServer(CLI_ABORTS);
    this.goto(fail(this, 400, CAUSE.client));
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
    this.server = server;
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
    if (this.awaitsBody || this.paused) return;
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

  /** It is for the client to send: it has not ended, and a server takes what it sends. */
  waitsForClient(): boolean {
    return this.accepting && !this.requestDone && !this.#held();
  }

  /** A filter holds something back. */
  #held(): boolean {
    return this.requestFilters?.holding === true || this.responseFilters?.holding === true;
  }

  #serverTimeoutMs(): number {
    const t = this.timeouts;
    if (this.step !== STEP.tunnel) return t.serverMs;
    if ((this.requestDone || this.responseDone) && t.serverFinMs !== 0) return t.serverFinMs;
    return t.tunnelMs || t.serverMs;
  }

  /** At a server time-out: true (and the timer armed again) when it is not the server that keeps us waiting. */
  serverMayGoOn(): boolean {
    const pending = this.serverSide?.conn?.pending ?? 0;
    const progress = pending > 0 && pending < this.#serverPending;
    const waitsForClient = (pending === 0 && !this.requestDone && this.step !== STEP.tunnel) || this.client.pending > 0;
    if (!progress && !waitsForClient && !this.#held()) return false;
    this.touchServer();
    return true;
  }

  /** Keeps a value for the logs in a slot of the frontend; false when it has no such slot. */
  capture(response: boolean, slot: number, bytes: Uint8Array, start: number, end: number): boolean {
    const { requestCaptures, responseCaptures } = this.frontend.proxy;
    const limit = (response ? responseCaptures : requestCaptures)[slot];
    if (limit === undefined || this.requestCaptures === NO_CAPTURES) return false;
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

  /** Brings the byte counters up to date. */
  countBytes(): void {
    const c = this.context.counters;
    const bytesIn = this.bytesIn - this.#countedIn;
    const bytesOut = this.bytesOut - this.#countedOut;
    this.#countedIn = this.bytesIn;
    this.#countedOut = this.bytesOut;
    countTraffic(this.tracked, this.session.tracked, this.now, bytesIn, bytesOut);
    addBytes(c, this.frontend.row, bytesIn, bytesOut);
    addBytes(c, this.session.listener.row, bytesIn, bytesOut);
    if (this.backend !== null) addBytes(c, this.backend.row, bytesIn, bytesOut);
    if (this.server !== null) addBytes(c, this.server.row, bytesIn, bytesOut);
  }

  // --- letting go ---

  /** Lets go of the server's connection. */
  dropServerSide(): void {
    const side = this.serverSide;
    this.serverSide = null;
    this.accepting = false;
    side?.release();
  }

  /** Gives the place on the server back. */
  dropPlace(): void {
    if (!this.holdsPlace) return;
    this.holdsPlace = false;
    freePlace(this.server!);
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

  /** `option abortonclose`: a client that half-closes while it waits gives up. */
  abortsOnClose(): boolean {
    const early = this.http ? !this.responded : this.connectedAt === 0;
    return early && this.backend?.proxy.options.abortonclose === true;
  }

  /** How connections of this stream live on: the stricter of frontend and backend. */
  get serverMode(): HttpMode {
    const front = this.frontend.proxy.options.http;
    const back = this.backend!.proxy.options.http;
    if (front === 'close' || back === 'close') return 'close';
    return front === 'server-close' || back === 'server-close' ? 'server-close' : 'keep-alive';
  }

  /**
   * True when the request may be sent once more: it went over a pooled connection that the server may have closed before
   * it saw the request, nothing came back, no payload went out, and its method is idempotent (RFC 9110 9.2.2).
   */
  repeatable(): boolean {
    return (
      this.serverSide?.reused === true &&
      !this.mustOpen &&
      !this.noRepeat &&
      !this.payloadSent &&
      !this.responded &&
      this.http &&
      isIdempotent(this.requestHead.methodId)
    );
  }

  // --- Subject: what a balancing algorithm may look at ---

  source(): Uint8Array | null {
    const source = this.session.source();
    return source === null || source.family === 1 ? null : source.bytes;
  }

  uri(): Slice | null {
    const { uriBytes, uriStart, uriEnd } = this.requestHead;
    return this.http ? at(uriBytes, uriStart, uriEnd) : null;
  }

  header(name: string): Slice | null {
    if (!this.http) return null;
    const head = this.requestHead;
    const i = head.findLast(latin1(name));
    return i < 0 ? null : at(head.bytesOf(i), head.valueStart[i]!, head.valueEnd[i]!);
  }

  body(): Slice | null {
    return this.client.buffered();
  }

  payload(): Slice | null {
    return this.client.buffered();
  }

  hashed(): Slice | null {
    const sample = evaluate(this.backend!.rules.hashed!, HERE.at(this), BIN);
    return sample === null ? null : at(sample.bytes, sample.start, sample.end);
  }
}

/** One slice for all answers to the balancer: it is read before the next question. */
const SLICE: Slice = { bytes: new Uint8Array(0), start: 0, end: 0 };

function at(bytes: Uint8Array, start: number, end: number): Slice {
  SLICE.bytes = bytes;
  SLICE.start = start;
  SLICE.end = end;
  return SLICE;
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

function addBytes(c: Float64Array, row: number, bytesIn: number, bytesOut: number): void {
  c[row + BYTES_IN]! += bytesIn;
  c[row + BYTES_OUT]! += bytesOut;
}

function expire(stream: Stream): void {
  stream.goto(STEPS[stream.step]!.timeout(stream));
}
