/** The weight that a server has now: its eweight, and how far `slowstart` has come (manual 5.2). */
import type { Proxy } from '../config/proxy-model.ts';
import { ADMIN_DRAIN, ADMIN_MAINT, OPER_RUNNING, OPER_STARTING, PROXY, RAMP_FULL, SERVER } from '../shm/words.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';

const AT = SERVER.at;
const PX = PROXY.at;

/** True when balancing can follow a weight that changes: HAProxy's dynamic algorithms. */
function isDynamic({ balance, hash }: Proxy): boolean {
  return ['roundrobin', 'leastconn', 'first', 'random'].includes(balance.algorithm) || hash.method === 'consistent';
}

/** Sixteenths of the weight that a server has which came up at second `since` and starts slowly. */
function rampAt(now: number, since: number, slowstartMs: number): number {
  const seconds = Math.floor(now / 1000) - since;
  const whole = Math.ceil(slowstartMs / 1000);
  return seconds >= whole ? RAMP_FULL : Math.floor((RAMP_FULL * Math.max(0, seconds) + whole) / whole);
}

/** The server's ramp by its state; it is RUNNING once the ramp is over. */
export function advanceRamp(env: StateEnv, t: Target): void {
  if (serverWord(env.memory, t, 'oper') !== OPER_STARTING) {
    setServerWord(env.memory, t, 'ramp', 0);
    return;
  }
  const since = serverWord(env.memory, t, 'last_change');
  const ramp = rampAt(env.now(), since, t.server.slowstartMs);
  const over = Math.floor(env.now() / 1000) - since >= Math.ceil(t.server.slowstartMs / 1000);
  if (over) setServerWord(env.memory, t, 'oper', OPER_RUNNING);
  setServerWord(env.memory, t, 'ramp', isDynamic(t.proxy) && ramp < RAMP_FULL ? ramp : 0);
}

/**
 * Computes the server's eweight from its state, and brings act or bck and the generation in line with it. Each exchange is
 * paid for once in act or bck; who finds the state changed under its hands does it again, so the last one is right.
 */
export function settle(env: StateEnv, t: Target): void {
  const { words } = env.memory;
  const px = env.memory.proxy(t.proxy.index);
  const at = env.memory.server(t.number) + AT.eweight;
  for (let eweight = weightNow(env, t); eweight !== Atomics.load(words, at); eweight = weightNow(env, t)) {
    const usable = Math.sign(eweight) - Math.sign(Atomics.exchange(words, at, eweight));
    Atomics.add(words, px + (t.server.backup ? PX.bck : PX.act), usable);
  }
  Atomics.add(words, px + PX.generation, 1);
}

/** In whole units: of a ramp the part that is begun counts. */
function weightNow(env: StateEnv, t: Target): number {
  const oper = serverWord(env.memory, t, 'oper');
  const weight = serverWord(env.memory, t, 'uweight');
  if (serverWord(env.memory, t, 'admin') & (ADMIN_MAINT | ADMIN_DRAIN)) return 0;
  if (oper === OPER_RUNNING) return weight;
  return oper === OPER_STARTING ? rampedWeight(weight, serverWord(env.memory, t, 'ramp')) : 0;
}

/** What `ramp` sixteenths leave of a weight; 0 = there is no ramp. */
export function rampedWeight(weight: number, ramp: number): number {
  return Math.ceil(rampedUnits(weight, ramp) / RAMP_FULL);
}

/** The same in sixteenths. */
export function rampedUnits(weight: number, ramp: number): number {
  return weight * (ramp || RAMP_FULL);
}
