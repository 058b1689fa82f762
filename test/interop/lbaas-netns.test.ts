/** Load balancers in network namespaces of their own, on a bridge. */
import { spawnSync } from 'node:child_process';
import http from 'node:http';
import { expect, onTestFinished, test } from 'vitest';
import { V1 } from '../lbaas/desk.ts';
import { eventually, farm, get } from '../lbaas/farm.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const able = process.getuid!() === 0 && spawnSync('ip', ['netns', 'list']).status === 0;
if (!able && INTEROP) throw new Error('network namespaces need root and iproute2');
if (!able) console.log('skipped: network namespaces need root and iproute2');

function must(...words: string[]): string {
  const { status, stdout, stderr } = spawnSync(words[0]!, words.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${words.join(' ')}: ${stderr}`);
  return stdout;
}

test.skipIf(!able)('a VIP of v1 in qlbaas-<pool>', { timeout: 60_000 }, async () => {
  const bridge = `brl${process.pid % 100_000}`;
  const third = process.pid % 250;
  must('ip', 'link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0');
  onTestFinished(() => void spawnSync('ip', ['link', 'del', bridge]));
  const host = `10.79.${third}.1`;
  must('ip', 'addr', 'add', `${host}/24`, 'dev', bridge);
  must('ip', 'link', 'set', bridge, 'up');
  const server = http.createServer((request, response) => response.end(`for ${request.socket.remoteAddress}`));
  await new Promise<void>(resolve => server.listen(0, host, resolve));
  onTestFinished(() => void server.close());

  const f = await farm(undefined, ['--bridge', bridge, '--gateway', host, '--subnet', `net=10.79.${third}.0/24`]);
  const subnet_id = (await f.ask('GET', '/v2.0/subnets?name=net')).body.subnets[0].id;
  const { pool } = await f.do('POST', `${V1}/pools`, { pool: { subnet_id, protocol: 'HTTP', lb_method: 'SOURCE_IP' } });
  const namespace = `qlbaas-${pool.id}`;
  onTestFinished(() => void spawnSync('ip', ['netns', 'del', namespace]));
  const { port } = server.address() as { port: number };
  await f.do('POST', `${V1}/members`, { member: { pool_id: pool.id, address: host, protocol_port: port } });
  const { vip } = await f.do('POST', `${V1}/vips`, {
    vip: { pool_id: pool.id, subnet_id, protocol: 'HTTP', protocol_port: 80 },
  });
  await eventually(async () => expect((await get(vip.address, 80)).body).toBe(`for ${vip.address}`));
  expect(must('ip', 'netns', 'list')).toContain(namespace);
  expect(must('ip', 'netns', 'pids', namespace).trim()).toBe(String(f.pid(pool.id)));
  await f.do('PUT', `${V1}/vips/${vip.id}`, { vip: { connection_limit: 10 } });
  expect((await get(vip.address, 80)).body).toBe(`for ${vip.address}`);
  await f.do('DELETE', `${V1}/vips/${vip.id}`);
  expect(must('ip', 'netns', 'list')).not.toContain(namespace);
});
