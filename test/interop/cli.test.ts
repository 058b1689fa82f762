/** The same commands to HAProxy's runtime API and to Sluice's, on the same configuration: the answers must be the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { backend, config, folder, freePort, start } from '../workers/sluice.ts';
import { ask } from './cli-client.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('cli.test: skipped, no haproxy in PATH to compare with');

/** In this order: some depend on those before. */
const COMMANDS = [
  'get weight b/s1',
  'get weight b',
  'get weight x/s1',
  'get weight b/x',
  'set weight b/s1',
  'set weight b/s1 50%;get weight b/s1',
  'set weight b/s1 257',
  'set weight b/s1 5x',
  'set weight b/s1 10',
  'set server b/s1 state',
  'set server b/s1 state x',
  'set server b/s1 health x',
  'set server b/s1 addr',
  'set server b/s1 addr foo',
  'set server b/s1 addr 127.0.0.1',
  'set server b/s1 addr 127.0.0.9',
  'set server b/s1 addr 127.0.0.1 foo 80',
  'set server b/s1 addr ::1 port 1000',
  'set server b/s1 addr ::1 port 1001',
  'set server b/s1 addr 127.0.0.1 port 1001',
  'set server b/s2 addr [::1]',
  'set server b/s1 check-port',
  'set server b/s1 check-port 10',
  'set server b/s2 check-addr',
  'set server b/s2 check-addr 127.0.0.5 port 99',
  'disable health b/s1',
  'disable health b/x',
  'enable health b/s1',
  'enable health b/s2',
  'disable server b/s1;disable server b/x;enable server b/s1',
  'disable frontend',
  'disable frontend x',
  'disable frontend b',
  'disable frontend f',
  'disable frontend f',
  'enable frontend f',
  'enable frontend f',
  'set maxconn frontend',
  'set maxconn frontend x 1',
  'set maxconn frontend f',
  'set maxconn frontend f -1',
  'set maxconn frontend f 10',
  'set maxconn server',
  'set maxconn server b/s1',
  'set maxconn server b/s1 9',
  'set maxconn server b/x 9',
  'set maxconn global',
  'set maxconn global 1000',
  'set maxconn global 20',
  'set rate-limit connections global',
  'set rate-limit connections global 9',
  'set rate-limit sessions global -1',
  'set rate-limit sessions global 0',
  'shutdown session',
  'shutdown session x',
  'shutdown session 0x1',
  'shutdown sessions server',
  'shutdown sessions server b/x',
  'shutdown sessions server b/s1',
  'show sess 0x1',
  'clear counters',
  'clear counters all',
  'show backend',
  'show servers conn x',
  'show servers state x',
  'show errors x',
  'show stat x 1 1',
  'show cli level',
  'show env SLUICE_NOT_THERE',
  'operator;show cli level;set weight b/s1 1;clear counters all;clear counters;show sess 0x1',
  'user;show cli level;operator;show errors;clear counters;show env HOME',
  'expert-mode;expert-mode on;expert-mode',
  'experimental-mode;experimental-mode on;experimental-mode',
  'set timeout',
  'set timeout cli',
  'set timeout cli x',
  'set timeout cli 9s',
  'prompt;show cli level;prompt;show cli level',
  'shutdown frontend',
  'shutdown frontend x',
  'shutdown frontend f',
];

/** On tables, maps, tracked servers, static algorithms. */
const MORE_COMMANDS = [
  'show table t data.gpc0',
  'show table t data.gpc0 gt',
  'show table t data.gpc0 zz 8',
  'show table t data.nope gt 8',
  'show table t data.bytes_out_cnt gt 8',
  `show table t${' data.gpc0 gt 0'.repeat(5)}`,
  'show table t data.gpc0 gt 8 foo',
  'show table t key',
  'show table nope',
  'set table t key',
  'set table t key k1 data.gpc0',
  'set table t key k1 data.gpc0 x',
  'set table t key k1 data.nope 7',
  'set table t key k1 data.http_req_rate 7',
  'set table t key k1 foo',
  'set table nope key k1',
  ...['x', '12a', '+5', '-1', '4294967296'].map(key => `set table i key ${key}`),
  ...['1.2.3.4', '::1', '::ffff:1.2.3.4', 'fe80::1%lo'].map(key => `set table v key ${key}`),
  'set table t key k1 data.gpc0 7 data.gpt0 3',
  'show table',
  'clear table nope',
  'clear table t key',
  'clear table t data.gpc0 gt 8',
  'clear table t key k1',
  'show table t',
  'show map #9',
  'show map @5 #9',
  'get map m.map',
  'add map #9 x y',
  'set map #9 x',
  'commit map #0',
  'clear map @1',
  'prepare acl #77',
  'add acl #0',
  'del acl #0',
  'set server s/b health up',
  'set server s/a weight 3',
  'set server s/a weight 0',
  'set server s/a weight 100%',
  'set weight s/a -1',
  'set weight s/a -1%',
  'get weight #9/#2',
  'enable server #9/#2',
  'get weight s/#7',
  'set rate-limit',
  'set rate-limit connections foo 1',
  'set server d/c agent up',
  'set server d/c agent-port x',
  'set server d/c agent-send x',
  'set server d/c fqdn x.y',
  'set server d/c ssl on',
  'add server d/x 127.0.0.1:1',
  'add server d/x 127.0.0.1:1',
  'add server s/x 127.0.0.1:1',
  'add server d/',
  'add server d/c',
  'set server d/u addr 127.0.0.1 port 80',
  'del server d/x',
  'del server d/x',
  'add server d/y 127.0.0.1:1 disabled',
  'add server d/z 127.0.0.1:+7',
  'del server s/a',
  'set var proc.x int(1)',
  'experimental-mode on;set var proc.x int(3);get var proc.x',
  'httpclient GET http://127.0.0.1:1/',
  'debug dev log x',
  'expert-mode on;httpclient GET',
  'show servers state d',
];

/** Ages, and dates, differ. */
function ageless(answer: string): string {
  return plain(answer).replace(/^(\d+ \w+ \d+ \w+ \S+ \d \d+ \d+ \d+) \d+ /gm, '$1 AGE ');
}

/** HAProxy sometimes forgets the empty line that ends an answer. */
function plain(answer: string): string {
  return `${answer.trimEnd()}\n`;
}

/** Runs both on the same configuration, `text` with the name of the socket, and compares their answers. */
async function sameAnswers(
  dir: string,
  text: (socket: string) => Promise<string>,
  commands: readonly string[],
  seen: (answer: string) => string,
): Promise<void> {
  start(['-f', config(await text('sluice'), dir)]);
  const file = path.join(dir, 'haproxy.cfg');
  fs.writeFileSync(file, await text('haproxy'));
  const haproxy: ChildProcess = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  onTestFinished(() => void haproxy.kill('SIGKILL'));

  const differ: { command: string; haproxy: string; sluice: string }[] = [];
  for (const command of commands) {
    const theirs = seen(await ask(path.join(dir, 'haproxy'), command));
    const ours = seen(await ask(path.join(dir, 'sluice'), command));
    if (theirs !== ours) differ.push({ command, haproxy: theirs, sluice: ours });
  }
  expect(differ).toEqual([]);
}

test.skipIf(version === null)('every answer is HAProxy’s', { timeout: 60_000 }, async () => {
  const dir = folder();
  const servers = [await backend('one'), await backend('two')];
  const text = async (socket: string) => `global
  maxconn 100
  stats socket ${path.join(dir, socket)} level admin
  nbthread 2
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${await freePort()}
  default_backend b
backend b
  server s1 127.0.0.1:${servers[0]} check weight 10
  server s2 127.0.0.1:${servers[1]} weight 20 maxconn 5
`;
  await sameAnswers(dir, text, COMMANDS, plain);
});

test.skipIf(version === null)('tables, maps, tracked servers, static algorithms', { timeout: 60_000 }, async () => {
  const dir = folder();
  const port = await backend('one');
  fs.writeFileSync(path.join(dir, 'm.map'), 'a 1\nb 2\n');
  const text = async (socket: string) => `global
  stats socket ${path.join(dir, socket)} level admin
  nbthread 2
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${await freePort()}
  http-request set-var(txn.x) path,map(${path.join(dir, 'm.map')})
  default_backend s
backend t
  stick-table type string len 20 size 100 expire 1h store gpc0,gpt0,conn_cnt
  stick on hdr(u)
backend i
  stick-table type integer size 100
backend v
  stick-table type ipv6 size 100
backend s
  id 9
  balance static-rr
  server a 127.0.0.1:${port} weight 5 check
  server b 127.0.0.1:${port} track s/a
backend d
  id 8
  balance roundrobin
  server c 127.0.0.1:${port}
  server e 127.0.0.1:${port} disabled
  server u unix@/nowhere/u
  server p 127.0.0.1:+5
`;
  await sameAnswers(dir, text, MORE_COMMANDS, ageless);
});
