/**
 * What a stream leaves in the counters, at the moments when HAProxy counts it: when the request is taken, when it enters
 * a backend, when it goes to a server, when it ends.
 */
import { raise } from '../shm/atomics.ts';
import {
  BYTES_IN,
  BYTES_OUT,
  C_TIME,
  C_TIME_MAX,
  CUM_LB,
  CUM_REQ,
  CUM_SESS,
  CUR_SESS,
  D_TIME,
  D_TIME_MAX,
  FAILED_REQ,
  HRSP_1XX,
  HRSP_OTHER,
  LAST_SESS,
  Q_TIME,
  Q_TIME_MAX,
  T_TIME,
  T_TIME_MAX,
} from '../shm/counters.ts';
import { rateAdd } from '../shm/rate.ts';
import { PROXY } from '../shm/words.ts';
import { countTraffic, endTracking, REQUEST } from '../stick/tracking.ts';
import type { Backend, Server } from './nouns.ts';
import { freePlace, leaveQueue, serveQueue } from './queue.ts';
import type { Stream } from './stream.ts';
import { dropFilters } from './stream-filters.ts';

/** Streams that the averages of the times look back on. */
const TIME_SAMPLES = 512;

/** A request came, or what should have been one. */
export function takeRequest(stream: Stream): void {
  const { counters, worker, row } = stream.context;
  const { frontend } = stream;
  counters[row + CUM_REQ]! += 1;
  counters[frontend.row + CUM_REQ]! += 1;
  stream.countTracked(REQUEST);
  stream.requestTaken = true;
  rateAdd(counters, frontend.reqRate, frontend.reqRate[worker]!, stream.now, 1);
}

/** No request came of it, or its client left before a server was chosen. */
export function countFailedRequest({ context: { counters }, frontend, session }: Stream): void {
  counters[frontend.row + FAILED_REQ]! += 1;
  counters[session.listener.row + FAILED_REQ]! += 1;
}

/** The stream is the backend's from now on. The gauge stands right beside the shared word: see queue.ts. */
export function enterBackend(stream: Stream, backend: Backend): void {
  const { counters, words, worker } = stream.context;
  stream.backend = backend;
  const before = Atomics.add(words, backend.at + PROXY.at.be_sess, 1);
  counters[backend.row + CUR_SESS]! += 1;
  raise(words, backend.at + PROXY.at.be_sess_max, before + 1);
  counters[backend.row + CUM_SESS]! += 1;
  counters[backend.row + LAST_SESS] = Math.floor(stream.now / 1000);
  rateAdd(counters, backend.sessRate, backend.sessRate[worker]!, stream.now, 1);
}

/** The backend that counts the stream, as in HAProxy: until one is chosen that of its own `listen` section. null = there is none. */
export function countingBackend({ backend, frontend, context }: Stream): Backend | null {
  return backend ?? context.backends[frontend.index] ?? null;
}

/** One attempt goes to the stream's server. */
export function enterServer(stream: Stream): void {
  const { counters, worker } = stream.context;
  const server = stream.server!;
  counters[server.row + CUM_SESS]! += 1;
  counters[server.row + LAST_SESS] = Math.floor(stream.now / 1000);
  rateAdd(counters, server.sessRate, server.sessRate[worker]!, stream.now, 1);
}

/** The algorithm chose the stream's server. */
export function countChoice(stream: Stream): void {
  const { counters } = stream.context;
  counters[stream.server!.row + CUM_LB]! += 1;
  counters[stream.backend!.row + CUM_LB]! += 1;
}

/** A response that the server sent, interim ones too: as HAProxy, each counts there. */
export function countResponse(stream: Stream, status: number): void {
  const { counters } = stream.context;
  const { row } = stream.server!;
  counters[row + counterOf(status)]! += 1;
  counters[row + CUM_REQ]! += 1;
}

function counterOf(status: number): number {
  const hundreds = Math.floor(status / 100);
  return hundreds >= 1 && hundreds <= 5 ? HRSP_1XX + hundreds - 1 : HRSP_OTHER;
}

/** The status that the client got counts once at each of frontend and backend. */
function countStatus(stream: Stream): void {
  const { counters } = stream.context;
  const { status, backend, frontend } = stream;
  const counter = counterOf(status);
  counters[frontend.row + counter]! += 1;
  if (backend === null) return;
  counters[backend.row + counter]! += 1;
  counters[backend.row + CUM_REQ]! += 1;
}

/** The timers of TIMERS (histogram.ts), milliseconds; -1 = the stream did not get so far. Valid during one call. */
const took = new Float64Array(4);

function countTimes(stream: Stream): void {
  const { backend, server, frontend, connectAt, connectedAt, responseAt, finishedAt } = stream;
  if (stream.refused) return;
  // Without HTTP the request is the connection.
  const requestAt = (stream.http && stream.requestAt) || stream.acceptedAt;
  took[0] = connectAt !== 0 ? connectAt - requestAt : -1;
  took[1] = connectAt !== 0 && connectedAt !== 0 ? connectedAt - connectAt : -1;
  took[2] = connectAt !== 0 && responseAt !== 0 ? responseAt - connectedAt : -1;
  took[3] = finishedAt - requestAt;
  recordTimes(stream, frontend.timed);
  if (backend === null) return;
  addTimes(stream, backend);
  if (server !== null) addTimes(stream, server);
}

function addTimes(stream: Stream, { row, timed }: Backend | Server): void {
  const c = stream.context.counters;
  if (took[0]! >= 0) sample(c, row + Q_TIME, row + Q_TIME_MAX, took[0]!);
  if (took[1]! >= 0) sample(c, row + C_TIME, row + C_TIME_MAX, took[1]!);
  if (took[2]! >= 0) sample(c, row + D_TIME, row + D_TIME_MAX, took[2]!);
  sample(c, row + T_TIME, row + T_TIME_MAX, took[3]!);
  recordTimes(stream, timed);
}

/** Counts them in the histograms of one frontend, backend or server. */
function recordTimes({ context, finishedAt }: Stream, timed: number): void {
  const { histograms } = context.memory;
  for (let timer = 0; timer < took.length; timer++) {
    if (took[timer]! >= 0) histograms.record(timed, timer, took[timer]!, finishedAt);
  }
}

/** Adds one to a sum over the last TIME_SAMPLES samples: the older ones fade. */
function sample(c: Float64Array, sum: number, max: number, ms: number): void {
  const whole = Math.floor(ms);
  c[sum] = c[sum]! * (1 - 1 / TIME_SAMPLES) + whole;
  if (whole > c[max]!) c[max] = whole;
}

/** Brings the byte counters up to date: at the end of the stream, or with `option contstats` whenever bytes pass. */
export function countBytes(stream: Stream): void {
  const { session, server, tracked } = stream;
  const c = stream.context.counters;
  const bytesIn = stream.bytesIn - stream.countedIn;
  const bytesOut = stream.bytesOut - stream.countedOut;
  stream.countedIn = stream.bytesIn;
  stream.countedOut = stream.bytesOut;
  countTraffic(tracked, session.tracked, stream.now, bytesIn, bytesOut);
  const { row, outRate, worker } = stream.context;
  c[row + BYTES_OUT]! += bytesOut;
  if (bytesOut > 0) rateAdd(c, outRate, outRate[worker]!, stream.now, bytesOut);
  addBytes(c, stream.frontend.row, bytesIn, bytesOut);
  addBytes(c, session.listener.row, bytesIn, bytesOut);
  const place = countingBackend(stream);
  if (place !== null) addBytes(c, place.row, bytesIn, bytesOut);
  if (server !== null) addBytes(c, server.row, bytesIn, bytesOut);
}

function addBytes(c: Float64Array, row: number, bytesIn: number, bytesOut: number): void {
  c[row + BYTES_IN]! += bytesIn;
  c[row + BYTES_OUT]! += bytesOut;
}

/** The stream is over: everything it held is given back, everything it did is counted, and it is logged. */
export function finishStream(stream: Stream): void {
  const { counters, words, wheel } = stream.context;
  const { backend, server } = stream;
  wheel.disarm(stream.timer);
  stream.finishedAt = stream.now;
  if (stream.applet !== null) stream.context.dumps -= 1;
  if (stream.line !== null) stream.assignedAt = stream.finishedAt;
  leaveQueue(stream);
  dropFilters(stream);
  if (stream.nameAsk !== null) stream.context.names.forget(stream);
  stream.dropServerSide();
  countBytes(stream);
  if (stream.http && !stream.leftToClient) countStatus(stream);
  countTimes(stream);
  const held = stream.holdsPlace ? server : null;
  stream.holdsPlace = false;
  if (held !== null) freePlace(held);
  if (backend !== null) {
    counters[backend.row + CUR_SESS]! -= 1;
    Atomics.sub(words, backend.at + PROXY.at.be_sess, 1);
  }
  stream.context.events.streamEnded(stream);
  // Not before: a log line counts those that were with the stream on its server, not the one that follows it.
  if (held !== null) serveQueue(held);
  endTracking(stream.tracked, stream.finishedAt);
  stream.client.done();
}
