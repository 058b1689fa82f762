import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { listenDoorbell, ring, ringAll } from '../../engine/shm/doorbell.ts';
import { Memory } from '../../engine/shm/memory.ts';
import { WORKER } from '../../engine/shm/words.ts';

const SHAPE = { workers: 2, proxies: 0, listeners: 0, servers: 0, rings: 0, nameservers: 0, ports: 0 };
const turn = () => new Promise(resolve => setImmediate(resolve));

/** Lets turns of the loop go by until `done`. */
async function until(done: () => boolean): Promise<void> {
  for (let i = 0; i < 10_000 && !done(); i++) await turn();
}

test('a ring in the same thread comes as a later event; many rings are one call', async () => {
  const memory = Memory.create(SHAPE);
  let calls = 0;
  const bell = listenDoorbell(memory, 0, () => calls++);
  for (let i = 0; i < 100; i++) ring(memory, 0);
  expect(calls).toBe(0);
  await until(() => calls > 0);
  await turn();
  expect(calls).toBe(1);
  ring(memory, 1);
  await turn();
  expect(calls).toBe(1);
  ringAll(memory);
  await until(() => calls > 1);
  bell.stop();
  ring(memory, 0);
  for (let i = 0; i < 10; i++) await turn();
  expect(calls).toBe(2);
});

test('a ring before anyone listens is not lost', async () => {
  const memory = Memory.create(SHAPE);
  ring(memory, 0);
  let calls = 0;
  const bell = listenDoorbell(memory, 0, () => calls++);
  await until(() => calls > 0);
  bell.stop();
  expect(calls).toBe(1);
  expect(memory.words[memory.worker(0) + WORKER.at.doorbell]).toBe(0);
});

test('a ring during onRing makes another call, without starving the loop', async () => {
  const memory = Memory.create(SHAPE);
  let calls = 0;
  const bell = listenDoorbell(memory, 0, () => {
    calls++;
    ring(memory, 0);
  });
  ring(memory, 0);
  for (let i = 0; i < 50; i++) await turn();
  bell.stop();
  expect(calls).toBeGreaterThan(5);
  expect(calls).toBeLessThan(200);
});

test('another thread wakes, sees what was written before the ring, and ends by itself after stop', async () => {
  const memory = Memory.create(SHAPE);
  const counts = new Int32Array(new SharedArrayBuffer(8 * 4));
  const worker = new Worker(new URL('./doorbell-worker.ts', import.meta.url), {
    workerData: { buffer: memory.buffer, counts },
  });
  const ended = new Promise<number>(resolve => worker.once('exit', resolve));
  const ready = Atomics.waitAsync(counts, 4, 0);
  if (ready.async) await ready.value;
  for (let i = 1; i <= 200; i++) {
    const seen = Atomics.load(counts, 0);
    Atomics.store(counts, 3, i);
    if (i === 200) Atomics.store(counts, 2, 1);
    ring(memory, 0);
    const woken = Atomics.waitAsync(counts, 0, seen, 5000);
    if (woken.async) expect(await woken.value).toBe('ok');
    while (Atomics.load(counts, 1) < i) await turn();
  }
  expect(Atomics.load(counts, 1)).toBe(200);
  expect(await ended).toBe(0);
});
