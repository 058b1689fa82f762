import { expect, test } from 'vitest';
import { dynamicMaxconn } from '../../engine/balance/maxconn.ts';
import fc from '../properties.ts';

test('the ramp of the manual: minconn 100 maxconn 1000 fullconn 10000', () => {
  const limits = [0, 999, 1000, 1010, 5000, 9999, 10_000, 20_000].map(n => dynamicMaxconn(100, 1000, 10_000, n));
  expect(limits).toEqual([100, 100, 100, 101, 500, 999, 1000, 1000]);
});

test('without minconn, maxconn or fullconn the limit does not move', () => {
  expect(dynamicMaxconn(0, 50, 1000, 1)).toBe(50);
  expect(dynamicMaxconn(10, 0, 1000, 1)).toBe(0);
  expect(dynamicMaxconn(10, 50, 0, 1)).toBe(50);
});

test('it is never below minconn nor above maxconn, and grows with the backend', () => {
  const n = fc.nat({ max: 100_000 });
  fc.assert(
    fc.property(n, n, n, n, (a, b, fullconn, streams) => {
      const [minconn, maxconn] = [Math.min(a, b), Math.max(a, b)];
      const limit = dynamicMaxconn(minconn, maxconn, fullconn, streams);
      expect(limit).toBeGreaterThanOrEqual(minconn);
      expect(limit).toBeLessThanOrEqual(maxconn);
      expect(limit).toBeLessThanOrEqual(dynamicMaxconn(minconn, maxconn, fullconn, streams + 1));
    }),
  );
});
