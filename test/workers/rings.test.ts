/** Rings of the real process: lines of all its threads, to a log server and to the runtime API. */
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { ask, config, folder, freePort, start } from './sluice.ts';

function say(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const conn = net.connect(socket);
    let text = '';
    conn.on('data', piece => (text += piece));
    conn.on('end', () => resolve(text));
    conn.on('error', reject);
    conn.write(`${command}\n`);
  });
}

test('lines of two workers and of the control thread come to the log server, and to show events', async () => {
  let received = '';
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', bytes => (received += bytes.toString()));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  const dir = folder();
  const socket = path.join(dir, 'sock');
  const [port, dead] = [await freePort(), await freePort()];
  const { child, ended } = start([
    '-f',
    config(
      `global
  stats socket ${socket} level admin
  nbthread 2
ring r
  format short
  size 64k
  server s 127.0.0.1:${(server.address() as net.AddressInfo).port}
defaults
  mode http
  log ring@r local0
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend f
  bind 127.0.0.1:${port} shards by-thread
  log-format "%{+json}o %(uri)HU %(status:str)ST"
  http-request return
backend b
  server s1 127.0.0.1:${dead} check inter 100ms fall 1
`,
      dir,
    ),
  ]);
  await ask(port);
  for (let i = 0; i < 20; i++) await ask(port, `/${i}`);
  await vi.waitFor(() => expect(received).toContain('Server b/s1 is DOWN'), { timeout: 5_000 });
  const uris = (text: string) =>
    [...text.matchAll(/^<6>\{"uri": "\/(\d+)", "status": "200"\}$/gm)].map(m => Number(m[1]));
  const all = Array.from({ length: 20 }, (_, i) => i);
  await vi.waitFor(() => expect(uris(received).sort((a, b) => a - b)).toEqual(all), { timeout: 5_000 });
  expect(uris(await say(socket, 'show events r')).sort((a, b) => a - b)).toEqual(all);
  child.kill('SIGTERM');
  await ended;
});
