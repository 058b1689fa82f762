/** OpenStack's own `neutron` command drives Sluice: the APIs v1 and v2 of LBaaS, with traffic through what it makes. */
import { describe, expect, test } from 'vitest';
import { eventually, farm, freeVip, get, site, spread } from '../lbaas/farm.ts';
import { missing, noAuth, shell } from './openstack-shell.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const PORT = 8080;

const REASON = missing();
if (REASON !== null && INTEROP) throw new Error(REASON);
if (REASON !== null) console.log(`skipped: ${REASON}`);

const JSON_OUT = ['-f', 'json'];

describe.skipIf(REASON !== null)('neutron', { timeout: 180_000 }, () => {
  test('the whole life of a pool of v1', async () => {
    const f = await farm();
    const [a, b] = [await site('a'), await site('b')];
    const neutron = shell('neutron', noAuth(f));
    const lb = async (...words: string[]) => {
      const result = await neutron.ok(...words);
      await f.idle();
      return result;
    };
    const made = (...words: string[]) => lb(...words, ...JSON_OUT);
    const vip = freeVip();
    const pool = await made(
      'lb-pool-create',
      '--lb-method',
      'ROUND_ROBIN',
      '--name',
      'mypool',
      '--protocol',
      'HTTP',
      '--subnet-id',
      'local',
    );
    const member = (port: number) =>
      made('lb-member-create', '--address', '127.0.0.1', '--protocol-port', String(port), 'mypool');
    const [ma] = [await member(a.port), await member(b.port)];
    const monitor = await made(
      ...[
        'lb-healthmonitor-create',
        '--delay',
        '1',
        '--type',
        'HTTP',
        '--max-retries',
        '1',
        '--timeout',
        '1',
        '--url-path',
        '/health',
      ],
    );
    await lb('lb-healthmonitor-associate', monitor.id, 'mypool');
    await made(
      ...[
        'lb-vip-create',
        '--name',
        'myvip',
        '--protocol-port',
        String(PORT),
        '--protocol',
        'HTTP',
        '--subnet-id',
        'local',
      ],
      ...['--address', vip, 'mypool', '--session-persistence', 'type=dict', 'type=HTTP_COOKIE'],
    );
    await eventually(async () => expect(await spread(4, () => get(vip, PORT))).toEqual({ a: 2, b: 2 }));
    expect(await made('lb-vip-show', 'myvip')).toMatchObject({ status: 'ACTIVE', address: vip, pool_id: pool.id });
    for (const [what, count] of [
      ['pool', 1],
      ['member', 2],
      ['healthmonitor', 1],
      ['vip', 1],
    ] as const) {
      expect(await made(`lb-${what}-list`), what).toHaveLength(count);
    }
    await lb('lb-member-update', ma.id, '--weight', '3');
    expect(await made('lb-member-show', ma.id)).toMatchObject({ weight: 3, status: 'ACTIVE' });
    expect(await spread(8, () => get(vip, PORT))).toEqual({ a: 6, b: 2 });
    await lb('lb-pool-update', 'mypool', '--lb-method', 'LEAST_CONNECTIONS', '--description', 'changed');
    expect(await made('lb-pool-show', 'mypool')).toMatchObject({
      lb_method: 'LEAST_CONNECTIONS',
      description: 'changed',
    });
    await lb('lb-healthmonitor-update', monitor.id, '--delay', '2');
    await lb('lb-vip-update', 'myvip', '--connection-limit', '50', '--name', 'newvip');
    a.status = 0;
    await eventually(async () => expect((await made('lb-member-show', ma.id)).status).toBe('INACTIVE'), 20_000);
    await eventually(async () =>
      expect(Number((await made('lb-pool-stats', 'mypool')).total_connections)).toBeGreaterThan(0),
    );
    const [agent] = await made('lb-agent-hosting-pool', 'mypool');
    expect(agent).toMatchObject({ alive: expect.anything() });
    expect(await made('lb-pool-list-on-agent', agent.id)).toHaveLength(1);
    expect(await made('ext-show', 'lbaas')).toMatchObject({ alias: 'lbaas' });

    expect((await neutron.run('lb-pool-delete', 'mypool')).err).toContain(`Pool ${pool.id} is still in use`);
    await lb('lb-healthmonitor-disassociate', monitor.id, 'mypool');
    await lb('lb-vip-delete', 'newvip');
    await expect(get(vip, PORT)).rejects.toThrow();
    await lb('lb-healthmonitor-delete', monitor.id);
    await lb('lb-member-delete', ma.id);
    await lb('lb-pool-delete', 'mypool');
    expect(await made('lb-pool-list')).toEqual([]);
  });

  test('LBaaS v2', async () => {
    const f = await farm();
    const a = await site('a');
    const neutron = shell('neutron', noAuth(f));
    const made = async (...words: string[]) => {
      const result = await neutron.ok(...words, ...JSON_OUT);
      await f.idle();
      return result;
    };
    const vip = freeVip();
    await made('lbaas-loadbalancer-create', '--name', 'lb1', '--vip-address', vip, 'local');
    await made(
      'lbaas-listener-create',
      '--name',
      'li1',
      '--loadbalancer',
      'lb1',
      '--protocol',
      'HTTP',
      '--protocol-port',
      String(PORT),
    );
    await made(
      'lbaas-pool-create',
      '--name',
      'p1',
      '--listener',
      'li1',
      '--protocol',
      'HTTP',
      '--lb-algorithm',
      'ROUND_ROBIN',
    );
    await made(
      'lbaas-member-create',
      '--subnet',
      'local',
      '--address',
      '127.0.0.1',
      '--protocol-port',
      String(a.port),
      '--name',
      'm1',
      'p1',
    );
    await made(
      'lbaas-healthmonitor-create',
      '--delay',
      '1',
      '--timeout',
      '1',
      '--max-retries',
      '1',
      '--type',
      'TCP',
      '--pool',
      'p1',
      '--name',
      'h1',
    );
    await made('lbaas-l7policy-create', '--name', 'pol', '--action', 'REJECT', '--listener', 'li1');
    const rule = await made(
      'lbaas-l7rule-create',
      '--type',
      'PATH',
      '--compare-type',
      'EQUAL_TO',
      '--value',
      '/no',
      'pol',
    );
    expect((await get(vip, PORT)).body).toBe('a');
    expect((await get(vip, PORT, '/no')).status).toBe(403);
    expect(await made('lbaas-member-list', 'p1')).toHaveLength(1);
    expect(await made('lbaas-l7rule-list', 'pol')).toHaveLength(1);
    expect(await made('lbaas-listener-list', '--loadbalancer', 'lb1')).toHaveLength(1);
    await neutron.ok('lbaas-l7rule-update', rule.id, 'pol', '--value', '/never');
    await f.idle();
    expect((await get(vip, PORT, '/no')).status).toBe(200);
    await neutron.ok('lbaas-pool-update', 'p1', '--session-persistence', 'type=HTTP_COOKIE');
    await f.idle();
    await neutron.ok('lbaas-pool-update', 'p1', '--no-session-persistence');
    await f.idle();
    expect(await made('lbaas-loadbalancer-stats', 'lb1')).toMatchObject({ total_connections: expect.anything() });
    expect(await neutron.ok('lbaas-loadbalancer-status', 'lb1')).toMatchObject({ loadbalancer: { name: 'lb1' } });
    expect((await neutron.run('lbaas-loadbalancer-delete', 'lb1')).err).toContain('it has children');
    for (const [what, ...names] of [
      ['l7rule', rule.id, 'pol'],
      ['l7policy', 'pol'],
      ['healthmonitor', 'h1'],
      ['member', 'm1', 'p1'],
      ['pool', 'p1'],
      ['listener', 'li1'],
      ['loadbalancer', 'lb1'],
    ] as string[][]) {
      await neutron.ok(`lbaas-${what}-delete`, ...names);
      await f.idle();
    }
    expect(await made('lbaas-loadbalancer-list')).toEqual([]);
  });
});
