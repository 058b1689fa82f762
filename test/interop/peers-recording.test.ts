/**
 * Two real HAProxys talk through a relay that takes down what they say: the codec must understand all of it. With
 * `GOLDEN=write` it becomes the session that test/peers/ reads.
 */
import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { listen, messagesOf } from '../peers/messages.ts';
import { ask, backend, config, folder, freePort } from '../workers/sluice.ts';
import { command, until } from './peer-farm.ts';
import { haproxyVersion } from './peers.ts';

const INTEROP = process.env.SLUICE_INTEROP !== undefined;
const skipped = !INTEROP ? 'SLUICE_INTEROP is not set' : haproxyVersion() === null ? 'haproxy is not installed' : null;
if (skipped !== null) console.log(`peers-recording.test: skipped, ${skipped}`);

const GOLDEN = path.join(import.meta.dirname, '../peers/haproxy-session.json');

/** Every kind of key and every data type that HAProxy 2.6 has. */
const T1 = `gpc0,gpc0_rate(10s),gpt0,conn_cnt,conn_rate(3s),conn_cur,sess_cnt,sess_rate(4s),http_req_cnt,http_req_rate(5s),\
http_err_cnt,http_err_rate(6s),bytes_in_cnt,bytes_in_rate(7s),bytes_out_cnt,bytes_out_rate(8s),gpc1,gpc1_rate(9s),\
http_fail_cnt,http_fail_rate(11s)`;

function configuration(me: string, socket: string, peers: Record<string, number>, web: number, server: number): string {
  return `global
  localpeer ${me}
  stats socket ${socket} mode 600 level admin
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
peers p
  peer A 127.0.0.1:${peers.A}
  peer B 127.0.0.1:${peers.B}
  table tt type ip size 100 expire 1m store gpc0
backend t1
  stick-table type ip size 1k expire 60s store ${T1} peers p
backend t2
  stick-table type string len 20 size 1k expire 30s store gpc(3),gpt(2),gpc_rate(2,10s) peers p
backend t3
  stick-table type integer size 1k store gpc0 peers p
backend t4
  stick-table type ipv6 size 1k expire 60s store gpc0 peers p
backend t5
  stick-table type binary len 7 size 1k expire 60s store gpc0 peers p
backend t6
  stick-table type string size 1k expire 60s srvkey name peers p
  stick on url_param(k)
  server srv1 127.0.0.1:${server}
  server srv2 127.0.0.1:${server}
frontend f
  bind 127.0.0.1:${web}
  http-request track-sc0 url_param(k) table t2
  http-request track-sc1 src table t1
  http-request track-sc2 src table p/tt
  http-request sc-inc-gpc0(2)
  http-request sc-inc-gpc(1,0)
  default_backend t6
`;
}

type Said = ['A' | 'B', string][];

/** Passes on what comes to A, and takes down each connection. Gives its port. */
async function relay(to: number, sessions: Said[]): Promise<number> {
  const server = net.createServer(b => {
    const said: Said = [];
    sessions.push(said);
    const a = net.connect(to, '127.0.0.1');
    for (const [from, other, who] of [
      [b, a, 'B'],
      [a, b, 'A'],
    ] as const) {
      from.on('data', bytes => {
        const last = said.at(-1);
        if (last?.[0] === who) last[1] += bytes.toString('hex');
        else said.push([who, bytes.toString('hex')]);
        other.write(bytes);
      });
      from.on('close', () => other.destroy());
      from.on('error', () => {});
    }
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

test.skipIf(skipped !== null)('all that two HAProxys say is understood', { timeout: 60_000 }, async () => {
  const dir = folder();
  const sessions: Said[] = [];
  const [own, server] = [{ A: await freePort(), B: await freePort() }, await backend('x')];
  const toA = await relay(own.A, sessions);
  // A cannot reach B, so that there is one connection.
  const seen = { A: { A: own.A, B: await freePort() }, B: { A: toA, B: own.B } };
  const web = { A: await freePort(), B: await freePort() };
  const socket = (me: string) => path.join(dir, me);
  const start = async (me: 'A' | 'B') => {
    const file = config(configuration(me, socket(me), seen[me], web[me], server), folder());
    const child = spawn('haproxy', ['-db', '-q', '-f', file], { stdio: 'ignore' });
    onTestFinished(() => void child.kill('SIGKILL'));
    await until(() => command(socket(me), 'show version').then(Boolean, () => false), me);
  };
  const get = (me: 'A' | 'B', key: string) => ask(web[me], `/?k=${key}`);

  await start('A');
  for (const set of ['t3 key 42 data.gpc0 7', 't3 key 43 data.gpc0 300', 't4 key 2001:db8::1 data.gpc0 5']) {
    await command(socket('A'), `set table ${set}`);
  }
  const old = 'data.gpt0 4 data.conn_cur 3 data.conn_rate 100 data.bytes_in_cnt 123456789012';
  await command(socket('A'), `set table t1 key 10.0.0.9 ${old}`);
  for (const key of ['hello', 'hello2']) await get('A', key);
  await start('B');
  const learned = async () => (await command(socket('B'), 'show table t6')).includes('key=hello2 ');
  await until(learned, 'what B learns');
  for (const key of ['hello', 'live']) await get('A', key);
  // B has heard that when it is its turn.
  await pause(300);
  await get('B', 'fromb');
  await command(socket('B'), 'set table t1 key 10.0.0.10 data.gpt0 99');
  // Long enough for heartbeats.
  await pause(4000);

  const tables: Record<string, string[]> = {};
  for (const table of ['t1', 't2', 't3', 't4', 't6', 'p/tt']) {
    const lines = (await command(socket('B'), `show table ${table}`)).split('\n');
    tables[table] = lines.filter(line => line.includes('key=')).map(line => line.replace(/^\S+ /, ''));
  }
  const said = sessions.at(-1)!;
  const all = (who: 'A' | 'B') => Buffer.from(said.map(([from, hex]) => (from === who ? hex : '')).join(''), 'hex');
  const [a, b] = [messagesOf(all('A'), 1), messagesOf(all('B'), 3)];
  expect([a.lines, b.lines.slice(0, 2)]).toEqual([['200'], ['HAProxyS 2.1', 'A']]);
  const heard = [listen(a.messages), listen(b.messages)].flatMap(side => side.tables.map(table => table.all().length));
  // t6, t5 ... t1, p/tt: what A says, and what B says.
  expect(heard.length).toBe(14);
  expect(Math.max(...heard)).toBeGreaterThan(2);
  if (process.env.GOLDEN === 'write') writeFileSync(GOLDEN, `${JSON.stringify({ said, tables }, null, 2)}\n`);
});
