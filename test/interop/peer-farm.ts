/** Processes that share stick tables: real HAProxys and real Sluices, with the same configuration. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { ask, backend, config, folder, freePort, LAUNCHER } from '../workers/sluice.ts';

export type Program = 'haproxy' | 'sluice';

/** Tables that `show table` is compared of. */
export const TABLES = ['counts', 'rates', 'sticky', 'p/own'] as const;

export interface Member {
  readonly name: string;
  readonly output: () => string;
  readonly pid: () => number;
  start(...args: string[]): Promise<void>;
  /** Ends it at once, as a crash would. */
  kill(): Promise<void>;
  /** Asks it once with a key of its own and waits for the answer. */
  get(key: string): Promise<string>;
  say(line: string): Promise<string>;
  /** What its tables hold, without what changes with time, sorted. */
  tables(): Promise<string[]>;
}

/** How a member reaches another: its port, unless something stands between. */
export type Via = (from: string, to: string, port: number) => number;

/** `members`: name and program of each. They are not started yet. `pem`: a certificate with its key; they speak TLS with it. */
export async function farm(
  members: Readonly<Record<string, Program>>,
  via: Via = (_from, _to, port) => port,
  pem: string | null = null,
): Promise<Member[]> {
  const dir = folder();
  const servers = await Promise.all(['one', 'two', 'three'].map(backend));
  const places = await Promise.all(
    Object.entries(members).map(async ([name, program]) => {
      return { name, program, peers: await freePort(), web: await freePort(), socket: path.join(dir, `${name}.sock`) };
    }),
  );
  return places.map(place => {
    const secret = pem !== null && [
      `bind 127.0.0.1:${place.peers} ssl crt ${pem}`,
      `default-server ssl verify required ca-file ${pem} verifyhost localhost`,
    ];
    const others = places.map(({ name, peers }) => {
      const address = name === place.name ? peers : via(place.name, name, peers);
      // HAProxy does not take `peer` beside `bind`.
      if (!secret) return `peer ${name} 127.0.0.1:${address}`;
      return name === place.name ? `server ${name}` : `server ${name} 127.0.0.1:${address}`;
    });
    const lines = secret ? [...secret, ...others] : others;
    const file = config(configuration(place, lines, servers), folder());
    return memberOf(place, file);
  });
}

interface MemberPlace {
  readonly name: string;
  readonly program: Program;
  readonly web: number;
  readonly socket: string;
}

/** Keys of each type, but for their last digit. */
export const KEY_STEMS = { ip: '192.0.2.', ipv6: '2001:db8::', integer: '77', string: 'key' } as const;

/** Of every type of data that entries share, with values of many sizes; rates are those of a long time. */
export const SHARED_DATA: Readonly<Record<string, number>> = {
  ...{ server_id: 2, gpt0: 4_000_000_001, gpc0: 1, gpc0_rate: 70_000, conn_cnt: 300, conn_rate: 5, sess_cnt: 6 },
  ...{ sess_rate: 7, http_req_cnt: 2288, http_req_rate: 239, http_err_cnt: 240, http_err_rate: 241, bytes_in_rate: 15 },
  ...{ bytes_in_cnt: 5_000_000_000, bytes_out_cnt: 16_000_000_000_000, bytes_out_rate: 17, gpc1: 19, gpc1_rate: 20 },
  ...{ http_fail_cnt: 12, http_fail_rate: 13 },
};

const stored = Object.keys(SHARED_DATA).map(name => (name.endsWith('_rate') ? `${name}(1000s)` : name));

/** Each request counts in all tables: by its `k` parameter, and by its client. */
function configuration(
  { name, web, socket }: MemberPlace,
  peers: readonly string[],
  servers: readonly number[],
): string {
  return `global
  localpeer ${name}
  nbthread 2
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 5s
peers p
  ${peers.join('\n  ')}
  table own type integer size 1k expire 10m store gpc0
backend counts
  stick-table type string len 20 size 1k expire 10m store gpc(3),gpt(2),http_req_cnt,bytes_in_cnt peers p
backend rates
  stick-table type ip size 1k expire 10m store conn_cnt,conn_rate(1s),http_req_rate(1s),gpc0,gpc0_rate(1s) peers p
${Object.keys(KEY_STEMS)
  .map(type => `backend all_${type}\n  stick-table type ${type} size 1k expire 10m store ${stored.join()} peers p`)
  .join('\n')}
backend sticky
  balance roundrobin
  stick-table type string size 1k expire 10m peers p
  stick on url_param(k)
  ${servers.map((port, i) => `server srv${i + 1} 127.0.0.1:${port}`).join('\n  ')}
frontend web
  bind 127.0.0.1:${web}
  http-request track-sc0 url_param(k) table counts
  http-request track-sc1 hdr(x-client) table rates
  http-request track-sc2 url_param(k),djb2 table p/own
  http-request sc-inc-gpc(1,0)
  http-request sc-inc-gpc0(2)
  default_backend sticky
`;
}

const PROGRAMS: Readonly<Record<Program, (file: string) => [string, string[]]>> = {
  haproxy: file => ['haproxy', ['-db', '-f', file]],
  sluice: file => [LAUNCHER, ['-f', file]],
};

function memberOf({ name, program, web, socket }: MemberPlace, file: string): Member {
  let child: ChildProcess | null = null;
  let output = '';
  onTestFinished(() => void child?.kill('SIGKILL'));
  const member: Member = {
    name,
    output: () => output,
    pid: () => child!.pid!,
    async start(...more) {
      const [command, args] = PROGRAMS[program](file);
      const started = spawn(command, [...args, ...more], { stdio: ['ignore', 'pipe', 'pipe'] });
      onTestFinished(() => void started.kill('SIGKILL'));
      child = started;
      for (const stream of [started.stdout!, started.stderr!]) stream.on('data', data => (output += data));
      await ask(web, '/?k=start');
      await until(() => member.say('show version').then(Boolean, () => false), 'its socket');
    },
    async kill() {
      child!.kill('SIGKILL');
      await once(child!, 'exit');
    },
    get: async key => {
      const headers = { connection: 'close', 'x-client': clientOf(key) };
      return (await fetch(`http://127.0.0.1:${web}/?k=${key}`, { headers })).text();
    },
    say: line => command(socket, line),
    tables: async () => {
      const dumps = await Promise.all(TABLES.map(table => command(socket, `show table ${table}`)));
      return dumps.flatMap((dump, i) => timeless(dump).map(line => `${TABLES[i]}: ${line}`)).sort();
    },
  };
  return member;
}

/** An address for each key, so that of no entry two members tell different things at a time. */
function clientOf(key: string): string {
  return `10.${Buffer.from(key.padEnd(3)).subarray(0, 3).join('.')}`;
}

/** The entries of a dump: key and values, without addresses, times and rates. Those of the start of a member do not count. */
function timeless(dump: string): string[] {
  return dump
    .split('\n')
    .filter(line => line.includes('key=') && !line.includes('key=start') && !line.includes(`key=${START_HASH} `))
    .map(line => line.replace(/^\S+ |(use|exp|shard)=\d+ ?|\S*_rate\(\d+\)=\d+ ?/g, '').trim());
}

/** djb2 of `start`, as `p/own` has it. */
const START_HASH = djb2('start');

function djb2(text: string): number {
  let hash = 5381;
  for (const byte of Buffer.from(text)) hash = (Math.imul(hash, 33) + byte) | 0;
  return hash >>> 0;
}

export function command(socket: string, line: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const conn = net.connect({ path: socket }, () => conn.write(`${line}\n`));
    let answer = '';
    conn.on('data', data => (answer += data));
    conn.on('error', reject);
    conn.on('close', () => resolve(answer));
  });
}

/** Looks until it holds; says what did not when time is over. */
export async function until(holds: () => Promise<boolean> | boolean, what: string, seconds = 20): Promise<void> {
  for (const end = Date.now() + seconds * 1000; !(await holds()); ) {
    if (Date.now() > end) throw new Error(`${what}: not in ${seconds} s`);
    await new Promise(resolve => setTimeout(resolve, 50));
  }
}
