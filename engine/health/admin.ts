/** What the form of the statistics page does to servers (`stats admin`); also the long names of the runtime API. */
import type { Proxy, Server } from '../config/model.ts';
import type { Action } from '../stats/html.ts';
import {
  type StateEnv,
  setDrain,
  setMaint,
  setReady,
  setRunning,
  setStopped,
  setStopping,
  type Target,
  targetOf,
} from './state.ts';

const CAUSE = ', changed from the statistics page.';

const DOES: Readonly<Record<Action, (env: StateEnv, target: Target) => void>> = {
  ready: setReady,
  drain: setDrain,
  maint: setMaint,
  hrunn: (env, t) => setRunning(env, t, CAUSE),
  hnolb: (env, t) => setStopping(env, t, CAUSE),
  hdown: (env, t) => setStopped(env, t, CAUSE),
};

/** Does `action` to each server; returns how many there were. */
export function administer(env: StateEnv, proxy: Proxy, action: Action, servers: readonly Server[]): number {
  for (const server of servers) DOES[action](env, targetOf(env, proxy, server));
  return servers.length;
}
