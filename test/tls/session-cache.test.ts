/** Sessions in shared memory: what is found is what was kept, whatever was overwritten, and nothing is found of half an entry. */

import { expect, test } from 'vitest';
import { newSessionMemory, SessionCache } from '../../engine/tls/session-cache.ts';
import fc from '../properties.ts';

const idOf = (n: number): Uint8Array =>
  Buffer.alloc(32)
    .fill(n * 7)
    .fill(Buffer.from(Uint32Array.of(n).buffer), 0, 4);

test('a session is found by another cache in the same memory, until it is forgotten', () => {
  const memory = newSessionMemory(100);
  const [one, two] = [new SessionCache(memory), new SessionCache(memory)];
  one.put(idOf(1), Buffer.from('session'));
  expect(Buffer.from(two.find(idOf(1))!).toString()).toBe('session');
  expect(two.find(idOf(2))).toBeNull();
  two.forget(idOf(1));
  expect(one.find(idOf(1))).toBeNull();
});

test('all but a few of as many sessions as there are blocks are found', () => {
  const cache = new SessionCache(newSessionMemory(1000));
  for (let n = 0; n < 1000; n++) cache.put(Buffer.from(idOf(Math.imul(n, 0x9e3779b1) >>> 0)), Buffer.alloc(200, n));
  const found = Array.from({ length: 1000 }, (_, n) => cache.find(idOf(Math.imul(n, 0x9e3779b1) >>> 0)) !== null);
  expect(found.filter(Boolean).length).toBeGreaterThan(750);
});

test('whatever is kept, forgotten and overwritten, nothing wrong is found', () => {
  const step = fc.record({
    id: fc.integer({ min: 0, max: 30 }),
    bytes: fc.integer({ min: 0, max: 900 }),
    forget: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.array(step, { maxLength: 80 }), (blocks, steps) => {
      const memory = newSessionMemory(blocks);
      const caches = [new SessionCache(memory), new SessionCache(memory)];
      const kept = new Map<number, Uint8Array[]>();
      steps.forEach(({ id, bytes, forget }, i) => {
        const cache = caches[i % 2]!;
        const session = Buffer.alloc(bytes, i + 1);
        cache.put(idOf(id), session);
        kept.set(id, [...(kept.get(id) ?? []), session]);
        if (forget) cache.forget(idOf(id));
        for (const [known, sessions] of kept) {
          const found = caches[(i + 1) % 2]!.find(idOf(known));
          if (found !== null) expect(sessions.some(one => Buffer.compare(one, found) === 0)).toBe(true);
        }
      });
    }),
  );
});

test('an entry that was damaged is none', () => {
  const memory = newSessionMemory(8);
  const cache = new SessionCache(memory);
  cache.put(idOf(3), Buffer.alloc(200, 1));
  const bytes = new Uint8Array(memory);
  const at = bytes.lastIndexOf(1);
  bytes[at] = 2;
  expect(cache.find(idOf(3))).toBeNull();
});
