import { expect, test } from 'vitest';
import { FULL } from '../../engine/balance/balancer.ts';
import fc from '../properties.ts';
import { subjectOf, TestFarm } from './farm.ts';

const ANY = subjectOf({});

test('loads follow the weights, as recorded from HAProxy', () => {
  const farm = new TestFarm({
    balance: { algorithm: 'leastconn' },
    servers: [{ weight: 1 }, { weight: 2 }, { weight: 4 }],
  });
  const workers = [farm.balancer(), farm.balancer()];
  let order = '';
  for (let n = 0; n < 24; n++) {
    const server = workers[n % 2]!.pick(ANY, -1);
    farm.serve(server);
    order += server + 1;
  }
  expect(order).toBe('123332332331233233123323');
});

test('the lowest load for its weight is chosen, waiting streams counted', () => {
  const server = fc.record({ weight: fc.integer({ min: 1, max: 256 }), served: fc.nat(50), queued: fc.nat(3) });
  fc.assert(
    fc.property(fc.array(server, { minLength: 1, maxLength: 10 }), servers => {
      const farm = new TestFarm({ balance: { algorithm: 'leastconn' }, servers });
      servers.forEach(({ served, queued }, i) => {
        farm.set(i, 'served', served);
        farm.set(i, 'queued', queued);
      });
      const loads = servers.map(({ served, queued, weight }) =>
        served + queued === 0 ? 0 : (served + queued + 1) / weight,
      );
      expect(loads[farm.balancer().pick(ANY, -1)]).toBe(Math.min(...loads));
    }),
  );
});

test('equals take turns over all workers, also when they are not neighbours', () => {
  const farm = new TestFarm({ balance: { algorithm: 'leastconn' }, servers: [{}, {}, {}, {}] });
  farm.serve(1);
  const workers = [farm.balancer(), farm.balancer(), farm.balancer()];
  const picks = Array.from({ length: 9 }, (_, n) => workers[n % 3]!.pick(ANY, -1));
  expect(picks).toEqual([0, 2, 3, 0, 2, 3, 0, 2, 3]);
});

test('a full server is used only as far as its maxqueue allows', () => {
  const servers = [{ maxconn: 1 }, { maxconn: 1, maxqueue: 2 }];
  const farm = new TestFarm({ balance: { algorithm: 'leastconn' }, servers });
  const balancer = farm.balancer();
  farm.set(0, 'served', 1);
  farm.set(1, 'served', 1);
  farm.set(1, 'queued', 1);
  expect(balancer.pick(ANY, -1)).toBe(1);
  farm.set(1, 'queued', 2);
  expect(balancer.pick(ANY, -1)).toBe(FULL);
});
