/** The script for init systems without systemd: it starts, reloads and stops, and nobody is refused meanwhile. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';

const SCRIPT = path.join(import.meta.dirname, '../../scripts/ha/sluice.init');

test('start, reload, stop', { timeout: 60_000 }, async () => {
  const dir = folder();
  const port = await freePort();
  const pidfile = path.join(dir, 'pid');
  const text = (status: number) => `
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  http-request return status 200 content-type text/plain string ${status}
`;
  const file = config(text(1), dir);
  const places: Record<string, string> = { SLUICE: LAUNCHER, CONFIG: file, PIDFILE: pidfile };
  const script = path.join(dir, 'init');
  fs.writeFileSync(
    script,
    fs.readFileSync(SCRIPT, 'utf8').replace(/^(SLUICE|CONFIG|PIDFILE)=.*$/gm, (_, name) => `${name}=${places[name]}`),
  );
  const run = (word: string) => spawnSync('sh', [script, word], { stdio: 'ignore', timeout: 30_000 }).status;
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
