/** A control plane with real processes, in a folder that goes with the test. */
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { parseLbaas } from '../../workers/lbaas/options.ts';
import { serve } from '../../workers/lbaas/serve.ts';
import { LAUNCHER } from '../workers/sluice.ts';
import { V2 } from './desk.ts';

// biome-ignore lint/suspicious/noExplicitAny: what the server sends is what is looked at
type Body = any;

export interface Farm {
  readonly state: string;
  readonly url: string;
  ask(method: string, path: string, body?: object): Promise<{ status: number; body: Body }>;
  /** Asks, expects success, waits until nothing is pending. */
  do(method: string, path: string, body?: object): Promise<Body>;
  /** Nothing is left to do. */
  idle(): Promise<void>;
  close(): Promise<void>;
  /** Pid of the process of a load balancer or v1 pool. */
  pid(id: string): number;
}

/** Of control planes that may still be open. */
const closers: (() => Promise<void>)[] = [];

export function stateFolder(): string {
  const state = fs.mkdtempSync(path.join(os.tmpdir(), 'lbaas-'));
  onTestFinished(async () => {
    // First those who would start again what ends.
    for (const close of closers.splice(0)) await close();
    endAll(state);
    fs.rmSync(state, { recursive: true, force: true });
  });
  return state;
}

/** Ends every process that runs a configuration of the folder. */
export function endAll(state: string): void {
  for (const name of fs.readdirSync('/proc').filter(n => /^\d+$/.test(n))) {
    try {
      const words = fs.readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0');
      if (words.some(word => word.startsWith(`${fs.realpathSync(state)}/`))) process.kill(Number(name), 'SIGKILL');
    } catch {
      // gone
    }
  }
}

/** @param token that requests have */
export async function farm(state = stateFolder(), words: readonly string[] = [], token = ''): Promise<Farm> {
  const { options, error } = parseLbaas([
    ...['--state', state, '--listen', '127.0.0.1:0', '--poll', '100', '--quiet', '--subnet', 'local=127.0.0.0/8'],
    ...words,
  ]);
  if (error !== null) throw new Error(error);
  const served = await serve(options, LAUNCHER);
  let closed = false;
  const close = async () => {
    if (!closed) await served.close();
    closed = true;
  };
  closers.push(close);
  const ask: Farm['ask'] = async (method, url, body) => {
    const response = await fetch(served.url + url, {
      method,
      headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), 'x-auth-token': token },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    return { status: response.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  };
  return {
    ...{ state, url: served.url, ask, close },
    idle: () => served.controller.idle(),
    pid: id => Number(fs.readFileSync(path.join(state, 'lbaas', id, 'pid'), 'utf8')),
    do: async (method, url, body) => {
      const { status, body: answer } = await ask(method, url, body);
      if (status >= 300) throw new Error(`${method} ${url}: ${status} ${JSON.stringify(answer)}`);
      await served.controller.idle();
      return answer;
    },
  };
}

/** Addresses of tests that run at the same time differ: the pid is in them. */
let next = 0;
export function freeVip(): string {
  next++;
  return `127.${1 + (process.pid % 254)}.${(process.pid >> 8) % 255}.${10 + (next % 200)}`;
}

export interface Site {
  readonly port: number;
  /** What it answers to everything; 0 = it is ill: 503. */
  status: number;
  /** Requests so far, without those of checks. */
  readonly requests: http.IncomingMessage[];
  close(): void;
}

/** A server that answers its name, and `/health` too. */
export async function site(name: string, port = 0): Promise<Site> {
  const requests: http.IncomingMessage[] = [];
  const server = http.createServer((request, response) => {
    if (request.url !== '/health') requests.push(request);
    response.statusCode = it.status || 503;
    response.setHeader('set-cookie', [`APP=${name}`]);
    response.end(name);
  });
  await new Promise<void>(resolve => server.listen(port, '127.0.0.1', resolve));
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  onTestFinished(close);
  const it: Site = { port: (server.address() as { port: number }).port, status: 200, requests, close };
  return it;
}

export interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: http.IncomingHttpHeaders;
}

/** One request on a connection of its own; rejects when there is no answer. */
export function get(address: string, port: number, url = '/', headers: http.OutgoingHttpHeaders = {}): Promise<Got> {
  const { promise, resolve, reject } = Promise.withResolvers<Got>();
  const request = http.get({ host: address, port, path: url, headers, agent: false, timeout: 5_000 }, response => {
    let body = '';
    response.on('data', chunk => {
      body += chunk;
    });
    response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }));
  });
  request.on('timeout', () => request.destroy(new Error('no answer')));
  request.on('error', reject);
  return promise;
}

/** Bodies of `n` requests, counted. */
export async function spread(n: number, ask: () => Promise<Got>): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < n; i++) {
    const { body } = await ask();
    counts[body] = (counts[body] ?? 0) + 1;
  }
  return counts;
}

/** Tries until `check` does not throw. */
export async function eventually(check: () => Promise<void> | void, withinMs = 10_000): Promise<void> {
  const deadline = Date.now() + withinMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
  }
}

/** Of the listeners that `balancer` makes. */
export const PORT = 8080;

export async function localSubnet(f: Farm): Promise<string> {
  return (await f.ask('GET', '/v2.0/subnets?name=local')).body.subnets[0].id;
}

export interface Balancer {
  readonly lb: string;
  readonly listener: string;
  readonly pool: string;
  readonly members: readonly string[];
  readonly vip: string;
}

/** A load balancer on an address of its own, with a listener, a pool and members on these ports of 127.0.0.1. */
export async function balancer(
  f: Farm,
  ports: readonly number[],
  { listener = {}, pool = {} }: { readonly listener?: object; readonly pool?: object } = {},
): Promise<Balancer> {
  const vip = freeVip();
  const make = async (path: string, key: string, values: object) =>
    (await f.do('POST', `${V2}/${path}`, { [key]: values }))[key].id as string;
  const lb = await make('loadbalancers', 'loadbalancer', {
    name: 'lb',
    vip_subnet_id: await localSubnet(f),
    vip_address: vip,
  });
  const front = { loadbalancer_id: lb, protocol: 'HTTP', protocol_port: PORT, ...listener };
  const listenerId = await make('listeners', 'listener', front);
  const farmed = { listener_id: listenerId, protocol: 'HTTP', lb_algorithm: 'ROUND_ROBIN', ...pool };
  const poolId = await make('pools', 'pool', farmed);
  const members: string[] = [];
  for (const protocol_port of ports)
    members.push(await make(`pools/${poolId}/members`, 'member', { address: '127.0.0.1', protocol_port }));
  return { lb, listener: listenerId, pool: poolId, members, vip };
}
