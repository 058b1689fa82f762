/**
 * Evaluating where there is no traffic, and no worker: `set-var` of the global section and `set var` of the runtime API.
 * Only what looks at internal state is allowed there; what such an expression can ask for is in here.
 */
import { isBackend, isFrontend, type Model, placings } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { NO_EVENTS } from '../proxy/events.ts';
import type { Context } from '../proxy/nouns.ts';
import type { Session } from '../proxy/session.ts';
import { REQ_RATE, SESS_RATE } from '../shm/counters.ts';
import { PROCESS } from '../shm/words.ts';
import { monotonicMs } from '../time.ts';
import type { PatternBooks } from './book.ts';
import { type Env, Standpoint } from './context.ts';
import type { ProcVars } from './proc-vars.ts';

export interface Outside {
  readonly env: Env;
  readonly at: Standpoint;
}

/** What there is of shared memory where something is evaluated; nothing while the configuration is read. */
export type Inside = Pick<Context, 'memory' | 'topology' | 'tables'>;

/** What converters look at before there is a configuration. */
const NOTHING = {
  ...{ backends: [], frontends: [] },
  words: new Int32Array(PROCESS.size),
  at: 0,
  tables: { list: [], named: () => null },
};

/** `model`: what there is of one. */
export function outside(
  model: { readonly global: Pick<Model['global'], 'tune'>; readonly userlists: Model['userlists'] },
  books: PatternBooks,
  procVars: ProcVars,
  inside: (Inside & { readonly model: Model }) | null = null,
): Outside {
  const nothing = {
    model,
    books,
    procVars,
    ...(inside === null ? NOTHING : { ...inside, ...sharedOf(inside) }),
    events: NO_EVENTS,
    stopping: false,
    worker: 0,
    io: { now: monotonicMs },
  };
  if (inside !== null) Object.defineProperty(nothing, 'backends', { get: backendsOf(inside) });
  // No fetch of internal state looks at more of a worker than this.
  const worker = nothing as unknown as Context;
  const session = { context: worker, vars: null, tracked: [] } as unknown as Session;
  return { env: { worker, proxy: -1, books, acl: () => null }, at: new Standpoint().atSession(session) };
}

/** The proxies as far as fetches of internal state look at them: where their words and rates are. */
function sharedOf({ model, memory }: Inside & { readonly model: Model }) {
  const frontends = model.proxies.map(proxy =>
    isFrontend(proxy) ? { proxy, ...ratesOf(memory, 'frontend', proxy) } : null,
  );
  return { words: memory.words, counters: memory.counters, at: memory.process, frontends };
}

function ratesOf(memory: Context['memory'], kind: 'frontend' | 'backend', { index }: Proxy) {
  return {
    at: memory.proxy(index),
    sessRate: memory.rows(kind, index, SESS_RATE),
    reqRate: memory.rows(kind, index, REQ_RATE),
  };
}

/** Gives those that are there: the runtime API may have added some. */
function backendsOf({ model, memory, topology }: Inside & { readonly model: Model }) {
  const serverOf = (config: Server, number: number) => ({
    ...{ config, at: memory.server(number) },
    sessRate: memory.rows('server', number, SESS_RATE),
  });
  const backendOf = (proxy: Proxy) => {
    const first = topology.firstServer[proxy.index]!;
    if (!isBackend(proxy)) return null;
    return {
      ...{ proxy, ...ratesOf(memory, 'backend', proxy) },
      get servers() {
        return proxy.servers.map((server, i) => serverOf(server, first + i));
      },
    };
  };
  let seen = -1;
  let backends: readonly ReturnType<typeof backendOf>[] = [];
  return () => {
    if (seen !== placings()) backends = model.proxies.map(backendOf);
    seen = placings();
    return backends;
  };
}
