/** Several controllers share an etcd: each load balancer lives on one host, and on another when that dies. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { V2 } from '../lbaas/desk.ts';
import { endAll, eventually, type Farm, farm, freeVip, get, site, stateFolder } from '../lbaas/farm.ts';
import { freePort, LAUNCHER } from '../workers/sluice.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const has = (program: string) => spawnSync('which', [program]).status === 0;
const ETCD = has('etcd') ? null : 'etcd is not installed (Debian: etcd-server)';
const NETNS =
  ETCD ??
  (process.getuid!() === 0 && spawnSync('ip', ['netns', 'list']).status === 0 && has('arping')
    ? null
    : 'network namespaces need root, iproute2 and iputils-arping');
for (const reason of new Set([ETCD, NETNS])) {
  if (reason === null) continue;
  if (INTEROP) throw new Error(reason);
  console.log(`skipped: ${reason}`);
}

interface Etcd {
  readonly url: string;
  /** Ends it at once, and starts it again on what it had written. */
  crash(): Promise<void>;
}

async function etcd(): Promise<Etcd> {
  const data = stateFolder();
  const [client, peer] = [await freePort(), await freePort()];
  const url = `http://127.0.0.1:${client}`;
  const words = ['--data-dir', path.join(data, 'etcd'), '--listen-client-urls', url, '--advertise-client-urls', url];
  const self = `http://127.0.0.1:${peer}`;
  const start = () =>
    spawn(
      'etcd',
      [
        ...words,
        '--listen-peer-urls',
        self,
        '--initial-advertise-peer-urls',
        self,
        '--initial-cluster',
        `default=${self}`,
      ],
      {
        stdio: 'ignore',
      },
    );
  let child = start();
  onTestFinished(() => void child.kill('SIGKILL'));
  const ready = () => eventually(async () => expect((await fetch(`${url}/health`)).ok).toBe(true));
  await ready();
  return {
    url: url.replace('http:', 'etcd:'),
    crash: async () => {
      child.kill('SIGKILL');
      await new Promise(resolve => child.once('exit', resolve));
      child = start();
      await ready();
    },
  };
}

async function balancers(f: Farm, count: number, port: number): Promise<{ id: string; vip: string }[]> {
  const subnet = (await f.ask('GET', '/v2.0/subnets?name=local')).body.subnets[0].id;
  const made: { id: string; vip: string }[] = [];
  for (let i = 0; i < count; i++) {
    const vip = freeVip();
    const loadbalancer = { name: `lb${i}`, vip_subnet_id: subnet, vip_address: vip };
    const { id } = (await f.do('POST', `${V2}/loadbalancers`, { loadbalancer })).loadbalancer;
    await active(f, id);
    const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 8080 };
    const made_ = (await f.do('POST', `${V2}/listeners`, { listener })).listener;
    await active(f, id);
    const pool = { listener_id: made_.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
    const { pool: farmed } = await f.do('POST', `${V2}/pools`, { pool });
    await active(f, id);
    await f.do('POST', `${V2}/pools/${farmed.id}/members`, { member: { address: '127.0.0.1', protocol_port: port } });
    await active(f, id);
    made.push({ id, vip });
  }
  return made;
}

/** Another controller may be the one that does it. */
function active(f: Farm, id: string): Promise<void> {
  return eventually(async () => {
    expect((await f.ask('GET', `${V2}/loadbalancers/${id}`)).body.loadbalancer.provisioning_status).toBe('ACTIVE');
  });
}

const runs = ({ state }: Farm) => fs.readdirSync(path.join(state, 'lbaas'));

describe.skipIf(ETCD !== null)('two controllers on one etcd', { timeout: 120_000 }, () => {
  test('share the load balancers, and the one that is left has all', async () => {
    const { url, crash } = await etcd();
    const words = (host: string) => ['--store', url, '--host', host, '--ttl', '2'];
    const [a, b] = [await farm(undefined, words('a')), await farm(undefined, words('b'))];
    const server = await site('s');
    const all = await balancers(a, 6, server.port);
    expect([...runs(a), ...runs(b)].sort()).toEqual(all.map(({ id }) => id).sort());
    for (const { vip } of all) expect((await get(vip, 8080)).body).toBe('s');
    const seen = (await b.ask('GET', `${V2}/loadbalancers?sort=name`)).body.loadbalancers;
    expect(seen.map((lb: { id: string }) => lb.id)).toEqual(all.map(({ id }) => id));
    // Either tells Neutron's client who has what.
    const { agents } = (await b.ask('GET', '/v2.0/agents')).body as { agents: { id: string; host: string }[] };
    expect(agents.map(({ host }) => host).sort()).toEqual(['a', 'b']);
    for (const { id, host } of agents) {
      const { loadbalancers } = (await a.ask('GET', `/v2.0/agents/${id}/agent-loadbalancers`)).body;
      expect(loadbalancers.map((lb: { id: string }) => lb.id).sort()).toEqual(runs(host === 'a' ? a : b).sort());
      const url = `${V2}/loadbalancers/${loadbalancers[0]?.id}/loadbalancer-hosting-agent`;
      if (loadbalancers.length > 0) expect((await b.ask('GET', url)).body.agent.host).toBe(host);
    }

    await crash();
    await eventually(async () => {
      const { status } = await b.ask('PUT', `${V2}/loadbalancers/${all[0]!.id}`, { loadbalancer: { name: 'renamed' } });
      expect(status).toBe(200);
    });
    await active(a, all[0]!.id);
    expect((await a.ask('GET', `${V2}/loadbalancers/${all[0]!.id}`)).body.loadbalancer.name).toBe('renamed');

    // Both at once: one is made again from what the other did.
    const subnet = seen[0].vip_subnet_id;
    const create = (f: Farm) => f.ask('POST', `${V2}/loadbalancers`, { loadbalancer: { vip_subnet_id: subnet } });
    const both = await Promise.all([create(a), create(b), create(a), create(b)]);
    expect(both.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect(new Set(both.map(({ body }) => body.loadbalancer.vip_address)).size).toBe(4);

    await a.close();
    endAll(a.state);
    await eventually(async () => {
      for (const { id, vip } of all) {
        expect(runs(b)).toContain(id);
        expect((await get(vip, 8080)).body).toBe('s');
      }
    }, 20_000);
    for (const { id } of all) {
      await b.do('DELETE', `${V2}/loadbalancers/${id}?cascade=true`);
    }
    await eventually(() => expect(runs(b)).toEqual([]));
  });
});

/** Runs to the end; throws what it said when it fails. */
function must(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  return stdout;
}

/** A switch and hosts on it, each in a network namespace. */
function network(tag: string, hosts: Record<string, string>): (host: string) => string[] {
  const name = (host: string) => `${tag}${host}`;
  const all = ['sw', ...Object.keys(hosts)];
  const remove = () => {
    for (const host of all) {
      for (const pid of spawnSync('ip', ['netns', 'pids', name(host)], { encoding: 'utf8' }).stdout.split('\n')) {
        if (pid !== '') process.kill(Number(pid), 'SIGKILL');
      }
      spawnSync('ip', ['netns', 'del', name(host)]);
    }
  };
  onTestFinished(remove);
  for (const host of all) {
    must('ip', 'netns', 'add', name(host));
    must('ip', '-n', name(host), 'link', 'set', 'lo', 'up');
  }
  must('ip', '-n', name('sw'), 'link', 'add', 'br0', 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
  must('ip', '-n', name('sw'), 'link', 'set', 'br0', 'up');
  for (const [host, address] of Object.entries(hosts)) {
    must(
      'ip',
      '-n',
      name(host),
      'link',
      'add',
      'eth0',
      'type',
      'veth',
      'peer',
      'name',
      `v${host}`,
      'netns',
      name('sw'),
    );
    must('ip', '-n', name('sw'), 'link', 'set', `v${host}`, 'master', 'br0', 'up');
    must('ip', '-n', name(host), 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    must('ip', '-n', name(host), 'link', 'set', 'eth0', 'up');
  }
  return host => ['ip', 'netns', 'exec', name(host)];
}

function start(words: readonly string[]): ChildProcess {
  const child = spawn(words[0]!, words.slice(1), { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

describe.skipIf(NETNS !== null)('hosts in network namespaces', { timeout: 120_000 }, () => {
  test('the VIP moves with its load balancer, and neighbours are told', async () => {
    const tag = `t${process.pid % 10_000}`;
    const on = network(tag, { one: '10.78.0.1', two: '10.78.0.2', db: '10.78.0.3', cl: '10.78.0.4' });
    const data = stateFolder();
    const db = 'http://10.78.0.3:2379';
    start([...on('db'), 'etcd', '--data-dir', data, '--listen-client-urls', db, '--advertise-client-urls', db]);
    const node = process.execPath;
    const answer = "require('http').createServer((q,s)=>s.end('hello')).listen(8081,'10.78.0.4')";
    start([...on('cl'), node, '-e', answer]);
    const curl = (...words: string[]) =>
      spawnSync(on('cl')[0]!, [...on('cl').slice(1), 'curl', '-s', '-m', '2', ...words], { encoding: 'utf8' });
    await eventually(() => expect(curl(`${db}/health`).stdout).toContain('true'));
    const addresses = { one: '10.78.0.1', two: '10.78.0.2' };
    for (const [host, address] of Object.entries(addresses)) {
      start([
        ...[
          ...on(host),
          LAUNCHER,
          'lbaas',
          '--state',
          stateFolder(),
          '--store',
          'etcd://10.78.0.3:2379',
          '--host',
          host,
          '--ttl',
          '2',
        ],
        ...[
          '--listen',
          `${address}:9876`,
          '--force',
          '--vip-device',
          'eth0',
          '--subnet',
          'net=10.78.0.0/24',
          '--quiet',
          '--poll',
          '200',
        ],
      ]);
    }
    const api = (host: 'one' | 'two', method: string, url: string, body?: object) => {
      const words = body === undefined ? [] : ['-H', 'content-type: application/json', '-d', JSON.stringify(body)];
      const { stdout } = curl('-X', method, ...words, `http://${addresses[host]}:9876${url}`);
      return stdout.startsWith('{') ? JSON.parse(stdout) : stdout;
    };
    await eventually(() => expect(api('two', 'GET', '/v2.0/subnets').subnets).toHaveLength(1));
    await eventually(() => expect(api('one', 'GET', '/v2.0/subnets').subnets).toHaveLength(1));
    const subnet = api('one', 'GET', '/v2.0/subnets').subnets[0].id;
    const settled = (id: string) =>
      eventually(() =>
        expect(api('one', 'GET', `${V2}/loadbalancers/${id}`).loadbalancer).toMatchObject({
          provisioning_status: 'ACTIVE',
          status_description: '',
        }),
      );
    const { id } = api('one', 'POST', `${V2}/loadbalancers`, {
      loadbalancer: { vip_subnet_id: subnet, vip_address: '10.78.0.100' },
    }).loadbalancer;
    await settled(id);
    const listener = { loadbalancer_id: id, protocol: 'HTTP', protocol_port: 80 };
    const l = api('two', 'POST', `${V2}/listeners`, { listener }).listener;
    await settled(id);
    const p = api('one', 'POST', `${V2}/pools`, {
      pool: { listener_id: l.id, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' },
    }).pool;
    await settled(id);
    api('one', 'POST', `${V2}/pools/${p.id}/members`, { member: { address: '10.78.0.4', protocol_port: 8081 } });
    await settled(id);
    await eventually(() => expect(curl('http://10.78.0.100/').stdout).toBe('hello'));

    const mac = (host: string) =>
      /link\/ether ([\da-f:]+)/.exec(must('ip', '-n', tag + host, 'link', 'show', 'eth0'))![1]!;
    const neighbour = () => must('ip', '-n', `${tag}cl`, 'neigh', 'show', '10.78.0.100');
    const owner = neighbour().includes(mac('one')) ? 'one' : 'two';
    const other = owner === 'one' ? 'two' : 'one';
    for (const pid of must('ip', 'netns', 'pids', tag + owner).split('\n'))
      if (pid !== '') process.kill(Number(pid), 'SIGKILL');
    must('ip', '-n', tag + owner, 'link', 'set', 'eth0', 'down');
    await eventually(() => expect(neighbour(), 'without having asked').toContain(mac(other)), 20_000);
    await eventually(() => expect(curl('http://10.78.0.100/').stdout).toBe('hello'), 5_000);
  });
});
