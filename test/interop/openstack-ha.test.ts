/**
 * scripts/ha/examples/openstack.cfg before stand-ins of three controllers: each failover as clients see it, and as the
 * statistics page and its CSV show it, beside HAProxy with the same file and the same controllers.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { rows } from '../workers/cli.ts';
import { folder, LAUNCHER } from '../workers/sluice.ts';
import { Controller, PORTS, Session } from './controllers.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const EXAMPLE = path.join(import.meta.dirname, '../../scripts/ha/examples/openstack.cfg');

const LOOPBACK = process.platform === 'linux';
if (!LOOPBACK) console.log('openstack-ha.test: skipped, only Linux has all of 127.0.0.0/8');
const HAPROXY = haproxyVersion() !== null;
if (!HAPROXY) console.log('openstack-ha.test: without haproxy, which is not in PATH');

/** A network of this process's own: the ports are the services' real ones. */
const NETWORK = `127.${100 + ((process.pid >> 8) % 100)}.${process.pid % 256}`;
const SLUICE = `${NETWORK}.100`;
const PEER = `${NETWORK}.101`;

type Row = Readonly<Record<string, string>>;

/** Columns of the CSV that tell of a failover. */
const TOLD = ['status', 'check_status', 'check_code', 'check_desc', 'last_chk', 'act', 'bck', 'weight'];

/** While a check is under way, HAProxy shows a star, and not the code: asked again. */
async function quiet(vip: string, uri: string, star: string): Promise<string> {
  for (;;) {
    const text = await (await fetch(`http://${vip}:8404${uri}`)).text();
    if (!text.includes(star)) return text;
    await new Promise(resolve => setTimeout(resolve, 5));
  }
}

async function statistics(vip: string): Promise<ReadonlyMap<string, Row>> {
  const told = (row: Row) => Object.fromEntries(TOLD.map(name => [name, row[name]!]));
  const stat = rows(await quiet(vip, '/;csv', ',* L'));
  return new Map(stat.map(row => [`${row.pxname}/${row.svname}`, told(row)]));
}

/** The texts of the page about a server: status, last check with what pops up, weight, active, backup, throttle. */
async function shown(vip: string, server: string): Promise<readonly string[]> {
  const page = await quiet(vip, '/', '* L');
  const row = page.slice(page.indexOf(`"${server}"`)).split('<tr class')[0]!;
  const cells = [...row.matchAll(/<td class="?a?c"?>(.*?)<\/td>/gs)].map(([, html]) => html!.replace(/<[^>]*>/g, ' '));
  return cells.slice(-6).map(cell =>
    cell
      .trim()
      .replace(/\s+/g, ' ')
      .replace(/^(\d+m)?\d+s/, '_s')
      .replace(/\d+ms/, '_ms'),
  );
}

/** Each server that is not as it should be: `proxy/server` -> status and check_status. */
type Failures = Readonly<Record<string, string>>;

const isServer = (name: string) => /\/controller\d$/.test(name);

async function settle(vip: string, failures: Failures): Promise<ReadonlyMap<string, Row>> {
  let wrong: readonly string[] = [];
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const stat = await statistics(vip).catch(() => new Map<string, Row>());
    const servers = [...stat].filter(([name]) => isServer(name));
    wrong = servers.flatMap(([name, row]) => {
      const is = `${row.status} ${row.check_status}`;
      const wanted = failures[name] ?? (name.startsWith('rabbitmq') ? 'UP L4OK' : 'UP L7OK');
      return is === wanted ? [] : [`${name}: ${is}, not ${wanted}`];
    });
    if (servers.length > 0 && wrong.length === 0) return stat;
    await new Promise(resolve => setTimeout(resolve, 50));
  }
  throw new Error(`${vip}: ${wrong.join('; ') || 'no statistics'}`);
}

function run(program: string, vip: string, args: readonly string[] = []): ChildProcess {
  const env: Record<string, string> = { VIP: vip, CHECK_EVERY: '100ms', STATS_SOCKET: path.join(folder(), 'sock') };
  for (const n of [1, 2, 3]) env[`CONTROLLER${n}`] = `${NETWORK}.2${n}`;
  const child = spawn(program, [...args, '-db', '-f', EXAMPLE], { env: { ...process.env, ...env }, stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

/** Who greets the next `count` clients. */
async function greeted(service: 'galera' | 'rabbitmq', count = 6): Promise<string> {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    const session = await Session.start(SLUICE, service);
    seen.add(session.greeting);
    session.end();
  }
  return [...seen].sort().join(' ');
}

async function asked(service: 'keystonePublic' | 'keystoneAdmin', count = 6): Promise<string> {
  const seen = new Set<string>();
  for (let i = 0; i < count; i++) {
    const response = await fetch(`http://${SLUICE}:${PORTS[service]}/v3`);
    seen.add(`${response.status} ${await response.text()}`);
  }
  return [...seen].sort().join(' ');
}

test.skipIf(!LOOPBACK)('every failover, told in the words that operators know', { timeout: 60_000 }, async () => {
  const controllers = [1, 2, 3].map(n => new Controller(`controller${n}`, `${NETWORK}.2${n}`));
  onTestFinished(async () => void (await Promise.all(controllers.map(one => one.stop()))));
  await Promise.all(controllers.map(one => one.start()));
  const [one, two, three] = controllers as [Controller, Controller, Controller];
  run(LAUNCHER, SLUICE);
  if (HAPROXY) run('haproxy', PEER);

  /** Waits until both see the failures, and compares all that they tell. Gives Sluice's CSV. */
  const told = async (failures: Failures) => {
    const [mine, peers] = await Promise.all([settle(SLUICE, failures), HAPROXY ? settle(PEER, failures) : null]);
    if (peers !== null) {
      const about = (stat: ReadonlyMap<string, Row>) => [...stat].filter(([name]) => !name.startsWith('stats/'));
      expect(about(mine)).toEqual(about(peers));
      for (const name of [...mine.keys()].filter(isServer)) {
        expect([name, await shown(SLUICE, name)]).toEqual([name, await shown(PEER, name)]);
      }
    }
    return mine;
  };

  // All is well: one writer, two in reserve.
  let stat = await told({});
  expect(stat.get('galera_cluster/BACKEND')).toMatchObject({ status: 'UP', act: '1', bck: '2' });
  expect(await greeted('galera')).toBe('controller1');
  expect(await greeted('rabbitmq')).toBe('controller1 controller2 controller3');
  expect(await asked('keystonePublic')).toBe('200 controller1 200 controller2 200 controller3');
  expect(await asked('keystoneAdmin')).toMatch(/^200 controller\d$/);

  // The writer is no longer synced: its sessions end, the next node writes.
  const session = await Session.start(SLUICE, 'galera');
  one.synced = false;
  stat = await told({ 'galera_cluster/controller1': 'DOWN L7STS' });
  expect(stat.get('galera_cluster/controller1')).toMatchObject({ check_code: '503', act: '1', bck: '0' });
  expect(stat.get('galera_cluster/BACKEND')).toMatchObject({ status: 'UP', act: '0', bck: '2' });
  expect(await shown(SLUICE, 'galera_cluster/controller1')).toEqual([
    ...['_s DOWN', 'L7STS/503 in _ms Layer7 wrong status: Service Unavailable', '1/1', 'Y', '-', '-'],
  ]);
  expect([session.greeting, session.open]).toEqual(['controller1', false]);
  expect(await greeted('galera')).toBe('controller2');

  // None is: there is no database.
  for (const controller of controllers) controller.synced = false;
  const all = ['controller1', 'controller2', 'controller3'].map(name => [`galera_cluster/${name}`, 'DOWN L7STS']);
  stat = await told(Object.fromEntries(all));
  expect(stat.get('galera_cluster/BACKEND')).toMatchObject({ status: 'DOWN', act: '0', bck: '0' });
  expect(await greeted('galera')).toBe('');

  // The first writes again when it is synced.
  for (const controller of controllers) controller.synced = true;
  await told({});
  expect(await greeted('galera')).toBe('controller1');

  // A broker dies, a keystone is ill, each on another controller.
  await two.stop(['rabbitmq']);
  three.keystone = 500;
  stat = await told({
    'rabbitmq/controller2': 'DOWN L4CON',
    'keystone_public/controller3': 'DOWN L7STS',
    'keystone_admin/controller3': 'DOWN L7STS',
  });
  expect(stat.get('rabbitmq/controller2')).toMatchObject({ check_desc: 'Layer4 connection problem' });
  expect(stat.get('keystone_public/controller3')).toMatchObject({ check_code: '500' });
  expect(await greeted('rabbitmq')).toBe('controller1 controller3');
  expect(await asked('keystonePublic')).toBe('200 controller1 200 controller2');

  // A whole controller is gone, and comes back with the rest.
  await one.stop();
  await two.start();
  three.keystone = 200;
  const proxies = ['galera_cluster', 'rabbitmq', 'keystone_public', 'keystone_admin'];
  await told(Object.fromEntries(proxies.map(proxy => [`${proxy}/controller1`, 'DOWN L4CON'])));
  expect(await greeted('galera')).toBe('controller2');
  expect(await greeted('rabbitmq')).toBe('controller2 controller3');
  expect(await asked('keystonePublic')).toBe('200 controller2 200 controller3');
  expect(await asked('keystoneAdmin')).toMatch(/^200 controller[23]$/);
  await one.start();
  await told({});
});
