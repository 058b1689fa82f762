/**
 * Queues of streams that wait for a place on a server, fair over all workers.
 *
 *   worker 0    server s1:  [12] -> [15]      backend b: [11]
 *   worker 1    server s1:  [13]              backend b: -
 *
 * Each worker keeps its own streams in its own lines; a stream's place is made of its priority and the time (waiting-line.ts),
 * and that of the first of each line stands in the worker's counter row. Whoever frees a place on a server looks for the
 * lowest over all workers: its own it serves at once, for another's it rings that worker's doorbell, which looks again.
 *
 * No wake-up is lost: a waiter publishes its place, then raises the shared `queued` word, then tries once more to
 * take a place; one who frees a place lowers `served`, then reads `queued`. Whichever comes second sees the other.
 */

import { CHANGING } from '../balance/changing.ts';
import { dynamicMaxconn, rampedLimit } from '../balance/maxconn.ts';
import { isLeft } from '../health/leaving.ts';
import { raise } from '../shm/atomics.ts';
import { CUR_QUEUED, CUR_SESS, QUEUE_HEAD } from '../shm/counters.ts';
import { ring } from '../shm/doorbell.ts';
import { PROXY, SERVER } from '../shm/words.ts';
import { redispatch } from './attempts.ts';
import { obeyKills } from './kill.ts';
import type { Backend, Server } from './nouns.ts';
import { closeOwned } from './own-connections.ts';
import { STEP } from './steps.ts';
import type { Stream } from './stream.ts';
import { isDown, takesTraffic } from './usable.ts';
import { placeAt, type WaitingLine } from './waiting-line.ts';

/**
 * Takes a place on the server; false when it is full. The gauge is written right beside the shared word, with no call
 * between, so that a thread ended at any moment leaves the two equal.
 */
export function takePlace(server: Server): boolean {
  const { words, counters } = server.backend.context;
  const limit = placesOf(server);
  const before = Atomics.add(words, server.at + SERVER.at.served, 1);
  counters[server.row + CUR_SESS]! += 1;
  if (limit !== 0 && before >= limit) {
    counters[server.row + CUR_SESS]! -= 1;
    Atomics.sub(words, server.at + SERVER.at.served, 1);
    return false;
  }
  Atomics.add(words, server.backend.at + PROXY.at.be_served, 1);
  raise(words, server.at + SERVER.at.served_max, before + 1);
  return true;
}

/** Gives a place back. Whoever does that lets the next in line have it, by `serveQueue`. */
export function freePlace(server: Server): void {
  const { words, counters } = server.backend.context;
  counters[server.row + CUR_SESS]! -= 1;
  Atomics.sub(words, server.at + SERVER.at.served, 1);
  Atomics.sub(words, server.backend.at + PROXY.at.be_served, 1);
}

/** True when streams wait for any server of the backend: who comes later, and does not need a certain one, stands behind them. */
export function mustLineUp({ at, context, proxy }: Backend): boolean {
  return CHANGING.has(proxy.balance.algorithm) && Atomics.load(context.words, at + PROXY.at.be_queued) > 0;
}

/** Puts the stream in line: for `server` if it must have that one, else for any server of its backend. */
export function enqueue(stream: Stream, backend: Backend, server: Server | null): void {
  const { words, counters } = backend.context;
  stream.place = placeAt(stream.now, stream);
  const row = server === null ? backend.row : server.row;
  const queue = server === null ? backend.queue : server.queue;
  queue.push(stream);
  publish(counters, row, queue);
  counters[row + CUR_QUEUED]! += 1;
  const queued = server === null ? backend.at + PROXY.at.be_queued : server.at + SERVER.at.queued;
  const n = Atomics.add(words, queued, 1) + 1;
  stream.dequeuedBefore = dequeued(backend, server);
  raise(words, server === null ? backend.at + PROXY.at.be_queued_max : server.at + SERVER.at.queued_max, n);
  Atomics.add(words, backend.at + PROXY.at.be_total_queued, 1);
  // A place may have been freed between our attempt and our standing in line.
  if (server !== null) serveQueue(server);
  else for (const s of backend.servers) if (stream.line !== null) serveQueue(s);
}

/** How many got a place out of one queue so far. A log line says how many did before the stream, itself included (manual 8.2.3). */
function dequeued({ at, context }: Backend, server: Server | null): number {
  return Atomics.load(context.words, server === null ? at + PROXY.at.be_dequeued : server.at + SERVER.at.dequeued);
}

/** `maxqueue`: as many as may wait for this very server do. */
export function queueIsFull(server: Server): boolean {
  const { maxqueue } = server.config;
  return maxqueue !== 0 && Atomics.load(server.backend.context.words, server.at + SERVER.at.queued) >= maxqueue;
}

/** Takes the stream out of the line it stands in: served, timed out or gone. Idempotent. */
export function leaveQueue(stream: Stream): void {
  const queue = stream.line;
  if (queue === null) return;
  const backend = stream.backend!;
  const { words, counters } = backend.context;
  const server = queue === backend.queue ? null : stream.server!;
  const row = server === null ? backend.row : server.row;
  queue.remove(stream);
  publish(counters, row, queue);
  const place = 1 + ((dequeued(backend, server) - stream.dequeuedBefore) | 0);
  if (server === null) stream.backendQueuePlace += place;
  else stream.serverQueuePlace += place;
  counters[row + CUR_QUEUED]! -= 1;
  Atomics.sub(words, server === null ? backend.at + PROXY.at.be_queued : server.at + SERVER.at.queued, 1);
  Atomics.sub(words, backend.at + PROXY.at.be_total_queued, 1);
}

/** Streams taken from a queue in one go at most, so that a long queue cannot hold up the loop. */
const SERVE_MAX = 256;

/** Gives free places of `server` to those who are next in line for it or for any server of its backend. */
export function serveQueue(server: Server): void {
  const backend = server.backend;
  const { words, memory, worker } = backend.context;
  for (let i = 0; i < SERVE_MAX; i++) {
    if (Atomics.load(words, backend.at + PROXY.at.be_total_queued) === 0) return;
    const forServer =
      Atomics.load(words, server.at + SERVER.at.queued) > 0 ? oldest(server.backend, 'server', server.number) : NOBODY;
    const forBackend =
      Atomics.load(words, backend.at + PROXY.at.be_queued) > 0 && takesTraffic(server)
        ? oldest(backend, 'backend', backend.index)
        : NOBODY;
    const first = forServer.place <= forBackend.place ? forServer : forBackend;
    if (first.place === Infinity) return;
    if (first.worker !== worker) {
      if (hasPlace(server)) ring(memory, first.worker);
      return;
    }
    const stream = (first === forServer ? server.queue : backend.queue).first;
    if (stream === null || !takePlace(server)) return;
    leaveQueue(stream);
    Atomics.add(words, first === forServer ? server.at + SERVER.at.dequeued : backend.at + PROXY.at.be_dequeued, 1);
    stream.dequeued(server);
  }
}

/** Looks at all queues again, and at servers whose state changed: someone rang. */
export function serveAllQueues(backends: readonly (Backend | null)[]): void {
  for (const backend of backends) {
    if (backend === null) continue;
    const { words } = backend.context;
    const generation = Atomics.load(words, backend.at + PROXY.at.generation);
    if (generation !== backend.generation) {
      backend.generation = generation;
      for (const server of backend.servers) {
        if (isDown(server)) leaveServer(server);
        if (isLeft(words, server.at, backend.proxy)) redistribute(server);
        server.pool.leaveOldAddress();
        obeyKills(server);
      }
    }
    for (const server of backend.servers) server.room?.serve();
    if (Atomics.load(words, backend.at + PROXY.at.be_total_queued) === 0) continue;
    for (const server of backend.servers) serveQueue(server);
  }
}

/** The server has gone: its idle connections end. */
function leaveServer(server: Server): void {
  server.pool.clear();
  closeOwned(server);
}

/** Who waits for the server chooses another, unless bound to it (`force-persist`). */
function redistribute(server: Server): void {
  for (const stream of server.queue.inOrder()) {
    if (stream.line !== server.queue || stream.forcesPersistence) continue;
    leaveQueue(stream);
    redispatch(stream);
    stream.goto(STEP.assign);
  }
}

interface Waiter {
  worker: number;
  place: number;
}

const NOBODY: Waiter = { worker: -1, place: Infinity };
const SERVER_WAITER: Waiter = { worker: -1, place: Infinity };
const BACKEND_WAITER: Waiter = { worker: -1, place: Infinity };

/** The worker whose stream is the next in one queue. The result is reused by the next call for that kind. */
function oldest(backend: Backend, kind: 'server' | 'backend', index: number): Waiter {
  const { memory, counters } = backend.context;
  const found = kind === 'server' ? SERVER_WAITER : BACKEND_WAITER;
  found.worker = -1;
  found.place = Infinity;
  for (let w = 0; w < memory.shape.workers; w++) {
    const place = counters[memory.row(w, kind, index) + QUEUE_HEAD]!;
    if (place !== 0 && place < found.place) {
      found.worker = w;
      found.place = place;
    }
  }
  return found;
}

/** Places of the server now: `maxconn`, or less while the backend is not busy or the server starts slowly; 0 = no limit. */
function placesOf(server: Server): number {
  const { words } = server.backend.context;
  const limit = dynamicMaxconn(
    server.config.minconn,
    Atomics.load(words, server.at + SERVER.at.maxconn),
    server.backend.proxy.fullconn,
    Atomics.load(words, server.backend.at + PROXY.at.be_sess),
  );
  return rampedLimit(limit, Atomics.load(words, server.at + SERVER.at.ramp));
}

function hasPlace(server: Server): boolean {
  const { words } = server.backend.context;
  const limit = placesOf(server);
  return limit === 0 || Atomics.load(words, server.at + SERVER.at.served) < limit;
}

function publish(counters: Float64Array, row: number, queue: WaitingLine): void {
  counters[row + QUEUE_HEAD] = queue.first?.place ?? 0;
}
