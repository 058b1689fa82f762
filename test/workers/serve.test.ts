import { spawn } from 'node:child_process';
import dgram from 'node:dgram';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, backend, config, folder, freePort, LAUNCHER, sluice, start } from './sluice.ts';

/** A front door on `bind` to one server. */
function site(bind: string, server: number, more = ''): string {
  return `
global
  nbthread 2
${more}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend fe
  bind ${bind}
  default_backend be
backend be
  server s 127.0.0.1:${server}
`;
}

/** Resolves when `done` says so. */
async function until(done: () => boolean, deadline = Date.now() + 10_000): Promise<void> {
  while (!done()) {
    if (Date.now() > deadline) throw new Error('waited too long');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

const read = (file: string) => (fs.existsSync(file) ? fs.readFileSync(file, 'utf8') : '');

describe('signals end it as they end HAProxy', () => {
  const rows: [mode: string, signal: NodeJS.Signals, code: number | null, by: NodeJS.Signals | null][] = [
    ['-d', 'SIGTERM', null, 'SIGTERM'],
    ['-db', 'SIGINT', null, 'SIGINT'],
    ['-db', 'SIGUSR1', 0, null],
    ['-W', 'SIGTERM', 0, null],
    ['-W', 'SIGINT', 130, null],
    ['-Ws', 'SIGUSR1', 0, null],
  ];
  test.each(rows)('%s %s', async (mode, signal, code, by) => {
    const port = await freePort();
    const pidfile = path.join(folder(), 'pid');
    const file = config(site(`127.0.0.1:${port}`, await backend('hello')));
    const { child, ended, output } = start([mode, '-dM', '-dI', '-dW', '-f', file, '-p', pidfile]);
    expect(await ask(port)).toBe('hello');
    expect(read(pidfile)).toBe(`${child.pid}\n`);
    child.kill(signal);
    expect(await ended).toEqual({ code, signal: by });
    if (signal === 'SIGUSR1') expect(output()).toContain('Proxy fe stopped (cumulated conns: FE: 1, BE: ');
  });
});

test('what signals do is told to the logs of the proxies as well', async () => {
  const port = await freePort();
  const log = dgram.createSocket('udp4');
  const heard: string[] = [];
  log.on('message', line => heard.push(`${line}`.trim().replace(/^<(\d+)>.*?\]: /, '$1 ')));
  await new Promise<void>(resolve => log.bind(0, '127.0.0.1', resolve));
  onTestFinished(() => void log.close());
  const target = `log 127.0.0.1:${log.address().port} local0 notice`;
  const text = site(`127.0.0.1:${port}`, await backend('hello'), `  ${target}`).replace(
    'mode http',
    'mode http\n  log global',
  );
  const { child, ended, output } = start(['-db', '-f', config(text.replace('frontend fe', 'listen fe'))]);
  expect(await ask(port)).toBe('hello');
  const after = async (signal: NodeJS.Signals, count: number): Promise<string[]> => {
    heard.length = 0;
    child.kill(signal);
    await until(() => heard.length >= count);
    return heard.map(line => line.replace(/Conn: .*|conns: .*/, '...'));
  };
  expect(await after('SIGTTOU', 1)).toEqual(['132 Paused proxy fe.']);
  expect(await after('SIGTTIN', 1)).toEqual(['132 Resumed proxy fe.']);
  expect(await after('SIGHUP', 5)).toEqual([
    '133 SIGHUP received, dumping servers states for proxy fe.',
    '133 SIGHUP: Proxy fe has no servers. ...',
    '133 SIGHUP received, dumping servers states for proxy be.',
    '133 SIGHUP: Server be/s is UP. ...',
    '133 SIGHUP: Proxy be has 1 active servers and 0 backup servers available. ...',
  ]);
  expect(await after('SIGUSR1', 2)).toEqual([
    '132 Proxy fe stopped (cumulated ...',
    '132 Proxy be stopped (cumulated ...',
  ]);
  expect(await ended).toEqual({ code: 0, signal: null });
  expect(output()).toContain('Paused proxy fe.');
});

test('SIGQUIT shows what is in memory, and ends nothing', async () => {
  const port = await freePort();
  const { child, output } = start(['-db', '-f', config(site(`127.0.0.1:${port}`, await backend('hello')))]);
  expect(await ask(port)).toBe('hello');
  child.kill('SIGQUIT');
  await until(() => /Dumping pools usage\.[\s\S]*Total: \d+ bytes/.test(output()));
  expect(await ask(port)).toBe('hello');
});

test('a soft stop finishes what is there', async () => {
  const port = await freePort();
  const slow = net.createServer(socket => {
    socket.on('error', () => {}); // the stop resets connections that nobody uses
    socket.once('data', () => setTimeout(() => socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'), 500));
  });
  await new Promise<void>(resolve => slow.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void slow.close());
  const file = config(site(`127.0.0.1:${port}`, (slow.address() as net.AddressInfo).port));
  const { child, ended } = start(['-db', '-f', file]);
  await ask(port);
  const answer = ask(port);
  await new Promise(resolve => setTimeout(resolve, 200));
  child.kill('SIGUSR1');
  expect(await answer).toBe('ok');
  expect(await ended).toEqual({ code: 0, signal: null });
});

test('-D returns when it serves; nothing holds its output; the pid file has who serves', async () => {
  const port = await freePort();
  const pidfile = path.join(folder(), 'pid');
  const file = config(site(`127.0.0.1:${port}`, await backend('hello')));
  // Waits for the end of its output: a daemon that kept it would make this time out.
  expect(sluice('-D', '-f', file, '-p', pidfile)).toEqual({ code: 0, out: '', err: '' });
  const pid = Number(read(pidfile));
  onTestFinished(() => {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // ended as it should
    }
  });
  expect(await ask(port, '/', 0)).toBe('hello');
  // The next one takes its place: -st ends it once the new one serves.
  const next = start(['-db', '-f', file, '-st', String(pid)]);
  await until(() => !running(pid));
  expect(await ask(port)).toBe('hello');
  next.child.kill('SIGTERM');
  await next.ended;
});

/** A zombie does not run. */
function running(pid: number): boolean {
  return /^State:\s+[^ZX]/m.test(read(`/proc/${pid}/status`));
}

test.each(['-db', '-W', '-D'])(
  '%s: a port in use is an alert that names the bind line, exit 1, no pid file',
  async mode => {
    const taken = net.createServer();
    await new Promise<void>(resolve => taken.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void taken.close());
    const { port } = taken.address() as net.AddressInfo;
    const pidfile = path.join(folder(), 'pid');
    const { ended, output } = start([mode, '-f', config(site(`127.0.0.1:${port}`, 9)), '-p', pidfile]);
    expect(await ended).toEqual({ code: 1, signal: null });
    expect(output()).toMatch(
      /\[ALERT\] {4}\(\d+\) : Binding \[.*sluice\.cfg:11\] for frontend fe: cannot bind socket \(Address/,
    );
    expect(output()).toContain(`[127.0.0.1:${port}]`);
    expect(fs.existsSync(pidfile)).toBe(false);
  },
);

test.each(['-d', '-Ws', '-D'])('%s serves a listening socket that it inherits', async mode => {
  const socket = net.createServer();
  await new Promise<void>(resolve => socket.listen(0, '127.0.0.1', resolve));
  const { port } = socket.address() as net.AddressInfo;
  const pidfile = path.join(folder(), 'pid');
  // biome-ignore lint/suspicious/noTemplateCurlyInString: a variable of the configuration
  const file = config(site('"fd@${fe1}"', await backend('hello')));
  const { _handle } = socket as unknown as { _handle: { fd: number } };
  const stdio = ['ignore', 'ignore', 'ignore', 'ignore', 'ignore', _handle.fd] as const;
  const line = `exec ${LAUNCHER} ${mode} -dM -dI -dW -f ${file} -p ${pidfile}`;
  const child = spawn('sh', ['-c', line], { env: { ...process.env, fe1: '5' }, stdio: [...stdio] });
  socket.close();
  expect(await ask(port)).toBe('hello');
  const pid = Number(read(pidfile));
  expect(pid === child.pid).toBe(mode !== '-D');
  process.kill(pid, 'SIGTERM');
  await until(() => !running(pid));
});
