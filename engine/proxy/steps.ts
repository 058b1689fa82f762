/**
 * The steps of a stream, one row each: what is done on entering it, what its time-out and a vanished server mean
 * there, and the letter that the log's termination state shows (manual 8.5, second character).
 *
 *   HTTP  inspect > request > body > frontRules > backend > backInspect > backRules > server > payload > assign ...
 *   TCP   inspect >                               backend > backInspect >             server           > assign ...
 *           └───────────────── upgrade ◄────────────┘        (then as HTTP, from request on)
 *
 *   HTTP  ... assign > (queue) > connect > connected > waiting > response > (backResponse > frontResponse > answer) > transfer > finish
 *   TCP   ... assign > (queue) > connect > connected > tunnel                        > finish
 *                ^                   |
 *                └── (turnaround) < failed
 */

import { FULL, NONE } from '../balance/balancer.ts';
import { dropDefaultPort } from '../http/authority.ts';
import { isNowhere } from '../io/address.ts';
import {
  DENIED_REQ,
  FAILED_CONN,
  FAILED_RESP,
  FAILED_REWRITES,
  REDISPATCHES,
  RETRIES,
  REUSE,
  SRV_ABORTS,
} from '../shm/counters.ts';
import { SERVER_FAILURE } from '../stick/tracking.ts';
import { countChoice, enterBackend, enterServer, finishStream, takeRequest } from './account.ts';
import { answer } from './answer.ts';
import { again } from './attempts.ts';
import { chooseBackend } from './choose-backend.ts';
import { errorReply } from './errors.ts';
import { restrictHeaderNames } from './header-names.ts';
import { lastServer } from './last-server.ts';
import { forgetPayload, repeatable, tryAgain } from './layer7-retry.ts';
import type { Server } from './nouns.ts';
import { persistedServer } from './persistence.ts';
import { enqueue, leaveQueue, queueIsFull, serveQueue, takePlace } from './queue.ts';
import { rdpServer } from './rdp-persistence.ts';
import { nameServer, prepareRequest } from './request-headers.ts';
import { sendResponse, takeResponse } from './response.ts';
import {
  backResponse,
  backRules,
  bufferBody,
  endTarpit,
  frontResponse,
  frontRules,
  inspectBack,
  inspectFront,
  payload,
  tarpit,
  timeIsUp,
} from './rule-steps.ts';
import { redirectToServer } from './server-redirect.ts';
import { applyServerRules } from './server-rules.ts';
import { openServerSide } from './server-side.ts';
import { pumpApplet } from './stats-applet.ts';
import { type Next, STEP, WAIT } from './step.ts';
import { storeServer, stuckServer } from './stick-rules.ts';
import type { Stream } from './stream.ts';
import { SUBJECT } from './stream-subject.ts';
import { CAUSE, type Cause } from './termination.ts';
import { introduction } from './tls-server.ts';

export { type Next, STEP, type StepIndex, WAIT } from './step.ts';

export interface Step {
  readonly name: keyof typeof STEP;
  /** Second letter of the termination state when the stream ends here. */
  readonly letter: string;
  readonly run: (stream: Stream) => Next;
  /** The stream's timer fired. */
  readonly timeout: (stream: Stream) => Next;
  /** The server's connection ended before its message did. */
  readonly serverGone: (stream: Stream) => Next;
}

export const STEPS: readonly Step[] = [
  { name: 'idle', letter: '-', run: wait, timeout: wait, serverGone: wait },
  { name: 'inspect', letter: 'R', run: inspectFront, timeout: timeIsUp, serverGone: wait },
  { name: 'upgrade', letter: 'R', run: upgrade, timeout: wait, serverGone: wait },
  { name: 'request', letter: 'R', run: request, timeout: wait, serverGone: wait },
  { name: 'body', letter: 'R', run: bufferBody, timeout: timeIsUp, serverGone: wait },
  { name: 'frontRules', letter: 'R', run: frontRules, timeout: timeIsUp, serverGone: wait },
  { name: 'backend', letter: 'R', run: backend, timeout: wait, serverGone: wait },
  { name: 'backInspect', letter: 'R', run: inspectBack, timeout: timeIsUp, serverGone: wait },
  { name: 'backRules', letter: 'R', run: backRules, timeout: timeIsUp, serverGone: wait },
  { name: 'tarpit', letter: 'T', run: tarpit, timeout: endTarpit, serverGone: wait },
  { name: 'server', letter: 'R', run: server, timeout: wait, serverGone: wait },
  { name: 'payload', letter: 'R', run: payload, timeout: timeIsUp, serverGone: wait },
  { name: 'assign', letter: 'C', run: assign, timeout: wait, serverGone: wait },
  { name: 'queue', letter: 'Q', run: queue, timeout: queueTimeout, serverGone: wait },
  { name: 'connect', letter: 'C', run: connect, timeout: connectTimeout, serverGone: refused },
  { name: 'failed', letter: 'C', run: failed, timeout: wait, serverGone: wait },
  { name: 'turnaround', letter: 'C', run: turnaround, timeout: () => STEP.assign, serverGone: wait },
  { name: 'connected', letter: 'H', run: connected, timeout: wait, serverGone: noResponse },
  { name: 'waiting', letter: 'H', run: wait, timeout: noResponseInTime, serverGone: noResponse },
  { name: 'response', letter: 'H', run: takeResponse, timeout: wait, serverGone: noResponse },
  { name: 'backResponse', letter: 'H', run: backResponse, timeout: timeIsUp, serverGone: wait },
  { name: 'frontResponse', letter: 'H', run: frontResponse, timeout: timeIsUp, serverGone: wait },
  { name: 'answer', letter: 'H', run: sendResponse, timeout: wait, serverGone: noResponse },
  { name: 'transfer', letter: 'D', run: transfer, timeout: transferTimeout, serverGone: cutResponse },
  { name: 'tunnel', letter: 'D', run: tunnel, timeout: transferTimeout, serverGone: cutResponse },
  { name: 'applet', letter: 'D', run: pumpApplet, timeout: pumpApplet, serverGone: wait },
  { name: 'finish', letter: '-', run: finish, timeout: wait, serverGone: wait },
];

STEPS.forEach((step, i) => {
  if (STEP[step.name] !== i) throw new Error(`steps: row ${i} is ${step.name}`);
});

function wait(): Next {
  return WAIT;
}

/** A TCP client speaks HTTP from here on: its stream goes on with `request` when a head is there. */
function upgrade(stream: Stream): Next {
  stream.client.upgrade();
  return WAIT;
}

/** A request head is complete: count it, answer the monitor, note what the logs want to know. */
function request(stream: Stream): Next {
  const { monitor, notes } = stream.frontend;
  takeRequest(stream);
  dropDefaultPort(stream.requestHead);
  const { restrictReqHdrNames } = stream.frontend.proxy.options;
  if (!restrictHeaderNames(stream.requestHead, restrictReqHdrNames)) return deny(stream);
  const monitored = monitor === null ? null : monitor(stream);
  if (monitored !== null) return monitored;
  notes?.request(stream);
  // An upgrade that the backend asked for: it was chosen already.
  return stream.backend === null ? STEP.body : STEP.backInspect;
}

/** Which backend takes it. */
function backend(stream: Stream): Next {
  const chosen = chooseBackend(stream);
  if (chosen === null) return fail(stream, 503, CAUSE.server);
  enterBackend(stream, chosen);
  stream.retriesLeft = stream.retries < 0 ? chosen.proxy.retries : stream.retries;
  if (chosen.index !== stream.frontend.index) stream.timeouts = chosen.proxy.timeouts;
  if (stream.http === (chosen.proxy.mode === 'http')) return STEP.backInspect;
  // HTTP has no way back to a TCP server.
  return stream.http ? fail(stream, 500, CAUSE.internal) : STEP.upgrade;
}

/** The request as the server will see it; `use-server` and persistence rules choose the server. */
function server(stream: Stream): Next {
  applyServerRules(stream);
  if (!stream.http) return STEP.assign;
  const { restrictReqHdrNames } = stream.backend!.proxy.options;
  if (!restrictHeaderNames(stream.requestHead, restrictReqHdrNames)) return deny(stream);
  prepareRequest(stream);
  return STEP.payload;
}

function deny(stream: Stream): Next {
  const { counters } = stream.context;
  counters[stream.frontend.row + DENIED_REQ]! += 1;
  if (stream.backend !== null) counters[stream.backend.row + DENIED_REQ]! += 1;
  return fail(stream, 403, CAUSE.proxy);
}

/** Which server: the one of the last attempt, the one the client persists on, or the balancing algorithm's choice. */
function assign(stream: Stream): Next {
  const backend = stream.backend!;
  if (stream.server === null) {
    stream.server = stream.redispatched ? null : chosenServer(stream);
    if (stream.server === null) {
      const picked = backend.balancer.pick(SUBJECT.of(stream), stream.avoid);
      if (picked === NONE) {
        stream.countServer(FAILED_CONN);
        return fail(stream, 503, CAUSE.server);
      }
      if (picked === FULL) return STEP.queue;
      stream.server = backend.servers[picked]!;
      stream.balanced = true;
      countChoice(stream);
    }
    countMove(stream);
    stream.assignedAt = stream.now;
  }
  const redirected = redirectToServer(stream);
  if (redirected !== null) return redirected;
  if (!takePlace(stream.server)) return STEP.queue;
  stream.holdsPlace = true;
  return STEP.connect;
}

/** The server of a `use-server` rule, else the one that the client persists on, a key sticks to, or that was the last one. */
function chosenServer(stream: Stream): Server | null {
  const persisted = persistedServer(stream) ?? rdpServer(stream);
  const bound = stuckServer(stream, stream.ruledServer ?? persisted);
  return bound ?? staysWith(stream, lastServer(stream));
}

/** Nothing binds the client to its last server: staying there is a choice of load balancing, and counts as one. */
function staysWith(stream: Stream, server: Server | null): Server | null {
  stream.server = server;
  if (server !== null) countChoice(stream);
  return server;
}

/** Waits for a place on its server, or on any server of the backend when it has none yet. */
function queue(stream: Stream): Next {
  const t = stream.timeouts;
  if (stream.server !== null && queueIsFull(stream.server)) return elsewhere(stream);
  stream.wait(t.queueMs || t.connectMs);
  enqueue(stream, stream.backend!, stream.server);
  return WAIT;
}

/** `maxqueue` is reached: with `option redispatch` any server will do, without it none. */
function elsewhere(stream: Stream): Next {
  const { proxy } = stream.backend!;
  if (proxy.redispatch === 0 || stream.redispatched) {
    stream.countServer(FAILED_CONN);
    return fail(stream, 503, CAUSE.server);
  }
  stream.redispatched = true;
  if (stream.cookie === 'valid') stream.cookie = 'down';
  stream.avoid = stream.server!.config.index;
  stream.leaveServer();
  return STEP.assign;
}

function queueTimeout(stream: Stream): Next {
  stream.assignedAt = stream.now;
  const server = stream.server;
  leaveQueue(stream);
  stream.count(FAILED_CONN);
  if (server !== null) serveQueue(server);
  return fail(stream, 503, CAUSE.serverTimeout);
}

/** A pooled connection if there is a fit one, else a new one. */
function connect(stream: Stream): Next {
  stream.connectAt = stream.now;
  enterServer(stream);
  // Its name does not resolve: only `force-persist` leads here.
  if (isNowhere(stream.server!.live.address)) return refused(stream);
  if (openServerSide(stream)) {
    stream.countServer(REUSE);
    return STEP.connected;
  }
  stream.wait(stream.timeouts.connectMs);
  return WAIT;
}

function connectTimeout(stream: Stream): Next {
  stream.failure = CAUSE.serverTimeout;
  return STEP.failed;
}

function refused(stream: Stream): Next {
  stream.failure = CAUSE.server;
  return STEP.failed;
}

/** The server could not be reached: again, elsewhere if `option redispatch` says so, or 503. */
function failed(stream: Stream): Next {
  stream.observe('notConnected');
  stream.dropServerSide();
  stream.dropPlace();
  if (stream.retriesLeft <= 0 || !stream.backend!.proxy.retryOn.includes('conn-failure')) {
    stream.countServer(FAILED_CONN);
    return fail(stream, 503, stream.failure);
  }
  const next = again(stream);
  // Who waited for the whole connect time-out has waited long enough.
  return stream.server !== null && stream.failure === CAUSE.server ? STEP.turnaround : next;
}

/** A redispatch counts at the server it leaves; one that comes back to the same server is a mere retry. */
function countMove(stream: Stream): void {
  const from = stream.movesFrom;
  if (from === null) return;
  stream.movesFrom = null;
  const { counters } = stream.context;
  const counter = from === stream.server ? RETRIES : REDISPATCHES;
  counters[from.row + counter]! += 1;
  counters[from.backend.row + counter]! += 1;
}

/** Before the same server is tried again: a second, or the connect time-out if that is shorter. */
const TURNAROUND_MS = 1000;

function turnaround(stream: Stream): Next {
  const { connectMs } = stream.timeouts;
  stream.wait(connectMs === 0 ? TURNAROUND_MS : Math.min(TURNAROUND_MS, connectMs));
  return WAIT;
}

/** There is a connection: the request goes out, then whatever the client has to send. */
function connected(stream: Stream): Next {
  stream.connectedAt = stream.now;
  if (stream.frontend.logsServerLocal) stream.serverLocal = stream.serverSide!.conn?.local() ?? null;
  stream.step = stream.http ? STEP.waiting : STEP.tunnel;
  stream.session.lastServer = stream.server;
  if (!stream.serverSide!.reused) stream.observe('connected');
  introduce(stream);
  const { sendNameHeader } = stream.backend!.proxy;
  if (sendNameHeader !== null && stream.http && !nameServer(stream, sendNameHeader)) stream.count(FAILED_REWRITES);
  stream.serverSide!.request();
  stream.accepting = true;
  stream.touchServer();
  if (!stream.http) storeServer(stream);
  stream.context.events.streamConnected(stream);
  stream.client.resume();
  return WAIT;
}

/** `send-proxy`: a new connection begins with who the client is. */
function introduce(stream: Stream): void {
  const { conn, reused } = stream.serverSide!;
  // Before TLS it was sent already.
  if (reused || conn === null || stream.server!.usesTls) return;
  const header = introduction(stream, stream.server!);
  if (header !== null) conn.send(header, 0, header.length);
}

function noResponseInTime(stream: Stream): Next {
  if (stream.serverMayGoOn()) return WAIT;
  stream.observe('timeout');
  const next = tryAgain(stream, 'response-timeout');
  if (next !== null) return next;
  stream.countTracked(SERVER_FAILURE);
  stream.countServer(FAILED_RESP);
  return fail(stream, 504, CAUSE.serverTimeout);
}

/** The server closed without a response. On a pooled connection it may not have seen the request: see `repeatable`. */
function noResponse(stream: Stream): Next {
  if (repeatable(stream)) {
    stream.dropServerSide();
    stream.mustOpen = true;
    return STEP.connect;
  }
  stream.observe(stream.errno === 0 ? 'closed' : 'readError');
  const early = stream.earlyRejected;
  stream.earlyRejected = false;
  const junk = stream.serverSide?.partial ? 'junk-response' : 'empty-response';
  const next = tryAgain(stream, early ? '0rtt-rejected' : junk);
  if (next !== null) return next;
  if (stream.http && !stream.first) return leaveToClient(stream);
  stream.countTracked(SERVER_FAILURE);
  stream.countServer(FAILED_RESP);
  return fail(stream, early ? 425 : 502, CAUSE.server);
}

/**
 * A client that had answers on its connection takes its end as the sign to ask again (RFC 9112 9.3.1): it gets no error, and
 * nothing is counted or logged, as in HAProxy.
 */
function leaveToClient(stream: Stream): Next {
  stream.silent = stream.leftToClient = true;
  stream.terminate(CAUSE.server);
  return STEP.finish;
}

/** The exchange goes on until both messages are complete: a response may well come before the request has ended. */
function transfer(stream: Stream): Next {
  return stream.responseDone && stream.requestDone ? STEP.finish : WAIT;
}

/** Both directions end on their own. */
function tunnel(stream: Stream): Next {
  return stream.responseDone && stream.requestDone ? STEP.finish : WAIT;
}

function transferTimeout(stream: Stream): Next {
  if (stream.holdsResponse) {
    stream.timeUp = true;
    return stream.inspectResponse();
  }
  if (stream.serverMayGoOn()) return WAIT;
  // Both sides of a silent tunnel run out of time at once: HAProxy tells it of the client.
  if (stream.step === STEP.tunnel && stream.waitsForClient() && stream.session.late()) {
    stream.clientGone(CAUSE.clientTimeout);
    return WAIT;
  }
  stream.terminate(CAUSE.serverTimeout);
  stream.countServer(SRV_ABORTS);
  return STEP.finish;
}

function cutResponse(stream: Stream): Next {
  stream.terminate(CAUSE.server);
  stream.countServer(SRV_ABORTS);
  stream.countServer(FAILED_RESP);
  return STEP.finish;
}

function finish(stream: Stream): Next {
  stream.step = STEP.idle;
  forgetPayload(stream);
  finishStream(stream);
  return WAIT;
}

/** Ends the stream with an error: HAProxy's page or the configured one in HTTP, a close in TCP. */
export function fail(stream: Stream, status: number, cause: Cause): Next {
  stream.terminate(cause);
  if (stream.http) {
    answer(stream, errorReply(stream, status), true);
  }
  return STEP.finish;
}
