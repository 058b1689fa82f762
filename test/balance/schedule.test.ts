import { expect, test } from 'vitest';
import { gcd, smoothSchedule, sum } from '../../engine/balance/schedule.ts';
import { weightMap } from '../../engine/balance/weight-map.ts';
import fc from '../properties.ts';

const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 12 });
const members = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
const smooth = (...w: number[]) => [...smoothSchedule(members(w.length), Int32Array.from(w))];

test('orders', () => {
  expect(smooth(1, 1, 1)).toEqual([0, 1, 2]);
  expect(smooth(40, 40)).toEqual([0, 1]);
  // As HAProxy 2.6 begins.
  expect(smooth(3, 1)).toEqual([0, 0, 0, 1]);
  expect(smooth(1, 3)).toEqual([1, 1, 1, 0]);
  expect(smooth(4, 1, 2)).toEqual([0, 0, 2, 0, 1, 0, 2]);
  const many = smooth(1, 5, 10, 100).slice(0, 56).join('');
  expect(many).toBe('33333332333333133332333333330332333333133332333333333323');
});

test.each([
  ['smooth schedule', smoothSchedule],
  ['weight map', weightMap],
])('%s: each server stands in it as often as its weight says', (_, make) => {
  fc.assert(
    fc.property(weights, w => {
      const common = w.reduce(gcd, 0);
      const counts = new Array(w.length).fill(0);
      for (const server of make(members(w.length), Int32Array.from(w))) counts[server]++;
      expect(counts).toEqual(w.map(weight => weight / common));
    }),
  );
});

test('smooth schedule: no server is ever more than two turns away from its share', () => {
  fc.assert(
    fc.property(weights, w => {
      const schedule = smooth(...w);
      const total = sum(Int32Array.from(w));
      const counts = new Array(w.length).fill(0);
      schedule.forEach((server, turn) => {
        counts[server]++;
        for (let i = 0; i < w.length; i++) {
          expect(Math.abs(counts[i] - ((turn + 1) * w[i]!) / total)).toBeLessThanOrEqual(2);
        }
      });
    }),
    { numRuns: 30 },
  );
});

test('a schedule has a bounded size, and nobody is left out of it', () => {
  const many = Int32Array.from({ length: 9000 }, (_, i) => 1 + (i % 256));
  const schedule = smoothSchedule(members(9000), many);
  expect(schedule.length).toBeLessThanOrEqual(2 ** 20);
  expect(new Set(schedule).size).toBe(9000);
});

test('weight map: as the plain loop over all servers at each turn', () => {
  fc.assert(
    fc.property(weights, w => {
      const total = sum(Int32Array.from(w));
      const given = w.map(() => 0);
      const plain = Array.from({ length: total }, (_, turn) => {
        const behind = w.map((weight, i) => Math.floor(((turn + 1) * weight) / total) - given[i]!);
        const chosen = behind.indexOf(Math.max(...behind));
        given[chosen]!++;
        return chosen;
      });
      const common = w.reduce(gcd, 0);
      expect([...weightMap(members(w.length), Int32Array.from(w))]).toEqual(plain.slice(0, total / common));
    }),
    { numRuns: 50 },
  );
});
