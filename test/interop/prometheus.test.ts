/**
 * The exporters of HAProxy and of Sluice with the same configuration after the same traffic: the same metrics, types and
 * series, and the same values where they are not a matter of the machine or of the moment.
 */
import { spawn } from 'node:child_process';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ask, backend, config, freePort, start } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const ASKED = process.env.SLUICE_INTEROP === '1';
const version = haproxyVersion();
if (!ASKED) console.log('prometheus.test: skipped, it runs a real haproxy: set SLUICE_INTEROP=1');
else if (version === null) console.log('prometheus.test: skipped, no haproxy in PATH to compare with');

/** Metrics that newer versions than Debian's have, and that Sluice adds. */
const NEWER =
  /^(haproxy_process_(node|description)|haproxy_\w+_http_cache_hint_hits_total|haproxy_server_(active|backup)|haproxy_resolver_\w+|sluice_\w+_time_seconds)$/;

/** Values of these differ by nature: limits of the machine, rates, memory, times, bytes in HTTP's own representation. */
const VARIES =
  /^haproxy_(process_(?!nbthread|nbproc|relative|requests_total|stopping|unstoppable|.*(ssl|pipes|peers|polling))|\w+_(seconds(_total)?|bytes_(in|out)_total|max_session_rate|rate_max|limit_sessions|need_connections_current|idle_connections_current|used_connections_current)\b)/;

interface Scrape {
  readonly types: ReadonlyMap<string, string>;
  readonly values: ReadonlyMap<string, string>;
}

function parse(text: string): Scrape {
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(m => [m[1]!, m[2]!]));
  const values = new Map([...text.matchAll(/^([^#\s][^\n]*) (\S+)$/gm)].map(m => [m[1]!, m[2]!]));
  return { types, values };
}

/** Numbers as numbers: 0.000000 and 0 are the same. */
const number = (value: string | undefined) => (value === undefined ? null : Number(value));

describe.skipIf(!ASKED || version === null)(`beside ${version}`, () => {
  test('the same metrics, series and values', { timeout: 60_000 }, async () => {
    const origin = await backend('origin');
    const dead = await freePort();
    const run = async (launch: (file: string) => void): Promise<(query: string) => Promise<string>> => {
      const [port, tcp] = [await freePort(), await freePort()];
      launch(
        config(`
global
  node n1
  nbthread 1
  maxconn 500
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend web
  description front "desk"
  bind 127.0.0.1:${port} name one
  option socket-stats
  stick-table type ip size 2k expire 1m
  http-request track-sc0 src
  http-request use-service prometheus-exporter if { path /metrics }
  http-request deny if { path /no }
  default_backend app
backend app
  balance first
  server s1 127.0.0.1:${origin} check inter 100ms
  server s2 127.0.0.1:${dead} check inter 100ms rise 1 fall 1
  server s3 127.0.0.1:${dead} disabled
  server s4 127.0.0.1:${dead} backup
listen tl
  mode tcp
  bind 127.0.0.1:${tcp}
  server x 127.0.0.1:${origin} maxconn 5 maxqueue 7
  stick-table type string len 20 size 1k
`),
      );
      await ask(port, '/0');
      await new Promise(resolve => setTimeout(resolve, 800));
      for (const uri of ['/1', '/no', '/2', '/3']) await ask(port, uri);
      return query => ask(port, `/metrics${query}`);
    };
    const theirs = await run(file => {
      const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
      onTestFinished(() => void child.kill('SIGKILL'));
    });
    const ours = await run(file => void start(['-f', file]));
    // The listening of both is tried by connections that differ in number: what counts those is left out below.
    const [a, b] = [parse(await theirs('')), parse(await ours(''))];
    expect([...a.types].filter(([name, type]) => b.types.get(name) !== type)).toEqual([]);
    expect([...b.types.keys()].filter(name => !a.types.has(name) && !NEWER.test(name))).toEqual([]);
    const known = (key: string) => a.types.has(key.replace(/\{.*/, '')) && !key.includes('build_info');
    expect([...b.values.keys()].filter(known).sort()).toEqual([...a.values.keys()].filter(known).sort());
    const differing = [...a.values]
      .filter(([key]) => !VARIES.test(key))
      .filter(([key, value]) => !Object.is(number(value), number(b.values.get(key))))
      .map(([key, value]) => `${key} ${value} ${b.values.get(key)}`);
    expect(differing).toEqual([]);

    for (const query of [
      '?scope=server&no-maint',
      '?scope=frontend&scope=listener',
      '?scope=sticktable',
      '?scope=*&scope=',
      '?scope=nothing',
    ]) {
      const names = async (scrape: typeof ours) => [...parse(await scrape(query)).values.keys()].filter(known).sort();
      expect(await names(ours), query).toEqual(await names(theirs));
    }
  });
});
