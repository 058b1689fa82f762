/** What a state file said of a server (manual, `load-server-state-from-file`), put over what the configuration says. */
import type { SavedState } from '../config/server-model.ts';
import { WEIGHT_MAX } from '../limits.ts';
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
} from '../shm/words.ts';
import { CHECK_STATUSES } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target } from './target.ts';

/** HAProxy's bit for an enabled check in `srv_check_state` and `srv_agent_state`. */
const SAVED_ENABLED = 4;

export function restore(env: StateEnv, t: Target, saved: SavedState): void {
  const set = (field: Parameters<typeof setServerWord>[2], value: number): void =>
    setServerWord(env.memory, t, field, value);
  const second = Math.floor(env.now() / 1000);
  set('last_change', second - Math.min(saved.secondsSinceChange, second));
  // A weight that the configuration has changed meanwhile counts more than what an operator once wanted.
  if (saved.initialWeight === t.server.weight) set('uweight', Math.min(saved.userWeight, WEIGHT_MAX));
  set('admin', adminNow(serverWord(env.memory, t, 'admin'), saved.admin));
  if (saved.agentState !== 0 && (saved.agentState & SAVED_ENABLED) === 0) disable(env, t, 'agent_on');
  const maint = (serverWord(env.memory, t, 'admin') & (ADMIN_FORCED_MAINT | ADMIN_RESOLUTION_MAINT)) !== 0;
  if (maint) set('oper', OPER_STOPPED);
  const { check } = t.server;
  if (check === null) return;
  if (saved.checkState !== 0 && (saved.checkState & SAVED_ENABLED) === 0) disable(env, t, 'check_on');
  if (saved.checkStatus < CHECK_STATUSES.length) set('check_status', saved.checkStatus);
  const top = check.rise + check.fall - 1;
  const up = saved.oper !== OPER_STOPPED;
  // On its way down or up it goes on from where it was, if the scale is still long enough.
  const within = up ? saved.checkHealth >= check.rise : saved.checkHealth < check.rise;
  set('check_health', within && saved.checkHealth <= top ? saved.checkHealth : up ? top : 0);
  if (maint) return;
  const known = [OPER_STOPPED, OPER_STARTING, OPER_RUNNING, OPER_STOPPING].includes(saved.oper);
  if (known) set('oper', saved.oper === OPER_STARTING && t.server.slowstartMs === 0 ? OPER_RUNNING : saved.oper);
}

function disable(env: StateEnv, t: Target, field: 'check_on' | 'agent_on'): void {
  setServerWord(env.memory, t, field, serverWord(env.memory, t, field) & ~CHECK_ENABLED);
}

/** What an operator forced stays; maintenance that only came from an older configuration's `disabled` does not. */
function adminNow(configured: number, saved: number): number {
  const forced = saved & ADMIN_CONFIG_MAINT ? saved & ~ADMIN_FORCED_MAINT : saved;
  return configured | (forced & (ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN));
}
