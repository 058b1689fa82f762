/** What operators do to a server beside its state (state.ts): its checks, its agent's word, its streams, its address. */
import { ringAll } from '../shm/doorbell.ts';
import { CHECK_CONFIGURED, CHECK_ENABLED, PROXY, SERVER } from '../shm/words.ts';
import { setRunning, setStopped } from './state.ts';
import { addServerWord, type StateEnv, serverWord, setServerWord, type Target } from './target.ts';

/** Lets the server's checks run, or not, or those of its agent. False when it has none. */
export function enableChecks(env: StateEnv, t: Target, kind: 'check' | 'agent', enabled: boolean): boolean {
  const at = env.memory.server(t.number) + SERVER.at[`${kind}_on`];
  if ((Atomics.load(env.memory.words, at) & CHECK_CONFIGURED) === 0) return false;
  if (enabled) Atomics.or(env.memory.words, at, CHECK_ENABLED);
  else Atomics.and(env.memory.words, at, ~CHECK_ENABLED);
  return true;
}

/** `set server agent`: as if the agent had said so. False when it is not asked. */
export function forceAgent(env: StateEnv, t: Target, health: 'up' | 'down', cause: string): boolean {
  if ((serverWord(env.memory, t, 'agent_on') & CHECK_ENABLED) === 0) return false;
  const top = serverWord(env.memory, t, 'agent_rise') + serverWord(env.memory, t, 'agent_fall') - 1;
  setServerWord(env.memory, t, 'agent_health', health === 'down' ? 0 : Math.max(0, top));
  if (health === 'up') setRunning(env, t, cause);
  else setStopped(env, t, cause);
  return true;
}

/** Ends all streams on the server: each worker does its own when its doorbell has rung (proxy/kill.ts). */
export function killStreams(env: StateEnv, t: Target): void {
  addServerWord(env.memory, t, 'kills', 1);
  lookAgain(env, t);
}

/** After its address has changed: workers look at the backend's servers when its generation has moved. */
export function lookAgain(env: StateEnv, t: Target): void {
  Atomics.add(env.memory.words, env.memory.proxy(t.proxy.index) + PROXY.at.generation, 1);
  ringAll(env.memory);
}
