import { describe, expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import { pass } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok } from './wire.ts';

/** One frontend and backend; `more` are lines of the frontend-and-backend (a listen section). */
async function proxy(port: number, more = '', serverWords = ''): Promise<Rig> {
  return rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  ${more.split('\n').join('\n  ')}
  server s1 127.0.0.1:${port} ${serverWords}
`);
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const GET_CLOSE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

describe('messages', () => {
  test('a request and its response pass with lower-case names, and both are counted', async () => {
    const s = await origin(() => ok('hello', 'X-Thing: 1\r\n'));
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), 'GET /p?q HTTP/1.1\r\nHost: A\r\nX-Foo: Bar\r\nConnection: close\r\n\r\n');
    expect(got).toBe('HTTP/1.1 200 OK\r\ncontent-length: 5\r\nx-thing: 1\r\nconnection: close\r\n\r\nhello');
    expect(r.counter('frontend', 'web', 'cum_req')).toBe(1);
    expect(r.counter('frontend', 'web', 'hrsp_2xx')).toBe(1);
    expect(r.counter('backend', 'web', 'hrsp_2xx')).toBe(1);
    expect(r.counter('server', 'web/s1', 'hrsp_2xx')).toBe(1);
    expect(r.counter('frontend', 'web', 'bytes_out')).toBe(got.length);
    expect(r.ends).toMatchObject([
      { frontend: 'web', backend: 'web', server: 's1', status: 200, state: '--', retries: 0, silent: false },
    ]);
  });

  test('requests of one connection go one after the other over one server connection', async () => {
    const s = await origin((_, __, n) => ok(`r${n}`));
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    for (let i = 0; i < 3; i++) {
      client.send(GET);
      await client.has(`r${i}`);
    }
    expect(s.conns.length).toBe(1);
    expect(r.counter('server', 'web/s1', 'reuse')).toBe(2);
    expect(r.counter('server', 'web/s1', 'connect')).toBe(1);
    expect(r.counter('server', 'web/s1', 'cum_sess')).toBe(3);
    client.socket.destroy();
  });

  test('pipelined requests are answered in order', async () => {
    const s = await origin(head => ok(head.split(' ')[1]));
    const r = await proxy(s.port);
    const requests = Array.from({ length: 20 }, (_, i) => `GET /${i} HTTP/1.1\r\nHost: a\r\n\r\n`).join('');
    const client = await connect(r.port('web'));
    client.send(requests);
    await client.has('/19');
    const order = [...client.received.matchAll(/\r\n\r\n\/(\d+)/g)].map(m => Number(m[1]));
    expect(order).toEqual(Array.from({ length: 20 }, (_, i) => i));
    client.socket.destroy();
  });

  test('every split of a request gives the same answer', async () => {
    const s = await origin(() => ok());
    const r = await proxy(s.port);
    for (let at = 1; at < GET.length; at += 3) {
      const client = await connect(r.port('web'));
      client.socket.setNoDelay(true);
      client.send(GET.slice(0, at));
      await pass(1);
      client.send(GET.slice(at));
      await client.has('\r\n\r\nok');
      client.socket.destroy();
    }
  });

  test('payloads: length and chunks with trailers, both ways', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello');
    const conn = await s.conn();
    await conn.has('hello');
    conn.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
    await client.has('abc');
    conn.send('2\r\nde\r\n0\r\nX-Sum: 1\r\n\r\n');
    await client.has('x-sum: 1\r\n\r\n');
    expect(client.take()).toContain('3\r\nabc\r\n2\r\nde\r\n0\r\n');
    conn.take();
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nwxyz\r\n0\r\n\r\n');
    await conn.has('0\r\n\r\n');
    expect(conn.received).toContain('transfer-encoding: chunked\r\n');
    expect(conn.received).toContain('4\r\nwxyz\r\n0\r\n\r\n');
    conn.send(ok('end'));
    await client.has('end');
    client.socket.destroy();
  });

  test('responses without payload: HEAD, 204, 304; the connection goes on', async () => {
    const answers = [
      'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n',
      ok('last'),
    ];
    const s = await origin((_, __, n) => answers[n]!);
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('HEAD / HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.has('content-length: 100\r\n\r\n');
    client.send(GET);
    await client.has('204 No Content\r\n\r\n');
    client.send(GET);
    await client.has('304 Not Modified\r\ncontent-length: 7\r\n\r\n');
    client.send(GET);
    await client.has('last');
    expect(s.conns.length).toBe(1);
    client.socket.destroy();
  });

  test('a client that has said close gets the whole answer, and its end', async () => {
    const body = 'x'.repeat(100_000);
    const s = await origin(() => ok(body));
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send(GET_CLOSE);
    await client.end();
    expect(client.received.endsWith(body)).toBe(true);
    expect(client.error).toBe(null);
    client.socket.destroy();
  });

  test('a request sent after the last answer, before its sender saw the end, brings no reset', async () => {
    const s = await origin(() => ok('last'));
    const r = await proxy(s.port, 'option httpclose');
    for (let i = 0; i < 20; i++) {
      const client = await connect(r.port('web'));
      client.send(GET);
      await client.has('last');
      client.send(GET);
      await client.end();
      client.send(GET);
      client.socket.end();
      await client.until(w => w.closed);
      expect(client.error).toBe(null);
    }
  });

  test('a response that ends with the connection', async () => {
    const s = await origin((_, wire) => {
      wire.send('HTTP/1.1 200 OK\r\n\r\nuntil the end');
      wire.socket.end();
      return null;
    });
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), GET);
    expect(got).toBe('HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nuntil the end');
    expect(r.ends[0]!.state).toBe('--');
  });

  test('an HTTP/1.0 client gets no chunks', async () => {
    const s = await origin(() => 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n');
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), 'GET / HTTP/1.0\r\n\r\n');
    expect(got.endsWith('\r\n\r\nabc')).toBe(true);
    expect(got).not.toContain('chunked');
  });

  test('100-continue passes, then the final response', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n');
    const conn = await s.conn();
    await conn.has('expect: 100-continue');
    conn.send('HTTP/1.1 100 Continue\r\n\r\n');
    await client.has('100 Continue\r\n\r\n');
    client.send('hi');
    await conn.has('\r\n\r\nhi');
    conn.send(ok('done'));
    await client.has('done');
    expect(r.counter('frontend', 'web', 'hrsp_2xx')).toBe(1);
    client.socket.destroy();
  });

  test('an upgrade becomes a tunnel both ways, and half-closes', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\nearly');
    const conn = await s.conn();
    await conn.has('upgrade: thing');
    conn.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\nwelcome');
    await client.has('welcome');
    await conn.has('early');
    client.send('ping');
    await conn.has('ping');
    conn.send('pong');
    await client.has('pong');
    client.socket.end();
    await conn.end();
    conn.send('bye');
    await client.has('bye');
    conn.socket.end();
    await client.end();
    await client.until(() => r.ends.length === 1);
    expect(r.ends[0]).toMatchObject({ status: 101, state: '--' });
  });

  test('a server that resets an upgraded connection: SD, counted', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\n');
    const conn = await s.conn();
    await conn.has('upgrade: thing');
    conn.send('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: thing\r\n\r\nwelcome');
    await client.has('welcome');
    conn.socket.resetAndDestroy();
    await client.until(() => r.ends.length === 1);
    expect(r.ends[0]).toMatchObject({ status: 101, state: 'SD' });
    expect(r.counter('server', 'web/s1', 'srv_aborts')).toBe(1);
    expect(r.counter('server', 'web/s1', 'failed_resp')).toBe(1);
  });

  test('CONNECT opens a tunnel', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send('CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n');
    const conn = await s.conn();
    await conn.has('CONNECT a:1');
    conn.send('HTTP/1.1 200 OK\r\n\r\n');
    await client.has('200 OK\r\n\r\n');
    client.send('\x16raw');
    await conn.has('\x16raw');
    client.socket.destroy();
  });
});

describe('what goes wrong', () => {
  test('a bad request is answered 400, counted and logged PR', async () => {
    const s = await origin(() => ok());
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), 'GET / HTTP/1.1\r\nHost : a\r\n\r\n');
    expect(got.startsWith('HTTP/1.1 400 Bad')).toBe(true);
    expect(r.counter('frontend', 'web', 'failed_req')).toBe(1);
    expect(r.counter('frontend', 'web', 'hrsp_4xx')).toBe(1);
    expect(r.ends[0]).toMatchObject({ status: 400, state: 'PR' });
    expect(s.conns.length).toBe(0);
  });

  test('a request that does not come in time is answered 408, logged cR', async () => {
    const s = await origin(() => ok());
    const r = await proxy(s.port, 'timeout http-request 100ms');
    const got = await ask(r.port('web'), 'GET / HTTP/1.1\r\nHo');
    expect(got.startsWith('HTTP/1.1 408')).toBe(true);
    expect(r.ends[0]).toMatchObject({ status: 408, state: 'cR' });
  });

  test('no server: 503 SC after the retries, which are counted', async () => {
    const s = await origin();
    s.stop();
    const r = await proxy(s.port, 'retries 2\ntimeout connect 50ms');
    const got = await ask(r.port('web'), GET_CLOSE);
    expect(got.startsWith('HTTP/1.1 503')).toBe(true);
    expect(r.ends[0]).toMatchObject({ status: 503, state: 'SC', retries: 2 });
    expect(r.counter('server', 'web/s1', 'retries')).toBe(2);
    expect(r.counter('server', 'web/s1', 'failed_conn')).toBe(1);
    expect(r.counter('backend', 'web', 'hrsp_5xx')).toBe(1);
    expect(r.serverWord('web', 's1', 'served')).toBe(0);
  });

  test('the server closes without a word: 502 SH', async () => {
    const s = await origin((_, wire) => {
      wire.socket.destroy();
      return null;
    });
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), GET_CLOSE);
    expect(got.startsWith('HTTP/1.1 502')).toBe(true);
    expect(r.ends[0]).toMatchObject({ status: 502, state: 'SH' });
    expect(r.counter('server', 'web/s1', 'failed_resp')).toBe(1);
  });

  test('the server speaks nonsense: 502 PH', async () => {
    const s = await origin(() => 'nonsense\r\n\r\n');
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), GET_CLOSE);
    expect(got.startsWith('HTTP/1.1 502')).toBe(true);
    expect(r.ends[0]).toMatchObject({ status: 502, state: 'PH' });
  });

  test('the server says nothing in time: 504 sH', async () => {
    const s = await origin(() => null);
    const r = await proxy(s.port, 'timeout server 100ms');
    const got = await ask(r.port('web'), GET_CLOSE);
    expect(got.startsWith('HTTP/1.1 504')).toBe(true);
    expect(r.ends[0]).toMatchObject({ status: 504, state: 'sH' });
  });

  test('the server breaks off in the payload: the client sees the end, SD', async () => {
    const s = await origin((_, wire) => {
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
      wire.socket.end();
      return null;
    });
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), GET);
    expect(got).toContain('only this');
    expect(r.ends[0]).toMatchObject({ status: 200, state: 'SD' });
    expect(r.counter('server', 'web/s1', 'srv_aborts')).toBe(1);
  });

  test('the server stalls in the payload: sD', async () => {
    const s = await origin(() => 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this');
    const r = await proxy(s.port, 'timeout server 100ms');
    await ask(r.port('web'), GET);
    expect(r.ends[0]).toMatchObject({ status: 200, state: 'sD' });
  });

  test('the client goes away while it waits: CH, and the place on the server is free again', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send(GET);
    await (await s.conn()).has('GET');
    client.socket.resetAndDestroy();
    await client.until(() => r.ends.length === 1);
    expect(r.ends[0]!.state).toBe('CH');
    expect(r.counter('server', 'web/s1', 'cli_aborts')).toBe(1);
    expect(r.serverWord('web', 's1', 'served')).toBe(0);
    expect(r.counter('frontend', 'web', 'cur_sess')).toBe(0);
  });

  test('a pooled connection that the server has closed costs an idempotent request nothing', async () => {
    const s = await origin((_, wire, n) => {
      if (n === 0) return ok('first');
      wire.socket.destroy();
      return null;
    });
    const r = await proxy(s.port);
    const client = await connect(r.port('web'));
    client.send(GET);
    await client.has('first');
    client.send(GET);
    await client.until(w => (w.received.match(/first/g) ?? []).length === 2);
    expect(s.conns.length).toBe(2);
    client.socket.destroy();
  });

  test('chunks that cannot be trusted end the exchange', async () => {
    const s = await origin();
    const r = await proxy(s.port);
    const got = await ask(r.port('web'), 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n');
    expect(got.startsWith('HTTP/1.1 400')).toBe(true);
    expect(r.counter('frontend', 'web', 'failed_req')).toBe(1);
  });
});

describe('modes and limits', () => {
  test('option http-server-close: the client stays, each request has its own server connection', async () => {
    const s = await origin((_, __) => ok('x'));
    const r = await proxy(s.port, 'option http-server-close');
    const client = await connect(r.port('web'));
    for (let i = 0; i < 3; i++) {
      client.take();
      client.send(GET);
      await client.has('\r\n\r\nx');
    }
    expect(s.conns.length).toBe(3);
    client.socket.destroy();
  });

  test('option httpclose: both sides close', async () => {
    const s = await origin(() => ok('x'));
    const r = await proxy(s.port, 'option httpclose');
    expect(await ask(r.port('web'), GET)).toContain('connection: close');
  });

  test('http-reuse always shares idle connections between clients, safe does not for first requests', async () => {
    for (const [mode, conns] of [
      ['always', 1],
      ['safe', 3],
    ] as const) {
      const s = await origin(() => ok('x'));
      const r = await proxy(s.port, `http-reuse ${mode}`);
      for (let i = 0; i < 3; i++) await ask(r.port('web'), GET_CLOSE);
      expect([mode, s.conns.length]).toEqual([mode, conns]);
      await r.stop();
    }
  });

  test('server maxconn: the rest waits in the queue, in order, and is served as places become free', async () => {
    const s = await origin();
    const r = await proxy(s.port, 'timeout queue 5s', 'maxconn 1');
    const clients = await Promise.all([0, 1, 2].map(() => connect(r.port('web'))));
    for (const [i, client] of clients.entries()) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.until(() => r.serverWord('web', 's1', 'served') === 1 && r.word('web', 'be_total_queued') === i);
    }
    for (let i = 0; i < 3; i++) {
      const conn = await s.conn(i);
      await conn.has(`GET /${i} `);
      conn.send(ok(`answer ${i}`));
      await clients[i]!.has(`answer ${i}`);
    }
    expect(r.serverWord('web', 's1', 'served_max')).toBe(1);
    expect(r.word('web', 'be_total_queued')).toBe(0);
  });

  test('the place in the queue of a log line is how many were served first, itself included', async () => {
    const s = await origin();
    const r = await proxy(
      s.port,
      'timeout queue 5s\n  http-request set-priority-class int(-1) if { path /2 }\n  http-response set-header x-place %[bc_be_queue]',
      'maxconn 1',
    );
    const clients = await Promise.all([0, 1, 2].map(() => connect(r.port('web'))));
    for (const [i, client] of clients.entries()) {
      client.send(`GET /${i} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
      await client.until(() => r.serverWord('web', 's1', 'served') === 1 && r.word('web', 'be_total_queued') === i);
    }
    // The last one comes before the second.
    for (const [turn, client] of [0, 2, 1].entries()) {
      const conn = await s.conn(turn);
      await conn.has(`GET /${client} `);
      conn.send(ok());
      await clients[client]!.has(`x-place: ${turn}\r\n`);
    }
  });

  test('a server that goes down loses its idle connections, and its queue goes elsewhere', async () => {
    const one = await origin();
    const two = await origin(() => ok('two'));
    const rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  option redispatch
  cookie SRV insert indirect
  server s1 127.0.0.1:${one.port} cookie a maxconn 1
  server s2 127.0.0.1:${two.port} cookie b
`);
    const [first, second] = [await connect(rig.port('web')), await connect(rig.port('web'))];
    const request = GET.replace('Host', 'Cookie: SRV=a\r\nHost');
    first.send(request);
    await (await one.conn()).has('GET');
    second.send(request);
    await second.until(() => rig.serverWord('web', 's1', 'queued') === 1);
    rig.setServer('web', 's1', 'maint');
    await second.has('two');
    expect(rig.word('web', 'be_total_queued')).toBe(0);
    first.socket.destroy();
    second.socket.destroy();
  });

  test('a queue that does not move in time: 503 sQ', async () => {
    const s = await origin();
    const r = await proxy(s.port, 'timeout queue 100ms', 'maxconn 1');
    const first = await connect(r.port('web'));
    first.send(GET);
    await s.conn();
    const got = await ask(r.port('web'), GET_CLOSE);
    expect(got.startsWith('HTTP/1.1 503')).toBe(true);
    expect(r.ends[0]).toMatchObject({ state: 'sQ' });
    first.socket.destroy();
  });

  test('frontend maxconn: the next client waits until one leaves', async () => {
    const s = await origin(() => ok('x'));
    const r = await proxy(s.port, 'maxconn 1');
    const first = await connect(r.port('web'));
    first.send(GET);
    await first.has('\r\n\r\nx');
    const second = await connect(r.port('web'));
    second.send(GET);
    await pass(100);
    expect(second.received).toBe('');
    first.socket.destroy();
    await second.has('\r\n\r\nx');
    expect(r.word('web', 'fe_conns_max')).toBe(1);
    second.socket.destroy();
  });

  test('option forwardfor, with except and if-none', async () => {
    const s = await origin(head => ok(head));
    let r = await proxy(s.port, 'option forwardfor header X-Client');
    expect(await ask(r.port('web'), GET_CLOSE)).toContain('x-client: 127.0.0.1\r\n');
    await r.stop();
    r = await proxy(s.port, 'option forwardfor except 127.0.0.0/8');
    expect(await ask(r.port('web'), GET_CLOSE)).not.toContain('x-forwarded-for');
    await r.stop();
    r = await proxy(s.port, 'option forwardfor if-none');
    const given = GET_CLOSE.replace('Host', 'X-Forwarded-For: 9.9.9.9\r\nHost');
    expect((await ask(r.port('web'), given)).match(/x-forwarded-for/g)).toHaveLength(1);
  });

  test('cookie insert: the client keeps its server', async () => {
    const one = await origin(() => ok('one', 'ETag: "1"\r\n'));
    const two = await origin(head => ok(head.includes('SRV') ? 'two, cookie seen' : 'two'));
    const rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  cookie SRV insert indirect nocache
  server s1 127.0.0.1:${one.port} cookie a
  server s2 127.0.0.1:${two.port} cookie b
`);
    const got = await ask(rig.port('web'), GET_CLOSE);
    expect(got).toContain('set-cookie: SRV=a; path=/\r\ncache-control: private\r\n');
    for (let i = 0; i < 3; i++) {
      const again = await ask(rig.port('web'), GET_CLOSE.replace('Host', 'Cookie: x=1; SRV=b\r\nHost'));
      expect(again.endsWith('\r\n\r\ntwo')).toBe(true);
      expect(again).not.toContain('set-cookie');
    }
  });

  test('accept-proxy and send-proxy carry the client through', async () => {
    const s = await origin();
    const rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen web
  bind 127.0.0.1:1 accept-proxy
  option forwardfor
  server s1 127.0.0.1:${s.port} send-proxy
`);
    const client = await connect(rig.port('web'));
    client.send(`PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\n${GET}`);
    const conn = await s.conn();
    await conn.has('\r\n\r\n');
    expect(conn.received.startsWith('PROXY TCP4 192.0.2.7 192.0.2.8 1234 80\r\nGET / ')).toBe(true);
    expect(conn.received).toContain('x-forwarded-for: 192.0.2.7\r\n');
    client.socket.destroy();
  });

  test('monitor-uri answers without a server', async () => {
    const s = await origin(() => ok());
    const r = await proxy(s.port, 'monitor-uri /alive');
    const got = await ask(r.port('web'), GET_CLOSE.replace('/ ', '/alive '));
    expect(got.startsWith('HTTP/1.1 200 OK')).toBe(true);
    expect(s.conns.length).toBe(0);
  });
});
