/** Servers with TLS that are added at run time: the files that they name are in memory, or they are refused. */
import fs from 'node:fs';
import { createServer } from 'node:https';
import net from 'node:net';
import path from 'node:path';
import type { TLSSocket } from 'node:tls';
import { expect, onTestFinished, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

const AUTHORITY = pemFile({ name: 'authority', ca: true });
const SITE = pemFile({ name: 'localhost', names: ['localhost'], issuer: AUTHORITY });
const CLIENT = pemFile({ name: 'client', issuer: AUTHORITY });

const nameOf = (socket: TLSSocket): string => String(socket.getPeerCertificate().subject?.CN ?? '-');

/** A TLS server that answers its name and what `tell` says of its client, by default the name in its certificate. */
async function secure(name: string, tell = nameOf): Promise<number> {
  const pem = fs.readFileSync(SITE);
  const options = { key: pem, cert: pem, ca: fs.readFileSync(AUTHORITY), requestCert: true, rejectUnauthorized: false };
  const server = createServer(options, (request, response) => {
    response.end(`${name} ${tell(request.socket as TLSSocket)}`);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

function say(socket: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const conn = net.connect({ path: socket }, () => conn.write(`${line}\n`));
    let answer = '';
    conn.on('data', data => (answer += data));
    conn.on('error', reject);
    conn.on('close', () => resolve(answer.trim()));
  });
}

test('a server with ssl, ca-file and crt is added, serves, and goes', { timeout: 40_000 }, async () => {
  const dir = folder();
  const socket = path.join(dir, 'cli.sock');
  const [port, one, two] = [await freePort(), await secure('one'), await secure('two')];
  const base = path.dirname(AUTHORITY);
  const file = config(
    `global
  nbthread 2
  ca-base ${base}
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
listen l
  bind 127.0.0.1:${port}
  server s1 127.0.0.1:${one} ssl verify required ca-file ${path.basename(AUTHORITY)} crt ${CLIENT}
`,
    dir,
  );
  start(['-f', file]);
  expect(await ask(port)).toBe('one client');
  const add = (name: string, words: string) => say(socket, `add server l/${name} 127.0.0.1:${two} ssl ${words}`);
  expect(
    await add('s2', `verify required ca-file ${path.basename(AUTHORITY)} crt ${CLIENT} verifyhost localhost`),
  ).toBe('New server registered.');
  expect(await say(socket, 'enable server l/s2;disable server l/s1')).toBe('');
  for (let i = 0; i < 4; i++) expect(await ask(port)).toBe('two client');
  // A name that is not that of the certificate, and no certificate of ours.
  expect(await add('s3', `ca-file ${AUTHORITY} verifyhost other.org`)).toBe('New server registered.');
  expect(await add('s4', 'verify none')).toBe('New server registered.');
  await say(socket, 'enable server l/s3;disable server l/s2');
  expect(await ask(port)).toContain('503');
  await say(socket, 'enable server l/s4;disable server l/s3');
  expect(await ask(port)).toBe('two -');
  // What is not in memory is not read.
  expect(await add('s5', `ca-file ${SITE}`)).toContain(`unable to open '${SITE}'`);
  expect(await add('s5', `verify none crt ${SITE}`)).toContain(`unable to open '${SITE}'`);
  expect(await add('s5', '')).toContain('no CA file specified');
  expect(await say(socket, 'disable server l/s2;wait 3s srv-removable l/s2;del server l/s2')).toContain(
    'Server deleted.',
  );
});

test('a server that is added has what the global section says of servers', { timeout: 40_000 }, async () => {
  const dir = folder();
  const socket = path.join(dir, 'cli.sock');
  const [port, server] = [await freePort(), await secure('s', tls => `${tls.getProtocol()} ${tls.getCipher().name}`)];
  const file = config(
    `global
  stats socket ${socket} mode 600 level admin
  ssl-server-verify none
  ssl-default-server-options ssl-max-ver TLSv1.2 no-renegotiate
  ssl-default-server-ciphers ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
listen l
  bind 127.0.0.1:${port}
  balance roundrobin
`,
    dir,
  );
  start(['-f', file]);
  await ask(port);
  expect(await say(socket, `add server l/s 127.0.0.1:${server} ssl`)).toBe('New server registered.');
  expect(await say(socket, 'enable server l/s')).toBe('');
  expect(await ask(port)).toMatch(/^s TLSv1\.2 ECDHE-\w+-CHACHA20-POLY1305$/);
});
