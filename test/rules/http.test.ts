import { describe, expect, test } from 'vitest';
import { origin, rigOf } from '../proxy/listen.ts';
import { needsKernel, network, pass } from '../proxy/network.ts';
import type { Rig } from '../proxy/rig.ts';
import { ask, connect, ok, type WireServer } from '../proxy/wire.ts';

/** What `proxy` has started last. */
let server: WireServer;

/** A frontend `f` and a backend `b` with one server that answers with the head it got. */
async function proxy(front: string[], back: string[] = [], serverWords = '', more = ''): Promise<Rig> {
  server = await origin(request => ok(request));
  return rigOf(`
${more}
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  timeout tarpit 60ms
frontend f
  bind 127.0.0.1:1
  ${front.join('\n  ')}
  default_backend b
backend b
  ${back.join('\n  ')}
  server s 127.0.0.1:${server.port} ${serverWords}
`);
}

const get = (path: string, headers = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n${headers}\r\n`;

describe('what is counted and logged', () => {
  test('deny: PR, denied_req of frontend and backend', async () => {
    const r = await proxy(['http-request deny if { path /a }'], ['http-request deny if { path /b }']);
    expect(await ask(r.port('f'), get('/a'))).toContain('403 Forbidden');
    expect(await ask(r.port('f'), get('/b'))).toContain('403 Forbidden');
    expect(r.ends.map(end => end.state)).toEqual(['PR', 'PR']);
    expect(r.counter('frontend', 'f', 'denied_req')).toBe(2);
    expect(r.counter('backend', 'b', 'denied_req')).toBe(1);
    expect(r.counter('frontend', 'f', 'hrsp_4xx')).toBe(2);
  });

  test('an answer of a rule can tell its own status, and what the server had said', async () => {
    const told = 'content-type text/plain lf-string "%ST %[txn.status]"';
    const after = ['http-after-response set-header x-server %[server_status]'];
    const rules = [`http-response return status 203 ${told} if { capture.req.uri /r }`, 'http-response set-status 202'];
    const r = await proxy([`http-request return status 201 ${told} if { path /q }`, ...after], rules);
    expect(await ask(r.port('f'), get('/q'))).toMatch(/^HTTP\/1.1 201 [\s\S]*x-server: \r\n[\s\S]*\r\n201 201$/);
    expect(await ask(r.port('f'), get('/r'))).toMatch(/^HTTP\/1.1 203 [\s\S]*x-server: 200\r\n[\s\S]*\r\n203 203$/);
    expect(await ask(r.port('f'), get('/'))).toMatch(/^HTTP\/1.1 202 [\s\S]*x-server: 200\r\n/);
  });

  test('return and redirect: LR; intercepted when the frontend did it', async () => {
    const r = await proxy(
      ['http-request return if { path /a }', 'redirect location / if { path /r }'],
      ['http-request return if { path /b }'],
    );
    for (const path of ['/a', '/r', '/b']) await ask(r.port('f'), get(path));
    expect(r.ends.map(end => end.state + end.status)).toEqual(['LR200', 'LR302', 'LR200']);
    expect(r.counter('frontend', 'f', 'intercepted')).toBe(2);
  });

  test('http-response deny: PH, denied_resp of all three', async () => {
    const r = await proxy([], ['http-response deny']);
    expect(await ask(r.port('f'), get('/'))).toContain('502 Bad Gateway');
    expect(r.ends[0]).toMatchObject({ state: 'PH', status: 502 });
    expect(r.counter('frontend', 'f', 'denied_resp')).toBe(1);
    expect(r.counter('backend', 'b', 'denied_resp')).toBe(1);
    expect(r.counter('server', 'b/s', 'denied_resp')).toBe(1);
  });

  test('reject: the connection ends without a byte, PR', async () => {
    const r = await proxy(['http-request reject']);
    expect(await ask(r.port('f'), get('/'))).toBe('');
    expect(r.ends[0]).toMatchObject({ state: 'PR', status: 0 });
  });

  test('tarpit: PT, after its time-out', async () => {
    const r = await proxy(['http-request tarpit deny_status 429']);
    const start = network().now();
    expect(await ask(r.port('f'), get('/'))).toContain('429 Too Many Requests');
    expect(network().now() - start).toBeGreaterThan(50);
    expect(r.ends[0]).toMatchObject({ state: 'PT', status: 429 });
  });

  test('a rewrite without room: 500, or nothing at all when strict-mode is off', async () => {
    const long = `"${'x'.repeat(9000)}"`;
    const lines = [`http-request set-header a ${long}`, `http-request set-header b ${long}`];
    const strict = await proxy(lines);
    expect(await ask(strict.port('f'), get('/'))).toContain('500 Internal Server Error');
    expect(strict.counter('frontend', 'f', 'failed_rewrites')).toBe(1);
    await strict.stop();
    const lax = await proxy(['http-request strict-mode off', ...lines]);
    expect(await ask(lax.port('f'), get('/'))).toContain('200 OK');
    expect(lax.counter('frontend', 'f', 'failed_rewrites')).toBe(1);
  });
});

describe('waiting', () => {
  test('pause holds a request back', async () => {
    const r = await proxy(['http-request pause 60ms', 'http-request set-header x-late 1']);
    const start = network().now();
    expect(await ask(r.port('f'), get('/'))).toContain('x-late: 1');
    expect(network().now() - start).toBeGreaterThan(50);
  });

  test('wait-for-body sees a payload that comes in pieces, and passes all of it on', async () => {
    const r = await proxy(['http-request wait-for-body time 1s', 'http-request set-header x-len "%[req.body_len]"']);
    const wire = await connect(r.port('f'));
    wire.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc');
    await pass(30);
    expect(server.conns.length).toBe(0);
    wire.send('def');
    await wire.has('x-len: 6');
    const conn = await server.conn();
    await conn.until(w => w.received.endsWith('abcdef'));
    wire.socket.destroy();
  });

  test('a pause and a payload, one after the other', async () => {
    const r = await proxy(['http-request pause 20ms', 'http-request wait-for-body time 1s', 'http-request return']);
    const wire = await connect(r.port('f'));
    wire.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc');
    await pass(60);
    expect(wire.received).toBe('');
    wire.send('def');
    await wire.has('200 OK');
    wire.socket.destroy();
  });

  test('at-least is enough', async () => {
    const r = await proxy(['http-request wait-for-body time 1s at-least 2', 'http-request return']);
    const wire = await connect(r.port('f'));
    wire.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 600\r\n\r\nabc');
    await wire.has('200 OK');
    wire.socket.destroy();
  });

  test('a large buffer holds what a usual one does not', async () => {
    const wait = 'http-request wait-for-body time 1s';
    const show = 'http-request set-header x-len "%[req.body_len]"';
    const large = [`${wait} if { path /a }`, `${wait} use-large-buffer if { path /a }`, wait, show];
    const r = await proxy(large, [], '', 'global\n  tune.bufsize.large 100k');
    const wire = await connect(r.port('f'));
    for (const [path, length, seen] of [
      ['/a', 90_000, 90_000],
      ['/a', 120_000, 102_400],
      ['/b', 90_000, 16_384],
    ]) {
      wire.send(`POST ${path} HTTP/1.1\r\nhost: a\r\ncontent-length: ${length}\r\n\r\n`);
      await pass(20);
      wire.send('x'.repeat(Number(length)));
      await wire.has(`x-len: ${seen}\r\n`);
      const conn = await server.conn();
      await conn.until(w => w.received.endsWith('x'.repeat(Number(length))));
    }
    wire.socket.destroy();
  });

  test('a client that is too slow with its payload gets 408', async () => {
    const r = await proxy(['http-request wait-for-body time 50ms']);
    const got = await ask(r.port('f'), 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\nabc');
    expect(got).toContain('408 Request Time-out');
    expect(r.ends[0]).toMatchObject({ state: 'cR', status: 408 });
  });

  test('who expects 100-continue is told to go on', async () => {
    const r = await proxy(['http-request wait-for-body time 1s', 'http-request return']);
    const wire = await connect(r.port('f'));
    wire.send('POST / HTTP/1.1\r\nhost: a\r\nexpect: 100-continue\r\ncontent-length: 3\r\n\r\n');
    await wire.has('100 Continue');
    wire.send('abc');
    await wire.has('200 OK');
    wire.socket.destroy();
  });

  test('option http-buffer-request waits before the rules', async () => {
    const r = await proxy(['option http-buffer-request', 'http-request deny if { req.body -m sub attack }']);
    const wire = await connect(r.port('f'));
    wire.send('POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 6\r\n\r\natt');
    await pass(30);
    wire.send('ack');
    await wire.has('403 Forbidden');
    wire.socket.destroy();
  });
});

describe('connections go on', () => {
  const POST = 'POST /a HTTP/1.1\r\nhost: a\r\ncontent-length: 5\r\n\r\n';
  const CHUNKED = 'POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n';
  const NEXT = 'GET /next HTTP/1.1\r\nhost: a\r\n\r\n';

  test.for([
    ['a payload in the same packet', `${POST}hello${NEXT}`],
    ['a chunked one', `${CHUNKED}5\r\nhello\r\n0\r\n\r\n${NEXT}`],
    ['none', `GET /a HTTP/1.1\r\nhost: a\r\n\r\n${NEXT}`],
  ])('after a refusal of a request with %s', async ([_, text], context) => {
    needsKernel(context, 'what is sent at once arrives at once');
    const r = await proxy(['http-request deny if { path /a }']);
    const wire = await connect(r.port('f'));
    wire.send(text!);
    await wire.has('GET /next');
    expect(wire.received).toMatch(/^HTTP\/1.1 403 /);
    expect(wire.received).not.toContain('connection: close');
    wire.socket.destroy();
  });

  test('not when the payload is still to come', async () => {
    const r = await proxy(['http-request deny if { path /a }']);
    const got = await ask(r.port('f'), `${POST}he`);
    expect(got).toMatch(/^HTTP\/1.1 403 .*connection: close/s);
  });

  test('after a payload that was waited for', async () => {
    const r = await proxy(['http-request wait-for-body time 1s', 'http-request deny if { req.body -m sub hell }']);
    const wire = await connect(r.port('f'));
    wire.send(`${POST}he`);
    await pass(20);
    wire.send(`llo${NEXT}`);
    await wire.has('GET /next');
    wire.socket.destroy();
  });

  test('a payload that was waited for goes to a pooled connection, and the next request after it', async () => {
    const r = await proxy(['http-request wait-for-body time 1s if { method POST }']);
    const wire = await connect(r.port('f'));
    wire.send(NEXT);
    await wire.has('GET /next');
    wire.send(`${POST}he`);
    await pass(20);
    wire.send(`llo${NEXT}`);
    await wire.until(w => w.received.split('200 OK').length === 4);
    expect(server.conns.length).toBe(1);
    wire.socket.destroy();
  });
});

test('early-hint rules one after the other make one response, a condition begins another', async () => {
  const hint = (link: string, when = '') => `http-request early-hint Link ${link} ${when}`;
  const rules = [hint('a', 'if { path /no }'), hint('b'), hint('c'), hint('d', 'if { path / }'), hint('e')];
  const r = await proxy([...rules, 'http-request return status 200']);
  const early = (links: string) => `HTTP/1.1 103 Early Hints\r\n${links}\r\n`;
  const got = await ask(r.port('f'), get('/'));
  const hints = early('link: b\r\nlink: c\r\n') + early('link: d\r\nlink: e\r\n');
  expect(got.slice(0, got.indexOf('HTTP/1.1 200'))).toBe(hints);
});

describe('settings', () => {
  test('set-timeout server is for this stream only', async () => {
    const silent = await origin(() => null);
    const rig = await rigOf(`
defaults
  mode http
  timeout client 3s
  timeout server 3s
  timeout connect 1s
listen l
  bind 127.0.0.1:1
  http-request set-timeout server 50ms
  server s 127.0.0.1:${silent.port}
`);
    expect(await ask(rig.port('l'), get('/'))).toContain('504 Gateway Time-out');
    expect(rig.ends[0]).toMatchObject({ state: 'sH' });
  });

  test('the cur_ fetches tell what is in force, the be_ and fe_ ones what is configured', async () => {
    const r = await proxy(
      [
        'http-request set-timeout client 4s if { path /other }',
        'http-request set-timeout tarpit 8s if { path /other }',
        'http-request set-var(txn.front) cur_tarpit_timeout',
        'http-response set-header z %[var(txn.front)]',
      ],
      [
        'http-request set-timeout server 5s if { path /other }',
        'http-request set-timeout tunnel 6s if { path /other }',
        'http-request set-retries 7 if { path /other }',
        'http-response set-header x %[cur_client_timeout],%[cur_server_timeout],%[cur_tunnel_timeout],%[cur_max_retries]',
        'http-response set-header y %[fe_client_timeout],%[be_server_timeout],%[be_tunnel_timeout],%[be_max_retries]',
      ],
    );
    const usual = '2000,2000,0,3';
    for (const [path, now, tarpit] of [
      ['/other', '4000,5000,6000,7', 8000],
      ['/', usual, 60],
    ] as const) {
      const answer = await ask(r.port('f'), get(path));
      expect(answer).toContain(`x: ${now}\r\n`);
      expect(answer).toContain(`y: ${usual}\r\n`);
      expect(answer).toContain(`z: ${tarpit}\r\n`);
    }
  });

  test('what a listen sets for its own servers does not go with a stream to another backend', async () => {
    server = await origin(request => ok(request));
    const r = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen l
  bind 127.0.0.1:1
  http-request set-retries 7
  http-request set-timeout server 5s
  use_backend b if { path /b }
  server s 127.0.0.1:${server.port}
  http-after-response set-header x %[cur_server_timeout],%[cur_max_retries]
backend b
  server s 127.0.0.1:${server.port}
`);
    expect(await ask(r.port('l'), get('/'))).toContain('x: 5000,7\r\n');
    expect(await ask(r.port('l'), get('/b'))).toContain('x: 2000,3\r\n');
  });

  test('a queue and a tarpit have the time-out of connections, where they have none, also when a rule changes that', async () => {
    server = await origin(request => ok(request));
    const told =
      '%[be_queue_timeout],%[be_tarpit_timeout],%[fe_tarpit_timeout] %[cur_connect_timeout],%[cur_queue_timeout],%[cur_tarpit_timeout]';
    const r = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
listen l
  bind 127.0.0.1:1
  http-request set-timeout connect 3s
  http-response set-header x "${told}"
  server s 127.0.0.1:${server.port}
`);
    expect(await ask(r.port('l'), get('/'))).toContain('x: 1000,1000,1000 3000,1000,1000\r\n');
  });

  test('set-src holds for one stream', async () => {
    const r = await proxy(
      ['option forwardfor', 'http-request set-src req.hdr(x-from) if { hdr(x-from) -m found }'],
      [],
    );
    const wire = await connect(r.port('f'));
    wire.send('GET / HTTP/1.1\r\nhost: a\r\nx-from: 10.1.2.3\r\n\r\n');
    await wire.has('x-forwarded-for: 10.1.2.3');
    wire.send('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
    await wire.has('x-forwarded-for: 127.0.0.1');
    wire.socket.destroy();
  });

  test('the unique id is one per request, in the header and to rules', async () => {
    const r = await proxy([
      'unique-id-format %{+X}o%ci-%rt',
      'unique-id-header X-Id',
      'http-request set-header x-same "%[unique-id]"',
    ]);
    const got = await ask(r.port('f'), get('/'));
    const id = /x-id: (\S+)/.exec(got)![1]!;
    expect(id.length).toBeGreaterThan(5);
    expect(got).toContain(`x-same: ${id}`);
    expect(await ask(r.port('f'), get('/'))).not.toContain(id);
  });

  test('monitor fail', async () => {
    const r = await proxy(['monitor-uri /up', 'monitor fail if { nbsrv(b) lt 1 }']);
    expect(await ask(r.port('f'), get('/up'))).toContain('200 OK');
    r.setServer('b', 's', 'maint');
    expect(await ask(r.port('f'), get('/up'))).toContain('503 Service Unavailable');
  });

  test('the status that set-status chose has no payload when it can have none', async () => {
    const r = await proxy([], ['http-response set-status 204']);
    expect(await ask(r.port('f'), get('/'))).toMatch(/^HTTP\/1.1 204 No Content\r\n(?:.+\r\n)+\r\n$/);
  });
});

describe('persistence rules', () => {
  test('force-persist and ignore-persist', async () => {
    const other = await origin(() => ok('other'));
    const r = await proxy(
      [],
      [
        'balance first',
        'cookie SRV insert',
        'ignore-persist if { path /free }',
        'force-persist if { path /force }',
        `server other 127.0.0.1:${other.port} cookie o weight 0`,
      ],
    );
    const cookie = 'cookie: SRV=o\r\n';
    expect(await ask(r.port('f'), get('/', cookie))).toContain('other');
    expect(await ask(r.port('f'), get('/free', cookie))).toContain('GET /free');
    r.setServer('b', 'other', 'maint');
    expect(await ask(r.port('f'), get('/', cookie))).toContain('GET /');
    expect(await ask(r.port('f'), get('/force', cookie))).toContain('other');
  });

  test('use-server goes before the cookie, and passes over a server that is down', async () => {
    const server = await origin(() => ok('two'));
    const r = await proxy(
      [],
      ['use-server two if { path /two }', `server two 127.0.0.1:${server.port}`, 'balance first'],
    );
    expect(await ask(r.port('f'), get('/two'))).toContain('two');
    expect(r.ends.at(-1)!.server).toBe('two');
    r.setServer('b', 'two', 'maint');
    await ask(r.port('f'), get('/two'));
    expect(r.ends.at(-1)!.server).toBe('s');
  });
});

describe('headers as encoded bytes', () => {
  const DEL = (name: string) => `http-request del-header ${name}`;
  const seen = async (rules: string[], headers: string): Promise<string> => {
    const r = await proxy(rules);
    return (await ask(r.port('f'), get('/', headers))).toLowerCase();
  };

  test('what was there before comes back', async () => {
    const rules = ['http-request set-var(txn.h) req.hdrs_bin', DEL('x-a'), 'http-request set-header host b'];
    const request = await seen([...rules, 'http-request set-headers-bin var(txn.h)'], 'x-a: 1\r\nx-a: 2\r\n');
    expect(request.match(/x-a: \d/g)).toEqual(['x-a: 1', 'x-a: 2']);
    expect(request.match(/host: \w/g)).toEqual(['host: a']);
  });

  test('only those with a prefix, added', async () => {
    const rules = ['http-request set-var(txn.h) req.hdrs_bin', 'http-request add-headers-bin var(txn.h) prefix x-'];
    const request = await seen(rules, `x-a: ${'v'.repeat(300)}\r\ny: 2\r\n`);
    expect(request.match(/x-a: v{300}\r/g)).toHaveLength(2);
    expect(request.match(/y: 2/g)).toHaveLength(1);
  });

  test('removed by name', async () => {
    // 3 "x-a", 1 "y"
    const rules = ['http-request del-headers-bin bin(03782d610179)', 'http-request del-headers-bin bin(027a2d) -m beg'];
    const request = await seen(rules, 'x-a: 1\r\nx-b: 1\r\ny: 2\r\nz-1: 1\r\n');
    expect(request).toContain('x-b: 1');
    expect(request).not.toMatch(/x-a|\ny:|z-1/);
  });

  test.each([
    ['a length beyond the end', '0578'],
    ['a name that is none', '02610a0131'],
    ['a value with a line feed', '016103410a42'],
    ['no value', '0161'],
  ])('%s fails as a rewrite', async (_, hex) => {
    const r = await proxy([`http-request add-headers-bin bin(${hex})`]);
    expect(await ask(r.port('f'), get('/'))).toContain('500 Internal');
  });
});
