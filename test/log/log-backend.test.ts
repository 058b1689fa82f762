/** `log backend@...`: which server of a log backend gets a line. */
import dgram from 'node:dgram';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { createIo } from '../../engine/io/choose.ts';
import { Rings } from '../../engine/log/rings.ts';
import { PROCESS, PROXY, SERVER } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import { load } from '../config/load-text.ts';
import { GET, start } from './world.ts';

/** A log server on UDP. */
async function logServer(): Promise<{ port: number; lines: string[] }> {
  const socket = dgram.createSocket('udp4');
  await new Promise<void>(resolve => socket.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void socket.close());
  const lines: string[] = [];
  socket.on('message', bytes => void lines.push(bytes.toString('latin1').trimEnd()));
  return { port: socket.address().port, lines };
}

/** Three log servers behind a backend with these lines. */
async function balanced(lines: string) {
  const servers = await Promise.all([logServer(), logServer(), logServer()]);
  const world = await start(`
    listen l
      mode http
      bind 127.0.0.1:1
      timeout client 1s
      timeout server 1s
      timeout connect 1s
      log backend@logs format raw local0
      log-format "%HU"
      server s 127.0.0.1:$SERVER
    backend logs
      mode log
      ${lines}
      ${servers.map(({ port }, i) => `server s${i + 1} udp@127.0.0.1:${port}`).join('\n')}
`);
  const { memory, model } = world.rig;
  const logs = model.proxies.findIndex(({ name }) => name === 'logs');
  return {
    ...world,
    servers: servers.map(server => server.lines),
    /** Takes a server out, or puts it back. */
    weigh: (server: number, weight: number) => {
      const first = model.proxies.slice(0, logs).reduce((sum, proxy) => sum + proxy.serverSlots, 0);
      Atomics.store(memory.words, memory.server(first + server) + SERVER.at.eweight, weight);
      Atomics.add(memory.words, memory.proxy(logs) + PROXY.at.generation, 1);
    },
    dropped: () => Atomics.load(memory.words, memory.process + PROCESS.at.dropped_logs),
    /** Makes a line of each. */
    say: async (...uris: string[]) => {
      for (const uri of uris) await world.send('l', GET(uri));
    },
  };
}

describe('a line goes to a server', () => {
  test('in turn', async () => {
    const { say, servers } = await balanced('balance roundrobin');
    await say('/1', '/2', '/3', '/4', '/5', '/6');
    await vi.waitFor(() => expect(servers.map(lines => lines.length)).toEqual([2, 2, 2]));
    expect(servers.flat().sort()).toEqual(['/1', '/2', '/3', '/4', '/5', '/6']);
  });

  test('at random, where nothing is said', async () => {
    const { say, servers } = await balanced('');
    const uris = Array.from({ length: 40 }, (_, i) => `/${i}`);
    await say(...uris);
    await vi.waitFor(() => expect(servers.flat().sort()).toEqual(uris.sort()));
    for (const lines of servers) expect(lines.length).toBeGreaterThan(0);
  });

  test('always to the same one of the same key', async () => {
    const { say, servers } = await balanced('balance log-hash field(2,/)');
    await say(...['/a/1', '/b/1', '/c/1', '/d/1', '/e/1'], ...['/a/2', '/b/2', '/c/2', '/d/2', '/e/2']);
    await vi.waitFor(() => expect(servers.flat().length).toBe(10));
    for (const key of ['/a/', '/b/', '/c/', '/d/', '/e/']) {
      expect(servers.map(lines => lines.filter(line => line.startsWith(key)).length).sort()).toEqual([0, 0, 2]);
    }
    expect(servers.filter(lines => lines.length > 0).length).toBeGreaterThan(1);
  });

  test('that is the same one until it goes down', async () => {
    const { say, servers, weigh } = await balanced('balance sticky');
    await say('/1', '/2');
    weigh(0, 0);
    await say('/3');
    weigh(0, 1);
    await say('/4');
    weigh(1, 0);
    await say('/5');
    weigh(2, 0);
    await say('/6');
    await vi.waitFor(() => expect(servers).toEqual([['/1', '/2', '/6'], ['/3', '/4'], ['/5']]));
  });

  test('unless there is none: then it is dropped and counted', async () => {
    const { say, weigh, dropped, complaints } = await balanced('balance roundrobin');
    for (const server of [0, 1, 2]) weigh(server, 0);
    await say('/1');
    await vi.waitFor(() => expect(dropped()).toBe(1));
    expect(complaints).toEqual([]);
  });
});

test('a server that takes a stream has a ring of its own', async () => {
  const world = await start(`
    listen l
      mode http
      bind 127.0.0.1:1
      timeout client 1s
      timeout server 1s
      timeout connect 1s
      log backend@logs format short local0
      log-format "%HU"
      server s 127.0.0.1:$SERVER
    backend logs
      mode log
      balance roundrobin
      server a 127.0.0.1:$DEAD log-bufsize 32k log-proto octet-count
      server b tcp@127.0.0.1:$DEAD
`);
  const io = createIo('net');
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const rings = new Rings({ model: world.rig.model, memory: world.rig.memory, io, wheel, complain: () => {} });
  onTestFinished(async () => {
    rings.stop();
    await io.stop();
  });
  await world.send('l', GET('/1'));
  await world.send('l', GET('/2'));
  rings.look();
  const kept = rings.list.map(({ config, buffer }) => {
    const line = buffer.read(buffer.open(false));
    return [config.name, config.sizeBytes, config.servers[0]!.octetCount, line === null ? '' : `${Buffer.from(line)}`];
  });
  expect(kept).toEqual([
    ['logs/a', 32_768, true, '<6>/1'],
    ['logs/b', 16_384, false, '<6>/2'],
  ]);
});

describe('what is wrong is told', () => {
  test.each([
    ['listen b\n bind :1\n mode log', "listen 'b': 'mode log' is for backends only"],
    ['backend b\n mode log\n balance leastconn', "backend 'b': 'balance leastconn' is not for 'mode log'"],
    ['backend b\n balance sticky', "backend 'b': 'balance sticky' needs 'mode log'"],
    ['backend b\n server s udp@127.0.0.1:1', "'server b/s': dgram-type address not acceptable in 'udp@127.0.0.1:1'"],
    ['backend b\nlisten l\n bind :1\n log backend@b local0', "unknown log backend 'b'"],
    ['ring r\n server s udp@127.0.0.1:1', "'server r/s': dgram-type address not acceptable in 'udp@127.0.0.1:1'"],
    [
      'frontend f\n bind :1\n default_backend b\nbackend b\n mode log',
      "tcp frontend 'f' (test.cfg:1) tries to use incompatible log backend 'b' (test.cfg:4) as its default backend (see 'mode')",
    ],
    [
      'log-forward f\n bind :1\nlog-forward f\n bind :2',
      "log-forward section 'f' has the same name as another log-forward section declared at test.cfg:1.",
    ],
    [
      'log-forward f\n bind :1\n log stdout profile p local0',
      "'profile' is ignored: the lines of others are not made by a log-profile",
    ],
  ])('%j', (text, message) => {
    expect(load(`${text}\n`).diagnostics.list.map(d => d.message)).toContain(message);
  });

  test('the port of syslog is the default', () => {
    const { model } = load('backend b\n mode log\n server s udp@127.0.0.1\n server t 127.0.0.1\n');
    expect(model!.proxies[0]!.servers.map(({ address }) => address.port)).toEqual([514, 514]);
    expect(model!.rings[0]!.servers[0]!.address.port).toBe(514);
  });
});
