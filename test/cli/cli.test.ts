import { mkdtempSync, rmSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DynamicCookies } from '../../engine/balance/dynamic-cookies.ts';
import { Asker } from '../../engine/cli/asker.ts';
import { type Cli, startCli } from '../../engine/cli/index.ts';
import type { Ring } from '../../engine/config/log-model.ts';
import type { Bind } from '../../engine/config/model.ts';
import type { Target } from '../../engine/health/target.ts';
import { addressText, unixAddress } from '../../engine/io/address.ts';
import { openListener } from '../../engine/io/bind.ts';
import type { Io } from '../../engine/io/contract.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { RingBuffer } from '../../engine/log/ring-buffer.ts';
import { Traces } from '../../engine/log/traces.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { CUM_REQ } from '../../engine/shm/counters.ts';
import { checkAddress, LiveAddress } from '../../engine/shm/server-address.ts';
import { View } from '../../engine/stats/view.ts';
import { createStickMemory, Tables } from '../../engine/stick/tables.ts';
import { TimerWheel } from '../../engine/time.ts';
import { TlsChanges } from '../../engine/tls/changes.ts';
import { TlsStore } from '../../engine/tls/store.ts';
import { modelOf, type World, worldOf } from '../health/fixture.ts';
import { PLAIN_SPEC } from '../io/plain-spec.ts';
import { NO_NAMES } from '../resolvers/no-names.ts';
import { NO_FILES } from '../tls/ends.ts';

const FACTS = {
  pid: 42,
  nbthread: 1,
  startWallMs: 0,
  bootMs: 1,
  hostName: 'lb1',
  version: '3.4-test',
  releaseDate: '2026/11/22',
  ioName: 'net',
  ulimitN: 1024,
  maxsock: 1024,
  warnings: 0,
};

let folder: string;
let io: Io;
let cli: Cli;
let world: World;
/** What was logged, and the codes that the process was to end with. */
const logged: string[] = [];
const exits: number[] = [];
/** What agents are to be told. */
const told: string[] = [];
/** The lines of a ring, and who waits for more. */
let buffer: RingBuffer;
const watchers = new Set<() => void>();

const socketPath = (level: Bind['level']) => path.join(folder, level);

function start(options: Parameters<typeof modelOf>[1] = {}, servers = 2): void {
  const model = modelOf(
    Array.from({ length: servers }, () => ({ weight: 10 })),
    options,
  );
  world = worldOf(model);
  world.clock = io.now();
  const wheel = new TimerWheel(io.now());
  const changes = new ChangeLog(createChanges(1), 0);
  const env = {
    ...world.env,
    now: () => io.now(),
    io,
    wheel,
    asker: new Asker({ ask() {}, place() {}, expose() {}, forget() {}, sockets() {} }, world.env.memory, wheel, () =>
      io.now(),
    ),
    checks: {
      add() {},
      remove() {},
      tellAgent: (target: Target, text: string) => void told.push(`${target.server.name} ${text}`),
    },
    names: NO_NAMES,
    peers: [],
    books: new PatternBooks([], changes),
    procVars: new ProcVars([], changes),
    dynamicCookies: new DynamicCookies(model.proxies, changes),
    traces: new Traces(changes),
    tls: new TlsChanges(new TlsStore(NO_FILES), changes),
    ocsp: { entries: [], update: () => 'nobody asks here' },
    rings: {
      list: [{ config: { name: 'r', description: 'my ring' } as Ring, buffer }],
      watch: (look: () => void) => {
        watchers.add(look);
        return () => watchers.delete(look);
      },
    },
    startupLogs: '[NOTICE]   (1) : hello\n',
    logger: { process: (_level: number, text: string) => void logged.push(text) },
    exit: (code: number) => void exits.push(code),
    tables: new Tables(model, createStickMemory(model, 1), 1),
    view: new View(model, world.env.memory, world.env.topology, FACTS),
  };
  const sockets = (['user', 'operator', 'admin'] as const).map(level => {
    const address = unixAddress(socketPath(level));
    const listener = openListener({ ...PLAIN_SPEC, address });
    if (!('fd' in listener)) throw new Error(listener.message);
    return {
      fd: listener.fd,
      bind: { level, address, inheritedFd: null, tls: null, severityOutput: 'none' } as unknown as Bind,
    };
  });
  io.onTurn(now => wheel.advance(now));
  cli = startCli({ ...env, environment: { HOME: '/root', TERM: 'vt100' } }, sockets);
}

beforeEach(() => {
  buffer = new RingBuffer(1000);
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-cli-'));
  io = createNetIo();
});

afterEach(async () => {
  cli.rest();
  cli.stop(false, () => {});
  await io.stop();
  rmSync(folder, { recursive: true });
});

/** Sends `input`, half-closes unless `open`, and gives everything that comes until the end. */
function ask(input: string, level: Bind['level'] = 'admin', open = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ path: socketPath(level), allowHalfOpen: true });
    let answer = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      answer += text;
    });
    socket.on('end', () => {
      socket.destroy();
      resolve(answer);
    });
    socket.on('error', reject);
    if (open) socket.write(input);
    else socket.end(input);
  });
}

describe('the shape of a conversation, as HAProxy 2.6 has it', () => {
  beforeEach(() => start());
  const V = '3.4-test\n';
  const cases: readonly [input: string, answer: string | RegExp, open?: boolean][] = [
    ['show version\n', `${V}\n`],
    ['show version\n', `${V}\n`, true],
    ['show version\r\n', `${V}\n`],
    ['show  version\t\n', `${V}\n`],
    ['show version;show version\n', `${V}\n${V}\n`],
    ['show version\nshow version\n', `${V}\n${V}\n`],
    ['show version\nshow version\n', `${V}\n${V}\n`, true],
    ['', ''],
    ['show version', ''],
    ['quit\n', '', true],
    ['prompt\nshow version\nquit\n', `\n> ${V}\n> `, true],
    ['prompt;show version\nshow cli level\n', `\n> ${V}\n> admin\n\n> `],
    ['prompt\nprompt\nshow version\n', `\n> \n${V}\n`, true],
    ['prompt i\nshow version\nprompt\nprompt\nshow version\n', `\n${V}\n\n> \n${V}\n`, true],
    ['prompt p;prompt p\nprompt n\nshow version\n', `\n> \n> \n${V}\n`, true],
    ['prompt timed\nquit\n', /^\n\[\d+:\d\d:\d\d:\d\d\]> $/, true],
    ['prompt x\n', /^Usage: prompt \[help/],
    ['echo  a b\\;c ; echo\n', 'a b;c\n\n\n'],
    ['echo a <<\nline 1\nline 2\n\nshow version\n', `a\n\n${V}\n`],
    ['prompt\necho a <<%\nx\n\n%\nquit\n', '\n> + + + a\n\n> ', true],
    ['echo a <<\nhalf of it\n', ''],
    ['wait 20\n', '\n'],
    ['wait 20\n', '\n', true],
    ['wait -h\n', /^Usage: wait \{-h\|<duration>\}/],
    ['wait x\n', 'Invalid duration.\n\n'],
    ['wait 1ms nope\n', /^Unknown condition 'nope'.\nUsage/],
    ['wait 1s srv-removable b/s1\n', 'Only servers in maintenance mode can be deleted.\n\n'],
    ['wait 1s srv-removable b/s9\n', 'No such server.\n\n'],
    ['disable server b/s1; wait 1s srv-removable b/s1\n', '\nDone.\n\n'],
    ['show startup-logs\n', '[NOTICE]   (1) : hello\n\n'],
    ['set timeout cli 5\n', '\n'],
    ['set timeout cli x\n', 'Invalid timeout value.\n\n'],
    ['set timeout cli\n', 'Expects an integer value.\n\n'],
    ['set timeout\n', "'set timeout' only supports 'cli'.\n\n"],
    ['show env HOME\n', 'HOME=/root\n\n'],
    ['show env\n', 'HOME=/root\nTERM=vt100\n\n'],
    ['show env NOPE\n', 'Variable not found\n\n'],
    ['expert-mode\n', 'expert-mode is OFF\n\n'],
    ['expert-mode on;expert-mode\n', '\nexpert-mode is ON\n\n'],
    ['user;show cli level;show env HOME\n', '\nuser\n\nPermission denied\n\n'],
    ['user;operator\n', '\nPermission denied\n\n'],
  ];
  test.each(cases)('%j', async (input, answer, open = false) => {
    const given = await ask(input, 'admin', open);
    if (typeof answer === 'string') expect(given).toBe(answer);
    else expect(given).toMatch(answer);
  });

  test('a command that comes in pieces', async () => {
    const socket = net.connect(socketPath('admin'));
    socket.setEncoding('utf8');
    let answer = '';
    socket.on('data', (text: string) => {
      answer += text;
    });
    const ended = new Promise(resolve => socket.once('end', resolve));
    for (const piece of ['sho', 'w ver', 'sion', '\n']) {
      await new Promise<void>(resolve => socket.write(piece, () => resolve()));
      await new Promise(resolve => setImmediate(resolve));
    }
    await ended;
    expect(answer).toBe(`${V}\n`);
  });

  test('a line that is too long is refused', async () => {
    expect(await ask('x'.repeat(20_000), 'admin', true)).toBe('Command line too long.\n\n');
  });
});

describe('help', () => {
  beforeEach(() => start());
  test('lists commands of the level, the basic ones at the end', async () => {
    const lines = (await ask('help\n', 'user')).split('\n');
    expect(lines[0]).toBe('The following commands are valid at this level:');
    expect(lines).toContain("  get weight <bk>/<srv>                   : report a server's current weight");
    expect(lines.some(l => l.startsWith('  set server'))).toBe(false);
    expect(lines.slice(-5)).toEqual([
      '  help [<command>]                        : list matching or all commands',
      '  prompt [help | n | i | p | timed]*      : toggle interactive mode with prompt',
      '  quit                                    : disconnect',
      '',
      '',
    ]);
  });

  test('an unknown command is answered with the nearest ones', async () => {
    const answer = await ask('show stta\n');
    expect(answer).toBe(
      "Unknown command: 'show stta', but maybe one of the following ones is a better match:\n" +
        '  show stat [desc|json|no-maint|typed|up]*: report counters for each proxy and server\n' +
        '  help [<command>]                        : list matching or all commands\n' +
        '  prompt [help | n | i | p | timed]*      : toggle interactive mode with prompt\n' +
        '  quit                                    : disconnect\n\n',
    );
    const shows = await ask('show\n');
    expect(shows).toContain('  show info ');
    expect(shows).not.toContain('  set server ');
    expect(await ask('set foo\n')).toContain('  set timeout ');
    const limits = await ask('set maxconn foo\n');
    expect(limits).toContain('  set maxconn server ');
    expect(limits).not.toContain('  set timeout ');
    expect(await ask('xyzzy\n')).toMatch(
      /^Unknown command: 'xyzzy'. Please enter one of the following commands only:\n/,
    );
    expect(await ask('\n')).toMatch(
      /^Unknown command. Please enter one of the following commands only:\n {2}abort ssl/,
    );
  });
});

test('show cli sockets', async () => {
  start();
  const rows = ['user', 'operator', 'admin'].map(level => `unix@${path.join(folder, level)} ${level} all`);
  expect(await ask('show cli sockets\n')).toBe(`${['# socket lvl processes', ...rows].join('\n')}\n\n`);
});

describe('servers', () => {
  beforeEach(() => start());

  const answers: readonly [command: string, answer: string][] = [
    ['get weight b/s1', '10 (initial 10)'],
    ['get weight b/nope', 'No such server.'],
    ['get weight x/s1', 'No such backend.'],
    ['get weight', "Require 'backend/server'."],
    ['set weight b/s1', 'Require <weight> or <weight%>.'],
    ['set weight b/s1 300', 'Absolute weight can only be between 0 and 256 inclusive.'],
    ['set server b/s1 weight x', 'Empty weight string empty or preceded by garbage'],
    ['set server b/s1 weight 5x', 'Trailing garbage in weight string'],
    ['set server b/s1 state foo', "'set server <srv> state' expects 'ready', 'drain' and 'maint'."],
    ['set server b/s1 health foo', "'set server <srv> health' expects 'up', 'stopping', or 'down'."],
    [
      'set server b/s1',
      'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | name | ssl | state | weight',
    ],
    [
      'set server b/s1 constructor x',
      'usage: set server <backend>/<server> addr | agent | agent-addr | agent-port | agent-send | check-addr | check-port | fqdn | health | name | ssl | state | weight',
    ],
    ['show servers state nope', "Can't find backend."],
    ['show servers conn nope', "Can't find backend."],
    ['set server b/s1 addr', 'set server <b>/<s> addr requires an address and optionally a port.'],
    ['set server b/s1 addr foo', "Invalid addr 'foo' by 'stats socket command'"],
    ['set server b/s1 addr 127.0.0.1', "no need to change the addr by 'stats socket command'"],
    [
      'set server b/s1 addr ::1 port 81',
      "IP changed from '127.0.0.1' to '::1', port changed from '80' to '81' by 'stats socket command'",
    ],
    ['set server b/s1 addr ::1 port x', "problem converting port 'x' to an int by 'stats socket command'"],
    ['set server b/s1 check-port', 'set server <b>/<s> check-port requires a port.'],
    ['set server b/s1 check-port x', 'provided port is not an integer'],
    ['set server b/s1 check-port 99999', 'provided port is invalid'],
    ['set server b/s1 check-addr foo', "invalid addr 'foo'"],
    ['disable health b', "Require 'backend/server'."],
    ['enable health b/s1', ''],
    ['disable frontend', 'A frontend name is expected.'],
    ['disable frontend b', 'No such frontend.'],
    ['unpublish backend', 'A backend name is expected.'],
    ['publish backend x', 'No such backend.'],
    ['unpublish backend b', ''],
    ['publish backend b', ''],
    ['shutdown frontend x', 'No such frontend.'],
    ['set maxconn frontend x 5', 'No such frontend.'],
    ['set maxconn server b/s1', 'Require <maxconn>.'],
    ['set maxconn server b/s1 x', 'maxconn string empty or preceded by garbage'],
    ['set maxconn server b/s1 5x', 'Trailing garbage in maxconn string'],
    ['set maxconn server b/s9 5', 'No such server.'],
    ['set maxconn global', 'Expects an integer value.'],
    ['set maxconn global 101', 'Value out of range.'],
    ['set rate-limit sessions global', 'Expects an integer value.'],
    ['set rate-limit sessions global -1', 'Value out of range.'],
    ['show errors x', 'No such proxy.'],
    ['show stat x 1 1', 'No such proxy.'],
    ['show stat domain nope', 'Invalid statistics domain.'],
    ['shutdown session', "Session pointer expected (use 'show sess')."],
    ['shutdown session 0x1', "No such session (use 'show sess')."],
    ['shutdown sessions server b', "Require 'backend/server'."],
    ['show sess nope', "Unsupported option 'nope', try 'help' for more info."],
    ['show sess backend nope', "Cannot find backend 'nope'."],
    ['clear counters server b/s9', 'No such server.'],
    ['show backend', '# name\nb'],
  ];
  test.each(answers)('%s', async (command, answer) => {
    expect(await ask(`${command}\n`)).toBe(answer === '' ? '\n' : `${answer}\n\n`);
  });

  test('states and weights change in shared words', async () => {
    expect(await ask('set server b/s1 weight 50%;get weight b/s1\n')).toBe('\n5 (initial 10)\n\n');
    expect(world.word(0, 'eweight')).toBe(5);
    expect(await ask('disable server b/s1;set server b/s2 state drain\n')).toBe('\n\n');
    expect([world.word(0, 'admin'), world.word(1, 'admin'), world.px('act')]).toEqual([1, 8, 0]);
    expect(world.lines.at(-1)).toBe('<0>backend b has no server available!');
    await ask('enable server b/s1;set server b/s2 health down\n');
    expect([world.word(0, 'eweight'), world.word(1, 'oper')]).toEqual([5, 0]);
  });

  test('an offset for a port needs a port of its own for checks', async () => {
    const offset = async (server: string) => (await ask(`set server ${server} addr 127.0.0.1 port +1\n`)).trim();
    const refused = /^can't change <port> to port map because it is incompatible with current health check port/;
    expect(await offset('b/s1')).toMatch(refused);
    await ask('set server b/s1 check-port 99\n');
    expect(await offset('b/s1')).toMatch(/port changed from '\d+' to '\+1'/);
  });

  test('addresses, limits and checks change in shared words', async () => {
    await ask('set server b/s1 addr 10.1.2.3 port 8080;set server b/s2 check-addr 10.9.9.9 port 99\n');
    const { memory } = world.env;
    const [first, second] = world.env.model.proxies[0]!.servers;
    expect(addressText(new LiveAddress(memory, 0, first!).address)).toBe('10.1.2.3:8080');
    expect(addressText(checkAddress(memory, 0, first!, 'check'))).toBe('10.1.2.3:8080');
    expect(addressText(checkAddress(memory, 1, second!, 'check'))).toBe('10.9.9.9:99');
    await ask('set server b/s2 check-port 0;set server b/s2 addr 10.0.0.2\n');
    expect(addressText(checkAddress(memory, 1, second!, 'check'))).toBe('10.9.9.9:80');
    expect(await ask('show servers state\n')).toMatch(
      / s1 10\.1\.2\.3 .* 8080 - 0 0 - - 0\n.* s2 10\.0\.0\.2 .* 80 - 0 0 10\.9\.9\.9 - 0\n/,
    );
    expect(await ask('show stat typed\n')).toContain('10.1.2.3:8080');
    expect(await ask('show servers conn b\n')).toMatch(/\nb\/s1 2\/1 10\.1\.2\.3 8080 - /);

    expect(await ask('set maxconn server b/s1 7;set maxconn global 60;set rate-limit connections global 9\n')).toBe(
      '\n\n\n',
    );
    expect(world.word(0, 'maxconn')).toBe(7);
    expect(await ask('show info\n')).toMatch(/\nMaxconn: 60\n[\s\S]*\nConnRateLimit: 9\n/);
    await ask('set maxconn global 0\n');
    expect(await ask('show info\n')).toMatch(/\nMaxconn: 100\n/);

    await ask('disable health b/s1\n');
    expect(world.word(0, 'check_on')).toBe(1);
    await ask('enable health b/s1\n');
    expect(world.word(0, 'check_on')).toBe(3);
  });

  test('show servers state', async () => {
    await ask('set server b/s2 state maint\n');
    const lines = (await ask('show servers state b\n')).split('\n');
    expect(lines[0]).toBe('1');
    expect(lines[1]).toMatch(/^# be_id be_name srv_id .* srv_agent_port$/);
    expect(lines[2]).toMatch(/^2 b 1 s1 127\.0\.0\.1 2 0 10 10 \d+ 1 0 2 6 0 0 0 - 80 - 0 0 - - 0$/);
    expect(lines[3]).toMatch(/^2 b 2 s2 127\.0\.0\.1 0 1 10 10 0 1 0 0 14 0 0 0 - 80 - 0 0 - - 0$/);
    expect(lines[1]!.split(' ').length - 1).toBe(lines[2]!.split(' ').length);
  });

  test('the process as the system sees it', async () => {
    const all = (await ask('show fd\n')).trimEnd().split('\n');
    const listeners = (await ask('show fd l\n')).trimEnd().split('\n');
    expect(listeners.filter(line => line.includes(folder))).toHaveLength(3);
    expect(listeners.every(line => / l\.st=RDY fam=/.test(line))).toBe(true);
    const others = (await ask('show fd !l\n')).trimEnd().split('\n');
    expect(others.length).toBeGreaterThan(0);
    expect(others.some(line => line.includes('l.st=RDY'))).toBe(false);
    const number = Number.parseInt(listeners[0]!, 10);
    expect(all.some(line => Number.parseInt(line, 10) === number)).toBe(true);
    expect(await ask(`show fd 1/${number}\n`)).toBe(`${listeners[0]}\n\n`);
    expect(await ask('show fd x\n')).toMatch(/^Expects /);
    expect(await ask('show libs\n')).toMatch(/^0x[0-9a-f]{12}-0x[0-9a-f]{12} \(0x[0-9a-f]{7,}\) \/.*node\n/);
    expect(await ask('show dev\n')).toMatch(
      /^Platform info\n[\s\S]* {2}OS name: \w+\n[\s\S]*\nProcess info\n {2}pid: \d+\n/,
    );
  });

  test('add server help, rate of compression, threads of show activity, pools', async () => {
    expect(await ask('add server help\n')).toMatch(
      /^List of keywords supported for dynamic servers:\n[\s\S]*\nweight <number>/,
    );
    expect(await ask('add server help\n')).not.toContain('\ncookie');
    expect(await ask('set rate-limit http-compression global 5\n')).toBe('\n');
    expect(await ask('show info\n')).toContain('\nCompressBpsRateLim: 5120\n');
    expect(await ask('set rate-limit http-compression global 2147483647\n')).toBe('Value out of range.\n\n');
    expect(await ask('show activity 0\n')).toContain('\naccepted: 0\n');
    expect(await ask('show activity 1\n')).toContain('\naccepted: 0\n');
    expect(await ask('show activity\n')).toContain('\naccepted: 0 [ 0 ]\n');
    expect(await ask('show activity 2\n')).toBe('Thread number is out of range.\n\n');
    expect(await ask('show pools foo\n')).toMatch(/^Expects 'byname'/);
    expect(await ask('show pools byusage match x 3\n')).toMatch(/^Dumping pools usage.\n {2}- Shared memory/);
  });

  test('agent-send', async () => {
    expect(await ask('set server b/s1 agent-send hello\n')).toBe('agent checks are not enabled on this server.\n\n');
    expect(told).toEqual([]);
  });

  test('severities of messages', async () => {
    const lines = [
      ['set server', "[3]: Require 'backend/server'."],
      ['get weight b/x', '[3]: No such server.'],
      ['get weight b/s1', '10 (initial 10)'],
      ['set server b/s2 addr 127.0.0.9', "[4]: IP changed from '127.0.0.1' to '127.0.0.9' by 'stats socket command'"],
      ['show cli level', '[6]: admin'],
      ['expert-mode', '[6]: expert-mode is OFF'],
      ['show env NO', '[3]: Variable not found'],
      ['show env TERM', 'TERM=vt100'],
      ['show table x', '[3]: No such table'],
      ['show resolvers x', "[3]: Can't find that resolvers section"],
      ['get map x', '[3]: Missing map identifier and/or key.'],
      ['get var', '[3]: Missing process-wide variable identifier.'],
      ['show trace x', '[3]: No such trace source'],
      ['show ssl cert x', "[3]: Can't display the certificate: Not found or the certificate is a bundle!"],
      ['show ssl ca-file x', "[3]: Can't display the CA file : Not found!"],
      ['show ssl crt-list x', "[3]: didn't find the specified filename"],
      ['show tls-keys *', '# id secret'],
      ['set server b/s1 addr x', "[4]: Invalid addr 'x' by 'stats socket command'"],
      ['set server b/s1 agent-port 7', '[4]: agent checks are not enabled on this server'],
      ['set severity-output foo', "[3]: one of 'none', 'number', 'string' is a required argument"],
    ] as const;
    for (const [line, answer] of lines) {
      expect(await ask(`set severity-output number;${line}\n`)).toBe(`\n${answer}\n\n`);
    }
    expect(await ask('set severity-output string;set weight\n')).toBe("\n[err]: Require 'backend/server'.\n\n");
    expect(await ask('set severity-output string;set weight b/s1\n', 'user')).toBe('\n[err]: Permission denied\n\n');
    expect(await ask('set severity-output number;foo\n')).toMatch(/^\n\[6\]: Unknown command/);
    expect(await ask('set severity-output\n')).toBe("one of 'none', 'number', 'string' is a required argument\n\n");
  });

  test('levels: nothing above the socket’s own', async () => {
    for (const command of [
      'disable server b/s1',
      'set server b/s1 state maint',
      'set weight b/s1 1',
      'expert-mode on',
      'disable frontend x',
      'shutdown session 0x1',
      'set maxconn global 1',
      'set rate-limit sessions global 1',
      'clear counters all',
    ]) {
      expect(await ask(`${command}\n`, 'operator')).toBe('Permission denied\n\n');
    }
    for (const command of ['show env HOME', 'show sess', 'show errors', 'show fd', 'clear counters']) {
      expect(await ask(`${command}\n`, 'user')).toBe('Permission denied\n\n');
    }
    for (const command of ['show profiling', 'show ssl crt-list']) {
      expect(await ask(`${command}\n`, 'operator')).toBe('Permission denied\n\n');
    }
    for (const command of ['show trace session', 'show events buf0']) {
      expect(await ask(`${command}\n`, 'user')).toBe('Permission denied\n\n');
    }
    expect(await ask('get weight b/s1\n', 'user')).toBe('10 (initial 10)\n\n');
    expect(world.word(0, 'admin')).toBe(0);
  });
});

describe('statistics', () => {
  test('show info and show stat in their formats', async () => {
    start();
    world.env.memory.counters[world.env.memory.row(0, 'process', 0) + CUM_REQ] = 3;
    expect(await ask('show info\n')).toMatch(/^Name: .*\nVersion: 3\.4-test\n/);
    expect(await ask('show info typed\n')).toMatch(/^0\.Name\.1:POSV?:str:/);
    expect(JSON.parse(await ask('show info json\n'))).toBeInstanceOf(Array);
    const csv = await ask('show stat\n');
    expect(csv).toMatch(/^# pxname,svname,/);
    expect(
      csv
        .trim()
        .split('\n')
        .map(l => l.split(',')[1]),
    ).toEqual(['svname', 's1', 's2', 'BACKEND']);
    expect((await ask('show stat -1 4 1\n')).trim().split('\n')).toHaveLength(2);
    expect((await ask('show stat b 2 -1\n')).trim().split('\n')).toHaveLength(2);
    expect(await ask('show stat -1 2 -1 typed\n')).toMatch(/^B\.2\.0\.0\.pxname\.1:KNSV?:str:b\n/);
    await ask('disable server b/s1\n');
    expect((await ask('show stat no-maint\n')).trim().split('\n')).toHaveLength(3);
    expect(JSON.parse(await ask('show stat json\n'))).toHaveLength(3);
  });

  test('a large dump to a slow reader comes whole, and is made only as it is read', async () => {
    start({}, 3000);
    const socket = net.connect(socketPath('admin'));
    socket.pause();
    socket.write('show stat typed\nshow version\n');
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(await ask('show version\n')).toBe('3.4-test\n\n');
    let last = '';
    let bytes = 0;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      bytes += text.length;
      last = (last + text).slice(-200);
    });
    socket.resume();
    await new Promise(resolve => socket.once('end', resolve));
    expect(bytes).toBeGreaterThan(1_000_000);
    expect(last).toMatch(/\n\n3\.4-test\n\n$/);
  });
});

test('stats timeout ends an idle session, set timeout cli lets it live longer', async () => {
  start({ global: { statsTimeoutMs: 50 } });
  expect(await ask('prompt\n', 'admin', true)).toBe('\n> ');
  const before = io.now();
  expect(await ask('prompt;set timeout cli 300ms\n', 'admin', true)).toBe('\n> \n> ');
  expect(io.now() - before).toBeGreaterThan(250);
});

test('stats maxconn: the next session waits until one ends', async () => {
  start({ global: { statsMaxconn: 1 } });
  const first = net.connect(socketPath('admin'));
  first.write('prompt\n');
  await new Promise(resolve => first.once('data', resolve));
  let answered = false;
  const second = ask('show version\n').then(answer => {
    answered = true;
    return answer;
  });
  await new Promise(resolve => setTimeout(resolve, 50));
  expect(answered).toBe(false);
  first.end('quit\n');
  expect(await second).toBe('3.4-test\n\n');
});

describe('show events', () => {
  beforeEach(() => start());
  const put = (text: string): void => {
    buffer.append(Buffer.from(text));
    for (const look of [...watchers]) look();
  };

  test('the rings, what is in one, and what is wrong', async () => {
    const sinks = await ask('show events\n');
    expect(sinks).toContain('    stderr     : type=fd, 0 dropped, standard output (fd#2)\n');
    expect(sinks).toContain('    r          : type=buffer, 0 dropped, my ring\n');
    expect(await ask('show events stdout\n')).toBe('Nothing to report for this sink\n\n');
    put('one');
    put('two');
    expect(await ask('show events r\n')).toBe('one\ntwo\n\n');
    expect(await ask('show events r -n\n')).toBe('\n');
    expect(await ask('show events r -0\n')).toBe('one\0two\0\n\n');
    expect(await ask('show events x\n')).toBe('No such event sink\n\n');
    expect(await ask('show events r -x\n')).toBe('unknown option\n\n');
  });

  test('-w waits for more until there is input', async () => {
    put('old');
    const socket = net.connect(socketPath('operator'));
    let got = '';
    socket.on('data', text => (got += text));
    socket.write('show events r -wn\n');
    await vi.waitFor(() => expect(watchers.size).toBe(1));
    put('new');
    await vi.waitFor(() => expect(got).toBe('new\n'));
    const ended = new Promise(resolve => socket.on('end', resolve));
    socket.write('show version\n');
    await ended;
    expect(got).toBe('new\n\n');
    expect(watchers.size).toBe(0);
  });

  test('-w ends when the input ends', async () => {
    expect(await ask('show events r -w\n')).toBe('\n');
  });
});
