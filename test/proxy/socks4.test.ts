/** Connections through a SOCKS 4 proxy, of streams and of checks. */
import { afterEach, expect, test } from 'vitest';
import { startHealth } from '../../engine/health/index.ts';
import { TimerWheel } from '../../engine/time.ts';
import { modelOf, worldOf } from '../health/fixture.ts';
import { network, pass, settle, until } from './network.ts';
import { type Rig, startRig } from './rig.ts';
import { ask, WireServer } from './wire.ts';

let rig: Rig | null = null;
const closing: { close(): void }[] = [];

afterEach(async () => {
  await rig?.stop();
  rig = null;
  for (const server of closing.splice(0)) server.close();
});

/** A SOCKS proxy that grants (90) or refuses, in two pieces. Its requests, as hex. */
async function socksProxy(code: number): Promise<{ port: number; requests: string[] }> {
  const requests: string[] = [];
  const server = await network().serve(false, socket => {
    socket.on('error', () => {});
    let request = Buffer.alloc(0);
    socket.on('data', function gather(data: Buffer) {
      request = Buffer.concat([request, data]);
      if (request.length < 9 || request.at(-1) !== 0) return;
      socket.off('data', gather);
      requests.push(request.toString('hex'));
      const reply = Buffer.from([0, code, 0, 0, 0, 0, 0, 0]);
      socket.write(reply.subarray(0, 3));
      void pass(10).then(() => {
        socket.write(reply.subarray(3));
        if (code !== 90) return;
        const target = network().connect(request.readUInt16BE(2), false);
        target.on('error', () => socket.destroy());
        socket.pipe(target).pipe(socket);
      });
    });
  });
  closing.push(server);
  return { port: server.port, requests };
}

test('a stream goes through the proxy; one that the proxy refuses is a failed connection', async () => {
  const server = await WireServer.start(() => 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi');
  closing.push({ close: () => server.stop() });
  const good = await socksProxy(90);
  const bad = await socksProxy(91);
  rig = await startRig(`
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
  retries 0
listen good
  bind 127.0.0.1:1
  server s 127.0.0.1:${server.port} socks4 127.0.0.1:${good.port}
listen bad
  bind 127.0.0.1:1
  server s 127.0.0.1:${server.port} socks4 127.0.0.1:${bad.port}
`);
  const request = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
  expect(await ask(rig.port('good'), request)).toContain('\r\n\r\nhi');
  const port = server.port.toString(16).padStart(4, '0');
  expect(good.requests).toEqual([`0401${port}7f000001${Buffer.from('HAProxy\0').toString('hex')}`]);
  expect(await ask(rig.port('bad'), request)).toContain(' 503 ');
  expect(rig.counter('server', 'bad/s', 'failed_conn')).toBe(1);
});

test('check-via-socks4: the check goes through the proxy too', async () => {
  const server = await WireServer.start(() => 'x');
  closing.push({ close: () => server.stop() });
  const { port, requests } = await socksProxy(90);
  const socks4 = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port } as const;
  const world = worldOf(modelOf([{ port: server.port, inter: 1000, socks4, viaSocks4: true }]));
  const io = network().io();
  const wheel = new TimerWheel(io.now());
  const health = startHealth({ ...world.env, now: () => io.now(), io, wheel, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
  await until(() => world.status(0) === 'L4OK');
  expect(requests.length).toBe(1);
  health.stop();
  await settle(io.stop());
});
