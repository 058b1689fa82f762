import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import { network, pass } from '../proxy/network.ts';
import type { Rig } from '../proxy/rig.ts';
import { ask, connect, ok } from '../proxy/wire.ts';

async function listen(port: number, lines: string[], mode = 'tcp', bind = ''): Promise<Rig> {
  return rigOf(`
defaults
  mode ${mode}
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen l
  bind 127.0.0.1:1 ${bind}
  ${lines.join('\n  ')}
  server s 127.0.0.1:${port}
`);
}

describe('tcp-request connection and session', () => {
  test('a rejected connection is no session', async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-request connection reject if { src 127.0.0.1 }']);
    const wire = await connect(r.port('l'));
    await wire.end();
    expect(r.counter('frontend', 'l', 'denied_conn')).toBe(1);
    expect(r.counter('frontend', 'l', 'cum_conn')).toBe(1);
    expect(r.counter('frontend', 'l', 'cum_sess')).toBe(0);
    expect(r.counter('frontend', 'l', 'cur_sess')).toBe(0);
    expect(r.ends).toEqual([]);
  });

  test('session rules see the address of the PROXY header, connection rules do not', async () => {
    const s = await origin();
    const r = await listen(
      s.port,
      ['tcp-request connection reject if { src 10.0.0.1 }', 'tcp-request session reject if { src 10.0.0.1 }'],
      'tcp',
      'accept-proxy',
    );
    const wire = await connect(r.port('l'));
    wire.send('PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\n');
    await wire.end();
    expect(r.counter('frontend', 'l', 'denied_sess')).toBe(1);
    expect(r.counter('frontend', 'l', 'denied_conn')).toBe(0);
  });

  test('expect-proxy, and variables of the session', async () => {
    const s = await origin(request => ok(request));
    const r = await listen(
      s.port,
      [
        'tcp-request connection set-var(sess.real) src',
        'tcp-request connection expect-proxy layer4 if { src 127.0.0.0/8 }',
        'http-request set-header x-who "%[src] %[var(sess.real)]"',
      ],
      'http',
    );
    const got = await ask(
      r.port('l'),
      'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n',
    );
    expect(got).toContain('x-who: 10.0.0.1 127.0.0.1');
  });
});

describe('tcp-request content', () => {
  test('waits for bytes, and passes all of them on', async () => {
    const s = await origin();
    const r = await listen(s.port, [
      'tcp-request inspect-delay 1s',
      'tcp-request content accept if { req.len ge 6 }',
      'tcp-request content reject',
    ]);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await pass(30);
    expect(s.conns.length).toBe(0);
    wire.send('defg');
    const conn = await s.conn();
    await conn.has('abcdefg');
    conn.send('answer');
    await wire.has('answer');
    wire.socket.destroy();
  });

  test('decides with what there is when the delay is over', async () => {
    const s = await origin();
    const r = await listen(s.port, [
      'tcp-request inspect-delay 50ms',
      'tcp-request content reject unless { req.len ge 6 }',
    ]);
    const start = network().now();
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await wire.end();
    expect(network().now() - start).toBeGreaterThan(40);
    expect(r.counter('frontend', 'l', 'denied_req')).toBe(1);
    expect(r.ends[0]).toMatchObject({ state: 'PR' });
  });

  test('decides at once when the client will send no more', async () => {
    const s = await origin();
    const r = await listen(s.port, [
      'tcp-request inspect-delay 10s',
      'tcp-request content reject unless { req.len ge 6 }',
    ]);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    wire.socket.end();
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state: 'PR' });
  });

  test('WAIT_END holds a connection back', async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-request inspect-delay 60ms', 'tcp-request content accept if WAIT_END']);
    const start = network().now();
    const wire = await connect(r.port('l'));
    await s.conn();
    expect(network().now() - start).toBeGreaterThan(50);
    wire.socket.destroy();
  });

  test('use-server by what was inspected', async () => {
    const first = await origin();
    const second = await origin();
    const r = await listen(first.port, [
      'tcp-request inspect-delay 1s',
      'tcp-request content accept if { req.len gt 0 }',
      'balance first',
      'use-server two if { req.payload(0,3) -m str two }',
      `server two 127.0.0.1:${second.port}`,
    ]);
    const wire = await connect(r.port('l'));
    wire.send('two!');
    await (await second.conn()).has('two!');
    wire.socket.destroy();
  });
});

describe('TLS that only passes', () => {
  test('goes where its server name says, every byte of its hello', async () => {
    const first = await origin();
    const second = await origin();
    const r = await listen(first.port, [
      'tcp-request inspect-delay 1s',
      'tcp-request content accept if { req.ssl_hello_type 1 }',
      'balance first',
      'use-server two if { req.ssl_sni -i two.example }',
      `server two 127.0.0.1:${second.port}`,
    ]);
    const socket = tls.connect({ socket: network().connect(r.port('l'), false), servername: 'Two.example' });
    socket.on('error', () => {});
    const conn = await second.conn();
    await conn.has('Two.example');
    expect(conn.received.charCodeAt(0)).toBe(22);
    expect(first.conns.length).toBe(0);
    socket.destroy();
  });
});

describe('tcp-response content', () => {
  const lines = ['tcp-response inspect-delay 1s', 'tcp-response content reject if { res.payload(0,3) -m str BAD }'];

  test('what is good passes, and so does all that follows', async () => {
    const s = await origin();
    const r = await listen(s.port, [...lines, 'tcp-response content accept']);
    const wire = await connect(r.port('l'));
    wire.send('x');
    const conn = await s.conn();
    await conn.has('x');
    conn.send('GO');
    await pass(20);
    expect(wire.received).toBe('');
    conn.send('OD');
    await wire.has('GOOD');
    conn.send(' and more');
    await wire.has('GOOD and more');
    conn.socket.end();
    await wire.end();
  });

  test('what is not ends the stream', async () => {
    const s = await origin();
    const r = await listen(s.port, lines);
    const wire = await connect(r.port('l'));
    wire.send('x');
    (await s.conn()).send('BAD news');
    await wire.end();
    expect(wire.received).toBe('');
    expect(r.counter('backend', 'l', 'denied_resp')).toBe(1);
  });

  test.each([
    ['reject', -1, 'PD', 0],
    ['close', 502, 'SH', 1],
  ])('%s in HTTP mode is before the head counts', async (action, status, state, failed) => {
    const s = await origin(() => ok('x'));
    const r = await listen(s.port, [`tcp-response content ${action}`], 'http');
    const client = await connect(r.port('l'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.until(() => r.ends.length === 1);
    expect(r.ends[0]).toMatchObject({ status: status === -1 ? 0 : status, state });
    expect(r.counter('server', 'l/s', 'hrsp_2xx')).toBe(0);
    expect(r.counter('server', 'l/s', 'failed_resp')).toBe(failed);
    client.socket.destroy();
  });

  test('close: what came passes, nothing else', async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-response content close']);
    const wire = await connect(r.port('l'));
    wire.send('x');
    const conn = await s.conn();
    // Else it meets a connection that is closed, and is answered with RST.
    await conn.has('x');
    conn.send('last words');
    await wire.end();
    expect(wire.received).toMatch(/^l/);
    expect('last words').toContain(wire.received);
  });
});
