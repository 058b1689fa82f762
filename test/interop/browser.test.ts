/** A browser before Sluice: TLS, compression, cookies, streams of events, WebSockets, and the forms of the statistics page. */
import { spawn, spawnSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { config, folder, freePort, start } from '../workers/sluice.ts';

const HEADLESS = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-first-run'];
const CHROMIUM = spawnSync('chromium', [...HEADLESS, '--dump-dom', 'about:blank'], { timeout: 20_000 }).status === 0;
if (!CHROMIUM) console.log('browser.test: skipped, chromium is not installed, or does not run');

const SITE = pemFile({ name: 'site', names: ['127.0.0.1'], key: 'ec' });
/** RFC 6455 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';

/** It tells what it has found as a JSON object, sent to `/done`. */
const PAGE = fs.readFileSync(new URL('browser-page.html', import.meta.url));

/** The servers of the site, each with its name. Resolves to the port, and to what the page has found. */
async function origin(name: string): Promise<{ port: number; found: Promise<Record<string, unknown>> }> {
  const { promise: found, resolve } = Promise.withResolvers<Record<string, unknown>>();
  const rows = JSON.stringify(Array.from({ length: 1000 }, (_, id) => ({ id, name: `row ${id}` })));
  const html = { 'content-type': 'text/html' };
  const server = http.createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    const url = request.url!;
    if (url === '/') response.writeHead(200, html).end(PAGE);
    else if (url === '/who') response.end(name);
    else if (url.startsWith('/echo?')) response.end(url.slice(6));
    else if (url === '/length') response.end(String(body.length));
    else if (url === '/rows') response.writeHead(200, { 'content-type': 'application/json' }).end(rows);
    else if (url === '/events') response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
    else if (url === '/done') {
      response.end();
      resolve(JSON.parse(body));
    } else response.writeHead(404).end();
  });
  server.on('upgrade', (request, socket) => {
    const key = request.headers['sec-websocket-key'];
    const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n');
    socket.write(`sec-websocket-accept: ${accept}\r\n\r\n`);
    // A frame of text (RFC 6455 5.2).
    socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')]));
  });
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, found };
}

/** Opens `url`. Of certificates that nobody signed it trusts this one. */
function browse(url: string, pem: string): void {
  const key = new X509Certificate(fs.readFileSync(pem)).publicKey.export({ type: 'spki', format: 'der' });
  const trusted = createHash('sha256').update(key).digest('base64');
  const own = [`--user-data-dir=${folder()}`, `--ignore-certificate-errors-spki-list=${trusted}`];
  const child = spawn('chromium', [...HEADLESS, '--remote-debugging-port=0', ...own, url], {
    stdio: 'ignore',
    detached: true,
  });
  // Its processes are a group.
  onTestFinished(() => void process.kill(-child.pid!, 'SIGKILL'));
}

test.skipIf(!CHROMIUM)('a page, and all that it asks for', { timeout: 60_000 }, async () => {
  const [one, two] = [await origin('one'), await origin('two')];
  const port = await freePort();
  start([
    '-f',
    config(`
global
  nbthread 2
defaults
  mode http
  timeout client 20s
  timeout server 20s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port} ssl crt ${SITE} alpn h2,http/1.1
  compression algo gzip
  compression type text/html application/json text/event-stream
  use_backend stats if { path_beg /stats }
  default_backend app
backend app
  cookie SRV insert indirect nocache httponly secure
  server one 127.0.0.1:${one.port} cookie 1
  server two 127.0.0.1:${two.port} cookie 2
backend stats
  stats enable
  stats uri /stats
  stats admin if { ssl_fc }
`),
  ]);
  browse(`https://127.0.0.1:${port}/`, SITE);
  const { server, ...found } = await Promise.race([one.found, two.found]);
  expect(found).toEqual({
    together: Array.from({ length: 40 }, (_, n) => n).join(),
    uploaded: String(1 << 20),
    rows: [1000, true, 'http/1.1'],
    events: 'one',
    socket: 'hello',
    before: expect.stringContaining('no_check'),
    after: expect.stringContaining('maintain'),
    told: '/stats;st=DONE',
  });
  // All of one visitor's requests go to one server.
  expect(['one,one,one', 'two,two,two']).toContain(server);
});
