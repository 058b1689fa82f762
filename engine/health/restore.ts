/** What a state file said of a server (manual, `load-server-state-from-file`), put over what the configuration says. */
import type { SavedState } from '../config/server-model.ts';
import { isNowhere } from '../io/address.ts';
import type { Address } from '../io/contract.ts';
import { writeAddress } from '../shm/server-address.ts';
import {
  ADMIN_CONFIG_MAINT,
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_ENABLED,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
  SERVER,
} from '../shm/words.ts';
import { CHECK_STATUSES } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';
import { advanceRamp } from './weights.ts';

/** HAProxy's bits in `srv_check_state` and `srv_agent_state`. */
const SAVED_CONFIGURED = 2;
const SAVED_ENABLED = 4;

export function restore(env: StateEnv, t: Target, saved: SavedState): void {
  const set = (field: Parameters<typeof setServerWord>[2], value: number): void =>
    setServerWord(env.memory, t, field, value);
  const second = Math.floor(env.now() / 1000);
  set('last_change', second - Math.min(saved.secondsSinceChange, second));
  // A weight that the configuration has changed meanwhile counts more than what an operator once wanted.
  if (saved.initialWeight === t.server.weight) set('uweight', saved.userWeight);
  set('admin', adminNow(serverWord(env.memory, t, 'admin'), saved.admin));
  const wasDisabled = (state: number): boolean => (state & SAVED_CONFIGURED) !== 0 && (state & SAVED_ENABLED) === 0;
  if (wasDisabled(saved.agentState)) disable(env, t, 'agent_on');
  if (wasDisabled(saved.checkState)) disable(env, t, 'check_on');
  if (t.server.check !== null && saved.checkStatus < CHECK_STATUSES.length) set('check_status', saved.checkStatus);
  const maint = (serverWord(env.memory, t, 'admin') & (ADMIN_FORCED_MAINT | ADMIN_RESOLUTION_MAINT)) !== 0;
  const { oper, health } = maint ? { oper: OPER_STOPPED, health: 0 } : goOn(env, t, saved);
  set('oper', oper);
  set('check_health', health);
  // A slow start begins again.
  if (oper === OPER_STARTING) set('last_change', second);
  advanceRamp(env, t);
  restoreAddresses(env, t, saved);
}

/** How a server in some state begins, as with HAProxy: between up and down its place on the scale stays if it can. */
function goOn({ memory }: StateEnv, t: Target, saved: SavedState): { oper: number; health: number } {
  const rise = serverWord(memory, t, 'check_rise');
  const fall = serverWord(memory, t, 'check_fall');
  const top = rise + fall - 1;
  const { oper, checkHealth } = saved;
  const within = (from: number, to: number, otherwise: number): number =>
    checkHealth >= from && checkHealth <= to ? checkHealth : otherwise;
  if (oper === OPER_RUNNING || (oper === OPER_STARTING && rise === 1)) return { oper: OPER_RUNNING, health: top };
  if (oper === OPER_STARTING) {
    return { oper: t.server.slowstartMs > 0 ? oper : OPER_RUNNING, health: within(1, rise - 1, rise - 1) };
  }
  if (oper === OPER_STOPPING && fall > 1) return { oper, health: within(rise, top - 1, rise) };
  return { oper: OPER_STOPPED, health: 0 };
}

/** Where it was, its checks went and its agent was asked, if that was set at run time. */
function restoreAddresses({ memory }: StateEnv, { server, number }: Target, saved: SavedState): void {
  const write = (field: 'addr' | 'check_addr' | 'agent_addr', address: Address | null, port: number): void => {
    const family = address === null ? null : address.family;
    const bytes = address?.bytes ?? new Uint8Array(0);
    writeAddress(memory.words, memory.server(number) + SERVER.at[field], { family, bytes, port, relative: false });
  };
  const { address, portRelative, check, agent } = server;
  const moved = saved.port !== 0 && saved.port !== address.port;
  if (moved && !portRelative && address.family !== 1 && !isNowhere(address)) write('addr', address, saved.port);
  if (check !== null && (saved.checkAddress !== null || saved.checkPort !== 0)) {
    write('check_addr', saved.checkAddress, saved.checkPort);
  }
  if (agent !== null && (saved.agentAddress !== null || saved.agentPort !== 0)) {
    write('agent_addr', saved.agentAddress, saved.agentPort);
  }
}

function disable(env: StateEnv, t: Target, field: 'check_on' | 'agent_on'): void {
  setServerWord(env.memory, t, field, serverWord(env.memory, t, field) & ~CHECK_ENABLED);
}

/**
 * What an operator forced stays. Maintenance by `disabled` goes and comes with that word, unless the server was disabled
 * before too: then an operator may have enabled it.
 */
function adminNow(configured: number, saved: number): number {
  const found = configured & ~(ADMIN_FORCED_MAINT | ADMIN_CONFIG_MAINT);
  const forced = saved & (ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN);
  const before = (saved & ADMIN_CONFIG_MAINT) !== 0;
  if ((configured & ADMIN_CONFIG_MAINT) === 0) return found | (before ? forced & ~ADMIN_FORCED_MAINT : forced);
  return before ? found | ADMIN_CONFIG_MAINT | forced : configured;
}
