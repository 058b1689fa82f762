import { expect, test } from 'vitest';
import { Channel } from '../../engine/shm/channel.ts';
import fc from '../properties.ts';

const make = (bytes: number, position = 0): { channel: Channel; words: Int32Array } => {
  const words = new Int32Array(new SharedArrayBuffer(8)).fill(position);
  return { channel: new Channel(words, 0, new Uint8Array(new SharedArrayBuffer(bytes))), words };
};

test('messages come out as they went in, in order, and what does not fit is refused', () => {
  const sizes = fc.array(fc.option(fc.nat(40), { nil: null }), { maxLength: 100 });
  fc.assert(
    // Positions near the end of 32 bits wrap around.
    fc.property(sizes, fc.constantFrom(0, -20, 2 ** 31 - 30), (steps, position) => {
      const { channel } = make(64, position);
      const queue: Uint8Array[] = [];
      let used = 0;
      steps.forEach((size, i) => {
        if (size === null) {
          const taken = channel.take();
          const expected = queue.shift() ?? null;
          expect(taken).toEqual(expected);
          if (expected !== null) used -= 4 + expected.length;
          return;
        }
        const message = new Uint8Array(size).fill(i);
        const fits = used + 4 + size <= 64;
        expect(channel.put(message, size)).toBe(fits);
        if (!fits) return;
        queue.push(message);
        used += 4 + size;
      });
    }),
  );
});
