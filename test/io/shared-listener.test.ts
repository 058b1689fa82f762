import { once } from 'node:events';
import net from 'node:net';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { parseIp } from '../../engine/io/address.ts';
import { closeFd, dupListener, openListener } from '../../engine/io/bind.ts';
import { PLAIN_SPEC } from './plain-spec.ts';
import { URING_HERE } from './worlds.ts';

/** Connects and gives all that the other side sends. */
function ask(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1');
    socket.on('data', data => {
      text += data;
    });
    socket.on('end', () => resolve(text));
    socket.on('error', reject);
  });
}

test.each(URING_HERE ? ['net', 'uring'] : ['net'])(
  'two workers on %s share a listening socket; ending one leaves the other serving',
  async io => {
    const made = openListener({ ...PLAIN_SPEC, address: parseIp('127.0.0.1', 0) });
    if (!('fd' in made)) throw new Error(made.message);
    const { port } = made.address;
    const start = async () => {
      const worker = new Worker(new URL('./shared-listener-worker.ts', import.meta.url), {
        workerData: { io, fd: dupListener(made.fd) },
      });
      await once(worker, 'message');
      return worker;
    };
    const first = await start();
    const names = new Set<string>();
    for (let i = 0; i < 5; i++) names.add(await ask(port));
    expect([...names]).toEqual([String(first.threadId)]);

    const second = await start();
    for (let i = 0; i < 200 && names.size < 2; i++)
      for (const n of await Promise.all([1, 2, 3, 4].map(() => ask(port)))) names.add(n);
    expect(names).toEqual(new Set([String(first.threadId), String(second.threadId)]));

    const survivor = String(second.threadId);
    await first.terminate();
    for (let i = 0; i < 30; i++) expect(await ask(port)).toBe(survivor);
    await second.terminate();
    closeFd(made.fd);
  },
);
