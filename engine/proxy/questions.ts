/**
 * What a traffic worker is asked by the runtime API, which lives in another thread, and how it answers. Questions and
 * answers are plain data. What can stand in shared memory is not asked for.
 */

import { isBackend, type Placing, place, renameServer } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server as ServerConfig } from '../config/server-model.ts';
import { type ProfileKind, type ProfileRow, type ProfileWish, threadProfiler } from '../io/profiler.ts';
import { COUNTERS } from '../shm/counters.ts';
import type { RowKind } from '../shm/memory.ts';
import { rateClearMax } from '../shm/rate.ts';
import { type BadMessage, badMessages, type Direction } from './bad-messages.ts';
import { killStream } from './kill.ts';
import { retryAllListeners } from './listener.ts';
import { addBackend, Backend, type Context, Server } from './nouns.ts';
import { serveAllQueues } from './queue.ts';
import { listSessions, type SessionFilter, type SessionLook, type SessionPage } from './show-sessions.ts';

interface Topics {
  /** Do at once what a doorbell would make it do: limits, states, queues. Answered when done. */
  look: { ask: object; answer: null };
  /** Counters of a server (its number), or of everything: the maxima only, or all but what is there now. */
  clear: { ask: { readonly all: boolean; readonly server: number | null }; answer: null };
  /** Streams that are open, a page at a time. */
  sessions: {
    ask: { readonly filter: SessionFilter; readonly look: SessionLook; readonly after: number };
    answer: SessionPage;
  };
  /** End one stream. Answers whether there was one. */
  kill: { ask: { readonly id: number }; answer: boolean };
  /** The last invalid messages. */
  errors: {
    ask: { readonly proxy: number; readonly direction: Direction | null };
    answer: { readonly events: number; readonly messages: readonly BadMessage[] };
  };
  /** A server was added, or removed: its place in the backend has another. */
  server: { ask: Omit<Extract<Placing, { type: 'server' }>, 'type'>; answer: null };
  /** A backend was added, or removed: likewise. */
  backend: { ask: Omit<Extract<Placing, { type: 'backend' }>, 'type'>; answer: null };
  /** A server, its place in the backend, has another name. */
  rename: { ask: { readonly proxy: number; readonly server: number; readonly name: string }; answer: null };
  /** What its time or memory goes to. */
  profile: { ask: { readonly kind: ProfileKind; readonly wish: ProfileWish }; answer: readonly ProfileRow[] };
  /** Objects that are kept to be used again. */
  pools: { ask: object; answer: readonly Pool[] };
}

export interface Pool {
  readonly name: string;
  /** Of one; 0 = it is an object of the language, whose size nobody tells. */
  readonly bytes: number;
  readonly allocated: number;
  readonly used: number;
}

export type Topic = keyof Topics;
export type Question<K extends Topic = Topic> = { [T in K]: { readonly type: T } & Topics[T]['ask'] }[K];
export type Answer<K extends Topic = Topic> = Topics[K]['answer'];

const ANSWERS: { readonly [K in Topic]: (context: Context, question: Question<K>) => Answer<K> } = {
  look: look,
  clear: (context, { all, server }) => clear(context, all, server),
  sessions: (context, { filter, look, after }) => listSessions(context, filter, look, after),
  kill: (context, { id }) => killStream(context, id),
  errors: (context, { proxy, direction }) => ({
    events: context.badEvents,
    messages: badMessages(context, proxy, direction),
  }),
  server: (context, { proxy, server }) => placeServer(context.backends[proxy]!, server),
  backend: (context, { proxy }) => placeBackend(context, proxy),
  rename: ({ model }, { proxy, server, name }) => {
    renameServer(model.proxies[proxy]!.servers[server]!, name);
    return null;
  },
  profile: ({ wheel, io }, { kind, wish }) => threadProfiler.profile(kind, wish, wheel, () => io.now()),
  pools,
};

export function answerTo<K extends Topic>(context: Context, question: Question<K>): Answer<K> {
  const answer = ANSWERS[question.type] as (context: Context, question: Question<K>) => Answer<K>;
  return answer(context, question);
}

/** Looks at everything that another thread may have changed: limits, queues, states, frontends, maps. */
export function look(context: Context): null {
  context.changes.catchUp();
  serveAllQueues(context.backends);
  retryAllListeners(context);
  return null;
}

// --- clear counters ---

const FIELDS = Object.entries(COUNTERS.at);
const RATES = FIELDS.filter(([name]) => name.endsWith('_rate')).map(([, at]) => at);
const MAXIMA = FIELDS.filter(([name]) => name.endsWith('_max')).map(([, at]) => at);
/** What is there now is no history. */
const HISTORY = FIELDS.filter(
  ([name]) => !name.startsWith('cur_') && !name.startsWith('queue_') && !name.endsWith('_rate'),
).map(([, at]) => at);

function clear(context: Context, all: boolean, server: number | null): null {
  const { memory, worker } = context;
  const { proxies, listeners, servers } = memory.shape;
  const kinds: readonly (readonly [RowKind, number])[] = [
    ['frontend', proxies],
    ['backend', proxies],
    ['listener', listeners],
    ['server', servers],
  ];
  if (server !== null) {
    clearRow(context, memory.row(worker, 'server', server), all);
    clearTimes(context, 'server', server, all);
    return null;
  }
  for (const [kind, n] of kinds) {
    for (let i = 0; i < n; i++) {
      clearRow(context, memory.row(worker, kind, i), all);
      clearTimes(context, kind, i, all);
    }
  }
  // The totals of the process are since its start.
  clearRow(context, context.row, false);
  return null;
}

function clearRow({ counters }: Context, row: number, all: boolean): void {
  for (const at of all ? HISTORY : MAXIMA) counters[row + at] = 0;
  for (const at of RATES) rateClearMax(counters, row + at);
}

/** The rolling windows hold maxima too: they begin anew; the histograms since the start only when everything does. */
function clearTimes({ memory, worker }: Context, kind: RowKind, index: number, all: boolean): void {
  const row = memory.timedRow(kind, index);
  if (row >= 0) memory.histograms.clear(memory.histograms.at(worker, row), all);
}

// --- add server, del server ---

/** Who had the place before has no connection any more. */
function placeServer(backend: Backend, server: ServerConfig): null {
  const { context, proxy } = backend;
  const before = backend.servers[server.index];
  before?.pool.clear();
  before?.tls?.free();
  place(context.model, { type: 'server', proxy: proxy.index, server });
  backend.servers[server.index] = new Server(
    backend,
    server,
    context.topology.firstServer[proxy.index]! + server.index,
  );
  return null;
}

// --- add backend, del backend ---

/** Who had the place before has no stream and no server any more. */
function placeBackend(context: Context, proxy: Proxy): null {
  const { backends, backendsByName, badMessages, memory, worker } = context;
  const { index } = proxy;
  place(context.model, { type: 'backend', proxy });
  const before = backends[index] ?? null;
  if (before !== null) backendsByName.delete(before.proxy.name);
  for (const [key, message] of badMessages) {
    if (message.backend === index || message.proxy === index) badMessages.delete(key);
  }
  context.dynamicCookies.begin(proxy);
  backends[index] = null;
  if (!isBackend(proxy)) return null;
  clearRow(context, memory.row(worker, 'backend', index), true);
  clearTimes(context, 'backend', index, true);
  addBackend(context, new Backend(context, proxy));
  return null;
}

// --- show pools ---

function pools(context: Context): readonly Pool[] {
  const { spareStreams, spareBuffers, sessions, model } = context;
  let streams = 0;
  for (const session of sessions) if (session.driver?.stream()) streams++;
  return [
    { name: 'session', bytes: 0, allocated: sessions.size, used: sessions.size },
    { name: 'stream', bytes: 0, allocated: spareStreams.length + streams, used: streams },
    { name: 'spare buffer', bytes: model.global.tune.bufsizeBytes, allocated: spareBuffers.length, used: 0 },
  ];
}
