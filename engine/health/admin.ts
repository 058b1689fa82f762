/** What the form of the statistics page does to servers (`stats admin`); also the long names of the runtime API. */
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { ADMIN_FORCED_DRAIN, ADMIN_FORCED_MAINT } from '../shm/words.ts';
import type { Action } from '../stats/html.ts';
import { enableChecks, forceAgent, killStreams } from './operator.ts';
import { forceHealth, setDrain, setMaint, setReady } from './state.ts';
import { type StateEnv, serverWord, type Target, targetOf } from './target.ts';

const CAUSE = ', changed from Web interface';

const DOES: Readonly<Record<Action, Does>> = {
  ready: setReady,
  drain: setDrain,
  maint: setMaint,
  hrunn: (env, t) => forceHealth(env, t, 'up', CAUSE),
  hnolb: (env, t) => forceHealth(env, t, 'stopping', CAUSE),
  hdown: (env, t) => forceHealth(env, t, 'down', CAUSE),
  ehlth: (env, t) => enableChecks(env, t, 'check', true),
  dhlth: (env, t) => enableChecks(env, t, 'check', false),
  eagent: (env, t) => enableChecks(env, t, 'agent', true),
  dagent: (env, t) => enableChecks(env, t, 'agent', false),
  arunn: (env, t) => forceAgent(env, t, 'up', CAUSE),
  adown: (env, t) => forceAgent(env, t, 'down', CAUSE),
  shutdown: killStreams,
  disable: unless(ADMIN_FORCED_MAINT, setMaint),
  enable: when(ADMIN_FORCED_MAINT, setReady),
  stop: unless(ADMIN_FORCED_DRAIN, setDrain),
  start: when(ADMIN_FORCED_DRAIN, setReady),
};

type Does = (env: StateEnv, target: Target) => unknown;

function when(flag: number, act: Does): Does {
  return (env, t) => (serverWord(env.memory, t, 'admin') & flag ? act(env, t) : false);
}

function unless(flag: number, act: Does): Does {
  return (env, t) => (serverWord(env.memory, t, 'admin') & flag ? false : act(env, t));
}

/** Does `action` to each server; returns to how many: one without an agent, say, cannot have its agent stopped. */
export function administer(env: StateEnv, proxy: Proxy, action: Action, servers: readonly Server[]): number {
  return servers.filter(server => DOES[action](env, targetOf(env, proxy, server)) !== false).length;
}
