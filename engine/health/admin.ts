/** What the form of the statistics page does to servers (`stats admin`); also the long names of the runtime API. */
import type { Proxy, Server } from '../config/model.ts';
import type { Action } from '../stats/html.ts';
import { forceHealth, setDrain, setMaint, setReady } from './state.ts';
import { type StateEnv, type Target, targetOf } from './target.ts';

const CAUSE = ', changed from Web interface';

const DOES: Readonly<Record<Action, (env: StateEnv, target: Target) => void>> = {
  ready: setReady,
  drain: setDrain,
  maint: setMaint,
  hrunn: (env, t) => forceHealth(env, t, 'up', CAUSE),
  hnolb: (env, t) => forceHealth(env, t, 'stopping', CAUSE),
  hdown: (env, t) => forceHealth(env, t, 'down', CAUSE),
};

/** Does `action` to each server; returns how many there were. */
export function administer(env: StateEnv, proxy: Proxy, action: Action, servers: readonly Server[]): number {
  for (const server of servers) DOES[action](env, targetOf(env, proxy, server));
  return servers.length;
}
