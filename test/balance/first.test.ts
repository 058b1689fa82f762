import { expect, test } from 'vitest';
import { FULL } from '../../engine/balance/balancer.ts';
import { subjectOf, TestFarm } from './farm.ts';

test('servers fill up in the order of their ids', () => {
  const servers = [
    { id: 30, maxconn: 2 },
    { id: 10, maxconn: 2 },
    { id: 20, maxconn: 1 },
  ];
  const farm = new TestFarm({ balance: { algorithm: 'first' }, servers });
  const balancer = farm.balancer();
  const picks = Array.from({ length: 6 }, () => {
    const server = balancer.pick(subjectOf({}), -1);
    if (server >= 0) farm.serve(server);
    return server;
  });
  expect(picks).toEqual([1, 1, 2, 0, 0, FULL]);
  farm.serve(2, -1);
  expect(balancer.pick(subjectOf({}), -1)).toBe(2);
});
