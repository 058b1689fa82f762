/**
 * The master: runs one generation of the configuration after the other, and the old ones beside the new one until they have
 * drained. From then on it only watches.
 *
 *   reload:  new plan ──► old control rests ──► new threads load ──► states go over ──► new serves, old drains
 *                                                  └─ cannot start: it is dropped, the old one goes on
 */
import { changeLines, diff } from '../engine/config/diff.ts';
import { match } from '../engine/config/match.ts';
import type { Model } from '../engine/config/model.ts';
import { withRuntimeServers } from '../engine/config/runtime-servers.ts';
import { inherit } from '../engine/health/inherit.ts';
import type { StateEnv } from '../engine/health/target.ts';
import { GENERATIONS_MAX } from '../engine/limits.ts';
import { type Memory, topology } from '../engine/shm/memory.ts';
import { readStatsFile } from '../engine/stats/stats-file.ts';
import { after, monotonicMs } from '../engine/time.ts';
import { readFile } from './configuration.ts';
import { factsOf } from './facts.ts';
import { collectSoon, returnMemoryLater } from './garbage.ts';
import { Generation, type Plan } from './generation.ts';
import { History } from './history.ts';
import { closeListeners, closeUnused, openListeners } from './listeners.ts';
import { createPool, type Pool } from './pool.ts';
import type { Say } from './say.ts';

/** How long a hard stop may take. Milliseconds. */
const HARD_STOP_MS = 1_000;

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

/** A plan before its sockets are open. */
type NextPlan = Omit<Plan, 'listeners'>;

export class Master {
  readonly #memoryMb: number;
  /** Of all generations that need none of their own. */
  readonly #pool: Pool;
  readonly #life: Life;
  readonly #say: Say;
  readonly #history = new History();
  /** All that have not ended, the oldest first. */
  readonly #generations = new Set<Generation>();
  #current: Generation;
  #reloads = 0;
  #failedReloads = 0;
  #over = false;
  #stopping = false;

  /** `memoryMb`: for all threads of a generation together; 0 = what the machine has. */
  constructor(plan: Plan, memoryMb: number, life: Life, say: Say) {
    this.#memoryMb = memoryMb;
    this.#life = life;
    this.#say = say;
    this.#pool = this.#newPool(plan);
    this.#current = this.#generation(
      plan,
      plan.model,
      () => this.#begin(),
      why => this.#fail(why),
    );
  }

  /** What all threads of the generation that serves share. */
  get memory(): Memory {
    return this.#current.memory;
  }

  get current(): Generation {
    return this.#current;
  }

  /** Those that still drain, the newest first. */
  get draining(): readonly Generation[] {
    return [...this.#generations].filter(({ draining }) => draining).reverse();
  }

  get reloads(): { readonly done: number; readonly failed: number } {
    return { done: this.#reloads, failed: this.#failedReloads };
  }

  start(): void {
    this.#loadStatsFile();
    this.#current.start();
  }

  /** `stats-file`: what an earlier process has counted. A reload has it without a file. */
  #loadStatsFile(): void {
    const { memory, model } = this.#current;
    const { statsFile } = model.global;
    if (statsFile === null) return;
    const say = (what: string) => this.#say('warning', `config : stats-file '${statsFile}': ${what}.`);
    const bytes = readFile(statsFile);
    if (bytes === null) {
      say('cannot open it');
      return;
    }
    const { past, problems } = readStatsFile(Buffer.from(bytes).toString(), model, memory);
    for (const problem of problems) say(problem);
    this.#history.begin(this.#current, past);
  }

  /**
   * Puts another configuration in the place of this one; not to be called while it does. `next` reads it, null = it is wrong, which was said. Resolves to
   * whether it serves; else the old one goes on. `hard`: what the old one serves ends at once.
   */
  async reload(next: () => NextPlan | null, hard = false): Promise<boolean> {
    const done = !this.#stopping && (await this.#replace(next(), hard));
    this.#reloads++;
    this.#failedReloads = done ? 0 : this.#failedReloads + 1;
    return done;
  }

  async #replace(next: NextPlan | null, hard: boolean): Promise<boolean> {
    if (next === null) return false;
    const old = this.#current;
    await new Promise<void>(resolve => old.rest(resolve));
    const listeners = openListeners(next.model, next.workers, this.#say, old.plan.listeners);
    const heir = listeners === null ? null : await this.#startHeir(old, { ...next, listeners });
    if (heir === null || this.#stopping) {
      if (listeners !== null) closeUnused(listeners, old.plan.listeners);
      heir?.drain(false);
      old.resume();
      return false;
    }
    this.#succeed(old, heir);
    if (hard) old.drain(false);
    return true;
  }

  /** Starts the threads of a generation that takes the place of `old`. Null after saying why it cannot. */
  #startHeir(old: Generation, plan: Plan): Promise<Generation | null> {
    const model = withRuntimeServers(plan.model, old.plan.model, old.model);
    return new Promise(resolve => {
      const heir = this.#generation(
        plan,
        model,
        () => resolve(heir),
        why => {
          this.#say('alert', why);
          heir.drain(false);
          resolve(null);
        },
      );
      heir.start();
    });
  }

  /**
   * The moment of the change. All that lives on from one configuration to the next goes over here, by name: counters
   * (History), states of servers (inherit), what was changed of maps and variables.
   */
  #succeed(old: Generation, heir: Generation): void {
    const matches = match(heir.model, old.model);
    for (const line of changeLines(diff(old.model, heir.model))) this.#say('notice', line);
    inherit(stateOf(heir), stateOf(old), matches);
    for (const text of heir.inheritChanges(old)) this.#say('warning', text);
    heir.openFrontends();
    this.#history.succeed(heir, old, matches);
    this.#current = heir;
    heir.serve();
    this.#drain(old);
    closeUnused(old.plan.listeners, heir.plan.listeners);
    const limit = Math.min(heir.plan.model.global.maxReloads, GENERATIONS_MAX);
    for (const generation of this.draining) if (++generation.reloads > limit) generation.drain(false);
  }

  /** Soft stop: accepts nothing more, ends when the last connection has (or after `hard-stop-after`). */
  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    const generation = this.#current;
    generation.announceStop();
    const { graceMs } = generation.plan.model.global;
    const go = () => {
      closeListeners(generation.plan.listeners);
      generation.tellStopped();
      this.#drain(generation);
    };
    if (graceMs > 0) after(graceMs, go);
    else go();
  }

  #drain(generation: Generation): void {
    generation.drain(true);
    const { hardStopAfterMs } = generation.plan.model.global;
    if (hardStopAfterMs === null) return;
    generation.limit(hardStopAfterMs, () => {
      this.#say('warning', 'soft-stop running for too long, performing a hard-stop.');
      generation.drain(false);
      // A thread that does not even hear that holds nobody up.
      if (this.#stopping) after(HARD_STOP_MS, () => this.#finish());
    });
  }

  #newPool({ workers }: Plan): Pool {
    return createPool(workers + 1, this.#memoryMb, error => {
      this.#say('warning', `An idle thread died: ${error.stack ?? error.message}`);
    });
  }

  #generation(plan: Plan, model: Model, ready: () => void, failed: (why: string) => void): Generation {
    const generation: Generation = new Generation(plan, model, factsOf(plan), {
      pool: own => (own ? this.#newPool(plan) : this.#pool),
      say: this.#say,
      ready,
      failed,
      ended: () => this.#ended(generation),
      forget: (all, server) => {
        if (generation === this.#current) this.#history.forget(generation, all, server);
      },
      isGiven: (fd, share) => [...this.#generations].some(other => other.holds(fd, share)),
    });
    this.#generations.add(generation);
    return generation;
  }

  #begin(): void {
    try {
      this.#life.ready();
    } catch (error) {
      this.#fail(String(error instanceof Error ? error.message : error));
      return;
    }
    this.#current.serve();
    this.#life.serving();
  }

  #fail(why: string): void {
    this.#over = true;
    this.#say('alert', why);
    this.#life.failed();
  }

  #ended(generation: Generation): void {
    this.#generations.delete(generation);
    if (generation !== this.#current) this.#history.ended(this.#current, generation);
    collectSoon();
    returnMemoryLater();
    if (this.#stopping && this.#generations.size === 0) this.#finish();
  }

  #finish(): void {
    if (this.#over) return;
    this.#over = true;
    this.#life.done();
  }
}

function stateOf({ model, memory }: Generation): StateEnv {
  return { model, memory, topology: topology(model), log: () => {}, now: monotonicMs };
}
