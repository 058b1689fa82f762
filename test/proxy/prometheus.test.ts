/** `use-service prometheus-exporter` and the timers, through real connections. */
import { expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import { pass } from './network.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok } from './wire.ts';

async function start(more = ''): Promise<Rig> {
  const server = await origin(() => ok());
  return rigOf(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend f
  bind 127.0.0.1:1
  http-request use-service prometheus-exporter if { path /metrics }
  http-after-response set-header x-after yes
  default_backend b
backend b
  http-request use-service prometheus-exporter if { path /behind }
  server s 127.0.0.1:${server.port}
${more}
`);
}

const get = (uri: string, version = '1.1', method = 'GET', more = ''): string =>
  `${method} ${uri} HTTP/${version}\r\nhost: a\r\nconnection: close\r\n${more}\r\n`;

/** A chunked body, joined. */
function unchunk(response: string): string {
  let rest = response.slice(response.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (size === 0) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 4 + size);
  }
}

test('the timers of what went through are there; a scrape is counted as intercepted, and logged LR', async () => {
  const r = await start();
  for (let i = 0; i < 5; i++) expect(await ask(r.port('f'), get('/'))).toContain('200 OK');
  const response = await ask(r.port('f'), get('/metrics'));
  expect(response).toMatch(
    /^HTTP\/1.1 200 OK\r\ncache-control: no-cache\r\ncontent-type: text\/plain; version=0.0.4\r\n/,
  );
  expect(response).toContain('x-after: yes');
  const body = unchunk(response);
  for (const timer of ['queue', 'connect', 'response', 'total']) {
    for (const [kind, labels] of [
      ['frontend', 'proxy="f"'],
      ['backend', 'proxy="b"'],
      ['server', 'proxy="b",server="s"'],
    ]) {
      expect(body).toContain(`\nsluice_${kind}_${timer}_time_seconds_count{${labels}} 5\n`);
    }
  }
  expect(body).toContain('\nhaproxy_frontend_http_requests_total{proxy="f"} 6\n');
  expect(r.counter('frontend', 'f', 'intercepted')).toBe(1);
  expect(r.ends.at(-1)).toMatchObject({ state: 'LR', status: 200, server: '' });
  // The scrape itself: its own total only.
  expect(unchunk(await ask(r.port('f'), get('/metrics')))).toContain(
    '\nsluice_frontend_total_time_seconds_count{proxy="f"} 6\n',
  );
});

test('in a backend, to HTTP/1.0, to HEAD, with a payload; a scope that does not exist is a bad request', async () => {
  const r = await start();
  expect(unchunk(await ask(r.port('f'), get('/behind?scope=server')))).toMatch(/^# HELP haproxy_server_/);
  expect(r.counter('frontend', 'f', 'intercepted')).toBe(0);
  const old = await ask(r.port('f'), get('/metrics?scope=global', '1.0'));
  expect(old).not.toContain('transfer-encoding');
  expect(old.slice(old.indexOf('\r\n\r\n') + 4)).toMatch(/^# HELP haproxy_process_nbthread /);
  const head = await ask(r.port('f'), get('/metrics', '1.1', 'HEAD'));
  expect(head.slice(head.indexOf('\r\n\r\n') + 4)).toBe('');
  const post = await ask(r.port('f'), `${get('/metrics?scope=global', '1.1', 'POST', 'content-length: 3\r\n')}abc`);
  expect(unchunk(post)).toContain('haproxy_process_uptime_seconds');
  expect(await ask(r.port('f'), get('/metrics?scope=nothing'))).toMatch(/^HTTP\/1.1 400 Bad request\r\n/);
});

test('dumps share a turn, and each comes whole', async () => {
  const farm = Array.from({ length: 400 }, (_, i) => `  server s${i} 127.0.0.1:1`).join('\n');
  const r = await start(`backend many\n${farm}`);
  const query = '/metrics?scope=server&metrics=haproxy_server_weight,haproxy_server_status';
  const all = await Promise.all(Array.from({ length: 6 }, () => ask(r.port('f'), get(query))));
  for (const response of all) {
    const body = unchunk(response);
    expect(body.match(/^haproxy_server_weight\{/gm)).toHaveLength(401);
    expect(body.match(/^haproxy_server_status\{/gm)).toHaveLength(401 * 5);
  }
  // Who leaves in the middle gives the turn back: the next scrape is as fast as ever.
  expect(unchunk(await ask(r.port('f'), get(query)))).toBe(unchunk(all[0]!));
});

test('a client that reads late gets all of it', async () => {
  const farm = Array.from({ length: 400 }, (_, i) => `  server s${i} 127.0.0.1:1`).join('\n');
  const r = await start(`backend many\n${farm}`);
  const client = await connect(r.port('f'));
  client.socket.pause();
  client.send(get('/metrics?scope=server'));
  await pass(50);
  client.socket.resume();
  await client.end();
  expect(unchunk(client.received).match(/^haproxy_server_weight\{/gm)).toHaveLength(401);
});

test('a TCP connection: its times begin with it', async () => {
  const server = await origin(() => ok('tcp'));
  const r = await start(`listen t\n  mode tcp\n  bind 127.0.0.1:1\n  server s 127.0.0.1:${server.port}`);
  const client = await connect(r.port('t'));
  client.send(get('/'));
  await client.has('tcp');
  client.socket.end();
  await client.end();
  const body = unchunk(await ask(r.port('f'), get('/metrics?scope=backend')));
  expect(body).toContain('\nsluice_backend_total_time_seconds_bucket{proxy="t",le="10"} 1\n');
  expect(body).toContain('\nsluice_backend_queue_time_seconds_bucket{proxy="t",le="10"} 1\n');
});
