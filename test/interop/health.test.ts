/**
 * The same servers, checked and operated by HAProxy and by Sluice at the same time: both must log the same lines and end
 * with the same states.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CliEnv, Reply } from '../../engine/cli/command.ts';
import { findCommand } from '../../engine/cli/help.ts';
import { COMMANDS } from '../../engine/cli/index.ts';
import { type Health, startHealth } from '../../engine/health/index.ts';
import type { Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { TimerWheel } from '../../engine/time.ts';
import { HTTP_CHECK, modelOf, type World, worldOf } from '../health/fixture.ts';
import { NO_NAMES } from '../resolvers/no-names.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

const INTER_MS = 60;

let folder: string;
let io: Io;
let health: Health;
let world: World;
let env: CliEnv;
let haproxy: ChildProcess;
let haproxyLines: string[];
/** Lines that both should have said by now. */
let wanted: number;
let servers: { server: net.Server; answer: string; port: number }[];

async function startServer(): Promise<(typeof servers)[number]> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.once('data', () => socket.end(me.answer));
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const me = { server, answer: 'HTTP/1.0 200 OK\r\n\r\n', port: (server.address() as net.AddressInfo).port };
  return me;
}

function startHaproxy(logHealthChecks: boolean): void {
  const rows = servers.map(
    (s, i) => `server s${i + 1} 127.0.0.1:${s.port} check inter ${INTER_MS} weight 10 ${i === 2 ? 'backup' : ''}`,
  );
  const file = path.join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global
      log stdout format short local0
      stats socket ${folder}/sock level admin
    defaults
      log global
      mode http
      timeout client 5s
      timeout server 5s
      timeout connect 5s
    backend b
      option httpchk
      ${logHealthChecks ? 'option log-health-checks' : ''}
      http-check disable-on-404
      ${rows.join('\n      ')}
`,
  );
  haproxy = spawn('haproxy', ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'ignore'] });
  let rest = '';
  haproxy.stdout!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop()!;
    haproxyLines.push(...lines);
  });
}

function startSluice(logHealthChecks: boolean): void {
  const options = servers.map((s, i) => ({ port: s.port, inter: INTER_MS, weight: 10, backup: i === 2 }));
  const model = modelOf(options, { check: { ...HTTP_CHECK, disableOn404: true }, logHealthChecks });
  world = worldOf(model);
  const wheel = new TimerWheel(io.now());
  env = { ...world.env, now: () => io.now(), io, wheel, names: NO_NAMES } as unknown as CliEnv;
  health = startHealth({ ...env, outside: world.env.outside, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
}

/** Runs a command in both and gives both answers. */
async function command(line: string): Promise<[haproxy: string, sluice: string]> {
  const words = line.split(' ');
  const found = findCommand(COMMANDS, words)!;
  const args = words.slice(found.words.split(' ').length);
  const answer = found.run({ env, args, state: { anonKey: 0 } } as unknown as Parameters<typeof found.run>[0]);
  const theirs = await new Promise<string>((resolve, reject) => {
    const socket = net.connect(path.join(folder, 'sock'), () => socket.end(`${line}\n`));
    let text = '';
    socket.on('data', data => {
      text += data;
    });
    socket.on('end', () => resolve(text)).on('error', reject);
  });
  return [theirs.trim(), textOf(answer).trim()];
}

function textOf(answer: Reply): string {
  if (typeof answer !== 'object' || answer === null) return String(answer ?? '');
  if ('severity' in answer) return answer.text;
  let text = '';
  for (let piece = answer.next(); piece !== null; piece = answer.next()) text += Buffer.from(piece).toString();
  return text;
}

const normal = (lines: readonly string[]) => lines.map(line => line.replace(/duration: \d+ms/g, 'duration: _'));

/** Waits until both have said `count` lines more than before, then compares all they have said. */
async function agree(count: number): Promise<void> {
  const before = world.lines.length;
  wanted += count;
  for (let i = 0; i < 300 && (world.lines.length < wanted || haproxyLines.length < wanted); i++) {
    await new Promise(resolve => setTimeout(resolve, 10));
  }
  expect(normal(world.lines), `after line ${before}`).toEqual(normal(haproxyLines));
  expect(world.lines).toHaveLength(wanted);
}

beforeEach(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-health-'));
  io = createNetIo();
  haproxyLines = [];
  wanted = 0;
  servers = await Promise.all([startServer(), startServer(), startServer()]);
});

afterEach(async () => {
  haproxy?.kill('SIGKILL');
  health?.stop();
  await io.stop();
  for (const s of servers) s.server.close();
  rmSync(folder, { recursive: true });
});

const NOT_FOUND = 'HTTP/1.0 404 Not here\r\n\r\n';
const SORRY = 'HTTP/1.0 503 "Sorry"\r\n\r\n';
const FINE = 'HTTP/1.0 200 OK\r\n\r\n';

test.skipIf(version === null)('states and log lines are those of HAProxy', async () => {
  startHaproxy(false);
  startSluice(false);
  // Starts are spread over a second.
  await new Promise(resolve => setTimeout(resolve, 1200));
  const [s1, s2, s3] = servers;
  await agree(0);
  s1!.answer = NOT_FOUND;
  await agree(1);
  s2!.answer = SORRY;
  await agree(1);
  s3!.answer = 'no HTTP\r\n';
  await agree(2);
  s1!.answer = FINE;
  await agree(1);
  for (const [line, count] of [
    ['set server b/s1 state drain', 2],
    ['set server b/s1 state maint', 1],
    ['set server b/s1 state drain', 2],
    ['set server b/s1 state ready', 1],
    ['set server b/s2 state drain', 1],
    ['set server b/s2 state ready', 1],
    ['disable server b/s2', 1],
    ['set server b/s1 weight 300%', 0],
    ['get weight b/s1', 0],
    ['set server b/s1 weight 1000', 0],
    ['disable server b/nope', 0],
    ['get weight nope/s1', 0],
  ] as const) {
    const [theirs, ours] = await command(line);
    expect(ours, line).toBe(theirs);
    await agree(count);
  }
  // Not compared: the seconds since the change, and whether a check is under way.
  const table = (text: string) =>
    text.split('\n').map(row => row.split(' ').map((v, i) => (i === 9 ? '_' : i === 13 ? Number(v) & ~1 || v : v)));
  await expect
    .poll(async () => {
      const [theirs, ours] = (await command('show servers state b')).map(table);
      expect(ours).toEqual(theirs);
      return true;
    })
    .toBe(true);
});

test.skipIf(version === null)('with option log-health-checks too', async () => {
  startHaproxy(true);
  startSluice(true);
  // The order of three first checks is a matter of chance.
  await expect.poll(() => normal(world.lines).sort(), { timeout: 5000 }).toHaveLength(3);
  await expect.poll(() => normal(haproxyLines).sort()).toEqual(normal(world.lines).sort());
  world.lines.length = 0;
  haproxyLines.length = 0;
  wanted = 0;
  const [s1] = servers;
  s1!.answer = NOT_FOUND;
  await agree(2);
  s1!.answer = SORRY;
  await agree(4);
  s1!.answer = NOT_FOUND;
  await new Promise(resolve => setTimeout(resolve, 3 * INTER_MS));
  await agree(0);
  s1!.answer = FINE;
  await agree(3);
});
