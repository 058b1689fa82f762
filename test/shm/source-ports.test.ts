/** Ranges of source ports: no port twice, none lost, whatever threads do and die. */

import { expect, test } from 'vitest';
import { Memory, shapeOf } from '../../engine/shm/memory.ts';
import { PortRange, portsOf, reclaimPorts } from '../../engine/shm/source-ports.ts';
import { load } from '../config/load-text.ts';
import fc from '../properties.ts';

test('threads take ports from one range: each has others, and all that is given back can be taken again', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 9 }), fc.array(fc.nat(29), { maxLength: 80 }), (count, steps) => {
      const words = new Int32Array(count + 3);
      const threads = [0, 1, 2].map(thread => new PortRange(words, 1, 7000, count, thread));
      const held = new Map<number, number>();
      for (const step of steps) {
        const thread = step % 3;
        const mine = [...held].filter(([, owner]) => owner === thread);
        if (step < 20 || mine.length === 0) {
          const port = threads[thread]!.take();
          expect(port === 0).toBe(held.size === count);
          if (port === 0) continue;
          expect(held.has(port)).toBe(false);
          expect(port).toBeGreaterThanOrEqual(7000);
          expect(port).toBeLessThan(7000 + count);
          held.set(port, thread);
        } else {
          const [port] = mine[step % mine.length]!;
          threads[thread]!.give(port);
          held.delete(port);
        }
      }
      expect([words[0], words[count + 2]]).toEqual([0, 0]);
    }),
  );
});

test('a port that was given back rests until all others had their turn', () => {
  const range = new PortRange(new Int32Array(4), 0, 50, 3, 0);
  const taken = Array.from({ length: 5 }, () => {
    const port = range.take();
    range.give(port);
    return port;
  });
  expect(taken).toEqual([50, 51, 52, 50, 51]);
});

test('each server of a configuration has its own ports; what a dead thread had is free', () => {
  const model = load(`
backend b
  server-template t 2 127.0.0.1:80 source 127.0.0.1:1000-1001
  server plain 127.0.0.1:80 source 127.0.0.1:1000
  server s 127.0.0.1:80 source 127.0.0.1:1001-1003
`).model!;
  const memory = Memory.create(shapeOf(model, 2));
  const { servers } = model.proxies[0]!;
  const takeAll = (thread: number, most = 9) =>
    servers.map(server => {
      const ports = portsOf(memory, server, thread);
      const taken = Array.from({ length: ports === null ? 0 : most }, () => ports!.take()).filter(port => port > 0);
      return taken.sort((a, b) => a - b);
    });
  expect(takeAll(0, 1)).toEqual([[1000], [1000], [], [1001]]);
  expect(takeAll(1)).toEqual([[1001], [1001], [], [1002, 1003]]);
  expect(Memory.attach(memory.buffer).ports).toBe(memory.ports);
  reclaimPorts(memory, model, 0);
  expect(takeAll(2)).toEqual([[1000], [1000], [], [1001]]);
});
