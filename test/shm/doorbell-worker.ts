/** Listens to the doorbell of worker 0 and counts in a shared word; ends when the count's neighbour says so. */
import { workerData } from 'node:worker_threads';
import { listenDoorbell } from '../../engine/shm/doorbell.ts';
import { Memory } from '../../engine/shm/memory.ts';

const { buffer, counts } = workerData as { buffer: SharedArrayBuffer; counts: Int32Array };
// A waiting doorbell keeps no thread alive by itself.
const alive = setInterval(() => {}, 1000);
const memory = Memory.attach(buffer);
const bell = listenDoorbell(memory, 0, () => {
  // What was written before the ring must be seen here.
  Atomics.store(counts, 1, Atomics.load(counts, 3));
  Atomics.add(counts, 0, 1);
  Atomics.notify(counts, 0);
  if (Atomics.load(counts, 2) === 1) {
    bell.stop();
    clearInterval(alive);
  }
});
Atomics.store(counts, 4, 1);
Atomics.notify(counts, 4);
