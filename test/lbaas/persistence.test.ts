/** Who stays where, as seen by clients. */
import { expect, test } from 'vitest';
import { V2 } from './desk.ts';
import { balancer, farm, get, PORT, site, spread } from './farm.ts';

async function standing(names: readonly string[], pool: object) {
  const f = await farm();
  const ports = await Promise.all(names.map(async name => (await site(name)).port));
  return { f, ...(await balancer(f, ports, { pool })) };
}

test('SOURCE_IP keeps a client on its member', async () => {
  const { vip, f, pool } = await standing(['a', 'b', 'c'], { session_persistence: { type: 'SOURCE_IP' } });
  const { body } = await get(vip, PORT);
  expect(await spread(6, () => get(vip, PORT))).toEqual({ [body]: 6 });
  const { port } = await site('d');
  await f.do('POST', `${V2}/pools/${pool}/members`, { member: { address: '127.0.0.1', protocol_port: port } });
  expect(await spread(6, () => get(vip, PORT)), 'also when members come').toEqual({ [body]: 6 });
});

test('APP_COOKIE keeps who has the cookie of the application', async () => {
  const { vip } = await standing(['a', 'b'], { session_persistence: { type: 'APP_COOKIE', cookie_name: 'APP' } });
  expect(await spread(4, () => get(vip, PORT))).toEqual({ a: 2, b: 2 });
  expect(await spread(4, () => get(vip, PORT, '/', { cookie: 'APP=a' }))).toEqual({ a: 4 });
  expect(await spread(4, () => get(vip, PORT, '/', { cookie: 'x=1; APP=b' }))).toEqual({ b: 4 });
});

test('SOURCE_IP_PORT spreads the connections of one client', async () => {
  const { vip } = await standing(['a', 'b'], { lb_algorithm: 'SOURCE_IP_PORT' });
  const counts = await spread(40, () => get(vip, PORT));
  expect(Object.keys(counts).sort()).toEqual(['a', 'b']);
});
