/** Two workers: limits, queues and turns are those of the whole process. */
import { expect, test } from 'vitest';
import { COUNTERS, type CounterName } from '../../engine/shm/counters.ts';
import type { RowKind } from '../../engine/shm/memory.ts';
import { settled } from './gauges.ts';
import { origin, rigOf } from './listen.ts';
import { pass } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok, type Wire, type WireServer } from './wire.ts';

type Answer = Parameters<typeof origin>[0];

/** A listen section `web` served by two workers, with a server for each of `answers`. */
async function start(lines: string, answers: Answer[], words = ''): Promise<{ rig: Rig; servers: WireServer[] }> {
  const servers = await Promise.all(answers.map(answer => origin(answer)));
  const rig = await rigOf(
    `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
  timeout queue 5s
listen web
  bind 127.0.0.1:1
  ${lines}
${servers.map(({ port }, i) => `  server s${i + 1} 127.0.0.1:${port} ${words}`).join('\n')}
`,
    { workers: 2 },
  );
  return { rig, servers };
}

/** A counter of each of the two workers. */
function perWorker({ memory }: Rig, kind: RowKind, index: number, counter: CounterName): number[] {
  return [0, 1].map(worker => memory.counters[memory.row(worker, kind, index) + COUNTERS.at[counter]]!);
}

const CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

/** `n` clients, among them some of each worker. */
async function clientsOf(rig: Rig, n: number): Promise<Wire[]> {
  const clients = await Promise.all(Array.from({ length: n }, () => connect(rig.port('web'))));
  await clients[0]!.until(() => rig.counter('frontend', 'web', 'cur_sess') === n);
  expect(Math.min(...perWorker(rig, 'frontend', 0, 'cur_sess'))).toBeGreaterThan(0);
  return clients;
}

test('maxconn of a server is exact, and whoever frees a place serves the one who has waited longest anywhere', async () => {
  const { rig, servers } = await start('', [undefined], 'maxconn 3');
  const [server] = servers;
  const clients = await clientsOf(rig, 30);
  for (const [i, client] of clients.entries()) {
    client.send(CLOSE.replace('/', `/${i}`));
    await client.until(() => rig.serverWord('web', 's1', 'served') + rig.word('web', 'be_total_queued') === i + 1);
    // Times in a queue are told apart by 1/16 ms.
    await pass(0.1);
  }
  expect(server!.conns.length).toBe(3);
  expect(Math.min(...perWorker(rig, 'backend', 0, 'cur_queued'))).toBeGreaterThan(0);
  const waiting = () =>
    server!.conns.flatMap(conn => conn.received.match(/(?<=^GET .)\d+(?=.*\r\n\r\n)/s) ?? []).map(Number);
  for (let i = 0; i < 30; i++) {
    // Those that are served at the same time come in any order.
    const places = Array.from({ length: Math.min(3, 30 - i) }, (_, n) => i + n);
    await clients[i]!.until(() => waiting().length === places.length);
    expect(waiting().toSorted((a, b) => a - b)).toEqual(places);
    const conn = server!.conns.find(c => c.received.includes(`GET /${i} `))!;
    conn.take();
    conn.send(ok(`answer ${i}`, 'Connection: close\r\n'));
    await clients[i]!.has(`answer ${i}`);
  }
  expect(rig.serverWord('web', 's1', 'served_max')).toBe(3);
  expect(await settled(rig)).toEqual({});
});

test('maxconn of a frontend is exact, and a place freed in one worker lets in a client of the other', async () => {
  const { rig } = await start('maxconn 5\n  backlog 100', [() => ok()]);
  let answered = 0;
  const ports = rig.port('web');
  await Promise.all(
    Array.from({ length: 60 }, async () => {
      const client = await connect(ports);
      client.send(CLOSE.replace('Connection: close\r\n', ''));
      await client.has('ok');
      expect(rig.word('web', 'fe_conns')).toBeLessThanOrEqual(5);
      answered++;
      client.socket.destroy();
    }),
  );
  expect(answered).toBe(60);
  expect(rig.word('web', 'fe_conns_max')).toBe(5);
  expect(Math.min(...perWorker(rig, 'frontend', 0, 'cum_conn'))).toBeGreaterThan(0);
  expect(await settled(rig)).toEqual({});
});

test('round robin takes its turns over both workers', async () => {
  const { rig } = await start('balance roundrobin', [() => ok(), () => ok(), () => ok()]);
  await Promise.all(Array.from({ length: 60 }, () => ask(rig.port('web'), CLOSE)));
  expect(['web/s1', 'web/s2', 'web/s3'].map(name => rig.counter('server', name, 'cum_sess'))).toEqual([20, 20, 20]);
  expect(Math.min(...perWorker(rig, 'backend', 0, 'cum_sess'))).toBeGreaterThan(0);
});

test('leastconn sees the streams of both workers', async () => {
  const { rig } = await start('balance leastconn', [() => null, () => null, () => null]);
  const clients = await clientsOf(rig, 30);
  for (const [i, client] of clients.entries()) {
    client.send(CLOSE);
    await client.until(() => rig.word('web', 'be_served') === i + 1);
  }
  expect(['s1', 's2', 's3'].map(name => rig.serverWord('web', name, 'served'))).toEqual([10, 10, 10]);
  for (const client of clients) client.socket.resetAndDestroy();
  expect(await settled(rig)).toEqual({});
});
