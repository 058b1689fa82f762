/**
 * What a stream knows of its exchange: who takes part, how far it got, what rules did, and the times and texts for the
 * log. `begin` makes all of it ready for the next exchange. What happens to a stream is in stream.ts.
 */
import type { CompressionFormat } from '../config/filter-spec.ts';
import type { Place } from '../config/model.ts';
import type { Timeouts } from '../config/proxy-model.ts';
import { Head } from '../http/head.ts';
import type { Address, Conn } from '../io/contract.ts';
import { NO_MARKS } from '../io/packet-marks.ts';
import { StreamVars } from '../sample/vars.ts';
import type { Dump } from '../stats/out.ts';
import { NOTHING_TRACKED, newTracked, type Tracked } from '../stick/tracking.ts';
import type { CookieDates } from './cookie-dates.ts';
import type { FilterChain } from './filter.ts';
import type { SentPayload } from './layer7-retry.ts';
import type { NameAsk } from './name-asks.ts';
import { type Captured, NO_CAPTURES } from './notes.ts';
import type { Backend, Context, Frontend, Server } from './nouns.ts';
import type { Reply } from './reply.ts';
import type { Session } from './session.ts';
import type { ClientSide, ServerSide } from './sides.ts';
import { STEP, type StepIndex } from './steps.ts';
import { StickStores } from './stick-stores.ts';
import { CAUSE, type Cause } from './termination.ts';
import type { WaitingLine } from './waiting-line.ts';

export class StreamState {
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
  /** The client has half-closed and so has its connection to the server, which may still answer. */
  halfClosed = false;
  /** A final response head came from the server. */
  responded = false;
  /** It makes a tunnel of the connections. */
  opensTunnel = false;
  /** Payload of the request went to a server: the request cannot be repeated. */
  payloadSent = false;
  /** What went out of the payload, while the request may have to be sent again (layer7-retry.ts). */
  sent: SentPayload | null = null;
  /** What the request's persistence cookie was worth. */
  cookie: 'none' | 'invalid' | 'down' | 'valid' | 'expired' | 'old' | 'unused' = 'none';
  /** What `maxidle` and `maxlife` look at; null = no such cookie came. */
  cookieDates: CookieDates | null = null;
  /** A dump that answers the request, made as the client reads (stats-applet.ts). */
  applet: Dump | null = null;
  /** What answers the request itself, in the place of a server. */
  service: 'stats' | 'prometheus' | null = null;
  /** When its last piece was made. Milliseconds. */
  pieceAt = 0;
  /** Variables of the rules. */
  readonly vars = new StreamVars();
  /** What it tracks in stick tables, beside its session. */
  readonly tracked: readonly Tracked[];
  /** The request line is there, for rules and logs. */
  requestKnown = false;
  /** What the client sent is no request: there is no head to look at. */
  refused = false;
  /** Why the client left, or ran out of time, while rules waited for what it sends: they go on, and then the stream ends. */
  clientLeft: Cause = CAUSE.none;
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
  /** The connection to a server with TLS, also when it has been left: log lines tell of it. */
  serverTls: Conn | null = null;
  /** Places in the queues that it stood in, 1 = first, summed. */
  serverQueuePlace = 0;
  backendQueuePlace = 0;
  /** How many had got a place out of the queue when it came to stand there. */
  dequeuedBefore = 0;
  /** errno of the server connection that failed last. */
  errno = 0;
  /** The server refused the early data that its request was in. */
  earlyRejected = false;
  /** The first exchange of its session. */
  first = false;
  /** The algorithm chose the server, not persistence. */
  balanced = false;
  /** What bound it to a server counts no more. */
  unbound = false;
  /** It has gone to another server than was meant at first. */
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
  /** Headers of a 103 response that `early-hint` rules are still making. */
  hints = '';
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
  /** `set-bc-mark`, `set-bc-tos`: what packets to the server carry; -1 = nothing. */
  serverMarks = NO_MARKS;
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
  /** Its connection is opened when there is room for it (connection-room.ts). */
  awaitsRoom = false;
  // --- filters (stream-filters.ts) ---
  requestFilters: FilterChain | null = null;
  responseFilters: FilterChain | null = null;
  /** What the response is compressed with; null = it is not. */
  compression: CompressionFormat | null = null;
  /** What the client could be given, before there is a response. */
  acceptedFormat: CompressionFormat | null = null;

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
  /** The request was processed: it is answered, or goes to the server. */
  requestAt = 0;
  assignedAt = 0;
  connectAt = 0;
  connectedAt = 0;
  /** The head of the server's response came; 0 again when the client gets another response. */
  responseAt = 0;
  finishedAt = 0;
  status = 0;
  /** As the server sent it, whatever rules made of it; 0 = it sent none. */
  serverStatus = 0;
  /** From the client and to it, as far as they are counted; to the server and from it. */
  bytesIn = 0;
  bytesOut = 0;
  serverBytesOut = 0;
  serverBytesIn = 0;
  /** How much of `bytesIn` and `bytesOut` is in the counters. */
  countedIn = 0;
  countedOut = 0;
  cause: Cause = CAUSE.none;
  phase = '-';

  constructor(context: Context) {
    const { maxhdr, maxrewriteBytes, bufsizeBytes } = context.model.global.tune;
    this.context = context;
    const { model } = context;
    this.tracked = model.tables.length === 0 ? NOTHING_TRACKED : newTracked(model.global.tune.stickCounters);
    this.requestHead = new Head(maxhdr, maxrewriteBytes, bufsizeBytes);
    this.responseHead = new Head(maxhdr, maxrewriteBytes, bufsizeBytes);
  }

  /** Makes the object ready for an exchange. Times in ms of the io clock. */
  begin(first: boolean, acceptedAt: number, idleSince: number, firstByteAt: number): void {
    this.id = ++this.context.begunStreams;
    this.step = STEP.request;
    this.backend = this.server = this.serverSide = null;
    this.requestDone =
      this.responseDone =
      this.accepting =
      this.halfClosed =
      this.responded =
      this.payloadSent =
      this.silent =
      this.leftToClient =
      this.logged =
      this.requestKnown =
      this.refused =
      this.requestTaken =
        false;
    this.clientLeft = CAUSE.none;
    this.#beginRules();
    this.cookie = 'none';
    this.cookieSet = 'N';
    this.cookieDates = null;
    this.number = -1;
    this.serverLocal = this.serverTls = null;
    this.serverQueuePlace = this.backendQueuePlace = 0;
    this.applet = null;
    this.service = null;
    this.vars.clear();
    this.errno = 0;
    this.earlyRejected = false;
    this.balanced = this.unbound = this.redispatched = this.mustOpen = this.holdsPlace = false;
    this.first = first;
    this.attempts = 0;
    this.avoid = -1;
    this.movesFrom = null;
    this.acceptedAt = acceptedAt;
    this.idleSince = idleSince;
    this.firstByteAt = firstByteAt;
    this.requestAt = this.assignedAt = this.connectAt = this.connectedAt = this.responseAt = this.finishedAt = 0;
    this.serverBytesIn = this.serverBytesOut = 0;
    this.status = this.serverStatus = this.bytesIn = this.bytesOut = this.countedIn = this.countedOut = 0;
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
    this.serverMarks = NO_MARKS;
    this.requestCaptures = this.responseCaptures = NO_CAPTURES;
    this.requestCookie = this.responseCookie = null;
    this.requestFilters = this.responseFilters = this.compression = this.acceptedFormat = null;
    this.session.forgetOverrides();
  }
}
