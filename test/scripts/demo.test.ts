/** The demo as a newcomer runs it, on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';

const DEMO = path.join(import.meta.dirname, '../../scripts/demo.ts');

let folder: string;
let port: number;
let statsPort: number;
let child: ChildProcess;
let output: string;
let ended: Promise<number | null>;

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-test-'));
  [port, statsPort] = await Promise.all([freePort(), freePort()]);
});

afterEach(async () => {
  // Not SIGKILL: Sluice would stay, and go on asking ports that others have by now.
  child.kill('SIGTERM');
  await ended;
  fs.rmSync(folder, { recursive: true, force: true });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as net.AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

function start(): void {
  output = '';
  child = spawn(process.execPath, [DEMO], {
    env: {
      ...process.env,
      ...{ TMPDIR: folder, SLUICE_DEMO_PORT: `${port}`, SLUICE_DEMO_STATS_PORT: `${statsPort}` },
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  child.stdout!.on('data', chunk => (output += chunk));
  child.stderr!.on('data', chunk => (output += chunk));
  // 'close': also Sluice, which holds the same output, is gone.
  ended = new Promise(resolve => child.once('close', resolve));
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) {
    expect(child.exitCode, output).toBe(null);
    await new Promise(resolve => setTimeout(resolve, 20));
  }
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { headers: { connection: 'close' } });
  expect(response.status).toBe(200);
  return response.text();
}

/** The status of a server in the CSV. */
async function status(server: string): Promise<string | undefined> {
  const [head, ...rows] = (await get(`http://127.0.0.1:${statsPort}/;csv;norefresh`))
    .split('\n')
    .map(l => l.split(','));
  return rows.find(row => row[1] === server)?.[head!.indexOf('status')];
}

test('it serves, shows a server going DOWN and UP, and leaves nothing behind', async () => {
  start();
  await until(() => output.includes('Ctrl-C'));
  const site = `http://127.0.0.1:${port}`;
  const answers = [await get(site), await get(site), await get(site)];
  expect(answers.sort()).toEqual(['hello from blue\n', 'hello from green\n', 'hello from snail\n']);
  expect(await get(`http://127.0.0.1:${statsPort}/`)).toContain('Statistics Report');

  // Longer than two checks and their intervals.
  expect(await get(`${site}/fail/green/2`)).toBe('green fails for 2 s\n');
  await until(async () => (await status('green')) === 'DOWN');
  expect(await get(site)).not.toContain('green');
  await until(async () => (await status('green')) === 'UP');

  child.kill('SIGINT');
  expect(await ended).toBe(0);
  expect(fs.readdirSync(folder)).toEqual([]);
  await expect(fetch(site)).rejects.toThrow('fetch failed');
});

test('it says which port is taken', async () => {
  const other = net.createServer();
  await new Promise<void>(resolve => other.listen(statsPort, '127.0.0.1', resolve));
  start();
  expect(await ended).toBe(1);
  other.close();
  expect(output).toBe(
    `Port ${statsPort} is taken. To use another one: SLUICE_DEMO_STATS_PORT=${statsPort + 1} npm start\n`,
  );
  expect(fs.readdirSync(folder)).toEqual([]);
});
