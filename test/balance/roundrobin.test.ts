import { expect, test } from 'vitest';
import { FULL } from '../../engine/balance/balancer.ts';
import { gcd } from '../../engine/balance/schedule.ts';
import fc from '../properties.ts';
import { subjectOf, TestFarm } from './farm.ts';

const ANY = subjectOf({});
const algorithm = fc.constantFrom('roundrobin' as const, 'static-rr' as const);
const weights = fc.array(fc.integer({ min: 1, max: 256 }), { minLength: 1, maxLength: 8 });

test('over full turns the weights are met exactly by all workers together, however they interleave', () => {
  fc.assert(
    fc.property(
      algorithm,
      weights,
      fc.integer({ min: 1, max: 3 }),
      fc.infiniteStream(fc.nat(7)),
      (name, w, turns, order) => {
        const farm = new TestFarm({ balance: { algorithm: name }, servers: w.map(weight => ({ weight })) });
        const workers = Array.from({ length: 8 }, () => farm.balancer());
        const shares = w.map(weight => weight / w.reduce(gcd, 0));
        const counts = w.map(() => 0);
        const total = shares.reduce((a, b) => a + b) * turns;
        for (let n = 0; n < total; n++) counts[workers[order.next().value!]!.pick(ANY, -1)]!++;
        expect(counts).toEqual(shares.map(share => share * turns));
      },
    ),
  );
});

test('full servers lose their turns, the others keep their proportions', () => {
  const servers = [{ weight: 4 }, { weight: 2, maxconn: 1 }, { weight: 2 }, { weight: 2, maxconn: 5 }, { weight: 2 }];
  const farm = new TestFarm({ balance: { algorithm: 'roundrobin' }, servers });
  farm.serve(1);
  farm.set(3, 'queued', 1);
  const workers = [farm.balancer(), farm.balancer()];
  const counts = [0, 0, 0, 0, 0];
  for (let n = 0; n < 400; n++) counts[workers[n % 2]!.pick(ANY, -1)]!++;
  expect(counts).toEqual([200, 0, 100, 0, 100]);
});

test('a new weight is used from the next pick on; static-rr only looks whether it is 0', () => {
  const servers = [{ weight: 1 }, { weight: 1 }];
  const dynamic = new TestFarm({ balance: { algorithm: 'roundrobin' }, servers });
  const fixed = new TestFarm({ balance: { algorithm: 'static-rr' }, servers });
  for (const [farm, expected] of [
    [dynamic, [100, 300]],
    [fixed, [200, 200]],
  ] as const) {
    const balancer = farm.balancer();
    balancer.pick(ANY, -1);
    farm.weigh(1, 3);
    const counts = [0, 0];
    for (let n = 0; n < 400; n++) counts[balancer.pick(ANY, -1)]!++;
    expect(counts).toEqual(expected);
    farm.weigh(1, 0);
    expect([balancer.pick(ANY, -1), balancer.pick(ANY, -1)]).toEqual([0, 0]);
  }
});

test('the turn counter may wrap around', () => {
  const farm = new TestFarm({ balance: { algorithm: 'roundrobin' }, servers: [{}, {}, {}] });
  farm.setProxy('turn', 0x7fffffff);
  const balancer = farm.balancer();
  const picks = Array.from({ length: 6 }, () => balancer.pick(ANY, -1));
  expect(picks).toEqual([1, 2, 0, 1, 2, 0]);
});

test('dynamic limits: minconn holds until the backend fills', () => {
  const servers = [{ minconn: 1, maxconn: 10 }];
  const farm = new TestFarm({ balance: { algorithm: 'roundrobin' }, servers, fullconn: 20 });
  farm.serve(0);
  const balancer = farm.balancer();
  expect(balancer.pick(ANY, -1)).toBe(FULL);
  farm.setProxy('be_sess', 4);
  expect(balancer.pick(ANY, -1)).toBe(0);
});

test('dynamic limits: 30 streams that stay, as recorded from HAProxy', () => {
  const servers = [{ minconn: 5, maxconn: 10, weight: 100 }, { weight: 1 }];
  const farm = new TestFarm({ balance: { algorithm: 'roundrobin' }, servers, fullconn: 20 });
  const balancer = farm.balancer();
  let order = '';
  for (let n = 1; n <= 30; n++) {
    farm.setProxy('be_sess', n);
    const server = balancer.pick(ANY, -1);
    farm.set(server, 'served', order.split(`${server + 1}`).length);
    order += server + 1;
  }
  expect(order).toBe(`11111222222${'12'.repeat(4)}1${'2'.repeat(10)}`);
});
