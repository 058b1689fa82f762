/**
 * What all changes of a server's state share: the words that come with going up and down, and what a change ends with
 * (derived words, the backend's own state, doorbells, the log). Only state.ts uses it.
 */
import type { Server } from '../config/server-model.ts';
import { ringAll } from '../shm/doorbell.ts';
import type { Memory } from '../shm/memory.ts';
import {
  ADMIN_DRAIN,
  ADMIN_MAINT,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
  PROXY,
} from '../shm/words.ts';
import { isLeft } from './leaving.ts';
import { LOG_ALERT, LOG_EMERG, LOG_NOTICE, NO_MAIL } from './log.ts';
import { addServerWord, type StateEnv, serverWord, setServerWord, type Target } from './target.ts';
import { advanceRamp, settle } from './weights.ts';

const PX = PROXY.at;

/** The scale of a server whose line does not say one. It has one without checks too: `set server health` moves it. */
export const USUAL = { rise: 2, fall: 3 } as const;

/** What every change ends with: derived words, the backend's own state, doorbells, the log. */
export function change(
  env: StateEnv,
  t: Target,
  level: number,
  event: ((xferred: number) => string) | null,
  mailLevel: number = level,
): void {
  const before = usableServers(env, t);
  advanceRamp(env, t);
  settle(env, t);
  const after = usableServers(env, t);
  const goElsewhere = isLeft(env.memory.words, env.memory.server(t.number), t.proxy);
  const xferred = goElsewhere ? serverWord(env.memory, t, 'queued') : 0;
  if ((before === 0) !== (after === 0)) backendChange(env, t.proxy, after > 0);
  ringAll(env.memory);
  if (event) env.log(level, t.proxy.index, event(xferred), mailLevel);
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

export function goDown(env: StateEnv, t: Target): void {
  setServerWord(env.memory, t, 'oper', OPER_STOPPED);
  addServerWord(env.memory, t, 'down_trans', 1);
  if (t.server.shutdownWhenDown) addServerWord(env.memory, t, 'downs', 1);
  stamp(env, t);
}

export function goUp(env: StateEnv, t: Target): void {
  leaveDown(env, t);
  setServerWord(env.memory, t, 'oper', t.server.slowstartMs > 0 ? OPER_STARTING : OPER_RUNNING);
  const serves = serverWord(env.memory, t, 'uweight') > 0 && !(serverWord(env.memory, t, 'admin') & ADMIN_DRAIN);
  if (t.server.shutdownBackupsWhenUp && !t.server.backup && serves) addServerWord(env.memory, t, 'ups', 1);
}

/** Counts the time down, if it was down, and stamps the change. */
export function leaveDown(env: StateEnv, t: Target): void {
  const { memory } = env;
  if (serverWord(memory, t, 'oper') === OPER_STOPPED) {
    const second = Math.floor(env.now() / 1000);
    addServerWord(memory, t, 'down_time', second - serverWord(memory, t, 'last_change'));
  }
  stamp(env, t);
}

/** Where a server begins: its place on the scale of its checks, and whether it is up. Manual 5.2, `init-state`. */
export function firstState({ check, initState }: Server): { health: number; up: boolean } {
  const { rise, fall } = check ?? USUAL;
  if (initState === 'fully-up') return { health: rise + fall - 1, up: true };
  if (initState === 'down') return { health: rise - 1, up: false };
  if (initState === 'fully-down') return { health: 0, up: false };
  // One failure takes it down.
  return { health: rise, up: true };
}

export function stamp(env: StateEnv, t: Target): void {
  setServerWord(env.memory, t, 'last_change', Math.floor(env.now() / 1000));
}

export function inMaint(memory: Memory, t: Target): boolean {
  return (serverWord(memory, t, 'admin') & ADMIN_MAINT) !== 0;
}

/** A server that took no new traffic any more is no loss. */
export function lossLevel(oper: number, admin: number): number {
  return oper === OPER_STOPPING || (admin & ADMIN_DRAIN) !== 0 ? LOG_NOTICE : LOG_ALERT;
}
