/** Log lines of others through the real process: over UDP and TCP to a log backend, over reloads too. */
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { cli } from './cli.ts';
import { config, folder, freePort, start } from './sluice.ts';

/** A log server over TCP that can go and come back. */
async function logServer(port: number) {
  const lines: string[] = [];
  const sockets = new Set<net.Socket>();
  const server = net.createServer(socket => {
    sockets.add(socket);
    let rest = '';
    socket.on('error', () => {});
    socket.on('data', bytes => {
      const parts = (rest + bytes).split('\n');
      rest = parts.pop()!;
      lines.push(...parts);
    });
  });
  const close = () => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  onTestFinished(close);
  return { lines, close };
}

test('lines go to the log server that is up', { timeout: 30_000 }, async () => {
  const dir = folder();
  const socket = path.join(dir, 's.sock');
  const [port, a, b] = [await freePort(), await freePort(), await freePort()];
  const [first, second] = [await logServer(a), await logServer(b)];
  start([
    '-f',
    config(
      `global
  stats socket ${socket} level admin
log-forward in
  bind 127.0.0.1:${port}
  dgram-bind 127.0.0.1:${port}
  timeout client 10s
  log backend@out format short local0
backend out
  mode log
  balance sticky
  server a 127.0.0.1:${a} check inter 100ms fall 1
  server b 127.0.0.1:${b} check inter 100ms fall 1
`,
      dir,
    ),
  ]);
  await vi.waitFor(() => expect(fs.existsSync(socket)).toBe(true), { timeout: 15_000 });
  const udp = dgram.createSocket('udp4');
  onTestFinished(() => void udp.close());
  const send = (text: string) => udp.send(text, port, '127.0.0.1');
  const tcp = net.connect(port, '127.0.0.1');
  onTestFinished(() => void tcp.destroy());
  tcp.on('error', () => {});
  await vi.waitFor(
    () => {
      send('<14>udp');
      expect(first.lines).toContain('<6>udp');
    },
    { timeout: 10_000 },
  );
  tcp.write('<13>tcp\n');
  await vi.waitFor(() => expect(first.lines).toContain('<5>tcp'));
  first.close();
  await vi.waitFor(async () => expect(await cli(socket, 'show stat')).toMatch(/^out,a,.*,DOWN,/m), { timeout: 5_000 });
  tcp.write('<13>after\n');
  await vi.waitFor(() => expect(second.lines).toContain('<5>after'), { timeout: 5_000 });
  expect(Number(/^CumRecvLogs: (\d+)$/m.exec(await cli(socket, 'show info'))![1])).toBeGreaterThanOrEqual(3);
  expect(await cli(socket, 'set server out/b addr 127.0.0.2')).toContain('cannot be changed');
});

test('datagrams that come during a reload are not lost', { timeout: 60_000 }, async () => {
  const server = dgram.createSocket('udp4');
  await new Promise<void>(resolve => server.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const lines = new Set<string>();
  server.on('message', bytes => void lines.add(bytes.toString().trimEnd()));
  const port = await freePort();
  const file = config(
    `log-forward in\n dgram-bind 127.0.0.1:${port}\n log 127.0.0.1:${server.address().port} local0\n`,
  );
  const running = start(['-W', '-f', file]);
  const udp = dgram.createSocket('udp4');
  onTestFinished(() => void udp.close());
  let sent = 0;
  const send = () => udp.send(`<14>${sent++}`, port, '127.0.0.1');
  await vi.waitFor(
    () => {
      udp.send('<14>there?', port, '127.0.0.1');
      expect(lines.size).toBe(1);
    },
    { timeout: 15_000 },
  );
  const timer = setInterval(send, 5);
  onTestFinished(() => clearInterval(timer));
  for (let n = 1; n <= 3; n++) {
    running.child.kill('SIGUSR2');
    await vi.waitFor(() => expect(running.output().split('Loading success.').length).toBe(n + 1), { timeout: 15_000 });
  }
  clearInterval(timer);
  await vi.waitFor(() => expect(lines.size).toBe(sent + 1), { timeout: 5_000 });
});
