/** A whole load balancer in one call: all of it, or nothing. */

import { expect, test } from 'vitest';
import fc from '../properties.ts';
import { type Desk, desk, SUBNET, V2 } from './desk.ts';

const FARM = { name: 'farm', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
const member = (n: number) => ({ address: `10.9.0.${n}`, protocol_port: 8080 });
const MONITOR = { type: 'HTTP', delay: 5, timeout: 5, max_retries: 3 };
const WEB = { name: 'web', protocol: 'HTTP', protocol_port: 80 };

const post = (d: Desk, inside: object) =>
  d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { name: 'lb', vip_subnet_id: SUBNET.id, ...inside } });

const COUNTED = ['loadbalancer', 'listener', 'pool', 'member', 'healthmonitor', 'l7policy', 'l7rule'] as const;
const counts = (d: Desk) => COUNTED.map(kind => d.store.list(kind).length);

test('everything inside of everything', async () => {
  const d = await desk();
  const { status, body } = await post(d, {
    tags: ['t'],
    listeners: [
      {
        ...{ ...WEB, connection_limit: '100', insert_headers: { 'X-Forwarded-For': true } },
        default_pool: { ...FARM, members: [member(1), { ...member(2), weight: '3' }], healthmonitor: MONITOR },
        l7policies: [
          {
            ...{ name: 'to-api', action: 'REDIRECT_TO_POOL' },
            redirect_pool: { ...FARM, name: 'api', members: [member(3)] },
            rules: [{ type: 'PATH', compare_type: 'STARTS_WITH', value: '/api' }],
          },
          { name: 'old', action: 'REDIRECT_TO_POOL', redirect_pool: { name: 'shared' }, rules: [], position: 1 },
        ],
      },
      { name: 'again', protocol: 'HTTP', protocol_port: 81, default_pool: { name: 'farm' } },
    ],
    pools: [{ ...FARM, name: 'shared', session_persistence: { type: 'HTTP_COOKIE' } }],
  });
  expect(status, JSON.stringify(body)).toBe(201);
  const { loadbalancer: lb } = body;
  expect(lb).toMatchObject({ provisioning_status: 'PENDING_CREATE', tags: ['t'] });
  expect(lb.listeners).toMatchObject([
    {
      ...{ name: 'web', connection_limit: 100, insert_headers: { 'X-Forwarded-For': 'true' } },
      l7policies: [
        { name: 'to-api', position: 2, rules: [{ value: '/api' }] },
        { name: 'old', position: 1 },
      ],
    },
    { name: 'again' },
  ]);
  const pool = (name: string) => lb.pools.find((p: { name: string }) => p.name === name);
  expect(pool('farm').members).toMatchObject([{ weight: 1 }, { address: '10.9.0.2', weight: 3 }]);
  expect(pool('farm').healthmonitor).toMatchObject({ type: 'HTTP', expected_codes: '200' });
  expect(lb.listeners.map((l: { default_pool_id: string }) => l.default_pool_id)).toEqual([
    pool('farm').id,
    pool('farm').id,
  ]);
  expect(lb.listeners[0].l7policies[1].redirect_pool_id).toBe(pool('shared').id);
  expect(counts(d)).toEqual([1, 2, 3, 3, 1, 2, 1]);

  await d.settle();
  const conf = d.processes.texts.get(lb.id)!;
  expect(conf).toContain(`default_backend ${pool('farm').id}:${lb.listeners[0].id}`);
  expect(conf).toContain(`use_backend ${pool('api').id}:${lb.listeners[0].id} if`);
  for (const kind of COUNTED) {
    for (const item of d.store.list(kind)) expect(item.provisioning_status).toBe('ACTIVE');
  }
  // As any other: a change of a part, and the end of all of it.
  await d.do('PUT', `${V2}/pools/${pool('api').id}`, { pool: { lb_algorithm: 'LEAST_CONNECTIONS' } });
  await d.do('DELETE', `${V2}/loadbalancers/${lb.id}?cascade=true`);
  expect(counts(d)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

const listener = (more: object) => ({ listeners: [{ ...WEB, ...more }] });
const REFUSED: readonly (readonly [name: string, inside: object, status: number, words: string])[] = [
  ['a field of a listener', listener({ protocol_port: 70_000 }), 400, 'listeners.protocol_port'],
  ['a field of a rule', listener({ l7policies: [{ action: 'REJECT', rules: [{ type: 'SUN' }] }] }), 400, 'rules'],
  ['an unknown field', listener({ colour: 'red' }), 400, 'colour'],
  ['a field that must be there', { listeners: [{ protocol: 'HTTP' }] }, 400, 'listeners.protocol_port'],
  [
    'a pool without a name',
    listener({ default_pool: { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' } }),
    400,
    'named',
  ],
  ['a name that two pools have', { pools: [FARM, FARM] }, 400, 'Pool names must be unique'],
  ['a reference to no pool', listener({ default_pool: { name: 'x' } }), 400, "Pool 'x' was referenced but no full"],
  ['half a pool', { pools: [{ name: 'x', protocol: 'HTTP' }] }, 400, "'x' missing required attribute: lb_algorithm"],
  [
    'a port that two listeners have',
    { listeners: [WEB, WEB] },
    409,
    'already using protocol HTTP and protocol_port 80',
  ],
  ['a member that is there twice', { pools: [{ ...FARM, members: [member(1), member(1)] }] }, 409, '10.9.0.1'],
  ['what does not suit', listener({ protocol: 'HTTPS', default_pool: FARM }), 400, "listener protocol is 'HTTPS'"],
  [
    'what cannot be run',
    listener({ protocol: 'TERMINATED_HTTPS', default_tls_container_ref: 'file:///x' }),
    400,
    'file:///x',
  ],
];

test.each(REFUSED)('nothing is made when it has %s', async (_name, inside, status, words) => {
  const d = await desk();
  const { revision } = d.store;
  const answer = await post(d, inside);
  expect(answer).toMatchObject({ status, body: { faultcode: 'Client', faultstring: expect.stringContaining(words) } });
  expect(d.store.revision).toBe(revision);
  expect(counts(d)).toEqual([0, 0, 0, 0, 0, 0, 0]);
});

test('a quota counts what is inside', async () => {
  const d = await desk();
  await d.do('PUT', `${V2}/quotas/00000000000040008000000000000001`, { quota: { member: 2 } });
  const pool = (members: number) => ({ ...FARM, members: Array.from({ length: members }, (_, i) => member(i + 1)) });
  expect(await post(d, { pools: [pool(3)] })).toMatchObject({
    status: 403,
    body: { faultstring: 'Quota has been met for resources: Member' },
  });
  expect(counts(d)[0]).toBe(0);
  expect((await post(d, { pools: [pool(2)] })).status).toBe(201);
});

/** Load balancers of any form: what was asked for in one call is what one call for each would have made. */
const shape = fc.record({
  listeners: fc.array(fc.record({ pool: fc.nat(2), policies: fc.array(fc.nat(2), { maxLength: 3 }) }), {
    maxLength: 3,
  }),
  pools: fc.array(fc.nat(3), { minLength: 3, maxLength: 3 }),
});

test('one call makes what many would', async () => {
  await fc.assert(
    fc.asyncProperty(shape, async ({ listeners, pools }) => {
      const d = await desk();
      const { status, body } = await post(d, {
        listeners: listeners.map(({ pool, policies }, i) => ({
          ...{ protocol: 'HTTP', protocol_port: 80 + i, default_pool: { name: `p${pool}` } },
          l7policies: policies.map(to => ({ action: 'REDIRECT_TO_POOL', redirect_pool: { name: `p${to}` } })),
        })),
        pools: pools.map((members, i) => ({
          ...{ ...FARM, name: `p${i}` },
          members: Array.from({ length: members }, (_, m) => member(m + 1)),
        })),
      });
      expect(status).toBe(201);
      const { loadbalancer: lb } = body;
      const poolName = (id: string) => lb.pools.find((p: { id: string }) => p.id === id).name;
      expect(
        lb.listeners.map((l: { default_pool_id: string; l7policies: { redirect_pool_id: string }[] }) => ({
          pool: Number(poolName(l.default_pool_id)[1]),
          policies: l.l7policies.map(p => Number(poolName(p.redirect_pool_id)[1])),
        })),
      ).toEqual(listeners);
      expect(lb.pools.map((p: { members: object[] }) => p.members.length)).toEqual(pools);
      await d.settle();
      const { body: now } = await d.ask('GET', `${V2}/loadbalancers/${lb.id}`);
      expect(now.loadbalancer).toMatchObject({ provisioning_status: 'ACTIVE' });
      expect(now.loadbalancer.listeners).toHaveLength(listeners.length);
    }),
    { numRuns: 20 },
  );
});
