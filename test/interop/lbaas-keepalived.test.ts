/**
 * Two hosts of one etcd, whose keepalived has the addresses: a host whose controller dies loses them, though all else on it lives, and
 * the other one serves at them.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { V2 } from '../lbaas/desk.ts';
import { eventually, stateFolder } from '../lbaas/farm.ts';
import { LAUNCHER } from '../workers/sluice.ts';
import { type Machine, missing, startLan } from './namespaces.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const reason = missing('keepalived', 'etcd', 'curl');
if (reason !== null && INTEROP) throw new Error(reason);
if (reason !== null) console.log(`lbaas-keepalived.test: skipped, ${reason}`);

const ETCD = 'http://10.77.0.13:2379';
const QUIET = { stdio: 'ignore' } as const;

interface Host {
  readonly machine: Machine;
  readonly url: string;
  /** As if the controller had crashed; its processes go on. */
  crash(): void;
  addresses(): Promise<string>;
}

async function startHost(machine: Machine, name: string, address: string): Promise<Host> {
  const state = stateFolder();
  const included = path.join(state, 'keepalived.conf');
  fs.writeFileSync(included, '');
  machine.sh(`
    mount -t tmpfs none /run
    cat >/run/keepalived.conf <<'END'
global_defs {
  router_id ${name}
  script_user root
  enable_script_security
}
include ${included}
END`);
  await machine.start('keepalived', ['-n', '-P', '-f', '/run/keepalived.conf'], QUIET);
  const words = [
    ...['lbaas', '--state', state, '--store', ETCD.replace('http', 'etcd'), '--host', name, '--ttl', '2', '--quiet'],
    ...['--listen', `${address}:9876`, '--force', '--subnet', 'net=10.77.0.0/24', '--poll', '200'],
    ...['--vip-device', 'eth0', '--keepalived', included, '--router-id', address.slice(-2)],
  ];
  const controller = await machine.start(LAUNCHER, words, QUIET);
  return {
    machine,
    url: `http://${address}:9876`,
    crash: () => controller.signal('SIGKILL'),
    addresses: () => machine.ask('ip', '-4', '-o', 'addr', 'show', 'dev', 'eth0'),
  };
}

/** Two hosts, and a third machine with the etcd and the clients. */
async function startCluster({ onTestFinished }: TestContext) {
  const lan = await startLan(3);
  onTestFinished(() => lan.end());
  const [first, second, client] = lan.machines as [Machine, Machine, Machine];
  const data = stateFolder();
  const etcd = ['--data-dir', data, '--listen-client-urls', ETCD, '--advertise-client-urls', ETCD];
  await client.start('etcd', etcd, QUIET);
  const curl = (...words: string[]) => client.ask('curl', '-s', '-m', '2', ...words);
  await eventually(async () => expect(await curl(`${ETCD}/health`)).toContain('true'));
  const hosts = [await startHost(first, 'one', '10.77.0.11'), await startHost(second, 'two', '10.77.0.12')] as const;
  const ask = async (host: Host, method: string, url: string, body?: object) => {
    const data = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
    return JSON.parse(await curl('-X', method, ...data, `${host.url}${url}`));
  };
  for (const host of hosts) await eventually(() => ask(host, 'GET', '/v2.0/subnets'));
  return { hosts, curl, ask };
}

test.skipIf(reason !== null)(
  'an address leaves the host whose controller dies',
  { timeout: 120_000 },
  async context => {
    const { hosts, curl, ask } = await startCluster(context);
    const subnet = (await ask(hosts[0], 'GET', '/v2.0/subnets')).subnets[0].id;
    const vips = ['10.77.0.100', '10.77.0.101', '10.77.0.102', '10.77.0.103'];
    for (const vip_address of vips) {
      const rules = [{ type: 'PATH', compare_type: 'EQUAL_TO', value: '/' }];
      const policy = { action: 'REDIRECT_TO_URL', redirect_url: `http://${vip_address}/here`, rules };
      const listeners = [{ protocol: 'HTTP', protocol_port: 80, l7policies: [policy] }];
      await ask(hosts[0], 'POST', `${V2}/loadbalancers`, {
        loadbalancer: { vip_subnet_id: subnet, vip_address, listeners },
      });
    }
    const served = (host: Host) =>
      eventually(async () => {
        const { loadbalancers } = await ask(host, 'GET', `${V2}/loadbalancers`);
        for (const lb of loadbalancers) expect(lb, JSON.stringify(lb)).toMatchObject({ provisioning_status: 'ACTIVE' });
        for (const vip of vips)
          expect(await curl('-o', '/dev/null', '-w', '%{redirect_url}', `http://${vip}/`)).toBe(`http://${vip}/here`);
      }, 30_000);
    await served(hosts[0]);
    const has = async (host: Host) => {
      const there = await host.addresses();
      return vips.filter(vip => there.includes(` ${vip}/`));
    };
    const before = await Promise.all(hosts.map(has));
    expect([...before[0]!, ...before[1]!].sort(), 'each on one host').toEqual(vips);

    const victim = before[0]!.length > 0 ? 0 : 1;
    const [lost, left] = [hosts[victim]!, hosts[1 - victim]!];
    lost.crash();
    await eventually(async () => expect(await has(lost)).toEqual([]), 20_000);
    await served(left);
    expect(await has(left)).toEqual(vips);

    // A load balancer that goes takes its address along.
    const { loadbalancers } = await ask(left, 'GET', `${V2}/loadbalancers`);
    await curl('-X', 'DELETE', `${left.url}${V2}/loadbalancers/${loadbalancers[0].id}?cascade=true`);
    await eventually(async () => expect(await has(left)).not.toContain(loadbalancers[0].vip_address));
    expect(await has(left)).toHaveLength(vips.length - 1);
  },
);
