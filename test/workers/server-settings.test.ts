/** `set server`: ssl, agent-send and name, on a running process with real servers. */
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { cli } from './cli.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });

function listen(server: net.Server): Promise<number> {
  onTestFinished(() => void server.close());
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve((server.address() as net.AddressInfo).port)),
  );
}

test('each is in force in all threads at once', { timeout: 40_000 }, async () => {
  const dir = folder();
  const pem = fs.readFileSync(SITE);
  const open = await listen(http.createServer((_, response) => response.end('open')));
  const secure = await listen(https.createServer({ key: pem, cert: pem }, (_, response) => response.end('secure')));
  const heard: string[] = [];
  const agent = await listen(
    net.createServer(socket => {
      socket.on('error', () => {});
      socket.once('data', data => {
        heard.push(data.toString());
        socket.end('up\n');
      });
    }),
  );
  const [port, socket] = [await freePort(), path.join(dir, 's.sock')];
  start([
    '-f',
    config(
      `
global
  nbthread 2
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
listen l
  bind 127.0.0.1:${port}
  http-reuse always
  use-server named if { path /named }
  server s1 127.0.0.1:${secure} ssl verify none agent-check agent-port ${agent} agent-inter 50ms agent-send one\\n
  server named 127.0.0.1:${open} disabled
  server counted 127.0.0.1:${open} disabled
  http-request deny if { path /asks } { srv_conn(l/counted) gt 0 }
`,
      dir,
    ),
  ]);
  for (let i = 0; i < 4; i++) expect(await ask(port)).toBe('secure');

  // Without TLS a TLS server does not understand; the connections that there were are not used again.
  expect(await cli(socket, `set server l/s1 ssl off; set server l/s1 addr 127.0.0.1 port ${open}`)).toMatch(
    /^server ssl setting updated\.\n\n(port changed|no need to change the addr, port changed)/,
  );
  for (let i = 0; i < 4; i++) expect(await ask(port)).toBe('open');
  await cli(socket, `set server l/s1 ssl on; set server l/s1 addr 127.0.0.1 port ${secure}`);
  for (let i = 0; i < 4; i++) expect(await ask(port)).toBe('secure');
  expect(await cli(socket, 'set server l/s1 ssl maybe')).toBe("'set server <srv> ssl' expects 'on' or 'off'.\n\n");

  while (!heard.includes('one\n')) await sleep(10);
  expect(await cli(socket, 'set server l/s1 agent-send two')).toBe('\n');
  heard.length = 0;
  while (!heard.includes('two')) await sleep(10);
  await sleep(150);
  expect(heard.slice(heard.indexOf('two'))).not.toContain('one\n');

  expect(await cli(socket, 'set server l/named name x')).toBe(
    "This server cannot be renamed at runtime: a 'use-server' rule names it.\n\n",
  );
  expect(await cli(socket, 'set server l/counted name x')).toBe(
    "This server cannot be renamed at runtime: the sample fetch 'srv_conn' names it.\n\n",
  );
  expect(await cli(socket, 'set server l/s1 state maint; set server l/s1 name s9; set server l/s9 state ready')).toBe(
    '\n\n\n',
  );
  for (let i = 0; i < 4; i++) expect(await ask(port)).toBe('secure');
  expect(await cli(socket, 'show stat l 4 -1')).toMatch(/\nl,s9,/);
});
