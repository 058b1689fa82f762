/** Reloads leave nothing behind: no thread, no descriptor, no memory. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { Holdings } from '../../scripts/soak-probe.ts';
import { cli } from './cli.ts';
import { Client, KEEP_ALIVE, newTally, SHORT, startServer } from './clients.ts';
import { config, folder, freePort } from './sluice.ts';

const ROOT = path.join(import.meta.dirname, '../..');

/** What must not grow. Sizes of heaps and of what is resident move by themselves. */
type Counted = Pick<Holdings, 'threads' | 'shared' | 'sharedBuffers' | 'ports' | 'kinds'>;

async function holdings(child: ChildProcess): Promise<Counted> {
  child.send('measure');
  const [{ threads, shared, sharedBuffers, ports, kinds }] = (await once(child, 'message')) as [Holdings];
  return { threads, shared, sharedBuffers, ports, kinds };
}

const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));

/** A thread that no generation needs goes after so long: `IDLE_MS` of workers/pool.ts, and time to end. */
const IDLE_MS = 12_000;

/** What it holds once one generation is left, and its threads. */
async function settled(child: ChildProcess, master: string): Promise<Counted> {
  while ((await cli(master, 'show proc')).includes('old workers')) await sleep(100);
  await sleep(IDLE_MS);
  return holdings(child);
}

async function leavesNothing(io: string): Promise<void> {
  const dir = folder();
  const { port: origin, server } = await startServer(100);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const port = await freePort();
  const [stats, master, map] = [path.join(dir, 's'), path.join(dir, 'm'), path.join(dir, 'a.map')];
  fs.writeFileSync(map, 'a b\n');
  const file = config(
    `
global
  nbthread 2
  stats socket ${stats} level admin
  hard-stop-after 30m
  log ring@r local0
ring r
  size 32768
defaults
  mode http
  log global
  option httplog
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port}
  stick-table type ip size 100 expire 1h store http_req_cnt
  http-request track-sc0 src
  http-request set-header x-map %[str(a),map(${map})]
  default_backend app
backend app
  option httpchk GET /small
  server s1 127.0.0.1:${origin} check inter 100
`,
    dir,
  );
  const loaded = [path.join(ROOT, 'scripts/soak-probe.ts'), path.join(ROOT, 'workers/main.ts')] as const;
  const args = ['--no-warnings', '--import', ...loaded, '-W', '-S', master, '-f', file, '--io', io];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  while (!fs.existsSync(master) || !fs.existsSync(stats)) await sleep(20);
  const reload = async (times: number) => {
    const tally = newTally();
    const clients = [KEEP_ALIVE, SHORT].map(kind => new Client(port, kind, tally));
    for (let n = 0; n < times; n++) expect(await cli(master, 'reload')).toContain('Success=1');
    await Promise.all(clients.map(client => client.stop()));
    expect(tally.failures).toEqual([]);
  };
  await reload(3);
  const before = await settled(child, master);
  await reload(10);
  // A check that is under way has a socket of its own.
  await expect.poll(() => holdings(child), { timeout: 60_000, interval: 150 }).toEqual(before);
}

// Together: most of the time they wait for threads to go.
test('what is there after 13 reloads was there after 3', { timeout: 180_000 }, async () => {
  await Promise.all(['net', 'uring'].map(leavesNothing));
});
