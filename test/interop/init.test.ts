/** Scripts for init systems without systemd: ours starts, reloads and stops, that of HAProxy in Debian all but stops. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';

const SCRIPT = path.join(import.meta.dirname, '../../scripts/ha/sluice.init');

/** HAProxy's own, where its package is installed. */
const DEBIAN = '/etc/init.d/haproxy';
if (!fs.existsSync(DEBIAN)) console.log('init.test: skipped with the script of Debian, which is not installed');

/** The script with other values of its variables, as a function that runs it. */
function scriptOf(
  file: string,
  dir: string,
  places: Readonly<Record<string, string>>,
): (word: string) => number | null {
  const script = path.join(dir, 'init');
  const names = Object.keys(places).join('|');
  const text = fs.readFileSync(file, 'utf8').replaceAll('/etc/default/', path.join(dir, 'none/'));
  fs.writeFileSync(
    script,
    text.replace(new RegExp(`^(${names})=.*$`, 'gm'), (_, name: string) => `${name}='${places[name]}'`),
  );
  return word => spawnSync('sh', [script, word], { stdio: 'ignore', timeout: 30_000 }).status;
}

const page = (port: number, status: number) => `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ${status}
`;

test('start, reload, stop', { timeout: 60_000 }, async () => {
  const dir = folder();
  const port = await freePort();
  const pidfile = path.join(dir, 'pid');
  const text = (status: number) => page(port, status);
  const file = config(text(1), dir);
  const run = scriptOf(SCRIPT, dir, { SLUICE: LAUNCHER, CONFIG: file, PIDFILE: pidfile });
  const pid = () => Number(fs.readFileSync(pidfile, 'utf8'));
  onTestFinished(() => void run('stop'));

  expect([run('status'), run('reload'), run('x')]).toEqual([3, 7, 2]);
  expect([run('start'), run('status'), run('start')]).toEqual([0, 0, 0]);
  expect(await ask(port)).toBe('1');
  const first = pid();
  fs.writeFileSync(file, text(2));
  expect(run('reload')).toBe(0);
  expect(await ask(port)).toBe('2');
  expect(pid()).not.toBe(first);
  const second = pid();
  fs.appendFileSync(file, '  nonsense\n');
  expect([run('reload'), run('restart')]).toEqual([1, 1]);
  expect([await ask(port), pid()]).toEqual(['2', second]);
  expect([run('stop'), run('status'), run('stop')]).toEqual([0, 3, 0]);
  await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
});

test.skipIf(!fs.existsSync(DEBIAN))('the script of Debian: start, reload, status', { timeout: 60_000 }, async () => {
  const dir = folder();
  const port = await freePort();
  const pidfile = path.join(dir, 'pid');
  const file = config(page(port, 1), dir);
  const run = scriptOf(DEBIAN, dir, {
    ...{ HAPROXY: LAUNCHER, CONFIG: file, PIDFILE: pidfile, RUNDIR: dir },
    EXTRAOPTS: '--process-name haproxy',
  });
  const pid = () => Number(fs.readFileSync(pidfile, 'utf8'));
  expect(run('status')).toBe(3);
  expect(run('start')).toBe(0);
  onTestFinished(() => void process.kill(pid(), 'SIGKILL'));
  expect([await ask(port), run('status')]).toEqual(['1', 0]);
  const first = pid();
  fs.writeFileSync(file, page(port, 2));
  expect(run('reload')).toBe(0);
  expect([await ask(port), run('status')]).toEqual(['2', 0]);
  expect(pid()).not.toBe(first);
  fs.appendFileSync(file, '  nonsense\n');
  expect(run('reload')).toBe(1);
  expect(await ask(port)).toBe('2');
});
