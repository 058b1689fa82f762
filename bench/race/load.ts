/** The load: wrk when it is installed, else autocannon, and a pacer of our own where the rate is fixed. */
import path from 'node:path';
import { run, versionOf } from './processes.ts';

const ROOT = path.join(import.meta.dirname, '../..');
const AUTOCANNON = path.join(ROOT, 'node_modules/.bin/autocannon');

/** What a load generator measured. */
export interface Load {
  readonly requests: number;
  readonly seconds: number;
  /** Failed connections, time-outs, answers other than 2xx. */
  readonly errors: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly p999Ms?: number;
}

export interface Plan {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** A new connection for each request. */
  readonly close: boolean;
  /** Header lines beside the usual ones. */
  readonly headers: readonly string[];
  readonly tls: boolean;
  readonly seconds: number;
}

export const WRK = versionOf('wrk');

/** As much as goes through. */
export function saturate(plan: Plan, wrk: boolean): Promise<Load> {
  return wrk ? runWrk(plan) : cannonade(plan);
}

async function runWrk({ port, path: uri, connections, close, headers, tls, seconds }: Plan): Promise<Load> {
  const header = [...headers, ...(close ? ['Connection: close'] : [])].flatMap(line => ['-H', line]);
  const script = path.join(import.meta.dirname, 'wrk.lua');
  const words = ['-t1', `-c${connections}`, `-d${seconds}s`, '-s', script, ...header, urlOf(port, uri, tls)];
  return parseWrk(await run('wrk', words));
}

function urlOf(port: number, path: string, tls: boolean): string {
  return `${tls ? 'https' : 'http'}://127.0.0.1:${port}${path}`;
}

/** wrk's own report, then the line of wrk.lua. Throws when there is none. */
export function parseWrk(text: string): Load {
  const line = text.split('\n').findLast(l => l.startsWith('{'));
  if (line === undefined) throw new Error(`wrk printed no figures:\n${text}`);
  return JSON.parse(line);
}

/**
 * autocannon, as fast as it goes. Where the server closes, it has a next request in its queue before it sees that: its
 * counts are right, its times are not, and are left out.
 */
export async function cannonade({ port, path: uri, connections, close, headers, tls, seconds }: Plan): Promise<Load> {
  const header = [...headers, ...(close ? ['Connection: close'] : [])].flatMap(line => ['-H', line]);
  const words = ['-j', '-n', '-c', `${connections}`, '-d', `${seconds}`, ...header, urlOf(port, uri, tls)];
  const load = parseAutocannon(await run(process.execPath, [AUTOCANNON, ...words]));
  return close ? { requests: load.requests, seconds: load.seconds, errors: load.errors } : load;
}

/** The figures in autocannon's JSON. */
export function parseAutocannon(text: string): Load {
  const { requests, duration, errors, timeouts, non2xx, latency } = JSON.parse(text);
  return {
    requests: requests.total,
    seconds: duration,
    errors: errors + timeouts + non2xx,
    p50Ms: latency.p50,
    p99Ms: latency.p99,
    p999Ms: latency.p99_9,
  };
}

/** `rate` requests per second over kept connections, with times that count from when a request was due. */
export async function pace({ port, connections, seconds }: Plan, rate: number): Promise<Load> {
  const words = [path.join(import.meta.dirname, 'pacer.ts'), ...[port, rate, seconds, connections].map(String)];
  return JSON.parse(await run(process.execPath, words));
}
