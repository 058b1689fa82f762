/** Connections that resume a TLS session, one request each: openssl(1), several at a time. */
import type { Load } from './load.ts';
import { run } from './processes.ts';

const AT_A_TIME = 4;

/** TLS 1.3, as fast as it goes for `seconds`. */
export async function resuming(port: number, seconds: number): Promise<Load> {
  const words = ['s_time', '-connect', `127.0.0.1:${port}`, '-reuse', '-www', '/', '-time', `${seconds}`];
  const all = await Promise.all(Array.from({ length: AT_A_TIME }, () => run('openssl', words)));
  const requests = all.reduce((sum, text) => sum + parseTimes(text), 0);
  return { requests, seconds, errors: 0 };
}

/** `1234 connections in 2 real seconds`: the line about those that were resumed. */
export function parseTimes(text: string): number {
  const counts = [...text.matchAll(/^(\d+) connections in \d+ real seconds/gm)].map(([, n]) => Number(n));
  if (counts.length === 0) throw new Error(`openssl s_time printed no figures:\n${text}`);
  return counts.at(-1)!;
}
