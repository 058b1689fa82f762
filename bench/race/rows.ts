/** What is raced: one row each. `goal` is Sluice / HAProxy of the main figure, unless it has a unit. */
import { cpuFigures, type FigureName, type Figures } from './figures.ts';
import { holding } from './hold.ts';
import { cannonade, type Load, type Plan, pace, saturate } from './load.ts';
import { type Course, PLAIN, type Setup } from './peers.ts';
import { cpuOf, memoryOf } from './processes.ts';
import { resuming } from './resume.ts';
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
  readonly setup: Setup;
  /** One round is enough, and each would change the next. */
  readonly once: boolean;
  readonly mode: Course['mode'];
  /** Servers in the statistics; 0 = no statistics. */
  readonly servers: number;
  /** The statistics that are read are those of a second, idle process: what reading costs the machine, not the proxy. */
  readonly twin: boolean;
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
/** As near to 10,000 as the usual limit of 20,000 descriptors allows: HAProxy counts two for each. */
const IDLE_CONNECTIONS = 9_900;
const plan = ({ port, seconds }: Stage, change: Partial<Plan>): Plan => ({
  ...{ port, seconds, path: '/', connections: CONNECTIONS, close: false, headers: [], tls: false },
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

/** Memory that idle connections cost; each has had an answer. */
async function idle(stage: Stage): Promise<Figures> {
  const before = memoryOf(stage.pid);
  const hold = await holding(stage.port, IDLE_CONNECTIONS);
  const memoryKiB = (memoryOf(stage.pid) - before) / 1024 / IDLE_CONNECTIONS;
  return { memoryKiB, errors: await hold.stop() };
}

const resumed = (stage: Stage) => costs(stage, () => resuming(stage.port, stage.seconds));

const TLS: Setup = { ...PLAIN, tls: true };

const RULES: Setup = {
  ...PLAIN,
  global: ['log $ORIGIN local0'],
  frontend: [
    'log global',
    'option httplog',
    'acl is_api path_beg /api /v1 /v2',
    'acl is_static path_end .png .jpg .css .js',
    'acl is_host hdr(host) -i www.example.com example.com',
    'acl is_local src 127.0.0.0/8 10.0.0.0/8',
    'acl is_write method POST PUT DELETE',
    'http-request deny if is_write !is_local',
    'http-request deny if is_api is_static',
    'http-request set-header X-Forwarded-Host %[req.hdr(host)] unless is_host',
    'http-request add-header X-Local yes if is_local',
    'http-response set-header X-Served-By sluice',
  ],
};

/** Each request is one of so many sources. */
const SOURCES = 100_000;
const RATES: Setup = {
  ...PLAIN,
  frontend: [
    'stick-table type ip size 200k expire 1m store http_req_rate(10s)',
    `http-request track-sc0 rand(${SOURCES})`,
    'http-request deny deny_status 429 if { sc_http_req_rate(0) gt 100000 }',
  ],
};

const GZIP: Setup = {
  ...PLAIN,
  frontend: ['compression algo gzip', 'compression type application/json'],
};

const ROW = { servers: 0, twin: false, half: false, once: false, setup: PLAIN } as const;
const CPU = { ...ROW, main: 'cpuUs' } as const;
const LATENCY = { ...ROW, unit: 'request', mode: 'http', main: 'p99Ms', goal: '<= 1.0' } as const;

export const ROWS: readonly Row[] = [
  {
    ...{ ...CPU, name: 'http', title: 'HTTP, kept connections, small answers', unit: 'request', mode: 'http' },
    ...{ goal: '<= 0.9', measure: saturated({}) },
  },
  {
    ...{ ...CPU, name: 'http-rules', title: 'the same with 5 ACLs, 3 header rules, httplog over UDP', unit: 'request' },
    ...{ mode: 'http', setup: RULES, goal: '<= 1.0', measure: saturated({}) },
  },
  {
    ...{ ...CPU, name: 'http-rates', title: 'the first, http_req_rate of 100,000 sources limited', unit: 'request' },
    ...{ mode: 'http', setup: RATES, goal: '<= 1.0', measure: saturated({}) },
  },
  {
    ...{ ...CPU, name: 'http-2', title: 'the first, two threads', unit: 'request', mode: 'http' },
    ...{ setup: { ...PLAIN, threads: 2 }, goal: '<= 1.11 x http', measure: saturated({}) },
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
    ...{ ...CPU, name: 'gzip', title: 'HTTP, 20 KiB of JSON, gzip', unit: 'request', mode: 'http', setup: GZIP },
    ...{ goal: '<= 1.0', measure: saturated({ path: '/json', headers: ['Accept-Encoding: gzip'] }) },
  },
  {
    ...{ ...CPU, name: 'tls', title: 'HTTPS, kept connections, small answers', unit: 'request', mode: 'http' },
    ...{ setup: TLS, goal: '<= 0.8', measure: saturated({ tls: true }) },
  },
  {
    ...{ ...CPU, name: 'tls-close', title: 'HTTPS, a full handshake per request', unit: 'connection', mode: 'http' },
    ...{ setup: TLS, goal: '<= 0.9', measure: saturated({ tls: true, close: true }) },
  },
  {
    ...{ ...CPU, name: 'tls-resumed', title: 'HTTPS, a resumed session per request', unit: 'connection', mode: 'http' },
    ...{ setup: TLS, goal: '<= 0.9', measure: resumed },
  },
  {
    ...{ ...CPU, name: 'tls-1m', title: 'HTTPS, bodies of 1 MiB', unit: 'MiB', mode: 'http' },
    ...{ setup: TLS, goal: '<= 0.6', measure: saturated({ tls: true, path: '/1m', connections: BULK_CONNECTIONS }) },
  },
  {
    ...{ ...LATENCY, name: 'latency', title: 'HTTP at half of what HAProxy can do' },
    ...{ half: true, measure: paced },
  },
  {
    ...{ ...LATENCY, name: 'stats-quiet', title: `HTTP at ${QUIET_RATE}/s, 1000 servers, nobody looks` },
    ...{ servers: MANY_SERVERS, measure: (stage: Stage) => paced({ ...stage, rate: QUIET_RATE }) },
  },
  {
    ...{ ...LATENCY, name: 'stats-scraped', title: 'the same, CSV read every 10 ms' },
    ...{ servers: MANY_SERVERS, measure: (stage: Stage) => scraped({ ...stage, rate: QUIET_RATE }) },
  },
  {
    ...{ ...LATENCY, name: 'stats-elsewhere', title: 'the same, CSV of a second process read every 10 ms' },
    ...{ servers: MANY_SERVERS, twin: true, measure: (stage: Stage) => scraped({ ...stage, rate: QUIET_RATE }) },
  },
  {
    ...{ ...ROW, name: 'idle', title: 'idle kept connections, memory of each', unit: 'connection', mode: 'http' },
    ...{ setup: { ...PLAIN, maxconn: IDLE_CONNECTIONS + 50 }, once: true },
    ...{ main: 'memoryKiB', goal: '<= 1.0, < 4 KiB', measure: idle },
  },
  {
    ...{ ...ROW, name: 'held', title: 'new connections by autocannon, held', unit: 'connection', mode: 'http' },
    ...{ main: 'errors', goal: '0, 10,000/s', measure: held },
  },
  {
    ...{ ...ROW, name: 'start', title: 'launch to first answer', unit: 'start', mode: 'http' },
    ...{ main: 'startMs', goal: '< 300 ms', measure: null },
  },
];
