/** A slow reader slows the sender down: what is under way is bounded by buffers, whatever is sent. And then all arrives. */
import { describe, expect, test } from 'vitest';
import { settled } from './gauges.ts';
import { origin, rigOf } from './listen.ts';
import { network, pass, SIMULATED, type Socket } from './network.ts';
import type { Rig } from './rig.ts';
import { connect, ok, type Wire, type WireServer } from './wire.ts';

const MEBIBYTE = 2 ** 20;
const TOTAL = (SIMULATED ? 4 : 64) * MEBIBYTE;
/** What the buffers of the kernel and ours may hold between the two ends, bytes. */
const UNDER_WAY_MAX = (SIMULATED ? 2 : 24) * MEBIBYTE;
const PATIENCE_MS = SIMULATED ? 120_000 : 15_000;

async function start(mode: string): Promise<{ rig: Rig; server: WireServer }> {
  const server = await origin();
  const rig = await rigOf(`
defaults
  mode ${mode}
  timeout client 10s
  timeout server 10s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  server s1 127.0.0.1:${server.port}
`);
  return { rig, server };
}

/** Sends TOTAL bytes in chunks of `piece`, as fast as `socket` takes them; `sent()` = what it has taken so far. */
function pour(socket: Socket, piece: Buffer): { sent: () => number } {
  const before = socket.bytesWritten;
  let left = TOTAL;
  const more = () => {
    while (left > 0) {
      left -= piece.length;
      if (!socket.write(piece)) return;
    }
  };
  socket.on('drain', more);
  more();
  return { sent: () => socket.bytesWritten - before - socket.writableLength };
}

/** Waits until no more goes. */
async function stalled(sent: () => number): Promise<number> {
  for (let last = -1; ; ) {
    const now = sent();
    if (now === last) return now;
    last = now;
    await pass(100);
  }
}

/** Stops reading until told to, and counts instead of gathering. */
function slow(wire: Wire): { received: () => number; go: () => void } {
  let received = 0;
  wire.socket.removeAllListeners('data');
  wire.socket.pause();
  return {
    received: () => received,
    go: () => {
      wire.socket.on('data', data => (received += data.length));
      wire.socket.resume();
    },
  };
}

async function checkFlow(from: Socket, to: Wire, piece: Buffer): Promise<void> {
  const reader = slow(to);
  const { sent } = pour(from, piece);
  const underWay = await stalled(sent);
  expect(underWay).toBeLessThan(UNDER_WAY_MAX);
  reader.go();
  await to.until(() => reader.received() >= TOTAL, PATIENCE_MS);
}

describe.each(['tcp', 'http'])('%s', mode => {
  const piece = mode === 'tcp' ? Buffer.alloc(65_536, 'x') : Buffer.from(`10000\r\n${'x'.repeat(65_536)}\r\n`);

  test('a fast server and a slow client', { timeout: 30_000 }, async () => {
    const { rig, server } = await start(mode);
    const client = await connect(rig.port('web'));
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const conn = await server.conn();
    await conn.has('\r\n\r\n');
    conn.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
    await client.has('\r\n\r\n');
    await checkFlow(conn.socket, client, piece);
    client.socket.resetAndDestroy();
    expect(await settled(rig)).toEqual({});
  });

  test('a fast client and a slow server', { timeout: 30_000 }, async () => {
    const { rig, server } = await start(mode);
    const client = await connect(rig.port('web'));
    client.send('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n');
    const conn = await server.conn();
    await conn.has('\r\n\r\n');
    await checkFlow(client.socket, conn, piece);
    client.socket.resetAndDestroy();
    expect(await settled(rig)).toEqual({});
  });
});

describe('http', () => {
  test('a client that sends requests and reads nothing', { timeout: 30_000 }, async () => {
    const server = await origin(() => ok('y'.repeat(16_000)));
    const rig = await rigOf(`
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  server s1 127.0.0.1:${server.port}
`);
    const client = await connect(rig.port('web'));
    const reader = slow(client);
    const request = Buffer.from(`GET / HTTP/1.1\r\nHost: a\r\nX: ${'x'.repeat(4000)}\r\n\r\n`);
    const { sent } = pour(client.socket, request);
    expect(await stalled(sent)).toBeLessThan(UNDER_WAY_MAX);
    const answered = rig.ends.length;
    reader.go();
    await client.until(() => rig.ends.length > answered + 500, PATIENCE_MS);
    client.socket.resetAndDestroy();
    expect(await settled(rig)).toEqual({});
  });

  test('nothing waits in the timer wheel once all is over', async () => {
    let next = 0;
    const server = await origin(() => ok());
    const rig = await rigOf(
      `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen web
  bind 127.0.0.1:1
  http-reuse never
  server s1 127.0.0.1:${server.port}
`,
      {
        io: () => {
          const io = network().io();
          const onTurn = io.onTurn.bind(io);
          io.onTurn = turn => onTurn(now => (next = turn(now)));
          return io;
        },
      },
    );
    const clients = await Promise.all(Array.from({ length: 20 }, () => connect(rig.port('web'))));
    for (const client of clients) client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    await Promise.all(clients.map(client => client.has('ok')));
    expect(next).toBeLessThan(Infinity);
    for (const client of clients) client.socket.destroy();
    expect(await settled(rig)).toEqual({});
    await clients[0]!.until(() => next === Infinity, 3000);
  });
});
