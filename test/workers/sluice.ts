/** Runs the real launcher, as a user or a service manager does. */
import { type ChildProcess, type StdioOptions, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import type net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';

export { freePort } from './ports.ts';

export const LAUNCHER = path.join(import.meta.dirname, '../../scripts/sluice');

export interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** Runs to the end. */
export function sluice(...args: string[]): Result {
  const { status, stdout, stderr } = spawnSync(LAUNCHER, args, { encoding: 'utf8', timeout: 20_000 });
  return { code: status, out: stdout, err: stderr };
}

/** A folder that goes when the test does. */
export function folder(): string {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-'));
  onTestFinished(() => fs.rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Writes a configuration file and gives its path. */
export function config(text: string, dir = folder()): string {
  const file = path.join(dir, 'sluice.cfg');
  fs.writeFileSync(file, text);
  return file;
}

/** What has been printed, and how it ended. */
export interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
}

/** Starts it and leaves it running until the test ends. */
export function start(args: string[], env: Record<string, string> = {}, stdio: StdioOptions = 'pipe'): Running {
  const child = spawn(LAUNCHER, args, { env: { ...process.env, ...env }, stdio });
  onTestFinished(() => void child.kill('SIGKILL'));
  let output = '';
  child.stdout?.on('data', chunk => (output += chunk));
  child.stderr?.on('data', chunk => (output += chunk));
  const { promise: ended, resolve } = Promise.withResolvers<{ code: number | null; signal: NodeJS.Signals | null }>();
  // `close`: also whoever else held its output is gone.
  child.once('close', (code, signal) => resolve({ code, signal }));
  return { child, output: () => output, ended };
}

/** A server that answers its name; closed when the test ends. Resolves to its port. */
export async function backend(name: string): Promise<number> {
  const server = http.createServer((_request, response) => response.end(name));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

/** Asks until there is an answer, and gives its body. */
export async function ask(port: number, uri = '/', deadline = Date.now() + 10_000): Promise<string> {
  for (;;) {
    try {
      const response = await fetch(`http://127.0.0.1:${port}${uri}`, { headers: { connection: 'close' } });
      return await response.text();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise(resolve => setTimeout(resolve, 10));
    }
  }
}
