import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { ADMIN_CONFIG_MAINT, OPER_RUNNING } from '../../engine/shm/words.ts';
import { modelOf, worldOf } from './fixture.ts';

test('two threads that change the same servers leave eweight, act and bck right', async () => {
  const servers = [{}, { weight: 2 }, { backup: true }];
  const world = worldOf(modelOf(servers));
  const go = new Int32Array(new SharedArrayBuffer(4));
  const workerData = { buffer: world.env.memory.buffer, servers, go, steps: 20_000 };
  const ended = [0, 1].map(
    () =>
      new Promise<number>((resolve, reject) => {
        const worker = new Worker(new URL('./race-worker.ts', import.meta.url), { workerData });
        worker.once('error', reject).once('exit', resolve);
      }),
  );
  expect(await Promise.all(ended)).toEqual([0, 0]);
  const usable = servers.map((_, i) => {
    const up = world.word(i, 'oper') === OPER_RUNNING && (world.word(i, 'admin') & ~ADMIN_CONFIG_MAINT) === 0;
    expect(world.word(i, 'eweight')).toBe(up ? world.word(i, 'uweight') : 0);
    return world.word(i, 'eweight') > 0 ? 1 : 0;
  });
  expect([world.px('act'), world.px('bck')]).toEqual([usable[0]! + usable[1]!, usable[2]!]);
});
