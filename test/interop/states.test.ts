/** The same random commands on servers of HAProxy and of Sluice: states, statuses, answers and log lines must be the same. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import fc from '../properties.ts';
import { backend, folder, LAUNCHER } from '../workers/sluice.ts';
import { ask } from './cli-client.ts';
import { haproxyVersion } from './haproxy-farms.ts';

const version = haproxyVersion();
if (version === null) console.log('states.test: skipped, no haproxy in PATH to compare with');

const COMMANDS = 250;

const ACTIONS = [
  ...['enable', 'disable'].flatMap(word => ['server', 'health', 'agent'].map(what => `${word} ${what} %`)),
  ...['ready', 'drain', 'maint'].map(state => `set server % state ${state}`),
  ...['up', 'stopping', 'down'].map(health => `set server % health ${health}`),
  ...['up', 'down'].map(health => `set server % agent ${health}`),
  ...['0', '7', '100%'].map(weight => `set server % weight ${weight}`),
];

const SERVERS = ['b/s1', 'b/s2', 'b/s3', 'b/s4', 'b/s5', 'b/s6', 'b/s7', 'b/s8', 'c/t1', 'c/t2', 'c/t3', 'd/u1'];

/** Each is checked once at the start, and not again. */
const configText = (socket: string, port: number, agent: number, options: string) => `global
  stats socket ${socket} level admin
  log stdout format raw local0
  nbthread 2
  max-spread-checks 10
defaults
  mode http
  log global
  timeout client 5s
  timeout server 5s
  timeout connect 5s
  default-server inter 1h agent-inter 1h
backend b
  ${options}
  server s1 127.0.0.1:${port} check weight 10
  server s2 127.0.0.1:${port} weight 20
  server s3 127.0.0.1:${port} track s1
  server s4 127.0.0.1:${port} track s3
  server s5 127.0.0.1:${port} check backup
  server s6 127.0.0.1:${port} agent-check agent-port ${agent}
  server s7 127.0.0.1:${port} check agent-check agent-port ${agent} rise 3
  server s8 127.0.0.1:${port} check disabled
listen c
  ${options}
  server t1 127.0.0.1:${port} track b/s7 weight 5
  server t2 127.0.0.1:${port} track b/s5 backup
  server t3 127.0.0.1:${port} check rise 1 fall 1
backend d
  server u1 127.0.0.1:${port} track c/t1
backend e
  server last 127.0.0.1:${port}
`;

/** An agent that always says the same; closed when the test ends. Resolves to its port. */
async function agentThatSays(word: string): Promise<number> {
  const server = net.createServer(conn => conn.on('error', () => {}).end(`${word}\n`));
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as net.AddressInfo).port;
}

class Program {
  readonly #socket: string;
  readonly lines: string[] = [];

  constructor(program: string, dir: string, text: (socket: string) => string) {
    const file = path.join(dir, `${path.basename(program)}.cfg`);
    this.#socket = `${file}.sock`;
    fs.writeFileSync(file, text(this.#socket));
    const child: ChildProcess = spawn(program, ['-db', '-f', file], { stdio: ['ignore', 'pipe', 'ignore'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    let rest = '';
    child.stdout!.setEncoding('utf8').on('data', (piece: string) => {
      const lines = (rest + piece).split('\n');
      rest = lines.pop()!;
      this.lines.push(...lines);
    });
  }

  async ask(command: string): Promise<string> {
    return (await ask(this.#socket, command)).trim();
  }

  /** What `show servers state` says, without addresses, times, and whether checks are paused. */
  async states(): Promise<string[]> {
    const rows = (await this.ask('show servers state')).split('\n').slice(2);
    return rows.map(row => {
      const words = row.split(' ');
      for (const at of [13, 14]) words[at] = String(Number(words[at]) & ~PAUSED);
      return [1, 3, 5, 6, 7, 8, 10, 11, 12, 13, 14].map(at => words[at]).join(' ');
    });
  }

  async statuses(): Promise<string[]> {
    const rows = (await this.ask('show stat')).split('\n').slice(1);
    return rows.map(row => [0, 1, 17, 19, 20, 21, 22].map(at => row.split(',')[at]).join(' '));
  }

  /** When each check has had its result. */
  async checked(): Promise<void> {
    for (;;) {
      const rows = (await this.ask('show stat')).split('\n');
      const names = rows[0]!.split(',');
      const columns = ['check_status', 'agent_status'].map(name => names.indexOf(name));
      if (!rows.some(row => columns.some(column => /INI|^\*/.test(row.split(',')[column]!)))) return;
      await new Promise(resolve => setTimeout(resolve, 20));
    }
  }
}

const PAUSED = 8;

test.skipIf(version === null).each([
  ['balance roundrobin', 'up'],
  ['option allbackups', 'drain'],
  ['option log-health-checks', '50% ready'],
])('servers with %s, whose agent says %s', { timeout: 120_000 }, async (options, says) => {
  const dir = folder();
  const [port, agent] = [await backend('one'), await agentThatSays(says)];
  const both = ['haproxy', LAUNCHER].map(
    program => new Program(program, dir, socket => configText(socket, port, agent, options)),
  );
  const [haproxy, sluice] = both as [Program, Program];
  await Promise.all(both.map(one => one.checked()));
  for (const one of both) one.lines.length = 0;

  const command = fc.tuple(fc.constantFrom(...ACTIONS), fc.constantFrom(...SERVERS));
  const [commands] = fc.sample(fc.array(command, { minLength: COMMANDS, maxLength: COMMANDS }), 1);
  const told: string[] = [];
  for (const [action, server] of commands!) {
    told.push(action.replace('%', server));
    const seen = async (one: Program) => [await one.ask(told.at(-1)!), await one.states(), await one.statuses()];
    expect(await seen(sluice), told.slice(-5).join('; ')).toEqual(await seen(haproxy));
  }
  // A last one, so that all lines before it are there.
  for (const one of both) {
    await one.ask('disable server e/last');
    while (one.lines.at(-1) !== 'backend e has no server available!') await new Promise(done => setTimeout(done, 10));
  }
  expect(sluice.lines).toEqual(haproxy.lines);
});
