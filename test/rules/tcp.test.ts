import tls from 'node:tls';
import { describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import { needsKernel, network, pass } from '../proxy/network.ts';
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

  test("what came before the client's end passes on, and then its end", async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-request inspect-delay 10s', 'tcp-request content accept if { req.len ge 6 }']);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    wire.socket.end();
    const conn = await s.conn();
    await conn.has('abc');
    await conn.end();
    conn.socket.end();
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state: '--' });
  });

  test('a client that resets while they wait counts where it would have gone', async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-request inspect-delay 10s', 'tcp-request content accept if { req.len ge 6 }']);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await pass(30);
    wire.socket.resetAndDestroy();
    await wire.until(() => r.ends.length === 1);
    expect(r.ends[0]).toMatchObject({ state: 'CR' });
    expect(r.counter('frontend', 'l', 'failed_req')).toBe(1);
    expect(r.counter('backend', 'l', 'cum_sess')).toBe(1);
    expect(r.counter('backend', 'l', 'cli_aborts')).toBe(1);
    expect(s.conns.length).toBe(0);
  });

  test.each([
    ['tcp-request content accept if WAIT_END', 'cR'],
    ['tcp-request content reject if WAIT_END', 'PR'],
  ])('they decide when the client is late: %s', async (rule, state) => {
    const s = await origin();
    const r = await listen(s.port, ['timeout client 60ms', 'tcp-request inspect-delay 10s', rule]);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state });
    expect(s.conns.length).toBe(0);
  });

  test('what follows a term that may still change is not asked yet', async () => {
    const s = await origin();
    const r = await listen(s.port, [
      'tcp-request inspect-delay 60ms',
      'tcp-request content reject if WAIT_END { src 1.2.3.4 }',
    ]);
    const start = network().now();
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await (await s.conn()).has('abc');
    expect(network().now() - start).toBeGreaterThan(50);
    wire.socket.destroy();
  });

  test('what they capture is there for the log, without a request', async () => {
    const s = await origin();
    const r = await listen(s.port, [
      'tcp-request inspect-delay 1s',
      'tcp-request content capture req.payload(0,3) len 20',
      'tcp-request content reject if { capture.req.hdr(0) -m str abc }',
    ]);
    const wire = await connect(r.port('l'));
    wire.send('abc');
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state: 'PR' });
  });

  test('who is refused unread sees an end, no reset', async context => {
    needsKernel(context, 'a close that resets');
    const s = await origin();
    const r = await listen(s.port, ['tcp-request content reject']);
    const wire = await connect(r.port('l'));
    let failed: Error | null = null;
    wire.socket.on('error', error => (failed = error));
    wire.send('x'.repeat(10_000));
    await wire.end();
    expect(failed).toBe(null);
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

  test.each([
    ['reject', 'PD', 1],
    ['close', '--', 0],
  ])('%s without a condition: the server gets nothing', async (action, state, denied) => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-response inspect-delay 1s', `tcp-response content ${action}`]);
    const wire = await connect(r.port('l'));
    wire.send('x');
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state });
    expect(r.counter('backend', 'l', 'denied_resp')).toBe(denied);
    expect((await s.conn()).received).toBe('');
  });

  test('the time to wait begins with the connection, whatever the client sends', async () => {
    const s = await origin();
    const r = await listen(s.port, ['tcp-response inspect-delay 100ms', 'tcp-response content reject if WAIT_END']);
    const wire = await connect(r.port('l'));
    wire.send('x');
    await (await s.conn()).has('x');
    await wire.end();
    expect(r.ends[0]).toMatchObject({ state: 'PD' });
  });

  test('close: what came passes, nothing else', async () => {
    const s = await origin();
    const lines = ['tcp-response inspect-delay 1s', 'tcp-response content close if { res.len gt 0 }'];
    const r = await listen(s.port, lines);
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
