/**
 * Stick tables on a real HAProxy and here, several threads each: the same recipes, the same requests, the same answers, and
 * the same tables afterwards, as the runtime API tells them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ask as rawAsk } from '../proxy/wire.ts';
import { config, folder, freePort, start } from '../workers/sluice.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('stick.test: skipped, no haproxy in PATH to compare with');

/** An origin that answers with its name, and as the request's path says: its status, a cookie, a length. */
async function origin(name: string): Promise<number> {
  const server = http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url!, 'http://x');
    response.statusCode = Number(/^\/(\d{3})$/.exec(pathname)?.[1] ?? 200);
    if (searchParams.has('cookie')) response.setHeader('set-cookie', `ID=${searchParams.get('cookie')}${name}; path=/`);
    response.sendDate = false;
    response.end(name);
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as net.AddressInfo).port;
}

interface Recipe {
  readonly name: string;
  /** `$bind` is the address to listen on, `$1` and `$2` are servers; the section to ask is `web`. */
  readonly config: string;
  /** Requests: `<path> [<header>; ...]`, commands: `> <command>` (the answer is compared), `~ <ms>`. */
  readonly play: readonly string[];
}

const LISTEN = 'listen web\n  bind $bind\n';
const SERVERS = '  balance roundrobin\n  server s1 $1\n  server s2 $2\n';

const RECIPES: readonly Recipe[] = [
  {
    name: 'requests per source: 429 when there are too many',
    config: `${LISTEN}  stick-table type ip size 100k expire 30s store http_req_rate(10s),http_req_cnt,http_err_cnt,http_err_rate(10s)
  http-request track-sc0 src
  http-request deny deny_status 429 if { sc_http_req_rate(0) gt 5 }
${SERVERS}`,
    play: [...Array(9).fill('/'), '/404', '> show table web', '> show table'],
  },
  {
    name: 'keys out of headers, errors and failures, bytes',
    config: `${LISTEN}  stick-table type string len 16 size 1k expire 1m store conn_cnt,conn_cur,conn_rate(10s),sess_cnt,sess_rate(10s),http_req_cnt,http_err_cnt,http_fail_cnt,bytes_in_cnt,gpc0,gpc0_rate(10s),gpt0
  http-request track-sc0 hdr(x-key)
  http-request sc-inc-gpc0(0) if { path /200 }
  http-request sc-set-gpt0(0) 9 if { hdr(x-tag) -m found }
  http-request deny if { path /deny }
  http-response track-sc1 str(late) if { status 503 }
${SERVERS}`,
    play: [
      '/200 X-Key: alpha',
      '/200 X-Key: alpha; X-Tag: 1',
      '/404 X-Key: alpha',
      '/500 X-Key: alpha',
      '/501 X-Key: alpha',
      '/503 X-Key: beta',
      '/deny X-Key: beta',
      '/200',
      '/200 X-Key: a-key-that-is-longer-than-it-may-be',
      '/200 X-Key: with space=\\and more',
      '> show table web',
      '> show table web data.http_err_cnt gt 0',
      '> show table web data.http_fail_cnt eq 1 data.conn_cnt ge 2',
      '> show table web key alpha',
    ],
  },
  {
    name: 'connections and sessions of a source',
    config: `${LISTEN}  stick-table type ip size 20 expire 10s store conn_cnt,conn_cur,conn_rate(10s),sess_cnt,sess_rate(10s),http_req_cnt
  tcp-request connection track-sc0 src
  tcp-request connection reject if { sc0_conn_rate gt 4 }
${SERVERS}`,
    play: [...Array(6).fill('/200'), '> show table web'],
  },
  {
    name: 'abusers are remembered in a table of another section',
    config: `${LISTEN}  tcp-request content track-sc0 src table abuse
  http-request deny if { sc0_get_gpc0 gt 2 }
  acl bad path /admin
  http-request deny if bad { sc0_inc_gpc0 ge 0 }
  http-request set-header x-count %[src,table_gpc0(abuse)]
${SERVERS}backend abuse
  stick-table type ip size 1m expire 30m store gpc0,http_req_cnt,http_err_cnt
`,
    play: ['/200', '/admin', '/admin', '/200', '/admin', '/200', '/200', '> show table abuse'],
  },
  {
    name: 'src_updt_conn_cnt, src_inc_gpc0, src_clr_gpc0',
    config: `${LISTEN}  stick-table type ip size 20 expire 10s store conn_cnt,gpc0
  http-request deny deny_status 429 if { src_updt_conn_cnt gt 3 }
  http-request return status 200 content-type text/plain lf-string "%[src_conn_cnt] %[src_inc_gpc0] %[src_get_gpc0] %[src,in_table] %[table_cnt] %[table_avl]"
`,
    play: ['/', '/', '/', '/', '/', '> show table web'],
  },
  {
    name: 'a table that is full',
    config: `${LISTEN}  stick-table type integer size 3 expire 1m store http_req_cnt
  http-request track-sc0 hdr(x-n)
${SERVERS}`,
    play: [...['1', '2', '3', '1', '4', '5', '1'].flatMap(n => [`/200 X-N: ${n}`, '~ 5']), '> show table web'],
  },
  {
    name: 'arrays',
    config: `${LISTEN}  stick-table type ip size 10 store gpc(3),gpc_rate(2,10s),gpt(2)
  http-request track-sc0 src
  http-request sc-inc-gpc(1,0)
  http-request sc-inc-gpc(2,0) if { path /two }
  http-request sc-inc-gpc0(0)
  http-request sc-set-gpt(1,0) int(5)
  http-request return status 200 content-type text/plain lf-string "%[sc_get_gpc(0,0)] %[sc_get_gpc(1,0)] %[sc0_get_gpc1] %[sc_gpc_rate(1,0)] %[sc_get_gpt(1,0)] %[sc_get_gpc(2,0)] %[src,table_gpc(2,web)]"
`,
    play: ['/', '/two', '/', '> show table web'],
  },
  {
    name: 'stick on a header',
    config: `${LISTEN}  stick-table type string len 20 size 1k expire 10m
  stick on hdr(x-key)
${SERVERS}`,
    play: [
      '/200 X-Key: a',
      '/200 X-Key: b',
      '/200 X-Key: a',
      '/200 X-Key: b',
      '/200 X-Key: a',
      '/200',
      '> show table web',
    ],
  },
  {
    name: 'one active server',
    config: `${LISTEN}  stick-table type ip size 1
  stick on dst
${SERVERS}`,
    play: [
      ...['/200', '/200', '> disable server web/s1', '/200', '/200', '> enable server web/s1', '/200', '/200'],
      '> show table web',
    ],
  },
  {
    name: 'a cookie of the application',
    config: `${LISTEN}  stick-table type string len 32 size 1k expire 10m
  stick store-response res.cook(ID)
  stick match req.cook(ID)
${SERVERS}`,
    play: [
      ...['/200?cookie=x', '/200?cookie=x', '/200 Cookie: ID=xs1', '/200 Cookie: ID=xs2', '/200 Cookie: ID=xs1'],
      ...['/200 Cookie: ID=nobody', '> show table web'],
    ],
  },
  {
    name: 'the runtime API',
    config: `${LISTEN}  stick-table type ip size 10 expire 1m store gpc0,gpt0,http_req_rate(10s)
${SERVERS}backend names
  stick-table type string len 10 size 10 store gpc0,server_id
backend six
  stick-table type ipv6 size 10 store gpc0
`,
    play: [
      ...['> show table', '> show table nope', '> set table web key 1.2.3.4 data.gpc0 5 data.gpt0 7'],
      ...['> set table web key 1.2.3.5 data.gpc0 1', '> show table web', '> show table web data.gpc0 gt 2'],
      ...[
        '> show table web key 1.2.3.5',
        '> show table web key',
        '> set table web key',
        '> set table names key ab data.gpc0 1',
      ],
      ...['> set table names key xy data.server_id 2', '> show table names', '> set table six key ::1 data.gpc0 3'],
      ...[
        '> show table six',
        '> clear table web key 1.2.3.4',
        '> show table web',
        '> clear table names',
        '> show table names',
      ],
      ...['> show table web data.nope gt 1', '> show table web data.gpc1 gt 1', '> show table web data.gpc0 zz 1'],
      ...[
        '> show table web data.gpc0 gt x',
        '> set table web key 1.2.3.5 data.gpc0 x',
        '> set table web key 1.2.3.5 data.nope 1',
      ],
      ...['> clear table web data.gpc0 eq 1', '> show table web'],
    ],
  },
];

function command(socket: string, line: string): Promise<string | null> {
  return new Promise(resolve => {
    const conn = net.connect({ path: socket, allowHalfOpen: true });
    let text = '';
    conn.setEncoding('utf8');
    conn.on('data', piece => {
      text += piece;
    });
    conn.on('end', () => {
      conn.destroy();
      resolve(text);
    });
    conn.on('error', () => resolve(null));
    conn.end(`${line}\n`);
  });
}

/**
 * What may differ: pointers, the time left, the order of entries, `shard` of newer versions; bytes, which HAProxy counts in
 * its own representation of HTTP.
 */
function comparable(answer: string): string {
  const lines = answer
    .replace(/0x[0-9a-f]+:/g, '*:')
    .replace(/exp=\d{3,}/g, 'exp=*')
    .replaceAll(' shard=0', '')
    .replace(/bytes_in_cnt=\d{2,}/g, 'bytes_in_cnt=*')
    .trimEnd()
    .split('\n');
  const entries = lines.filter(line => line.startsWith('*:')).sort();
  return [...lines.filter(line => !line.startsWith('*:')), ...entries].join('\n');
}

async function request(port: number, line: string): Promise<string> {
  const [, uri = '/', headers = ''] = /^(\S+) ?(.*)$/.exec(line)!;
  const lines = headers === '' ? '' : `${headers.split('; ').join('\r\n')}\r\n`;
  const text = `GET ${uri} HTTP/1.1\r\nHost: a\r\n${lines}Connection: close\r\n\r\n`;
  // A connection that is refused is reset, before or after it has been used.
  const answer = await rawAsk(port, text).catch(() => '');
  const status = answer.slice(9, 12);
  return `${line}: ${status} ${status === '200' ? answer.slice(answer.indexOf('\r\n\r\n') + 4) : ''}`;
}

async function play(recipe: Recipe, port: number, socket: string): Promise<string[]> {
  const seen: string[] = [];
  for (const line of recipe.play) {
    if (line.startsWith('~ ')) await new Promise(resolve => setTimeout(resolve, Number(line.slice(2))));
    else if (line.startsWith('> '))
      seen.push(`${line}\n${comparable((await command(socket, line.slice(2))) ?? 'none')}`);
    else seen.push(await request(port, line));
  }
  return seen;
}

/** The runtime API is the last that starts, of both. */
async function ready(socket: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if ((await command(socket, 'show info')) !== null) return;
    await new Promise(resolve => setTimeout(resolve, 20));
  }
  throw new Error('it does not start');
}

test.skipIf(version === null).each(RECIPES)('$name', { timeout: 30_000 }, async recipe => {
  const dir = folder();
  const origins = [await origin('s1'), await origin('s2')];
  const run = async (name: string, launch: (file: string) => void): Promise<string[]> => {
    const port = await freePort();
    const socket = path.join(dir, name);
    const text = recipe.config
      .replace('$bind', `127.0.0.1:${port}`)
      .replace(/\$(\d)/g, (_, n) => `127.0.0.1:${origins[Number(n) - 1]}`);
    const file = path.join(dir, `${name}.cfg`);
    fs.writeFileSync(
      file,
      `global\n  stats socket ${socket} level admin\n  nbthread 2\ndefaults\n  mode http\n  timeout client 3s\n  timeout server 3s\n  timeout connect 3s\n${text}`,
    );
    launch(file);
    await ready(socket);
    return play(recipe, port, socket);
  };
  const theirs = await run('haproxy', file => {
    const haproxy: ChildProcess = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => void haproxy.kill('SIGKILL'));
  });
  const ours = await run('sluice', file => start(['-f', config(fs.readFileSync(file, 'utf8'), dir)]));
  expect(ours).toEqual(theirs);
});
