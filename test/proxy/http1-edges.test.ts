/** Messages at the edge of what HTTP/1 allows, as HAProxy judges them: what passes, what is refused, and who hears of it. */
import { describe, expect, test } from 'vitest';
import { CLOSE, listen, origin, rigOf } from './listen.ts';
import { needsKernel, pass } from './network.ts';
import { ask, connect, ok } from './wire.ts';

const POST = 'POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n';
const CHUNKED = `${POST}Transfer-Encoding: chunked\r\n\r\n`;
/** Why a test is not for a network that cuts what is sent where it likes. */
const TOGETHER = 'what is sent together comes together';
const BROKEN = ['zz\r\n', '2\r\nabX', '2\r\nab\r\n0\r\nfoo\r\n\r\n'];

describe('payload that is wrong from the start', () => {
  test.for(BROKEN)('with the head of a request, %j: 400 PR, and no server hears of it', async (chunks, context) => {
    needsKernel(context, TOGETHER);
    const s = await origin(() => ok());
    const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
    expect(await ask(rig.port('web'), CHUNKED + chunks)).toMatch(/^HTTP\/1.1 400 /);
    expect(rig.ends[0]).toMatchObject({ status: 400, state: 'PR', server: '' });
    expect(rig.counter('frontend', 'web', 'failed_req')).toBe(1);
    expect(s.conns.length).toBe(0);
  });

  test.for(BROKEN)('with the head of a response, %j: 502 PH, and the client stays', async (chunks, context) => {
    needsKernel(context, TOGETHER);
    const s = await origin(() => `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}`);
    const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.has('</html>');
    expect(client.take()).toMatch(/^HTTP\/1.1 502 /);
    client.send(CLOSE);
    await client.end();
    expect(rig.ends.map(({ status, state }) => `${status} ${state}`)).toEqual(['502 PH', '502 PH']);
    expect(rig.counter('server', 'web/s1', 'failed_resp')).toBe(2);
  });

  test.each(['option http-buffer-request', 'http-request wait-for-body time 1s'])('while %s: 400 PR', async line => {
    const s = await origin(() => ok());
    const rig = await listen([line, `server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    client.send(CHUNKED);
    await pass(20);
    client.send('2\r\nab\r\n');
    await pass(20);
    client.send('zz\r\n');
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1.1 400 /);
    expect(rig.ends[0]).toMatchObject({ status: 400, state: 'PR' });
    expect(s.conns.length).toBe(0);
  });
});

test.each(['option http-buffer-request', 'http-request wait-for-body time 10s'])(
  '%s: a client that stops has its own time-out, 408 cR',
  async line => {
    const s = await origin(() => ok());
    const rig = await listen(['timeout client 60ms', line, `server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    client.send(`${POST}Content-Length: 6\r\n\r\nab`);
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1.1 408 /);
    expect(rig.ends[0]).toMatchObject({ status: 408, state: 'cR' });
    expect(s.conns.length).toBe(0);
  },
);

test('a client has its whole time for the payload when a server can take it', async () => {
  const s = await origin();
  const rig = await listen(['timeout client 300ms', `server s1 127.0.0.1:${s.port} maxconn 1`]);
  const first = await connect(rig.port('web'));
  first.send(CLOSE);
  const busy = await s.conn();
  await busy.has('\r\n\r\n');
  const second = await connect(rig.port('web'));
  second.send(`${POST}Content-Length: 2\r\n\r\n`);
  await pass(200);
  busy.send('HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n');
  const free = await s.conn(1);
  await free.has('\r\n\r\n');
  await pass(200);
  second.send('ab');
  await free.has('\r\n\r\nab');
  free.send(ok());
  await second.end();
  expect(rig.ends.map(({ state }) => state)).toEqual(['--', '--']);
});

test('chunk extensions and blanks behind sizes do not pass', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send(`${CHUNKED}2;a="b"\r\nab\r\n1  \r\nc\r\n0;x\r\n\r\n`);
  const conn = await s.conn();
  await conn.has('\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n');
  conn.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3 ;y\r\nxyz\r\n0\r\n\r\n');
  await client.end();
  expect(client.received.endsWith('\r\n\r\n3\r\nxyz\r\n0\r\n\r\n')).toBe(true);
});

describe('Expect while rules wait for the payload', () => {
  test.each([
    ['1.1', '100-continue', true],
    ['1.0', '100-continue', false],
    ['1.1', 'foo', false],
  ])('HTTP/%s with %s: answered %s', async (version, expected, answered) => {
    const s = await origin(head => ok(head));
    const rig = await listen(['option http-buffer-request', `server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    const head = POST.replace('HTTP/1.1', `HTTP/${version}`);
    client.send(`${head}Expect: ${expected}\r\nContent-Length: 2\r\n\r\n`);
    if (answered) await client.has('\r\n\r\n');
    else await pass(20);
    expect(client.take()).toBe(answered ? 'HTTP/1.1 100 Continue\r\n\r\n' : '');
    client.send('ab');
    await client.end();
    expect(client.received.includes(`expect: ${expected}`)).toBe(!answered);
  });
});

describe('101', () => {
  const asks = 'Connection: upgrade\r\nUpgrade: x\r\n';
  test.each([
    ['', asks, 502],
    [asks, '', 502],
    [asks, 'Upgrade: x\r\n', 502],
    ['Upgrade: x\r\n', asks, 502],
    [`${asks}Content-Length: 2\r\n`, asks, 502],
    [asks, 'Connection: upgrade\r\n', 101],
    ['Connection: upgrade\r\n', asks, 101],
    [asks, asks, 101],
  ])('to a request with %j, with %j: %d', async (request, response, status) => {
    const s = await origin(() => `HTTP/1.1 101 Switching\r\n${response}\r\nraw`);
    const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
    const client = await connect(rig.port('web'));
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${request}\r\n${request.includes('Length') ? 'ab' : ''}`);
    await client.has(status === 101 ? 'raw' : '</html>');
    expect(client.received).toContain(`HTTP/1.1 ${status} `);
    client.socket.destroy();
  });
});

describe('tcp-request content in HTTP mode', () => {
  test('req.len counts the head and what came of the payload', async context => {
    needsKernel(context, TOGETHER);
    const s = await origin(head => ok(head));
    const rig = await listen([
      'tcp-request content set-var(txn.len) req.len',
      'http-request set-header x-len %[var(txn.len)]',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    const request = `${POST}Content-Length: 3\r\n\r\nabc`;
    expect(await ask(rig.port('web'), request)).toContain(`x-len: ${request.length}\r\n`);
  });

  test('captures are kept beside those of headers', async () => {
    const s = await origin(head => ok(head));
    const rig = await listen([
      'capture request header Host len 10',
      'tcp-request content capture str(hello) len 3',
      'http-request set-header x-slots %[capture.req.hdr(0)],%[capture.req.hdr(1)]',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    expect(await ask(rig.port('web'), CLOSE)).toContain('x-slots: a,hel\r\n');
  });

  test.each([
    ['a request without payload', CLOSE],
    ['a whole payload', `${POST}Content-Length: 3\r\n\r\nabc`],
  ])('wait for nothing behind %s', async (_what, request) => {
    const s = await origin(() => ok());
    const rig = await listen([
      'tcp-request inspect-delay 60s',
      'tcp-request content accept if WAIT_END',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    expect(await ask(rig.port('web'), request)).toContain(' 200 ');
  });

  test('all are asked again when more has come', async () => {
    const s = await origin(head => ok(head));
    const rig = await listen([
      'tcp-request inspect-delay 60s',
      'tcp-request session set-var(sess.n) int(0)',
      'tcp-request content set-var(sess.n) var(sess.n),add(1)',
      'tcp-request content accept if { req.body -m str abcd }',
      'tcp-request content reject if WAIT_END',
      'http-request set-header x-n %[var(sess.n)]',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    const client = await connect(rig.port('web'));
    client.send(`${POST}Content-Length: 4\r\n\r\n`);
    await pass(20);
    client.send('abcd');
    await client.has('x-n: ');
    await client.has('\r\n\r\n');
    // As often as bytes came.
    expect(Number(/x-n: (\d)/.exec(client.received)![1])).toBeGreaterThan(1);
    client.socket.destroy();
  });

  test('chunks that break while they wait: 400 PR', async () => {
    const s = await origin(() => ok());
    const rig = await listen([
      'tcp-request inspect-delay 60s',
      'tcp-request content accept if WAIT_END',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    const client = await connect(rig.port('web'));
    client.send(CHUNKED);
    await pass(20);
    client.send('zz\r\n');
    await client.end();
    expect(client.received).toMatch(/^HTTP\/1.1 400 /);
    expect(rig.ends[0]).toMatchObject({ status: 400, state: 'PR' });
    expect(s.conns.length).toBe(0);
  });

  test('payload comes in while they wait, and passes', async () => {
    const s = await origin();
    const rig = await listen([
      'tcp-request inspect-delay 2s',
      'tcp-request content accept if { req.body_len ge 4 } or WAIT_END',
      'http-request set-header x-body %[req.body]',
      `server s1 127.0.0.1:${s.port}`,
    ]);
    const client = await connect(rig.port('web'));
    client.send(`${POST}Content-Length: 6\r\n\r\nab`);
    await pass(20);
    expect(s.conns.length).toBe(0);
    client.send('cd');
    const conn = await s.conn();
    await conn.has('x-body: abcd\r\n');
    client.send('ef');
    await conn.has('\r\n\r\nabcdef');
    client.socket.destroy();
  });
});

test('the Content-Length of a CONNECT does not pass, and what follows is no payload', async () => {
  const s = await origin();
  const rig = await listen([`server s1 127.0.0.1:${s.port}`]);
  const client = await connect(rig.port('web'));
  client.send('CONNECT a:80 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 3\r\n\r\nabcdef');
  const conn = await s.conn();
  await conn.has('\r\n\r\n');
  expect(conn.take()).not.toContain('content-length');
  conn.send('HTTP/1.1 200 OK\r\n\r\n');
  await conn.has('abcdef');
  client.socket.destroy();
});

describe('option accept-unsafe-violations-in-http-request', () => {
  test.each([
    ['GET / RTSP/1.0\r\nHost: a\r\n\r\n', 'GET / RTSP/1.0\r\n'],
    ['GET /\r\n', 'GET / HTTP/1.0\r\n'],
    ['GET / HTTP/2.0\r\nHost: a\r\nConnection: close\r\n\r\n', 'GET / HTTP/1.1\r\n'],
  ])('%j', async (request, line) => {
    const s = await origin(head => ok(head));
    const rig = await listen(['option accept-unsafe-violations-in-http-request', `server s1 127.0.0.1:${s.port}`]);
    const got = await ask(rig.port('web'), request);
    expect(got).toMatch(/^HTTP\/1.1 200 OK\r\n(?:.+\r\n)*connection: close\r\n/);
    expect(got).toContain(`\r\n\r\n${line}`);
  });

  test.each(['RTSP/1.0 200 OK', 'HTTP/1.1 2001 OK'])('of a response: %s', async line => {
    const s = await origin(() => `${line}\r\nContent-Length: 2\r\n\r\nok`);
    const rig = await listen(['option accept-unsafe-violations-in-http-response', `server s1 127.0.0.1:${s.port}`]);
    const got = await ask(rig.port('web'), CLOSE);
    expect(got.slice(0, line.length)).toBe(line);
    expect(rig.ends[0]).toMatchObject({ status: Number(line.split(' ')[1]), state: '--' });
  });
});

const ENDS: [string, string, string, string][] = [
  ['option forwardfor except 127.0.0.1', 'option forwardfor', '', ''],
  ['option forwardfor', 'option forwardfor except 127.0.0.1', '', ''],
  ['option forwardfor if-none', 'option forwardfor header X-Be', 'x-be: 1\r\n', 'x-be: 127.0.0.1'],
  ['option forwardfor', 'option forwardfor header X-Be if-none', 'x-be: 1\r\n', 'x-be: 127.0.0.1'],
  ['option forwardfor if-none', 'option forwardfor header X-Be if-none', 'x-be: 1\r\n', ''],
  ['option forwardfor header X-Fe', 'option forwardfor', '', 'x-forwarded-for: 127.0.0.1'],
  ['option originalto except 127.0.0.1', 'option originalto', '', ''],
];

describe('a head that would outgrow the buffer', () => {
  const long = (n: number) => `x: ${'a'.repeat(n)}\r\n`;

  test.each([
    'http-request set-header z %[req.hdr(y)]',
    'http-request set-path /%[req.hdr(y)]',
    'http-request replace-header y (.*) \\1\\1',
  ])('%s: 500 PR, counted', async rule => {
    const s = await origin(() => ok());
    const rig = await listen([rule, `server s1 127.0.0.1:${s.port}`]);
    const request = CLOSE.replace('Host', `y: ${'y'.repeat(1500)}\r\n${long(13_500)}Host`);
    expect(await ask(rig.port('web'), request)).toMatch(/^HTTP\/1.1 500 /);
    expect(rig.ends[0]).toMatchObject({ status: 500, state: 'PR' });
    expect(rig.counter('frontend', 'web', 'failed_rewrites')).toBe(1);
    expect(s.conns.length).toBe(0);
  });

  test('http-response set-header: 500 PH', async () => {
    const s = await origin(() => ok('', long(15_000)));
    const rig = await listen([`http-response set-header z ${'z'.repeat(1500)}`, `server s1 127.0.0.1:${s.port}`]);
    expect(await ask(rig.port('web'), CLOSE)).toMatch(/^HTTP\/1.1 500 /);
    expect(rig.ends[0]).toMatchObject({ status: 500, state: 'PH' });
    expect(rig.counter('backend', 'web', 'failed_rewrites')).toBe(1);
  });

  test('http-after-response set-header: 500 PH, with the header on its page', async () => {
    const s = await origin(() => ok('', long(15_000)));
    const line = `http-after-response set-header z ${'z'.repeat(1500)}`;
    const rig = await listen([line, `server s1 127.0.0.1:${s.port}`]);
    const got = await ask(rig.port('web'), CLOSE);
    expect(got).toMatch(/^HTTP\/1.1 500 /);
    expect(got).toContain('\r\nz: zzz');
    expect(rig.ends[0]).toMatchObject({ status: 500, state: 'PH' });
    const lax = await listen(['http-after-response strict-mode off', line, `server s1 127.0.0.1:${s.port}`]);
    expect(await ask(lax.port('web'), CLOSE)).toMatch(/^HTTP\/1.1 200 /);
  });

  test('option forwardfor: no server is asked', async () => {
    const s = await origin(() => ok());
    const rig = await listen([`option forwardfor header ${'f'.repeat(1500)}`, `server s1 127.0.0.1:${s.port}`]);
    expect(await ask(rig.port('web'), CLOSE.replace('Host', `${long(15_000)}Host`))).toMatch(/^HTTP\/1.1 500 /);
    expect(s.conns.length).toBe(0);
  });
});

describe('options of frontend and backend together', () => {
  const pair = (front: string, back: string, port: number): string => `
defaults
  mode http
frontend f
  bind 127.0.0.1:1
  ${front}
  default_backend b
backend b
  ${back}
  server s 127.0.0.1:${port}
`;

  test.each(ENDS)('%s, %s', async (front, back, sent, added) => {
    const s = await origin(head => ok(head));
    const rig = await rigOf(pair(front, back, s.port));
    const got = await ask(rig.port('f'), CLOSE.replace('Host', `${sent}Host`));
    const lines = got.split('\r\n').filter(line => line.endsWith(': 127.0.0.1'));
    expect(lines).toEqual(added === '' ? [] : [added]);
  });

  test('option httpclose of the backend is for servers only', async () => {
    const s = await origin(head => ok(head));
    const rig = await rigOf(pair('', 'option httpclose', s.port));
    const client = await connect(rig.port('f'));
    for (let i = 0; i < 2; i++) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.has('connection: close\r\n\r\n');
      expect(client.take()).not.toMatch(/^HTTP(?:.+\r\n)*connection: close\r\n/);
    }
    expect(s.conns.length).toBe(2);
    client.socket.destroy();
  });
});
