/** Listeners, pools and policies with all that is to be below them in one call; and LBaaS v2's own way to a whole load balancer. */

import { expect, test } from 'vitest';
import fc from '../properties.ts';
import { type Desk, desk, SUBNET, standing, V2 } from './desk.ts';

const FARM = { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
const member = (n: number) => ({ address: `10.9.0.${n}`, protocol_port: '8080' });
const MONITOR = { type: 'HTTP', delay: 5, timeout: 5, max_retries: 3 };
const RULE = { type: 'PATH', compare_type: 'STARTS_WITH', value: '/api' };

const COUNTED = ['listener', 'pool', 'member', 'healthmonitor', 'l7policy', 'l7rule'] as const;
const counts = (d: Desk) => COUNTED.map(kind => d.store.list(kind).length);

test('a pool with its members and monitor', async () => {
  const d = await desk();
  const { lb } = await standing(d, 0);
  const { pool } = await d.do('POST', `${V2}/pools`, {
    pool: { ...FARM, loadbalancer_id: lb, members: [member(1), { ...member(2), weight: 7 }], healthmonitor: MONITOR },
  });
  expect(pool).toMatchObject({ members: [{}, {}], healthmonitor_id: expect.any(String) });
  const { members } = (await d.ask('GET', `${V2}/pools/${pool.id}/members?sort=address`)).body;
  expect(members).toMatchObject([
    { address: '10.9.0.1', weight: 1, provisioning_status: 'ACTIVE' },
    { address: '10.9.0.2', weight: 7 },
  ]);
  const { healthmonitor } = (await d.ask('GET', `${V2}/healthmonitors/${pool.healthmonitor_id}`)).body;
  expect(healthmonitor).toMatchObject({ type: 'HTTP', expected_codes: '200', pools: [{ id: pool.id }] });
});

test('a listener with its default pool, its policies, their rules and pools', async () => {
  const d = await desk();
  const { lb } = await standing(d, 0);
  const { listener } = await d.do('POST', `${V2}/listeners`, {
    listener: {
      ...{ loadbalancer_id: lb, protocol: 'HTTP', protocol_port: 81 },
      default_pool: { ...FARM, members: [member(1)], healthmonitor: MONITOR },
      l7policies: [
        { action: 'REJECT', rules: [RULE] },
        { action: 'REDIRECT_TO_POOL', redirect_pool: { ...FARM, name: 'api' }, rules: [RULE, RULE], position: 1 },
        { action: 'REDIRECT_TO_POOL', redirect_pool: { name: 'api' } },
      ],
    },
  });
  expect(counts(d)).toEqual([2, 3, 1, 1, 3, 3]);
  expect(listener.l7policies).toHaveLength(3);
  const pool = d.store.get('pool', listener.default_pool_id)!;
  expect(pool).toMatchObject({ root: lb, provisioning_status: 'ACTIVE' });
  const { l7policies } = (await d.ask('GET', `${V2}/l7policies?listener_id=${listener.id}&sort=position`)).body;
  expect(l7policies.map((p: { action: string; rules: object[] }) => [p.action, p.rules.length])).toEqual([
    ['REDIRECT_TO_POOL', 2],
    ['REJECT', 1],
    ['REDIRECT_TO_POOL', 0],
  ]);
  expect(l7policies[0].redirect_pool_id).toBe(l7policies[2].redirect_pool_id);
  const conf = d.processes.texts.get(lb)!;
  expect(conf).toContain(`default_backend ${pool.id}:${listener.id}`);
  expect(conf.indexOf('http-request deny'), 'who rejects is asked first').toBeLessThan(conf.indexOf('use_backend'));
});

test('a policy with its rules and its pool', async () => {
  const d = await desk();
  const { lb, listener } = await standing(d, 0);
  const { l7policy } = await d.do('POST', `${V2}/l7policies`, {
    l7policy: {
      ...{ listener_id: listener, action: 'REDIRECT_TO_POOL', rules: [RULE] },
      redirect_pool: { ...FARM, members: [member(1)] },
    },
  });
  expect(l7policy.rules).toHaveLength(1);
  expect(d.store.get('pool', l7policy.redirect_pool_id)).toMatchObject({ loadbalancer_id: lb });
});

const REFUSED: readonly (readonly [path: string, key: string, inside: object, status: number, words: string])[] = [
  ['pools', 'pool', { members: [member(1), member(1)] }, 409, '10.9.0.1'],
  ['pools', 'pool', { members: [{ ...member(1), weight: 300 }] }, 400, 'members.weight'],
  ['pools', 'pool', { members: [{ ...member(1), pool_id: 'x' }] }, 400, 'pool_id'],
  ['pools', 'pool', { healthmonitor: { ...MONITOR, delay: 0 } }, 400, 'healthmonitor.delay'],
  ['pools', 'pool', { healthmonitor: { ...MONITOR, timeout: 9 } }, 400, 'delay must be greater'],
  ['listeners', 'listener', { default_pool: { name: 'x' } }, 400, "Pool 'x' was referenced but no full definition"],
  ['listeners', 'listener', { default_pool: { protocol: 'HTTP' } }, 400, 'missing required attribute: lb_algorithm'],
  ['listeners', 'listener', { default_pool: { ...FARM, protocol: 'TCP' } }, 400, "protocol 'TCP' is invalid"],
  ['listeners', 'listener', { l7policies: [{ action: 'REJECT', rules: [{ ...RULE, type: 'SUN' }] }] }, 400, 'type'],
  [
    ...(['listeners', 'listener', { l7policies: [1, 2].map(() => twins()) }, 400] as const),
    'Pool names must be unique when creating a fully populated listener',
  ],
  ['l7policies', 'l7policy', { action: 'REDIRECT_TO_POOL', redirect_pool: { name: 'x' } }, 400, "Pool 'x'"],
  ['l7policies', 'l7policy', { action: 'REJECT', rules: [{ type: 'PATH' }] }, 400, 'rules.compare_type'],
];

function twins(): object {
  return { action: 'REDIRECT_TO_POOL', redirect_pool: { ...FARM, name: 'twin' } };
}

test.each(REFUSED)('nothing is made of %s with %s %j', async (path, key, inside, status, words) => {
  const d = await desk();
  const { lb, listener } = await standing(d, 0);
  const base: Record<string, object> = {
    pools: { ...FARM, loadbalancer_id: lb },
    listeners: { loadbalancer_id: lb, protocol: 'HTTP', protocol_port: 81 },
    l7policies: { listener_id: listener },
  };
  const [{ revision }, before] = [d.store, counts(d)];
  const answer = await d.ask('POST', `${V2}/${path}`, { [key]: { ...base[path], ...inside } });
  expect(answer).toMatchObject({ status, body: { faultstring: expect.stringContaining(words) } });
  expect([d.store.revision, counts(d)]).toEqual([revision, before]);
});

test('not while the load balancer is pending', async () => {
  const d = await desk({}, false);
  const { loadbalancer } = (await d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { vip_subnet_id: SUBNET.id } }))
    .body;
  const pool = { ...FARM, loadbalancer_id: loadbalancer.id, members: [member(1)] };
  expect((await d.ask('POST', `${V2}/pools`, { pool })).status).toBe(409);
  expect(counts(d)).toEqual([0, 0, 0, 0, 0, 0]);
});

const shape = fc.record({ members: fc.nat(4), monitor: fc.boolean(), policies: fc.array(fc.nat(3), { maxLength: 4 }) });

test('one call makes what many would', async () => {
  await fc.assert(
    fc.asyncProperty(shape, async ({ members, monitor, policies }) => {
      const d = await desk();
      const { lb } = await standing(d, 0);
      const port = (protocol_port: number) => ({ loadbalancer_id: lb, protocol: 'HTTP', protocol_port });
      const farm = Array.from({ length: members }, (_, n) => member(n + 1));
      await d.do('POST', `${V2}/listeners`, {
        listener: {
          ...port(81),
          default_pool: { ...FARM, members: farm, ...(monitor ? { healthmonitor: MONITOR } : {}) },
          l7policies: policies.map(rules => ({ action: 'REJECT', rules: Array(rules).fill(RULE) })),
        },
      });
      const listener = (await d.do('POST', `${V2}/listeners`, { listener: port(82) })).listener.id;
      const pool = (await d.do('POST', `${V2}/pools`, { pool: { ...FARM, listener_id: listener } })).pool.id;
      for (const one of farm) await d.do('POST', `${V2}/pools/${pool}/members`, { member: one });
      if (monitor) await d.do('POST', `${V2}/healthmonitors`, { healthmonitor: { ...MONITOR, pool_id: pool } });
      for (const rules of policies) {
        const body = { l7policy: { action: 'REJECT', listener_id: listener } };
        const { id } = (await d.do('POST', `${V2}/l7policies`, body)).l7policy;
        for (let i = 0; i < rules; i++) await d.do('POST', `${V2}/l7policies/${id}/rules`, { rule: RULE });
      }
      // The same configuration but for ids, the port, and the order of what came at the same time.
      const listeners = d.processes.texts.get(lb)!.split(/^# listener.*$/m);
      const [whole, parts] = [/^\s*bind .*:81\b/m, /^\s*bind .*:82\b/m].map(at =>
        plain(listeners.find(text => at.test(text))!),
      );
      expect(whole).toBe(parts);
    }),
    { numRuns: 7 },
  );
});

function plain(text: string): string {
  const lines = text
    .replace(/\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/g, 'ID')
    .replace(/:8[12]\b/g, ':PORT')
    .split('\n');
  return lines.sort().join('\n').trim();
}

const NEUTRON = { 'user-agent': 'python-neutronclient' };

test('graphs: whole load balancers of LBaaS v2, whose pools need no names', async () => {
  const d = await desk();
  const loadbalancer = {
    ...{ name: 'lb', vip_subnet_id: SUBNET.id },
    listeners: [
      {
        ...{ protocol: 'HTTP', protocol_port: '80', default_pool: { ...FARM, members: [member(1)] } },
        l7policies: [{ action: 'REDIRECT_TO_POOL', redirect_pool: { ...FARM, members: [member(2)] }, rules: [RULE] }],
      },
    ],
  };
  const { status, body } = await d.ask('POST', `${V2}/graphs`, { graph: { loadbalancer } }, NEUTRON);
  expect(status, JSON.stringify(body)).toBe(201);
  const { loadbalancer: made } = body.graph;
  expect(made).toMatchObject({
    ...{ name: 'lb', provisioning_status: 'PENDING_CREATE' },
    listeners: [{ protocol_port: 80, l7policies: [{ rules: [{ value: '/api' }] }] }],
    pools: [{ members: [{ address: '10.9.0.1' }] }, { members: [{ address: '10.9.0.2' }] }],
  });
  await d.settle();
  expect(d.store.get('loadbalancer', made.id)).toMatchObject({ provisioning_status: 'ACTIVE' });
  expect(counts(d)).toEqual([1, 2, 2, 0, 1, 1]);

  const refused = await d.ask('POST', `${V2}/graphs`, { graph: { loadbalancer: { listeners: [{}] } } }, NEUTRON);
  expect(refused).toMatchObject({
    status: 400,
    body: { NeutronError: { type: 'HTTPBadRequest', message: expect.stringContaining('listeners.protocol') } },
  });
  expect((await d.ask('POST', `${V2}/graphs`, { graph: {} }, NEUTRON)).body.NeutronError.message).toContain(
    'loadbalancer',
  );
});

test('a quota that is met: 403 of Octavia, 409 of Neutron', async () => {
  const d = await desk();
  await d.do('PUT', `${V2}/quotas/00000000000040008000000000000001`, { quota: { load_balancer: 0 } });
  const body = { loadbalancer: { vip_subnet_id: SUBNET.id } };
  expect(await d.ask('POST', `${V2}/loadbalancers`, body)).toMatchObject({
    status: 403,
    body: { faultstring: 'Quota has been met for resources: Load Balancer' },
  });
  expect(await d.ask('POST', `${V2}/loadbalancers`, body, NEUTRON)).toMatchObject({
    status: 409,
    body: { NeutronError: { type: 'OverQuota', message: "Quota exceeded for resources: ['loadbalancer']." } },
  });
});
