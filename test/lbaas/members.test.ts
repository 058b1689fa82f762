/** Members: backups, PROXY headers, what monitors ask for, and time-outs, as members and clients see them. */
import net from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { V2 } from './desk.ts';
import { type Balancer, balancer, eventually, type Farm, farm, get, PORT, site, spread } from './farm.ts';

const MONITOR = { delay: 1, timeout: 1, max_retries: 1, max_retries_down: 1 };

const watch = (f: Farm, { pool }: Balancer, more: object) =>
  f.do('POST', `${V2}/healthmonitors`, { healthmonitor: { pool_id: pool, ...MONITOR, ...more } });

/** A server that keeps what the first connection sends first, and answers it as HTTP. */
async function listening(): Promise<{ port: number; first: Promise<Buffer> }> {
  const { promise, resolve } = Promise.withResolvers<Buffer>();
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', (data: Buffer) => {
      resolve(data);
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
    });
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => void server.close());
  return { port: (server.address() as net.AddressInfo).port, first: promise };
}

test('backups take over when nobody else is left', async () => {
  const f = await farm();
  const [a, b, c] = [await site('a'), await site('b'), await site('c')];
  const made = await balancer(f, [a.port]);
  const backups: string[] = [];
  for (const { port } of [b, c]) {
    const member = { address: '127.0.0.1', protocol_port: port, backup: true };
    backups.push((await f.do('POST', `${V2}/pools/${made.pool}/members`, { member })).member.id);
  }
  await watch(f, made, { type: 'HTTP', url_path: '/health' });
  const ask = () => get(made.vip, PORT);
  const states = async () => {
    const { members } = (await f.ask('GET', `${V2}/pools/${made.pool}/members`)).body;
    const of = (id: string) => members.find((m: { id: string }) => m.id === id).operating_status;
    const { operating_status } = (await f.ask('GET', `${V2}/loadbalancers/${made.lb}`)).body.loadbalancer;
    return [operating_status, of(made.members[0]!), ...backups.map(of)];
  };
  await eventually(async () => expect(await states()).toEqual(['ONLINE', 'ONLINE', 'ONLINE', 'ONLINE']));
  expect(await spread(4, ask)).toEqual({ a: 4 });
  a.status = 0;
  await eventually(async () => {
    expect(await spread(4, ask), 'all of them').toEqual({ b: 2, c: 2 });
    expect(await states()).toEqual(['DEGRADED', 'ERROR', 'ONLINE', 'ONLINE']);
  });
  await f.do('PUT', `${V2}/pools/${made.pool}/members/${backups[0]}`, { member: { backup: false } });
  await eventually(async () => expect(await spread(4, ask)).toEqual({ b: 4 }));
  a.status = 200;
  await eventually(async () => expect(await spread(4, ask)).toEqual({ a: 2, b: 2 }));
});

test.each([
  ['PROXY', 'latin1', /^PROXY TCP4 127\.0\.0\.1 (127[\d.]+) \d+ 8080\r\nGET \/ HTTP\/1\.1\r\n/],
  ['PROXYV2', 'hex', /^0d0a0d0a000d0a515549540a2111/],
] as const)('a pool of protocol %s', async (protocol, encoding, begins) => {
  const f = await farm();
  const { port, first } = await listening();
  const { vip } = await balancer(f, [port], { pool: { protocol } });
  expect((await get(vip, PORT)).body).toBe('ok');
  expect((await first).toString(encoding)).toMatch(begins);
});

const REQUESTS: readonly (readonly [more: object, begins: RegExp])[] = [
  [{}, /^GET \/ HTTP\/1\.0\r\n/],
  [{ http_method: 'HEAD', url_path: '/h?x=%41#1' }, /^HEAD \/h\?x=%41#1 HTTP\/1\.0\r\n/],
  [{ http_version: 1.1, domain_name: 'www.example' }, /^GET \/ HTTP\/1\.1\r\n([^\r]+\r\n)*host: www\.example\r\n/i],
];

test.each(REQUESTS)('an HTTP monitor with %j', async (more, begins) => {
  const f = await farm();
  const [served, checked] = [await site('a'), await listening()];
  const made = await balancer(f, []);
  const member = { address: '127.0.0.1', protocol_port: served.port, monitor_address: '127.0.0.1' };
  const body = { member: { ...member, monitor_port: checked.port } };
  const { id } = (await f.do('POST', `${V2}/pools/${made.pool}/members`, body)).member;
  await watch(f, made, { type: 'HTTP', ...more });
  expect((await checked.first).toString('latin1')).toMatch(begins);
  const url = `${V2}/pools/${made.pool}/members/${id}`;
  await eventually(async () => expect((await f.ask('GET', url)).body.member.operating_status).toBe('ONLINE'));
  expect((await get(made.vip, PORT)).body).toBe('a');
});

test.each([
  ['200', { 200: 'ONLINE', 204: 'ERROR' }],
  ['200, 204', { 200: 'ONLINE', 204: 'ONLINE', 201: 'ERROR' }],
  ['201-299', { 200: 'ERROR', 201: 'ONLINE', 299: 'ONLINE', 301: 'ERROR' }],
])('expected codes %s', async (expected_codes, states) => {
  const f = await farm();
  const members = await Promise.all(
    Object.keys(states).map(async status => {
      const member = await site(status);
      member.status = Number(status);
      return member;
    }),
  );
  const made = await balancer(
    f,
    members.map(member => member.port),
  );
  await watch(f, made, { type: 'HTTP', url_path: '/health', expected_codes });
  await eventually(async () => {
    const { body } = await f.ask('GET', `${V2}/pools/${made.pool}/members`);
    const of = (id: string) => body.members.find((m: { id: string }) => m.id === id).operating_status;
    expect(made.members.map(of)).toEqual(Object.values(states));
  });
});

test('time-outs of the listener', async () => {
  const f = await farm();
  const { port } = await slow();
  const made = await balancer(f, [port], { listener: { timeout_member_data: 300, timeout_client_data: 400 } });
  const ms = async (work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    return performance.now() - from;
  };
  let status = 0;
  expect(await ms(async () => (status = (await get(made.vip, PORT)).status))).toBeLessThan(3_000);
  expect(status, 'a member that says nothing').toBe(504);
  const idle = () =>
    new Promise<void>((resolve, reject) => {
      const socket = net.connect(PORT, made.vip, () => socket.write('GET / HTTP/1.1\r\n'));
      socket
        .resume()
        .on('error', reject)
        .on('close', () => resolve());
    });
  const waited = await ms(idle);
  expect(waited).toBeGreaterThan(300);
  expect(waited, 'a client that says no more').toBeLessThan(3_000);
});

/** It takes connections and answers nothing. */
async function slow(): Promise<{ port: number }> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer(socket => sockets.add(socket.on('error', () => {}).resume()));
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as net.AddressInfo).port };
}
