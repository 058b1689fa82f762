/**
 * `node bench/lbaas.ts`: load balancers by the API, each with members, all at once. How long until the first and all of them have
 * traffic, how long the API takes for a request, how much memory it takes.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const LAUNCHER = path.join(import.meta.dirname, '../scripts/sluice');
const PORT = 8080;
/** Balancers that are made at the same time, as so many users would. */
const USERS = 8;

const { values: options } = parseArgs({
  options: {
    balancers: { type: 'string', default: '500' },
    members: { type: 'string', default: '10' },
    'per-process': { type: 'string', default: '25' },
    io: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

const HELP = `node bench/lbaas.ts [options]
  --balancers <number>    how many (500)
  --members <number>      in the pool of each (10)
  --per-process <number>  that share a process (25; with 1 each takes the memory of a process)
  --io <net|uring>        how the processes serve sockets`;

interface Timed {
  readonly ms: number[];
}

/** Of an answer, what is asked for here. */
interface Item {
  readonly id: string;
  readonly vip_address: string;
  readonly provisioning_status: string;
  readonly status_description: string;
}

class Api {
  readonly #url: string;
  readonly #timed: Timed;

  constructor(url: string, timed: Timed) {
    this.#url = url;
    this.#timed = timed;
  }

  /** @returns what the answer has, by key: one item, or a list of them */
  async ask<T = Item>(method: string, url: string, body?: object): Promise<Readonly<Record<string, T>>> {
    const start = performance.now();
    const json = { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } };
    const response = await fetch(this.#url + url, { method, ...(body === undefined ? {} : json) });
    const text = await response.text();
    this.#timed.ms.push(performance.now() - start);
    if (!response.ok) throw new Error(`${method} ${url}: ${response.status} ${text}`);
    return text.startsWith('{') ? JSON.parse(text) : {};
  }

  /** Creates, and waits until it is in force. */
  async make(key: string, url: string, values: object, lb?: string): Promise<string> {
    const { id } = (await this.ask('POST', url, { [key]: values }))[key]!;
    await this.active(lb ?? id);
    return id;
  }

  async active(lb: string): Promise<void> {
    for (;;) {
      const loadbalancer = (await this.ask('GET', `/v2.0/lbaas/loadbalancers/${lb}`)).loadbalancer!;
      if (loadbalancer.provisioning_status === 'ACTIVE') return;
      if (loadbalancer.provisioning_status === 'ERROR') throw new Error(loadbalancer.status_description);
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as net.AddressInfo;
  server.close();
  return port;
}

/** One balancer: a listener, a pool, its members in one batch, traffic. */
async function balancer(api: Api, subnet: string, ports: readonly number[]): Promise<void> {
  const base = '/v2.0/lbaas';
  const given = { loadbalancer: { vip_subnet_id: subnet } };
  const { id: lb, vip_address } = (await api.ask('POST', `${base}/loadbalancers`, given)).loadbalancer!;
  await api.active(lb);
  const protocol = 'HTTP';
  const listener = await api.make(
    'listener',
    `${base}/listeners`,
    { loadbalancer_id: lb, protocol, protocol_port: PORT },
    lb,
  );
  const pool = await api.make(
    'pool',
    `${base}/pools`,
    { listener_id: listener, protocol, lb_algorithm: 'ROUND_ROBIN' },
    lb,
  );
  const list = ports.map(protocol_port => ({ address: '127.0.0.1', protocol_port }));
  await api.ask('PUT', `${base}/pools/${pool}/members`, { members: list });
  await api.active(lb);
  for (;;) if ((await answer(vip_address)) === 200) return;
}

function answer(host: string): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>();
  const request = http.get({ host, port: PORT, agent: false }, response => resolve(response.resume().statusCode!));
  request.on('error', () => setTimeout(() => resolve(0), 10));
  return promise;
}

/** Memory of a process, its part of what it shares with others included, KiB; 0 when it is gone. */
function memoryKiB(pid: number): number {
  try {
    return Number(/^Pss:\s+(\d+)/m.exec(fs.readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function main(): Promise<void> {
  const [count, members] = [Number(options.balancers), Number(options.members)];
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-bench-'));
  const origins = await Promise.all(Array.from({ length: members }, originServer));
  const port = await freePort();
  const words = [
    'lbaas',
    '--state',
    state,
    '--listen',
    `127.0.0.1:${port}`,
    '--quiet',
    '--subnet',
    'bench=127.10.0.0/16',
    '--per-process',
    options['per-process'],
  ];
  const child = spawn(LAUNCHER, [...words, ...(options.io === undefined ? [] : ['--io', options.io])], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const timed: Timed = { ms: [] };
  const api = new Api(`http://127.0.0.1:${port}`, timed);
  try {
    const ports = origins.map(origin => (origin.address() as net.AddressInfo).port);
    await measure(api, timed, child, state, { count, ports });
  } finally {
    child.kill();
    await once(child, 'exit');
    for (const pid of pids(state)) process.kill(pid);
    for (const origin of origins) origin.close();
    fs.rmSync(state, { recursive: true, force: true });
  }
}

function pids(state: string): number[] {
  const folder = path.join(state, 'lbaas');
  const all = fs.readdirSync(folder).map(id => Number(fs.readFileSync(path.join(folder, id, 'pid'), 'utf8')));
  return [...new Set(all)];
}

async function originServer(): Promise<http.Server> {
  const server = http.createServer((_request, response) => response.end('ok')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

interface Load {
  readonly count: number;
  /** Of the members of each. */
  readonly ports: readonly number[];
}

async function measure(
  api: Api,
  timed: Timed,
  child: ChildProcess,
  state: string,
  { count, ports }: Load,
): Promise<void> {
  let subnet = '';
  while (subnet === '') {
    try {
      subnet = (await api.ask<Item[]>('GET', '/v2.0/subnets')).subnets![0]!.id;
    } catch {
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
  timed.ms.length = 0;
  const start = performance.now();
  const each: number[] = [];
  let left = count;
  const user = async () => {
    while (left-- > 0) {
      const begun = performance.now();
      await balancer(api, subnet, ports);
      each.push(performance.now() - begun);
    }
  };
  await Promise.all(Array.from({ length: USERS }, user));
  const seconds = (performance.now() - start) / 1000;
  const sorted = timed.ms.toSorted((a, b) => a - b);
  const part = (p: number) => sorted[Math.min(Math.floor(sorted.length * p), sorted.length - 1)]!.toFixed(1);
  const memory = pids(state).map(memoryKiB);
  const all = memory.reduce((a, b) => a + b, 0);
  const mib = (kib: number) => `${(kib / 1024).toFixed(0)} MiB`;
  console.log(`${count} load balancers with ${ports.length} members each
  until all have traffic        ${seconds.toFixed(1)} s
  from request to traffic       median ${(each.toSorted((a, b) => a - b)[count >> 1]! / 1000).toFixed(2)} s, ${USERS} at a time
  API, ${sorted.length} requests${' '.repeat(Math.max(16 - String(sorted.length).length, 1))}p50 ${part(0.5)} ms, p99 ${part(0.99)} ms
  memory of the control plane   ${mib(memoryKiB(child.pid!))}
  memory of ${memory.length} processes${' '.repeat(Math.max(10 - String(memory.length).length, 1))}${mib(all)}, ${mib(all / memory.length)} each, ${mib(all / count)} for a load balancer`);
}

if (options.help) console.log(HELP);
else await main();
