/** What the log says of servers, word for word as HAProxy does. */
import { CUR_SESS } from '../shm/counters.ts';
import { PROXY } from '../shm/words.ts';
import { type StateEnv, serverWord, type Target } from './target.ts';

const PX = PROXY.at;

export function subject(t: Target): string {
  return `${t.server.backup ? 'Backup ' : ''}Server ${t.proxy.name}/${t.server.name}`;
}

function counts(env: StateEnv, t: Target, what: string): string {
  const px = env.memory.proxy(t.proxy.index);
  const act = Atomics.load(env.memory.words, px + PX.act);
  const bck = Atomics.load(env.memory.words, px + PX.bck);
  const onBackup = act === 0 && bck > 0 ? ' Running on backup.' : '';
  return `. ${act} active and ${bck} backup servers ${what}.${onBackup}`;
}

export function left(env: StateEnv, t: Target, xferred: number): string {
  const active = env.memory.sum('server', t.number, CUR_SESS);
  const remaining = serverWord(env.memory, t, 'queued') - xferred;
  return `${counts(env, t, 'left')} ${active} sessions active, ${xferred} requeued, ${Math.max(0, remaining)} remaining in queue.`;
}

/** What the server will take from the backend's queue is for the workers to see: they do it after the doorbell. */
export function online(env: StateEnv, t: Target, xferred = 0): string {
  const queued = serverWord(env.memory, t, 'queued') - xferred;
  return `${counts(env, t, 'online')} ${xferred} sessions requeued, ${Math.max(0, queued)} total in queue.`;
}
