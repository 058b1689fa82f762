/**
 * When a server is checked: one check at a time, by the script of its steps or by a program.
 *
 *   waiting ──timer──► probe.start() ──done(verdict)──► conclude ──► waiting
 */
import { ADMIN_MAINT, CHECK_ENABLED, CHECK_RUNNING, OPER_STOPPED, SERVER } from '../shm/words.ts';
import { Timer } from '../time.ts';
import { type CheckKind, conclude, FIELDS } from './health.ts';
import type { CheckEnv, Probe } from './script.ts';
import { L4TOUT, type Verdict } from './statuses.ts';
import { serverWord, type Target } from './target.ts';

export class Checker {
  readonly #env: CheckEnv;
  readonly target: Target;
  readonly #kind: CheckKind;
  readonly #probe: Probe;
  /** Its CHECK_* bits: operators change them, too, so ours change alone. */
  readonly #onAt: number;
  readonly #timer: Timer<Checker>;
  #startedMs = 0;
  #running = false;

  /** The target's server must have a check of this kind. `probeOf` makes what does it. */
  constructor(env: CheckEnv, target: Target, kind: CheckKind, probeOf: (done: (found: Verdict) => void) => Probe) {
    this.#env = env;
    this.target = target;
    this.#kind = kind;
    this.#onAt = env.memory.server(target.number) + SERVER.at[FIELDS[kind].on];
    this.#probe = probeOf(found => this.#finish(found));
    this.#timer = new Timer<Checker>(this, c => c.#begin());
  }

  isAgentOf(server: Target['server']): boolean {
    return this.#kind === 'agent' && this.target.server === server;
  }

  /** First check after `delayMs`. */
  start(delayMs: number): void {
    this.#env.wheel.arm(this.#timer, this.#env.now() + delayMs);
  }

  /** No check any more; one under way has no result. */
  stop(): void {
    this.#env.wheel.forget(this.#timer);
    this.#probe.stop();
  }

  /** The next check comes after `fastinter` at the latest. */
  hurry(): void {
    const soon = this.#env.now() + (this.target.server.check?.fastinterMs ?? Infinity);
    if (!this.#running && soon < this.#timer.deadline) this.#env.wheel.arm(this.#timer, soon);
  }

  #begin(): void {
    const env = this.#env;
    const on = Atomics.load(env.memory.words, this.#onAt);
    // An agent may lead the server out of maintenance, so it is still asked.
    const maint = this.#kind === 'check' && serverWord(env.memory, this.target, 'admin') & ADMIN_MAINT;
    if ((on & CHECK_ENABLED) === 0 || maint) {
      this.start(this.interMs);
      return;
    }
    Atomics.or(env.memory.words, this.#onAt, CHECK_RUNNING);
    this.#startedMs = env.now();
    this.#running = true;
    this.#probe.start();
  }

  #finish(found: Verdict): void {
    const env = this.#env;
    Atomics.and(env.memory.words, this.#onAt, ~CHECK_RUNNING);
    this.#running = false;
    if (found.status === L4TOUT) env.suspect?.(this.target);
    // The operator may have put the server in maintenance meanwhile: then the result means nothing.
    const maint = this.#kind === 'check' && serverWord(env.memory, this.target, 'admin') & ADMIN_MAINT;
    if (!maint) conclude(env, this.target, this.#kind, found, Math.round(env.now() - this.#startedMs));
    this.start(this.#pauseMs());
  }

  get interMs(): number {
    const { check, agent } = this.target.server;
    return this.#kind === 'check' ? check!.interMs : agent!.interMs;
  }

  /** The interval in force: manual 5.2, `inter`, `fastinter`, `downinter`, `agent-inter`. */
  get currentMs(): number {
    return this.#kind === 'check' ? this.#checkPauseMs() : this.interMs;
  }

  /** From the end of one check to the start of the next. */
  #pauseMs(): number {
    const pause = this.currentMs;
    const spread = (pause * this.#env.model.global.spreadChecksPercent) / 100;
    return pause + spread * (1 - 2 * this.#env.random());
  }

  #checkPauseMs(): number {
    const { interMs, fastinterMs, downinterMs, rise, fall } = this.target.server.check!;
    const health = serverWord(this.#env.memory, this.target, 'check_health');
    if (health === rise + fall - 1) return interMs;
    const down = health === 0 && serverWord(this.#env.memory, this.target, 'oper') === OPER_STOPPED;
    return (down ? downinterMs : fastinterMs) || interMs;
  }
}
