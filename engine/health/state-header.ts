/** The value of `X-Haproxy-Server-State` (manual, `http-check send-state`). */
import { hostname } from 'node:os';
import { hostText } from '../io/address.ts';
import { CUR_SESS } from '../shm/counters.ts';
import { LiveAddress } from '../shm/server-address.ts';
import { OPER_STOPPED, OPER_STOPPING } from '../shm/words.ts';
import { type StateEnv, serverWord, type Target, targetOf } from './target.ts';

export function stateHeader(env: StateEnv, t: Target): string {
  const { address } = new LiveAddress(env.memory, t.number, t.server);
  const unix = address.family === 1;
  let weights = 0;
  let sessions = 0;
  for (const server of t.proxy.servers) {
    const other = targetOf(env, t.proxy, server);
    weights += serverWord(env.memory, other, 'eweight');
    sessions += env.memory.sum('server', other.number, CUR_SESS);
  }
  return [
    stateWord(env, t),
    `address=${unix ? 'unix' : hostText(address)}`,
    `port=${unix ? 'unix' : address.port}`,
    `name=${t.proxy.name}/${t.server.name}`,
    `node=${env.model.global.node ?? hostname()}`,
    `weight=${serverWord(env.memory, t, 'eweight')}/${weights}`,
    `scur=${env.memory.sum('server', t.number, CUR_SESS)}/${sessions}`,
    `qcur=${serverWord(env.memory, t, 'queued')}`,
  ].join('; ');
}

/** `UP`, `DOWN`, `NOLB`, with the place on the scale while it is on its way: `UP 2/3`. */
function stateWord(env: StateEnv, t: Target): string {
  const health = serverWord(env.memory, t, 'check_health');
  const rise = serverWord(env.memory, t, 'check_rise');
  const fall = serverWord(env.memory, t, 'check_fall');
  const oper = serverWord(env.memory, t, 'oper');
  if (oper === OPER_STOPPED) return health > 0 ? `DOWN ${health}/${rise}` : 'DOWN';
  const word = oper === OPER_STOPPING ? 'NOLB' : 'UP';
  return health < rise + fall - 1 ? `${word} ${health - rise + 1}/${fall}` : word;
}
