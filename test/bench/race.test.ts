import { describe, expect, test } from 'vitest';
import { cpuFigures, median, type Result, ratio, summarise, table } from '../../bench/race/figures.ts';
import { parseAutocannon, parseWrk } from '../../bench/race/load.ts';
import { PEERS } from '../../bench/race/peers.ts';
import { parseStat } from '../../bench/race/processes.ts';
import { ROWS } from '../../bench/race/rows.ts';
import { parseModel } from '../proxy/rig.ts';
import { pemFile } from '../tls/certificates.ts';

describe('figures', () => {
  test('the median is the middle, or the mean of the two in the middle', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([10, 9, 1, 2])).toBe(5.5);
    expect(median([7])).toBe(7);
    expect(median([])).toBe(NaN);
  });

  test('rounds become medians, their errors a sum', () => {
    const rounds = [
      { cpuUs: 5, errors: 1 },
      { cpuUs: 9, errors: 0, p99Ms: 2 },
      { cpuUs: 6, errors: 2 },
    ];
    expect(summarise(rounds)).toEqual({ cpuUs: 6, errors: 3, p99Ms: 2 });
    expect(summarise([])).toEqual({});
  });

  test('processor time is per unit', () => {
    const figures = cpuFigures({ user: 1000, system: 500 }, { user: 3000, system: 1500 }, 100);
    expect(figures).toEqual({ cpuUs: 30, userUs: 20, systemUs: 10 });
  });

  const of = (row: string, peer: string, figures: Result['figures'], main: Result['main'] = 'cpuUs'): Result => ({
    ...{ row, peer, figures, main, unit: 'request', goal: '<= 0.9' },
  });
  const results = [
    of('a', 'sluice', { cpuUs: 4.5, userUs: 2, systemUs: 2.5, perSecond: 12_345.6 }),
    of('a', 'haproxy', { cpuUs: 9 }),
    of('b', 'sluice', { errors: 3 }, 'errors'),
    of('b', 'haproxy', { errors: 0 }, 'errors'),
  ];

  test('a ratio is of the main figure, and null without one to divide by', () => {
    expect(ratio(results, 'a', 'sluice', 'haproxy')).toBe(0.5);
    expect(ratio(results, 'a', 'sluice', 'nginx')).toBe(null);
    expect(ratio(results, 'b', 'sluice', 'haproxy')).toBe(null);
    expect(ratio(results, 'c', 'sluice', 'haproxy')).toBe(null);
  });

  test('the table has a line per result, in columns', () => {
    const lines = table(results).split('\n');
    expect(lines.length).toBe(1 + results.length);
    expect(lines[1]).toMatch(/^a +sluice +4\.5 +2\.0 +2\.5 +request +12346 +0\.50 +<= 0\.9$/);
    const column = lines[0]!.indexOf('/ haproxy') + '/ haproxy'.length;
    expect(lines[1]!.slice(0, column)).toMatch(/0\.50$/);
  });
});

describe('what the tools print', () => {
  test('wrk: the line of wrk.lua, after its own report', () => {
    const text = `Running 1s test @ http://127.0.0.1:1/
  1 threads and 2 connections
Requests/sec:   9.00
{"requests":9,"seconds":1.000100,"errors":0,"p50Ms":0.085,"p99Ms":1.200,"p999Ms":3.000}
`;
    expect(parseWrk(text)).toEqual({ requests: 9, seconds: 1.0001, errors: 0, p50Ms: 0.085, p99Ms: 1.2, p999Ms: 3 });
    expect(() => parseWrk('unable to connect')).toThrow('wrk printed no figures:\nunable to connect');
  });

  test('autocannon: failures of every kind are errors', () => {
    const latency = { p50: 1, p99: 4, p99_9: 9 };
    const text = JSON.stringify({
      requests: { total: 20 },
      duration: 2.01,
      errors: 1,
      timeouts: 2,
      non2xx: 4,
      latency,
    });
    expect(parseAutocannon(text)).toEqual({
      ...{ requests: 20, seconds: 2.01, errors: 7, p50Ms: 1, p99Ms: 4, p999Ms: 9 },
    });
  });

  test('/proc/PID/stat: whatever the name of the process', () => {
    const text = '12 (a ) b (c) S 1 12 12 0 -1 4194560 1 0 0 0 37 15 0 0 20 0 11 0 1 1 1';
    expect(parseStat(text)).toEqual({ user: 370_000, system: 150_000 });
  });
});

describe('what races', () => {
  test('names are unique', () => {
    for (const names of [ROWS.map(row => row.name), PEERS.map(peer => peer.name)]) {
      expect(new Set(names).size).toBe(names.length);
    }
  });

  test.each(ROWS.map(row => [row.name, row] as const))('Sluice takes the configuration of row %s', (_name, row) => {
    const stats = { port: 3, servers: 2 };
    const { mode, setup } = row;
    const model = parseModel(
      PEERS[0]!.configuration({ mode, port: 1, originPort: 2, stats, setup, pem: pemFile({ name: 'race' }) }),
    );
    expect(model.global.nbthread).toBe(setup.threads);
    expect(model.proxies.map(proxy => proxy.name)).toEqual(['race', 'origin', 'stats', 'many']);
    expect(model.proxies.map(proxy => proxy.servers.length)).toEqual([0, 1, 0, 2]);
  });
});
