/** The data path of one worker, as its thread starts and stops it. What to read next is a table in ARCHITECTURE.md. */
import { DynamicCookies } from '../balance/dynamic-cookies.ts';
import type { Severity } from '../config/diagnostics.ts';
import type { Model } from '../config/model.ts';
import { NameCases } from '../http/name-case.ts';
import type { Address, Io } from '../io/contract.ts';
import { BUFSIZE_BYTES } from '../limits.ts';
import { PatternBooks } from '../sample/book.ts';
import { ProcVars } from '../sample/proc-vars.ts';
import type { ChangeLog } from '../shm/change-log.ts';
import { BYTES_OUT_RATE, CONN_RATE, SESS_RATE, TLS_KEY_RATE, TLS_RATE, TLS_SERVER_KEY_RATE } from '../shm/counters.ts';
import { listenDoorbell } from '../shm/doorbell.ts';
import { type Memory, topology } from '../shm/memory.ts';
import { WORKER } from '../shm/words.ts';
import type { Admin } from '../stats/reply.ts';
import type { View } from '../stats/view.ts';
import type { Tables } from '../stick/tables.ts';
import { TimerWheel } from '../time.ts';
import { TlsChanges } from '../tls/changes.ts';
import { TlsStore } from '../tls/store.ts';
import { Encoders } from './encoders.ts';
import type { StreamEvents } from './events.ts';
import { listen } from './listener.ts';
import { Marks } from './marked.ts';
import { NameAsks, type NameQuestion } from './name-asks.ts';
import { buildNouns, type Context } from './nouns.ts';
import { type Answer, answerTo, look, type Question } from './questions.ts';
import { Sessions } from './sessions.ts';
import { SoftStop } from './soft-stop.ts';

interface TrafficEnv {
  readonly io: Io;
  readonly model: Model;
  readonly memory: Memory;
  readonly tables: Tables;
  /** What the statistics page reads. */
  readonly view: View;
  /** What its form does (engine/health/admin.ts). */
  readonly admin: Admin;
  /** Changes of maps, ACLs and variables that this worker makes and follows. */
  readonly changes: ChangeLog;
  /** Number of this worker, 0-based. */
  readonly worker: number;
  readonly log: (level: Severity, text: string) => void;
  /** Asks the control thread for a name; the answer comes to `named`. */
  readonly askName?: (question: NameQuestion) => void;
  /** Called once, after `stop`, when nothing is left. */
  readonly onIdle: () => void;
  /** Who hears of streams (logs). */
  readonly events: StreamEvents;
}

export interface TrafficHandle {
  /** Serves a listening descriptor, which the io owns from now on. `listenerNumber` as in `Topology`. */
  listen(listenerNumber: number, fd: number): void;
  /** Answers the runtime API. */
  ask(question: Question): Answer;
  /** The control thread has found the address of a name, or that there is none. */
  named(id: number, address: Address | null): void;
  /** Accepts nothing more. `soft`: finishes what is there. */
  stop(soft: boolean): void;
}

/** More than one thread will ever ask. */
const QUESTIONS_MAX = 2 ** 32;

export function startTraffic(env: TrafficEnv): TrafficHandle {
  const { io, memory, model, worker } = env;
  const wheel = new TimerWheel(io.now());
  const incarnation = Atomics.load(memory.words, memory.worker(worker) + WORKER.at.incarnation);
  const context: Context = {
    io,
    wheel,
    names: new NameAsks(model, wheel, incarnation * QUESTIONS_MAX, env.askName ?? null),
    model,
    memory,
    tables: env.tables,
    view: env.view,
    admin: env.admin,
    topology: topology(model),
    words: memory.words,
    counters: memory.counters,
    worker,
    row: memory.row(worker, 'process', 0),
    at: memory.process,
    connRate: memory.rows('process', 0, CONN_RATE),
    sessRate: memory.rows('process', 0, SESS_RATE),
    outRate: memory.rows('process', 0, BYTES_OUT_RATE),
    tlsRate: memory.rows('process', 0, TLS_RATE),
    tlsKeyRate: memory.rows('process', 0, TLS_KEY_RATE),
    tlsServerKeyRate: memory.rows('process', 0, TLS_SERVER_KEY_RATE),
    tls: new TlsStore(model.tls),
    frontends: [],
    backends: [],
    backendsByName: new Map(),
    log: env.log,
    events: env.events,
    stopping: null,
    lingering: 0,
    sessions: new Sessions(),
    begunSessions: 0,
    begunStreams: 0,
    badMessages: new Map(),
    badEvents: 0,
    dumps: 0,
    spareStreams: [],
    spareBuffers: [],
    spareTracked: [],
    books: new PatternBooks(model.patternRefs, env.changes),
    procVars: new ProcVars(model.global.procVars, env.changes),
    dynamicCookies: new DynamicCookies(model.proxies, env.changes),
    changes: env.changes,
    nameCases: new NameCases(model.global.nameCases),
    encoders: new Encoders(model, memory, worker),
    scratch: new Uint8Array(2 * Math.max(model.global.tune.bufsizeBytes, BUFSIZE_BYTES)),
  };
  env.view.dynamicCookies = context.dynamicCookies;
  new TlsChanges(context.tls, env.changes);
  buildNouns(context);
  env.changes.catchUp();
  env.events.trafficStarts(context);
  io.onTurn(now => {
    context.encoders.flush();
    return context.wheel.advance(now);
  });
  const marks = new Marks(context);
  const doorbell = listenDoorbell(memory, worker, () => {
    marks.look();
    io.wake();
    look(context);
  });
  return {
    listen: (listenerNumber, fd) => listen(context, listenerOf(context, listenerNumber), fd),
    ask: question => {
      io.wake();
      return answerTo(context, question);
    },
    named: (id, address) => {
      io.wake();
      context.names.answered(id, address);
    },
    stop: soft => {
      io.wake();
      context.stopping ??= new SoftStop(context, () => {
        doorbell.stop();
        context.encoders.close();
        env.onIdle();
      });
      context.stopping.begin(soft);
    },
  };
}

function listenerOf(context: Context, number: number) {
  for (const frontend of context.frontends) {
    const listener = frontend?.listeners.find(l => l.number === number);
    if (listener !== undefined) return listener;
  }
  throw new Error(`proxy: there is no listener ${number}`);
}
