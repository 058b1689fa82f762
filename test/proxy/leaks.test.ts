/** Connections that end in every way and at any moment leave nothing behind. */
import net from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { settled } from './gauges.ts';
import { type Rig, startRig } from './rig.ts';
import { ok } from './wire.ts';

const cleanups: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A number generator that gives the same for the same seed: mulberry32. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const later = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

function pick<T>(random: () => number, of: readonly T[]): T {
  return of[Math.floor(random() * of.length)]!;
}

const ANSWERS = [
  ok(),
  ok('x'.repeat(70_000)),
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'HTTP/1.1 200 OK\r\n\r\nuntil the end',
  'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf',
  'HTTP/1.1 200 O',
  `HTTP/1.1 100 Continue\r\n\r\n${ok()}`,
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n',
  ok('', 'Connection: close\r\n'),
  'nonsense\r\n\r\n',
  '',
];

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const REQUESTS = [
  GET,
  `${GET}${GET}${GET}`,
  'GET / HTTP/1.0\r\n\r\n',
  'GET / HTTP/1.1\r\nHost: a\r\nCookie: SRV=a\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
  'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 50\r\n\r\nhello',
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 90000\r\n\r\n${'x'.repeat(90_000)}`,
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz',
  'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nearly',
  'CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n',
  'GET / HT',
  'nonsense\r\n\r\n',
  '',
];

type Ending = 'end' | 'destroy' | 'resetAndDestroy' | 'stay';

/** An origin that answers each chunk with something, and sometimes goes. */
async function origin(random: () => number): Promise<number> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: random() < 0.5 }, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', () => {
      const delay = random() * 8;
      setTimeout(() => {
        if (socket.destroyed) return;
        socket.write(pick(random, ANSWERS));
        const ending = pick<Ending>(random, ['stay', 'stay', 'stay', 'end', 'destroy', 'resetAndDestroy']);
        if (ending !== 'stay') socket[ending]();
      }, delay);
    });
    socket.on('end', () => setTimeout(() => socket.end(), random() * 5));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** One client that sends something, perhaps in two pieces, and leaves some time later in some way. */
async function client(port: number, random: () => number): Promise<void> {
  const socket = net.connect({ port, host: '127.0.0.1', allowHalfOpen: random() < 0.5 });
  socket.on('error', () => {});
  if (random() < 0.8) socket.resume();
  const closed = new Promise<void>(resolve => socket.on('close', () => resolve()));
  const request = pick(random, REQUESTS);
  const cut = Math.floor(random() * request.length);
  const delays = [random() * 5, random() * 30, random() * 100];
  const ending = pick<Ending>(random, ['end', 'destroy', 'resetAndDestroy']);
  socket.write(request.slice(0, cut));
  await later(delays[0]!);
  socket.write(request.slice(cut));
  await later(delays[1]!);
  if (ending !== 'stay') socket[ending]();
  await later(delays[2]!);
  socket.destroy();
  await closed;
}

async function storm(
  config: (ports: number[]) => string,
  proxies: readonly string[],
  seed: number,
  count: number,
): Promise<Rig> {
  const random = randomOf(seed);
  const ports = [await origin(random), await origin(random)];
  const rig = await startRig(config(ports));
  cleanups.push(() => rig.stop());
  for (let started = 0; started < count; started += 100) {
    await Promise.all(Array.from({ length: 100 }, () => client(rig.port(pick(random, proxies)), random)));
  }
  return rig;
}

const DEFAULTS = `
defaults
  mode http
  timeout client 300ms
  timeout server 300ms
  timeout connect 200ms
  timeout queue 100ms
  retries 1
  option redispatch 1
`;

describe('no gauge stays up', () => {
  test('1,000 clients of HTTP, in every mode', { timeout: 60_000 }, async () => {
    const modes = [
      'http-reuse always',
      'http-reuse never',
      'option http-server-close',
      'option httpclose',
      'option abortonclose',
      'option nolinger',
      'option http-buffer-request',
      'cookie SRV insert indirect',
    ];
    const rig = await storm(
      ([a, b]) =>
        DEFAULTS +
        modes
          .map(
            (mode, i) => `listen web${i}
  bind 127.0.0.1:1
  ${mode}
  server s1 127.0.0.1:${a} maxconn ${i % 2 === 0 ? 2 : 20} cookie a
  server s2 127.0.0.1:${b} cookie b maxconn 10
  server s3 127.0.0.1:1
`,
          )
          .join(''),
      modes.map((_, i) => `web${i}`),
      42,
      1000,
    );
    expect(await settled(rig)).toEqual({});
    expect(rig.ends.length).toBeGreaterThan(700);
  });

  test('500 clients of TCP', { timeout: 60_000 }, async () => {
    const modes = ['option abortonclose', 'option nolinger', 'no option abortonclose'];
    const rig = await storm(
      ([a, b]) =>
        DEFAULTS +
        modes
          .map(
            (mode, i) => `listen relay${i}
  mode tcp
  bind 127.0.0.1:1 ${i === 2 ? 'accept-proxy' : ''}
  maxconn 30
  ${mode}
  server s1 127.0.0.1:${a} maxconn 5
  server s2 127.0.0.1:${b}
  server s3 127.0.0.1:1
`,
          )
          .join(''),
      modes.map((_, i) => `relay${i}`),
      7,
      500,
    );
    expect(await settled(rig)).toEqual({});
  });
});
