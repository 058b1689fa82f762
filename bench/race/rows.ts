/** What is raced: one row each. `goal` is Sluice / HAProxy of the main figure, unless it has a unit. */
import { cpuFigures, type FigureName, type Figures } from './figures.ts';
import { cannonade, type Load, type Plan, pace, saturate } from './load.ts';
import type { Course } from './peers.ts';
import { cpuOf } from './processes.ts';
import { scraping } from './scrape.ts';

/** A proxy that serves, and how it is to be measured. */
export interface Stage {
  readonly pid: number;
  readonly port: number;
  readonly statsPort: number;
  readonly seconds: number;
  /** Seconds of the row that holds for long. */
  readonly holdSeconds: number;
  readonly wrk: boolean;
  /** Requests per second of rows with a fixed rate. */
  readonly rate: number;
}

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly unit: 'request' | 'connection' | 'MiB' | 'start';
  readonly mode: Course['mode'];
  /** Servers in the statistics; 0 = no statistics. */
  readonly servers: number;
  readonly main: FigureName;
  readonly goal: string;
  /** The rate is half of what HAProxy can do, or Sluice when it is alone. */
  readonly half: boolean;
  /** Null: what is measured is the start itself. */
  readonly measure: ((stage: Stage) => Promise<Figures>) | null;
}

const CONNECTIONS = 64;
/** Enough to fill a processor with bodies of 1 MiB. */
const BULK_CONNECTIONS = 16;
/** Rows that look at latency beside statistics: far below what any peer can do. */
const QUIET_RATE = 2_000;
const MANY_SERVERS = 1_000;
const SCRAPE_EVERY_MS = 10;
const plan = ({ port, seconds }: Stage, change: Partial<Plan>): Plan => ({
  ...{ port, seconds, path: '/', connections: CONNECTIONS, close: false },
  ...change,
});

/** Processor time per request around a load. */
async function costs(stage: Stage, load: () => Promise<Load>): Promise<Figures> {
  const before = cpuOf(stage.pid);
  const { requests, seconds, ...rest } = await load();
  return { ...cpuFigures(before, cpuOf(stage.pid), requests), perSecond: requests / seconds, ...rest };
}

const saturated = (change: Partial<Plan>) => (stage: Stage) =>
  costs(stage, () => saturate(plan(stage, change), stage.wrk));

const paced = (stage: Stage) => costs(stage, () => pace(plan(stage, {}), stage.rate));

async function scraped(stage: Stage): Promise<Figures> {
  const scrape = scraping(stage.statsPort, SCRAPE_EVERY_MS);
  const figures = await paced(stage);
  const errors = await scrape.stop();
  return { ...figures, errors: figures.errors! + errors };
}

const held = (stage: Stage) => costs(stage, () => cannonade(plan(stage, { close: true, seconds: stage.holdSeconds })));

const CPU = { main: 'cpuUs', servers: 0, half: false } as const;
const LATENCY = { unit: 'request', mode: 'http', main: 'p99Ms', goal: '<= 1.0' } as const;

export const ROWS: readonly Row[] = [
  {
    ...{ ...CPU, name: 'http', title: 'HTTP, kept connections, small answers', unit: 'request', mode: 'http' },
    ...{ goal: '<= 0.9', measure: saturated({}) },
  },
  {
    ...{ ...CPU, name: 'http-close', title: 'HTTP, a connection per request', unit: 'connection', mode: 'http' },
    ...{ goal: '<= 0.9', measure: saturated({ close: true }) },
  },
  {
    ...{ ...CPU, name: 'tcp', title: 'TCP relay, small messages', unit: 'request', mode: 'tcp' },
    ...{ goal: '<= 0.9', measure: saturated({}) },
  },
  {
    ...{ ...CPU, name: 'tcp-close', title: 'TCP, a connection per request', unit: 'connection', mode: 'tcp' },
    ...{ goal: '<= 1.0', measure: saturated({ close: true }) },
  },
  {
    ...{ ...CPU, name: 'http-1m', title: 'HTTP, bodies of 1 MiB', unit: 'MiB', mode: 'http' },
    ...{ goal: '<= 0.8', measure: saturated({ path: '/1m', connections: BULK_CONNECTIONS }) },
  },
  {
    ...{ ...CPU, name: 'tcp-1m', title: 'TCP, bodies of 1 MiB', unit: 'MiB', mode: 'tcp' },
    ...{ goal: '<= 0.8', measure: saturated({ path: '/1m', connections: BULK_CONNECTIONS }) },
  },
  {
    ...{ ...LATENCY, name: 'latency', title: 'HTTP at half of what HAProxy can do', servers: 0 },
    ...{ half: true, measure: paced },
  },
  {
    ...{ ...LATENCY, name: 'stats-quiet', title: `HTTP at ${QUIET_RATE}/s, 1000 servers, nobody looks` },
    ...{ servers: MANY_SERVERS, half: false, measure: (stage: Stage) => paced({ ...stage, rate: QUIET_RATE }) },
  },
  {
    ...{ ...LATENCY, name: 'stats-scraped', title: 'the same, CSV read every 10 ms' },
    ...{ servers: MANY_SERVERS, half: false, measure: (stage: Stage) => scraped({ ...stage, rate: QUIET_RATE }) },
  },
  {
    ...{
      name: 'held',
      title: 'new connections by autocannon, held',
      unit: 'connection',
      mode: 'http',
    },
    ...{ servers: 0, main: 'errors', goal: '0, 10,000/s', half: false, measure: held },
  },
  {
    ...{ name: 'start', title: 'launch to first answer', unit: 'start', mode: 'http', servers: 0 },
    ...{ main: 'startMs', goal: '< 300 ms', half: false, measure: null },
  },
];
