/** Flavours: what they let a load balancer be, and what is refused. */
import { expect, test } from 'vitest';
import { type Desk, desk, SUBNET, V2 } from './desk.ts';

async function flavorOf(d: Desk, flavor_data: object, more: object = {}): Promise<{ profile: string; flavor: string }> {
  const data = { name: 'p', provider_name: 'haproxy', flavor_data: JSON.stringify(flavor_data) };
  const { id: profile } = (await d.do('POST', `${V2}/flavorprofiles`, { flavorprofile: data })).flavorprofile;
  const named = { name: 'f', flavor_profile_id: profile, ...more };
  return { profile, flavor: (await d.do('POST', `${V2}/flavors`, { flavor: named })).flavor.id };
}

const post = (d: Desk, flavor_id: string) =>
  d.ask('POST', `${V2}/loadbalancers`, {
    loadbalancer: { vip_subnet_id: SUBNET.id, flavor_id, listeners: [{ protocol: 'HTTP', protocol_port: 80 }] },
  });

test('threads and connections of the process', async () => {
  const d = await desk();
  const { flavor } = await flavorOf(d, { threads: 4, connections_max: 1000 });
  const { body } = await post(d, flavor);
  await d.settle();
  expect(body.loadbalancer).toMatchObject({ flavor_id: flavor, provider: 'haproxy' });
  expect(d.processes.texts.get(body.loadbalancer.id)).toMatch(/nbthread 4\n {2}maxconn 1000\n/);
  const plain = (await post(d, (await flavorOf(d, {})).flavor)).body.loadbalancer.id;
  await d.settle();
  expect(d.processes.texts.get(plain)).toContain('nbthread 1\n');
  expect(d.processes.texts.get(plain)).not.toContain('maxconn');
});

test('what load balancers are made of does not change', async () => {
  const d = await desk();
  const { profile, flavor } = await flavorOf(d, { threads: 2 });
  const change = (flavorprofile: object) => d.ask('PUT', `${V2}/flavorprofiles/${profile}`, { flavorprofile });
  expect((await change({ name: 'q' })).status).toBe(200);
  expect(await change({ flavor_data: '{}' })).toMatchObject({
    status: 409,
    body: { faultstring: `Flavor Profile ${profile} is in use and cannot be modified.` },
  });
  expect((await post(d, flavor)).status).toBe(201);
  expect((await d.ask('DELETE', `${V2}/flavors/${flavor}`)).status).toBe(409);
});

test('nobody may choose one that is disabled, or not there', async () => {
  const d = await desk();
  const { flavor } = await flavorOf(d, {}, { enabled: false });
  expect(await post(d, flavor)).toMatchObject({ status: 400, body: { faultstring: expect.stringContaining(flavor) } });
  expect((await post(d, SUBNET.id)).status).toBe(404);
});

const WRONG: [data: string, status: number, says: string][] = [
  ['{', 400, 'It is no JSON object'],
  ['[]', 400, 'It is no JSON object'],
  ['{"threads":0}', 400, 'threads should be a number from 1 to 64'],
  ['{"threads":1.5}', 400, 'threads'],
  ['{"threads":"2"}', 400, 'threads'],
  ['{"connections_max":9999999}', 400, 'connections_max should be a number from 1 to 1000000'],
  ['{"loadbalancer_topology":"SINGLE"}', 501, 'loadbalancer_topology (there are threads, connections_max)'],
  ['{"constructor":1}', 501, 'constructor'],
];

test.each(WRONG)('flavor_data %s', async (flavor_data, status, says) => {
  const d = await desk();
  const flavorprofile = { name: 'p', provider_name: 'sluice', flavor_data };
  const answer = await d.ask('POST', `${V2}/flavorprofiles`, { flavorprofile });
  expect(answer).toMatchObject({ status, body: { faultstring: expect.stringContaining(says) } });
  expect(d.store.list('flavorprofile')).toEqual([]);
});

test('the settings there are', async () => {
  const d = await desk();
  const { flavor_capabilities } = (await d.ask('GET', `${V2}/providers/sluice/flavor_capabilities`)).body;
  expect(flavor_capabilities.map(({ name }: { name: string }) => name)).toEqual(['threads', 'connections_max']);
  const { body } = await d.ask('GET', `${V2}/providers/sluice/availability_zone_capabilities`);
  expect(body.availability_zone_capabilities).toEqual([]);
});
