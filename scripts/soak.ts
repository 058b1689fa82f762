/**
 * A long run under mixed load with everything that operators do: reloads (by signal, on the master's socket, with changed and
 * with wrong configurations), servers that come and go, threads that die. Ends after so many seconds or reloads, whichever
 * comes first, and says whether every request was answered, every count is exact, and nothing grew.
 *
 *     npm run soak -- --seconds 600 --reloads 1000 --kills --io net
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { cli, field, rows } from '../test/workers/cli.ts';
import { Client, KEEP_ALIVE, LAZY, LONG, newTally, SHORT, startServer } from '../test/workers/clients.ts';
import { freePort } from '../test/workers/ports.ts';

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

/** Growth that is noise: what a heap is, and what is open, moves a little. */
const MEMORY_GROWTH_MAX_MB = 128;
/** Threads that wait for the next generation have some. */
const DESCRIPTOR_GROWTH_MAX = 16;
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

/** One of many configurations that serve the same. */
function configuration(): string {
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
  fs.writeFileSync(file, configuration());
  const killer = path.join(import.meta.dirname, 'soak-thread-killer.ts');
  const main = path.join(import.meta.dirname, '../workers/main.ts');
  const args = ['--no-warnings', ...(values.kills ? ['--import', killer] : []), main];
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
const descriptors = () => fs.readdirSync(`/proc/${child.pid}/fd`).length;
const memoryMb = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024;

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
let early: { memory: number; descriptors: number } | null = null;

while (reloads < reloadsMax && Date.now() - begun < seconds * 1000) {
  if (random(4) === 0) healthy = !healthy;
  if (random(20) === 0) {
    wrong++;
    fs.writeFileSync(file, `${configuration()}\n  nonsense\n`);
    const answer = await cli(master, 'reload');
    if (!answer.startsWith('Success=0')) problems.push(`a wrong configuration was taken: ${answer}`);
  }
  fs.writeFileSync(file, configuration());
  const answer = await cli(master, 'reload');
  if (!answer.startsWith('Success=1')) problems.push(`a reload failed: ${answer}`);
  reloads++;
  if (random(3) === 0) await cli(stats, `set weight app/s1 ${1 + random(100)}`).catch(() => {});
  if (values.kills && reloads % RELOADS_PER_KILL === 0) {
    kills++;
    child.send('kill');
  }
  if (reloads === Math.max(20, Math.floor(reloadsMax / 5))) early = { memory: memoryMb(), descriptors: descriptors() };
  if (reloads % 25 === 0) {
    console.log(
      `${reloads} reloads, ${tally.answers} answers, ${tally.failures.length} failures, ${Math.round(memoryMb())} MB`,
    );
  }
  // Long transfers keep generations: no more at a time than a busy operator would have.
  await until(async () => (await draining()) < 4, 30_000);
}

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
const end = { memory: memoryMb(), descriptors: descriptors() };
if (early !== null) {
  const grown = end.memory - early.memory;
  if (grown > MEMORY_GROWTH_MAX_MB) problems.push(`memory grew by ${Math.round(grown)} MB`);
  if (end.descriptors > early.descriptors + DESCRIPTOR_GROWTH_MAX) {
    problems.push(`descriptors grew from ${early.descriptors} to ${end.descriptors}`);
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
memory ${Math.round(early?.memory ?? 0)} -> ${Math.round(end.memory)} MB, descriptors ${early?.descriptors ?? 0} -> ${end.descriptors}
${problems.length === 0 ? 'No problem.' : `Problems:\n  ${problems.slice(0, 20).join('\n  ')}\n${output.slice(-3000)}`}`);
process.exit(problems.length === 0 ? 0 : 1);
