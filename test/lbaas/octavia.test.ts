import { describe, expect, test } from 'vitest';
import { desk, SUBNET, standing, V2 } from './desk.ts';

describe('a load balancer', () => {
  test('is PENDING_CREATE, then ACTIVE; gets an address of its subnet', async () => {
    const d = await desk();
    const { status, body, headers } = await d.ask('POST', `${V2}/loadbalancers`, {
      loadbalancer: { name: 'a', vip_subnet_id: SUBNET.id, tags: ['x'] },
    });
    expect(status).toBe(201);
    expect(headers['x-openstack-request-id']).toMatch(/^req-/);
    expect(body.loadbalancer).toMatchObject({
      ...{ name: 'a', provisioning_status: 'PENDING_CREATE', vip_address: '10.9.0.10', provider: 'sluice' },
      ...{ listeners: [], pools: [], tags: ['x'], admin_state_up: true, vip_network_id: SUBNET.networkId },
    });
    await d.settle();
    const again = await d.ask('GET', `${V2}/loadbalancers/${body.loadbalancer.id}`);
    expect(again.body.loadbalancer).toMatchObject({ provisioning_status: 'ACTIVE', operating_status: 'ONLINE' });
    expect(d.processes.texts.size, 'nothing runs without a listener').toBe(0);
  });

  test('wants an address that is free and of its subnet', async () => {
    const d = await desk();
    const create = (vip_address: string) =>
      d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { vip_subnet_id: SUBNET.id, vip_address } });
    expect((await create('10.9.0.77')).status).toBe(201);
    expect(await create('10.9.0.77')).toMatchObject({ status: 409 });
    expect(await create('10.8.0.1')).toMatchObject({ status: 400 });
    expect(await d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { name: 'x' } })).toMatchObject({
      status: 400,
      body: { faultstring: 'Validation failure: VIP must contain one of: vip_port_id, vip_network_id, vip_subnet_id.' },
    });
  });

  test('is immutable while it is pending', async () => {
    const d = await desk({}, false);
    const { body } = await d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { vip_subnet_id: SUBNET.id } });
    const { id } = body.loadbalancer;
    const refused = {
      status: 409,
      body: {
        faultcode: 'Client',
        faultstring: `Load Balancer ${id} is immutable and cannot be updated.`,
        debuginfo: null,
      },
    };
    expect(await d.ask('PUT', `${V2}/loadbalancers/${id}`, { loadbalancer: { name: 'b' } })).toMatchObject(refused);
    expect(await d.ask('DELETE', `${V2}/loadbalancers/${id}`)).toMatchObject(refused);
    expect(await d.ask('PUT', `${V2}/loadbalancers/${id}/failover`)).toMatchObject(refused);
    const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 80 };
    expect(await d.ask('POST', `${V2}/listeners`, { listener })).toMatchObject(refused);
  });

  test('with children goes only by cascade', async () => {
    const d = await desk();
    const { lb, listener, members } = await standing(d);
    expect(d.processes.texts.get(lb)).toContain(`frontend ${listener}`);
    expect(await d.ask('DELETE', `${V2}/loadbalancers/${lb}`)).toMatchObject({
      status: 400,
      body: { faultstring: `Validation failure: Cannot delete Load Balancer ${lb} - it has children` },
    });
    await d.do('DELETE', `${V2}/loadbalancers/${lb}?cascade=True`);
    expect((await d.ask('GET', `${V2}/loadbalancers/${lb}`)).status).toBe(404);
    expect((await d.ask('GET', `${V2}/listeners`)).body).toEqual({ listeners: [] });
    expect(d.store.tree(lb)).toEqual([]);
    expect(members).toHaveLength(2);
    expect(d.processes.texts.size).toBe(0);
  });

  test('that cannot start is in ERROR with the reason, and recovers', async () => {
    const d = await desk();
    const { lb, listener } = await standing(d);
    d.processes.failure = 'no room';
    await d.do('PUT', `${V2}/listeners/${listener}`, { listener: { connection_limit: 7 } });
    const failed = (await d.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer;
    expect(failed).toMatchObject({
      provisioning_status: 'ERROR',
      operating_status: 'ERROR',
      status_description: 'no room',
    });
    expect((await d.ask('PUT', `${V2}/loadbalancers/${lb}`, { loadbalancer: { name: 'x' } })).status).toBe(409);
    d.processes.failure = null;
    await d.do('PUT', `${V2}/loadbalancers/${lb}/failover`);
    const well = (await d.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer;
    expect(well).toMatchObject({ provisioning_status: 'ACTIVE', status_description: '' });
    expect(d.processes.texts.get(lb)).toContain('maxconn 7');
  });

  test('lets a field be unset', async () => {
    const d = await desk();
    const { lb } = await standing(d);
    const put = (loadbalancer: object) => d.do('PUT', `${V2}/loadbalancers/${lb}`, { loadbalancer });
    expect((await put({ description: 'here', tags: ['a'] })).loadbalancer).toMatchObject({
      description: 'here',
      tags: ['a'],
    });
    expect((await put({ description: null, tags: [] })).loadbalancer).toMatchObject({ description: '', tags: [] });
  });
});

describe('conflicts', () => {
  test('of listeners, pools, members and monitors', async () => {
    const d = await desk();
    const { lb, listener, pool } = await standing(d, 1);
    const post = (path: string, body: object) => d.ask('POST', `${V2}/${path}`, body);
    const same = { loadbalancer_id: lb, protocol: 'TCP', protocol_port: 80 };
    expect(await post('listeners', { listener: same })).toMatchObject({
      status: 409,
      body: {
        faultstring: 'Another Listener on this Load Balancer is already using protocol TCP and protocol_port 80',
      },
    });
    const second = { listener_id: listener, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
    expect((await post('pools', { pool: second })).status).toBe(409);
    const member = { address: '10.9.0.201', protocol_port: 8080 };
    expect((await post(`pools/${pool}/members`, { member })).status).toBe(409);
    const healthmonitor = { pool_id: pool, type: 'TCP', delay: 2, timeout: 1, max_retries: 1 };
    await d.do('POST', `${V2}/healthmonitors`, { healthmonitor });
    expect((await post('healthmonitors', { healthmonitor })).body.faultstring).toBe(
      'This pool already has a health monitor',
    );
  });

  const wrong: [path: string, key: string, body: object, says: string][] = [
    ['pools', 'pool', { protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' }, 'Must provide at least one of'],
    ['pools', 'pool', { session_persistence: { type: 'APP_COOKIE' } }, 'cookie_name is required'],
    ['pools', 'pool', { session_persistence: { type: 'SOURCE_IP', cookie_name: 'a' } }, 'not allowed with SOURCE_IP'],
    ['healthmonitors', 'healthmonitor', { type: 'TCP', url_path: '/' }, 'url_path is not allowed with type TCP'],
    ['healthmonitors', 'healthmonitor', { delay: 1, timeout: 2 }, 'delay must be greater'],
    ['listeners', 'listener', { protocol: 'TERMINATED_HTTPS' }, 'container reference must be provided'],
    ['listeners', 'listener', { insert_headers: { 'X-Nothing': 'true' } }, 'X-Nothing is not a valid option'],
    [
      'listeners',
      'listener',
      { protocol: 'TCP', insert_headers: { 'X-Forwarded-For': 'true' } },
      'not allowed with protocol TCP',
    ],
    ['listeners', 'listener', { allowed_cidrs: ['10.0.0.0/40'] }, 'allowed_cidrs'],
    ['listeners', 'listener', { allowed_cidrs: ['fd00::/8'] }, 'another IP version'],
    ['l7policies', 'l7policy', { action: 'REDIRECT_TO_URL' }, 'redirect_url is required'],
    ['l7policies', 'l7policy', { action: 'REJECT', redirect_url: 'http://a/' }, 'redirect_url is not allowed'],
    ['l7policies', 'l7policy', { action: 'REJECT', redirect_http_code: 301 }, 'redirect_http_code is not allowed'],
  ];
  test.each(wrong)('%s %s %j', async (path, key, body, says) => {
    const d = await desk();
    const { lb, listener, pool } = await standing(d, 0);
    const base: Record<string, object> = {
      pool: 'session_persistence' in body ? { loadbalancer_id: lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' } : {},
      healthmonitor: { pool_id: pool, type: 'HTTP', delay: 2, timeout: 1, max_retries: 1 },
      listener: { loadbalancer_id: lb, protocol: 'HTTP', protocol_port: 81 },
      l7policy: { listener_id: listener },
    };
    const before = d.store.revision;
    const answer = await d.ask('POST', `${V2}/${path}`, { [key]: { ...base[key], ...body } });
    expect(answer.status).toBe(400);
    expect(answer.body.faultstring).toContain(says);
    expect(d.store.revision).toBe(before);
  });

  test('a pool that a policy redirects to stays', async () => {
    const d = await desk();
    const { lb, listener } = await standing(d, 0);
    const made = await d.do('POST', `${V2}/pools`, {
      pool: { loadbalancer_id: lb, protocol: 'HTTP', lb_algorithm: 'LEAST_CONNECTIONS' },
    });
    const l7policy = { listener_id: listener, action: 'REDIRECT_TO_POOL', redirect_pool_id: made.pool.id };
    await d.do('POST', `${V2}/l7policies`, { l7policy });
    expect((await d.ask('DELETE', `${V2}/pools/${made.pool.id}`)).status).toBe(409);
  });
});

test('what the process cannot do is refused with the words of the parser, and nothing changes', async () => {
  const d = await desk();
  const { pool } = await standing(d, 0);
  const before = d.store.revision;
  const answer = await d.ask('PUT', `${V2}/pools/${pool}`, { pool: { lb_algorithm: 'SOURCE_IP_PORT' } });
  if (answer.status === 200) return; // it can
  expect(answer.status).toBe(501);
  expect(answer.body.faultstring).toContain("Provider 'sluice' does not support a requested option: ");
  expect(d.store.revision).toBe(before);
});

test('positions of policies stay 1, 2, 3', async () => {
  const d = await desk();
  const { listener } = await standing(d, 0);
  const add = async (name: string, position?: number) => {
    const l7policy = { listener_id: listener, action: 'REJECT', name, ...(position === undefined ? {} : { position }) };
    return (await d.do('POST', `${V2}/l7policies`, { l7policy })).l7policy;
  };
  const positions = async () => {
    const { l7policies } = (await d.ask('GET', `${V2}/l7policies?sort=position:asc`)).body;
    return l7policies.map((p: { name: string; position: number }) => `${p.position} ${p.name}`);
  };
  await add('a');
  await add('b');
  const c = await add('c', 1);
  expect(c.position).toBe(1);
  expect(await positions()).toEqual(['1 c', '2 a', '3 b']);
  await d.do('PUT', `${V2}/l7policies/${c.id}`, { l7policy: { position: 2 } });
  expect(await positions()).toEqual(['1 a', '2 c', '3 b']);
  await d.do('DELETE', `${V2}/l7policies/${c.id}`);
  expect(await positions()).toEqual(['1 a', '2 b']);
});

test('a policy takes another action, and leaves what the one before needed', async () => {
  const d = await desk();
  const { listener, pool } = await standing(d, 0);
  const redirect = { action: 'REDIRECT_TO_URL', redirect_url: 'http://a/', redirect_http_code: 301 };
  const { l7policy } = await d.do('POST', `${V2}/l7policies`, { l7policy: { listener_id: listener, ...redirect } });
  const put = async (change: object) => {
    const { status, body } = await d.ask('PUT', `${V2}/l7policies/${l7policy.id}`, { l7policy: change });
    await d.settle();
    const { action, redirect_url, redirect_prefix, redirect_pool_id, redirect_http_code } = body.l7policy ?? {};
    return status === 200 ? [action, redirect_url ?? redirect_prefix ?? redirect_pool_id, redirect_http_code] : status;
  };
  expect(await put({ action: 'REDIRECT_PREFIX' }), 'it needs a prefix').toBe(400);
  const prefix = { action: 'REDIRECT_PREFIX', redirect_prefix: 'http://b' };
  expect(await put(prefix)).toEqual(['REDIRECT_PREFIX', 'http://b', 301]);
  expect(await put({ action: 'REJECT' })).toEqual(['REJECT', null, null]);
  const send = { action: 'REDIRECT_TO_POOL', redirect_pool_id: pool };
  expect(await put(send)).toEqual(['REDIRECT_TO_POOL', pool, null]);
  expect(await put({ action: 'REDIRECT_TO_POOL', description: 'the same' })).toEqual(['REDIRECT_TO_POOL', pool, null]);
});

test('a batch replaces the members of a pool at once', async () => {
  const d = await desk();
  const { pool, members } = await standing(d, 2);
  const put = (list: object[], more = '') => d.ask('PUT', `${V2}/pools/${pool}/members${more}`, { members: list });
  const list = async () => (await d.ask('GET', `${V2}/pools/${pool}/members?sort=address:asc`)).body.members;
  const first = { address: '10.9.0.201', protocol_port: 8080, weight: 7 };
  expect((await put([first, { address: '10.9.0.209', protocol_port: '99' }])).status).toBe(202);
  await d.settle();
  const now = await list();
  expect(now.map((m: { address: string }) => m.address)).toEqual(['10.9.0.201', '10.9.0.209']);
  expect(now[0]).toMatchObject({ id: members[0], weight: 7 });
  expect((await put([{ address: '10.9.0.50', protocol_port: 1 }], '?additive_only=true')).status).toBe(202);
  await d.settle();
  expect(await list()).toHaveLength(3);
  const before = d.store.revision;
  expect((await put([first, first])).status).toBe(400);
  expect((await put([{ ...first, weight: 'heavy' }])).body.faultstring).toContain('weight');
  expect((await d.ask('PUT', `${V2}/pools/${pool}/members`, {})).status).toBe(400);
  expect(d.store.revision).toBe(before);
});

test('lists: filters, fields, sorting, pages', async () => {
  const d = await desk();
  for (const [name, tags] of [
    ['b', ['x', 'y']],
    ['a', ['x']],
    ['c', []],
  ] as const) {
    await d.do('POST', `${V2}/loadbalancers`, { loadbalancer: { name, tags, vip_subnet_id: SUBNET.id } });
  }
  const names = async (query: string) =>
    (await d.ask('GET', `${V2}/loadbalancers?${query}`)).body.loadbalancers.map((lb: { name: string }) => lb.name);
  expect(await names('sort=name:desc')).toEqual(['c', 'b', 'a']);
  expect(await names('sort_key=name&sort_dir=asc')).toEqual(['a', 'b', 'c']);
  expect(await names('name=a')).toEqual(['a']);
  expect(await names('name=a&name=b&sort=name')).toEqual(['a', 'b']);
  expect(await names('name=None')).toEqual([]);
  expect(await names('admin_state_up=True&sort=name')).toEqual(['a', 'b', 'c']);
  expect(await names('admin_state_up=False')).toEqual([]);
  expect(await names('something_else=1&sort=name')).toEqual(['a', 'b', 'c']);
  expect(await names('tags=x,y')).toEqual(['b']);
  expect(await names('tags-any=x,y&sort=name')).toEqual(['a', 'b']);
  expect(await names('not-tags-any=x')).toEqual(['c']);
  const page = (await d.ask('GET', `${V2}/loadbalancers?sort=name&limit=2&fields=name&fields=id`)).body;
  expect(page.loadbalancers).toMatchObject([{ name: 'a' }, { name: 'b' }]);
  expect(Object.keys(page.loadbalancers[0]).sort()).toEqual(['id', 'name']);
  const next = new URL(page.loadbalancers_links[0].href);
  expect(page.loadbalancers_links[0].rel).toBe('next');
  const rest = (await d.ask('GET', next.pathname + next.search)).body;
  expect(rest.loadbalancers).toMatchObject([{ name: 'c' }]);
  expect(rest.loadbalancers_links).toMatchObject([{ rel: 'previous' }]);
  expect((await d.ask('GET', `${V2}/loadbalancers?limit=many`)).status).toBe(400);
  expect((await d.ask('GET', `${V2}/loadbalancers?marker=nobody`)).status).toBe(400);
});

test('quotas', async () => {
  const d = await desk();
  const project = 'p1';
  const { quota } = (await d.ask('PUT', `${V2}/quotas/${project}`, { quota: { load_balancer: '1' } })).body;
  expect(quota).toMatchObject({ load_balancer: 1, loadbalancer: 1, pool: -1 });
  const create = () =>
    d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { vip_subnet_id: SUBNET.id, project_id: project } });
  expect((await create()).status).toBe(201);
  expect(await create()).toMatchObject({
    status: 403,
    body: { faultstring: 'Quota has been met for resources: Load Balancer' },
  });
  expect((await d.ask('GET', `${V2}/quotas`)).body.quotas).toMatchObject([{ project_id: project, load_balancer: 1 }]);
  expect((await d.ask('DELETE', `${V2}/quotas/${project}`)).status).toBe(204);
  expect((await create()).status).toBe(201);
  expect((await d.ask('PUT', `${V2}/quotas/${project}`, { quota: { pool: -2 } })).status).toBe(400);
});

test('projects do not see each other', async () => {
  let caller = { projectId: 'root', admin: true };
  const auth = { kind: 'none' as const, caller: async () => caller, login: () => null };
  const d = await desk({ auth });
  const data = { name: 'p', provider_name: 'sluice', flavor_data: '{}' };
  const { flavorprofile } = await d.do('POST', `${V2}/flavorprofiles`, { flavorprofile: data });
  const { flavor } = await d.do('POST', `${V2}/flavors`, {
    flavor: { name: 'f', flavor_profile_id: flavorprofile.id },
  });
  caller = { projectId: 'one', admin: false };
  const mine = { vip_subnet_id: SUBNET.id, flavor_id: flavor.id };
  const { loadbalancer } = await d.do('POST', `${V2}/loadbalancers`, { loadbalancer: mine });
  expect(loadbalancer.project_id).toBe('one');
  expect((await d.ask('PUT', `${V2}/flavors/${flavor.id}`, { flavor: { name: 'g' } })).status).toBe(403);
  caller = { projectId: 'two', admin: false };
  expect((await d.ask('GET', `${V2}/loadbalancers`)).body.loadbalancers).toEqual([]);
  expect((await d.ask('GET', `${V2}/loadbalancers/${loadbalancer.id}`)).status).toBe(404);
  expect((await d.ask('DELETE', `${V2}/loadbalancers/${loadbalancer.id}`)).status).toBe(404);
  const theirs = { vip_subnet_id: SUBNET.id, project_id: 'one' };
  expect((await d.ask('POST', `${V2}/loadbalancers`, { loadbalancer: theirs })).status).toBe(403);
});

test('states and statistics follow from the process', async () => {
  const d = await desk();
  const { lb, listener, pool, members } = await standing(d, 2);
  const counters = { active_connections: 1, bytes_in: 2, bytes_out: 3, request_errors: 4, total_connections: 5 };
  const state = async (a: string, b: string) => {
    d.processes.health_ = {
      ...{
        members: { [members[0]!]: a, [members[1]!]: b },
        findings: { [members[1]!]: 'L7STS 503' },
        fronts: { [listener]: counters },
        pools: { [pool]: counters },
        ping: null,
      },
    };
    const { statuses } = (await d.ask('GET', `${V2}/loadbalancers/${lb}/status`)).body;
    const [web] = statuses.loadbalancer.listeners;
    const of = (list: { operating_status: string }[]) => list.map(one => one.operating_status).join(' ');
    return `${statuses.loadbalancer.operating_status}: ${of([web])}, ${of(web.pools)}: ${of(web.pools[0].members)}`;
  };
  expect(await state('no check', 'no check')).toBe('ONLINE: ONLINE, ONLINE: NO_MONITOR NO_MONITOR');
  expect(await state('UP', 'UP 1/2')).toBe('ONLINE: ONLINE, ONLINE: ONLINE ONLINE');
  expect(await state('UP', 'DOWN')).toBe('DEGRADED: ONLINE, DEGRADED: ONLINE ERROR');
  const { member } = (await d.ask('GET', `${V2}/pools/${pool}/members/${members[1]}`)).body;
  expect(member).toMatchObject({ operating_status: 'ERROR', status_description: 'L7STS 503' });
  const degraded = (await d.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer;
  expect(degraded.status_description).toBe('1 of 2 members is down');
  expect(await state('DOWN 1/2', 'DOWN')).toBe('ERROR: ONLINE, ERROR: ERROR ERROR');
  expect(await state('MAINT', 'DRAIN')).toBe('ONLINE: ONLINE, ONLINE: OFFLINE DRAINING');
  expect((await d.ask('GET', `${V2}/loadbalancers/${lb}/stats`)).body).toEqual({ stats: counters });
  expect((await d.ask('GET', `${V2}/listeners/${listener}/stats`)).body).toEqual({ stats: counters });
  const metrics = (await d.ask('GET', '/metrics')).body;
  expect(metrics).toContain(`sluice_lbaas_bytes_out_total{id="${lb}",name="lb"} 3`);
  expect(metrics).toContain(`sluice_lbaas_running{id="${lb}",name="lb"} 1`);
});

test('flavours, providers, zones', async () => {
  const d = await desk();
  const data = { name: 'p', provider_name: 'sluice', flavor_data: '{}' };
  const { flavorprofile } = await d.do('POST', `${V2}/flavorprofiles`, { flavorprofile: data });
  const { flavor } = await d.do('POST', `${V2}/flavors`, {
    flavor: { name: 'f', flavor_profile_id: flavorprofile.id },
  });
  expect((await d.ask('GET', `${V2}/flavors?name=f`)).body.flavors).toEqual([
    { id: flavor.id, name: 'f', description: '', flavor_profile_id: flavorprofile.id, enabled: true },
  ]);
  expect((await d.ask('DELETE', `${V2}/flavorprofiles/${flavorprofile.id}`)).status).toBe(409);
  const odd = { ...data, flavor_data: '{"loadbalancer_topology":"SINGLE"}' };
  expect((await d.ask('POST', `${V2}/flavorprofiles`, { flavorprofile: odd })).status).toBe(501);
  const { providers } = (await d.ask('GET', `${V2}/providers`)).body;
  expect(providers.map((p: { name: string }) => p.name)).toContain('amphora');
  expect((await d.ask('GET', `${V2}/availabilityzones`)).body.availability_zones).toMatchObject([{ name: 'nova' }]);
});

test('the paths that clients use: versions, prefixes, .json, OpenAPI', async () => {
  const d = await desk();
  expect((await d.ask('GET', '/')).body.versions.at(-1)).toMatchObject({ id: 'v2.26', status: 'CURRENT' });
  for (const path of [
    '/load-balancer/v2.0/lbaas/pools',
    '/v2/lbaas/pools',
    '/v2.0/lbaas/pools.json',
    '/v2.0/lbaas/pools/',
  ]) {
    expect((await d.ask('GET', path)).body, path).toEqual({ pools: [] });
  }
  expect((await d.ask('GET', '/v2.0/subnets?name=private')).body.subnets).toMatchObject([
    { id: SUBNET.id, cidr: SUBNET.cidr },
  ]);
  expect((await d.ask('GET', '/v2/networks')).body.networks).toHaveLength(1);
  const { paths } = (await d.ask('GET', '/openapi.json')).body;
  expect(
    paths['/v2.0/lbaas/listeners'].post.requestBody.content['application/json'].schema.properties.listener.properties,
  ).toHaveProperty('protocol_port');
  const neutron = { 'user-agent': 'python-neutronclient' };
  expect((await d.ask('GET', `${V2}/pools/none`, undefined, neutron)).body.NeutronError).toMatchObject({
    type: 'PoolNotFound',
  });
});
