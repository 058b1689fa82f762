/** Records that are as short, and as long, as they may be: what is sent in one piece has room for all of them. */
import { spawn } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { roomFor } from '../../engine/tls/wire.ts';
import { rigOf } from '../proxy/listen.ts';
import type { Rig } from '../proxy/rig.ts';
import { pemFile } from './certificates.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const BODY_BYTES = 300_000;

let origin: Server;
let rig: Rig;

beforeAll(async () => {
  origin = createServer((_req, res) => res.end(Buffer.alloc(BODY_BYTES, 'x')));
  await new Promise<void>(done => origin.listen(0, '127.0.0.1', done));
});

afterAll(() => void origin.close());

/** Asks for a page as `openssl s_client`, and gives how long the answer's body is. */
async function asked(port: number, args: readonly string[], ...said: readonly string[]): Promise<number> {
  const child = spawn('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, ...args], {
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  const gone = new Promise(done => child.once('close', done));
  let bytes = 0;
  child.stdout.on('data', (data: Buffer) => {
    bytes += data.toString('latin1').split('x'.repeat(64)).length - 1;
  });
  // Each word is to come alone.
  while (rig.counter('frontend', 'f', 'tls_sess') === 0) await new Promise(done => setTimeout(done, 20));
  for (const text of said) {
    child.stdin.write(text);
    await new Promise(done => setTimeout(done, 300));
  }
  const timer = setTimeout(() => child.kill(), 8_000);
  await gone;
  clearTimeout(timer);
  return bytes * 64;
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n';

async function listen(bind: string): Promise<number> {
  rig = await rigOf(`
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 2s
frontend f
  bind 127.0.0.1:1 ssl crt ${SITE} ${bind}
  default_backend b
backend b
  server s 127.0.0.1:${(origin.address() as AddressInfo).port}
`);
  return rig.port('f');
}

const OLD = 'ssl-min-ver TLSv1.0 ciphers ALL:@SECLEVEL=0';

test.each([
  ['records of 512 bytes, TLS 1.2 and GCM', '', ['-tls1_2', '-maxfraglen', '512']],
  ['records of 512 bytes, TLS 1.3', '', ['-tls1_3', '-maxfraglen', '512']],
  [
    'records of 512 bytes with the longest MAC',
    OLD,
    ['-tls1_2', '-maxfraglen', '512', '-cipher', 'ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0'],
  ],
  [
    'TLS 1.0, which begins with an empty record',
    OLD,
    ['-tls1', '-cipher', 'ECDHE-ECDSA-AES256-SHA:@SECLEVEL=0', '-maxfraglen', '512'],
  ],
])(
  '%s',
  async (_name, bind, args) => {
    const port = await listen(bind);
    expect(await asked(port, [...args, '-quiet'], GET)).toBeGreaterThan(BODY_BYTES * 0.9);
  },
  15_000,
);

test('a key update that the client asks for goes before the answer', async () => {
  const port = await listen('');
  expect(await asked(port, ['-tls1_3'], 'K\n', GET)).toBeGreaterThan(BODY_BYTES * 0.9);
}, 15_000);

test('there is room for the shortest records', () => {
  for (const bytes of [1, 511, 512, 513, 16_384, 65_536]) {
    expect(roomFor(bytes)).toBeGreaterThanOrEqual(bytes + Math.ceil(bytes / 512) * 128 + 128);
  }
});
