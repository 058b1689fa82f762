/**
 * Server states: the only code that changes them. Checks change them in the control worker, operators from there (runtime
 * API) or from a traffic worker (statistics page): no lock is taken, and what is derived from a state agrees with it when
 * all are done (`settle`).
 *
 *                 check fails `fall` times, or maint
 *      RUNNING ───────────────────────────────────────► STOPPED        operational: check_health decides
 *       ▲  │ ▲ ◄─────────────────────────────────────────  │
 *       │  │ └── STARTING (slowstart: weight grows) ◄──────┘
 *       │  ▼          passes `rise` times, or ready
 *      STOPPING  (404 with disable-on-404: no new traffic)             administrative flags (maint, drain) lie above
 *
 * A change is complete in memory (state, eweight, act/bck, generation) before the doorbells ring: a worker that looks
 * afterwards does not pick the server.
 */
import type { Model, Server } from '../config/model.ts';
import { WEIGHT_MAX } from '../limits.ts';
import { CUR_SESS } from '../shm/counters.ts';
import { ringAll } from '../shm/doorbell.ts';
import type { Memory, Topology } from '../shm/memory.ts';
import {
  ADMIN_DRAIN,
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_MAINT,
  CHECK_CONFIGURED,
  CHECK_ENABLED,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
  PROXY,
  SERVER,
} from '../shm/words.ts';
import { LOG_ALERT, LOG_EMERG, LOG_NOTICE, type Log } from './log.ts';

export interface StateEnv {
  readonly model: Model;
  readonly memory: Memory;
  readonly topology: Topology;
  readonly log: Log;
  /** Milliseconds of the shared clock. */
  now(): number;
}

/** A server, with its proxy and its number over the whole configuration. */
export interface Target {
  readonly proxy: Model['proxies'][number];
  readonly server: Server;
  readonly number: number;
}

const AT = SERVER.at;
const PX = PROXY.at;

export function targetOf(env: StateEnv, proxy: Target['proxy'], server: Server): Target {
  return { proxy, server, number: env.topology.firstServer[proxy.index]! + server.index };
}

export function serverWord(memory: Memory, t: Target, field: keyof typeof AT): number {
  return Atomics.load(memory.words, memory.server(t.number) + AT[field]);
}

export function setServerWord(memory: Memory, t: Target, field: keyof typeof AT, value: number): void {
  Atomics.store(memory.words, memory.server(t.number) + AT[field], value);
}

function addServerWord(memory: Memory, t: Target, field: keyof typeof AT, value: number): void {
  Atomics.add(memory.words, memory.server(t.number) + AT[field], value);
}

/** Checks failed (or the operator said so): DOWN. `cause` continues the log line: `, reason: ...`. */
export function setStopped(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_STOPPED || inMaint(memory, t)) return;
  goDown(env, t);
  const level = lossLevel(was, serverWord(memory, t, 'admin'));
  change(env, t, level, xferred => `${subject(t)} is DOWN${cause}${left(env, t, xferred)}`);
}

/** Checks pass again: UP, or STARTING with `slowstart`. */
export function setRunning(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_RUNNING || was === OPER_STARTING || inMaint(memory, t)) return;
  goUp(env, t);
  change(env, t, LOG_NOTICE, () => `${subject(t)} is UP${cause}${online(env, t)}`);
}

/** The server answers but wants no new traffic (NOLB). */
export function setStopping(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  if (serverWord(memory, t, 'oper') === OPER_STOPPING || inMaint(memory, t)) return;
  leaveDown(env, t);
  setServerWord(memory, t, 'oper', OPER_STOPPING);
  change(env, t, LOG_NOTICE, () => `${subject(t)} is stopping${cause}${online(env, t)}`);
}

/** `set server state maint`, `disable server`. Leaves drain. */
export function setMaint(env: StateEnv, t: Target): void {
  const { memory } = env;
  if (inMaint(memory, t)) return;
  const was = serverWord(memory, t, 'oper');
  const admin = serverWord(memory, t, 'admin');
  setServerWord(memory, t, 'admin', (admin | ADMIN_FORCED_MAINT) & ~ADMIN_FORCED_DRAIN);
  setServerWord(memory, t, 'check_health', 0);
  if (was === OPER_STOPPED) {
    change(env, t, LOG_NOTICE, () => `${subject(t)} was DOWN and now enters maintenance.`);
    return;
  }
  goDown(env, t);
  const level = lossLevel(was, admin);
  change(env, t, level, xferred => `${subject(t)} is going DOWN for maintenance${left(env, t, xferred)}`);
}

/** `set server state drain`: only persistent traffic. Leaves maintenance. */
export function setDrain(env: StateEnv, t: Target): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if (admin & ADMIN_MAINT) {
    setServerWord(memory, t, 'admin', (admin & ~ADMIN_MAINT) | ADMIN_FORCED_DRAIN);
    leaveMaint(env, t);
    change(env, t, LOG_NOTICE, () => `${subject(t)} is UP/DRAIN (leaving forced maintenance).`);
    env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} remains in forced drain mode.`);
    return;
  }
  if (admin & ADMIN_DRAIN) return;
  setServerWord(memory, t, 'admin', admin | ADMIN_FORCED_DRAIN);
  stamp(env, t);
  const down = serverWord(memory, t, 'oper') === OPER_STOPPED;
  change(
    env,
    t,
    LOG_NOTICE,
    xferred => `${subject(t)} enters drain state${down ? left(env, t, xferred) : online(env, t)}`,
  );
}

/** `set server state ready`, `enable server`: leaves maintenance and drain. */
export function setReady(env: StateEnv, t: Target): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if ((admin & (ADMIN_MAINT | ADMIN_DRAIN)) === 0) return;
  setServerWord(memory, t, 'admin', admin & ~(ADMIN_MAINT | ADMIN_DRAIN));
  if (admin & ADMIN_MAINT) {
    leaveMaint(env, t);
    change(env, t, LOG_NOTICE, () => `${subject(t)} is UP/READY (leaving forced maintenance).`);
    return;
  }
  stamp(env, t);
  const oper = serverWord(memory, t, 'oper') === OPER_STOPPED ? 'DOWN' : 'UP';
  change(env, t, LOG_NOTICE, () => `${subject(t)} is ${oper} (leaving forced drain).`);
}

/** `set server health`: as if checks had said so. The place on their scale goes along, so that the next one agrees. */
export function forceHealth(env: StateEnv, t: Target, health: 'up' | 'stopping' | 'down', cause: string): void {
  const top = serverWord(env.memory, t, 'check_rise') + serverWord(env.memory, t, 'check_fall') - 1;
  setServerWord(env.memory, t, 'check_health', health === 'down' ? 0 : Math.max(0, top));
  if (health === 'up') setRunning(env, t, cause);
  else if (health === 'down') setStopped(env, t, cause);
  else setStopping(env, t, cause);
}

/** `set server agent`: as if the agent had said so. False when its checks do not run. */
export function forceAgent(env: StateEnv, t: Target, health: 'up' | 'down', cause: string): boolean {
  if ((serverWord(env.memory, t, 'agent_on') & CHECK_ENABLED) === 0) return false;
  const top = serverWord(env.memory, t, 'agent_rise') + serverWord(env.memory, t, 'agent_fall') - 1;
  setServerWord(env.memory, t, 'agent_health', health === 'down' ? 0 : Math.max(0, top));
  if (health === 'up') setRunning(env, t, cause);
  else setStopped(env, t, cause);
  return true;
}

/** Sets the weight the operator wants, 0..256. Nothing is logged, as in HAProxy. */
export function setWeight(env: StateEnv, t: Target, weight: number): void {
  if (!(weight >= 0 && weight <= WEIGHT_MAX))
    throw new RangeError(`health: weight ${weight} is not in 0..${WEIGHT_MAX}`);
  setServerWord(env.memory, t, 'uweight', weight);
  change(env, t, LOG_NOTICE, null);
}

/** Lets the server's checks run, or not, or those of its agent. False when it has none. */
export function enableChecks(env: StateEnv, t: Target, kind: 'check' | 'agent', enabled: boolean): boolean {
  const at = env.memory.server(t.number) + AT[`${kind}_on`];
  if ((Atomics.load(env.memory.words, at) & CHECK_CONFIGURED) === 0) return false;
  if (enabled) Atomics.or(env.memory.words, at, CHECK_ENABLED);
  else Atomics.and(env.memory.words, at, ~CHECK_ENABLED);
  return true;
}

/** Ends all streams on the server: each worker does its own when its doorbell has rung (proxy/kill.ts). */
export function killStreams(env: StateEnv, t: Target): void {
  addServerWord(env.memory, t, 'kills', 1);
  touch(env, t);
}

/** The server's address has changed: workers look at it again, and at nothing of what they have of the old one. */
export function touch(env: StateEnv, t: Target): void {
  Atomics.add(env.memory.words, env.memory.proxy(t.proxy.index) + PX.generation, 1);
  ringAll(env.memory);
}

/** One step of `slowstart`: call from time to time while the server is STARTING; it becomes RUNNING at the end. */
export function warm(env: StateEnv, t: Target): void {
  if (serverWord(env.memory, t, 'oper') !== OPER_STARTING) return;
  const since = env.now() - serverWord(env.memory, t, 'last_change') * 1000;
  if (since >= t.server.slowstartMs) setServerWord(env.memory, t, 'oper', OPER_RUNNING);
  change(env, t, LOG_NOTICE, null);
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

function weightNow(env: StateEnv, t: Target): number {
  const oper = serverWord(env.memory, t, 'oper');
  const weight = serverWord(env.memory, t, 'uweight');
  if (serverWord(env.memory, t, 'admin') & (ADMIN_MAINT | ADMIN_DRAIN)) return 0;
  if (oper === OPER_RUNNING) return weight;
  if (oper !== OPER_STARTING) return 0;
  const since = env.now() - serverWord(env.memory, t, 'last_change') * 1000;
  return Math.min(weight, Math.ceil((weight * (since + 1)) / t.server.slowstartMs));
}

/** What every change ends with: derived words, the backend's own state, doorbells, the log. */
function change(env: StateEnv, t: Target, level: number, event: ((xferred: number) => string) | null): void {
  const before = usableServers(env, t);
  settle(env, t);
  const after = usableServers(env, t);
  // Requests that wait for this very server go elsewhere when it can take them no more.
  const xferred = serverWord(env.memory, t, 'eweight') === 0 ? serverWord(env.memory, t, 'queued') : 0;
  if ((before === 0) !== (after === 0)) backendChange(env, t.proxy, after > 0);
  ringAll(env.memory);
  if (event) env.log(level, t.proxy.index, event(xferred));
  if (before > 0 && after === 0) {
    const kind = t.proxy.kind === 'listen' ? 'proxy' : 'backend';
    env.log(LOG_EMERG, t.proxy.index, `${kind} ${t.proxy.name} has no server available!`);
  }
}

function usableServers(env: StateEnv, t: Target): number {
  const { words } = env.memory;
  const px = env.memory.proxy(t.proxy.index);
  return Atomics.load(words, px + PX.act) + Atomics.load(words, px + PX.bck);
}

function backendChange(env: StateEnv, proxy: Target['proxy'], up: boolean): void {
  const { words } = env.memory;
  const px = env.memory.proxy(proxy.index);
  const second = Math.floor(env.now() / 1000);
  if (up) Atomics.add(words, px + PX.down_time, second - Atomics.load(words, px + PX.last_change));
  else Atomics.add(words, px + PX.down_trans, 1);
  Atomics.store(words, px + PX.last_change, second);
}

function goDown(env: StateEnv, t: Target): void {
  setServerWord(env.memory, t, 'oper', OPER_STOPPED);
  addServerWord(env.memory, t, 'down_trans', 1);
  stamp(env, t);
}

function goUp(env: StateEnv, t: Target): void {
  leaveDown(env, t);
  setServerWord(env.memory, t, 'oper', t.server.slowstartMs > 0 ? OPER_STARTING : OPER_RUNNING);
}

/** Counts the time down, if it was down, and stamps the change. */
function leaveDown(env: StateEnv, t: Target): void {
  const { memory } = env;
  if (serverWord(memory, t, 'oper') === OPER_STOPPED) {
    const second = Math.floor(env.now() / 1000);
    addServerWord(memory, t, 'down_time', second - serverWord(memory, t, 'last_change'));
  }
  stamp(env, t);
}

/** Out of maintenance a server is up until a check says otherwise; a single failure does. */
function leaveMaint(env: StateEnv, t: Target): void {
  goUp(env, t);
  setServerWord(env.memory, t, 'check_health', serverWord(env.memory, t, 'check_rise'));
}

function stamp(env: StateEnv, t: Target): void {
  setServerWord(env.memory, t, 'last_change', Math.floor(env.now() / 1000));
}

function inMaint(memory: Memory, t: Target): boolean {
  return (serverWord(memory, t, 'admin') & ADMIN_MAINT) !== 0;
}

/** A server that took no new traffic any more is no loss. */
function lossLevel(oper: number, admin: number): number {
  return oper === OPER_STOPPING || (admin & ADMIN_DRAIN) !== 0 ? LOG_NOTICE : LOG_ALERT;
}

// --- texts, as HAProxy writes them ---

function subject(t: Target): string {
  return `${t.server.backup ? 'Backup ' : ''}Server ${t.proxy.name}/${t.server.name}`;
}

function counts(env: StateEnv, t: Target, what: string): string {
  const px = env.memory.proxy(t.proxy.index);
  const act = Atomics.load(env.memory.words, px + PX.act);
  const bck = Atomics.load(env.memory.words, px + PX.bck);
  const onBackup = act === 0 && bck > 0 ? ' Running on backup.' : '';
  return `. ${act} active and ${bck} backup servers ${what}.${onBackup}`;
}

function left(env: StateEnv, t: Target, xferred: number): string {
  const active = env.memory.sum('server', t.number, CUR_SESS);
  const remaining = serverWord(env.memory, t, 'queued') - xferred;
  return `${counts(env, t, 'left')} ${active} sessions active, ${xferred} requeued, ${Math.max(0, remaining)} remaining in queue.`;
}

/** What the server will take from the backend's queue is for the workers to see: they do it after the doorbell. */
function online(env: StateEnv, t: Target): string {
  const queued = serverWord(env.memory, t, 'queued');
  return `${counts(env, t, 'online')} 0 sessions requeued, ${queued} total in queue.`;
}
