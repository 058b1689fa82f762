/** Who is served next, by which server, and what becomes of queues when servers go. */
import { expect, test } from 'vitest';
import { GET, listen, origin } from './listen.ts';
import type { Rig } from './rig.ts';
import { connect, ok, type Wire, type WireServer } from './wire.ts';

const request = (path: string, cookie = '') => GET.replace('/', path).replace('Host', `${cookie}Host`);
const COOKIE = 'Cookie: SRV=a\r\n';

/** Sends one request per path, each when the one before it has reached its server or stands in a queue. */
async function sendAll(rig: Rig, paths: readonly string[], cookie = ''): Promise<Wire[]> {
  const wires: Wire[] = [];
  for (const path of paths) {
    const wire = await connect(rig.port('web'));
    wire.send(request(path, cookie));
    wires.push(wire);
    const taken = () => rig.word('web', 'be_served') + rig.word('web', 'be_total_queued') >= wires.length;
    await wire.until(taken);
  }
  return wires;
}

const paths = ({ conns }: WireServer) => conns.map(conn => /^GET (\S+)/.exec(conn.received)?.[1]);

test('a backup server takes nothing from the queue while an active one is there', async () => {
  const [active, backup] = [await origin(), await origin(() => ok())];
  const rig = await listen([
    `server s1 127.0.0.1:${active.port} maxconn 1`,
    `server s2 127.0.0.1:${backup.port} backup`,
  ]);
  const [, second] = await sendAll(rig, ['/1', '/2']);
  expect(rig.word('web', 'be_queued')).toBe(1);
  rig.setServer('web', 's1', 'maint');
  await second!.has('ok');
  expect(backup.conns.length).toBe(1);
});

test.each(['roundrobin', 'random', 'leastconn', 'first'])(
  '%s: who comes when the limit rises with the load stands behind those who wait',
  async balance => {
    const s = await origin();
    const lines = [`balance ${balance}`, 'fullconn 8', `server s1 127.0.0.1:${s.port} minconn 1 maxconn 4`];
    const rig = await listen(lines);
    // 4 streams x 4 / 8: two places from the fourth on.
    await sendAll(rig, ['/0', '/1', '/2', '/3']);
    await (await s.conn(1)).has('GET');
    expect(paths(s)).toEqual(['/0', '/1']);
  },
);

test('a log line counts those who are on the server, not the next one who gets the place', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port} maxconn 1`]);
  await sendAll(rig, ['/1', '/2']);
  (await s.conn(0)).send(ok());
  await (await s.conn(1)).has('GET /2');
  expect(rig.ends[0]).toMatchObject({ onServer: 0 });
});

test.each([
  ['maint', 'option redispatch', 's2', 2],
  ['drain', 'option redispatch', 's2', 2],
  ['maint', '', 's1', 0],
  ['maint', 'option redispatch\n  option persist', 's1', 0],
  ['maint', 'option redispatch\n  force-persist if TRUE', 's1', 0],
] as const)('%s, %s: those who wait for the server are served by %s', async (state, options, server, redispatches) => {
  const [one, two] = [await origin(), await origin(() => ok())];
  const rig = await listen([
    ...[options, 'cookie SRV insert indirect'],
    `server s1 127.0.0.1:${one.port} cookie a maxconn 1`,
    `server s2 127.0.0.1:${two.port} cookie b`,
  ]);
  const [, second, third] = await sendAll(rig, ['/1', '/2', '/3'], COOKIE);
  rig.setServer('web', 's1', state);
  for (const n of server === 's1' ? [0, 1, 2] : []) (await (await one.conn(n)).has('GET')).send(ok());
  for (const wire of [second!, third!]) await wire.has('ok');
  expect(rig.ends.slice(-2)).toMatchObject([{ server }, { server }]);
  expect(rig.counter('server', 'web/s1', 'redispatches')).toBe(redispatches);
});

test('use-server: who waits for a server that goes is not sent back to it', async () => {
  const [one, two] = [await origin(), await origin(() => ok())];
  const lines = ['option redispatch', 'use-server s1 if TRUE', `server s1 127.0.0.1:${one.port} maxconn 1`];
  const rig = await listen([...lines, `server s2 127.0.0.1:${two.port}`]);
  const [, second] = await sendAll(rig, ['/1', '/2']);
  rig.setServer('web', 's1', 'maint');
  await second!.has('ok');
  expect(two.conns.length).toBe(1);
});

test('retry-on: who tries the same server again keeps its place', async () => {
  const s = await origin();
  const rig = await listen(['retries 1', 'retry-on 503', 'balance uri', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  await sendAll(rig, ['/1', '/2']);
  (await s.conn(0)).send('HTTP/1.1 503 X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
  await (await s.conn(1)).has('GET /1');
  expect(rig.serverWord('web', 's1', 'queued')).toBe(1);
});
