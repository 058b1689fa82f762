/** Small options about headers: spellings of names, the server's name, a pretended keep-alive. */
import { expect, test } from 'vitest';
import { origin, rigOf } from './listen.ts';
import type { Rig } from './rig.ts';
import { ask, connect, ok } from './wire.ts';

let rig: Rig;

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nX-SERVER: mine\r\nX-server: mine too\r\nConnection: close\r\n\r\n';

/** What the server heard, and what the client got. */
async function exchange(lines: string, global = '', request = GET): Promise<{ heard: string; got: string }> {
  let heard = '';
  const s = await origin(head => {
    heard = head;
    return ok('Content-Length: body', 'ETAG: "x"\r\n');
  });
  rig = await rigOf(`
global
  ${global}
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  retries 1
  option redispatch
listen web
  bind 127.0.0.1:1
  ${lines}
  server s1 127.0.0.1:${s.port}
`);
  return { got: await ask(rig.port('web'), request), heard };
}

const CASES = 'h1-case-adjust content-length Content-Length\n  h1-case-adjust etag ETag\n  h1-case-adjust host HOST';

test('names are written as the clients want them, and nothing else is touched', async () => {
  const { heard, got } = await exchange('option h1-case-adjust-bogus-client', CASES);
  expect(got).toBe(
    'HTTP/1.1 200 OK\r\nContent-Length: 20\r\nETag: "x"\r\nconnection: close\r\n\r\nContent-Length: body',
  );
  expect(heard).toContain('\r\nhost: a\r\n');
});

test('names are written as the servers want them', async () => {
  const { heard, got } = await exchange('option h1-case-adjust-bogus-server', CASES);
  expect(heard).toContain('GET / HTTP/1.1\r\nHOST: a\r\n');
  expect(got).toContain('\r\ncontent-length: 20\r\n');
});

test('trailers, too, both ways', async () => {
  const s = await origin();
  rig = await rigOf(`
global
  ${CASES}
listen web
  mode http
  bind 127.0.0.1:1
  option h1-case-adjust-bogus-client
  option h1-case-adjust-bogus-server
  server s1 127.0.0.1:${s.port}
`);
  const wire = await connect(rig.port('web'));
  const payload = 'Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n';
  wire.send(`POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n${payload}etag: 1\r\nx: 2\r\n\r\n`);
  const conn = await s.conn();
  await conn.has('0\r\nETag: 1\r\nx: 2\r\n\r\n');
  conn.send(`HTTP/1.1 200 OK\r\n${payload}X: 1\r\nETAG: 3\r\n\r\n`);
  await wire.end();
  expect(wire.received.endsWith('0\r\nx: 1\r\nETag: 3\r\n\r\n')).toBe(true);
});

test('our own answers, too', async () => {
  const { got } = await exchange('option h1-case-adjust-bogus-client\n  http-request deny', CASES);
  expect(got).toMatch(/^HTTP\/1.1 403 Forbidden\r\nContent-Length: \d+\r\n/);
});

test('the server is told its name, once', async () => {
  const { heard } = await exchange('http-send-name-header X-Server');
  expect(heard.match(/^x-server: .*$/gm)).toEqual(['x-server: s1']);
});

test('after a redispatch it is the name of the server that was reached', async () => {
  const { heard } = await exchange('http-send-name-header X-Server\n  balance first\n  server dead 127.0.0.1:1');
  expect(heard.match(/^x-server: .*$/gm)).toEqual(['x-server: s1']);
});

test('http-pretend-keepalive: a server whose connection will be closed is not told', async () => {
  expect((await exchange('option http-server-close')).heard).toContain('connection: close');
  await rig.stop();
  expect((await exchange('option http-server-close\n  option http-pretend-keepalive')).heard).not.toContain(
    'connection',
  );
});
