/** What the logs of a proxy, and the terminal, are told when it rests, goes on, or stops. */
import type { Proxy } from '../config/proxy-model.ts';
import { kindOf } from '../config/subjects.ts';
import { CUM_CONN } from '../shm/counters.ts';
import type { Memory } from '../shm/memory.ts';
import { FE_OPEN, FE_PAUSED } from '../shm/words.ts';

/** `state`: the one that it is in from now on. */
export function frontendNews(memory: Memory, proxy: Proxy, state: number): string {
  const { name, index } = proxy;
  const what = `${kindOf(proxy)} ${name}`;
  if (state === FE_PAUSED) return `Paused ${what}.`;
  if (state === FE_OPEN) return `Resumed ${what}.`;
  const [frontend, backend] = [memory.sum('frontend', index, CUM_CONN), memory.sum('backend', index, CUM_CONN)];
  return `Proxy ${name} stopped (cumulated conns: FE: ${frontend}, BE: ${backend}).`;
}
