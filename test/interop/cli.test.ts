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

/** HAProxy sometimes forgets the empty line that ends an answer. */
function plain(answer: string): string {
  return `${answer.trimEnd()}\n`;
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
  start(['-f', config(await text('sluice'), dir)]);
  const file = path.join(dir, 'haproxy.cfg');
  fs.writeFileSync(file, await text('haproxy'));
  const haproxy: ChildProcess = spawn('haproxy', ['-db', '-f', file], { stdio: 'ignore' });
  onTestFinished(() => void haproxy.kill('SIGKILL'));

  const differ: { command: string; haproxy: string; sluice: string }[] = [];
  for (const command of COMMANDS) {
    const theirs = plain(await ask(path.join(dir, 'haproxy'), command));
    const ours = plain(await ask(path.join(dir, 'sluice'), command));
    if (theirs !== ours) differ.push({ command, haproxy: theirs, sluice: ours });
  }
  expect(differ).toEqual([]);
});
