/** A configuration like an operator's, and shared memory with traffic and checks in it. */
import type { Bind, Model } from '../../engine/config/model.ts';
import type { Proxy, StatsPage } from '../../engine/config/proxy-model.ts';
import type { Server } from '../../engine/config/server-model.ts';
import { initialise } from '../../engine/health/initialise.ts';
import { L4CON, L4OK, L7OKC } from '../../engine/health/statuses.ts';
import { writeCheckText } from '../../engine/health/text.ts';
import { COUNTERS, type CounterName } from '../../engine/shm/counters.ts';
import { Memory, type RowKind, shapeOf, topology } from '../../engine/shm/memory.ts';
import { rateAdd } from '../../engine/shm/rate.ts';
import {
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  OPER_RUNNING,
  OPER_STOPPED,
  OPER_STOPPING,
  PROCESS,
  PROXY,
  SERVER,
  WORKER,
} from '../../engine/shm/words.ts';
import type { Dump } from '../../engine/stats/out.ts';
import { createView, type Facts, type View } from '../../engine/stats/view.ts';

export const WORKERS = 3;
/** Milliseconds of the shared clock at which everything is read; the process started 3725 seconds before. */
export const NOW = 5_000_250;
const START_SECOND = 1275;

export const PAGE: StatsPage = {
  uri: '/haproxy?stats',
  realm: 'Statistics',
  auth: [],
  refreshSeconds: 10,
  scope: [],
  hideVersion: false,
  showDesc: 'Front of the web',
  showLegends: true,
  showNode: 'lb1',
  showModules: false,
  admin: true,
  adminIf: [],
};

export const FACTS: Facts = {
  pid: 4711,
  nbthread: WORKERS,
  startWallMs: 1_700_000_000_000,
  bootMs: 42,
  hostName: 'host1',
  version: '0.1.0',
  releaseDate: '2026/11/22',
  ioName: 'uring',
  ulimitN: 4041,
  maxsock: 4041,
  warnings: 2,
};

const address = (port: number) => ({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port }) as const;
const timers = { interMs: 500, fastinterMs: 0, downinterMs: 0 };

function bind(name: string, id: number, port: number): Bind {
  return { name, id, text: `127.0.0.1:${port}`, address: address(port), maxconn: 0 } as unknown as Bind;
}

export function server(index: number, name: string, more: Partial<Server> = {}): Server {
  const check = { ...timers, rise: 2, fall: 3, address: address(8000), sendProxy: false };
  const base = { index, id: index + 1, name, text: '127.0.0.1:8000', address: address(8000), weight: 1, backup: false };
  const limits = { disabled: false, maxconn: 0, minconn: 0, maxqueue: 0, poolMaxConn: -1, slowstartMs: 0 };
  const none = { track: null, agent: null, observe: null, saved: null, initState: 'none', source: null };
  return { ...base, ...limits, ...none, cookie: null, check, ...more } as unknown as Server;
}

export function proxy(index: number, kind: Proxy['kind'], name: string, more: Partial<Proxy> = {}): Proxy {
  const base = { index, kind, name, id: index + 2, description: null, disabled: false, mode: 'http', cookie: null };
  const limits = { maxconn: 500, fullconn: 0, rateLimitSessions: 0, defaultBackend: -1, useBackend: [] };
  const parts = { binds: [], servers: [], balance: { algorithm: 'roundrobin' }, options: {}, stats: null };
  const serverSlots = more.servers?.length ?? 0;
  return { ...base, ...limits, ...parts, serverSlots, ...more } as unknown as Proxy;
}

const SERVERS = [
  server(0, 'a', { weight: 10, cookie: 'aa', maxconn: 10, maxqueue: 7 }),
  server(1, 'b', { weight: 20 }),
  server(2, 'c', { address: address(1) }),
  server(3, 'd', { backup: true }),
  server(4, 'e', { disabled: true }),
  server(5, 'f', { check: null }),
  server(6, 'g', { weight: 0 }),
  server(7, 'h'),
  server(8, 'i'),
];

export const MODEL: Model = {
  global: {
    node: 'lb1',
    description: 'edge, of the "lab"',
    maxconn: 2000,
    statsSockets: [],
    tls: { maxConn: 0, maxRate: 0 },
    compression: { rateBytes: 0, memoryBytes: 0 },
  },
  userlists: [],
  rings: [],
  resolvers: [],
  peers: [],
  logForwards: [],
  proxies: [
    proxy(0, 'frontend', 'web', {
      binds: [bind('main', 1, 80), bind('sock-2', 2, 81)],
      options: { socketStats: true } as Proxy['options'],
      defaultBackend: 1,
      stats: PAGE,
    }),
    proxy(1, 'backend', 'app', {
      description: 'the <b>application</b>',
      servers: SERVERS,
      balance: { algorithm: 'leastconn' } as Proxy['balance'],
      cookie: { name: 'SRV' } as Proxy['cookie'],
    }),
    proxy(2, 'backend', 'chk404', { servers: [server(0, 'a'), server(1, 'b', { backup: true })] }),
    proxy(3, 'listen', 'tl', {
      mode: 'tcp',
      binds: [bind('sock-1', 1, 82)],
      servers: [server(0, 'x'), server(1, 'b,"c"')],
      defaultBackend: 3,
    }),
    proxy(4, 'backend', 'off', { disabled: true, servers: [server(0, 'z')] }),
    proxy(5, 'listen', 'stats', { defaultBackend: 5 }),
  ],
} as unknown as Model;

export interface Fixture {
  readonly memory: Memory;
  readonly view: View;
  /** Sets words of one server, by its number over the whole configuration. */
  server(index: number, words: Partial<Record<keyof typeof SERVER.at, number>>): void;
  proxy(index: number, words: Partial<Record<keyof typeof PROXY.at, number>>): void;
  /** Adds to a counter in each worker's row: `value` in the first, twice that in the second ... Sum = 6 x value. */
  count(kind: RowKind, index: number, name: CounterName, value: number): void;
}

/** Memory as it is right after the start. */
export function fresh(model: Model = MODEL): Fixture {
  const memory = Memory.create(shapeOf(model, WORKERS));
  initialise(memory, model, START_SECOND * 1000);
  memory.words[memory.process + PROCESS.at.start_second] = START_SECOND;
  memory.words[memory.process + PROCESS.at.maxconn] = 2000;
  for (let w = 0; w < WORKERS; w++) memory.words[memory.worker(w) + WORKER.at.alive] = 1;
  return {
    memory,
    view: createView({ model, memory, topology: topology(model), facts: FACTS }),
    server(index, words) {
      for (const [name, value] of Object.entries(words)) {
        memory.words[memory.server(index) + SERVER.at[name as keyof typeof SERVER.at]] = value;
      }
    },
    proxy(index, words) {
      for (const [name, value] of Object.entries(words)) {
        memory.words[memory.proxy(index) + PROXY.at[name as keyof typeof PROXY.at]] = value;
      }
    },
    count(kind, index, name, value) {
      for (let w = 0; w < WORKERS; w++) {
        memory.counters[memory.row(w, kind, index) + COUNTERS.at[name]]! += value * (w + 1);
      }
    },
  };
}

const UP = {
  oper: OPER_RUNNING,
  admin: 0,
  check_on: 3,
  check_status: L4OK,
  check_health: 4,
  check_code: -1,
  check_duration: 1,
  last_change: START_SECOND,
};
const DOWN = { ...UP, oper: OPER_STOPPED, check_status: L4CON, check_health: 0, eweight: 0 };
const NOLB = { ...UP, oper: OPER_STOPPING, check_status: L7OKC, check_code: 404, eweight: 0 };

/** The same with traffic, and with servers in every state. */
export function busy(): Fixture {
  const f = fresh();
  for (let i = 0; i < 13; i++) f.server(i, UP);
  f.server(1, { admin: ADMIN_FORCED_DRAIN, eweight: 0, last_change: 4944 });
  f.server(2, { ...DOWN, check_fails: 1, down_trans: 1 });
  writeCheckText(f.memory, 2, 'check', 'Connection refused');
  f.server(4, { ...DOWN, admin: ADMIN_FORCED_MAINT });
  f.server(5, { check_on: 0 });
  f.server(7, { check_health: 3 });
  f.server(8, { ...DOWN, check_health: 1 });
  f.server(9, NOLB);
  f.server(10, NOLB);
  f.proxy(0, { fe_conns: 7, fe_conns_max: 12, fe_maxconn: 500 });
  f.proxy(1, { act: 4, bck: 1 });
  f.proxy(2, { act: 0, bck: 0 });
  f.proxy(3, { act: 2, bck: 0 });
  const traffic = { cum_sess: 100, cum_conn: 110, cum_req: 250, hrsp_2xx: 200, hrsp_4xx: 50 };
  for (const [name, value] of Object.entries(traffic)) {
    f.count('frontend', 0, name as CounterName, value);
    f.count('backend', 1, name as CounterName, value);
    f.count('server', 0, name as CounterName, value);
  }
  f.count('frontend', 0, 'bytes_in', 123_456_789_012);
  f.count('frontend', 0, 'bytes_out', 1_234_567);
  f.count('server', 0, 'cum_lb', 99);
  f.memory.counters[f.memory.row(1, 'server', 0) + COUNTERS.at.last_sess] = 4931;
  const rows = f.memory.rows('frontend', 0, COUNTERS.at.sess_rate);
  for (const row of rows) rateAdd(f.memory.counters, rows, row, NOW, 4);
  return f;
}

/** All bytes of a dump; each piece is copied, as it is only lent. */
export function text(dump: Dump): string {
  const pieces: Buffer[] = [];
  for (let piece = dump.next(); piece !== null; piece = dump.next()) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces).toString();
}
