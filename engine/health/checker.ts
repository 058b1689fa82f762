/**
 * One checked server: when it is checked, and one check at a time over the io contract.
 *
 *   waiting ──timer──► connecting ──onOpen──► answering ──verdict──► waiting
 *                 (tcp: a connection is all that is asked)
 *
 * Everything a phase decides stands in one row of PHASES.
 */
import type { Chunk, Conn, ConnectOptions, Handler, Io } from '../io/contract.ts';
import { proxyHeader } from '../proxy/proxy-protocol.ts';
import { checkAddress } from '../shm/server-address.ts';
import { ADMIN_MAINT, CHECK_ENABLED, CHECK_RUNNING, OPER_STOPPED, SERVER } from '../shm/words.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { type CheckPlan, judge, request } from './check.ts';
import { errnoText } from './errnos.ts';
import { conclude } from './health.ts';
import { CheckResponse } from './response.ts';
import { type StateEnv, serverWord, type Target } from './state.ts';
import { stateHeader } from './state-header.ts';
import { L4CON, L4OK, L4TOUT, L7TOUT, SOCKERR, type Verdict, verdict } from './statuses.ts';

export interface CheckEnv extends StateEnv {
  readonly io: Io;
  readonly wheel: TimerWheel;
  /** 0 <= random() < 1: the spread of `spread-checks`. */
  random(): number;
}

type Phase = 'waiting' | 'connecting' | 'answering';

/** Per phase: what the check found when its time is over, and when the connection breaks with an error. */
const PHASES: Readonly<Record<Phase, { timeout: number; broken: number }>> = {
  waiting: { timeout: L4TOUT, broken: SOCKERR },
  connecting: { timeout: L4TOUT, broken: L4CON },
  answering: { timeout: L7TOUT, broken: SOCKERR },
};

export class Checker implements Handler {
  readonly #env: CheckEnv;
  readonly #target: Target;
  readonly #plan: CheckPlan;
  readonly #timer: Timer<Checker>;
  readonly #options: ConnectOptions;
  #phase: Phase = 'waiting';
  #conn: Conn | null = null;
  #response: CheckResponse | null = null;
  #startedMs = 0;

  /** The target's server must have a check. */
  constructor(env: CheckEnv, target: Target, plan: CheckPlan) {
    this.#env = env;
    this.#target = target;
    this.#plan = plan;
    this.#timer = new Timer<Checker>(this, c => c.#onTimer());
    this.#options = { source: target.server.source ?? target.proxy.source, tfo: false };
  }

  /** First check after `delayMs`. */
  start(delayMs: number): void {
    this.#env.wheel.arm(this.#timer, this.#env.now() + delayMs);
  }

  /** No check any more; one under way has no result. */
  stop(): void {
    this.#env.wheel.forget(this.#timer);
    this.#leave();
  }

  onOpen(conn: Conn): void {
    if (conn !== this.#conn || this.#phase !== 'connecting') return;
    const { server, proxy } = this.#target;
    if (server.check!.sendProxy) this.#send(checkHeader(server.sendProxy, conn));
    if (this.#plan.check.type === 'tcp') {
      this.#finish(verdict(L4OK));
      return;
    }
    this.#phase = 'answering';
    this.#response = new CheckResponse(this.#env.model.global.tune.bufsizeBytes);
    this.#send(request(this.#plan.check, this.#plan.check.sendState ? stateHeader(this.#env, this.#target) : ''));
    if (proxy.timeouts.checkMs > 0) this.#env.wheel.arm(this.#timer, this.#env.now() + proxy.timeouts.checkMs);
  }

  onData(conn: Conn, chunk: Chunk): void {
    if (conn !== this.#conn || !this.#response) return;
    this.#response.feed(chunk.bytes, chunk.start, chunk.end);
    this.#judge(false);
  }

  onEnd(conn: Conn): void {
    if (conn === this.#conn && this.#response) this.#judge(true);
  }

  onDrain(): void {}

  onClose(conn: Conn, errno: number): void {
    if (conn !== this.#conn) return;
    this.#conn = null;
    if (this.#phase === 'waiting') return;
    if (errno === 0 && this.#response) this.#judge(true);
    else this.#finish(verdict(PHASES[this.#phase].broken, errnoText(errno)));
  }

  #onTimer(): void {
    if (this.#phase === 'waiting') this.#begin();
    else this.#finish(verdict(PHASES[this.#phase].timeout));
  }

  #begin(): void {
    const env = this.#env;
    const check = this.#target.server.check!;
    const on = serverWord(env.memory, this.#target, 'check_on');
    if ((on & CHECK_ENABLED) === 0 || serverWord(env.memory, this.#target, 'admin') & ADMIN_MAINT) {
      this.start(check.interMs);
      return;
    }
    this.#leave();
    Atomics.or(env.memory.words, env.memory.server(this.#target.number) + SERVER.at.check_on, CHECK_RUNNING);
    this.#startedMs = env.now();
    this.#phase = 'connecting';
    const { checkMs, connectMs } = this.#target.proxy.timeouts;
    const limit = checkMs > 0 && connectMs > 0 ? Math.min(connectMs, check.interMs) : check.interMs;
    env.wheel.arm(this.#timer, this.#startedMs + limit);
    const address = checkAddress(env.memory, this.#target.number, this.#target.server);
    this.#conn = env.io.connect(address, this.#options, this);
  }

  #send(bytes: Uint8Array): void {
    this.#conn!.send(bytes, 0, bytes.length);
  }

  #judge(ended: boolean): void {
    const stopped = serverWord(this.#env.memory, this.#target, 'oper') === OPER_STOPPED;
    const found = judge(this.#plan, this.#response!, ended, stopped);
    if (found) this.#finish(found);
  }

  #finish(found: Verdict): void {
    const env = this.#env;
    Atomics.and(env.memory.words, env.memory.server(this.#target.number) + SERVER.at.check_on, ~CHECK_RUNNING);
    // A PROXY header must still leave; otherwise a reset keeps the port free of TIME_WAIT.
    if (found.status === L4OK && this.#target.server.check!.sendProxy) this.#conn!.close();
    else this.#leave();
    this.#phase = 'waiting';
    this.#response = null;
    // The operator may have put the server in maintenance meanwhile: then the result means nothing.
    const maint = serverWord(env.memory, this.#target, 'admin') & ADMIN_MAINT;
    if (!maint) conclude(env, this.#target, found, Math.round(env.now() - this.#startedMs));
    this.start(this.#pauseMs());
  }

  /** Lets go of the connection; what comes of it later is not ours. */
  #leave(): void {
    this.#conn?.abort(true);
    this.#conn = null;
  }

  /** From the end of one check to the start of the next: manual 5.2, `inter`, `fastinter`, `downinter`. */
  #pauseMs(): number {
    const { check } = this.#target.server;
    const { interMs, fastinterMs, downinterMs, rise, fall } = check!;
    const health = serverWord(this.#env.memory, this.#target, 'check_health');
    let pause = fastinterMs || interMs;
    if (health === rise + fall - 1) pause = interMs;
    else if (health === 0 && serverWord(this.#env.memory, this.#target, 'oper') === OPER_STOPPED) {
      pause = downinterMs || interMs;
    }
    const spread = (pause * this.#env.model.global.spreadChecksPercent) / 100;
    return pause + spread * (1 - 2 * this.#env.random());
  }
}

/** `check-send-proxy`: version 2 says LOCAL (we speak for ourselves), version 1 has no such word and tells our own address. */
function checkHeader(version: 0 | 1 | 2, conn: Conn): Uint8Array {
  return version === 2 ? proxyHeader(2, null, null) : proxyHeader(1, conn.local(), conn.peer());
}
