/**
 * Runs a configuration's data path in this thread, in the network of the test: real parser, real shared memory. Ports are the
 * network's, whatever the bind lines say: ask `port`.
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { lex } from '../../engine/config/lexer.ts';
import { loadModel } from '../../engine/config/load.ts';
import type { Model } from '../../engine/config/model.ts';
import { administer } from '../../engine/health/admin.ts';
import { initialise } from '../../engine/health/initialise.ts';
import { outputOf } from '../../engine/io/command.ts';
import type { Io } from '../../engine/io/contract.ts';
import { frontendSpec } from '../../engine/io/listen-spec.ts';
import { NO_EVENTS, type StreamEvents } from '../../engine/proxy/events.ts';
import type { Stream } from '../../engine/proxy/stream.ts';
import { startTraffic, type TrafficHandle } from '../../engine/proxy/worker.ts';
import { type ChangeBuffers, ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { COUNTERS, type CounterName } from '../../engine/shm/counters.ts';
import { Memory, type RowKind, shapeOf, topology } from '../../engine/shm/memory.ts';
import { PROCESS, PROXY, SERVER } from '../../engine/shm/words.ts';
import { createView, type View } from '../../engine/stats/view.ts';
import { createStickMemory, Tables } from '../../engine/stick/tables.ts';
import { network, settle } from './network.ts';

export interface Rig {
  readonly model: Model;
  readonly memory: Memory;
  readonly changes: ChangeBuffers;
  readonly view: View;
  readonly workers: readonly TrafficHandle[];
  /** The tables as the control thread sees them. */
  readonly tables: Tables;
  /** What each finished stream left, as its log line would tell. */
  readonly ends: StreamEnd[];
  /** Port of the n-th listener of a proxy. */
  port(proxy: string, n?: number): number;
  /** A counter summed over the workers, of `frontend/x`, `backend/x` or `server/x/s`. */
  counter(kind: RowKind, name: string, counter: CounterName): number;
  word(proxy: string, field: keyof typeof PROXY.at): number;
  serverWord(proxy: string, server: string, field: keyof typeof SERVER.at): number;
  processWord(field: keyof typeof PROCESS.at): number;
  /** Sets a server's state as an operator does. */
  setServer(proxy: string, server: string, action: 'ready' | 'drain' | 'maint'): void;
  stop(): Promise<void>;
}

export interface StreamEnd {
  readonly frontend: string;
  readonly backend: string;
  readonly server: string;
  readonly status: number;
  /** Termination state, two letters. */
  readonly state: string;
  /** What the persistence cookie was worth, and what became of it in the response. */
  readonly cookie: string;
  readonly retries: number;
  readonly redispatched: boolean;
  /** Streams on its server when it ended, itself not among them. */
  readonly onServer: number;
  /** Not to be logged. */
  readonly silent: boolean;
}

export function parseModel(text: string): Model {
  return parseWarned(text).model;
}

/** The same with what was warned about. */
export function parseWarned(text: string): { readonly model: Model; readonly warnings: readonly string[] } {
  const diagnostics = new Diagnostics();
  const lines = lex('test.cfg', text, {}, diagnostics);
  const model = loadModel(lines, diagnostics, {
    resolve: () => null,
    readFile: (path: string) => (existsSync(path) ? readFileSync(path) : null),
    readFolder: (path: string) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? readdirSync(path) : null),
    output: outputOf,
    env: {},
  } as never);
  const alerts = diagnostics.list.filter(d => d.severity === 'alert');
  if (model === null) throw new Error(alerts.map(d => d.message).join('\n'));
  return { model, warnings: diagnostics.list.filter(d => d.severity === 'warning').map(d => d.message) };
}

const FACTS = {
  pid: process.pid,
  nbthread: 1,
  startWallMs: 0,
  bootMs: 0,
  hostName: 'rig',
  version: 'test',
  releaseDate: '2026/01/01',
  ioName: 'net',
  ulimitN: 0,
  maxsock: 0,
  warnings: 0,
};

export interface RigOptions {
  readonly workers?: number;
  readonly io?: () => Io;
  /** Who else hears of the streams. */
  readonly events?: (model: Model, memory: Memory, io: Io) => StreamEvents;
}

export async function startRig(config: string, options: RigOptions = {}): Promise<Rig> {
  const place = network();
  const count = options.workers ?? 1;
  // As a thread gets it.
  const model = structuredClone(parseModel(config));
  const memory = Memory.create(shapeOf(model, count));
  const stick = createStickMemory(model, count);
  const top = topology(model);
  const view = createView({ model, memory, topology: top, facts: FACTS });
  const ends: StreamEnd[] = [];
  const ios = Array.from({ length: count }, () => options.io?.() ?? place.io());
  const events = options.events?.(model, memory, ios[0]!) ?? NO_EVENTS;
  const changes = createChanges(count + 1);
  const fds = new Map<number, { fd: number; port: number }>();
  model.proxies.forEach(proxy => {
    proxy.binds.forEach((bind, i) => {
      fds.set(top.firstListener[proxy.index]! + i, place.bind(frontendSpec(bind, proxy, model.global)));
    });
  });
  const workers: TrafficHandle[] = [];
  const idle: Promise<void>[] = [];
  let started = false;
  for (let worker = 0; worker < count; worker++) {
    const io = ios[worker]!;
    if (!started) initialise(memory, model, io.now());
    started = true;
    let done = () => {};
    idle.push(new Promise(resolve => (done = resolve)));
    const state = { model, memory, topology: top, log: () => {}, now: () => io.now() };
    const traffic = startTraffic({
      io,
      model,
      memory,
      tables: new Tables(model, stick, worker),
      view,
      admin: (proxy, action, servers) => administer(state, proxy, action, servers),
      changes: new ChangeLog(changes, worker),
      worker,
      log: () => {},
      onIdle: done,
      events: {
        trafficStarts: context => events.trafficStarts(context),
        streamBegan: stream => events.streamBegan(stream),
        streamConnected: stream => events.streamConnected(stream),
        streamAnswered: stream => events.streamAnswered(stream),
        streamEnded: stream => {
          ends.push(endOf(stream));
          events.streamEnded(stream);
        },
        sessionFailed: (session, why) => events.sessionFailed(session, why),
        logNow: (at, step, profile) => events.logNow(at, step, profile),
        debugged: (sink, text) => events.debugged(sink, text),
      },
    });
    for (const [number, { fd }] of fds) traffic.listen(number, place.dup(fd));
    workers.push(traffic);
  }
  for (const { fd } of fds.values()) place.close(fd);
  const proxyOf = (name: string) => model.proxies.find(p => p.name === name)!;
  return {
    model,
    memory,
    changes,
    view,
    workers,
    tables: new Tables(model, stick, count),
    ends,
    port: (proxy, n = 0) => fds.get(top.firstListener[proxyOf(proxy).index]! + n)!.port,
    counter: (kind, name, counter) => {
      const [proxy, server] = name.split('/');
      const p = proxyOf(proxy!);
      const index =
        kind === 'server' ? top.firstServer[p.index]! + p.servers.find(s => s.name === server)!.index : p.index;
      return memory.sum(kind, index, COUNTERS.at[counter]);
    },
    word: (proxy, field) => memory.words[memory.proxy(proxyOf(proxy).index) + PROXY.at[field]]!,
    serverWord: (proxy, server, field) => {
      const p = proxyOf(proxy);
      const number = top.firstServer[p.index]! + p.servers.find(s => s.name === server)!.index;
      return memory.words[memory.server(number) + SERVER.at[field]]!;
    },
    setServer: (proxy, server, action) => {
      const p = proxyOf(proxy);
      const state = { model, memory, topology: top, log: () => {}, now: () => ios[0]!.now() };
      administer(
        state,
        p,
        action,
        p.servers.filter(s => s.name === server),
      );
    },
    processWord: field => memory.words[memory.process + PROCESS.at[field]]!,
    stop: async () => {
      for (const worker of workers) worker.stop(false);
      await settle(Promise.all(idle));
      await settle(Promise.all(ios.map(io => io.stop())));
    },
  };
}

function endOf(stream: Stream): StreamEnd {
  return {
    frontend: stream.frontend.proxy.name,
    backend: stream.backend?.proxy.name ?? '',
    server: stream.server?.config.name ?? '',
    status: stream.status,
    state: stream.cause + stream.phase,
    cookie: `${stream.cookie} ${stream.cookieSet}`,
    retries: stream.attempts,
    redispatched: stream.redispatched,
    onServer: stream.server === null ? 0 : stream.context.words[stream.server.at + SERVER.at.served]!,
    silent: stream.silent,
  };
}
