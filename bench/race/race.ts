/** Runs rows: the peers of a row serve at the same time and are measured in turn, round by round. */
import type { ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { certificateIn } from './certificate.ts';
import { type Figures, type Result, summarise } from './figures.ts';
import { saturate } from './load.ts';
import { type Course, type Peer, PLAIN } from './peers.ts';
import { freePort, ready, start, stop } from './processes.ts';
import type { Row, Stage } from './rows.ts';

export interface Settings {
  readonly peers: readonly Peer[];
  readonly io: string | null;
  readonly rounds: number;
  readonly seconds: number;
  readonly warmSeconds: number;
  readonly holdSeconds: number;
  readonly wrk: boolean;
  /** Where configurations are written. */
  readonly folder: string;
  readonly originPort: number;
}

/** Above this rate the pacer itself would be measured. */
const PACE_MAX = 20_000;

interface Runner {
  readonly peer: Peer;
  readonly child: ChildProcess;
  readonly stage: Stage;
  readonly rounds: Figures[];
}

/** Measures one row. Everything it started has ended when it resolves. */
export async function race(row: Row, settings: Settings): Promise<Result[]> {
  const peers = settings.peers.filter(
    peer => peer.modes.includes(row.mode) && (peer.cfg || (row.servers === 0 && row.setup === PLAIN)),
  );
  const all = row.measure === null ? await raceStarts(row, peers, settings) : await raceServing(row, peers, settings);
  return all.map(([peer, rounds]) => ({
    ...{ row: row.name, unit: row.unit, peer: peer.name, main: row.main, goal: row.goal },
    figures: summarise(rounds),
  }));
}

type Rounds = readonly (readonly [Peer, Figures[]])[];

async function raceServing(row: Row, peers: readonly Peer[], settings: Settings): Promise<Rounds> {
  const runners: Runner[] = [];
  const twins = new Map<Runner, Runner>();
  try {
    for (const peer of peers) {
      const runner = await launch(row, peer, settings);
      runners.push(runner);
      if (row.twin) twins.set(runner, await launch(row, peer, settings));
    }
    const rates = new Map<string, number>();
    for (const { peer, stage } of runners) rates.set(peer.name, await warm(stage, row.setup.tls, settings));
    const most = rates.get('haproxy') ?? rates.get('sluice')!;
    const rate = Math.min(PACE_MAX, Math.floor(most / 2));
    for (let round = 0; round < (row.once ? 1 : settings.rounds); round++) {
      for (const runner of runners) {
        const { statsPort } = (twins.get(runner) ?? runner).stage;
        runner.rounds.push(await row.measure!({ ...runner.stage, statsPort, rate: row.half ? rate : 0 }));
      }
    }
  } finally {
    await Promise.all([...runners, ...twins.values()].map(({ child }) => stop(child)));
  }
  return runners.map(({ peer, rounds }) => [peer, rounds] as const);
}

async function raceStarts(row: Row, peers: readonly Peer[], settings: Settings): Promise<Rounds> {
  const all = peers.map(peer => [peer, [] as Figures[]] as const);
  // The first start fills the compile cache.
  for (let round = -1; round < settings.rounds; round++) {
    for (const [peer, rounds] of all) {
      const before = performance.now();
      const { child } = await launch(row, peer, settings);
      const startMs = performance.now() - before;
      // The cache is written a second later.
      if (round < 0) await new Promise(resolve => setTimeout(resolve, settings.warmSeconds * 1000 + 1000));
      else rounds.push({ startMs });
      await stop(child);
    }
  }
  return all;
}

async function launch(row: Row, peer: Peer, settings: Settings): Promise<Runner> {
  const [port, statsPort] = await Promise.all([freePort(), freePort()]);
  const { originPort, folder, seconds, holdSeconds, wrk, io } = settings;
  const stats = row.servers === 0 ? null : { port: statsPort, servers: row.servers };
  const pem = row.setup.tls ? certificateIn(folder) : '';
  const course: Course = { mode: row.mode, port, originPort, stats, setup: row.setup, pem };
  const file = path.join(folder, `${row.name}-${peer.name}.cfg`);
  fs.writeFileSync(file, peer.configuration(course));
  const [command, ...args] = peer.command(file, io);
  const child = start(command, args, 'proxy', 'ignore');
  try {
    await ready(port, row.setup.tls, child);
  } catch (error) {
    await stop(child);
    throw error;
  }
  return { peer, child, stage: { pid: child.pid!, port, statsPort, seconds, holdSeconds, wrk, rate: 0 }, rounds: [] };
}

/** Heats the code. Resolves to the requests per second. */
async function warm({ port }: Stage, tls: boolean, { warmSeconds, wrk }: Settings): Promise<number> {
  const plan = { port, path: '/', connections: 64, close: false, headers: [], tls, seconds: warmSeconds };
  const { requests, seconds } = await saturate(plan, wrk);
  return requests / seconds;
}
