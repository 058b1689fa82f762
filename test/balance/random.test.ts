import { expect, test } from 'vitest';
import { xorshift } from '../../engine/balance/random.ts';
import { subjectOf, TestFarm } from './farm.ts';

const ANY = subjectOf({});

function counts(farm: TestFarm, picks: number, seed = 7): number[] {
  const balancer = farm.balancer(seed);
  const result = farm.proxy.servers.map(() => 0);
  for (let n = 0; n < picks; n++) result[balancer.pick(ANY, -1)]!++;
  return result;
}

test('idle servers are drawn by weight', () => {
  const farm = new TestFarm({
    balance: { algorithm: 'random' },
    servers: [{ weight: 1 }, { weight: 2 }, { weight: 5 }],
  });
  const [a, b, c] = counts(farm, 8000);
  expect(Math.abs(a! - 1000)).toBeLessThan(120);
  expect(Math.abs(b! - 2000)).toBeLessThan(160);
  expect(Math.abs(c! - 5000)).toBeLessThan(200);
});

test('the same seed gives the same draws, another seed others', () => {
  const spec = { balance: { algorithm: 'random' }, servers: [{}, {}, {}] } as const;
  const run = (seed: number) => {
    const balancer = new TestFarm(spec).balancer(seed);
    return Array.from({ length: 40 }, () => balancer.pick(ANY, -1)).join('');
  };
  expect(run(5)).toBe(run(5));
  expect(run(5)).not.toBe(run(6));
  expect(xorshift(0)()).not.toBe(0);
});

test('of two draws the less loaded wins: the most loaded server is chosen only when drawn twice', () => {
  const farm = new TestFarm({ balance: { algorithm: 'random', draws: 2 }, servers: [{}, {}, {}, {}] });
  farm.serve(2, 50);
  const [, , loaded] = counts(farm, 8000);
  expect(Math.abs(loaded! - 8000 / 16)).toBeLessThan(100);
  const many = new TestFarm({ balance: { algorithm: 'random', draws: 40 }, servers: [{}, {}, {}, {}] });
  many.serve(2, 50);
  expect(counts(many, 500)[2]).toBe(0);
});

test('full servers and those beyond the balance factor are passed over', () => {
  const full = new TestFarm({ balance: { algorithm: 'random' }, servers: [{ maxconn: 1, weight: 250 }, {}, {}] });
  full.serve(0);
  expect(counts(full, 300)[0]).toBe(0);
  const spec = {
    balance: { algorithm: 'random', draws: 1 },
    hash: { balanceFactor: 125 },
    servers: [{}, {}, {}, {}],
  } as const;
  const bounded = new TestFarm(spec);
  const balancer = bounded.balancer(3);
  const loads = [0, 0, 0, 0];
  for (let n = 1; n <= 400; n++) {
    const server = balancer.pick(ANY, -1);
    bounded.serve(server);
    loads[server]!++;
    expect(loads[server]).toBeLessThanOrEqual(Math.ceil((n * 1.25) / 4) + 1);
  }
});
