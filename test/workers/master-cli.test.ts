/** The master's socket and the signals of a running process. */
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { cli } from './cli.ts';
import { ask, config, folder, freePort, type Running, start } from './sluice.ts';

let running: Running;
let socket: string;
let file: string;
let port: number;

const until = async (what: () => boolean | Promise<boolean>) => {
  for (const deadline = Date.now() + 20_000; !(await what()); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

beforeEach(async () => {
  const dir = folder();
  port = await freePort();
  socket = path.join(dir, 'master.sock');
  file = config(
    `
global
  nbthread 1
  stats socket ${path.join(dir, 's.sock')} level admin
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  monitor-uri /up
`,
    dir,
  );
  running = start(['-W', '-S', socket, '-f', file]);
  await until(() => fs.existsSync(socket));
  // Who asks too early waits.
  expect(await cli(socket, '@1 show version')).toMatch(/^\d/);
  await ask(port, '/up');
});

describe('the master socket', () => {
  test('show proc, prefixes, prompts', async () => {
    const proc = await cli(socket, 'show proc');
    expect(proc).toMatch(/^#<PID> {10}<type> {10}<reloads> {7}<uptime> {8}<version> {6}\n/);
    expect(proc).toMatch(new RegExp(`\n${running.child.pid} +master +0 \\[failed: 0\\] +0d00h00m\\d\\ds `));
    const worker = /\n# workers\n(\d+) +worker +0 /.exec(proc)![1]!;
    const version = await cli(socket, 'show version');
    expect(await cli(socket, '@1 show version')).toBe(version);
    expect(await cli(socket, `@!${worker} show version; @!${running.child.pid} show version`)).toBe(version + version);
    expect(await cli(socket, '@2 show version')).toBe("Can't find the target PID matching the prefix '@2'\n\n");
    expect(await cli(socket, '@1; show version; @; show cli level')).toBe(`${version}admin\n\n`);
    expect(await cli(socket, 'prompt; @1; show version; @master; quit')).toBe(
      `master> ${worker}> ${version}${worker}> master> `,
    );
    const info = await cli(socket, '@1 show info');
    expect(info).toContain(`Pid: ${running.child.pid}\n`);
    expect(info).toMatch(/[^\n]\n\n$/);
    expect((await cli(socket, '@1 show schema json')).length).toBeGreaterThan(2_000);
  });

  test('the connection stays open whatever the prompt', async () => {
    const version = await cli(socket, '@0 show version');
    const client = net.connect(socket);
    let text = '';
    for (const line of ['show version', 'prompt n; show version', 'prompt; prompt; @1 show version']) {
      client.write(`${line}\n`);
      text += await new Promise(resolve => client.once('data', resolve));
    }
    client.write('quit\n');
    client.on('data', bytes => (text += bytes));
    await new Promise(resolve => client.once('close', resolve));
    expect(text.replace('master> ', '')).toBe(version.repeat(3));
  });

  test('@@ hands over the line, and the connection', async () => {
    const version = await cli(socket, 'show version');
    expect(await cli(socket, '@@1 show version; show cli level; wait 10ms; show version')).toBe(
      `${version}admin\n\n\n${version}`,
    );
    expect(await cli(socket, '@@2 show version')).toBe("Can't find the target PID matching the prefix '@@2'\n\n");
    // Input ends the waiting: it gets there while the command runs.
    const client = net.connect(socket);
    let text = '';
    client.setEncoding('utf8').on('data', data => {
      text += data;
    });
    client.write('prompt; @master\n');
    await until(() => text === 'master> master> ');
    client.write('@@1 wait 1h\n');
    await new Promise(resolve => setTimeout(resolve, 100));
    expect(text).toBe('master> master> ');
    client.write('@@1\n');
    client.destroy();
    const other = net.connect(socket);
    let said = '';
    other.setEncoding('utf8').on('data', data => {
      said += data;
    });
    const worker = /\n# workers\n(\d+) /.exec(await cli(socket, 'show proc'))![1]!;
    other.write(`prompt\n@@!${worker}\n`);
    await until(() => said === 'master> > ');
    other.write('show version\n');
    await until(() => said === `master> > ${version}> `);
    other.write('quit\n');
    await until(() => said === `master> > ${version}> master> `);
    other.write('show cli level\n');
    await until(() => said.endsWith('master> admin\n\nmaster> '));
    await new Promise(resolve => other.once('close', resolve).end('quit\n'));
  });

  test('mcli-debug-mode: what any thread can answer', async () => {
    expect(await cli(socket, 'show libs')).toContain("Unknown command: 'show libs'");
    expect(await cli(socket, 'help')).not.toContain('show libs');
    const prompts = await cli(socket, 'prompt;expert-mode on;experimental-mode on;mcli-debug-mode on;show libs;quit');
    expect(prompts).toMatch(/^master> master\(e\)> master\(xe\)> master\(xed\)> 0x[\s\S]*node\n/);
    expect(await cli(socket, 'mcli-debug-mode on;mcli-debug-mode;user;mcli-debug-mode on')).toBe(
      'mcli-debug-mode is ON\n\nPermission denied\n\n',
    );
    const help = await cli(socket, 'mcli-debug-mode on;help');
    expect(help).toMatch(/ {2}@!<pid> +: send a command to the <pid> process\n/);
    expect(help).toContain('  show libs');
  });

  test('reload tells whether it worked, and what was said', async () => {
    const text = fs.readFileSync(file, 'utf8');
    fs.writeFileSync(file, text.replace('timeout client 5s', 'timeout client 6s'));
    const good = await cli(socket, 'reload; show proc');
    expect(good).toMatch(/^Success=1\n--\n\[NOTICE\] {3}\(\d+\) : Reloading Sluice\n/);
    expect(good).toContain('frontend web: timeout client 5s -> 6s');
    expect(good).not.toContain('# workers');
    fs.writeFileSync(file, `${text}  nonsense\n`);
    const bad = await cli(socket, 'reload');
    expect(bad).toMatch(/^Success=0\n--\n/);
    expect(bad).toContain("unknown keyword 'nonsense'");
    expect(bad).toContain('[WARNING]');
    expect(await cli(socket, 'show startup-logs')).toBe(bad.slice('Success=0\n--\n'.length));
    expect(await cli(socket, 'prompt; quit')).toContain('master[ReloadFailed]> ');
    expect(await cli(socket, 'show proc')).toMatch(/master +2 \[failed: 1\]/);
    expect(await ask(port, '/up')).toContain('200 OK');
  });

  test('hard-reload ends what is open', async () => {
    const client = net.connect(port, '127.0.0.1').on('error', () => {});
    await new Promise(resolve => client.once('connect', resolve));
    await until(async () => /CurrConns: [1-9]/.test(await cli(socket, '@1 show info')));
    const closed = new Promise(resolve => client.once('close', resolve));
    expect(await cli(socket, 'hard-reload')).toMatch(/^Success=1\n/);
    await closed;
    await until(async () => !(await cli(socket, 'show proc')).includes('# old workers'));
    expect(await ask(port, '/up')).toContain('200 OK');
  });

  test('a draining generation is shown, and can be asked', async () => {
    const client = net.connect(port, '127.0.0.1');
    await new Promise(resolve => client.once('connect', resolve));
    await until(async () => /CurrConns: [1-9]/.test(await cli(socket, '@1 show info')));
    await cli(socket, 'reload');
    const [, old] = /# old workers\n(\d+) +worker +1 /.exec(await cli(socket, 'show proc'))!;
    expect(await cli(socket, `@!${old} show info`)).toContain('Stopping: 1\n');
    expect(await cli(socket, '@1 show info')).toContain('Stopping: 0\n');
    client.destroy();
    await until(async () => !(await cli(socket, 'show proc')).includes('# old workers'));
  });
});

describe('signals', () => {
  test('SIGTTOU lets frontends rest, SIGTTIN wakes them; SIGHUP tells states', async () => {
    running.child.kill('SIGTTOU');
    await until(() => running.output().includes('Paused frontend web.'));
    await until(() =>
      fetch(`http://127.0.0.1:${port}/up`).then(
        () => false,
        () => true,
      ),
    );
    running.child.kill('SIGTTIN');
    await until(() => running.output().includes('Resumed frontend web.'));
    expect(await ask(port, '/up')).toContain('200 OK');
    running.child.kill('SIGHUP');
    await until(() => running.output().includes('SIGHUP: Proxy web has no servers. Conn: act(FE+BE): '));
  });

  test('SIGUSR1 ends it when the last connection has', async () => {
    const client = net.connect(port, '127.0.0.1');
    await new Promise(resolve => client.once('connect', resolve));
    await until(async () => /CurrConns: [1-9]/.test(await cli(socket, '@1 show info')));
    running.child.kill('SIGUSR1');
    await until(() =>
      fetch(`http://127.0.0.1:${port}/up`).then(
        () => false,
        () => true,
      ),
    );
    client.destroy();
    expect(await running.ended).toEqual({ code: 0, signal: null });
    expect(running.output()).toMatch(/Proxy web stopped \(cumulated conns: FE: \d+, BE: 0\)\./);
  });
});
