/** Connections that end in every way and at any moment leave nothing behind. */
import { afterEach, describe, expect, test } from 'vitest';
import { settled } from './gauges.ts';
import { breakConnections, needsSimulation, network, pass, type Socket, until } from './network.ts';
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
  const sockets = new Set<Socket>();
  const server = await network().serve(random() < 0.5, socket => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
    socket.on('data', () => {
      const delay = random() * 8;
      void pass(delay).then(() => {
        if (socket.destroyed) return;
        socket.write(pick(random, ANSWERS));
        const ending = pick<Ending>(random, ['stay', 'stay', 'stay', 'end', 'destroy', 'resetAndDestroy']);
        if (ending !== 'stay') socket[ending]();
      });
    });
    socket.on('end', () => void pass(random() * 5).then(() => socket.end()));
  });
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return server.port;
}

/** One client that sends something, perhaps in two pieces, and leaves some time later in some way. */
async function client(port: number, random: () => number): Promise<void> {
  const socket = network().connect(port, random() < 0.5);
  socket.on('error', () => {});
  if (random() < 0.8) socket.resume();
  const request = pick(random, REQUESTS);
  const cut = Math.floor(random() * request.length);
  const delays = [random() * 5, random() * 30, random() * 100];
  const ending = pick<Ending>(random, ['end', 'destroy', 'resetAndDestroy']);
  socket.write(request.slice(0, cut));
  await pass(delays[0]!);
  socket.write(request.slice(cut));
  await pass(delays[1]!);
  if (ending !== 'stay') socket[ending]();
  await pass(delays[2]!);
  socket.destroy();
  await until(() => socket.closed);
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

const HTTP_MODES = [
  'http-reuse always',
  'http-reuse never',
  'option http-server-close',
  'option httpclose',
  'option abortonclose',
  'option nolinger',
  'option http-buffer-request',
  'cookie SRV insert indirect',
];

/** `count` clients of HTTP, in every mode. */
function httpStorm(seed: number, count: number): Promise<Rig> {
  return storm(
    ([a, b]) =>
      DEFAULTS +
      HTTP_MODES.map(
        (mode, i) => `listen web${i}
  bind 127.0.0.1:1
  ${mode}
  server s1 127.0.0.1:${a} maxconn ${i % 2 === 0 ? 2 : 20} cookie a
  server s2 127.0.0.1:${b} cookie b maxconn 10
  server s3 127.0.0.1:1
`,
      ).join(''),
    HTTP_MODES.map((_, i) => `web${i}`),
    seed,
    count,
  );
}

describe('no gauge stays up', () => {
  test('1,000 clients of HTTP, in every mode', { timeout: 60_000 }, async () => {
    const rig = await httpStorm(42, 1000);
    expect(await settled(rig)).toEqual({});
    expect(rig.ends.length).toBeGreaterThan(700);
  });

  test('a network that breaks connections', { timeout: 60_000 }, async context => {
    needsSimulation(context, 'connections break by themselves');
    breakConnections(0.03);
    expect(await settled(await httpStorm(43, 300))).toEqual({});
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
