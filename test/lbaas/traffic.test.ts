/** Real processes: what goes through the VIPs is what the API promised. */
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { V1, V2 } from './desk.ts';
import { balancer, eventually, farm, freeVip, get, localSubnet, PORT, site, spread, stateFolder } from './farm.ts';

describe('a load balancer with traffic', () => {
  test('weights change and members come and go without another process', async () => {
    const f = await farm();
    const [a, b] = [await site('a'), await site('b')];
    const { lb, pool, members, vip } = await balancer(f, [a.port]);
    const pid = f.pid(lb);
    expect(await spread(4, () => get(vip, PORT))).toEqual({ a: 4 });

    const second = await f.do('POST', `${V2}/pools/${pool}/members`, {
      member: { address: '127.0.0.1', protocol_port: b.port, weight: 3 },
    });
    expect(await spread(8, () => get(vip, PORT))).toEqual({ a: 2, b: 6 });
    await f.do('PUT', `${V2}/pools/${pool}/members/${members[0]}`, { member: { weight: 3 } });
    expect(await spread(8, () => get(vip, PORT))).toEqual({ a: 4, b: 4 });
    await f.do('PUT', `${V2}/pools/${pool}/members/${members[0]}`, { member: { admin_state_up: false } });
    expect(await spread(4, () => get(vip, PORT))).toEqual({ b: 4 });
    await f.do('PUT', `${V2}/pools/${pool}/members/${members[0]}`, { member: { admin_state_up: true } });
    await f.do('DELETE', `${V2}/pools/${pool}/members/${second.member.id}`);
    expect(await spread(4, () => get(vip, PORT))).toEqual({ a: 4 });
    expect(f.pid(lb), 'the same process all the time').toBe(pid);
    const conf = fs.readFileSync(path.join(f.state, 'lbaas', lb, 'conf'), 'utf8');
    expect(conf).toContain(`server ${members[0]} 127.0.0.1:${a.port} weight 3`);
    expect(conf).not.toContain(second.member.id);

    await f.do('DELETE', `${V2}/loadbalancers/${lb}?cascade=true`);
    // The kernel may take a moment to close the sockets of a process that has ended.
    await eventually(() => expect(get(vip, PORT)).rejects.toThrow('ECONNREFUSED'));
    expect(fs.readdirSync(path.join(f.state, 'lbaas'))).toEqual([]);
  });

  test('a monitor takes ill members out; cookies keep clients, also with weight 0', async () => {
    const f = await farm();
    const [a, b] = [await site('a'), await site('b')];
    const { lb, pool, members, vip } = await balancer(f, [a.port, b.port], {
      pool: { session_persistence: { type: 'HTTP_COOKIE' } },
    });
    await f.do('POST', `${V2}/healthmonitors`, {
      healthmonitor: {
        pool_id: pool,
        type: 'HTTP',
        url_path: '/health',
        delay: 1,
        timeout: 1,
        max_retries: 1,
        max_retries_down: 1,
      },
    });
    const first = await get(vip, PORT);
    const cookie = String(first.headers['set-cookie']?.find(c => c.startsWith('SRV='))).split(';')[0]!;
    const other = first.body === 'a' ? 'b' : 'a';
    const mine = members[first.body === 'a' ? 0 : 1]!;
    await f.do('PUT', `${V2}/pools/${pool}/members/${mine}`, { member: { weight: 0 } });
    expect(await spread(4, () => get(vip, PORT))).toEqual({ [other]: 4 });
    expect(await spread(4, () => get(vip, PORT, '/', { cookie }))).toEqual({ [first.body]: 4 });
    const state = async (id: string) =>
      (await f.ask('GET', `${V2}/pools/${pool}/members/${id}`)).body.member.operating_status;
    await eventually(async () => expect(await state(mine)).toBe('DRAINING'));

    (first.body === 'a' ? a : b).status = 0;
    await eventually(async () => {
      expect(await spread(2, () => get(vip, PORT, '/', { cookie }))).toEqual({ [other]: 2 });
      expect(await state(mine)).toBe('ERROR');
      expect((await f.ask('GET', `${V2}/loadbalancers/${lb}`)).body.loadbalancer.operating_status).toBe('DEGRADED');
    });
    await f.do('PUT', `${V2}/pools/${pool}`, { pool: { lb_algorithm: 'LEAST_CONNECTIONS' } });
    expect(await spread(4, () => get(vip, PORT, '/', { cookie })), 'who is down is known after a reload').toEqual({
      [other]: 4,
    });
  });

  test('L7 policies reject, redirect, and choose pools; headers are inserted', async () => {
    const f = await farm();
    const [a, b] = [await site('a'), await site('b')];
    const listener = {
      insert_headers: { 'X-Forwarded-For': 'true', 'X-Forwarded-Port': 'true', 'X-Forwarded-Proto': 'true' },
    };
    const lb = await balancer(f, [a.port], { listener });
    const { pool } = await f.do('POST', `${V2}/pools`, {
      pool: { loadbalancer_id: lb.lb, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', name: 'second' },
    });
    await f.do('POST', `${V2}/pools/${pool.id}/members`, { member: { address: '127.0.0.1', protocol_port: b.port } });
    const policy = async (l7policy: object, ...rules: object[]) => {
      const made = (await f.do('POST', `${V2}/l7policies`, { l7policy: { listener_id: lb.listener, ...l7policy } }))
        .l7policy;
      for (const rule of rules) await f.do('POST', `${V2}/l7policies/${made.id}/rules`, { rule });
      return made.id as string;
    };
    const path = (compare_type: string, value: string) => ({ type: 'PATH', compare_type, value });
    await policy({ action: 'REDIRECT_TO_POOL', redirect_pool_id: pool.id }, path('STARTS_WITH', '/api'), {
      type: 'HEADER',
      key: 'X-Beta',
      compare_type: 'EQUAL_TO',
      value: "it's $5 {odd}",
      invert: true,
    });
    await policy({ action: 'REJECT' }, path('REGEX', '^/secret/[0-9]+$'));
    await policy(
      { action: 'REDIRECT_TO_URL', redirect_url: 'http://new.example/a%20b', redirect_http_code: 301 },
      path('EQUAL_TO', '/old'),
    );
    await policy(
      { action: 'REDIRECT_PREFIX', redirect_prefix: 'https://safe.example' },
      {
        ...{ type: 'HOST_NAME', compare_type: 'ENDS_WITH', value: '.Example' },
      },
    );
    await policy(
      { action: 'REDIRECT_TO_POOL', redirect_pool_id: pool.id },
      { type: 'FILE_TYPE', compare_type: 'EQUAL_TO', value: 'jpg' },
    );
    await policy(
      { action: 'REDIRECT_TO_POOL', redirect_pool_id: pool.id },
      { type: 'COOKIE', key: 'who', compare_type: 'CONTAINS', value: 'b b' },
    );
    const ask = (url: string, headers = {}) => get(lb.vip, PORT, url, headers);
    expect((await ask('/')).body).toBe('a');
    expect((await ask('/api/x')).body).toBe('b');
    expect((await ask('/api/x', { 'x-beta': "it's $5 {odd}" })).body).toBe('a');
    expect((await ask('/x.jpg')).body).toBe('b');
    expect((await ask('/', { cookie: 'who=ab bc' })).body).toBe('b');
    expect((await ask('/secret/42')).status).toBe(403);
    expect((await ask('/secret/42x')).status).toBe(200);
    expect(await ask('/old')).toMatchObject({ status: 301, headers: { location: 'http://new.example/a%20b' } });
    expect(await ask('/p?q', { host: 'www.example' })).toMatchObject({
      status: 302,
      headers: { location: 'https://safe.example/p?q' },
    });
    expect(a.requests[0]!.headers).toMatchObject({
      ...{ 'x-forwarded-for': '127.0.0.1', 'x-forwarded-port': String(PORT), 'x-forwarded-proto': 'http' },
    });
  });

  test('allowed CIDRs, a connection limit, and a disabled listener', async () => {
    const f = await farm();
    const a = await site('a');
    const { listener, vip } = await balancer(f, [a.port]);
    const put = (change: object) => f.do('PUT', `${V2}/listeners/${listener}`, { listener: change });
    await put({ allowed_cidrs: ['127.0.0.0/8'], connection_limit: '5' });
    expect((await get(vip, PORT)).body).toBe('a');
    await put({ allowed_cidrs: ['10.0.0.0/8', '192.168.0.0/16'] });
    await eventually(() => expect(get(vip, PORT)).rejects.toThrow());
    await put({ allowed_cidrs: null });
    expect((await get(vip, PORT)).body).toBe('a');
    await put({ admin_state_up: false });
    await eventually(() => expect(get(vip, PORT)).rejects.toThrow('ECONNREFUSED'));
  });
});

describe('what dies', () => {
  test('a process is started again; a control plane finds its processes', async () => {
    const state = stateFolder();
    let f = await farm(state);
    const a = await site('a');
    const { lb, pool, members, vip } = await balancer(f, [a.port]);
    const pid = f.pid(lb);
    process.kill(pid, 'SIGKILL');
    await eventually(async () => {
      expect((await get(vip, PORT)).body).toBe('a');
      expect(f.pid(lb)).not.toBe(pid);
    });
    const second = f.pid(lb);
    await f.idle();
    await f.close();
    expect((await get(vip, PORT)).body, 'it serves without its control plane').toBe('a');

    f = await farm(state);
    await f.idle();
    expect(f.pid(lb), 'adopted').toBe(second);
    await f.do('PUT', `${V2}/pools/${pool}/members/${members[0]}`, { member: { weight: 9 } });
    expect(f.pid(lb), 'and changed at run time').toBe(second);
    await f.close();

    process.kill(second, 'SIGKILL');
    f = await farm(state);
    await f.idle();
    await eventually(async () => expect((await get(vip, PORT)).body).toBe('a'));
    await f.do('DELETE', `${V2}/loadbalancers/${lb}?cascade=true`);
    await expect(get(vip, PORT)).rejects.toThrow();
  });

  test('a second control plane on the same folder is refused', async () => {
    const f = await farm();
    await expect(farm(f.state)).rejects.toThrow("does another 'sluice lbaas' use it?");
  });
});

test('v1: several monitors, of which a member must pass all', async () => {
  const f = await farm();
  const [a, b] = [await site('a'), await site('b')];
  const subnet_id = await localSubnet(f);
  const address = freeVip();
  const { pool } = await f.do('POST', `${V1}/pools`, {
    pool: { name: 'p', subnet_id, protocol: 'HTTP', lb_method: 'ROUND_ROBIN' },
  });
  const members: string[] = [];
  for (const { port } of [a, b]) {
    const body = { member: { pool_id: pool.id, address: '127.0.0.1', protocol_port: String(port) } };
    members.push((await f.do('POST', `${V1}/members`, body)).member.id);
  }
  for (const more of [
    { type: 'PING' },
    { type: 'TCP' },
    { type: 'HTTP', url_path: '/health', expected_codes: '200-204' },
  ]) {
    const { health_monitor } = await f.do('POST', `${V1}/health_monitors`, {
      health_monitor: { delay: '1', timeout: '1', max_retries: '1', ...more },
    });
    await f.do('POST', `${V1}/pools/${pool.id}/health_monitors`, { health_monitor: { id: health_monitor.id } });
  }
  await f.do('POST', `${V1}/vips`, {
    vip: { subnet_id, address, pool_id: pool.id, protocol: 'HTTP', protocol_port: PORT },
  });
  expect(await spread(4, () => get(address, PORT))).toEqual({ a: 2, b: 2 });
  a.status = 404;
  const member = async (id: string) => (await f.ask('GET', `${V1}/members/${id}`)).body.member;
  await eventually(async () => {
    const { status, status_description } = await member(members[0]!);
    expect([status, status_description]).toEqual(['INACTIVE', expect.stringContaining('L7')]);
    expect(await spread(4, () => get(address, PORT))).toEqual({ b: 4 });
  });
  expect(await member(members[1]!)).toMatchObject({
    status: 'ACTIVE',
    status_description: 'PING is done by a TCP connection',
  });
  a.status = 200;
  await eventually(async () => expect(await spread(4, () => get(address, PORT))).toEqual({ a: 2, b: 2 }));
  await eventually(async () => {
    const { stats } = (await f.ask('GET', `${V1}/pools/${pool.id}/stats`)).body;
    expect(stats.total_connections).toBeGreaterThan(3);
  });
});

test('a PING monitor pings', async () => {
  const f = await farm();
  const a = await site('a');
  const { pool, members, vip } = await balancer(f, [a.port]);
  await f.do('POST', `${V2}/healthmonitors`, {
    healthmonitor: { pool_id: pool, type: 'PING', delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 },
  });
  a.close(); // a ping does not see that
  await eventually(async () => {
    const { member } = (await f.ask('GET', `${V2}/pools/${pool}/members/${members[0]}`)).body;
    const pings = fs.existsSync(path.join(f.state, 'ping'));
    expect([member.operating_status, member.status_description]).toEqual(
      pings ? ['ONLINE', ''] : ['ERROR', expect.stringContaining('L4')],
    );
  });
  expect((await get(vip, PORT)).status).toBe(503);
});
