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
import type { Server } from '../config/server-model.ts';
import { WEIGHT_MAX } from '../limits.ts';
import { ringAll } from '../shm/doorbell.ts';
import type { Memory } from '../shm/memory.ts';
import {
  ADMIN_DRAIN,
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINT,
  ADMIN_MAINT,
  ADMIN_RESOLUTION_MAINT,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
  PROXY,
} from '../shm/words.ts';
import { LOG_ALERT, LOG_EMERG, LOG_NOTICE, NO_MAIL } from './log.ts';
import { left, online, subject } from './state-texts.ts';
import { addServerWord, type StateEnv, serverWord, setServerWord, type Target } from './target.ts';
import { trackedBy, trackersOf, via } from './track.ts';
import { advanceRamp, settle } from './weights.ts';

const PX = PROXY.at;

/** Checks failed (or the operator said so): DOWN. `cause` continues the log line: `, reason: ...`. */
export function setStopped(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_STOPPED || inMaint(memory, t)) return;
  goDown(env, t);
  const level = lossLevel(was, serverWord(memory, t, 'admin'));
  change(env, t, level, xferred => `${subject(t)} is DOWN${cause}${left(env, t, xferred)}`);
  for (const tracker of trackersOf(env, t)) setStopped(env, tracker, via(t));
}

/** Checks pass again: UP, or STARTING with `slowstart`. */
export function setRunning(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_RUNNING || was === OPER_STARTING || inMaint(memory, t)) return;
  goUp(env, t);
  change(env, t, LOG_NOTICE, () => `${subject(t)} is UP${cause}${online(env, t)}`);
  for (const tracker of trackersOf(env, t)) setRunning(env, tracker, via(t));
}

/** The server answers but wants no new traffic (NOLB). */
export function setStopping(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  if (serverWord(memory, t, 'oper') === OPER_STOPPING || inMaint(memory, t)) return;
  leaveDown(env, t);
  setServerWord(memory, t, 'oper', OPER_STOPPING);
  change(env, t, LOG_NOTICE, () => `${subject(t)} is stopping${cause}${online(env, t)}`);
  for (const tracker of trackersOf(env, t)) setStopping(env, tracker, via(t));
}

/** `set server state maint`, `disable server`. Leaves drain. */
export function setMaint(env: StateEnv, t: Target): void {
  const admin = (serverWord(env.memory, t, 'admin') & ~ADMIN_FORCED_DRAIN) | ADMIN_FORCED_MAINT;
  // It is there for another reason, and stays when that is gone.
  if (inMaint(env.memory, t)) setServerWord(env.memory, t, 'admin', admin);
  else enterMaint(env, t, admin, '');
}

/** `admin`: the flags from now on. What tracks it is in maintenance too. */
function enterMaint(env: StateEnv, t: Target, admin: number, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  const before = serverWord(memory, t, 'admin');
  setServerWord(memory, t, 'admin', admin);
  setServerWord(memory, t, 'check_health', 0);
  if (was === OPER_STOPPED) {
    change(env, t, LOG_NOTICE, () => `${subject(t)} was DOWN and now enters maintenance${cause}.`);
  } else {
    goDown(env, t);
    const level = lossLevel(was, before);
    change(env, t, level, xferred => `${subject(t)} is going DOWN for maintenance${cause}${left(env, t, xferred)}`);
  }
  for (const tracker of trackersOf(env, t)) {
    const theirs = serverWord(memory, tracker, 'admin');
    if (theirs & ADMIN_MAINT) setServerWord(memory, tracker, 'admin', theirs | ADMIN_INHERITED_MAINT);
    else enterMaint(env, tracker, theirs | ADMIN_INHERITED_MAINT, via(t));
  }
}

/** `set server state drain`: only persistent traffic. Leaves maintenance. */
export function setDrain(env: StateEnv, t: Target) {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if (admin & ADMIN_FORCED_MAINT) {
    setServerWord(memory, t, 'admin', (admin & ~ADMIN_FORCED_MAINT) | ADMIN_FORCED_DRAIN);
    if (inMaint(memory, t)) return remains(env, t);
    leaveMaint(env, t);
    change(env, t, LOG_NOTICE, () => `${subject(t)} is UP/DRAIN (leaving forced maintenance).`);
    env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} remains in forced drain mode.`);
    for (const tracker of trackersOf(env, t)) enterDrain(env, tracker, ADMIN_INHERITED_DRAIN, via(t));
    releaseTrackers(env, t);
    return;
  }
  if ((admin & ADMIN_FORCED_DRAIN) === 0) enterDrain(env, t, ADMIN_FORCED_DRAIN, '');
}

function enterDrain(env: StateEnv, t: Target, flag: number, cause: string): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  setServerWord(memory, t, 'admin', admin | flag);
  if ((admin & (ADMIN_DRAIN | ADMIN_MAINT)) === 0) {
    stamp(env, t);
    const down = serverWord(memory, t, 'oper') === OPER_STOPPED;
    const end = (xferred: number): string => (down ? left(env, t, xferred) : online(env, t));
    change(env, t, LOG_NOTICE, xferred => `${subject(t)} enters drain state${cause}${end(xferred)}`);
  }
  for (const tracker of trackersOf(env, t)) enterDrain(env, tracker, ADMIN_INHERITED_DRAIN, via(t));
}

/** `set server state ready`, `enable server`: leaves maintenance and drain. */
export function setReady(env: StateEnv, t: Target): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if ((admin & (ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN)) === 0) return;
  setServerWord(memory, t, 'admin', admin & ~(ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN));
  released(env, t, admin, 'forced');
  releaseTrackers(env, t);
}

/** Its name does not resolve (any more). */
export function setUnresolved(env: StateEnv, t: Target, cause: string): void {
  const admin = serverWord(env.memory, t, 'admin');
  if (admin & ADMIN_MAINT) setServerWord(env.memory, t, 'admin', admin | ADMIN_RESOLUTION_MAINT);
  else enterMaint(env, t, admin | ADMIN_RESOLUTION_MAINT, ` (${cause})`);
}

/** It has an address again; `name` is what resolved to it. */
export function setResolved(env: StateEnv, t: Target, name: string) {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if ((admin & ADMIN_RESOLUTION_MAINT) === 0) return;
  const now = admin & ~ADMIN_RESOLUTION_MAINT;
  setServerWord(memory, t, 'admin', now);
  const who = `${subject(t)} ('${name}')`;
  const say = (text: string): void => env.log(LOG_NOTICE, t.proxy.index, text);
  if (now & ADMIN_MAINT) return say(`${who} resolves again but remains in maintenance.`);
  leaveMaint(env, t);
  const up = serverWord(memory, t, 'oper') === OPER_STOPPED ? 'DOWN' : 'UP';
  const mode = now & ADMIN_DRAIN ? 'DRAIN' : 'READY';
  change(env, t, LOG_NOTICE, () => `${who} is ${up}/${mode} (resolves again).`);
  if (now & ADMIN_FORCED_DRAIN) say(`${subject(t)} remains in forced drain mode.`);
  releaseTrackers(env, t);
}

/** The servers that track this one lose what they inherited of it and it has no more, and so do those that track them. */
function releaseTrackers(env: StateEnv, t: Target): void {
  const now = serverWord(env.memory, t, 'admin');
  const gone = (now & ADMIN_MAINT ? 0 : ADMIN_INHERITED_MAINT) | (now & ADMIN_DRAIN ? 0 : ADMIN_INHERITED_DRAIN);
  for (const tracker of trackersOf(env, t)) {
    const admin = serverWord(env.memory, tracker, 'admin');
    if ((admin & gone) === 0) continue;
    setServerWord(env.memory, tracker, 'admin', admin & ~gone);
    released(env, tracker, admin, 'inherited');
    releaseTrackers(env, tracker);
  }
}

/** The operator let it go, but there is another reason for its maintenance. */
function remains(env: StateEnv, t: Target): void {
  env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} is leaving forced maintenance but remains in maintenance.`);
}

/** Flags were taken away; `before` are those it had. */
function released(env: StateEnv, t: Target, before: number, how: 'forced' | 'inherited'): void {
  const { memory } = env;
  const now = serverWord(memory, t, 'admin');
  if (now & ADMIN_MAINT) {
    if (before & ~now & ADMIN_FORCED_MAINT) remains(env, t);
    return;
  }
  const down = (): string => (serverWord(memory, t, 'oper') === OPER_STOPPED ? 'DOWN' : 'UP');
  if (before & ADMIN_MAINT) {
    leaveMaint(env, t);
    const mode = now & ADMIN_DRAIN ? 'DRAIN' : 'READY';
    change(env, t, LOG_NOTICE, () => `${subject(t)} is ${down()}/${mode} (leaving ${how} maintenance).`);
  } else if ((now & ADMIN_DRAIN) === 0) {
    stamp(env, t);
    change(env, t, LOG_NOTICE, () => `${subject(t)} is ${down()} (leaving ${how} drain).`);
  }
}

/** `set server health`: as if checks had said so. The place on their scale goes along, so that the next one agrees. */
export function forceHealth(env: StateEnv, t: Target, health: 'up' | 'stopping' | 'down', cause: string): void {
  const top = serverWord(env.memory, t, 'check_rise') + serverWord(env.memory, t, 'check_fall') - 1;
  setServerWord(env.memory, t, 'check_health', health === 'down' ? 0 : Math.max(0, top));
  if (health === 'up') setRunning(env, t, cause);
  else if (health === 'down') setStopped(env, t, cause);
  else setStopping(env, t, cause);
}

/** Sets the weight the operator wants, 0..256. Nothing is logged, as in HAProxy. */
export function setWeight(env: StateEnv, t: Target, weight: number): void {
  if (!(weight >= 0 && weight <= WEIGHT_MAX))
    throw new RangeError(`health: weight ${weight} is not in 0..${WEIGHT_MAX}`);
  setServerWord(env.memory, t, 'uweight', weight);
  change(env, t, LOG_NOTICE, null);
}

/** One step of `slowstart`: call from time to time while the server is STARTING; it becomes RUNNING at the end. */
export function warm(env: StateEnv, t: Target): void {
  if (serverWord(env.memory, t, 'oper') === OPER_STARTING) change(env, t, LOG_NOTICE, null);
}

/** What every change ends with: derived words, the backend's own state, doorbells, the log. */
function change(env: StateEnv, t: Target, level: number, event: ((xferred: number) => string) | null): void {
  const before = usableServers(env, t);
  advanceRamp(env, t);
  settle(env, t);
  const after = usableServers(env, t);
  // Requests that wait for this very server go elsewhere when it can take them no more.
  const xferred = serverWord(env.memory, t, 'eweight') === 0 ? serverWord(env.memory, t, 'queued') : 0;
  if ((before === 0) !== (after === 0)) backendChange(env, t.proxy, after > 0);
  ringAll(env.memory);
  if (event) env.log(level, t.proxy.index, event(xferred));
  if (before > 0 && after === 0) {
    const kind = t.proxy.kind === 'listen' ? 'proxy' : 'backend';
    env.log(LOG_EMERG, t.proxy.index, `${kind} ${t.proxy.name} has no server available!`, NO_MAIL);
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
  if (t.server.shutdownWhenDown) addServerWord(env.memory, t, 'downs', 1);
  stamp(env, t);
}

function goUp(env: StateEnv, t: Target): void {
  leaveDown(env, t);
  setServerWord(env.memory, t, 'oper', t.server.slowstartMs > 0 ? OPER_STARTING : OPER_RUNNING);
  const serves = serverWord(env.memory, t, 'uweight') > 0 && !(serverWord(env.memory, t, 'admin') & ADMIN_DRAIN);
  if (t.server.shutdownBackupsWhenUp && !t.server.backup && serves) addServerWord(env.memory, t, 'ups', 1);
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

/** Out of maintenance a server is as the one that it tracks, or as `init-state` says: up until a check says otherwise. */
function leaveMaint(env: StateEnv, t: Target): void {
  const tracked = trackedBy(env, t);
  const { health, up } = firstState(t.server);
  setServerWord(env.memory, t, 'check_health', health);
  if (tracked === null ? up : serverWord(env.memory, tracked, 'oper') !== OPER_STOPPED) goUp(env, t);
  else stamp(env, t);
}

/** Where a server begins: its place on the scale of its checks, and whether it is up. Manual 5.2, `init-state`. */
export function firstState({ check, initState }: Server): { health: number; up: boolean } {
  if (check === null) return { health: 0, up: initState !== 'down' && initState !== 'fully-down' };
  const { rise, fall } = check;
  if (initState === 'fully-up') return { health: rise + fall - 1, up: true };
  if (initState === 'down') return { health: rise - 1, up: false };
  if (initState === 'fully-down') return { health: 0, up: false };
  // One failure takes it down.
  return { health: rise, up: true };
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
