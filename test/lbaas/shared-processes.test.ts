/** Several load balancers in a process: each has its own life, all the same. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { V2 } from './desk.ts';
import {
  type Balancer,
  balancer,
  eventually,
  type Farm,
  farm,
  freeVip,
  get,
  localSubnet,
  PORT,
  site,
  stateFolder,
} from './farm.ts';

const SHARE = ['--per-process', '2'];

const groupOf = (f: Farm, { lb }: Balancer) => fs.readFileSync(path.join(f.state, 'lbaas', lb, 'group'), 'utf8');
const processes = (f: Farm) => fs.readdirSync(path.join(f.state, 'shared')).sort();
const answers = async ({ vip }: Balancer, body: string) => expect((await get(vip, PORT)).body).toBe(body);

/** A connection that stays: resolves when it has ended. */
async function open(vip: string): Promise<{ ended: boolean }> {
  const socket = net.connect(PORT, vip);
  const connection = { ended: false };
  socket.on('error', () => {}).on('close', () => (connection.ended = true));
  onTestFinished(() => void socket.destroy());
  await new Promise(resolve => socket.once('connect', resolve));
  return connection;
}

test('three in two processes: traffic, changes, statistics, an end', async () => {
  const f = await farm(undefined, SHARE);
  const [a, b] = [await site('a'), await site('b')];
  const one = await balancer(f, [a.port]);
  const two = await balancer(f, [b.port]);
  const three = await balancer(f, [a.port]);
  expect([one, two, three].map(each => groupOf(f, each))).toEqual(['1', '1', '2']);
  expect(f.pid(one.lb)).toBe(f.pid(two.lb));
  expect(f.pid(three.lb)).not.toBe(f.pid(two.lb));
  await answers(one, 'a');
  await answers(two, 'b');
  await answers(three, 'a');

  // A change of one is none of the other's business.
  const connection = await open(two.vip);
  await f.do('POST', `${V2}/pools/${one.pool}/members`, { member: { address: '127.0.0.1', protocol_port: b.port } });
  await f.do('PUT', `${V2}/pools/${one.pool}`, { pool: { lb_algorithm: 'LEAST_CONNECTIONS' } });
  await f.do('PUT', `${V2}/pools/${one.pool}/members/${one.members[0]}`, { member: { weight: 0 } });
  await answers(one, 'b');
  expect(connection.ended).toBe(false);
  const stats = async ({ lb }: Balancer) => (await f.ask('GET', `${V2}/loadbalancers/${lb}/stats`)).body.stats;
  await eventually(async () => expect((await stats(two)).active_connections).toBe(1));
  // Another process is asked at another time.
  await eventually(async () => expect((await stats(three)).total_connections).toBe(1));
  const { body } = await f.ask('GET', `${V2}/loadbalancers/${two.lb}/status`);
  expect(body.statuses.loadbalancer.listeners).toMatchObject([{ id: two.listener, operating_status: 'ONLINE' }]);

  await f.do('DELETE', `${V2}/loadbalancers/${one.lb}?cascade=true`);
  await expect(get(one.vip, PORT)).rejects.toThrow();
  await answers(two, 'b');
  const four = await balancer(f, [a.port]);
  expect(groupOf(f, four)).toBe('1');
  for (const { lb } of [two, four]) await f.do('DELETE', `${V2}/loadbalancers/${lb}?cascade=true`);
  expect(processes(f)).toEqual(['2']);
});

test('what cannot run fails alone', async () => {
  const f = await farm(undefined, SHARE);
  const [a] = [await site('a')];
  const good = await balancer(f, [a.port]);
  const vip = freeVip();
  const squatter = net.createServer().listen(PORT, vip);
  onTestFinished(() => void squatter.close());
  const { loadbalancer: bad } = await f.do('POST', `${V2}/loadbalancers`, {
    loadbalancer: {
      ...{ vip_subnet_id: await localSubnet(f), vip_address: vip },
      listeners: [{ protocol: 'HTTP', protocol_port: PORT }],
    },
  });
  const show = async (id: string) => (await f.ask('GET', `${V2}/loadbalancers/${id}`)).body.loadbalancer;
  expect(await show(bad.id)).toMatchObject({ provisioning_status: 'ERROR' });
  expect((await show(bad.id)).status_description).toContain(vip);
  await answers(good, 'a');
  await f.do('PUT', `${V2}/pools/${good.pool}`, { pool: { lb_algorithm: 'LEAST_CONNECTIONS' } });
  await answers(good, 'a');
  expect(await show(good.lb)).toMatchObject({ provisioning_status: 'ACTIVE' });
  // What was in its way is gone.
  await new Promise(resolve => squatter.close(resolve));
  await f.do('PUT', `${V2}/loadbalancers/${bad.id}/failover`);
  expect(await show(bad.id)).toMatchObject({ provisioning_status: 'ACTIVE' });
  expect((await get(vip, PORT)).status).toBe(503);
});

test('a process that dies is started again with all it had, by this controller or the next', async () => {
  const state = stateFolder();
  const f = await farm(state, SHARE);
  const [a, b] = [await site('a'), await site('b')];
  const [one, two] = [await balancer(f, [a.port]), await balancer(f, [b.port])];
  const all = () =>
    eventually(async () => {
      await answers(one, 'a');
      await answers(two, 'b');
    });
  process.kill(f.pid(one.lb), 'SIGKILL');
  await all();
  await f.close();
  const pid = f.pid(one.lb);
  const next = await farm(state, SHARE);
  await next.idle();
  expect(next.pid(one.lb)).toBe(pid);
  await next.close();
  process.kill(pid, 'SIGKILL');
  const last = await farm(state, SHARE);
  await all();
  expect(last.pid(one.lb)).toBe(last.pid(two.lb));
});

test('a controller may be told to share, or to share no more', async () => {
  const state = stateFolder();
  const [a, b] = [await site('a'), await site('b')];
  const own = await farm(state);
  const [one, two] = [await balancer(own, [a.port]), await balancer(own, [b.port])];
  const pids = [own.pid(one.lb), own.pid(two.lb)];
  await own.close();
  const gone = (pid: number) => eventually(() => expect(() => process.kill(pid, 0)).toThrow());
  const shared = await farm(state, SHARE);
  await shared.idle();
  expect(shared.pid(one.lb)).toBe(shared.pid(two.lb));
  await answers(one, 'a');
  await Promise.all(pids.map(gone));
  const pid = shared.pid(one.lb);
  await shared.close();
  const again = await farm(state);
  await again.idle();
  expect(again.pid(one.lb)).not.toBe(again.pid(two.lb));
  await answers(two, 'b');
  await gone(pid);
});

test('a flavour gives a process of its own, with threads and a limit', async () => {
  const f = await farm(undefined, SHARE);
  const [a] = [await site('a')];
  const made = async (path: string, key: string, values: object) =>
    (await f.do('POST', `${V2}/${path}`, { [key]: values }))[key];
  const data = { name: 'wide', provider_name: 'sluice', flavor_data: '{"threads":2,"connections_max":50}' };
  const profile = await made('flavorprofiles', 'flavorprofile', data);
  const flavor = await made('flavors', 'flavor', { name: 'wide', flavor_profile_id: profile.id });
  const plain = await balancer(f, [a.port]);
  const vip = freeVip();
  const farmOf = { name: 'p', protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN' };
  const lb = await made('loadbalancers', 'loadbalancer', {
    ...{ vip_subnet_id: await localSubnet(f), vip_address: vip, flavor_id: flavor.id },
    listeners: [
      {
        ...{ protocol: 'HTTP', protocol_port: PORT },
        default_pool: { ...farmOf, members: [{ address: '127.0.0.1', protocol_port: a.port }] },
      },
    ],
  });
  expect((await get(vip, PORT)).body).toBe('a');
  expect(f.pid(lb.id)).not.toBe(f.pid(plain.lb));
  const conf = fs.readFileSync(path.join(f.state, 'shared', '2', 'conf'), 'utf8');
  expect(conf).toContain('nbthread 2');
  expect(conf).toContain('maxconn 50');
  const second = await balancer(f, [a.port]);
  expect(groupOf(f, second)).toBe(groupOf(f, plain));
  expect(
    (await f.ask('PUT', `${V2}/flavorprofiles/${profile.id}`, { flavorprofile: { flavor_data: '{}' } })).status,
  ).toBe(409);
});
