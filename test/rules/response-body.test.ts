/** `http-response wait-for-body` and `pause`: a response is held back while its rules wait. */
import { afterEach, describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import { network, pass } from '../proxy/network.ts';
import type { Rig } from '../proxy/rig.ts';
import { connect, type Wire, type WireServer } from '../proxy/wire.ts';

let rig: Rig;
let server: WireServer;
let client: Wire | null = null;

afterEach(async () => {
  client?.socket.destroy();
  client = null;
});

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n';
const SHOW = 'http-response set-header x-body "%[res.body] %[res.body_len] %[res.body_size]"';

/** Sends a request through a backend with `rules`; gives the connection at which the server can answer. */
async function ask(rules: string[], request = 'GET /a', front: string[] = []): Promise<Wire> {
  server = await origin();
  rig = await rigOf(`
global
  tune.bufsize.large 200k
defaults
  mode http
  timeout client 2s
  timeout server 300ms
  timeout connect 1s
frontend f
  bind 127.0.0.1:1
  ${front.join('\n  ')}
  default_backend b
backend b
  ${rules.join('\n  ')}
  server s 127.0.0.1:${server.port}
`);
  client = await connect(rig.port('f'));
  client.send(`${request} HTTP/1.1\r\nhost: a\r\n\r\n`);
  return (await server.conn()).has('\r\n\r\n');
}

const WAIT = ['http-response wait-for-body time 100ms', SHOW];

describe('wait-for-body', () => {
  test('rules see a payload that comes in pieces, and the client gets all of it', async () => {
    const wire = await ask(WAIT);
    wire.send(`${HEAD}abc`);
    await pass(30);
    expect(client!.received).toBe('');
    wire.send('def');
    await client!.has('abcdef 6 6');
    await client!.until(w => w.received.endsWith('\r\n\r\nabcdef'));
    expect(rig.ends[0]).toMatchObject({ state: '--', status: 200 });
  });

  test('the connections go on', async () => {
    const wire = await ask(WAIT);
    wire.send(HEAD);
    await pass(20);
    wire.send('abcdef');
    await client!.until(w => w.received.endsWith('abcdef'));
    client!.take();
    client!.send('GET /b HTTP/1.1\r\nhost: a\r\n\r\n');
    await wire.has('GET /b');
    wire.send(`${HEAD}ghijkl`);
    await client!.has('ghijkl 6 6');
    expect(server.conns.length).toBe(1);
  });

  test('a head in pieces, interim responses before it', async () => {
    const wire = await ask(WAIT);
    wire.send('HTTP/1.1 103 Early\r\nlink: x\r\n\r\n');
    await client!.has('103 Early');
    wire.send('HTTP/1.1 200 OK\r\nConte');
    await pass(20);
    wire.send('nt-Length: 6\r\n\r\nab');
    await pass(20);
    wire.send('cdef');
    await client!.has('abcdef 6 6');
    await client!.until(w => w.received.endsWith('\r\n\r\nabcdef'));
  });

  test('chunks pass as they came, trailers too; rules see the payload', async () => {
    const wire = await ask(WAIT);
    wire.send(`${CHUNKED}3\r\nabc\r\n`);
    await pass(20);
    wire.send('2\r\nde\r\n0\r\nX-T: 1\r\n\r\n');
    await client!.has('abcde 5 5');
    await client!.until(w => w.received.endsWith('3\r\nabc\r\n2\r\nde\r\n0\r\nx-t: 1\r\n\r\n'));
  });

  test('a payload that ends with the connection', async () => {
    const wire = await ask(WAIT);
    wire.send('HTTP/1.1 200 OK\r\n\r\nabc');
    await pass(20);
    wire.send('def');
    wire.socket.end();
    await client!.end();
    expect(client!.received).toMatch(/x-body: abcdef 6 6\r\n.*\r\n\r\nabcdef$/s);
    expect(rig.ends[0]).toMatchObject({ state: '--' });
  });

  test('a payload that is cut: rules decide about what there is, the client gets that', async () => {
    const wire = await ask(WAIT);
    wire.send(`${HEAD}abc`);
    await pass(20);
    wire.socket.end();
    await client!.end();
    expect(client!.received).toMatch(/x-body: abc 3 6\r\n\r\nabc$/);
    expect(rig.ends[0]).toMatchObject({ state: 'SD', status: 200 });
  });

  test('responses without a payload are not waited for', async () => {
    const wire = await ask(WAIT, 'HEAD /a');
    wire.send(HEAD);
    await client!.has('x-body:  0 6');
    await client!.until(w => w.received.endsWith('\r\n\r\n'));
    expect(rig.ends[0]).toMatchObject({ state: '--' });
  });

  test('at-least is enough', async () => {
    const wire = await ask(['http-response wait-for-body time 1s at-least 2', SHOW]);
    wire.send(`${HEAD}abc`);
    await client!.until(w => /x-body: (ab 2|abc 3) 6\r\n/.test(w.received));
    wire.send('def');
    await client!.until(w => w.received.endsWith('abcdef'));
    expect(rig.ends[0]).toMatchObject({ state: '--' });
  });

  test('as much as a buffer holds is enough', async () => {
    const wire = await ask(['http-response wait-for-body time 1s', 'http-response set-header x-len %[res.body_len]']);
    const large = 'x'.repeat(100_000);
    wire.send(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
    await pass(20);
    wire.send(large);
    await client!.has('x-len: 16384');
    await client!.until(w => w.received.endsWith(`\r\n\r\n${large}`));
  });

  test('a large buffer holds more, also when another rule had none', async () => {
    const wait = 'http-response wait-for-body time 1s';
    const show = 'http-response set-header x-len %[res.body_len]';
    for (const rules of [
      [`${wait} use-large-buffer`, show],
      [wait, `${wait} use-large-buffer`, show],
    ]) {
      const wire = await ask(rules);
      const large = 'x'.repeat(100_000);
      wire.send(`HTTP/1.1 200 OK\r\nContent-Length: ${large.length}\r\n\r\n`);
      await pass(20);
      wire.send(large);
      await client!.has('x-len: 100000');
      await client!.until(w => w.received.endsWith(`\r\n\r\n${large}`));
      client!.socket.destroy();
    }
  });

  test('too late: 504, sR as with HAProxy, and the client goes on', async () => {
    const wire = await ask(['http-response wait-for-body time 60ms']);
    const start = network().now();
    wire.send(`${HEAD}abc`);
    await client!.has('504 Gateway Time-out');
    expect(network().now() - start).toBeGreaterThan(50);
    expect(client!.received).not.toContain('connection: close');
    expect(rig.ends[0]).toMatchObject({ state: 'sR', status: 504 });
    expect(rig.counter('server', 'b/s', 'failed_resp')).toBe(0);
  });

  test('invalid framing: 502, as nothing has left', async () => {
    const wire = await ask(WAIT);
    wire.send(`${CHUNKED}3\r\nabc\r\n`);
    await pass(20);
    wire.send('zz\r\n');
    await client!.has('502 Bad Gateway');
    expect(rig.ends[0]).toMatchObject({ state: 'PH', status: 502 });
  });

  test('what rules see decides: a response is refused by its payload', async () => {
    const wire = await ask(['http-response wait-for-body time 1s', 'http-response deny if { res.body -m sub secret }']);
    wire.send(`${CHUNKED}3\r\nsec\r\n`);
    await pass(20);
    wire.send('3\r\nret\r\n0\r\n\r\n');
    await client!.has('502 Bad Gateway');
    expect(client!.received).not.toContain('sec');
    expect(rig.ends[0]).toMatchObject({ state: 'PH' });
  });

  test('the frontend waits where the backend has no rules, and both may', async () => {
    const wire = await ask(
      ['http-response wait-for-body time 1s at-least 2', 'http-response set-header x-back %[res.body]'],
      'GET /a',
      ['http-response wait-for-body time 1s', 'http-response set-header x-front %[res.body]'],
    );
    wire.send(HEAD);
    await pass(20);
    wire.send('ab');
    await pass(20);
    wire.send('cdef');
    await client!.has('x-front: abcdef');
    expect(client!.received).toContain('x-back: ab\r\n');
  });

  test('the client leaves while rules wait', async () => {
    const wire = await ask(WAIT);
    wire.send(`${HEAD}abc`);
    await pass(20);
    client!.socket.resetAndDestroy();
    await wire.end();
    expect(rig.ends[0]).toMatchObject({ state: 'CH' });
  });

  test('without it rules see what came with the head', async () => {
    const wire = await ask([SHOW]);
    wire.send(`${HEAD}`);
    await client!.has('x-body:  0 6');
    wire.send('abcdef');
    await client!.until(w => w.received.endsWith('abcdef'));
  });

  test('a payload that is compressed after it was waited for', async () => {
    const wire = await ask(['compression algo gzip', ...WAIT], 'GET /a HTTP/1.1\r\naccept-encoding: gzip\r\nx: y');
    wire.send(`${HEAD}abc`);
    await pass(20);
    wire.send('def');
    await client!.has('content-encoding: gzip');
    await client!.until(w => w.received.endsWith('0\r\n\r\n'));
  });
});

describe('pause', () => {
  test('holds a response back, with what comes meanwhile', async () => {
    const wire = await ask(['http-response pause 60ms', 'http-response set-header x-late 1']);
    const start = network().now();
    wire.send(`${HEAD}abc`);
    await pass(20);
    wire.send('def');
    await client!.until(w => w.received.endsWith('abcdef'));
    expect(client!.received).toContain('x-late: 1');
    expect(network().now() - start).toBeGreaterThan(50);
  });

  test('longer than the server may take, which has answered', async () => {
    const wire = await ask(['http-response pause 400ms']);
    wire.send(`${HEAD}abcdef`);
    await client!.until(w => w.received.endsWith('abcdef'));
    expect(rig.ends[0]).toMatchObject({ state: '--' });
  });

  test('the server closes meanwhile', async () => {
    const wire = await ask(['http-response pause 60ms']);
    wire.send(`${HEAD}abcdef`);
    wire.socket.end();
    await client!.until(w => w.received.endsWith('abcdef'));
    expect(rig.ends[0]).toMatchObject({ state: '--' });
  });

  test('an upgrade: what the server says first comes after its head', async () => {
    const wire = await ask(
      ['http-response pause 30ms'],
      'GET /a HTTP/1.1\r\nconnection: upgrade\r\nupgrade: foo\r\nx: y',
    );
    wire.send('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: foo\r\n\r\nhey');
    await client!.until(w => w.received.endsWith('\r\n\r\nhey'));
    client!.send('you');
    await wire.until(w => w.received.endsWith('you'));
  });
});
