/**
 * A long run under mixed load with everything that operators do: reloads (by signal, on the master's socket, with changed and
 * with wrong configurations), servers that come and go, threads that die. Ends after so many seconds or reloads, whichever
 * comes first, and says whether every request was answered, every count is exact, and nothing grew.
 *
 *     npm run soak -- --seconds 600 --reloads 1000 --kills --io net
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cli, field, rows } from '../test/workers/cli.ts';
import { Client, KEEP_ALIVE, LAZY, LONG, newTally, SHORT, startServer } from '../test/workers/clients.ts';
import { freePort } from '../test/workers/ports.ts';
import type { Holdings, Wish } from './soak-probe.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    reloads: { type: 'string', default: '1000' },
    kills: { type: 'boolean', default: false },
    io: { type: 'string', default: 'uring' },
  },
});
const seconds = Number(values.seconds);
const reloadsMax = Number(values.reloads);

/** Growth that is noise: what heaps have, and which connections to servers are open, moves a little. */
const MEMORY_GROWTH_MAX_MB = 64;
const SOCKET_GROWTH_MAX = 16;
/** After so many reloads everything has been there once: what it holds then is what it may hold at the end. */
const WARM_RELOADS = 20;
/**
 * A thread that no generation needs waits for the next one for 10 s (workers/pool.ts), V8 frees what an ended thread had
 * after 8 s more, and the system has it back after 22 s (workers/garbage.ts). Milliseconds.
 */
const SETTLE_MS = 35_000;
/** A worker thread is ended once per so many reloads. */
const RELOADS_PER_KILL = 25;

const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-soak-'));
const file = path.join(dir, 'sluice.cfg');
const [stats, master] = [path.join(dir, 'stats.sock'), path.join(dir, 'master.sock')];
const [port, extraPort, healthPort] = [await freePort(), await freePort(), await freePort()];
const origin = await startServer(300);

/** The health of the second server: it flaps. */
let healthy = true;
const health = http.createServer((_request, response) => {
  response.statusCode = healthy ? 200 : 503;
  response.end();
});
health.listen(healthPort, '127.0.0.1');

const random = (n: number) => Math.floor(Math.random() * n);

/** One of many configurations that serve the same; `random(n)` chooses below `n`. */
function configuration(random: (n: number) => number): string {
  const extra = Array.from(
    { length: random(4) },
    (_, i) => `  server x${i} 127.0.0.1:${origin.port} weight ${1 + random(20)}`,
  );
  return `
global
  nbthread ${1 + random(3)}
  maxconn 1000
  stats socket ${stats} level admin
defaults
  mode http
  timeout client ${10 + random(5)}s
  timeout server 20s
  timeout connect 5s
  timeout queue 20s
  option redispatch
  retries 3
frontend web
  bind 127.0.0.1:${port}
${random(2) === 0 ? `  bind 127.0.0.1:${extraPort}` : ''}
${random(2) === 0 ? '  http-request set-header x-soak 1' : ''}
  default_backend app
backend app
  balance ${['roundrobin', 'leastconn', 'random'][random(3)]}
  option httpchk GET /
  server s1 127.0.0.1:${origin.port} maxconn ${20 + random(20)}
  server s2 127.0.0.1:${origin.port} check port ${healthPort} inter 300 fall 2 rise 2
${extra.join('\n')}
`;
}

function start(): ChildProcess {
  fs.writeFileSync(file, configuration(random));
  const probe = path.join(import.meta.dirname, 'soak-probe.ts');
  const main = path.join(import.meta.dirname, '../workers/main.ts');
  const args = ['--no-warnings', '--import', probe, main];
  const child = spawn(process.execPath, [...args, '-W', '-S', master, '-f', file, '--io', values.io], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  child.stderr!.on('data', text => {
    output = (output + text).slice(-OUTPUT_CHARS_MAX);
  });
  return child;
}

const OUTPUT_CHARS_MAX = 20_000;
let output = '';
const child = start();
const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms));
const tell = (wish: Wish) => void child.send(wish);

async function holdings(): Promise<Holdings> {
  tell('measure');
  const [held] = (await once(child, 'message')) as [Holdings];
  return held;
}

const mb = (bytes: number) => Math.round(bytes / 2 ** 20);

function show(when: string, h: Holdings): void {
  const sizes = `rss ${mb(h.rss)}, heaps ${mb(h.heap)}, outside ${mb(h.external)}, shared ${mb(h.shared)} MB`;
  console.log(`${when}: ${h.threads} threads, ${h.descriptors} descriptors, ${sizes} in ${h.sharedBuffers} buffers`);
}

/** What it holds when it has served one and the same configuration for a while. */
async function settled(when: string): Promise<Holdings> {
  await reload(configuration(() => 0));
  await until(async () => (await draining()) === 0, 60_000);
  await sleep(10_000);
  show(`${when}, after 10 s`, await holdings());
  await sleep(SETTLE_MS - 10_000);
  const held = await holdings();
  show(`${when}, after ${SETTLE_MS / 1000} s`, held);
  console.log(`  ${JSON.stringify(held.kinds)}`);
  return held;
}

async function reload(text: string): Promise<void> {
  fs.writeFileSync(file, text);
  const answer = await cli(master, 'reload');
  if (!answer.startsWith('Success=1')) problems.push(`a reload failed: ${answer}`);
}

async function until(what: () => boolean | Promise<boolean>, ms: number): Promise<boolean> {
  for (const deadline = Date.now() + ms; Date.now() < deadline; await sleep(50)) {
    try {
      if (await what()) return true;
    } catch {
      // not yet
    }
  }
  return false;
}

/** Generations that still drain. */
async function draining(): Promise<number> {
  const [, old = ''] = (await cli(master, 'show proc')).split('# old workers');
  return old.split('\n').filter(line => line.includes('worker')).length;
}

const problems: string[] = [];
if (!(await until(() => fs.existsSync(stats), 20_000))) throw new Error(`did not start:\n${output}`);
await sleep(500);

const tally = newTally();
const kinds = [KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE, SHORT, SHORT, SHORT, LONG, LONG, LONG, LAZY, LAZY];
const clients = kinds.map(kind => new Client(port, kind, tally));
const begun = Date.now();
let [reloads, wrong, kills] = [0, 0, 0];
show('start', await holdings());
let warm: Holdings | null = null;

while (reloads < reloadsMax && Date.now() - begun < seconds * 1000) {
  if (random(4) === 0) healthy = !healthy;
  if (random(20) === 0) {
    wrong++;
    fs.writeFileSync(file, `${configuration(random)}\n  nonsense\n`);
    const answer = await cli(master, 'reload');
    if (!answer.startsWith('Success=0')) problems.push(`a wrong configuration was taken: ${answer}`);
  }
  await reload(configuration(random));
  reloads++;
  if (random(3) === 0) await cli(stats, `set weight app/s1 ${1 + random(100)}`).catch(() => {});
  if (values.kills && reloads % RELOADS_PER_KILL === 0) {
    kills++;
    tell('kill');
  }
  if (reloads === WARM_RELOADS) warm = await settled(`${reloads} reloads`);
  if (reloads % 25 === 0) {
    show(`${reloads} reloads, ${tally.answers} answers, ${tally.failures.length} failures`, await holdings());
  }
  // Long transfers keep generations: no more at a time than a busy operator would have.
  await until(async () => (await draining()) < 4, 30_000);
}

const end = await settled('end');
await Promise.all(clients.map(client => client.stop()));
if (!(await until(async () => (await draining()) === 0, 30_000))) problems.push('old generations did not end');
await sleep(1_000);
const stat = rows(await cli(stats, 'show stat'));
const number = (proxy: string, name: string, column: string) => Number(field(stat, proxy, name, column));
for (const [proxy, name] of [
  ['web', 'FRONTEND'],
  ['app', 'BACKEND'],
  ['app', 's1'],
] as const) {
  if (number(proxy, name, 'scur') !== 0) problems.push(`${proxy}/${name} has ${number(proxy, name, 'scur')} sessions`);
}
if (number('app', 'BACKEND', 'qcur') !== 0) problems.push(`a queue of ${number('app', 'BACKEND', 'qcur')}`);
const counted = number('web', 'FRONTEND', 'hrsp_2xx');
const connections = number('web', 'FRONTEND', 'conn_tot');
// What a thread was doing when it died may have been counted, or not.
const slack = kills === 0 ? 0 : tally.failures.length + kills * kinds.length;
if (Math.abs(counted - tally.answers) > slack) problems.push(`${tally.answers} answers, ${counted} counted`);
if (Math.abs(connections - tally.connections) > slack) {
  problems.push(`${tally.connections} connections, ${connections} counted`);
}
if (kills === 0) for (const failure of tally.failures) problems.push(failure);
if (warm !== null) {
  const grown = mb(end.rss - warm.rss);
  if (grown > MEMORY_GROWTH_MAX_MB) problems.push(`memory grew by ${grown} MB`);
  for (const what of ['threads', 'shared', 'sharedBuffers', 'ports'] as const) {
    if (end[what] > warm[what]) problems.push(`${what} grew from ${warm[what]} to ${end[what]}`);
  }
  for (const [kind, count] of Object.entries(end.kinds)) {
    const before = warm.kinds[kind] ?? 0;
    if (count > before + (kind === 'socket' ? SOCKET_GROWTH_MAX : 0))
      problems.push(`${kind}: from ${before} to ${count}`);
  }
}
child.kill('SIGTERM');
health.close();
origin.server.closeAllConnections();
origin.server.close();
fs.rmSync(dir, { recursive: true, force: true });

console.log(`
${reloads} reloads (and ${wrong} of wrong configurations), ${kills} threads ended, ${Math.round((Date.now() - begun) / 1000)} s
${tally.answers} requests answered on ${tally.connections} connections, ${tally.failures.length} failed
memory ${mb(warm?.rss ?? 0)} -> ${mb(end.rss)} MB, descriptors ${warm?.descriptors ?? 0} -> ${end.descriptors}
${problems.length === 0 ? 'No problem.' : `Problems:\n  ${problems.slice(0, 20).join('\n  ')}\n${output.slice(-3000)}`}`);
process.exit(problems.length === 0 ? 0 : 1);
