/** How connections end, and what a client or server that leaves early makes of an exchange. */
import { expect, test } from 'vitest';
import { settled } from './gauges.ts';
import { CLOSE, GET, listen, origin } from './listen.ts';
import { ask, connect, ok, type Wire } from './wire.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello';

function wasReset(wire: Wire): boolean {
  return wire.error?.code === 'ECONNRESET' && !wire.ended;
}

test('a server connection that we end first is reset: its port is free at once', async () => {
  const s = await origin(() => ok());
  const rig = await listen(['option http-server-close', `server s1 127.0.0.1:${s.port}`]);
  await ask(rig.port('web'), CLOSE);
  const conn = await s.conn();
  await conn.until(w => w.closed);
  expect(wasReset(conn)).toBe(true);
});

test('a connection with bytes after a response without payload does not serve again', async () => {
  const s = await origin((_, __, n) => (n === 0 ? `HTTP/1.1 304 Not Modified\r\n\r\n${ok('poison')}` : ok('clean')));
  const rig = await listen(['http-reuse always', `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  await client.has('304');
  client.send(GET);
  await s.conn(1);
  expect(client.received).not.toContain('poison');
  client.socket.destroy();
});

test('a response that is complete before its request: the request goes on, and so does the connection', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(POST);
  const conn = await s.conn();
  await conn.has('hello');
  conn.send(ok('early'));
  await client.has('early');
  client.send('world');
  await conn.has('helloworld');
  client.send(GET);
  await conn.has('GET / ');
  conn.send(ok('next'));
  await client.has('next');
  expect(s.conns.length).toBe(1);
  expect(rig.ends.map(end => end.state)).toEqual(['--', '--']);
  client.socket.destroy();
});

test('101 that nobody asked for is a bad response', async () => {
  const s = await origin(() => 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n');
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  expect(await ask(rig.port('web'), CLOSE)).toMatch(/^HTTP\/1.1 502 /);
  expect(rig.ends[0]).toMatchObject({ status: 502, state: 'PH' });
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(1);
});

test.each([
  ['', 400],
  ['option http-ignore-probes', 0],
])('a client that leaves without a request, %s', async (option, status) => {
  const s = await origin();
  const rig = await listen([option, `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.socket.end();
  await client.end();
  expect(client.received).toMatch(status === 0 ? /^$/ : /^HTTP\/1.1 400 /);
  expect(rig.counter('frontend', 'web', 'failed_req')).toBe(status === 0 ? 0 : 1);
  expect(rig.ends.map(end => end.state)).toEqual(status === 0 ? [] : ['CR']);
});

test('option abortonclose: a client that half-closes while it waits is told 400 and its server let go', async () => {
  const s = await origin();
  const rig = await listen(['option abortonclose', `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  await (await s.conn()).has('GET');
  client.socket.end();
  await client.end();
  expect(client.received).toMatch(/^HTTP\/1.1 400 [\s\S]*connection: close/);
  expect(rig.ends[0]).toMatchObject({ status: 400, state: 'CH' });
  expect(rig.counter('server', 'web/s1', 'cli_aborts')).toBe(1);
});

test('an abort before a server was reached is none of a transfer', async () => {
  const s = await origin();
  const rig = await listen(['option abortonclose', 'timeout queue 2s', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  const [first, second] = [await connect(rig.port('web')), await connect(rig.port('web'))];
  first.send(GET);
  await s.conn();
  second.send(GET);
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.end();
  await second.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('CQ');
  expect(rig.counter('backend', 'web', 'cli_aborts')).toBe(0);
  first.socket.destroy();
});

test('a client that leaves while it sends: CD; a response that is cut counts as failed, too', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(POST);
  await (await s.conn()).has('hello');
  client.socket.end();
  await client.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('CD');
  const other = await connect(rig.port('web'));
  other.send(GET);
  const conn = await s.conn(1);
  await conn.has('GET');
  conn.send('HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf');
  conn.socket.end();
  await other.end();
  expect(rig.ends[1]!.state).toBe('SD');
  expect(rig.counter('server', 'web/s1', 'srv_aborts')).toBe(1);
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(1);
});

test('each response of a server counts there, interim ones too; the client got one', async () => {
  const s = await origin(() => `HTTP/1.1 103 Early Hints\r\n\r\n${ok()}`);
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  await ask(rig.port('web'), CLOSE);
  expect(rig.counter('server', 'web/s1', 'hrsp_1xx')).toBe(1);
  expect(rig.counter('server', 'web/s1', 'hrsp_2xx')).toBe(1);
  expect(rig.counter('backend', 'web', 'hrsp_1xx')).toBe(0);
  expect(rig.counter('backend', 'web', 'hrsp_2xx')).toBe(1);
});

test('a soft stop: what is under way ends with connection: close, idle connections close, new ones are served once', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const [busy, idle, fresh] = await Promise.all([0, 1, 2].map(() => connect(rig.port('web'))));
  idle!.send(GET);
  const first = await s.conn();
  await first.has('GET');
  first.send(ok('one'));
  await idle!.has('one');
  busy!.send(GET);
  await busy!.until(() => rig.counter('server', 'web/s1', 'cum_sess') === 2);
  rig.workers[0]!.stop(true);
  fresh!.send(GET);
  await fresh!.until(() => rig.counter('server', 'web/s1', 'cum_sess') === 3);
  for (const conn of s.conns.filter(c => !c.closed)) conn.send(ok('last'));
  for (const client of [busy!, fresh!]) {
    await client.end();
    expect(client.received).toContain('connection: close');
  }
  await idle!.end();
  expect(idle!.received).not.toContain('connection: close');
  expect(await settled(rig)).toEqual({});
});
