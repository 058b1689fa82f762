import { describe, expect, test } from 'vitest';
import { entryText, headerText, readKeyText } from '../../engine/stick/text.ts';
import { origin, rigOf } from '../proxy/listen.ts';
import { network, until } from '../proxy/network.ts';
import type { Rig } from '../proxy/rig.ts';
import { ask, connect, ok } from '../proxy/wire.ts';

async function server(answer: Parameters<typeof origin>[0] = () => ok('ok')): Promise<number> {
  const made = await origin(answer);
  return made.port;
}

const DEFAULTS = `
defaults
  mode http
  timeout client 2s
  timeout server 2s
  timeout connect 1s
`;

async function start(config: string, workers = 1): Promise<Rig> {
  return rigOf(DEFAULTS + config, { workers });
}

function get(r: Rig, path = '/', headers = '', proxy = 'web'): Promise<string> {
  return ask(r.port(proxy), `GET ${path} HTTP/1.1\r\nHost: a\r\n${headers}Connection: close\r\n\r\n`);
}

const status = (answer: string): number => Number(answer.slice(9, 12));
const body = (answer: string): string => answer.slice(answer.indexOf('\r\n\r\n') + 4);

/** What a table stores for a key, as `show table` tells it. */
function shown(r: Rig, table: string, key: string): Record<string, string> {
  const t = r.tables.named(table)!;
  if (readKeyText(t.spec, key) !== null) throw new Error(key);
  const entry = t.find(network().now());
  if (entry < 0) return {};
  const text = entryText(t, entry, network().now());
  t.release(entry);
  return Object.fromEntries(
    text
      .split(' ')
      .slice(1)
      .map(pair => pair.split('=')),
  );
}

describe('tracking', () => {
  const TRACK = `
listen web
  bind 127.0.0.1:1
  stick-table type ip size 100 expire 10m store gpc0,gpt0,conn_cur,conn_cnt,http_req_cnt,http_req_rate(10s),http_err_cnt,http_fail_cnt,bytes_in_cnt,bytes_out_cnt,sess_cnt
`;

  test('counts requests, errors, failures and bytes; gives back what is current', async () => {
    const s = await server(head =>
      ok('ok').replace('200 OK', /404|500/.exec(head)?.[0] === '404' ? '404 x' : '200 OK'),
    );
    const f = await server(() => 'HTTP/1.1 500 x\r\nContent-Length: 0\r\n\r\n');
    const r = await start(`${TRACK}
  http-request track-sc0 src
  http-request sc-inc-gpc0(0)
  http-request sc-set-gpt0(0) int(7)
  http-request deny if { path /deny }
  use-server f if { path /500 }
  server s 127.0.0.1:${s}
  server f 127.0.0.1:${f} weight 0
`);
    for (const path of ['/', '/404', '/500', '/deny']) await get(r, path);
    const e = shown(r, 'web', '127.0.0.1');
    expect(e).toMatchObject({ use: '0', gpc0: '4', gpt0: '7', conn_cur: '0', conn_cnt: '4', http_req_cnt: '4' });
    expect(e).toMatchObject({ http_err_cnt: '2', http_fail_cnt: '1', sess_cnt: '0', 'http_req_rate(10000)': '4' });
    expect(Number(e.bytes_in_cnt)).toBeGreaterThan(100);
    expect(Number(e.bytes_out_cnt)).toBeGreaterThan(200);
  });

  test('a session tracks until its connection ends, its requests count there', async () => {
    const s = await server();
    const r = await start(`${TRACK}
  tcp-request connection track-sc0 src
  server s 127.0.0.1:${s}
`);
    const client = await connect(r.port('web'));
    for (let i = 1; i <= 3; i++) {
      client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
      await client.until(w => w.received.split('HTTP/1.1 200').length === i + 1);
    }
    expect(shown(r, 'web', '127.0.0.1')).toMatchObject({ use: '1', conn_cur: '1', conn_cnt: '1', sess_cnt: '1' });
    expect(shown(r, 'web', '127.0.0.1').http_req_cnt).toBe('3');
    client.socket.destroy();
    await until(() => shown(r, 'web', '127.0.0.1').use === '0');
    expect(shown(r, 'web', '127.0.0.1').conn_cur).toBe('0');
  });

  test('fetches and converters tell what is tracked', async () => {
    const r = await start(`${TRACK}
  http-request track-sc0 src
  http-request track-sc1 hdr(x) table names if { hdr(x) -m found }
  http-request sc-inc-gpc(1,1)
  http-request sc-add-gpc(0,1) 5
  http-request return status 200 content-type text/plain lf-string "%[sc0_http_req_cnt] %[sc_get_gpc(1,1)] %[sc_get_gpc(0,1)] %[sc0_trackers] %[src_get_gpc0] %[src,table_http_req_rate] %[sc1_key] %[sc2_tracked] %[sc_tracked(0)] %[str(zz),table_gpc(1,names)] %[str(zz),in_table(names)] %[src,in_table] %[table_cnt] %[table_avl(names)] %[src_inc_gpc0] %[src_clr_gpc0] %[sc0_conn_cur] %[str(u),table_idle(names,-1),div(1000)] %[str(v),table_idle(names,-1)] %[src_conn_cnt(names)] %[sc0_conn_cnt(names)]"
backend names
  stick-table type string len 10 size 10 expire 30s store gpc(2),gpc_rate(2,10s)
`);
    expect(body(await get(r, '/', 'X: u\r\n'))).toBe('1 1 5 1 0 1 u 0 1 0 0 1 1 9 1 1 1 0 -1 0 0');
    expect(body(await get(r, '/', 'X: u\r\n'))).toBe('2 2 10 1 0 2 u 0 1 0 0 1 1 9 1 1 1 0 -1 0 0');
    expect(body(await get(r, '/'))).toBe('3   1 0 3  0 1 0 0 1 1 9 1 1 1 0 -1 0 0');
  });

  test('what a table does not store: 0 for a key that is not there, and in arrays; else nothing', async () => {
    const r = await start(`${TRACK}
  http-request track-sc0 src table few
  http-request return status 200 content-type text/plain lf-string "%[str(192.0.2.1),table_server_id(few)]|%[src,table_server_id(few)]|%[src,table_gpt0(few)]|%[src,table_gpc(5,few)]|%[sc_get_gpt(0,0)]|%[src_gpc_rate(0,few)]"
backend few
  stick-table type ip size 10 store gpc(2)
`);
    expect(body(await get(r))).toBe('0|||0|0|0');
  });

  test('numbers and booleans are keys of addresses and bytes', async () => {
    const r = await start(`${TRACK}
  http-request track-sc0 int(-2) table six
  http-request track-sc1 bool(true) table bytes
  http-request return status 200 content-type text/plain lf-string "%[sc0_key] %[sc1_key,hex]"
backend six
  stick-table type ipv6 size 10
backend bytes
  stick-table type binary len 10 size 10
`);
    expect(body(await get(r))).toBe('::ffff:255.255.255.254 00000000000000010000');
  });

  test('which statuses are errors and failures can be told; rates of bytes count blocks', async () => {
    const s = await server(head => ok('ok').replace('200 OK', `${/\/(\d+)/.exec(head)![1]} x`));
    const r = await start(`
global
  http-err-codes +201,410-420 -404
  http-fail-codes 502
listen web
  bind 127.0.0.1:1
  stick-table type ip size 100 store http_err_cnt,http_fail_cnt,bytes_in_rate(1m),bytes_in_cnt brates-factor 1024
  http-request track-sc0 src
  server s 127.0.0.1:${s}
`);
    for (const code of [200, 201, 404, 410, 400, 500, 502]) await get(r, `/${code}`);
    expect(shown(r, 'web', '127.0.0.1')).toMatchObject({
      http_err_cnt: '3',
      http_fail_cnt: '1',
      'bytes_in_rate(60000)': String(7 * 1024),
    });
  });

  test('rates are exact over several workers', async () => {
    const r = await start(
      `${TRACK}
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 40 }
  http-request return status 200
`,
      4,
    );
    const answers = await Promise.all(Array.from({ length: 60 }, () => get(r)));
    expect(answers.filter(a => status(a) === 200).length).toBe(40);
    expect(answers.filter(a => status(a) === 429).length).toBe(20);
    expect(shown(r, 'web', '127.0.0.1')).toMatchObject({ http_req_cnt: '60', conn_cur: '0', http_err_cnt: '20' });
  });

  test('connections of a source are limited', async () => {
    const r = await start(`
listen web
  mode tcp
  bind 127.0.0.1:1
  stick-table type ip size 100 expire 10m store conn_cur
  tcp-request connection track-sc0 src
  tcp-request connection reject if { sc0_conn_cur gt 2 }
  server s 127.0.0.1:${await server()}
`);
    const open = [await connect(r.port('web')), await connect(r.port('web'))];
    for (const wire of open) await wire.send('GET / HTTP/1.1\r\n\r\n').has('ok');
    const third = await connect(r.port('web'));
    await third.end();
    expect(third.received).toBe('');
    expect(shown(r, 'web', '127.0.0.1').conn_cur).toBe('2');
    for (const wire of open) wire.socket.destroy();
    await until(() => shown(r, 'web', '127.0.0.1').conn_cur === '0');
  });
});

describe('stick rules', () => {
  test('a key stays with its server, and moves when that is gone', async () => {
    const [a, b] = [await server(() => ok('a')), await server(() => ok('b'))];
    const r = await start(`
listen web
  bind 127.0.0.1:1
  balance roundrobin
  stick-table type string len 20 size 1k expire 10m
  stick on hdr(x)
  server a 127.0.0.1:${a}
  server b 127.0.0.1:${b}
`);
    const of = async (x: string) => body(await get(r, '/', `X: ${x}\r\n`));
    const [one, two] = [await of('1'), await of('2')];
    expect([one, two].sort()).toEqual(['a', 'b']);
    for (let i = 0; i < 4; i++) expect([await of('1'), await of('2')]).toEqual([one, two]);
    expect(shown(r, 'web', '1')).toMatchObject({ server_key: one, server_id: one === 'a' ? '1' : '2' });
    r.setServer('web', one, 'maint');
    expect(await of('1')).toBe(two);
    r.setServer('web', one, 'ready');
    expect(await of('1')).toBe(two);
  });

  test('one entry and the destination: one active server, which fails over and stays', async () => {
    const [a, b] = [await server(() => ok('a')), await server(() => ok('b'))];
    const r = await start(
      `
listen web
  bind 127.0.0.1:1
  balance roundrobin
  stick-table type ip size 1
  stick on dst
  server a 127.0.0.1:${a}
  server b 127.0.0.1:${b}
`,
      2,
    );
    const first = body(await get(r));
    for (let i = 0; i < 6; i++) expect(body(await get(r))).toBe(first);
    r.setServer('web', first, 'maint');
    const second = body(await get(r));
    expect(second).not.toBe(first);
    r.setServer('web', first, 'ready');
    for (let i = 0; i < 6; i++) expect(body(await get(r))).toBe(second);
  });

  test('where a rule has a key to store, those after it for the same table neither match nor store', async () => {
    const [a, b] = [await server(() => ok('a')), await server(() => ok('b'))];
    const r = await start(`
listen web
  bind 127.0.0.1:1
  balance roundrobin
  stick-table type string len 20 size 1k expire 10m
  stick on hdr(x)
  stick on path
  server a 127.0.0.1:${a}
  server b 127.0.0.1:${b}
`);
    const first = body(await get(r, '/p'));
    const second = body(await get(r, '/p', 'X: 1\r\n'));
    expect(second).not.toBe(first);
    expect(body(await get(r, '/q', 'X: 1\r\n'))).toBe(second);
    expect(body(await get(r, '/p'))).toBe(first);
  });

  test('a cookie of the application: learned from the response, matched in the request', async () => {
    const [a, b] = [
      await server(() => ok('a', 'Set-Cookie: ID=fromA\r\n')),
      await server(() => ok('b', 'Set-Cookie: ID=fromB\r\n')),
    ];
    const r = await start(`
listen web
  bind 127.0.0.1:1
  balance roundrobin
  stick-table type string len 32 size 10k expire 30m
  stick store-response res.cook(ID)
  stick match req.cook(ID)
  server a 127.0.0.1:${a}
  server b 127.0.0.1:${b} non-stick
`);
    const answers = [await get(r), await get(r)].map(body);
    expect(answers.sort()).toEqual(['a', 'b']);
    for (let i = 0; i < 3; i++) expect(body(await get(r, '/', 'Cookie: ID=fromA\r\n'))).toBe('a');
    expect(headerText(r.tables.named('web')!)).toBe('# table: web, type: string, size:10240, used:1');
  });
});
