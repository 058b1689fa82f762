/**
 * keepalived on two machines with one address, as scripts/ha/examples/keepalived.conf has it: the address leaves the machine
 * whose Sluice dies, hangs or is stopped, and comes back. Who serves is what a third machine is told at the address.
 */
import fs from 'node:fs';
import path from 'node:path';
import { expect, type TestContext, test } from 'vitest';
import { LAUNCHER } from '../workers/sluice.ts';
import { type Machine, missing, type Resident, startLan } from './namespaces.ts';

const EXAMPLE = path.join(import.meta.dirname, '../../scripts/ha/examples/keepalived.conf');
const ADDRESS = '10.77.0.100';

const reason = missing('keepalived', 'killall', 'socat', 'curl');
if (reason !== null) console.log(`keepalived.test: skipped, ${reason}`);

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** Sluice's configuration on a machine. The address is bound everywhere, also where it is not at the moment. */
const cfg = (name: string) => `
global
  nbthread 1
  stats socket /run/haproxy/admin.sock
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend www
  bind ${ADDRESS}:80
  http-request return status 200 content-type text/plain string ${name}
frontend health
  bind 127.0.0.1:8080
  monitor-uri /up
`;

/** A machine with Sluice and keepalived. */
class Node {
  readonly #machine: Machine;
  sluice!: Resident;

  constructor(machine: Machine, name: string, keepalived: string) {
    this.#machine = machine;
    // All that is written stays in its own memory.
    machine.sh(`
      mount -t tmpfs none /run; mkdir /run/haproxy
      echo 1 >/proc/sys/net/ipv4/ip_nonlocal_bind
      cat >/run/sluice.cfg <<'END'\n${cfg(name)}\nEND
      cat >/run/keepalived.conf <<'END'\n${keepalived}\nEND`);
  }

  async startSluice(): Promise<void> {
    this.sluice = await this.#machine.start(LAUNCHER, [
      ...['--process-name', 'haproxy', '-W', '-q', '-f', '/run/sluice.cfg'],
    ]);
  }

  async hasAddress(): Promise<boolean> {
    return (await this.#machine.ask('ip', '-4', '-o', 'addr', 'show', 'to', ADDRESS)) !== '';
  }

  async startKeepalived(): Promise<void> {
    await this.#machine.start('keepalived', ['-n', '-P', '-f', '/run/keepalived.conf'], { stdio: 'ignore' });
  }
}

/** The example, as the `index`-th machine has it, with the named check, and quicker. */
function keepalivedConf(index: number, check: string): string {
  const mine = fs
    .readFileSync(EXAMPLE, 'utf8')
    .replace(/track_script \{\s*\w+/, `track_script {\n    ${check}`)
    .replace(/(timeout|fall|rise) 2/g, '$1 1');
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

const CHECKS: readonly { readonly check: string; readonly troubles: readonly Trouble[] }[] = [
  { check: 'process', troubles: [DEATH, STOP] },
  { check: 'stats_socket', troubles: [HANG, DEATH] },
  { check: 'http', troubles: [HANG, STOP] },
];

for (const { check, troubles } of CHECKS) {
  const name = `${check}: the address moves when Sluice ${troubles.map(({ name }) => name).join(', ')}, and comes back`;
  // Most of the time goes by waiting: all at once.
  test.concurrent(name, { timeout: 60_000, skip: reason !== null }, context => run(check, troubles, context));
}

async function run(check: string, troubles: readonly Trouble[], { onTestFinished }: TestContext): Promise<void> {
  const lan = await startLan(3);
  onTestFinished(() => lan.end());
  const [first, second, client] = lan.machines;
  const nodes = [first!, second!].map((machine, i) => new Node(machine, `node${i + 1}`, keepalivedConf(i, check)));
  /** Waits until the client is served by a node, and only that one has the address. */
  const served = async (by: string) => {
    let found: readonly unknown[] = [];
    const wanted = [by, by === 'node1', by === 'node2'];
    for (const deadline = Date.now() + 15_000; Date.now() < deadline; await sleep(50)) {
      const answer = client!.ask('curl', '-sf', '-m', '0.5', `http://${ADDRESS}/`);
      found = await Promise.all([answer, ...nodes.map(node => node.hasAddress())]);
      if (found.every((value, i) => value === wanted[i])) return;
    }
    expect(found).toEqual(wanted);
  };
  await Promise.all(nodes.map(node => node.startSluice()));
  await Promise.all(nodes.map(node => node.startKeepalived()));
  await served('node1');
  for (const { make, undo } of troubles) {
    make(nodes[0]!);
    await served('node2');
    await undo(nodes[0]!);
    await served('node1');
  }
}
