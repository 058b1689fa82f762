/** Health checks: starts one Checker per checked server, in the control worker. */
import type { Check } from '../config/check-model.ts';
import { agentCheck } from '../config/check-presets.ts';
import type { Observe } from '../config/server-model.ts';
import type { Address } from '../io/contract.ts';
import type { Env } from '../sample/context.ts';
import { listenControl } from '../shm/doorbell.ts';
import { checkAddress } from '../shm/server-address.ts';
import { Timer } from '../time.ts';
import { TlsServer } from '../tls/server.ts';
import { tlsStore } from '../tls/store.ts';
import { obeyAgent } from './agent.ts';
import { Checker } from './checker.ts';
import { External, Turns } from './external.ts';
import type { CheckKind } from './health.ts';
import { judgeObserved } from './observe.ts';
import { type Plan, planCheck } from './plan.ts';
import { type CheckEnv, type Probe, Script } from './script.ts';
import { warm } from './state.ts';
import { L7RSP, type Verdict, verdict } from './statuses.ts';
import { type Target, targetOf } from './target.ts';

export { initialise } from './initialise.ts';
export type { Log } from './log.ts';
export { startMails } from './mail.ts';

/** Checks of servers that ask for a shorter interval do not squeeze the start of all the others. Milliseconds. */
const START_INTERVAL_MIN_MS = 1000;
/** `slowstart` gives weight back in this many steps, of a second at least. */
const WARM_STEPS = 20;
const WARM_STEP_MIN_MS = 1000;

export interface Health {
  /** Ends all checks; no word is written and nothing is logged afterwards. */
  stop(): void;
  /** Begins the checks of a server, and ends them. */
  add(target: Target): void;
  remove(target: Target): void;
  /** What the agent of a server is sent from now on. The server must have one. */
  tellAgent(target: Target, text: string): void;
}

/**
 * Starts all checks. Time is `env.now()` and the wheel, which the caller advances from `io.onTurn`; nothing else is needed
 * for it to run on a simulated network. Throws SyntaxError on a bad pattern in an `expect` rule.
 */
export function startHealth(env: CheckEnv): Health {
  const plans = new Map<Target['proxy'], Map<Check, Plan>>();
  const turns = new Turns();
  const checkers = new Set<Checker>();
  const observing = new Set<{ checker: Checker; target: Target; observe: Observe }>();
  const warming = new Map<Target, Timer<Target>>();
  const drop = (checker: Checker) => {
    checker.stop();
    checkers.delete(checker);
  };
  const planOf: PlanOf = ({ proxy }, check) => {
    const known = plans.get(proxy) ?? new Map<Check, Plan>();
    const plan = known.get(check) ?? planCheck(check, exprEnv(env, proxy), () => verdict(L7RSP));
    plans.set(proxy, known.set(check, plan));
    return plan;
  };
  /** Makes what checks a server; it does not run yet. */
  const checkersOf = (target: Target): Checker[] => {
    const { server } = target;
    const made: Checker[] = [];
    if (server.slowstartMs > 0) warming.set(target, keepWarm(env, target));
    if (server.check) made.push(new Checker(env, target, 'check', done => probeOf(env, target, planOf, turns, done)));
    if (server.observe) observing.add({ checker: made[0]!, target, observe: server.observe });
    if (server.agent) made.push(new Checker(env, target, 'agent', done => agentOf(env, target, done)));
    for (const checker of made) checkers.add(checker);
    return made;
  };
  for (const proxy of env.model.proxies) {
    if (proxy.disabled) continue;
    for (const server of proxy.servers) if (!server.removed) checkersOf(targetOf(env, proxy, server));
  }
  const delays = startDelays(
    Array.from(checkers, ({ currentMs }) => currentMs),
    env.model.global.maxSpreadChecksMs,
  );
  [...checkers].forEach((checker, i) => {
    checker.start(delays[i]!);
  });
  const doorbell = listenControl(env.memory, () => {
    for (const { checker, target, observe } of observing) if (judgeObserved(env, target, observe)) checker.hurry();
  });
  return {
    stop: () => {
      doorbell.stop();
      for (const checker of checkers) checker.stop();
      for (const timer of warming.values()) env.wheel.forget(timer);
    },
    add: target => {
      for (const checker of checkersOf(target)) checker.start(0);
    },
    remove: ({ server }) => {
      for (const checker of checkers) {
        if (checker.target.server === server) drop(checker);
      }
      for (const seen of observing) if (seen.target.server === server) observing.delete(seen);
      for (const [target, timer] of warming) {
        if (target.server !== server) continue;
        env.wheel.forget(timer);
        warming.delete(target);
      }
    },
    tellAgent: (target, text) => {
      for (const checker of checkers) if (checker.isAgentOf(target.server)) drop(checker);
      const checker = new Checker(env, target, 'agent', done => agentOf(env, target, done, agentCheck(text)));
      checkers.add(checker);
      checker.start(0);
    },
  };
}

type Done = (found: Verdict) => void;
type PlanOf = (target: Target, check: Check) => Plan;

/** What a check's expressions are compiled with. */
function exprEnv({ outside }: CheckEnv, { index }: Target['proxy']): Env {
  return { ...outside.env, proxy: index };
}

function probeOf(env: CheckEnv, target: Target, planOf: PlanOf, turns: Turns, done: Done): Probe {
  const check = target.server.check!;
  const script = check.script ?? target.proxy.check;
  if (script.external !== null) return new External(env, target, turns, done);
  const { checkTls } = target.server;
  const tls = checkTls === null ? null : new TlsServer(tlsStore(env.model.tls), checkTls);
  const always = check.tls;
  return new Script(
    env,
    target,
    planOf(target, script),
    { ...check, address: whereFrom(env, target, 'check'), tls, always },
    done,
  );
}

/** `steps`: others than those of the configuration. */
function agentOf(env: CheckEnv, target: Target, done: Done, steps?: Check['steps']): Probe {
  const { script: configured, interMs } = target.server.agent!;
  const script = steps === undefined ? configured : { ...configured, steps };
  const plan = planCheck(script, exprEnv(env, target.proxy), line => obeyAgent(env, target, line));
  const address = whereFrom(env, target, 'agent');
  return new Script(
    env,
    target,
    plan,
    { address, interMs, sendProxy: false, viaSocks4: false, tls: null, always: false },
    done,
  );
}

function whereFrom({ memory }: CheckEnv, { number, server }: Target, kind: CheckKind): () => Address {
  return () => checkAddress(memory, number, server, kind);
}

/**
 * When each check starts, in milliseconds, by the intervals in force (a server that is not quite up is checked each `fastinter`):
 * spread evenly over the shortest of a second or more, over its own where that is longer or there is none such, and over
 * `max-spread-checks` at most (0 = no such limit).
 */
export function startDelays(intervals: readonly number[], maxSpreadMs: number): number[] {
  const shortest = intervals.reduce((min, i) => (i >= START_INTERVAL_MIN_MS ? Math.min(min, i) : min), Infinity);
  const common = shortest === Infinity ? 0 : shortest;
  return intervals.map((inter, i) => {
    const span = Math.max(common, inter);
    return ((maxSpreadMs > 0 ? Math.min(span, maxSpreadMs) : span) * i) / intervals.length;
  });
}

/** Looks at the server's slow start from time to time. */
function keepWarm(env: CheckEnv, target: Target): Timer<Target> {
  const stepMs = Math.max(WARM_STEP_MIN_MS, target.server.slowstartMs / WARM_STEPS);
  const timer: Timer<Target> = new Timer(target, t => {
    warm(env, t);
    env.wheel.arm(timer, env.now() + stepMs);
  });
  env.wheel.arm(timer, env.now() + stepMs);
  return timer;
}
