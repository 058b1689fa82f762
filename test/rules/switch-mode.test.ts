/** A TCP frontend becomes HTTP: by `switch-mode http`, or because its backend speaks HTTP. */
import { afterEach, describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import { network, pass } from '../proxy/network.ts';
import type { Rig } from '../proxy/rig.ts';
import { connect, ok, type Wire, type WireServer } from '../proxy/wire.ts';

let rig: Rig;
let server: WireServer;
const clients: Wire[] = [];

afterEach(async () => {
  for (const client of clients.splice(0)) client.socket.destroy();
});

/** A TCP frontend, a backend `web` that speaks HTTP, and one `raw`; the server says what request it got. */
async function start(front: string[], web: string[] = [], target = 'web'): Promise<Wire> {
  server = await origin(request => ok(request));
  rig = await rigOf(`
defaults
  mode tcp
  timeout client 300ms
  timeout server 1s
  timeout connect 1s
frontend f
  bind 127.0.0.1:1
  ${front.join('\n  ')}
  default_backend ${target}
backend web
  mode http
  ${web.join('\n  ')}
  server s 127.0.0.1:${server.port}
backend raw
  server s 127.0.0.1:${server.port}
`);
  return client();
}

async function client(): Promise<Wire> {
  const wire = await connect(rig.port('f'));
  clients.push(wire);
  return wire;
}

const get = (path: string, headers = ''): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}\r\n`;
const SWITCH = ['tcp-request inspect-delay 200ms', 'tcp-request content switch-mode http if HTTP'];

describe('switch-mode http', () => {
  test('what the frontend says about HTTP counts, for each request of the connection', async () => {
    const wire = await start([...SWITCH, 'option forwardfor', 'http-request return status 418 if { path /t }']);
    wire.send(get('/a'));
    await wire.has('x-forwarded-for: 127.0.0.1');
    wire.send(get('/t'));
    await wire.has('HTTP/1.1 418');
    expect(rig.ends.map(end => end.state)).toEqual(['--', 'LR']);
    expect(rig.counter('frontend', 'f', 'cum_req')).toBe(2);
    expect(rig.counter('frontend', 'f', 'cum_conn')).toBe(1);
  });

  test('a head in pieces is waited for', async () => {
    const wire = await start([...SWITCH, 'tcp-request content reject']);
    wire.send('GET /a HT');
    await pass(50);
    wire.send('TP/1.1\r\nHost: a\r\n\r\n');
    await wire.has('GET /a');
    expect(rig.ends[0]).toMatchObject({ state: '--', status: 200 });
  });

  test('what came behind the head is its payload, and the next request', async () => {
    const wire = await start([
      ...SWITCH,
      'http-request wait-for-body time 1s',
      'http-request set-header x-b %[req.body]',
    ]);
    wire.send(`POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello${get('/b')}`);
    await wire.has('x-b: hello');
    await wire.has('GET /b');
  });

  test('what is not HTTP goes elsewhere', async () => {
    const wire = await start([...SWITCH, 'use_backend raw if !HTTP']);
    wire.send('SSH-2.0-x\r\n\r\n');
    await wire.has('SSH-2.0-x');
    expect(server.conns.length).toBe(1);
  });

  test('without a condition: what is no request gets 400, nothing at all 408', async () => {
    const wire = await start(['tcp-request content switch-mode http proto h1']);
    wire.send('SSH-2.0-x\r\n\r\n');
    await wire.has('400 Bad request');
    const silent = await client();
    await silent.has('408 Request Time-out');
    expect(rig.ends.map(end => end.state)).toEqual(['PR', 'cR']);
    expect(rig.counter('frontend', 'f', 'failed_req')).toBe(2);
  });

  test('rules that were evaluated are not evaluated again; those behind it never are', async () => {
    const wire = await start([
      'tcp-request content set-var(txn.n) int(7)',
      'tcp-request content switch-mode http',
      'tcp-request content set-var(txn.n) int(8)',
      'tcp-request content reject if { path /b }',
      'http-request set-header x-n %[var(txn.n)]',
    ]);
    wire.send(get('/a'));
    await wire.has('x-n: 7');
    wire.send(get('/b'));
    await wire.until(w => w.received.split('x-n: 7').length === 3);
    expect(wire.received).toContain('GET /b');
  });

  test('HTTP does not go to a TCP server', async () => {
    const wire = await start(SWITCH, [], 'raw');
    wire.send(get('/a'));
    await wire.has('500 Internal Server Error');
    expect(rig.ends[0]).toMatchObject({ state: 'IR', backend: 'raw', status: 500 });
    expect(server.conns.length).toBe(0);
  });

  test('a client that half-closes before its head is complete', async () => {
    const wire = await start(['tcp-request inspect-delay 1s', 'tcp-request content switch-mode http if WAIT_END']);
    wire.send('GET /a HTTP/1.1\r\n');
    wire.socket.end();
    await wire.has('400 Bad request');
    expect(rig.ends[0]).toMatchObject({ state: 'CR' });
  });

  test('a client that half-closes behind its request is served', async () => {
    const lines = ['tcp-request inspect-delay 1s', 'tcp-request content switch-mode http if WAIT_END'];
    const wire = await start(lines, ['no option abortonclose']);
    wire.send(get('/a'));
    wire.socket.end();
    await wire.has('GET /a');
    await wire.end();
  });

  test('the gauges of HTTP/1 return to zero', async () => {
    const wire = await start(SWITCH);
    wire.send(get('/a', 'Connection: close\r\n'));
    await wire.end();
    await network().wait(() => rig.counter('frontend', 'f', 'cur_h1_conns') === 0, 3000);
    expect(rig.counter('frontend', 'f', 'cur_h1_conns')).toBe(0);
    expect(rig.counter('frontend', 'f', 'cur_h1_streams')).toBe(0);
    expect(rig.counter('frontend', 'f', 'h1_streams')).toBe(1);
    expect(rig.counter('backend', 'web', 'cur_sess')).toBe(0);
  });
});

describe('a backend that speaks HTTP', () => {
  test('its own rules see requests, one after the other', async () => {
    const wire = await start(
      [],
      ['tcp-request content set-var(txn.p) path', 'http-request set-header x-p %[var(txn.p)]'],
    );
    wire.send(`${get('/a')}${get('/b')}`);
    await wire.has('x-p: /b');
    expect(wire.received).toContain('x-p: /a');
    expect(rig.ends.map(end => `${end.backend} ${end.state}`)).toEqual(['web --', 'web --']);
  });

  test('what is no request gets 400', async () => {
    const wire = await start([]);
    wire.send('SSH-2.0-x\r\n\r\n');
    await wire.has('400 Bad request');
    expect(rig.counter('backend', 'web', 'cur_sess')).toBe(0);
  });

  test('the frontend chooses by what the bytes say', async () => {
    const wire = await start(
      [
        'tcp-request inspect-delay 200ms',
        'tcp-request content accept if { req.hdr(host) -m found }',
        'use_backend web if { hdr(host) a } { path_beg /a }',
      ],
      ['http-request set-header x-web 1'],
      'raw',
    );
    wire.send('GET /a HTTP/1.1\r\n');
    await pass(30);
    wire.send('Host: a\r\n\r\n');
    await wire.has('x-web: 1');
    const other = await client();
    other.send('GET /b HTTP/1.1\r\nHost: a\r\n\r\n');
    // In TCP mode not a byte is changed.
    await other.has('GET /b HTTP/1.1\r\nHost: a');
  });
});
