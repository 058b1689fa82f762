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
import { WEIGHT_MAX } from '../limits.ts';
import {
  ADMIN_DRAIN,
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINT,
  ADMIN_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_ENABLED,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
} from '../shm/words.ts';
import { change, firstState, goDown, goUp, inMaint, leaveDown, lossLevel, stamp } from './change.ts';
import { LOG_NOTICE, NO_MAIL } from './log.ts';
import { left, online, subject } from './state-texts.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';
import { trackedBy, trackersOf, via } from './track.ts';

/** Checks failed (or the operator said so): DOWN. `cause` continues the log line: `, reason: ...`. */
export function setStopped(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_STOPPED || inMaint(memory, t)) return;
  goDown(env, t);
  const level = lossLevel(was, serverWord(memory, t, 'admin'));
  change(env, t, level, xferred => `${subject(t)} is DOWN${cause}${left(env, t, xferred)}`);
  drainsOn(env, t);
  for (const tracker of trackersOf(env, t)) setStopped(env, tracker, via(t));
}

/** Checks pass again: UP, or STARTING with `slowstart`. */
export function setRunning(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  if (was === OPER_RUNNING || was === OPER_STARTING || inMaint(memory, t)) return;
  goUp(env, t);
  change(env, t, LOG_NOTICE, () => `${subject(t)} is UP${cause}${online(env, t)}`);
  drainsOn(env, t);
  for (const tracker of trackersOf(env, t)) setRunning(env, tracker, via(t));
}

/** The server answers but wants no new traffic (NOLB). */
export function setStopping(env: StateEnv, t: Target, cause: string): void {
  const { memory } = env;
  if (serverWord(memory, t, 'oper') === OPER_STOPPING || inMaint(memory, t)) return;
  becomeStopping(env, t);
  change(env, t, LOG_NOTICE, xferred => `${subject(t)} is stopping${cause}${online(env, t, xferred)}`);
  drainsOn(env, t);
  for (const tracker of trackersOf(env, t)) setStopping(env, tracker, via(t));
}

function becomeStopping(env: StateEnv, t: Target): void {
  leaveDown(env, t);
  setServerWord(env.memory, t, 'oper', OPER_STOPPING);
}

/** `set server state maint`, `disable server`. Leaves drain. */
export function setMaint(env: StateEnv, t: Target): void {
  const admin = (serverWord(env.memory, t, 'admin') & ~ADMIN_FORCED_DRAIN) | ADMIN_FORCED_MAINT;
  // It is there for another reason, and stays when that is gone.
  if (inMaint(env.memory, t)) setServerWord(env.memory, t, 'admin', admin);
  else enterMaint(env, t, admin, '');
  releaseTrackers(env, t);
}

/** `admin`: the flags from now on. What tracks it is in maintenance too. */
function enterMaint(env: StateEnv, t: Target, admin: number, cause: string): void {
  const { memory } = env;
  const was = serverWord(memory, t, 'oper');
  const before = serverWord(memory, t, 'admin');
  const checked = (serverWord(memory, t, 'check_on') & CHECK_ENABLED) !== 0;
  setServerWord(memory, t, 'admin', admin);
  if (checked || was !== OPER_STOPPED) setServerWord(memory, t, 'check_health', 0);
  if (was === OPER_STOPPED) {
    change(env, t, LOG_NOTICE, () => `${subject(t)} was DOWN and now enters maintenance${cause}.`, NO_MAIL);
  } else {
    goDown(env, t);
    const level = lossLevel(was, before);
    change(
      env,
      t,
      level,
      xferred => `${subject(t)} is going DOWN for maintenance${cause}${left(env, t, xferred)}`,
      NO_MAIL,
    );
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
    for (const tracker of trackersOf(env, t)) enterDrain(env, tracker, ADMIN_INHERITED_DRAIN, via(t));
    released(env, t, admin);
    releaseTrackers(env, t);
    return;
  }
  enterDrain(env, t, ADMIN_FORCED_DRAIN, '');
}

function enterDrain(env: StateEnv, t: Target, flag: number, cause: string): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if (admin & flag) return;
  setServerWord(memory, t, 'admin', admin | flag);
  if ((admin & (ADMIN_DRAIN | ADMIN_MAINT)) === 0) {
    stamp(env, t);
    const down = serverWord(memory, t, 'oper') === OPER_STOPPED;
    const end = (xferred: number): string => (down ? left : online)(env, t, xferred);
    change(env, t, LOG_NOTICE, xferred => `${subject(t)} enters drain state${cause}${end(xferred)}`);
  } else drainsOn(env, t);
  for (const tracker of trackersOf(env, t)) enterDrain(env, tracker, ADMIN_INHERITED_DRAIN, via(t));
}

/** `set server state ready`, `enable server`: leaves maintenance and drain. */
export function setReady(env: StateEnv, t: Target): void {
  const { memory } = env;
  const admin = serverWord(memory, t, 'admin');
  if ((admin & (ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN)) === 0) return;
  setServerWord(memory, t, 'admin', admin & ~(ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN));
  released(env, t, admin);
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
  const say = (text: string): void => env.log(LOG_NOTICE, t.proxy.index, text, NO_MAIL);
  if (now & ADMIN_MAINT) return say(`${who} resolves again but remains in maintenance.`);
  leaveMaint(env, t);
  const up = serverWord(memory, t, 'oper') === OPER_STOPPED ? 'DOWN' : 'UP';
  const mode = now & ADMIN_DRAIN ? 'DRAIN' : 'READY';
  change(env, t, LOG_NOTICE, () => `${who} is ${up}/${mode} (resolves again).`, NO_MAIL);
  drainsOn(env, t);
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
    released(env, tracker, admin);
    releaseTrackers(env, tracker);
  }
}

/** Flags were taken away; `before` are those it had. */
function released(env: StateEnv, t: Target, before: number): void {
  const { memory } = env;
  const now = serverWord(memory, t, 'admin');
  const down = (): string => (serverWord(memory, t, 'oper') === OPER_STOPPED ? 'DOWN' : 'UP');
  const forced = before & ~now & ADMIN_FORCED_MAINT ? 'forced ' : '';
  if (now & ADMIN_MAINT) {
    // One reason for its maintenance is gone, and there is another.
    const why = now & ADMIN_INHERITED_MAINT ? viaTracked(env, t) : '';
    const say = (text: string): void => env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} ${text}.`, NO_MAIL);
    if (forced) say(`is leaving forced maintenance but remains in maintenance${why}`);
    else if (before & ~now & ADMIN_INHERITED_MAINT) say('remains in forced maintenance');
  } else if (before & ADMIN_MAINT) {
    leaveMaint(env, t);
    const mode = now & ADMIN_DRAIN ? 'DRAIN' : 'READY';
    change(env, t, LOG_NOTICE, () => `${subject(t)} is ${down()}/${mode} (leaving ${forced}maintenance).`, NO_MAIL);
    drainsOn(env, t);
  } else if (now & ADMIN_DRAIN) drainsOn(env, t);
  else {
    stamp(env, t);
    change(env, t, LOG_NOTICE, () => `${subject(t)} is ${down()} (leaving forced drain).`, NO_MAIL);
  }
}

/** Whatever else changes, a server that is drained stays so, and the log says why. */
function drainsOn(env: StateEnv, t: Target): void {
  const admin = serverWord(env.memory, t, 'admin');
  if (admin & ADMIN_MAINT || (admin & ADMIN_DRAIN) === 0) return;
  const why =
    admin & ADMIN_FORCED_DRAIN
      ? 'remains in forced drain mode'
      : `is leaving forced drain but remains in drain mode${viaTracked(env, t)}`;
  env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} ${why}.`, NO_MAIL);
}

function viaTracked(env: StateEnv, t: Target): string {
  const tracked = trackedBy(env, t);
  return tracked === null ? '' : via(tracked);
}

/** `set server health`: as if checks had said so. The place on their scale goes along, so that the next one agrees. */
export function forceHealth(env: StateEnv, t: Target, health: 'up' | 'stopping' | 'down', cause: string): void {
  const top = serverWord(env.memory, t, 'check_rise') + serverWord(env.memory, t, 'check_fall') - 1;
  setServerWord(env.memory, t, 'check_health', health === 'down' ? 0 : Math.max(0, top));
  if (health === 'up') setRunning(env, t, cause);
  else if (health === 'down') setStopped(env, t, cause);
  else setStopping(env, t, cause);
}

/** Sets the weight the operator wants, 0..256. */
export function setWeight(env: StateEnv, t: Target, weight: number): void {
  if (!(weight >= 0 && weight <= WEIGHT_MAX))
    throw new RangeError(`health: weight ${weight} is not in 0..${WEIGHT_MAX}`);
  setServerWord(env.memory, t, 'uweight', weight);
  change(env, t, LOG_NOTICE, null);
  drainsOn(env, t);
}

/** One step of `slowstart`: call from time to time while the server is STARTING; it becomes RUNNING at the end. */
export function warm(env: StateEnv, t: Target): void {
  const oper = (): number => serverWord(env.memory, t, 'oper');
  if (oper() !== OPER_STARTING) return;
  change(env, t, LOG_NOTICE, null);
  if (oper() === OPER_RUNNING) env.log(LOG_NOTICE, t.proxy.index, `${subject(t)} is UP${online(env, t)}`);
  drainsOn(env, t);
}

/** Out of maintenance a server is as the one that it tracks, or as `init-state` says: up until a check says otherwise. */
function leaveMaint(env: StateEnv, t: Target): void {
  const { memory } = env;
  const tracked = trackedBy(env, t);
  const { health, up } = firstState(t.server);
  if (serverWord(memory, t, 'check_on') & CHECK_ENABLED) setServerWord(memory, t, 'check_health', health);
  const theirs = tracked === null ? (up ? OPER_RUNNING : OPER_STOPPED) : serverWord(memory, tracked, 'oper');
  if (theirs === OPER_STOPPED || isVetoed(env, t, 'agent')) stamp(env, t);
  else if (theirs === OPER_STOPPING) becomeStopping(env, t);
  else goUp(env, t);
}

/** This check of the server's has it down. */
export function isVetoed({ memory }: StateEnv, t: Target, kind: 'check' | 'agent'): boolean {
  const enabled = (serverWord(memory, t, `${kind}_on`) & CHECK_ENABLED) !== 0;
  return enabled && serverWord(memory, t, `${kind}_health`) < serverWord(memory, t, `${kind}_rise`);
}
