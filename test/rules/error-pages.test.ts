/** Which response an error gets: `errorfile(s)`, `errorloc`, `http-error`, and what `http-after-response` makes of them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { rigOf } from '../proxy/listen.ts';
import type { Rig } from '../proxy/rig.ts';
import { connect, type Wire } from '../proxy/wire.ts';

let folder = '';
let rig: Rig;
let client: Wire | null = null;

const FILES = {
  open: 'HTTP/1.0 503 Mine\nContent-Type: text/x\nConnection: close\n\nopen\n',
  sized: 'HTTP/1.1 503 Sized\r\nContent-Length: 4\r\n\r\nbody',
  early: 'HTTP/1.1 400 Early\r\nContent-Length: 5\r\n\r\nearly',
  empty: '',
};

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pages-'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
});
afterAll(() => rmSync(folder, { recursive: true }));
afterEach(async () => {
  client?.socket.destroy();
  client = null;
});

/** `@name` is a file of FILES. The backend has no servers: what gets there is 503. */
async function start(front: string[], back: string[] = []): Promise<void> {
  const files = (line: string) => `  ${line.replace(/@(\w+)/g, (_, name) => join(folder, name))}\n`;
  rig = await rigOf(`
http-errors site
${files('errorfile 503 @sized')}
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend f
  bind 127.0.0.1:1
${front.map(files).join('')}  default_backend b
backend b
${back.map(files).join('')}`);
  client = await connect(rig.port('f'));
}

const GET = 'GET /x HTTP/1.1\r\nhost: a\r\n\r\n';
const OPEN = 'HTTP/1.0 503 Mine\r\ncontent-type: text/x\r\n\r\nopen\n';
const SIZED = 'HTTP/1.1 503 Sized\r\ncontent-length: 4\r\n\r\nbody';

/** Asks once; the connection stays open when the answer is `expected` and asks for a second one. */
async function answers(expected: string, stays: boolean, request = GET): Promise<void> {
  client!.send(request);
  await client!.until(w => w.received === expected);
  if (!stays) {
    await client!.end();
    expect(client!.received).toBe(expected);
    return;
  }
  client!.send(request);
  await client!.until(w => w.received === expected + expected);
}

describe('whose page', () => {
  test.each([
    ['the backend has its own', ['errorfile 503 @open'], ['errorfile 503 @sized'], SIZED, true],
    ['the frontend, when the backend has none', ['errorfile 503 @open'], [], OPEN, false],
    [
      '... or has taken its own back',
      ['errorfile 503 @open'],
      ['errorfile 503 @sized', 'http-error status 503 default-errorfiles'],
      OPEN,
      false,
    ],
    ['the later line: a file', ['errorfiles site', 'errorfile 503 @open'], [], OPEN, false],
    ['the later line: a section', ['errorfile 503 @open', 'errorfiles site 503'], [], SIZED, true],
    ['http-error with a section', ['errorfile 503 @open', 'http-error status 503 errorfiles site'], [], SIZED, true],
  ])('%s', async (_what, front, back, expected, stays) => {
    await start(front, back);
    await answers(expected, stays);
  });
});

describe('files', () => {
  test('HTTP/1.0 with a length: the connection lives on by its word', async () => {
    await start(['http-request return errorfile @sized', 'http-after-response set-header x y']);
    await answers('HTTP/1.1 503 Sized\r\ncontent-length: 4\r\nx: y\r\n\r\nbody', true);
  });

  test('an empty one: the connection closes without an answer', async () => {
    await start(['errorfile 503 @empty']);
    await answers('', false);
  });

  test('a request that could not be read gets a file, but nothing made of a stream', async () => {
    await start(['errorfile 400 @early']);
    await answers('HTTP/1.1 400 Early\r\ncontent-length: 5\r\nconnection: close\r\n\r\nearly', false, 'BAD\r\n\r\n');
    client!.socket.destroy();
    await rig.stop();
    await start(['http-error status 400 content-type text/plain lf-string %ci']);
    client!.send('BAD\r\n\r\n');
    await client!.end();
    expect(client!.received).toContain('Your browser sent an invalid request.');
  });
});

describe('http-error', () => {
  test('lf-string and formats of headers', async () => {
    await start(['http-error status 503 content-type text/plain lf-string "no %[path] for %ci" hdr x-p "<%[path]>"']);
    await answers(
      'HTTP/1.1 503 Service Unavailable\r\nx-p: </x>\r\ncontent-length: 19\r\ncontent-type: text/plain\r\n\r\nno /x for 127.0.0.1',
      true,
    );
  });

  test('of a monitor', async () => {
    await start(['monitor-uri /x', 'http-error status 200 content-type text/plain string up']);
    await answers('HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-type: text/plain\r\n\r\nup', true);
  });

  test('a section without the page gives an empty response', async () => {
    await start(['http-request deny deny_status 403 errorfiles site']);
    await answers('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\n\r\n', true);
  });
});

describe('http-after-response', () => {
  const RETURN = 'http-request return content-type a/b string hello';
  test.each([
    [
      'del-header content-length',
      'HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
    [
      'set-header content-length x',
      'HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
    ],
    ['set-header content-length 2', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\ncontent-type: a/b\r\n\r\nhello'],
    ['set-status 204', 'HTTP/1.1 204 No Content\r\ncontent-type: a/b\r\n\r\n'],
    ['set-status 304', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\ncontent-type: a/b\r\n\r\n'],
  ])('%s', async (rule, expected) => {
    await start([RETURN, `http-after-response ${rule}`]);
    await answers(expected, true);
  });

  test('a redirect without its length', async () => {
    await start(['http-request redirect location /y', 'http-after-response del-header content-length']);
    await answers(
      'HTTP/1.1 302 Found\r\nlocation: /y\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      true,
    );
  });

  test('the answer to HEAD tells no length then', async () => {
    await start([RETURN, 'http-after-response del-header content-length']);
    await answers('HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n\r\n', true, GET.replace('GET', 'HEAD'));
  });

  test('a client of HTTP/1.0, and a page that is HTTP/1.0, keep theirs', async () => {
    await start([RETURN, 'http-after-response del-header content-length']);
    const request = 'GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n';
    await answers(
      'HTTP/1.1 200 OK\r\ncontent-type: a/b\r\ncontent-length: 5\r\nconnection: keep-alive\r\n\r\nhello',
      true,
      request,
    );
  });

  test('an interim status ends the connection', async () => {
    await start([RETURN, 'http-after-response set-status 100']);
    await answers('HTTP/1.1 100 Continue\r\ncontent-type: a/b\r\nconnection: close\r\n\r\n', false);
  });
});
