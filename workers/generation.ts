/**
 * A generation: one configuration as it runs, with a shared memory of its own, a thread for each worker and one for control.
 *
 *   start ──► ready ──► serve ──► rest (control: no state changes any more) ──► drain ──► ended
 *     └─ a thread dies: failed                └─ resume: the next generation could not start
 *
 * The master makes one at the start and one at each reload; those before it drain beside it.
 */
import { frontendNews } from '../engine/cli/frontend-news.ts';
import type { Start } from '../engine/cli/session.ts';
import { isThere, type Model, place } from '../engine/config/model.ts';
import type { Proxy } from '../engine/config/proxy-model.ts';
import { withSparePlaces } from '../engine/config/spare-places.ts';
import { initialise } from '../engine/health/initialise.ts';
import { LOG_WARNING } from '../engine/health/log.ts';
import type { Confinement } from '../engine/io/confine.ts';
import { ASK_TIMEOUT_MS } from '../engine/limits.ts';
import { closeLogs } from '../engine/log/index.ts';
import { isActive } from '../engine/peers/index.ts';
import { type Changing, inheritChanges } from '../engine/sample/inherit-changes.ts';
import { type ChangeBuffers, createChanges, leave } from '../engine/shm/change-log.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { Memory, shapeOf } from '../engine/shm/memory.ts';
import { attachPast, type PastData } from '../engine/shm/past.ts';
import { reclaim } from '../engine/shm/reclaim.ts';
import { reclaimPorts } from '../engine/shm/source-ports.ts';
import { FE_OPEN, FE_PAUSED, FE_STOPPED, PROCESS, WORKER } from '../engine/shm/words.ts';
import type { Facts } from '../engine/stats/view.ts';
import { reclaimTables, type StickMemory } from '../engine/stick/tables.ts';
import { after, monotonicMs } from '../engine/time.ts';
import { freeLedger, newLedger } from '../engine/tls/ledger.ts';
import { type Answering, ControlLines } from './control-lines.ts';
import { FrontendSockets } from './frontend-sockets.ts';
import { type Care, Keeper } from './keeper.ts';
import { exposed, type Listeners, shareListeners } from './listeners.ts';
import type { Heard, Order } from './messages.ts';
import type { Pool } from './pool.ts';
import { capabilitiesOf, confinementOf } from './privileges.ts';
import type { Say } from './say.ts';
import { ledgerFor, withResumption } from './tls.ts';

/** What a generation is made of. */
export interface Plan {
  /** As the files say. */
  readonly model: Model;
  readonly listeners: Listeners;
  readonly workers: number;
  /** The stick tables. */
  readonly stick: StickMemory;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was said before the threads start, and how much of it were warnings about the configuration. */
  readonly startupLogs: string;
  readonly warnings: number;
  readonly io: string;
  /** Another process leaves when this one serves. */
  readonly succeeds: boolean;
}

/** What the master does about a generation. */
interface GenerationCare {
  /** Threads; `own`: that no other generation has. */
  pool(own: boolean): Pool;
  readonly say: Say;
  /** All threads that must be there before anyone serves could serve. */
  ready(): void;
  /** A thread could not start. */
  failed(why: string): void;
  /** After `drain`: all threads have ended. */
  ended(): void;
  /** Counters of earlier generations are to be cleared. */
  forget(all: boolean, server: number | null): void;
  /** As Care.isGiven, of all generations. */
  isGiven(fd: number, share: number): boolean;
}

/** Beyond the greatest number that Linux gives to a process (2^22). */
const PID_BASE = 10_000_000;
let made = 0;

type State = 'starting' | 'serving' | 'draining' | 'ended';

export class Generation {
  readonly plan: Plan;
  readonly facts: Facts;
  /** What threads get: the plan's model with the servers and backends that the runtime API has added, deleted and renamed. */
  readonly model: Model;
  readonly memory: Memory;
  readonly startedMs = monotonicMs();
  /** Reloads that it has survived. */
  reloads = 0;
  /** What the master's socket calls it by, where HAProxy has the number of a process: no process has such a one. */
  readonly pid = PID_BASE + ++made;
  /** What earlier generations have counted: what threads that start from now on are given. */
  past: readonly PastData[] = [];
  readonly #care: GenerationCare;
  readonly #confinement: Confinement | null;
  readonly #own: boolean;
  /** The workers have their numbers in it, the control thread the next, the master the last. */
  readonly #changes: ChangeBuffers;
  readonly #pool: Pool;
  readonly #traffic: Keeper[] = [];
  #control: Keeper;
  /** Keepers whose thread runs or will. */
  readonly #alive = new Set<Keeper>();
  readonly #ready = new Set<Keeper>();
  readonly #sockets: FrontendSockets;
  readonly #lines = new ControlLines({
    pass: message => this.#control.pass(message),
    comes: () => this.#state === 'starting' || this.#alive.has(this.#control),
  });
  #state: State = 'starting';
  /** `hard-stop-after`, from the soft stop on. */
  #hardStop: { cancel(): void } | null = null;
  #resting: { readonly rested: () => void; readonly limit: { cancel(): void } } | null = null;
  /** What is open ends at once. */
  #hard = false;
  /** Control tells its successor what the stick tables hold. */
  #handingOver = false;
  /** What is done about each report. Questions of the runtime API go on to the worker, answers back to control. */
  readonly #reports: { readonly [K in Heard['type']]: (message: Extract<Heard, { type: K }>, from: Keeper) => void } = {
    say: ({ severity, text }) => this.#care.say(severity, text),
    resting: () => this.#rested(),
    handedOver: () => this.#handedOver(),
    said: ({ id, bytes }, from) => this.#lines.said(id, bytes, from),
    forget: ({ all, server }) => this.#care.forget(all, server),
    ask: ({ id, question, worker }, from) => {
      const passed = this.#traffic[worker]!.pass({ type: 'ask', id, question });
      if (!passed) from.pass({ type: 'answer', id, answer: 'gone' });
    },
    answer: message => {
      for (const keeper of this.#alive) if (!this.#traffic.includes(keeper)) keeper.pass(message);
    },
    name: (message, from) => {
      const named = { type: 'named', id: message.question.id, address: null } as const;
      if (!this.#control.pass(message)) from.pass(named);
    },
    named: ({ worker, id, address }) => void this.#traffic[worker]!.pass({ type: 'named', id, address }),
    place: ({ id, placing }, from) => {
      place(this.model, placing);
      from.pass({ type: 'answer', id, answer: null });
    },
    exit: ({ code }) => process.exit(code),
    expose: ({ id }, from) => void from.pass({ type: 'answer', id, answer: exposed(this.plan.listeners) }),
    sockets: ({ id, proxy, state }, from) => {
      this.#sockets.set(proxy, state);
      from.pass({ type: 'answer', id, answer: null });
    },
  };

  /** `model`: the plan's, with what the runtime API has made of the servers before. */
  constructor(plan: Plan, model: Model, facts: Facts, care: GenerationCare) {
    const { workers } = plan;
    this.plan = plan;
    this.facts = facts;
    this.#care = care;
    this.#confinement = confinementOf(model.global);
    // A thread that is confined, or bound to processors, cannot become another: it ends with its generation.
    this.#own = this.#confinement !== null || model.global.cpuMap.length > 0;
    this.#pool = care.pool(this.#own);
    const proxies = withSparePlaces(model).proxies.map(proxy => ({ ...proxy, servers: [...proxy.servers] }));
    this.model = { ...withResumption(model), proxies };
    this.memory = Memory.create(shapeOf(this.model, workers));
    this.#sockets = new FrontendSockets(this.model, this.memory, plan.listeners);
    this.#changes = createChanges(workers + 2);
    initialise(this.memory, this.model, monotonicMs());
    for (let worker = 0; worker < workers; worker++) this.#traffic.push(this.#workerKeeper(worker));
    this.#control = this.#controlKeeper();
  }

  get draining(): boolean {
    return this.#state === 'draining';
  }

  start(): void {
    for (const keeper of this.#first()) this.#start(keeper);
  }

  /**
   * The threads that must be ready before anyone serves: the workers. The control thread would only delay their loading
   * and comes after them; but where all threads together drop privileges before anyone serves it must have loaded by then.
   */
  #first(): Keeper[] {
    const { user, group, uid, gid, chroot } = this.plan.model.global;
    const together = this.#confinement === null && (user ?? group ?? uid ?? gid ?? chroot) !== null;
    return together ? [...this.#traffic, this.#control] : this.#traffic;
  }

  openFrontends(): void {
    this.#sockets.open();
  }

  /** Lets all frontends rest: connections are refused, or go to another process that listens. */
  pause(): void {
    for (const proxy of this.#sockets.turn(FE_OPEN, FE_PAUSED)) this.#tellState(proxy, FE_PAUSED);
  }

  unpause(): void {
    for (const proxy of this.#sockets.turn(FE_PAUSED, FE_OPEN)) this.#tellState(proxy, FE_OPEN);
  }

  /** Tells that every proxy stops, and what it has had until then. */
  tellStopped(): void {
    this.memory.past = attachPast(this.past);
    for (const proxy of this.model.proxies.filter(isThere)) this.#tellState(proxy, FE_STOPPED);
  }

  #tellState(proxy: Proxy, state: number): void {
    this.tell(LOG_WARNING, proxy.index, frontendNews(this.memory, proxy, state));
  }

  /** A line for the terminal and the logs of a proxy. */
  tell(level: number, proxy: number, text: string): void {
    this.#care.say('warning', text);
    this.log(level, proxy, text);
  }

  /** A line for the logs of a proxy. */
  log(level: number, proxy: number, text: string): void {
    this.#control.pass({ type: 'log', level, proxy, text });
  }

  /** Takes over what was changed of maps, ACLs and variables. Gives what is not in force any more, for the operator. */
  inheritChanges(from: Generation): string[] {
    return inheritChanges(this.#changing, from.#changing);
  }

  get #changing(): Changing {
    const { patternRefs, proxies, global } = this.model;
    return { patternRefs, proxies, procVars: global.procVars, buffers: this.#changes, follower: this.plan.workers + 1 };
  }

  /** Everyone accepts from now on. */
  serve(): void {
    this.#state = 'serving';
    this.setPast(this.past);
    const serve: Order = { type: 'serve' };
    for (const keeper of this.#ready) keeper.tell(serve);
    if (!this.#alive.has(this.#control)) this.#start(this.#control);
  }

  /** Readers of statistics take what earlier generations have counted to be this from now on. */
  setPast(past: readonly PastData[]): void {
    this.past = past;
    for (const keeper of this.#alive) keeper.pass({ type: 'past', past });
  }

  /** Stops checks and the runtime API; `rested` is called when no state changes any more, or when that takes too long. */
  rest(rested: () => void): void {
    this.#resting = { rested, limit: after(ASK_TIMEOUT_MS, () => this.#rested()) };
    this.#control.tell({ type: 'rest' });
    if (!this.#alive.has(this.#control)) this.#rested();
  }

  #rested(): void {
    const resting = this.#resting;
    this.#resting = null;
    resting?.limit.cancel();
    resting?.rested();
  }

  /** Goes on after `rest`. */
  resume(): void {
    this.#control.tell({ type: 'stop', soft: true });
    this.#control = this.#controlKeeper();
    this.#start(this.#control);
  }

  /** Has control carry out a line of commands; `said` hears the answer, and null at its end. `open`: more input may come. */
  cli(line: string, start: Start, said: (bytes: Uint8Array | null) => void, open = false): Answering {
    return this.#lines.carryOut(line, start, said, open);
  }

  /**
   * Accepts nothing more. `soft`: ends when the last connection has, and who takes over knows what the stick tables hold; else
   * at once.
   */
  drain(soft: boolean): void {
    if (this.#state === 'ended') return;
    const begins = this.#state !== 'draining';
    this.#state = 'draining';
    this.#hard ||= !soft;
    this.announceStop();
    this.#handingOver =
      soft &&
      (this.#handingOver || (begins && this.model.peers.some(isActive) && this.#control.pass({ type: 'handOver' })));
    for (const keeper of this.#traffic) if (this.#alive.has(keeper)) keeper.tell({ type: 'stop', soft });
    this.#look();
  }

  /** `hard-stop-after`: `passed` is called if it has not ended within `ms`. */
  limit(ms: number, passed: () => void): void {
    if (this.#state === 'draining') this.#hardStop ??= after(ms, passed);
  }

  /** Rules, checks and statistics see that the process is stopping (`grace`). */
  announceStop(): void {
    Atomics.store(this.memory.words, this.memory.process + PROCESS.at.stopping, 1);
    ringAll(this.memory);
  }

  /** Whether one of its threads was given this descriptor after the share of that number. */
  holds(fd: number, share: number): boolean {
    for (const keeper of this.#alive) if (keeper.holds(fd, share)) return true;
    return false;
  }

  #start(keeper: Keeper): void {
    this.#alive.add(keeper);
    keeper.start();
  }

  #workerKeeper(worker: number): Keeper {
    const words = this.memory.worker(worker);
    let natives = newLedger(0);
    const who = `Thread ${worker + 1} (traffic)`;
    const keeper: Keeper = new Keeper({
      ...this.#careOf(() => keeper, who),
      share: () => shareListeners(this.plan.listeners.traffic, worker),
      run: (port, listeners) => {
        Atomics.add(this.memory.words, words + WORKER.at.incarnation, 1);
        Atomics.store(this.memory.words, words + WORKER.at.alive, 1);
        natives = ledgerFor(this.model);
        return this.#pool.run('traffic', { ...this.#task(), worker, port, listeners, natives });
      },
      died: (error, againMs) => {
        Atomics.store(this.memory.words, words + WORKER.at.alive, 0);
        reclaim(this.memory, this.model, worker);
        freeLedger(natives);
        reclaimTables(this.plan.model, this.plan.stick, worker);
        leave(this.#changes, worker);
        // What it held is free: those who wait for it must look.
        ringAll(this.memory);
        this.#died(who, error, againMs);
      },
      done: () => {
        Atomics.store(this.memory.words, words + WORKER.at.alive, 0);
        leave(this.#changes, worker);
        this.#done(keeper);
      },
    });
    return keeper;
  }

  #controlKeeper(): Keeper {
    const who = 'Control thread';
    let natives = newLedger(0);
    const keeper: Keeper = new Keeper({
      ...this.#careOf(() => keeper, who),
      share: () => shareListeners(this.plan.listeners.control, 0),
      run: (port, listeners) => {
        const { environment, startupLogs, succeeds } = this.plan;
        const own = { environment, startupLogs, succeeds: succeeds && !this.#ready.has(keeper) };
        natives = ledgerFor(this.model);
        this.#lines.starts(keeper);
        return this.#pool.run('control', { ...this.#task(), ...own, port, listeners, natives });
      },
      died: (error, againMs) => {
        this.#lines.silence();
        freeLedger(natives);
        reclaimPorts(this.memory, this.model, this.#traffic.length);
        reclaimTables(this.plan.model, this.plan.stick, this.#traffic.length);
        leave(this.#changes, this.#traffic.length);
        this.#died(who, error, againMs);
        this.#handedOver();
      },
      done: () => {
        this.#done(keeper);
        if (keeper !== this.#control) return;
        this.#lines.silence();
        this.#rested();
      },
    });
    return keeper;
  }

  #task() {
    return {
      model: this.model,
      io: this.plan.io,
      confinement: this.#confinement,
      capabilities: capabilitiesOf(this.model.global),
      memory: this.memory.buffer,
      stick: this.plan.stick,
      changes: this.#changes,
      past: this.past,
      facts: this.facts,
    };
  }

  #careOf(keeper: () => Keeper, who: string): Pick<Care, 'gone' | 'isGiven' | 'ready' | 'heard'> {
    return {
      gone: threadId => this.#pool.gone(threadId),
      isGiven: (fd, share) => this.#care.isGiven(fd, share),
      ready: () => this.#threadReady(keeper(), who),
      heard: message => {
        (this.#reports[message.type] as (m: typeof message, from: Keeper) => void)(message, keeper());
      },
    };
  }

  #threadReady(keeper: Keeper, who: string): void {
    const again = this.#ready.has(keeper);
    this.#ready.add(keeper);
    if (this.#state === 'serving') {
      if (again) this.#care.say('notice', `${who} serves again.`);
      keeper.tell({ type: 'serve' });
    } else if (this.#state === 'starting' && this.#first().every(first => this.#ready.has(first))) this.#care.ready();
  }

  #died(who: string, error: Error, againMs: number): void {
    const stack = error.stack ?? error.message;
    if (this.#state === 'starting') this.#care.failed(`${who} cannot start: ${stack}`);
    else if (this.#state === 'serving')
      this.#care.say('alert', `${who} died, another starts in ${againMs} ms: ${stack}`);
    else if (this.#state === 'draining') this.#care.say('alert', `${who} died while stopping: ${stack}`);
  }

  #done(keeper: Keeper): void {
    this.#alive.delete(keeper);
    this.#look();
  }

  #handedOver(): void {
    this.#handingOver = false;
    this.#look();
  }

  #look(): void {
    if (this.#state !== 'draining' || this.#handingOver || this.#traffic.some(keeper => this.#alive.has(keeper)))
      return;
    // Until then the runtime API knows of those that leave.
    for (const keeper of [...this.#alive]) keeper.tell({ type: 'stop', soft: !this.#hard });
    if (this.#alive.size > 0) return;
    this.#state = 'ended';
    this.#hardStop?.cancel();
    closeLogs(this.memory);
    if (this.#own) this.#pool.end();
    this.#care.ended();
  }
}
