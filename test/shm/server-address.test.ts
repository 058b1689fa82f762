import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { readAddress, type WrittenAddress, writeAddress } from '../../engine/shm/server-address.ts';
import fc from '../properties.ts';

test('what is written is read', () => {
  const words = new Int32Array(new SharedArrayBuffer(64));
  expect(readAddress(words, 4).family).toBeNull();
  const port = fc.integer({ min: -0xffff, max: 0xffff });
  const bytes = (n: number) => fc.uint8Array({ minLength: n, maxLength: n });
  const address = fc.oneof(
    fc.record({ family: fc.constant(4 as const), bytes: bytes(4), port, relative: fc.boolean() }),
    fc.record({ family: fc.constant(6 as const), bytes: bytes(16), port, relative: fc.boolean() }),
    fc.record({ family: fc.constant(null), bytes: bytes(0), port, relative: fc.boolean() }),
  );
  fc.assert(
    fc.property(address, (written: WrittenAddress) => {
      writeAddress(words, 4, written);
      expect(readAddress(words, 4)).toEqual(written);
    }),
  );
});

test('a reader never sees half of an address that another thread writes', async () => {
  const memory = new SharedArrayBuffer(64);
  const words = new Int32Array(memory);
  const writer = new Worker(
    `const { workerData } = require('node:worker_threads');
     import(workerData.module).then(({ writeAddress }) => {
       const words = new Int32Array(workerData.memory);
       for (let n = 1; Atomics.load(words, 15) === 0; n = (n % 250) + 1)
         writeAddress(words, 0, { family: 6, bytes: new Uint8Array(16).fill(n), port: n, relative: false });
     });`,
    { eval: true, workerData: { memory, module: new URL('../../engine/shm/server-address.ts', import.meta.url).href } },
  );
  let seen = 0;
  while (seen < 20_000) {
    const { family, bytes, port } = readAddress(words, 0);
    if (family === null) await new Promise(resolve => setImmediate(resolve));
    else {
      seen++;
      expect(bytes.every(byte => byte === port)).toBe(true);
    }
  }
  Atomics.store(words, 15, 1);
  await new Promise(resolve => writer.once('exit', resolve));
});
