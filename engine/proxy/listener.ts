/**
 * Accepting: a new connection takes a place at the process, its frontend and its listener, exact over all workers. When
 * one of them is full the listener stops accepting: connections wait in the kernel's queue, as with HAProxy.
 *
 *   accept ──► places free? ──yes──► Session
 *                  │no
 *                  └──► parked (the few that the kernel had already handed over), listener paused
 *                          ▲                                      │
 *                          └── a place is freed, here or (doorbell) in another worker ──► try again
 */
import type { Conn } from '../io/contract.ts';
import { ACCEPT_BURST } from '../limits.ts';
import { raise } from '../shm/atomics.ts';
import { CUM_CONN, CUR_PAUSED, CUR_SESS } from '../shm/counters.ts';
import { ringAll } from '../shm/doorbell.ts';
import { rateAdd, rateRead } from '../shm/rate.ts';
import { FE_OPEN, FE_PAUSED, FE_STOPPED, LISTENER, PROCESS, PROXY } from '../shm/words.ts';
import type { Context, Frontend, Listener } from './nouns.ts';
import { Session } from './session.ts';

/** Starts accepting on `fd`, which belongs to this worker from now on. */
export function listen(context: Context, listener: Listener, fd: number): void {
  listener.sockets.push(context.io.listen(fd, ACCEPT_BURST, conn => accept(context, listener, conn)));
  listener.resting = false;
  obeyFrontend(listener.frontend);
}

/** Lets the listeners of a frontend accept, rest or go, as its shared word says (`disable frontend` and its kin). */
function obeyFrontend(frontend: Frontend): void {
  const state = Atomics.load(frontend.context.words, frontend.at + PROXY.at.fe_stopped);
  for (const listener of frontend.listeners) {
    if (state === FE_STOPPED) for (const socket of listener.sockets.splice(0)) socket.close();
    else if (listener.resting === (state === FE_PAUSED)) continue;
    listener.resting = state !== FE_OPEN;
    if (state === FE_PAUSED) for (const socket of listener.sockets) socket.pause();
    else if (!listener.paused) for (const socket of listener.sockets) socket.resume();
  }
}

function accept(context: Context, listener: Listener, conn: Conn): void {
  if (listener.parked.length > 0 || !admit(context, listener)) {
    park(context, listener, conn);
    return;
  }
  new Session(context, listener, conn);
}

/**
 * Takes the places of one connection and counts it; false when something is full. The gauges are written right beside
 * the shared words, with no call between, so that a thread ended at any moment leaves the two equal.
 */
function admit(context: Context, listener: Listener): boolean {
  const { words, counters, at, row } = context;
  const { frontend } = listener;
  if (rateLimited(context, frontend, listener.tls !== null)) return false;
  const process = Atomics.add(words, at + PROCESS.at.conns, 1);
  counters[row + CUR_SESS]! += 1;
  const front = Atomics.add(words, frontend.at + PROXY.at.fe_conns, 1);
  counters[frontend.row + CUR_SESS]! += 1;
  const own = Atomics.add(words, listener.at + LISTENER.at.conns, 1);
  counters[listener.row + CUR_SESS]! += 1;
  if (
    over(process, Atomics.load(words, at + PROCESS.at.maxconn)) ||
    over(front, Atomics.load(words, frontend.at + PROXY.at.fe_maxconn)) ||
    over(own, Atomics.load(words, listener.at + LISTENER.at.maxconn))
  ) {
    counters[row + CUR_SESS]! -= 1;
    Atomics.sub(words, at + PROCESS.at.conns, 1);
    counters[frontend.row + CUR_SESS]! -= 1;
    Atomics.sub(words, frontend.at + PROXY.at.fe_conns, 1);
    counters[listener.row + CUR_SESS]! -= 1;
    Atomics.sub(words, listener.at + LISTENER.at.conns, 1);
    return false;
  }
  raise(words, at + PROCESS.at.conns_max, process + 1);
  raise(words, frontend.at + PROXY.at.fe_conns_max, front + 1);
  raise(words, listener.at + LISTENER.at.conns_max, own + 1);
  count(context, frontend, listener);
  return true;
}

function over(before: number, limit: number): boolean {
  return limit !== 0 && before >= limit;
}

function count(context: Context, frontend: Frontend, listener: Listener): void {
  const { counters, worker } = context;
  const now = context.io.now();
  counters[context.row + CUM_CONN]! += 1;
  counters[frontend.row + CUM_CONN]! += 1;
  counters[listener.row + CUM_CONN]! += 1;
  rateAdd(counters, context.connRate, context.connRate[worker]!, now, 1);
  rateAdd(counters, frontend.connRate, frontend.connRate[worker]!, now, 1);
}

/** `rate-limit sessions`, `maxconnrate`, `maxsessrate` and `maxsslrate`: the sliding second is full. */
function rateLimited(context: Context, frontend: Frontend, encrypted: boolean): boolean {
  return (
    reached(context, frontend.at + PROXY.at.fe_rate_limit, frontend.sessRate) ||
    reached(context, context.at + PROCESS.at.maxconnrate, context.connRate) ||
    (encrypted && reached(context, context.at + PROCESS.at.maxsslrate, context.tlsRate)) ||
    reached(context, context.at + PROCESS.at.maxsessrate, context.sessRate)
  );
}

function reached(context: Context, limitAt: number, rows: Int32Array): boolean {
  const limit = Atomics.load(context.words, limitAt);
  return limit !== 0 && rateRead(context.counters, rows, context.io.now()) >= limit;
}

/** Keeps a connection that the kernel handed over while there is no place, and stops accepting. */
function park(context: Context, listener: Listener, conn: Conn): void {
  conn.handler = PARKED;
  conn.pause();
  listener.parked.push(conn);
  if (listener.paused) return;
  listener.paused = true;
  for (const socket of listener.sockets) socket.pause();
  Atomics.add(context.words, context.at + PROCESS.at.waiting, 1);
  context.counters[context.row + CUR_PAUSED]! += 1;
  context.wheel.arm(listener.timer, context.io.now() + RETRY_MS);
}

/** A parked connection has no session yet; if its client goes away we find it dead when its turn comes. */
const PARKED = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

/** A rate limit opens with time, not with an event: how often a paused listener looks by itself. Milliseconds. */
const RETRY_MS = 20;

/** Lets parked connections in as far as places allow; accepts again when none is left. */
export function retryListener(context: Context, listener: Listener): void {
  if (!listener.paused) return;
  while (listener.parked.length > 0) {
    const conn = listener.parked[0]!;
    if (conn.alive && !admit(context, listener)) {
      context.wheel.arm(listener.timer, context.io.now() + RETRY_MS);
      return;
    }
    listener.parked.shift();
    if (!conn.alive) continue;
    new Session(context, listener, conn);
    conn.resume();
  }
  listener.paused = false;
  Atomics.sub(context.words, context.at + PROCESS.at.waiting, 1);
  context.counters[context.row + CUR_PAUSED]! -= 1;
  if (!listener.resting) for (const socket of listener.sockets) socket.resume();
  context.stopping?.look();
}

/** A place was freed: those who wait for one look again, here and in the other workers. */
export function resumeListeners(context: Context, frontend: Frontend): void {
  if (Atomics.load(context.words, context.at + PROCESS.at.waiting) === 0) return;
  for (const listener of frontend.listeners) retryListener(context, listener);
  if (Atomics.load(context.words, context.at + PROCESS.at.waiting) > 0) ringAll(context.memory);
}

/** Every paused listener of this worker looks again: the doorbell rang. */
export function retryAllListeners(context: Context): void {
  for (const frontend of context.frontends) {
    if (frontend === null) continue;
    obeyFrontend(frontend);
    for (const listener of frontend.listeners) retryListener(context, listener);
  }
}
