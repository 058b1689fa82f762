/** The runtime API of the real process: what needs all of its threads. */
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { ADDED_SERVERS_MAX } from '../../engine/limits.ts';
import { ask, backend, config, folder, freePort, type Running, start } from './sluice.ts';

interface Process {
  readonly running: Running;
  readonly port: number;
  say(command: string): Promise<string>;
}

async function startProcess(balance = 'roundrobin'): Promise<Process> {
  const dir = folder();
  const socket = path.join(dir, 'sock');
  const port = await freePort();
  const text = `global
  stats socket ${socket} level admin
  nbthread 2
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 1s
frontend f
  bind 127.0.0.1:${port}
  default_backend b
backend b
  balance ${balance}
  default-server name preset maxconn 7 weight 3 init-addr none
  server s1 127.0.0.1:${await backend('one')}
backend w
  server watched 127.0.0.1:1 check inter 1h
`;
  const running = start(['-f', config(text, dir)]);
  await ask(port);
  return { running, port, say: command => say(socket, command) };
}

function say(socket: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const conn = net.connect(socket);
    let text = '';
    conn.setEncoding('utf8');
    conn.on('data', piece => {
      text += piece;
    });
    conn.on('end', () => resolve(text));
    conn.on('error', reject);
    conn.write(`${command}\n`);
  });
}

/** Requests without a pause over kept connections, until `stop`, which tells who answered how often. */
function load(port: number): { stop(): Promise<Record<string, number>> } {
  const agent = new http.Agent({ keepAlive: true, maxSockets: 4 });
  const counts: Record<string, number> = {};
  let stopped = false;
  const one = (): Promise<void> =>
    new Promise<string>(resolve => {
      http
        .get({ port, host: '127.0.0.1', agent }, response => {
          let body = '';
          response.on('data', data => {
            body += data;
          });
          response.on('end', () => resolve(response.statusCode === 200 ? body : `status ${response.statusCode}`));
        })
        .on('error', error => resolve(error.message));
    }).then(answer => {
      counts[answer] = (counts[answer] ?? 0) + 1;
      return stopped ? undefined : one();
    });
  const all = [one(), one(), one(), one()];
  return {
    stop: async () => {
      stopped = true;
      await Promise.all(all);
      agent.destroy();
      return counts;
    },
  };
}

test('servers are added, moved, drained and deleted under load, and no request fails', async () => {
  const { port, say } = await startProcess();
  const two = await backend('two');
  const three = await backend('three');
  const traffic = load(port);
  expect(await say(`add server b/s2 127.0.0.1:${two} check inter 50ms weight 3`)).toBe('New server registered.\n\n');
  expect(await say('show stat b 4 2')).toMatch(/\nb,s2,.*,MAINT,3,/);
  expect(await say('enable health b/s2; enable server b/s2')).toBe('\n\n');
  while (!/\nb,s2,.*,UP,/.test(await say('show stat b 4 2'))) await sleep(20);
  expect(await say('show servers state b')).toMatch(/ b 2 s2 127\.0\.0\.1 2 0 3 3 /);
  await sleep(100);
  expect(await say(`set server b/s2 addr 127.0.0.1 port ${three}`)).toContain('port changed');
  await sleep(100);
  expect(await say('del server b/s2')).toBe('Only servers in maintenance mode can be deleted.\n\n');
  const gone = await say('disable server b/s2; wait 3s srv-removable b/s2; del server b/s2; get weight b/s2');
  expect(gone).toBe('\nDone.\n\nServer deleted.\n\nNo such server.\n\n');
  expect(await say('show stat')).not.toContain('b,s2');
  await sleep(50);
  const counts = await traffic.stop();
  expect(Object.keys(counts).sort()).toEqual(['one', 'three', 'two']);
  expect(counts.two).toBeGreaterThan(1);
  expect(counts.three).toBeGreaterThan(1);

  // Its place is another's now, whose counters begin anew.
  expect(await say(`add server b/s3 127.0.0.1:${two}`)).toBe('New server registered.\n\n');
  expect(await say('enable server b/s3;disable server b/s1')).toBe('\n\n');
  expect(await ask(port)).toBe('two');
  expect(await say('show stat b 4 2')).toMatch(/\nb,s3,0,0,0,1,,1,/);
});

test('an added server follows one of the configuration', async () => {
  const { say } = await startProcess();
  const refused = async (line: string): Promise<string> => (await say(`add server b/s2 127.0.0.1:1 ${line}`)).trim();
  expect(await refused('track x/s1')).toBe("unable to find required proxy 'x' for tracking.");
  expect(await refused('track no')).toBe("unable to find required server 'no' for tracking.");
  expect(await refused('check track w/watched')).toBe("'track' cannot be used together with 'check'.");
  expect(await refused('track s1')).toMatch(/^unable to use b\/s1 for tracking: it does not have any check/);
  expect(await refused('track w/watched')).toBe('New server registered.');
  expect((await say('add server b/s3 127.0.0.1:1 track s2')).trim()).toMatch(/: it is a dynamic server\.$/);
  const status = async (): Promise<string> => /\nb,s2,(?:[^,]*,){15}([^,]*),/.exec(await say('show stat b 4 -1'))![1]!;
  await say('enable server b/s2');
  expect(await status()).not.toContain('MAINT');
  await say('disable server w/watched');
  expect(await status()).toBe('MAINT (via w/watched)');
  expect((await say('del server w/watched')).trim()).toMatch(/^This server cannot be removed/);
  await say('enable server w/watched');
  expect(await status()).not.toContain('MAINT');
  expect(await say('disable server b/s2; del server b/s2')).toBe('\nServer deleted.\n\n');
  await say('disable server w/watched; enable server w/watched');
});

test('a server begins with the settings of another', async () => {
  const { say } = await startProcess();
  expect(await say('show default-server')).toBe('srv:b/preset maxconn 7 weight 3 init-addr none\n\n');
  expect(await say('show default-server x')).toBe("Can't find backend.\n\n");
  expect(await say('add server b/s2 127.0.0.1:1 from srv:preset weight 5')).toBe('New server registered.\n\n');
  expect(await say('add server b/s3 127.0.0.1:1 from srv:b/s2')).toBe('New server registered.\n\n');
  expect(await say('add server b/s4 127.0.0.1:1 from be:')).toBe('New server registered.\n\n');
  // Nothing is checked, so nothing is paused.
  expect(await say('show servers state b')).toMatch(/ b 2 s2 127\.0\.0\.1 0 1 5 5 \d+ 1 0 0 0 0 /);
  const stat = (await say('show stat b 4 -1')).split('\n').map(line => line.split(','));
  const of = (name: string) => stat.find(cells => cells[1] === name)!;
  expect(['s2', 's3', 's4'].map(name => [of(name)[6], of(name)[18]])).toEqual([
    ['7', '5'],
    ['7', '5'],
    ['', '1'],
  ]);
});

test('a server that is added has its number, a name to be looked up by nobody, and is usable at once when it says so', async () => {
  const { say } = await startProcess();
  const row = async (name: string) =>
    (await say('show servers state b')).split('\n').find(r => r.includes(` ${name} `));
  const lines: readonly [line: string, row: RegExp][] = [
    ['n1 127.0.0.1:1 id 77 disabled', / 77 n1 127\.0\.0\.1 0 5 .* 0 1 - 1 - /],
    ['n2 127.0.0.1:1 enabled on-marked-down shutdown-sessions', / n2 127\.0\.0\.1 2 0 /],
    ['n3 localhost:80 on-marked-up shutdown-backup-sessions', / n3 - 0 33 .* 0 0 localhost 80 - /],
    ['n4 127.0.0.1:1 ssl verify none sni str(a,b)', /^fetch method 'str' : expected '\)'/],
    ['n5 127.0.0.1:1 ssl verify none sni str(a)', / n5 127\.0\.0\.1 0 1 .* - 1 - 1 0 - - 0/],
  ];
  for (const [line, is] of lines) {
    const given = await say(`add server b/${line}`);
    expect(given === 'New server registered.\n\n' ? await row(line.slice(0, 2)) : given).toMatch(is);
  }
  expect(await say('add server b/n6 127.0.0.1:1 id 77')).toBe("'id': custom id 77 already used by server 'n1'.\n\n");
  expect(await say('set server b/n3 addr 127.0.0.1')).toMatch(/^IP changed from '' to '127\.0\.0\.1'/);
});

test('a name without an address waits for one', async () => {
  const { port, say } = await startProcess();
  const two = await backend('two');
  expect(await say(`add server b/s2 no-such.invalid:${two} weight 256`)).toBe('New server registered.\n\n');
  expect(await say('enable server b/s2; disable server b/s1; show servers state b')).toMatch(
    / b 2 s2 - 0 32 256 256 .* no-such\.invalid /,
  );
  expect(await ask(port)).toContain('503');
  expect(await say('set server b/s2 addr 127.0.0.1')).toContain('changed');
  expect(await ask(port)).toBe('two');
});

test('what cannot be added is refused, and nothing changes', async () => {
  const { say } = await startProcess();
  const refusals: readonly [command: string, answer: string | RegExp][] = [
    ['add server', "Require 'backend/server'."],
    ['add server x/s2 127.0.0.1:1', 'No such backend.'],
    ['add server b/s1 127.0.0.1:1', 'Already exists a server with the same name in backend.'],
    ['add server b/s2', "'server' expects <name> and <addr>[:<port>] as arguments."],
    ['add server b/s2 127.0.0.1:1 cookie x', "'cookie' option is not accepted for dynamic server"],
    ['add server b/s2 127.0.0.1:1 chek', /unknown keyword 'chek'/],
    ['add server b/s2 127.0.0.1:1 source 127.0.0.1:1000-1001', /no range of ports/],
    ['add server b/s2 127.0.0.1:bar', /bar/],
    ['del server b/s2', 'No such server.'],
    ['add server b/s2 127.0.0.1:1 from x', /^'from' expects 'none', 'be:/],
    ['add server b/s2 127.0.0.1:1 from be:x', "'from be:x': there is no such backend."],
    ['add server b/s2 127.0.0.1:1 from srv:x', "'from srv:x': there is no such server."],
    ['add backend x from y', "No such default proxy 'y'."],
  ];
  for (const [command, answer] of refusals) {
    const given = await say(command);
    if (typeof answer === 'string') expect(given).toBe(`${answer}\n\n`);
    else expect(given).toMatch(answer);
  }
  expect((await say('show servers state b')).trim().split('\n')).toHaveLength(3);
  for (let n = 0; n < ADDED_SERVERS_MAX; n++) {
    expect(await say(`add server b/n${n} 127.0.0.1:1`)).toBe('New server registered.\n\n');
  }
  expect(await say('add server b/more 127.0.0.1:1')).toMatch(/^Limit reached: /);
  expect(await say('del server b/n3')).toBe('Server deleted.\n\n');
  expect(await say('add server b/more 127.0.0.1:1')).toBe('New server registered.\n\n');
});

test('a backend with a static algorithm takes no more servers', async () => {
  const { say } = await startProcess('static-rr');
  expect(await say('add server b/s2 127.0.0.1:1')).toBe(
    'Backend must use a dynamic load balancing to support dynamic servers.\n\n',
  );
});

test('streams are listed and ended in every thread', async () => {
  const { port, say } = await startProcess();
  const hanging = net.createServer(socket => void socket.on('error', () => {}));
  onTestFinished(() => void hanging.close());
  await new Promise<void>(resolve => hanging.listen(0, '127.0.0.1', resolve));
  await say(`set server b/s1 addr 127.0.0.1 port ${(hanging.address() as net.AddressInfo).port}`);
  const ends = Array.from({ length: 8 }, () => {
    const client = net.connect(port, '127.0.0.1');
    client.on('error', () => {});
    client.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    return new Promise(resolve => client.once('data', resolve)).finally(() => client.destroy());
  });
  const sessions = async () => (await say('show sess')).match(/^0x\w+/gm) ?? [];
  while ((await sessions()).length < 8) await sleep(10);
  const [first] = await sessions();
  expect(await say(`shutdown session ${first}`)).toBe('\n');
  expect(await sessions()).toHaveLength(7);
  expect(await say('shutdown sessions server b/s1')).toBe('\n');
  expect(await sessions()).toEqual([]);
  for (const answer of await Promise.all(ends)) expect(String(answer)).toMatch(/^HTTP\/1.1 502 /);
});

test('profiles of the time and memory of all threads, off, on and off again', async () => {
  const { port, say } = await startProcess();
  const off =
    /^Per-task CPU profiling {14}: off {11}# set profiling tasks \{on\|off\}\nMemory usage profiling {14}: off /;
  expect(await say('show profiling')).toMatch(off);
  expect(await say('set profiling')).toBe("Expects either 'tasks' or 'memory'.\n\n");
  expect(await say('set profiling tasks auto')).toBe("Expects either 'on' or 'off'.\n\n");
  expect(await say('set profiling tasks on;set profiling memory on')).toBe('\n\n');
  for (let i = 0; i < 50; i++) await ask(port);
  expect(await say('expert-mode on;debug dev loop 100')).toBe('\n\n');
  expect(await say('show profiling status')).toMatch(/: on[\s\S]*: on/);
  const tasks = await say('show profiling tasks 3');
  expect(tasks).toMatch(/\n +samples +cpu_tot +% +function\n/);
  expect(tasks.match(/^ +\d+ +[\d.]+[mu]?s +[\d.]+% /gm)).toHaveLength(3);
  expect(await say('show profiling tasks byaddr aggr 1000')).toMatch(/% {2}loop\n/);
  expect(await say('show profiling memory bytime 1')).toMatch(/\n +bytes +% +function\n +\d+ +[\d.]+% /);
  expect(await say('show profiling byctx')).toMatch(/^Expects either 'all', 'status'/);
  expect(await say('set profiling tasks off;set profiling memory off')).toBe('\n\n');
  expect(await say('show profiling status')).toMatch(off);
});

test('show info counts what is sent; debug dev exit ends the process', async () => {
  const { running, port, say } = await startProcess();
  for (let i = 0; i < 10; i++) await ask(port);
  const info = await say('show info');
  expect(Number(/\nTotalBytesOut: (\d+)/.exec(info)![1])).toBeGreaterThan(500);
  expect(info).toMatch(/\nListeners: 2\n/);
  expect(info).not.toContain('\ndescription:');
  const ended = new Promise(resolve => running.child.once('exit', resolve));
  await say('expert-mode on;debug dev exit 7').catch(() => '');
  expect(await ended).toBe(7);
});
