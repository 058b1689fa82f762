/** scripts/ha/sluice.service: what systemd thinks of it, what its commands do, and what a service manager hears (`-Ws`). */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, LAUNCHER, type Running, sluice, start } from '../workers/sluice.ts';

const UNIT = fs.readFileSync(path.join(import.meta.dirname, '../../scripts/ha/sluice.service'), 'utf8');
const PROGRAM = '/usr/local/bin/sluice';

const has = (...command: string[]) => spawnSync(command[0]!, command.slice(1)).status === 0;
const SOCAT = has('socat', '-V');
const SYSTEMD = has('systemd-analyze', '--version') && has('systemd-socket-activate', '--version');
if (!SOCAT) console.log('systemd.test: skipped without socat, which is not installed');
if (!SYSTEMD) console.log('systemd.test: skipped without systemd, which is not installed');

/** The arguments of a command of the unit, as systemd expands them, with files of the test's own. */
function commands(key: 'ExecStart' | 'ExecReload', configuration: string): string[][] {
  const lines = [...UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm'))].map(([, line]) => line!);
  const expanded = lines.map(line =>
    line
      .replaceAll(`\${CONFIG}`, configuration)
      .replaceAll('/run/sluice', path.dirname(configuration))
      .replace(' $EXTRAOPTS', ''),
  );
  return expanded.map(line => line.split(' '));
}

/** A service manager's end of the notify socket. */
async function manager(dir: string): Promise<{ socket: string; heard: () => string[] }> {
  const socket = path.join(dir, 'notify');
  const receiver = spawn('socat', ['-u', `UNIX-RECV:${socket}`, '-']);
  onTestFinished(() => void receiver.kill());
  let text = '';
  receiver.stdout.on('data', chunk => (text += chunk));
  await until(() => fs.existsSync(socket));
  return { socket, heard: () => text.split(/(?=READY=1|RELOADING=1|STOPPING=1)/).filter(Boolean) };
}

async function until(what: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 20_000; !what(); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 10));
  }
}

const cfg = (bind: string, uri: string) => `
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
listen a
  bind ${bind}
  monitor-uri ${uri}
  http-request return status 200 content-type text/plain string other
`;

/** CLOCK_MONOTONIC, microseconds. */
const monotonicUs = () => Number(process.hrtime.bigint() / 1000n);

test.skipIf(!SYSTEMD)('systemd finds nothing wrong with the unit', () => {
  const file = path.join(folder(), 'sluice.service');
  fs.writeFileSync(file, UNIT.replaceAll(PROGRAM, LAUNCHER));
  const { status, stdout, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', file], { encoding: 'utf8' });
  expect([stdout + stderr, status]).toEqual(['', 0]);
});

test.skipIf(!SOCAT)('the unit: it is ready when it serves, reloads, and stops', async () => {
  const dir = folder();
  const { socket, heard } = await manager(dir);
  const port = await freePort();
  const file = config(cfg(`127.0.0.1:${port}`, '/first'), dir);

  const [[program, ...args]] = commands('ExecStart', file) as [[string, ...string[]]];
  expect(program).toBe(PROGRAM);
  const { child, ended } = start(args, { NOTIFY_SOCKET: socket });
  const ready = `READY=1\nMAINPID=${child.pid}`;
  await until(() => heard().length === 1);
  expect(heard()).toEqual([ready]);
  expect(await ask(port, '/first')).toContain('Service ready.');
  expect(fs.readFileSync(path.join(dir, 'pid'), 'utf8')).toBe(`${child.pid}\n`);

  const [check, kill] = commands('ExecReload', file) as [string[], string[]];
  expect(kill).toEqual(['/bin/kill', '-USR2', '$MAINPID']);
  const reload = async () => {
    const [before, count] = [monotonicUs(), heard().length];
    child.kill('SIGUSR2');
    await until(() => heard().length === count + 2);
    const [told, then] = heard().slice(count);
    expect(then).toBe(ready);
    const [, since] = /^RELOADING=1\nMONOTONIC_USEC=(\d+)$/.exec(told!)!;
    expect(Number(since)).toBeGreaterThanOrEqual(before);
    expect(Number(since)).toBeLessThanOrEqual(monotonicUs());
  };
  config(cfg(`127.0.0.1:${port}`, '/second'), dir);
  expect(sluice(...check.slice(1))).toEqual({ code: 0, out: '', err: '' });
  await reload();
  expect(await ask(port, '/second')).toContain('Service ready.');

  // systemd would stop at the check; who sends the signal nevertheless does no harm.
  config('nonsense\n', dir);
  expect(sluice(...check.slice(1)).code).toBe(1);
  await reload();
  expect(await ask(port, '/second')).toContain('Service ready.');

  const count = heard().length;
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  await until(() => heard().length > count);
  expect(heard().slice(count)).toEqual(['STOPPING=1']);
});

test.skipIf(!SYSTEMD)('socket activation: systemd binds, and its socket lives on through reloads', async () => {
  const port = await freePort();
  const file = config(cfg('fd@3', '/up'));
  // It starts the program at the first connection, which waits.
  const child = spawn('systemd-socket-activate', ['-l', `127.0.0.1:${port}`, LAUNCHER, '-Ws', '-f', file]);
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  child.stderr.on('data', chunk => (said += chunk));
  expect(await ask(port, '/up')).toContain('Service ready.');
  fs.writeFileSync(file, cfg('fd@3', '/again'));
  child.kill('SIGUSR2');
  await until(() => said.includes('Loading success.'));
  expect(await ask(port, '/again')).toContain('Service ready.');
  expect(await ask(port, '/up')).toBe('other');
});

test('--process-name: ps, pidof and killall find it', async () => {
  const port = await freePort();
  const running: Running = start(['--process-name', 'haproxy', '-db', '-f', config(cfg(`127.0.0.1:${port}`, '/up'))]);
  await ask(port, '/up');
  const { pid } = running.child;
  expect(fs.readFileSync(`/proc/${pid}/comm`, 'utf8')).toBe('haproxy\n');
  expect(fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1')).toMatch(
    /^haproxy --process-name haproxy -db -f \S+\.cfg\0/,
  );
});
