/**
 * One process takes over the listening sockets of another (`-x`, `-sf`) while clients keep coming: Sluice from Sluice, Sluice
 * from HAProxy, HAProxy from Sluice.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Client, KEEP_ALIVE, newTally, SHORT, startServer } from '../workers/clients.ts';
import { config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const HAPROXY = haproxyVersion() !== null;
if (!HAPROXY) console.log('hand-over.test: skipped with haproxy, which is not in PATH');

const until = async (what: () => boolean, ms = 20_000) => {
  for (const deadline = Date.now() + ms; !what(); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

/** Inodes of the sockets that a process has open. */
function sockets(pid: number): Set<string> {
  const links = fs.readdirSync(`/proc/${pid}/fd`).map(fd => {
    try {
      return fs.readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return new Set(links.filter(link => link.startsWith('socket:')).map(link => link.slice(8, -1)));
}

/** Inodes of listening sockets on a port (/proc/net/tcp: address, state 0A, inode). */
function listening(port: number): string[] {
  const hex = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  const lines = fs.readFileSync('/proc/net/tcp', 'utf8').trim().split('\n').slice(1);
  const rows = lines.map(line => line.trim().split(/\s+/));
  return rows.filter(row => row[1]!.endsWith(hex) && row[3] === '0A').map(row => row[9]!);
}

function run(program: string, args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: 'ignore' });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

test.for([
  ['sluice', 'sluice'],
  ['haproxy', 'sluice'],
  ['sluice', 'haproxy'],
] as const)('from %s to %s', { timeout: 60_000 }, async ([from, to], { skip }) => {
  if (!HAPROXY && (from === 'haproxy' || to === 'haproxy')) skip();
  const dir = folder();
  const [port, origin] = [await freePort(), await startServer(200)];
  onTestFinished(() => {
    origin.server.closeAllConnections();
    origin.server.close();
  });
  const [stats, front] = [path.join(dir, 's.sock'), path.join(dir, 'f.sock')];
  const file = config(
    `
global
  stats socket ${stats} mode 600 level admin expose-fd listeners
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  bind unix@${front}
  default_backend app
backend app
  server s1 127.0.0.1:${origin.port}
`,
    dir,
  );
  const program = (name: string) => (name === 'haproxy' ? name : LAUNCHER);
  const old = run(program(from), ['-db', '-f', file]);
  await until(() => listening(port).length > 0 && fs.existsSync(stats));
  const [inode] = listening(port);
  await new Promise(resolve => setTimeout(resolve, 500));
  const tally = newTally();
  const clients = [KEEP_ALIVE, KEEP_ALIVE, SHORT, SHORT].map(kind => new Client(port, kind, tally));
  await until(() => tally.answers > 50);
  const gone = new Promise(resolve => old.once('exit', resolve));
  const heir = run(program(to), ['-db', '-f', file, '-x', stats, '-sf', String(old.pid)]);
  await gone;
  const before = tally.answers;
  await until(() => tally.answers > before + 50);
  await Promise.all(clients.map(client => client.stop()));
  expect(tally.failures).toEqual([]);
  expect(listening(port)).toEqual([inode]);
  expect(sockets(heir.pid!).has(inode!)).toBe(true);
  expect(fs.existsSync(front)).toBe(true);
});
