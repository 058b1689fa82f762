/**
 * The master: opens what the configuration binds, creates the shared memory, keeps one thread per worker and one for
 * control, and then only watches.
 *
 *     start ──► all threads ready ──► serve ──► soft stop (SIGUSR1) ──► all drained ──► done
 *       └─ anything fails: done(1), nothing left open   └─ SIGTERM, SIGINT: done at once
 */
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { type Model, setServer } from '../engine/config/model.ts';
import { initialise } from '../engine/health/initialise.ts';
import { fdLimits } from '../engine/io/native.ts';
import { TLS_SESSIONS_MAX, WORKERS_MAX } from '../engine/limits.ts';
import { isActive } from '../engine/peers/index.ts';
import { type ChangeBuffers, createChanges, leave } from '../engine/shm/change-log.ts';
import { CUM_CONN } from '../engine/shm/counters.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { Memory, shapeOf, topology } from '../engine/shm/memory.ts';
import { reclaim } from '../engine/shm/reclaim.ts';
import { PROCESS, WORKER } from '../engine/shm/words.ts';
import type { Facts } from '../engine/stats/view.ts';
import { reclaimTables, type StickMemory } from '../engine/stick/tables.ts';
import { after, monotonicMs, wallMs } from '../engine/time.ts';
import { freeLedger, newLedger } from '../engine/tls/ledger.ts';
import { RELEASE_DATE, VERSION } from '../engine/version.ts';
import { type Care, Keeper } from './keeper.ts';
import { closeListeners, type Listeners, setListeners, shareListeners } from './listeners.ts';
import type { Heard, Order } from './messages.ts';
import { createPool, type Pool } from './pool.ts';
import { processors } from './processors.ts';
import type { Say } from './say.ts';

/** What the master takes over from the command line. */
export interface Plan {
  readonly model: Model;
  readonly listeners: Listeners;
  readonly workers: number;
  readonly stick: StickMemory;
  readonly memoryMb: number;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was said before the threads start, and how much of it were warnings about the configuration. */
  readonly startupLogs: string;
  readonly warnings: number;
  readonly io: string;
  /** Another process leaves when this one serves. */
  readonly succeeds: boolean;
}

/** What happens in the master's life that the process wants to know. */
export interface Life {
  /** Every thread could serve; called once, before any does. Privileges are dropped here. Throws to prevent the start. */
  ready(): void;
  /** Every worker was told to serve. */
  serving(): void;
  /** Nothing is left to do. */
  done(): void;
  /** A thread could not even start the first time. */
  failed(): void;
}

/** `nbthread`, or as many as there are processors. */
export function workerCount(model: Model): number {
  return Math.min(model.global.nbthread || processors(), WORKERS_MAX);
}

/** Name and keys of session tickets: all workers know the same (engine/tls/tickets.ts). */
const TICKET_KEY_BYTES = 80;

/** Descriptors left for what is neither a connection nor its server's side: files, epoll, logs, listeners. */
const SPARE_FDS = 100;

/** Native objects of a thread: a connection to a client and one to a server each, and what they are made from. */
function ledgerSize({ proxies, tls, global, peers, rings }: Model): number {
  const ends = [
    ...proxies.flatMap(({ binds, servers }) => [...binds, ...servers]),
    ...proxies.flatMap(({ servers }) => servers.map(server => ({ tls: server.checkTls }))),
    ...peers.flatMap(section => [...section.binds, ...section.peers]),
    ...rings.flatMap(({ servers }) => servers),
    ...global.statsSockets,
  ];
  if (!ends.some(end => end.tls !== null)) return 0;
  return 2 * global.maxconn + 2 * ends.length + 4 * tls.certificates.length + TLS_SESSIONS_MAX;
}

/** Without `maxconn`: two descriptors per connection out of those that the process may have. */
export function withMaxconn(model: Model): Model {
  if (model.global.maxconn > 0) return model;
  const maxconn = Math.max(SPARE_FDS, Math.floor((maxFd() - SPARE_FDS) / 2));
  return { ...model, global: { ...model.global, maxconn } };
}

function maxFd(): number {
  const limits = fdLimits();
  // A system without a limit would give more than a connection table could hold.
  return 'errno' in limits ? 1024 : Math.min(limits.soft, 2 ** 20);
}

function factsOf({ model, workers, io, warnings }: Plan): Facts {
  const sinceStartMs = process.uptime() * 1000;
  const { listeners } = shapeOf(model, workers);
  return {
    pid: process.pid,
    nbthread: workers,
    startWallMs: wallMs() - sinceStartMs,
    bootMs: Math.round(sinceStartMs),
    hostName: os.hostname(),
    version: VERSION,
    releaseDate: RELEASE_DATE,
    ioName: io,
    ulimitN: maxFd(),
    maxsock: 2 * model.global.maxconn + listeners + SPARE_FDS,
    warnings,
  };
}

export class Master {
  readonly #plan: Plan;
  readonly #life: Life;
  readonly #say: Say;
  /** What threads get: the model with the servers that the runtime API has added and deleted. */
  readonly #model: Model;
  readonly #memory: Memory;
  readonly #stick: StickMemory;
  /** The workers have their numbers in it, the control thread the next. */
  readonly #changes: ChangeBuffers;
  readonly #pool: Pool;
  readonly #facts: Facts;
  readonly #traffic: Keeper[] = [];
  readonly #control: Keeper;
  readonly #ready = new Set<Keeper>();
  /** What is done about each report. Questions of the runtime API go on to the worker, answers back to control. */
  readonly #reports: { readonly [K in Heard['type']]: (message: Extract<Heard, { type: K }>) => void } = {
    say: ({ severity, text }) => this.#say(severity, text),
    ask: ({ id, question, worker }) => {
      const passed = this.#traffic[worker]!.pass({ type: 'ask', id, question });
      if (!passed) this.#control.pass({ type: 'answer', id, answer: 'gone' });
    },
    answer: message => void this.#control.pass(message),
    name: message => {
      const { worker, question } = message;
      if (!this.#control.pass(message)) this.#traffic[worker]!.pass({ type: 'named', id: question.id, address: null });
    },
    named: ({ worker, id, address }) => void this.#traffic[worker]!.pass({ type: 'named', id, address }),
    handedOver: () => this.#handedOver(),
    server: ({ id, proxy, server }) => {
      setServer(this.#model.proxies[proxy]!, server);
      this.#control.pass({ type: 'answer', id, answer: null });
    },
    sockets: ({ id, proxy, state }) => {
      const { firstListener } = topology(this.#plan.model);
      setListeners(this.#plan.listeners, firstListener[proxy]!, firstListener[proxy + 1]!, state);
      this.#control.pass({ type: 'answer', id, answer: null });
    },
  };
  #state: 'starting' | 'serving' | 'stopping' | 'over' = 'starting';
  /** Threads that have something to end before the process does. */
  #draining = 0;
  #handingOver = false;

  constructor(plan: Plan, life: Life, say: Say) {
    const { model, workers } = plan;
    this.#plan = plan;
    this.#life = life;
    this.#say = say;
    const tls = { ...model.tls, ticketKey: new Uint8Array(randomBytes(TICKET_KEY_BYTES)) };
    this.#model = { ...model, tls, proxies: model.proxies.map(proxy => ({ ...proxy, servers: [...proxy.servers] })) };
    this.#memory = Memory.create(shapeOf(model, workers));
    this.#stick = plan.stick;
    this.#changes = createChanges(workers + 1);
    initialise(this.#memory, model, monotonicMs());
    this.#pool = createPool(workers + 1, plan.memoryMb);
    this.#facts = factsOf(plan);
    for (let worker = 0; worker < workers; worker++) this.#traffic.push(this.#workerKeeper(worker));
    this.#control = this.#controlKeeper();
  }

  /** What all threads share. */
  get memory(): Memory {
    return this.#memory;
  }

  start(): void {
    for (const keeper of this.#first()) keeper.start();
  }

  /**
   * The threads that must be ready before anyone serves: the workers. The control thread would only delay their loading
   * and comes after them; but where privileges are dropped before serving it must have loaded by then.
   */
  #first(): Keeper[] {
    const { user, group, uid, gid } = this.#plan.model.global;
    return (user ?? group ?? uid ?? gid) === null ? this.#traffic : this.#keepers();
  }

  /** Soft stop: accepts nothing more, ends when the last connection has (or after `hard-stop-after`). */
  stop(): void {
    if (this.#state !== 'serving') return;
    this.#state = 'stopping';
    Atomics.store(this.#memory.words, this.#memory.process + PROCESS.at.stopping, 1);
    closeListeners(this.#plan.listeners);
    this.#draining = this.#traffic.length;
    if (this.#model.peers.some(isActive) && this.#control.pass({ type: 'handOver' })) {
      this.#handingOver = true;
      this.#draining++;
    }
    for (const keeper of this.#traffic) keeper.tell({ type: 'stop', soft: true });
    const { hardStopAfterMs } = this.#plan.model.global;
    if (hardStopAfterMs === null) return;
    after(hardStopAfterMs, () => {
      this.#say('warning', 'soft-stop running for too long, performing a hard-stop.');
      this.#over();
    });
  }

  /** How many connections each proxy has had: `-1` never, for proxies without that side. */
  *cumulated(): Generator<{ name: string; frontend: number; backend: number }> {
    for (const { name, index } of this.#plan.model.proxies) {
      yield {
        name,
        frontend: this.#memory.sum('frontend', index, CUM_CONN),
        backend: this.#memory.sum('backend', index, CUM_CONN),
      };
    }
  }

  #keepers(): Keeper[] {
    return [...this.#traffic, this.#control];
  }

  #workerKeeper(worker: number): Keeper {
    const words = this.#memory.worker(worker);
    let natives = newLedger(0);
    const keeper: Keeper = new Keeper({
      ...this.#care(() => keeper, `Thread ${worker + 1} (traffic)`),
      share: () => shareListeners(this.#plan.listeners.traffic, worker),
      run: (port, listeners) => {
        Atomics.add(this.#memory.words, words + WORKER.at.incarnation, 1);
        Atomics.store(this.#memory.words, words + WORKER.at.alive, 1);
        natives = newLedger(ledgerSize(this.#model));
        return this.#pool.run('traffic', { ...this.#task(), worker, port, listeners, natives });
      },
      died: (error, againMs) => {
        Atomics.store(this.#memory.words, words + WORKER.at.alive, 0);
        reclaim(this.#memory, this.#plan.model, worker);
        freeLedger(natives);
        reclaimTables(this.#plan.model, this.#stick, worker);
        leave(this.#changes, worker);
        // What it held is free: those who wait for it must look.
        ringAll(this.#memory);
        this.#died(`Thread ${worker + 1} (traffic)`, error, againMs);
      },
      done: () => {
        Atomics.store(this.#memory.words, words + WORKER.at.alive, 0);
        leave(this.#changes, worker);
        this.#drained();
      },
    });
    return keeper;
  }

  #controlKeeper(): Keeper {
    let natives = newLedger(0);
    const keeper: Keeper = new Keeper({
      ...this.#care(() => keeper, 'Control thread'),
      share: () => shareListeners(this.#plan.listeners.control, 0),
      run: (port, listeners) => {
        const { environment, startupLogs, succeeds } = this.#plan;
        natives = newLedger(ledgerSize(this.#model));
        const own = { environment, startupLogs, succeeds: succeeds && !this.#ready.has(keeper) };
        return this.#pool.run('control', { ...this.#task(), ...own, port, listeners, natives });
      },
      died: (error, againMs) => {
        freeLedger(natives);
        reclaimTables(this.#plan.model, this.#stick, this.#traffic.length);
        leave(this.#changes, this.#plan.workers);
        this.#died('Control thread', error, againMs);
        this.#handedOver();
      },
      done: () => {},
    });
    return keeper;
  }

  #task() {
    const { io } = this.#plan;
    return {
      model: this.#model,
      io,
      memory: this.#memory.buffer,
      stick: this.#stick,
      changes: this.#changes,
      facts: this.#facts,
    };
  }

  #care(keeper: () => Keeper, who: string): Pick<Care, 'gone' | 'isGiven' | 'ready' | 'heard'> {
    return {
      gone: threadId => this.#pool.gone(threadId),
      isGiven: fd => this.#keepers().some(other => other !== keeper() && other.holds(fd)),
      ready: () => this.#threadReady(keeper(), who),
      heard: message => this.#heard(message),
    };
  }

  #heard(message: Heard): void {
    (this.#reports[message.type] as (m: typeof message) => void)(message);
  }

  #threadReady(keeper: Keeper, who: string): void {
    const again = this.#ready.has(keeper);
    this.#ready.add(keeper);
    if (this.#state === 'serving') {
      if (again) this.#say('notice', `${who} serves again.`);
      keeper.tell({ type: 'serve' });
    } else if (this.#state === 'starting' && this.#ready.size === this.#first().length) this.#serve();
  }

  #serve(): void {
    try {
      this.#life.ready();
    } catch (error) {
      this.#fail(String(error instanceof Error ? error.message : error));
      return;
    }
    this.#state = 'serving';
    const serve: Order = { type: 'serve' };
    for (const keeper of this.#ready) keeper.tell(serve);
    this.#life.serving();
    for (const keeper of this.#keepers()) if (!this.#ready.has(keeper)) keeper.start();
  }

  #died(who: string, error: Error, againMs: number): void {
    const stack = error.stack ?? error.message;
    if (this.#state === 'starting') this.#fail(`${who} cannot start: ${stack}`);
    else if (this.#state === 'serving') this.#say('alert', `${who} died, another starts in ${againMs} ms: ${stack}`);
    else if (this.#state === 'stopping') this.#say('alert', `${who} died while stopping: ${stack}`);
  }

  #fail(text: string): void {
    this.#state = 'over';
    this.#say('alert', text);
    this.#life.failed();
  }

  #handedOver(): void {
    if (!this.#handingOver) return;
    this.#handingOver = false;
    this.#drained();
  }

  #drained(): void {
    if (this.#state === 'stopping' && --this.#draining === 0) this.#over();
  }

  #over(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    this.#life.done();
  }
}
