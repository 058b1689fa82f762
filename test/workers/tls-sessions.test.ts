/** Sessions of clients without tickets resume on any worker. */
import { constants } from 'node:crypto';
import path from 'node:path';
import tls from 'node:tls';
import { expect, test } from 'vitest';
import { pemFile } from '../tls/certificates.ts';
import { backend, config, folder, freePort, start } from './sluice.ts';

const SITE = pemFile({ name: 'localhost', names: ['localhost'] });
const CONNECTIONS = 24;

interface Visit {
  readonly session: Buffer | undefined;
  readonly resumed: boolean;
}

/** A request over a connection of its own, with the session of another one. */
function visit(port: number, version: tls.SecureVersion, session: Buffer | undefined): Promise<Visit> {
  return new Promise((resolve, reject) => {
    const options = { minVersion: version, maxVersion: version, secureOptions: constants.SSL_OP_NO_TICKET };
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
    const open = await visit(port, 'TLSv1.2', undefined).catch(() => null);
    if (open !== null) return;
    await new Promise(done => setTimeout(done, 20));
  }
}

async function resumed(threads: number, version: tls.SecureVersion, global = ''): Promise<number> {
  const dir = folder();
  const [port, origin] = [await freePort(), await backend('hello')];
  const file = config(
    `global
  nbthread ${threads}
  ${global}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
listen l
  bind 127.0.0.1:${port} ssl crt ${SITE} no-tls-tickets
  server s 127.0.0.1:${origin}
`,
    dir,
  );
  start(['-f', path.join(file)]);
  await untilOpen(port);
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
