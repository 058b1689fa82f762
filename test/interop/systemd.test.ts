/** `-Ws`: what a service manager hears on its socket, received by socat. */
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask, config, folder, freePort, start } from '../workers/sluice.ts';

const SOCAT = spawnSync('socat', ['-V']).status === 0;
if (!SOCAT) console.log('systemd.test: skipped, socat is not installed');

test.skipIf(!SOCAT)('READY=1 with the main pid when it serves, STOPPING=1 when it ends', async () => {
  const dir = folder();
  const notify = path.join(dir, 'notify');
  const manager = spawn('socat', ['-u', `UNIX-RECV:${notify}`, '-']);
  onTestFinished(() => void manager.kill());
  let heard = '';
  manager.stdout.on('data', chunk => (heard += chunk));
  while (!fs.existsSync(notify)) await new Promise(resolve => setTimeout(resolve, 10));

  const port = await freePort();
  const file = config(
    `listen a\n  mode http\n  bind 127.0.0.1:${port}\n  timeout client 1s\n  timeout server 1s\n  timeout connect 1s\n  monitor-uri /up\n`,
    dir,
  );
  const { child, ended } = start(['-Ws', '-f', file], { NOTIFY_SOCKET: notify });
  await ask(port, '/up');
  child.kill('SIGTERM');
  expect(await ended).toEqual({ code: 0, signal: null });
  while (!heard.includes('STOPPING')) await new Promise(resolve => setTimeout(resolve, 10));
  expect(heard).toBe(`READY=1\nMAINPID=${child.pid}STOPPING=1`);
});
