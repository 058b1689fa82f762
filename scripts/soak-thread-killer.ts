/** Loaded before Sluice by soak.ts: ends a random thread whenever its parent says so. */
import type { Worker } from 'node:worker_threads';

const threads = new Set<Worker>();
process.on('worker', thread => {
  threads.add(thread);
  thread.once('exit', () => threads.delete(thread));
});
process.on('message', () => {
  const all = [...threads];
  void all[Math.floor(Math.random() * all.length)]?.terminate();
});
process.channel?.unref();
