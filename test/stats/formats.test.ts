import { describe, expect, test } from 'vitest';
import { CSV_HEADER } from '../../engine/stats/csv.ts';
import { ORIGINS } from '../../engine/stats/fields.ts';
import { dumpInfo, durationText, INFO } from '../../engine/stats/info.ts';
import { Out, PIECE_BYTES } from '../../engine/stats/out.ts';
import { dumpSchema } from '../../engine/stats/schema.ts';
import { dumpStat, type StatFilter } from '../../engine/stats/stat.ts';
import fc from '../properties.ts';
import { busy, fresh, MODEL, NOW, proxy, server, text } from './fixture.ts';
import { INFO_NAMES, STAT_NAMES } from './names.ts';

const csv = (filter: StatFilter = {}, f = busy()) =>
  text(dumpStat(f.view, { format: 'csv', legends: true, ...filter }, NOW));

/** Rows as a reader of positions sees them: RFC 4180 fields. */
function rows(body: string): string[][] {
  return body
    .trimEnd()
    .split('\n')
    .slice(1)
    .map(line => [...line.matchAll(/(?:"((?:[^"]|"")*)"|([^",]*)),/g)].map(m => m[2] ?? m[1]!.replaceAll('""', '"')));
}

const names = (filter: StatFilter) => rows(csv(filter)).map(r => `${r[0]}/${r[1]}`);

describe('csv', () => {
  test('the header is the one that tools know', () => {
    expect(CSV_HEADER.startsWith(`# ${STAT_NAMES},-,ssl_sess,`)).toBe(true);
    expect(CSV_HEADER.endsWith('ttime_p99_us,ttime_p999_us,ttime_max_us,\n')).toBe(true);
    expect(STAT_NAMES.split(',')).toHaveLength(119);
    expect(csv().startsWith(CSV_HEADER)).toBe(true);
  });

  test('every row has as many fields as the header', () => {
    const fields = CSV_HEADER.slice(2, -1).split(',').length - 1;
    for (const row of rows(csv())) expect(row, row[1]!).toHaveLength(fields);
  });

  test('rows come proxy by proxy: frontend, listeners if asked for, servers, backend; disabled proxies not at all', () => {
    expect(names({})).toEqual([
      ...['web/FRONTEND', 'web/main', 'web/sock-2'],
      ...['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'BACKEND'].map(n => `app/${n}`),
      ...['chk404/a', 'chk404/b', 'chk404/BACKEND'],
      ...['tl/FRONTEND', 'tl/x', 'tl/b,"c"', 'tl/BACKEND'],
      ...['stats/FRONTEND', 'stats/BACKEND'],
    ]);
  });

  test('read by position, as haproxy_exporter does', () => {
    const body = rows(csv());
    const statuses = ['UP', 'UP 1/3', 'UP 2/3', 'OPEN', 'no check', 'DOWN', 'DOWN 1/2', 'NOLB', 'MAINT', 'DRAIN'];
    const integers = [
      2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 33, 34, 35, 38, 39, 40, 41, 42, 43, 44, 48,
    ];
    for (const row of body) {
      for (const at of integers) expect(row[at], `${row[1]} ${at}`).toMatch(/^\d*$/);
      expect(statuses).toContain(row[17]);
      expect(row[32]).toBe({ FRONTEND: '0', BACKEND: '1' }[row[1]!] ?? (/^(main|sock)/.test(row[1]!) ? '3' : '2'));
    }
    const [frontend] = body;
    expect([4, 5, 6, 7, 8].map(at => frontend![at])).toEqual(['7', '12', '500', '600', '740740734072']);
    const down = body.find(r => r[1] === 'c')!;
    expect([down[17], down[36], down[56], down[65]]).toEqual([
      'DOWN',
      'L4CON',
      'Connection refused',
      'Layer4 connection problem',
    ]);
  });

  test('only names with a comma or a quote are quoted, and their quotes doubled', () => {
    expect(csv()).toContain('\ntl,"b,""c""",0,');
    expect(csv().match(/"/g)).toHaveLength(6);
  });

  test('filters', () => {
    expect(names({ iid: 5 })).toEqual(['tl/FRONTEND', 'tl/x', 'tl/b,"c"', 'tl/BACKEND']);
    expect(names({ iid: 2, type: 8 })).toEqual(['web/main', 'web/sock-2']);
    expect(names({ type: 1 })).toEqual(['web/FRONTEND', 'tl/FRONTEND', 'stats/FRONTEND']);
    expect(names({ iid: 3, type: 4, sid: 6 })).toEqual(['app/f']);
    expect(names({ iid: 3, type: 4, up: true })).toEqual(['a', 'b', 'd', 'f', 'g', 'h'].map(n => `app/${n}`));
    expect(names({ iid: 3, type: 4, noMaint: true })).not.toContain('app/e');
    expect(names({ shows: p => p.name === 'stats' })).toEqual(['stats/FRONTEND', 'stats/BACKEND']);
  });

  test('pieces stay small however many servers there are', () => {
    const servers = Array.from({ length: 1000 }, (_, i) => server(i, `server-${i}`));
    const model = { ...MODEL, proxies: [proxy(0, 'backend', 'big', { servers })] };
    const dump = dumpStat(fresh(model).view, { format: 'csv', legends: true }, NOW);
    let bytes = 0;
    let body = '';
    for (let piece = dump.next(); piece !== null; piece = dump.next()) {
      expect(piece.length).toBeGreaterThan(0);
      expect(piece.length).toBeLessThanOrEqual(PIECE_BYTES);
      bytes += piece.length;
      body += Buffer.from(piece);
    }
    expect(dump.next()).toBeNull();
    expect(bytes).toBeGreaterThan(200_000);
    expect(rows(body)).toHaveLength(1001);
  });
});

describe('typed and JSON', () => {
  const typed = (format: 'typed' | 'typed-desc') => text(dumpStat(busy().view, { format, legends: true }, NOW));

  test('one value on each line', () => {
    const lines = typed('typed').trimEnd().split('\n');
    for (const line of lines) {
      expect(line).toMatch(/^[FBSL]\.\d+\.\d+\.\d+\.\w+\.1:[MSKCP][GLmMRCDATNOa][CPSs][VP]:(u32|s32|u64|str):/);
    }
    expect(lines).toContain('F.2.0.0.pxname.1:KNSV:str:web');
    expect(lines).toContain('F.2.0.7.stot.1:MCPP:u64:600');
    expect(lines).toContain('S.3.3.17.status.1:SGPV:str:DOWN');
    expect(lines).toContain('S.3.1.73.addr.1:CGSV:str:127.0.0.1:8000');
    expect(lines).toContain('L.2.1.32.type.1:CGSV:u32:3');
    expect(typed('typed-desc')).toContain('F.2.0.17.status.1:SGPV:str:OPEN:"Status"\n');
  });

  test('JSON tells what the typed format does', () => {
    const json = JSON.parse(text(dumpStat(busy().view, { format: 'json', legends: true }, NOW)));
    const fromJson = json.flat().map((o: Record<string, never>) => {
      const { objType, proxyId, id, field, value } = o as never as {
        objType: string;
        proxyId: number;
        id: number;
        field: { pos: number; name: string };
        value: { type: string; value: string | number };
      };
      return `${objType[0]}.${proxyId}.${id}.${field.pos}.${field.name} ${value.type}:${value.value}`;
    });
    const fromTyped = typed('typed')
      .trimEnd()
      .split('\n')
      .map(line => line.replace(/\.1:\w{4}:/, ' '));
    expect(fromJson).toEqual(fromTyped);
    expect(json[0][2].tags).toEqual({ origin: 'Metric', nature: 'Gauge', scope: 'Process' });
  });
});

test('the schema names all that the JSON formats use', () => {
  const schema = JSON.parse(text(dumpSchema()));
  const [info, stat] = schema.oneOf.map((s: { items: unknown }) => JSON.stringify(s.items));
  const used = JSON.parse(text(dumpStat(busy().view, { format: 'json', legends: true }, NOW))).flat();
  for (const { objType, tags, value } of used) {
    for (const word of [objType, tags.origin, tags.nature, tags.scope, value.type]) expect(stat).toContain(`"${word}"`);
  }
  for (const { type, tags } of INFO) {
    expect(info).toContain(`"${type}"`);
    expect(info).toContain(`"${ORIGINS[tags[0]!]}"`);
  }
});

describe('show info', () => {
  const info = (o: Parameters<typeof dumpInfo>[1]) => text(dumpInfo(busy().view, o, NOW));

  test('the names, in the order that tools know', () => {
    expect(INFO.map(i => i.name).join(',')).toBe(INFO_NAMES);
    const lines = info({ format: 'text' }).trimEnd().split('\n');
    expect(lines.map(l => l.slice(0, l.indexOf(':'))).join(',')).toBe(INFO_NAMES);
    // pcp splits at `: ` into exactly two.
    for (const line of lines) expect(line.split(': ')).toHaveLength(2);
    expect(lines).toContain('Uptime: 0d 1h02m05s');
    expect(lines).toContain('Idle_pct: 100');
    expect(lines).toContain('node: lb1');
    expect(lines).toContain('CumStreams: 600');
  });

  test('typed, described, JSON and with fractions', () => {
    expect(info({ format: 'typed' })).toContain('\n8.Uptime_sec.1:MDPV:u32:3725\n');
    expect(info({ format: 'typed', desc: true })).toContain('0.Name.1:POSV:str:Sluice:"Product name"\n');
    expect(info({ format: 'text', desc: true })).toContain(
      'description: "edge, of the ""lab""":"Description of the node"\n',
    );
    expect(info({ format: 'text', float: true })).toContain('\nUptime_sec: 3725.250000\n');
    expect(info({ format: 'typed', float: true })).toContain('\n8.Uptime_sec.1:MDPV:flt:3725.250000\n');
    expect(info({ format: 'json', float: true })).toContain('"value":{"type":"flt","value":3725.25}');
    const json = JSON.parse(info({ format: 'json', float: true }));
    expect(json).toHaveLength(82);
    expect(json[8].value).toEqual({ type: 'flt', value: 3725.25 });
  });

  test('durations', () => {
    expect(durationText(0)).toBe('0d 0h00m00s');
    expect(durationText(86_400 * 3 + 3600 * 23 + 59)).toBe('3d 23h00m59s');
  });
});

describe('out', () => {
  test('numbers are written as String writes them', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), n => {
        const out = new Out();
        out.number(n);
        expect(Buffer.from(out.take()).toString()).toBe(String(n));
      }),
    );
  });

  test('text of any kind, however long', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'grapheme' })), texts => {
        const out = new Out();
        for (const t of texts) out.text(t);
        expect(Buffer.from(out.take()).toString()).toBe(texts.join(''));
      }),
    );
    const out = new Out();
    out.text('x'.repeat(100_000));
    expect(out.take()).toHaveLength(100_000);
  });
});
