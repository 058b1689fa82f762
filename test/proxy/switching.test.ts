/** `use_backend` with conditions and names made of the traffic, `monitor fail`, `stats admin`: decided request by request. */
import { beforeEach, describe, expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import type { Rig } from './rig.ts';
import { ask, ok } from './wire.ts';

let rig: Rig;

beforeEach(async () => {
  const server = await origin(() => ok('served'));
  const backends = ['static', 'api', 'admin', 'www.example.org', 'other', 'local'].map(
    name => `backend ${name}\n  server s 127.0.0.1:${server.port}\n`,
  );
  rig = await rigOf(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
frontend web
  bind 127.0.0.1:1
  monitor-uri /alive
  monitor fail if { nbsrv(api) lt 1 } || { req.hdr(x-fail) -m found }
  acl is_static path_end .png .css
  acl is_static path_beg /static
  acl api_host hdr(host) -i api.example.org
  acl from_net src 10.0.0.0/8
  use_backend static if is_static !{ method POST }
  use_backend api if api_host { req.hdr(x-version) -m int ge 2 } or api_host METH_POST
  use_backend local unless !{ path -m reg ^/v[0-9]+/x } or from_net
  use_backend admin if { req.cook(role) admin } LOCALHOST
  use_backend %[req.hdr(host),lower] if { path_beg /by-host }
  default_backend other
${backends.join('')}`);
});

async function backendOf(target: string, headers = '', method = 'GET'): Promise<string> {
  const request = `${method} ${target} HTTP/1.1\r\nHost: www.example.org\r\n${headers}Content-Length: 0\r\nConnection: close\r\n\r\n`;
  await ask(rig.port('web'), headers.startsWith('Host') ? request.replace('Host: www.example.org\r\n', '') : request);
  return rig.ends.at(-1)!.backend;
}

describe('use_backend', () => {
  test.each([
    ['/', '', 'GET', 'other'],
    ['/a.png?x=.css', '', 'GET', 'static'],
    ['/static/x', '', 'GET', 'static'],
    ['/static/x', '', 'POST', 'other'],
    ['/', 'Host: API.example.org\r\nX-Version: 2\r\n', 'GET', 'api'],
    ['/', 'Host: api.example.org\r\nX-Version: 1\r\n', 'GET', 'other'],
    ['/', 'Host: api.example.org\r\nX-Version: 1, 7\r\n', 'GET', 'api'],
    ['/', 'Host: api.example.org\r\n', 'POST', 'api'],
    ['/v12/x', '', 'GET', 'local'],
    ['/v/x', '', 'GET', 'other'],
    ['/', 'Cookie: a=1; role=admin\r\n', 'GET', 'admin'],
    ['/by-host', 'Host: WWW.Example.ORG\r\n', 'GET', 'www.example.org'],
    ['/by-host', 'Host: nowhere\r\n', 'GET', 'other'],
  ])('%s %j %s goes to the backend it should', async (target, headers, method, backend) => {
    expect(await backendOf(target, headers, method)).toBe(backend);
  });
});

test('monitor fail makes the monitor answer 503', async () => {
  const alive = (headers: string) =>
    ask(rig.port('web'), `GET /alive HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`);
  expect(await alive('')).toMatch(/^HTTP\/1\.1 200 /);
  expect(await alive('X-Fail: 1\r\n')).toMatch(/^HTTP\/1\.1 503 /);
});
