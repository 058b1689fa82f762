/** How much of the last second the workers worked, in percent: each says so once a second (`busy_permille`). */
import type { Memory } from './memory.ts';
import { WORKER } from './words.ts';

/** That of one worker. */
export function loadOf(memory: Memory, worker: number): number {
  return Math.round(read(memory, worker, 'busy_permille') / 10);
}

/** The mean of those that are alive. */
export function meanLoad(memory: Memory): number {
  let busy = 0;
  let alive = 0;
  for (let w = 0; w < memory.shape.workers; w++) {
    if (read(memory, w, 'alive') === 0) continue;
    alive++;
    busy += read(memory, w, 'busy_permille');
  }
  return alive === 0 ? 0 : Math.min(100, Math.round(busy / alive / 10));
}

function read(memory: Memory, worker: number, field: keyof typeof WORKER.at): number {
  return Atomics.load(memory.words, memory.worker(worker) + WORKER.at[field]);
}
