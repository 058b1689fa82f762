/** The master's socket (`-S`): the same answers as HAProxy's, but for process numbers, versions and times. */
import { spawn } from 'node:child_process';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli } from '../workers/cli.ts';
import { config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';
import { ask } from './cli-client.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const HAPROXY = haproxyVersion() !== null;
if (!HAPROXY) console.log('master-cli.test: skipped, there is no haproxy');

/** Starts a program with a master's socket, and gives the socket when the worker answers. */
async function master(program: string): Promise<string> {
  const dir = folder();
  const socket = path.join(dir, 'm.sock');
  const file = config(
    `
global
  nbthread 1
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend web
  bind 127.0.0.1:${await freePort()}
`,
    dir,
  );
  const child = spawn(program, ['-W', '-S', socket, '-f', file], { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGTERM'));
  while ((await ask(socket, '@1 show version')).trim() === '') await new Promise(resolve => setTimeout(resolve, 50));
  return socket;
}

/** Without what differs from process to process, and the programs that HAProxy has ceased to have. */
const plain = (text: string) =>
  text
    .replace('# programs\n', '')
    .replace(/^\d+( +)(master|worker)/gm, 'PID $2')
    .replace(/\d+d\d\dh\d\dm\d\ds/g, 'UPTIME')
    .replace(/\b\d+\.\d+(\.\d+)?[-+.\w]*/g, 'VERSION')
    .replace(/ +$/gm, '')
    .replace(/ {2,}/g, ' ')
    .trim();

test.skipIf(!HAPROXY)('answers are those of HAProxy', { timeout: 60_000 }, async () => {
  const [theirs, ours] = await Promise.all([master('haproxy'), master(LAUNCHER)]);
  for (const line of [
    'show proc',
    '@master show proc',
    'show version; show proc',
    '@1 show version',
    '@1 show version; show cli level',
    '@9 show info',
    '@!99 show info',
    '@nonsense show info',
    'show cli level',
    'operator; show cli level',
    '@1 operator; show cli level',
    '@1 disable frontend nobody',
  ]) {
    const [expected, found] = [await cli(theirs, line), await cli(ours, line)];
    expect(plain(found), line).toBe(plain(expected));
  }
});
