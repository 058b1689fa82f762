/** OpenStack's own `openstack` command and SDK drive Sluice: the API of Octavia, with a Keystone and without, with traffic. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import readline from 'node:readline';
import { describe, expect, onTestFinished, test } from 'vitest';
import { eventually, farm, freeVip, get, site, spread } from '../lbaas/farm.ts';
import { missing, noAuth, shell } from './openstack-shell.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const PORT = 8080;

const REASON = missing();
if (REASON !== null && INTEROP) throw new Error(REASON);
if (REASON !== null) console.log(`skipped: ${REASON}`);

const JSON_OUT = ['-f', 'json'];

describe.skipIf(REASON !== null)('openstack loadbalancer', { timeout: 180_000 }, () => {
  test('the whole life of a load balancer', async () => {
    const f = await farm();
    const [a, b] = [await site('a'), await site('b')];
    const os = shell('openstack', noAuth(f));
    /** A command that changes something, and waits until it is in force. */
    const lb = async (...words: string[]) => {
      const result = await os.ok('loadbalancer', ...words);
      await f.idle();
      return result;
    };
    const made = (...words: string[]) => lb(...words, ...JSON_OUT);
    const vip = freeVip();

    const { id } = await made(
      'create',
      '--name',
      'lb1',
      '--vip-subnet-id',
      'local',
      '--vip-address',
      vip,
      '--tag',
      't1',
    );
    expect((await made('show', 'lb1')).provisioning_status).toBe('ACTIVE');
    await lb('set', 'lb1', '--description', 'the first', '--tag', 't2');
    expect(await made('show', id)).toMatchObject({ description: 'the first' });
    await lb('unset', 'lb1', '--description', '--tag', 't1');
    expect((await made('show', 'lb1')).description).toBe('');
    expect(await made('list', '--tags', 't2')).toHaveLength(1);
    expect(await made('list', '--name', 'nobody')).toEqual([]);

    const headers = ['--insert-headers', 'X-Forwarded-For=true,X-Forwarded-Port=true'];
    await made(
      'listener',
      'create',
      '--name',
      'web',
      '--protocol',
      'HTTP',
      '--protocol-port',
      String(PORT),
      ...headers,
      'lb1',
    );
    await lb(
      'listener',
      'set',
      'web',
      '--connection-limit',
      '100',
      '--timeout-client-data',
      '9000',
      '--allowed-cidr',
      '127.0.0.0/8',
    );
    expect(await made('listener', 'show', 'web')).toMatchObject({ connection_limit: 100, timeout_client_data: 9000 });
    await lb('listener', 'unset', 'web', '--timeout-client-data', '--allowed-cidrs');
    expect(await made('listener', 'list', '--loadbalancer', 'lb1')).toHaveLength(1);

    await made(
      'pool',
      'create',
      '--name',
      'farm',
      '--protocol',
      'HTTP',
      '--listener',
      'web',
      '--lb-algorithm',
      'ROUND_ROBIN',
      '--wait',
    );
    await made(
      'pool',
      'create',
      '--name',
      'api',
      '--protocol',
      'HTTP',
      '--loadbalancer',
      'lb1',
      '--lb-algorithm',
      'LEAST_CONNECTIONS',
    );
    await lb('pool', 'set', 'farm', '--session-persistence', 'type=HTTP_COOKIE');
    expect(await made('pool', 'show', 'farm')).toMatchObject({
      session_persistence: expect.stringContaining('HTTP_COOKIE'),
    });
    await lb('pool', 'unset', 'farm', '--session-persistence');
    expect(await made('pool', 'list')).toHaveLength(2);

    const at = (port: number) => ['--address', '127.0.0.1', '--protocol-port', String(port)];
    await made('member', 'create', 'farm', '--name', 'ma', ...at(a.port), '--weight', '1');
    await made('member', 'create', 'farm', '--name', 'mb', ...at(b.port), '--weight', '2', '--subnet-id', 'local');
    await made('member', 'create', 'api', ...at(b.port));
    expect(await spread(6, () => get(vip, PORT))).toEqual({ a: 2, b: 4 });
    await lb('member', 'set', 'farm', 'mb', '--weight', '1');
    expect(await spread(6, () => get(vip, PORT))).toEqual({ a: 3, b: 3 });
    await lb('member', 'unset', 'farm', 'mb', '--weight');
    expect(await made('member', 'list', 'farm')).toHaveLength(2);
    expect(await made('member', 'show', 'farm', 'mb')).toMatchObject({ weight: 1 });

    const check = ['--delay', '1', '--timeout', '1', '--max-retries', '1', '--max-retries-down', '1'];
    const http = [
      '--type',
      'HTTP',
      '--url-path',
      '/health',
      '--expected-codes',
      '200-299',
      '--http-version',
      '1.1',
      '--domain-name',
      'x.org',
    ];
    await made('healthmonitor', 'create', '--name', 'hm', ...check, ...http, 'farm');
    await lb('healthmonitor', 'set', 'hm', '--delay', '2', '--expected-codes', '200');
    expect(await made('healthmonitor', 'show', 'hm')).toMatchObject({ delay: 2, http_version: expect.anything() });
    await lb('healthmonitor', 'unset', 'hm', '--expected-codes');
    expect(await made('healthmonitor', 'list')).toHaveLength(1);

    await made(
      'l7policy',
      'create',
      '--name',
      'to-api',
      '--action',
      'REDIRECT_TO_POOL',
      '--redirect-pool',
      'api',
      'web',
    );
    await made('l7rule', 'create', '--type', 'PATH', '--compare-type', 'STARTS_WITH', '--value', '/api', 'to-api');
    const url = ['--redirect-url', 'http://new.example/', '--redirect-http-code', '301', '--position', '1'];
    await made('l7policy', 'create', '--name', 'moved', '--action', 'REDIRECT_TO_URL', ...url, 'web');
    const rule = await made(
      'l7rule',
      'create',
      '--type',
      'HEADER',
      '--key',
      'X-Old',
      '--compare-type',
      'EQUAL_TO',
      '--value',
      'a b',
      'moved',
    );
    await made('l7policy', 'create', '--name', 'no', '--action', 'REJECT', 'web');
    await made('l7rule', 'create', '--type', 'HOST_NAME', '--compare-type', 'ENDS_WITH', '--value', '.bad', 'no');
    expect((await get(vip, PORT, '/api/1')).body).toBe('b');
    expect(await get(vip, PORT, '/', { 'x-old': 'a b' })).toMatchObject({
      status: 301,
      headers: { location: 'http://new.example/' },
    });
    expect((await get(vip, PORT, '/', { host: 'www.bad' })).status).toBe(403);
    await lb('l7rule', 'set', 'moved', rule.id, '--value', 'c');
    expect((await get(vip, PORT, '/', { 'x-old': 'a b' })).status).toBe(200);
    expect(await made('l7rule', 'list', 'moved')).toHaveLength(1);
    expect(await made('l7rule', 'show', 'moved', rule.id)).toMatchObject({ value: 'c' });
    await lb('l7policy', 'set', 'moved', '--position', '3');
    expect((await made('l7policy', 'show', 'moved')).position).toBe(3);
    await lb('l7policy', 'unset', 'moved', '--redirect-http-code');
    expect(await made('l7policy', 'list')).toHaveLength(3);

    a.status = 0;
    await eventually(async () => {
      expect(await spread(2, () => get(vip, PORT))).toEqual({ b: 2 });
      expect((await made('member', 'show', 'farm', 'ma')).operating_status).toBe('ERROR');
    }, 20_000);
    const { loadbalancer } = await os.ok('loadbalancer', 'status', 'show', 'lb1');
    expect(loadbalancer).toMatchObject({ operating_status: 'DEGRADED', listeners: [{ name: 'web' }] });
    await eventually(async () =>
      expect(Number((await made('stats', 'show', 'lb1')).total_connections)).toBeGreaterThan(10),
    );
    expect(Number((await made('listener', 'stats', 'show', 'web')).bytes_out)).toBeGreaterThan(1000);

    const pid = f.pid(id);
    await lb('failover', 'lb1');
    expect(f.pid(id)).not.toBe(pid);
    await eventually(async () => expect((await get(vip, PORT)).body).toBe('b'));

    const again = await os.run(
      'loadbalancer',
      'listener',
      'create',
      '--protocol',
      'HTTP',
      '--protocol-port',
      String(PORT),
      'lb1',
    );
    expect(again.code).toBe(1);
    expect(again.err).toContain(
      'Another Listener on this Load Balancer is already using protocol HTTP and protocol_port 8080 (HTTP 409)',
    );
    expect((await os.run('loadbalancer', 'delete', 'lb1')).err).toContain('it has children (HTTP 400)');
    await lb('l7rule', 'delete', 'moved', rule.id);
    for (const name of ['moved', 'no', 'to-api']) await lb('l7policy', 'delete', name);
    await lb('healthmonitor', 'delete', 'hm');
    await lb('member', 'delete', 'farm', 'ma');
    await lb('pool', 'delete', 'api');
    await lb('delete', '--cascade', '--wait', 'lb1');
    expect(await made('list')).toEqual([]);
    await expect(get(vip, PORT)).rejects.toThrow();
  });

  test('a whole load balancer in one call, by the SDK', async () => {
    const f = await farm();
    const vip = freeVip();
    const words = [path.join(import.meta.dirname, 'openstack-sdk.py'), f.url, vip, String((await site('a')).port)];
    const child = spawn('/usr/bin/python3', words, { stdio: ['pipe', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill());
    const [line] = await once(readline.createInterface({ input: child.stdout }), 'line');
    const { id, pools } = JSON.parse(line as string);
    expect(pools).toEqual(['farm']);
    await eventually(async () => expect((await get(vip, PORT)).body).toBe('a'));
    expect((await get(vip, PORT, '/no')).status).toBe(403);
    const os = shell('openstack', noAuth(f));
    expect(await os.ok('loadbalancer', 'show', 'whole', ...JSON_OUT)).toMatchObject({
      id,
      provisioning_status: 'ACTIVE',
    });
    const { loadbalancer } = await os.ok('loadbalancer', 'status', 'show', 'whole');
    expect(loadbalancer.listeners[0]).toMatchObject({
      pools: [{ name: 'farm', members: [{}] }],
      l7policies: [{ rules: [{}] }],
    });
    child.stdin.write('\n');
    expect(await once(child, 'exit')).toEqual([0, null]);
    await f.idle();
    expect(await os.ok('loadbalancer', 'list', ...JSON_OUT)).toEqual([]);
  });

  test('quotas, providers, flavours, zones, networks', async () => {
    const f = await farm();
    const os = shell('openstack', noAuth(f));
    const ok = (...words: string[]) => os.ok(...words, ...JSON_OUT);
    expect(await ok('loadbalancer', 'quota', 'defaults', 'show')).toMatchObject({ load_balancer: -1 });
    await os.ok('loadbalancer', 'quota', 'set', '--loadbalancer', '0', 'admin');
    expect(await ok('loadbalancer', 'quota', 'list')).toHaveLength(1);
    expect(await ok('loadbalancer', 'quota', 'show', 'admin')).toMatchObject({ load_balancer: 0 });
    const refused = await os.run(
      'loadbalancer',
      'create',
      '--name',
      'x',
      '--vip-subnet-id',
      'local',
      '--project',
      'admin',
    );
    expect(refused.err).toContain('Quota has been met for resources: Load Balancer (HTTP 403)');
    await os.ok('loadbalancer', 'quota', 'unset', '--loadbalancer', 'admin');
    await os.ok('loadbalancer', 'quota', 'reset', 'admin');
    expect(await ok('loadbalancer', 'provider', 'list')).toEqual(
      expect.arrayContaining([expect.objectContaining({ name: 'sluice' })]),
    );
    const capabilities = await os.ok('loadbalancer', 'provider', 'capability', 'list', 'amphora', ...JSON_OUT);
    expect(capabilities).toContainEqual(expect.objectContaining({ type: 'flavor', name: 'threads' }));
    const data = ['--flavor-data', '{"threads": 2}'];
    await ok('loadbalancer', 'flavorprofile', 'create', '--name', 'fp', '--provider', 'sluice', ...data);
    const odd = ['--name', 'x', '--provider', 'sluice', '--flavor-data', '{"cores": 2}'];
    expect((await os.run('loadbalancer', 'flavorprofile', 'create', ...odd)).err).toContain('flavor_data cores');
    await ok(
      'loadbalancer',
      'flavor',
      'create',
      '--name',
      'fl',
      '--flavorprofile',
      'fp',
      '--description',
      'd',
      '--enable',
    );
    expect(await ok('loadbalancer', 'flavor', 'list')).toHaveLength(1);
    expect(await ok('loadbalancer', 'flavor', 'show', 'fl')).toMatchObject({ description: 'd' });
    await os.ok('loadbalancer', 'flavor', 'set', 'fl', '--name', 'fm');
    await os.ok('loadbalancer', 'flavor', 'delete', 'fm');
    await os.ok('loadbalancer', 'flavorprofile', 'delete', 'fp');
    expect(await ok('loadbalancer', 'availabilityzone', 'list')).toMatchObject([{ name: 'nova' }]);
    expect(await ok('loadbalancer', 'amphora', 'list')).toEqual([]);
    expect(await ok('subnet', 'list')).toMatchObject([{ Name: 'local', Subnet: '127.0.0.0/8' }]);
    expect(await ok('network', 'list')).toMatchObject([{ Name: 'local' }]);
  });

  test('through Keystone, with the one token as password', async () => {
    const f = await farm(undefined, ['--token', 'sesame']);
    const keystone = (password: string) => ({
      ...{ OS_AUTH_URL: `${f.url}/v3`, OS_USERNAME: 'admin', OS_PASSWORD: password, OS_PROJECT_NAME: 'admin' },
      ...{ OS_USER_DOMAIN_NAME: 'Default', OS_PROJECT_DOMAIN_NAME: 'Default', OS_IDENTITY_API_VERSION: '3' },
    });
    expect(await shell('openstack', keystone('sesame')).ok('loadbalancer', 'list', ...JSON_OUT)).toEqual([]);
    expect(await shell('neutron', keystone('sesame')).ok('lb-pool-list', ...JSON_OUT)).toEqual([]);
    expect((await shell('openstack', keystone('wrong')).run('loadbalancer', 'list')).err).toContain('HTTP 401');
    expect((await shell('openstack', noAuth(f)).run('loadbalancer', 'list')).err).toContain('HTTP 401');
  });
});
