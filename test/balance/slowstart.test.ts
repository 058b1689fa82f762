/** `slowstart`: while a server's ramp has not come to its end, balancers count in sixteenths of weights. */
import { expect, test } from 'vitest';
import { rampedLimit } from '../../engine/balance/maxconn.ts';
import { subjectOf, TestFarm } from './farm.ts';

function chosen(farm: TestFarm, turns: number): number[] {
  const balancer = farm.balancer();
  const counts = [0, 0];
  for (let i = 0; i < turns; i++) counts[balancer.pick(subjectOf({ source: `10.0.${i >> 8}.${i & 255}` }), -1)]!++;
  return counts;
}

function ramping(algorithm: 'roundrobin' | 'source', ramp: number): TestFarm {
  const farm = new TestFarm({
    balance: { algorithm },
    hash: algorithm === 'source' ? { method: 'consistent', avalanche: true } : {},
    servers: [{ weight: 64 }, { weight: 64 }],
  });
  for (const server of [0, 1]) farm.set(server, 'uweight', 64);
  farm.set(0, 'ramp', ramp);
  return farm;
}

test.each([
  [1, 16],
  [4, 4],
  [8, 2],
])('round robin: a ramp of %i gives the other server %i times as many', (ramp, times) => {
  const [slow, whole] = chosen(ramping('roundrobin', ramp), 17 * 20 * 6);
  expect(whole! / slow!).toBeCloseTo(times, 0);
});

test('consistent hashing: the points of the ring are as many as the sixteenths', () => {
  const [slow, whole] = chosen(ramping('source', 4), 4000);
  expect(slow! / whole!).toBeGreaterThan(0.1);
  expect(slow! / whole!).toBeLessThan(0.6);
  const [a, b] = chosen(ramping('source', 0), 4000);
  expect(a! / b!).toBeGreaterThan(0.6);
});

test('the connection limit grows along, from one place on', () => {
  expect([1, 2, 8, 15, 0].map(ramp => rampedLimit(32, ramp))).toEqual([1, 2, 14, 28, 32]);
  expect(rampedLimit(0, 3)).toBe(0);
});
