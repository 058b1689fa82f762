/** How connections end, and what a client or server that leaves early makes of an exchange. */
import { expect, test } from 'vitest';
import { settled } from './gauges.ts';
import { CLOSE, GET, listen, origin } from './listen.ts';
import { pass } from './network.ts';
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

const HALF = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
const CANCELLED = /^HTTP\/1.1 400 [\s\S]*connection: close/;

test.each([
  ['nothing', '', CANCELLED, 400, 'CH', 1],
  ['half a head', 'HTTP/1.1 2', CANCELLED, 400, 'CH', 1],
  ['a response', ok('late'), /^HTTP\/1.1 200 [\s\S]*late$/, 200, '--', 0],
  ['half a response', HALF, /half$/, 200, 'CD', 1],
] as const)('a client half-closes while it waits: so does its server hear, which answers %s', async (...row) => {
  const [, answer, received, status, state, aborts] = row;
  const s = await origin();
  const rig = await listen(['retries 3', 'retry-on all-retryable-errors', `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  const conn = await s.conn();
  await conn.has('GET');
  client.socket.end();
  await conn.until(c => c.ended);
  if (answer !== '') conn.send(answer);
  conn.socket.end();
  await client.end();
  expect(client.received).toMatch(received);
  expect(rig.ends[0]).toMatchObject({ status, state });
  expect(s.conns).toHaveLength(1);
  for (const [kind, name] of [
    ['server', 'web/s1'],
    ['backend', 'web'],
  ] as const) {
    expect(rig.counter(kind, name, 'cli_aborts')).toBe(aborts);
    expect(rig.counter(kind, name, 'failed_resp')).toBe(0);
  }
});

test('a client half-closes in a response: the server hears it and may go on', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  const conn = await s.conn();
  await conn.has('GET');
  conn.send(HALF);
  await client.has('half');
  client.socket.end();
  await conn.until(c => c.ended);
  conn.send('-whole');
  await client.end();
  expect(client.received).toContain('half-whole');
  expect(rig.ends[0]).toMatchObject({ status: 200, state: '--' });
});

test('no option abortonclose: the server hears nothing of a client that half-closes', async () => {
  const s = await origin();
  const rig = await listen(['no option abortonclose', `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  const conn = await s.conn();
  await conn.has('GET');
  client.socket.end();
  await pass(50);
  expect(conn.ended).toBe(false);
  conn.send(ok());
  await client.end();
  expect(client.received).toContain('200 OK');
});

test('timeout server-fin: how long a server may take that has heard it', async () => {
  const s = await origin();
  const rig = await listen(['timeout server-fin 50ms', `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  await (await s.conn()).has('GET');
  client.socket.end();
  await client.end();
  expect(rig.ends[0]).toMatchObject({ status: 504, state: 'sH' });
});

test('a client that resets in a queue counts at the backend', async () => {
  const s = await origin();
  const rig = await listen(['timeout queue 2s', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  const [first, second] = [await connect(rig.port('web')), await connect(rig.port('web'))];
  first.send(GET);
  await s.conn();
  second.send(GET);
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.resetAndDestroy();
  await second.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('CQ');
  expect(rig.counter('backend', 'web', 'cli_aborts')).toBe(1);
  first.socket.destroy();
});

test('a stream whose server is marked down answers who waits for a response: 502, DH', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port} on-marked-down shutdown-sessions`]);
  const client = await connect(rig.port('web'));
  client.send(GET);
  await (await s.conn()).has('GET');
  rig.setServer('web', 's1', 'maint');
  await client.has('502 Bad Gateway');
  expect(rig.ends[0]).toMatchObject({ status: 502, state: 'DH' });
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(1);
  client.socket.destroy();
});

const WHOLE_POST = `${POST}world`;

test.each([
  ['option abortonclose', GET, 0],
  // Its request will never be whole.
  ['no option abortonclose', POST, 1],
  ['option abortonclose', WHOLE_POST, 0],
  ['default option abortonclose', WHOLE_POST, 0],
])('%s, %j: an abort before a server was reached', async (option, request, aborts) => {
  const s = await origin();
  const rig = await listen([option, 'timeout queue 2s', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  const [first, second] = [await connect(rig.port('web')), await connect(rig.port('web'))];
  first.send(GET);
  await s.conn();
  second.send(request);
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.end();
  await second.until(() => rig.ends.length === 1);
  expect(rig.ends[0]!.state).toBe('CQ');
  expect(rig.counter('backend', 'web', 'cli_aborts')).toBe(aborts);
  first.socket.destroy();
});

test('no option abortonclose: who has sent a whole request, payload and all, and its end, is served in turn', async () => {
  const s = await origin();
  const lines = ['no option abortonclose', 'timeout queue 2s', `server s1 127.0.0.1:${s.port} maxconn 1`];
  const rig = await listen(lines);
  const [first, second] = [await connect(rig.port('web')), await connect(rig.port('web'))];
  first.send(GET);
  const one = await s.conn();
  second.send(WHOLE_POST);
  await second.until(() => rig.word('web', 'be_total_queued') === 1);
  second.socket.end();
  await pass(20);
  one.send(ok());
  const two = await s.conn(1);
  await two.has('helloworld');
  two.send(ok());
  await second.end();
  expect(second.received).toContain('200 OK');
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

test.each([
  // The time of the server is that of both.
  ['timeout client 50ms', 'timeout server 150ms', 504, 'sH', 0],
  ['timeout client 2s', 'timeout server 50ms', 504, 'sH', 0],
  ['timeout client 50ms', 'timeout server 0', 0, 'cH', 1],
])('a client whose payload stalls before the server has answered: %s, %s', async (...row) => {
  const [clientTime, serverTime, status, state, aborts] = row;
  const s = await origin();
  const rig = await listen([clientTime, serverTime, `server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(POST);
  await (await s.conn()).has('hello');
  await client.end();
  expect(client.received).toMatch(status === 0 ? /^$/ : /^HTTP\/1.1 504 /);
  expect(rig.ends[0]).toMatchObject({ status, state });
  expect(rig.counter('server', 'web/s1', 'cli_aborts')).toBe(aborts);
  expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(1 - aborts);
  client.socket.destroy();
});
