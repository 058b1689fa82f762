/**
 * keepalived on two machines with one address, as scripts/ha/examples/keepalived.conf has it: the address leaves the machine
 * whose Sluice dies, hangs or is stopped, and comes back. Who serves is what a third machine is told at the address.
 */
import fs from 'node:fs';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, type TestContext, test } from 'vitest';
import { LAUNCHER } from '../workers/sluice.ts';
import { type Machine, missing, type Resident, startLan } from './namespaces.ts';

const EXAMPLE = path.join(import.meta.dirname, '../../scripts/ha/examples/keepalived.conf');
const ADDRESS = '10.77.0.100';

const reason = missing('keepalived', 'killall', 'socat', 'curl');
if (reason !== null) console.log(`keepalived.test: skipped, ${reason}`);

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/**
 * Sluice's configuration on a machine. The address is bound everywhere, also where it is not at the moment. A client with a
 * name is told how often it has asked, on whichever machine.
 */
const cfg = (name: string) => `
global
  nbthread 1
  stats socket /run/haproxy/admin.sock
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
peers lb
  peer node1 10.77.0.11:1024
  peer node2 10.77.0.12:1024
frontend www
  bind ${ADDRESS}:80
  stick-table type string len 32 size 1k expire 1h store http_req_cnt peers lb
  http-request track-sc0 req.hdr(x-name) if { req.hdr(x-name) -m found }
  http-request return status 200 content-type text/plain lf-string "${name} %[sc_http_req_cnt(0)]" if { sc_tracked(0) }
  http-request return status 200 content-type text/plain string ${name}
frontend health
  bind 127.0.0.1:8080
  monitor-uri /up
`;

/** A machine with Sluice and keepalived. */
class Node {
  readonly #machine: Machine;
  readonly #name: string;
  sluice!: Resident;

  constructor(machine: Machine, name: string, keepalived: string) {
    this.#machine = machine;
    this.#name = name;
    // All that is written stays in its own memory.
    machine.sh(`
      mount -t tmpfs none /run; mkdir /run/haproxy
      echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind
      cat >/run/sluice.cfg <<'END'\n${cfg(name)}\nEND
      cat >/run/keepalived.conf <<'END'\n${keepalived}\nEND`);
  }

  async startSluice(): Promise<void> {
    this.sluice = await this.#machine.start(LAUNCHER, [
      ...['--process-name', 'haproxy', '-W', '-L', this.#name, '-f', '/run/sluice.cfg'],
    ]);
  }

  async hasAddress(): Promise<boolean> {
    return (await this.#machine.ask('ip', '-4', '-o', 'addr', 'show', 'to', ADDRESS)) !== '';
  }

  /** What its table knows of a client. */
  async known(client: string): Promise<string> {
    const command = `echo 'show table www key ${client}' | socat - UNIX-CONNECT:/run/haproxy/admin.sock`;
    return /http_req_cnt=(\d+)/.exec(await this.#machine.ask('sh', '-c', command))?.[1] ?? '';
  }

  async startKeepalived(): Promise<void> {
    await this.#machine.start('keepalived', ['-n', '-P', '-f', '/run/keepalived.conf'], { stdio: 'ignore' });
  }
}

/** The example, as the `index`-th machine has it, with the named check. */
function keepalivedConf(index: number, check: string): string {
  const mine = fs.readFileSync(EXAMPLE, 'utf8').replace(/track_script \{\s*\w+/, `track_script {\n    ${check}`);
  if (index === 0) return mine;
  return mine
    .replace('priority 101', 'priority 100')
    .replace('unicast_src_ip 10.77.0.11', 'unicast_src_ip 10.77.0.12')
    .replace('    10.77.0.12\n', '    10.77.0.11\n');
}

interface Trouble {
  readonly name: string;
  make(node: Node): void;
  undo(node: Node): void | Promise<void>;
}

const DEATH: Trouble = { name: 'dies', make: node => node.sluice.signal('SIGKILL'), undo: node => node.startSluice() };
const STOP: Trouble = {
  name: 'is stopped',
  make: node => node.sluice.signal('SIGTERM'),
  undo: node => node.startSluice(),
};
const HANG: Trouble = {
  name: 'hangs',
  make: node => node.sluice.signal('SIGSTOP'),
  undo: node => node.sluice.signal('SIGCONT'),
};

/** A process that hangs is still a process. */
const CHECKS: readonly (readonly [check: string, trouble: Trouble])[] = [
  ['process', DEATH],
  ['stats_socket', HANG],
  ['http', STOP],
];

/** Two machines that run, and a client. */
async function startCluster(check: string, { onTestFinished }: TestContext) {
  const lan = await startLan(3);
  onTestFinished(() => lan.end());
  const [first, second, client] = lan.machines;
  const nodes = [first!, second!].map((machine, i) => new Node(machine, `node${i + 1}`, keepalivedConf(i, check)));
  const ask = (...args: string[]) => client!.ask('curl', '-sf', '-m', '1', ...args, `http://${ADDRESS}/`);
  const until = async (look: () => Promise<unknown>, wanted: unknown) => {
    let found: unknown;
    for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(100)) {
      found = await look();
      if (isDeepStrictEqual(found, wanted)) return;
    }
    expect(found).toEqual(wanted);
  };
  /** Waits until the client is served by a node, and only that one has the address. */
  const served = async (by: string) => {
    await until(() => ask(), by);
    await until(() => Promise.all(nodes.map(node => node.hasAddress())), [by === 'node1', by === 'node2']);
  };
  await Promise.all(nodes.map(node => node.startSluice()));
  await Promise.all(nodes.map(node => node.startKeepalived()));
  await served('node1');
  return { node1: nodes[0]!, node2: nodes[1]!, ask, until, served };
}

for (const [check, trouble] of CHECKS) {
  const name = `${check}: address and stick table move when Sluice ${trouble.name}, and come back`;
  test(name, { timeout: 120_000, skip: reason !== null }, async context => {
    const { node1, node2, ask, until, served } = await startCluster(check, context);
    const count = () => ask('-m', '10', '-H', 'x-name: alice');
    for (const n of [1, 2, 3]) expect(await count()).toBe(`node1 ${n}`);
    await until(() => node2.known('alice'), '3');
    trouble.make(node1);
    await served('node2');
    expect(await count()).toBe('node2 4');
    await trouble.undo(node1);
    await until(() => node1.known('alice'), '4');
    await served('node1');
    expect(await count()).toBe('node1 5');
  });
}
