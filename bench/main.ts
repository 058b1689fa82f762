/** `npm run bench`: races Sluice, alone or beside HAProxy and nginx, and prints a table. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { type Result, table } from './race/figures.ts';
import { WRK } from './race/load.ts';
import { PEERS } from './race/peers.ts';
import { pin, start, stop } from './race/processes.ts';
import { race } from './race/race.ts';
import { ROWS } from './race/rows.ts';

const HISTORY = path.join(import.meta.dirname, 'history.ndjson');

const HELP = `npm run bench -- [options]
  --peers             beside HAProxy and nginx, those that are installed
  --rows <name,...>   only these rows
  --io <net|uring>    how Sluice serves sockets
  --rounds <number>   rounds of each row (5)
  --seconds <number>  seconds of each measurement (5)
  --quick             2 rounds of 2 seconds; not kept in the history
  --long              the row held takes 60 seconds, not 5
  --pin               proxies on the first processor, everything else on the others
  --autocannon        autocannon even where wrk is installed
  --help

rows:
${ROWS.map(({ name, title }) => `  ${name.padEnd(18)}  ${title}`).join('\n')}`;

const { values: options } = parseArgs({
  options: {
    peers: { type: 'boolean', default: false },
    rows: { type: 'string' },
    io: { type: 'string' },
    rounds: { type: 'string' },
    seconds: { type: 'string' },
    quick: { type: 'boolean', default: false },
    long: { type: 'boolean', default: false },
    pin: { type: 'boolean', default: false },
    autocannon: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

/** A whole number of at least 1. */
function count(name: 'rounds' | 'seconds', otherwise: number): number {
  const value = Number(options[name] ?? otherwise);
  if (!Number.isInteger(value) || value < 1) throw new Error(`--${name} expects a number of at least 1`);
  return value;
}

function chosenRows() {
  const names = options.rows?.split(',') ?? ROWS.map(({ name }) => name);
  const unknown = names.find(name => !ROWS.some(row => row.name === name));
  if (unknown !== undefined) throw new Error(`no row '${unknown}': ${ROWS.map(({ name }) => name).join(', ')}`);
  return ROWS.filter(({ name }) => names.includes(name));
}

async function startOrigin() {
  const child = start(process.execPath, [path.join(import.meta.dirname, 'race/origin.ts')], 'other', 'pipe');
  const port = await new Promise<number>(resolve => child.stdout!.once('data', text => resolve(Number(text))));
  return { child, port };
}

function git(...args: string[]): string {
  return execFileSync('git', ['-C', import.meta.dirname, ...args], { encoding: 'utf8' }).trim();
}

/** One line of the history: what was run, where, and every figure. */
function remember(results: readonly Result[], versions: Record<string, string>): void {
  const line = {
    commit: git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+'),
    date: new Date().toISOString(),
    machine: { cpu: os.cpus()[0]!.model, cpus: os.availableParallelism(), kernel: os.release(), load: os.loadavg()[0] },
    io: options.io ?? 'default',
    ...{ versions, options, results },
  };
  fs.appendFileSync(HISTORY, `${JSON.stringify(line)}\n`);
}

async function main(): Promise<void> {
  const rows = chosenRows();
  if (options.pin) pin();
  const found = PEERS.map(peer => ({ peer, version: peer.version() })).filter(({ version }) => version !== null);
  const peers = found.map(({ peer }) => peer).filter(({ name }) => options.peers || name === 'sluice');
  const wrk = WRK !== null && !options.autocannon;
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-bench-'));
  process.once('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const origin = await startOrigin();
  const results: Result[] = [];
  try {
    const settings = {
      ...{ peers, folder, wrk, io: options.io ?? null, originPort: origin.port },
      rounds: count('rounds', options.quick ? 2 : 5),
      seconds: count('seconds', options.quick ? 2 : 5),
      warmSeconds: options.quick ? 1 : 3,
      holdSeconds: options.long ? 60 : 5,
    };
    for (const row of rows) {
      process.stderr.write(`${row.name}: ${row.title} ...\n`);
      results.push(...(await race(row, settings)));
    }
  } finally {
    await stop(origin.child);
  }
  console.log(table(results));
  const versions = Object.fromEntries(found.map(({ peer, version }) => [peer.name, version!]));
  if (!options.quick) remember(results, { ...versions, node: process.version, load: wrk ? WRK! : 'autocannon' });
}

if (options.help) console.log(HELP);
else await main();
