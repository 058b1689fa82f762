/**
 * The steps of a stream on its way to a server: which one, a place on it, a connection to it. What goes wrong there leads to
 * another attempt, or to 503.
 */
import { constants } from 'node:os';
import { FULL, NONE } from '../balance/balancer.ts';
import { isNowhere } from '../io/address.ts';
import { FAILED_CONN, REUSE } from '../shm/counters.ts';
import { countChoice, enterServer } from './account.ts';
import { fail } from './answer.ts';
import { again, countMove, redispatch } from './attempts.ts';
import { lastServer } from './last-server.ts';
import type { Server } from './nouns.ts';
import { persistedServer } from './persistence.ts';
import { enqueue, leaveQueue, mustLineUp, queueIsFull, serveQueue, takePlace } from './queue.ts';
import { rdpServer } from './rdp-persistence.ts';
import { redirectToServer } from './server-redirect.ts';
import { openServerSide } from './server-side.ts';
import { type Next, STEP, WAIT } from './step.ts';
import { stuckServer } from './stick-rules.ts';
import type { Stream } from './stream.ts';
import { SUBJECT } from './stream-subject.ts';
import { CAUSE } from './termination.ts';
import { activeServers } from './usable.ts';

/** Which server: the one of the last attempt, the one the client persists on, or the balancing algorithm's choice. */
export function assign(stream: Stream): Next {
  const backend = stream.backend!;
  if (stream.server === null) {
    stream.server = stream.unbound ? null : chosenServer(stream);
    if (stream.server === null) {
      const picked = mustLineUp(backend) ? FULL : backend.balancer.pick(SUBJECT.of(stream), stream.avoid);
      if (picked === NONE) {
        stream.countServer(FAILED_CONN);
        return fail(stream, 503, CAUSE.server);
      }
      if (picked === FULL) return STEP.queue;
      stream.server = backend.servers[picked]!;
      stream.balanced = true;
      if (stream.server !== stream.movesFrom) countChoice(stream);
    }
    countMove(stream);
    stream.assignedAt = stream.now;
  }
  const redirected = redirectToServer(stream);
  if (redirected !== null) return redirected;
  if (!stream.holdsPlace && !takePlace(stream.server)) return STEP.queue;
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
  if (server === null) return null;
  stream.balanced = true;
  countChoice(stream);
  return server;
}

/** Waits for a place on its server, or on any server of the backend when it has none yet. */
export function queue(stream: Stream): Next {
  if (stream.server !== null && queueIsFull(stream.server)) return elsewhere(stream);
  stream.wait(stream.timeouts.queueMs);
  listen(stream);
  enqueue(stream, stream.backend!, stream.server);
  return WAIT;
}

/** What the client sends meanwhile is gathered: a client whose bytes wait on its connection cannot be seen to leave. */
function listen(stream: Stream): void {
  if (stream.http && !stream.requestDone) stream.client.gather();
}

/** `maxqueue` is reached: with `option redispatch` any server will do, without it none. */
function elsewhere(stream: Stream): Next {
  const { proxy } = stream.backend!;
  if (proxy.redispatch === 0 || stream.unbound || stream.forcesPersistence) {
    stream.countServer(FAILED_CONN);
    stream.assignedAt = 0;
    return fail(stream, 503, CAUSE.server);
  }
  redispatch(stream);
  return STEP.assign;
}

export function queueTimeout(stream: Stream): Next {
  stream.assignedAt = stream.now;
  const server = stream.server;
  leaveQueue(stream);
  stream.count(FAILED_CONN);
  if (server !== null) serveQueue(server);
  return fail(stream, 503, CAUSE.serverTimeout);
}

/** A pooled connection if there is a fit one, else a new one. */
export function connect(stream: Stream): Next {
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

export function connectTimeout(stream: Stream): Next {
  stream.failure = CAUSE.serverTimeout;
  return STEP.failed;
}

export function refused(stream: Stream): Next {
  stream.failure = CAUSE.server;
  return STEP.failed;
}

/** The server could not be reached: again, elsewhere if `option redispatch` says so, or 503. */
export function failed(stream: Stream): Next {
  stream.observe('notConnected');
  stream.dropServerSide();
  stream.dropPlace();
  if (stream.retriesLeft <= 0 || !stream.backend!.proxy.retryOn.includes('conn-failure')) {
    stream.countServer(FAILED_CONN);
    return fail(stream, 503, stream.failure);
  }
  const next = again(stream);
  // Who waited for the whole connect time-out has waited long enough, and who had no port may find one now.
  const same = stream.server !== null || activeServers(stream.backend!) <= 1;
  return same && stream.failure === CAUSE.server && !NO_SOURCE.has(stream.errno) ? STEP.turnaround : next;
}

const { ERANGE, EADDRINUSE, EADDRNOTAVAIL } = constants.errno;
/** Nothing is wrong with the server: its connection has no address or port to come from. */
const NO_SOURCE: ReadonlySet<number> = new Set([ERANGE, EADDRINUSE, EADDRNOTAVAIL]);

/** Before the same server is tried again: a second, or the connect time-out if that is shorter. */
const TURNAROUND_MS = 1000;

export function turnaround(stream: Stream): Next {
  const { connectMs } = stream.timeouts;
  listen(stream);
  stream.wait(connectMs === 0 ? TURNAROUND_MS : Math.min(TURNAROUND_MS, connectMs));
  return WAIT;
}
