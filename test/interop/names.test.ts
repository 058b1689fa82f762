/**
 * The same configuration run by HAProxy and by Sluice against one name server: states and addresses must evolve alike,
 * and so must what is said of them.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ADMIN_NAMED } from '../../engine/shm/words.ts';
import { NameServer } from '../resolvers/name-server.ts';
import { folder, LAUNCHER } from '../workers/sluice.ts';
import { haproxyVersion } from './peers.ts';

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

const PATIENCE_MS = 8_000;

function configuration(socket: string, port: number): string {
  return `global
  stats socket ${socket} level admin
  nbthread 1
defaults
  mode http
  timeout connect 1s
  timeout client 1s
  timeout server 1s
  default-server init-addr none resolvers r resolve-prefer ipv4
resolvers r
  nameserver n1 127.0.0.1:${port}
  timeout retry 100
  timeout resolve 100
  hold nx 0
  hold timeout 0
  hold refused 0
  hold other 0
backend one
  server s1 one.test:80
backend begun
  server s1 begun.test:80 init-addr 127.0.0.9
backend service
  server s1 _http._tcp.one.test
backend kept
  server s1 _http._tcp.one.test weight 7 resolve-opts ignore-weight
backend many
  server-template t 3 many.test:80
backend shared
  server-template t 2 many.test:80 resolve-opts allow-dup-ip
`;
}

interface Peer {
  say(command: string): Promise<string>;
  lines(): string[];
}

function start(program: string, dir: string, name: string, port: number): Peer {
  const file = path.join(dir, `${name}.cfg`);
  const socket = path.join(dir, `${name}.sock`);
  fs.writeFileSync(file, configuration(socket, port));
  const child: ChildProcess = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let text = '';
  for (const stream of [child.stdout!, child.stderr!]) {
    stream.setEncoding('utf8').on('data', (piece: string) => {
      text += piece;
    });
  }
  return {
    say: command => say(socket, command),
    // The names of proxies are in quotes in some versions.
    lines: () =>
      text
        .split('\n')
        .filter(line => /Server|changed its IP|no server available/.test(line))
        .map(line =>
          line
            .replace(/^.*?\) : /, '')
            .replaceAll("backend '", 'backend ')
            .replaceAll("' has", ' has'),
        ),
  };
}

async function say(socket: string, command: string): Promise<string> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await new Promise<string>((resolve, reject) => {
        let text = '';
        const conn = net.connect(socket, () => conn.end(`${command}\n`)).setEncoding('utf8');
        conn.on('data', piece => {
          text += piece;
        });
        conn.on('end', () => resolve(text)).on('error', reject);
      });
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

/** `backend/server address port admin-state weight name`; which of the servers of a template has which address is left open. */
async function states(peer: Peer): Promise<string[]> {
  const rows = (await peer.say('show servers state')).trim().split('\n').slice(2);
  return rows
    .map(row => {
      const f = row.split(' ');
      // HAProxy shows that an operator named the server only after its next change of state.
      const admin = f[19] === '-' ? Number(f[6]) & ~ADMIN_NAMED : f[6];
      const name = /^(many|shared)$/.test(f[1]!) ? f[1] : `${f[1]}/${f[3]}`;
      return [name, f[4], f[18], `oper ${f[5]}`, `admin ${admin}`, `weight ${f[7]}`, f[17], f[19]].join(' ');
    })
    .sort();
}

test.skipIf(version === null)('states and addresses evolve as HAProxy lets them', { timeout: 90_000 }, async () => {
  const ns = await new NameServer().start();
  onTestFinished(() => ns.stop());
  const dir = folder();
  const [theirs, ours] = [start('haproxy', dir, 'haproxy', ns.port), start(LAUNCHER, dir, 'sluice', ns.port)];
  const service = (target: string, port: number, weight: number, address?: string): void => {
    const record = { target, port, weight, priority: 1 };
    ns.services('_http._tcp.one.test', address === undefined ? record : { ...record, address });
  };
  /** Changes something and waits until both show what is expected of `names` and agree in everything. */
  const step = async (change: () => unknown, ...shown: RegExp[]): Promise<void> => {
    await change();
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const [a, b] = [await states(theirs), await states(ours)];
      const there = shown.every(pattern => a.some(row => pattern.test(row)));
      if (there && String(a) === String(b)) return;
      if (performance.now() > deadline)
        expect({ shown: b, wanted: shown.map(String) }).toEqual({ shown: a, wanted: [] });
      await sleep(30);
    }
  };
  await step(() => {}, /^one\/s1 - 80 oper 0 admin 32/, /^begun\/s1 - 80 oper 0 admin 32/);
  await step(() => ns.addresses('A', 'one.test', '127.0.0.1'), /^one\/s1 127.0.0.1 80 oper 2 admin 0/);
  await step(() => ns.addresses('A', 'one.test', '127.0.0.2'), /^one\/s1 127.0.0.2 80/);
  await step(() => ns.addresses('A', 'begun.test', '127.0.0.3'), /^begun\/s1 127.0.0.3 80 oper 2 admin 0/);
  await step(() => ns.addresses('A', 'one.test'), /^one\/s1 - 80 oper 0 admin 32/);
  await step(() => ns.addresses('A', 'one.test', '127.0.0.2'), /^one\/s1 127.0.0.2/);
  await step(() => ns.forget('one.test'), /^one\/s1 - /);
  await step(() => ns.addresses('A', 'one.test', '127.0.0.4'), /^one\/s1 127.0.0.4/);
  await step(() => Object.assign(ns, { silent: true }), /^one\/s1 - /, /^begun\/s1 - /);
  await step(() => Object.assign(ns, { silent: false }), /^one\/s1 127/, /^begun\/s1 127/);
  ns.otherwise = 'REFUSED';
  await step(() => ns.forget('begun.test'), /^begun\/s1 - /);
  ns.addresses('A', 'real.test', '127.0.0.5');
  await step(() => ns.alias('begun.test', 'real.test'), /^begun\/s1 .*\.5 /);
  await step(() => service('a.test', 8001, 600, '127.0.1.1'), /^service\/s1 127.0.1.1 8001 .*weight 3 a.test/);
  await step(
    () => service('a.test', 8001, 0, '127.0.1.2'),
    /^service\/s1 127.0.1.2 8001 .*weight 0/,
    /^kept.*weight 7/,
  );
  ns.addresses('A', 'b.test', '127.0.1.3');
  await step(() => service('b.test', 8002, 65_535), /^service\/s1 127.0.1.3 8002 oper 2 admin 64 weight 256 b.test/);
  await step(() => ns.forget('_http._tcp.one.test'), /^service\/s1 - 0 oper 0 admin 96/);
  await step(
    () => ns.addresses('A', 'many.test', '127.0.2.1', '127.0.2.2'),
    /^many 127.0.2.1/,
    /^many 127.0.2.2/,
    /^many - /,
  );
  await step(() => ns.addresses('A', 'many.test', '127.0.2.2'), /^many 127.0.2.2/, /^many - /, /^shared 127.0.2.2/);
  const both = async (command: string): Promise<void> => {
    expect((await ours.say(command)).trim()).toBe((await theirs.say(command)).trim());
  };
  await step(() => both('set server one/s1 fqdn b.test'), /^one\/s1 127.0.1.3 80 oper 2 admin 0 .*b.test/);
  await both('set server service/s1 fqdn b.test');
  await both('set server one/s1 fqdn');
  await both('set server one/s1 fqdn a..b');
  await both('show resolvers nosuch');
  await step(() => both('set server one/s1 state maint'), /^one\/s1 127.0.1.3 80 oper 0 admin 1/);
  await step(() => ns.forget('b.test'), /^one\/s1 - 80 oper 0 admin 33/);
  await step(() => both('set server one/s1 state ready'), /^one\/s1 - 80 oper 0 admin 32/);
  await step(() => both('set server one/s1 state drain'), /^one\/s1 - 80 oper 0 admin 40/);
  await step(() => ns.addresses('A', 'b.test', '127.0.1.3'), /^one\/s1 127.0.1.3 80 oper 2 admin 8/);

  const single = (lines: string[]): string[] => lines.filter(line => !/many|shared/.test(line)).sort();
  expect(single(ours.lines())).toEqual(single(theirs.lines()));
});
