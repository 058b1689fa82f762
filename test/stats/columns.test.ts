import { describe, expect, test } from 'vitest';
import { writeCheckText } from '../../engine/health/text.ts';
import { COUNTERS, type CounterName } from '../../engine/shm/counters.ts';
import { rateAdd } from '../../engine/shm/rate.ts';
import { SERVER } from '../../engine/shm/words.ts';
import { COLUMNS, MODULE_COLUMNS, PLACED } from '../../engine/stats/columns.ts';
import { NATURES, ORIGINS, SCOPES } from '../../engine/stats/fields.ts';
import { B, F, L, S, Subject } from '../../engine/stats/view.ts';
import fc from '../properties.ts';
import { busy, fresh, MODEL, NOW, WORKERS } from './fixture.ts';

const column = (name: string) => [...COLUMNS, ...MODULE_COLUMNS].find(c => c.name === name)!;

/** The management manual's brackets (9.1): which columns have a value in some kinds of rows only. */
const SCOPED: Readonly<Record<string, string>> = {
  BS: `qcur qmax econ eresp wretr wredis weight act bck chkdown lastchg downtime lbtot cli_abrt srv_abrt lastsess qtime
    ctime rtime ttime cookie connect reuse qtime_max ctime_max rtime_max ttime_max uweight`,
  LFBS: `pxname svname scur smax slim stot bin bout dresp status pid iid sid type mode wrew eint reqbin reqbout resbin resbout`,
  LFB: 'dreq',
  LF: 'ereq dcon dses',
  S: `chkfail qlimit throttle tracked check_status check_code check_duration hanafail last_chk last_agt agent_status agent_code
    agent_duration check_desc agent_desc check_rise check_fall check_health agent_rise agent_fall agent_health srv_icur
    src_ilim idle_conn_cur safe_conn_cur used_conn_cur need_conn_est srid priv_idle_cur`,
  FBS: 'rate rate_max hrsp_1xx hrsp_2xx hrsp_3xx hrsp_4xx hrsp_5xx hrsp_other req_tot',
  F: `rate_lim req_rate req_rate_max conn_rate conn_rate_max conn_tot intercepted sess_other h1sess h2sess h3sess req_other
    h1req h2req h3req`,
  FB: 'comp_in comp_out comp_byp comp_rsp cache_lookups cache_hits cache_hint_hits',
  B: 'algo agg_server_status agg_server_check_status agg_check_status',
  LS: 'addr',
  L: 'proto',
};
const LETTERS: Readonly<Record<string, number>> = { L, F, B, S };

describe('columns', () => {
  test('each has the scope of the manual', () => {
    let named = 0;
    for (const [letters, names] of Object.entries(SCOPED)) {
      const scope = [...letters].reduce((mask, letter) => mask | LETTERS[letter]!, 0);
      for (const name of names.split(/\s+/)) {
        named++;
        expect(column(name).scope, name).toBe(scope);
      }
    }
    expect(named).toBe(COLUMNS.length);
  });

  test('names are unique and marks are known letters', () => {
    const all = [...COLUMNS, ...MODULE_COLUMNS];
    expect(new Set(all.map(c => c.name)).size).toBe(all.length);
    for (const c of all) {
      const [origin, nature, scope, persistence] = c.tags;
      expect(ORIGINS[origin!], c.name).toBeDefined();
      expect(NATURES[nature!], c.name).toBeDefined();
      expect(SCOPES[scope!], c.name).toBeDefined();
      expect(['V', 'P'], c.name).toContain(persistence);
    }
  });

  test('positions go on after the fixed columns', () => {
    expect(PLACED[F]!.find(p => p.column.name === 'ssl_sess')!.pos).toBe(119);
    expect(PLACED[S]!.find(p => p.column.name === 'priv_idle_cur')!.pos).toBe(113);
  });

  test('a value has the type of its column', () => {
    const { view } = busy();
    const s = new Subject(NOW, true);
    for (const proxy of MODEL.proxies.filter(p => p.kind === 'listen')) {
      view.frontend(s, proxy);
      check();
      view.backend(s, proxy);
      check();
    }
    for (let nth = 0; nth < MODEL.proxies[1]!.servers.length; nth++) {
      view.server(s, MODEL.proxies[1]!, nth);
      check();
    }
    view.listener(s, MODEL.proxies[0]!, 1);
    check();
    function check() {
      for (const { column: c } of PLACED[s.scope]!) {
        const value = c.value(view, s);
        if (value !== null) expect(typeof value, c.name).toBe(c.type === 'str' ? 'string' : 'number');
      }
    }
  });
});

describe('values', () => {
  test('totals are the sums over all workers', () => {
    const totals: Readonly<Record<string, CounterName>> = {
      stot: 'cum_sess',
      bin: 'bytes_in',
      bout: 'bytes_out',
      econ: 'failed_conn',
      wretr: 'retries',
      lbtot: 'cum_lb',
      hrsp_5xx: 'hrsp_5xx',
      srv_icur: 'cur_idle',
    };
    fc.assert(
      fc.property(fc.array(fc.nat(2 ** 40), { minLength: WORKERS, maxLength: WORKERS }), counts => {
        const { memory, view } = fresh();
        const s = view.server(new Subject(NOW, true), MODEL.proxies[1]!, 3);
        for (const [name, counter] of Object.entries(totals)) {
          counts.forEach((n, w) => {
            memory.counters[memory.row(w, 'server', 3) + COUNTERS.at[counter]] = n;
          });
          expect(column(name).value(view, s)).toBe(counts[0]! + counts[1]! + counts[2]!);
        }
      }),
      { numRuns: 20 },
    );
  });

  test('rates are those of all workers together', () => {
    const { memory, view } = fresh();
    const rows = memory.rows('backend', 1, COUNTERS.at.sess_rate);
    for (const row of rows) rateAdd(memory.counters, rows, row, NOW - 250, 5);
    const s = view.backend(new Subject(NOW, true), MODEL.proxies[1]!);
    expect(column('rate').value(view, s)).toBe(15);
    expect(column('rate_max').value(view, s)).toBe(15);
    const later = view.backend(new Subject(NOW + 3000, true), MODEL.proxies[1]!);
    expect(column('rate').value(view, later)).toBe(0);
    expect(column('rate_max').value(view, later)).toBe(15);
  });

  test('averages weigh each worker by what its window holds', () => {
    const f = fresh();
    const put = (w: number, cum: number, sum: number) => {
      const row = f.memory.row(w, 'server', 0);
      f.memory.counters[row + COUNTERS.at.cum_req] = cum;
      f.memory.counters[row + COUNTERS.at.d_time] = sum;
    };
    put(0, 10, 100); // 10 ms over 10 requests
    put(1, 9000, 512 * 2); // 2 ms over a full window
    const s = f.view.server(new Subject(NOW, true), MODEL.proxies[1]!, 0);
    expect(column('rtime').value(f.view, s)).toBe(Math.ceil((100 + 1024) / 522));
    expect(column('qtime').value(f.view, s)).toBe(0);
  });

  test('percentiles of the times of all workers; none without times', () => {
    const { memory, view } = fresh();
    const { histograms } = memory;
    for (let i = 1; i <= 1000; i++) {
      const at = histograms.at(i % WORKERS, memory.timedRow('backend', 1));
      histograms.record(at, 2, i / 10, NOW - 30_000);
      histograms.record(at, 3, i, NOW - 30_000);
    }
    const s = view.backend(new Subject(NOW, true), MODEL.proxies[1]!);
    const values = ['p50', 'p90', 'p95', 'p99', 'p999', 'max'].map(p => column(`rtime_${p}_us`).value(view, s));
    expect(values).toEqual([50_175, 90_111, 95_231, 99_327, 99_999, 100_000].map(us => expect.closeTo(us, -3)));
    expect(values[5]).toBe(100_000);
    expect(column('qtime_p50_us').value(view, s)).toBeNull();
    expect(column('rtime_p50_us').value(view, view.frontend(s, MODEL.proxies[0]!))).toBeNull();
    expect(
      column('rtime_p50_us').value(view, view.backend(new Subject(NOW + 90_000, true), MODEL.proxies[1]!)),
    ).toBeNull();
  });

  test('limits that do not exist leave their column empty', () => {
    const { view } = busy();
    const s = view.server(new Subject(NOW, true), MODEL.proxies[1]!, 1);
    for (const name of ['slim', 'qlimit', 'src_ilim', 'throttle', 'check_code', 'cookie']) {
      expect(column(name).value(view, s), name).toBeNull();
    }
    view.server(s, MODEL.proxies[1]!, 0);
    expect(column('slim').value(view, s)).toBe(10);
    expect(column('qlimit').value(view, s)).toBe(7);
    expect(column('cookie').value(view, s)).toBe('aa');
  });

  test('addresses, cookies and algorithms are shown where they may be', () => {
    const { view } = busy();
    const s = view.server(new Subject(NOW, false), MODEL.proxies[1]!, 0);
    expect(column('addr').value(view, s)).toBeNull();
    expect(column('cookie').value(view, s)).toBeNull();
    const shown = view.server(new Subject(NOW, true), MODEL.proxies[1]!, 0);
    expect(column('addr').value(view, shown)).toBe('127.0.0.1:8000');
  });

  test('addresses of other families', () => {
    const { view } = fresh();
    const v6 = new Uint8Array(16);
    v6[15] = 1;
    expect(view.address({ family: 6, bytes: v6, port: 443 })).toBe('[::1]:443');
    expect(view.address({ family: 1, bytes: new TextEncoder().encode('/run/x'), port: 0 })).toBe('unix');
  });

  test('a backend weighs its active servers, and its backups only without them', () => {
    const f = busy();
    const s = f.view.backend(new Subject(NOW, true), MODEL.proxies[1]!);
    expect(column('weight').value(f.view, s)).toBe(12);
    for (let i = 0; i < 9; i++) if (i !== 3) f.server(i, { eweight: 0 });
    expect(column('weight').value(f.view, s)).toBe(1);
  });

  test('seconds since the last session and since the last change', () => {
    const { view } = busy();
    const s = view.server(new Subject(NOW, true), MODEL.proxies[1]!, 0);
    expect(column('lastsess').value(view, s)).toBe(5000 - 4931);
    expect(column('lastchg').value(view, s)).toBe(3725);
    view.server(s, MODEL.proxies[1]!, 1);
    expect(column('lastsess').value(view, s)).toBe(-1);
    view.server(s, MODEL.proxies[1]!, 2);
    expect(column('downtime').value(view, s)).toBe(3725);
  });
});

test('the description of a check is read whole, or not at all while it is written', () => {
  const { memory, view } = busy();
  const s = view.server(new Subject(NOW, true), MODEL.proxies[1]!, 2);
  expect(view.checkText(s, 'check')).toBe('Connection refused');
  writeCheckText(memory, 2, 'check', '\xc3\xa9'.repeat(64));
  expect(view.checkText(s, 'check')).toBe('é'.repeat(64));
  Atomics.add(memory.words, memory.server(2) + SERVER.at.check_seq, 1);
  expect(view.checkText(s, 'check')).toBe('');
});
