/** Sessions of clients without tickets resume on any worker. */
import { constants } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { ask } from '../interop/cli-client.ts';
import { pemFile } from '../tls/certificates.ts';
import { backend, config, folder, freePort, start } from './sluice.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const CONNECTIONS = 24;

interface Visit {
  readonly session: Buffer | undefined;
  readonly resumed: boolean;
}

/** A request over a connection of its own, with the session of another one. */
function visit(port: number, version: tls.SecureVersion, session?: Buffer, tickets = false): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const secureOptions = tickets ? 0 : constants.SSL_OP_NO_TICKET;
    const options = { minVersion: version, maxVersion: version, secureOptions };
    const conn = tls.connect({ port, host: '127.0.0.1', rejectUnauthorized: false, session, ...options });
    let latest = session;
    conn.on('session', made => (latest = made));
    conn.on('error', reject);
    let resumed = false;
    conn.on('secureConnect', () => {
      resumed = conn.isSessionReused();
      conn.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
    });
    conn.on('data', () => {});
    conn.on('end', () => conn.end());
    conn.on('close', () => resolve({ session: latest, resumed }));
  });
}

async function untilOpen(port: number): Promise<void> {
  for (let i = 0; i < 500; i++) {
    const open = await visit(port, 'TLSv1.2').catch(() => null);
    if (open !== null) return;
    await new Promise(done => setTimeout(done, 20));
  }
}

/** Starts it with a TLS address; gives its port and the path of its stats socket. */
async function serve(threads: number, bind: string, global = ''): Promise<{ port: number; socket: string }> {
  const dir = folder();
  const [port, origin, socket] = [await freePort(), await backend('hello'), path.join(dir, 'cli')];
  const file = config(
    `global
  nbthread ${threads}
  stats socket ${socket} mode 600 level admin
  ${global}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
listen l
  bind 127.0.0.1:${port} ssl crt ${SITE} ${bind}
  server s 127.0.0.1:${origin}
`,
    dir,
  );
  start(['-f', file]);
  await untilOpen(port);
  return { port, socket };
}

async function resumed(threads: number, version: tls.SecureVersion, global = ''): Promise<number> {
  const { port } = await serve(threads, 'no-tls-tickets', global);
  let [count, session]: [number, Buffer | undefined] = [0, undefined];
  for (let i = 0; i < CONNECTIONS; i++) {
    const next: Visit = await visit(port, version, session);
    if (next.resumed) count++;
    session = next.session;
  }
  return count;
}

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'as often with two workers as with one: %s',
  { timeout: 40_000 },
  async version => {
    expect(await resumed(1, version)).toBe(CONNECTIONS - 1);
    expect(await resumed(2, version)).toBe(CONNECTIONS - 1);
  },
);

test('not where each worker keeps them for itself, nor without a cache', { timeout: 40_000 }, async () => {
  const own = await resumed(2, 'TLSv1.2', 'tune.ssl.force-private-cache');
  expect(own).toBeGreaterThan(0);
  expect(own).toBeLessThan(CONNECTIONS - 1);
  expect(await resumed(2, 'TLSv1.2', 'tune.ssl.cachesize 0')).toBe(0);
});

test('keys of tickets are replaced in all workers: the last three are known', { timeout: 40_000 }, async () => {
  const keys = path.join(folder(), 'keys');
  const key = (n: number) => Buffer.alloc(80, n).toString('base64');
  fs.writeFileSync(keys, [1, 2, 3].map(n => `${key(n)}\n`).join(''));
  const { port, socket } = await serve(2, `tls-ticket-keys ${keys}`);
  const { session } = await visit(port, 'TLSv1.2', undefined, true);
  const again = async () => {
    const visits = await Promise.all(Array.from({ length: 8 }, () => visit(port, 'TLSv1.2', session, true)));
    return new Set(visits.map(one => one.resumed));
  };
  expect(await again()).toEqual(new Set([true]));
  // It was made with the second of three.
  for (const [n, known] of [
    [4, true],
    [5, false],
  ] as const) {
    expect(await ask(socket, `set ssl tls-key #0 ${key(n)}`)).toBe('TLS ticket key updated!\n\n');
    expect(await again()).toEqual(new Set([known]));
  }
});
