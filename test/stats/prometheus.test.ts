import { describe, expect, test } from 'vitest';
import { NAMESERVER } from '../../engine/shm/counters.ts';
import { Memory, shapeOf, topology } from '../../engine/shm/memory.ts';
import { PIECE_BYTES } from '../../engine/stats/out.ts';
import { dumpPrometheus } from '../../engine/stats/prometheus.ts';
import { readPrometheusFilter } from '../../engine/stats/prometheus-filter.ts';
import { METRICS } from '../../engine/stats/prometheus-metrics.ts';
import { B, F, type Facts, S, View } from '../../engine/stats/view.ts';
import { load } from '../config/load-text.ts';
import { busy, type Fixture, fresh, MODEL, NOW, proxy, server, text } from './fixture.ts';

function scrape(query = '', f: Fixture = busy()): string {
  return text(dumpPrometheus(f.view, readPrometheusFilter(query)!, NOW));
}

/** Value of each series. */
function series(body: string): Map<string, string> {
  const lines = body.split('\n').filter(line => line !== '' && !line.startsWith('#'));
  return new Map(lines.map(line => [line.slice(0, line.lastIndexOf(' ')), line.slice(line.lastIndexOf(' ') + 1)]));
}

const names = (body: string): Set<string> => new Set([...body.matchAll(/^# TYPE (\S+)/gm)].map(m => m[1]!));

/** Milliseconds into one timer of one row of the first worker. */
function record(f: Fixture, kind: 'frontend' | 'server', index: number, timer: number, ms: number[]): void {
  const { histograms } = f.memory;
  for (const t of ms) histograms.record(histograms.at(0, f.memory.timedRow(kind, index)), timer, t, NOW);
}

describe('the text format', () => {
  test('every line is a comment or a sample, and each metric stands in one place', () => {
    const label = String.raw`[a-z]+="(?:[^"\\\n]|\\[\\"n])*"`;
    const sample = new RegExp(String.raw`^[a-z0-9_]+(\{${label}(,${label})*\})? (-?\d+(\.\d+)?|NaN)$`);
    let current = '';
    const seen = new Set<string>();
    const body = scrape('extra-counters&desc-labels');
    for (const line of body.trimEnd().split('\n')) {
      const type = /^# TYPE (\S+) (gauge|counter|histogram)$/.exec(line);
      if (type !== null) {
        current = type[1]!;
        expect(seen, current).not.toContain(current);
        seen.add(current);
      } else if (!line.startsWith('# HELP ')) {
        expect(line).toMatch(sample);
        expect(line.startsWith(current), line).toBe(true);
      }
    }
    expect(body).toContain('le="+Inf"');
  });

  test('quotes, backslashes and line ends in labels are escaped', () => {
    const f = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'b', { servers: [server(0, 'a"\\\n')] })] });
    expect(scrape('metrics=haproxy_server_weight', f)).toContain('{proxy="b",server="a\\"\\\\\\n"} ');
  });

  test('a large dump comes in pieces as small as asked for', () => {
    const servers = Array.from({ length: 500 }, (_, i) => server(i, `s${i}`));
    const { view } = fresh({ ...MODEL, proxies: [proxy(0, 'backend', 'b', { servers })] });
    const dump = dumpPrometheus(view, readPrometheusFilter('')!, NOW);
    for (let piece = dump.next(2048); piece !== null; piece = dump.next(2048)) {
      expect(piece.length).toBeGreaterThan(0);
      // Only a step may be longer: one server's lines of one metric, or one backend's.
      expect(piece.length).toBeLessThan(4096);
    }
    const whole = dumpPrometheus(view, readPrometheusFilter('')!, NOW);
    for (let piece = whole.next(); piece !== null; piece = whole.next())
      expect(piece.length).toBeLessThan(PIECE_BYTES * 1.2);
  });
});

describe('values', () => {
  test('those of the columns; milliseconds become seconds; what a thing does not have is NaN or left out', () => {
    const f = busy();
    const values = series(scrape('', f));
    expect(values.get('haproxy_frontend_bytes_in_total{proxy="web"}')).toBe('740740734072');
    expect(values.get('haproxy_server_check_duration_seconds{proxy="app",server="a"}')).toBe('0.001');
    expect(values.get('haproxy_server_limit_sessions{proxy="app",server="a"}')).toBe('10');
    expect(values.get('haproxy_server_limit_sessions{proxy="app",server="b"}')).toBe('NaN');
    expect(values.has('haproxy_server_check_status{proxy="app",server="f",state="L4OK"}')).toBe(false);
    expect(values.has('haproxy_frontend_http_requests_total{proxy="tl"}')).toBe(false);
    expect(values.get('haproxy_process_build_info{version="0.1.0"}')).toBe('1');
    expect(values.get('haproxy_process_node{node="lb1"}')).toBe('1');
    expect(values.get('haproxy_process_description{desc="edge, of the \\"lab\\""}')).toBe('1');
    expect([...values.keys()].some(key => key.includes('proxy="off"'))).toBe(false);
  });

  test('of the states of a thing one holds, and a backend counts those of its servers', () => {
    const values = series(scrape());
    const states = ['DOWN', 'UP', 'MAINT', 'DRAIN', 'NOLB'];
    const count: Record<string, number> = {};
    for (const { name } of MODEL.proxies[1]!.servers) {
      const of = (state: string) =>
        Number(values.get(`haproxy_server_status{proxy="app",server="${name}",state="${state}"}`));
      expect(states.reduce((sum, state) => sum + of(state), 0)).toBe(1);
      for (const state of states) count[state] = (count[state] ?? 0) + of(state);
    }
    for (const state of states) {
      expect(values.get(`haproxy_backend_agg_server_status{proxy="app",state="${state}"}`)).toBe(String(count[state]));
    }
    expect(count).toEqual({ DOWN: 2, UP: 5, MAINT: 1, DRAIN: 1, NOLB: 0 });
    expect(values.get('haproxy_server_check_status{proxy="app",server="c",state="L4CON"}')).toBe('1');
    expect(values.get('haproxy_backend_agg_check_status{proxy="app",state="L4CON"}')).toBe('2');
    expect(values.get('haproxy_listener_status{proxy="web",listener="main",state="OPEN"}')).toBe('1');
    expect(values.get('haproxy_frontend_status{proxy="web",state="UP"}')).toBe('1');
  });

  test('histograms: cumulative buckets, sum and count; a server without times has none', () => {
    const f = busy();
    record(f, 'server', 0, 2, [0.4, 0.9, 1, 7, 40, 90_000]);
    const values = series(scrape('scope=server&scope=frontend', f));
    const of = (what: string, labels = '') =>
      values.get(`sluice_server_response_time_seconds_${what}{proxy="app",server="a"${labels}}`);
    const bucket = (le: string) => of('bucket', `,le="${le}"`);
    expect(['0.0005', '0.001', '0.0025', '0.01', '0.025', '0.05', '30', '+Inf'].map(bucket)).toEqual(
      [1, 3, 3, 4, 4, 5, 5, 6].map(String),
    );
    expect([of('sum'), of('count')]).toEqual(['90.0493', '6']);
    expect([...values.keys()].some(key => key.startsWith('sluice_server') && !key.includes('server="a"'))).toBe(false);
    expect(values.get('sluice_frontend_total_time_seconds_count{proxy="web"}')).toBe('0');
  });
});

describe('what a query asks for', () => {
  test('scopes add up; an empty one starts anew; one that does not exist is refused', () => {
    const prefixes = (query: string) =>
      [...new Set([...names(scrape(query))].map(name => name.split('_')[1]!))].sort().join(' ');
    expect(prefixes('')).toBe('backend frontend listener process server');
    expect(prefixes('scope=*')).toBe(prefixes(''));
    expect(prefixes('scope=server')).toBe('server');
    expect(prefixes('scope=frontend&scope=%62ackend')).toBe('backend frontend');
    expect(prefixes('scope=*&scope=')).toBe('');
    expect(prefixes('scope=&scope=global')).toBe('process');
    expect(prefixes('scope=sticktable')).toBe('');
    expect(readPrometheusFilter('scope=everything')).toBeNull();
    expect(readPrometheusFilter('scope=toString')).toBeNull();
    expect(readPrometheusFilter('scope')).toBeNull();
  });

  test('metrics: only these, or not these', () => {
    const status = ['haproxy_frontend_status', 'haproxy_server_status'];
    expect([...names(scrape(`metrics=${status.join(',')}`))]).toEqual(status);
    expect([...names(scrape(`metrics=${status[0]}&metrics=${status[1]},-${status[0]}`))]).toEqual([status[1]]);
    const all = names(scrape());
    expect(names(scrape('metrics=-haproxy_server_status')).size).toBe(all.size - 1);
  });

  test('no-maint leaves servers in maintenance out', () => {
    const query = 'metrics=haproxy_server_weight';
    expect(scrape(query)).toContain('server="e"');
    expect(scrape(`no-maint=empty&${query}`)).not.toContain('server="e"');
  });

  test('desc-labels, extra-counters', () => {
    expect(scrape('desc-labels&metrics=haproxy_backend_weight')).toContain(
      '{proxy="app",desc="the <b>application</b>"} ',
    );
    expect(scrape('desc-labels&metrics=haproxy_process_jobs')).toContain('{desc="edge, of the \\"lab\\""} ');
    expect(scrape()).not.toContain('h1_');
    expect(scrape('extra-counters')).toContain('haproxy_frontend_h1_open_connections{proxy="web",mod="h1"} 0');
  });
});

test('stick tables and name servers', () => {
  const { model } = load(`
resolvers dns
  nameserver a 127.0.0.1:53
  nameserver b 127.0.0.1:54
resolvers more
  nameserver a 127.0.0.1:55
backend t
  stick-table type ip size 1k
backend u
  stick-table type string len 10 size 2k
`);
  const memory = Memory.create(shapeOf(model!, 1));
  memory.nameserver(1)[NAMESERVER.at.snd_error] = 3;
  memory.nameserver(2)[NAMESERVER.at.sent] = 5;
  const tables = model!.tables.map(spec => ({ spec, used: 7 * spec.index }));
  const view = new View(model!, memory, topology(model!), {} as Facts, tables);
  const scraped = (query: string) => text(dumpPrometheus(view, readPrometheusFilter(query)!, NOW));
  const values = series(scraped('scope=sticktable&scope=resolver'));
  expect(Object.fromEntries([...values].filter(([key]) => key.startsWith('haproxy_sticktable_')))).toEqual({
    'haproxy_sticktable_size{name="t",type="ip"}': '1024',
    'haproxy_sticktable_size{name="u",type="string"}': '2048',
    'haproxy_sticktable_used{name="t",type="ip"}': '0',
    'haproxy_sticktable_used{name="u",type="string"}': '7',
  });
  expect(values.get('haproxy_resolver_send_error{resolver="dns",nameserver="b"}')).toBe('3');
  expect(values.get('haproxy_resolver_sent{resolver="more",nameserver="a"}')).toBe('5');
  expect(values.get('haproxy_resolver_outdated{resolver="dns",nameserver="a"}')).toBe('0');
  expect(names(scraped('scope=sticktable')).size).toBe(2);
  expect(scraped('scope=resolver')).toContain('# TYPE haproxy_resolver_nx counter\n');
});

test('names are unique; the timers have histograms', () => {
  expect(new Set(METRICS.map(m => m.name)).size).toBe(METRICS.length);
  for (const scope of [F, B, S])
    expect(METRICS.filter(m => m.scope === scope && m.type === 'histogram')).toHaveLength(4);
});
