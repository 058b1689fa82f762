/** Reloads in place, as an operator asks for them: nothing is dropped, nothing is forgotten. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { cli, field, rows } from './cli.ts';
import { Client, KEEP_ALIVE, LONG, newTally, SHORT, startServer } from './clients.ts';
import { ask, config, folder, freePort, type Running, start } from './sluice.ts';

const until = async (what: () => boolean | Promise<boolean>, ms = 20_000) => {
  for (const deadline = Date.now() + ms; !(await what()); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise(resolve => setTimeout(resolve, 20));
  }
};

const count = (text: string, what: string) => text.split(what).length - 1;

/** Asks for a reload by signal and waits until it is done. */
async function reload(running: Running): Promise<void> {
  const before = count(running.output(), 'Loading success.');
  running.child.kill('SIGUSR2');
  await until(() => count(running.output(), 'Loading success.') > before);
}

for (const io of ['net', 'uring']) {
  test(`10 reloads under load drop nothing and count everything (${io})`, { timeout: 120_000 }, async () => {
    const dir = folder();
    const { port: origin, server } = await startServer(400);
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    const port = await freePort();
    const socket = path.join(dir, 's.sock');
    const file = config(
      `
global
  nbthread 2
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  server s1 127.0.0.1:${origin}
`,
      dir,
    );
    const running = start(['-W', '-f', file, '--io', io]);
    await until(() => fs.existsSync(socket));
    const tally = newTally();
    const kinds = [KEEP_ALIVE, KEEP_ALIVE, KEEP_ALIVE, SHORT, SHORT, LONG, LONG];
    const clients = kinds.map(kind => new Client(port, kind, tally));
    await until(() => tally.answers > 50);
    for (let n = 0; n < 10; n++) {
      const before = tally.answers;
      await reload(running);
      await until(() => tally.answers > before + 20);
    }
    await Promise.all(clients.map(client => client.stop()));
    expect(tally.failures).toEqual([]);
    // The last that drain have ended when their gauges are gone.
    await until(async () => field(rows(await cli(socket, 'show stat')), 'web', 'FRONTEND', 'scur') === '0');
    const stats = rows(await cli(socket, 'show stat'));
    expect(Number(field(stats, 'web', 'FRONTEND', 'req_tot'))).toBe(tally.answers);
    expect(Number(field(stats, 'web', 'FRONTEND', 'hrsp_2xx'))).toBe(tally.answers);
    expect(Number(field(stats, 'web', 'FRONTEND', 'conn_tot'))).toBe(tally.connections);
    expect(Number(field(stats, 'app', 's1', 'hrsp_2xx'))).toBe(tally.answers);
    expect(Number(field(stats, 'app', 'BACKEND', 'scur'))).toBe(0);
    running.child.kill('SIGTERM');
  });
}

test('what was set at run time and what checks found lives on; a wrong configuration changes nothing', {
  timeout: 60_000,
}, async () => {
  const dir = folder();
  const { port: origin, server } = await startServer(100);
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const [port, dead] = [await freePort(), await freePort()];
  const socket = path.join(dir, 's.sock');
  const text = (more: string) => `
global
  nbthread 2
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port}
  default_backend app
backend app
  option httpchk GET /small
  server s1 127.0.0.1:${origin} weight 10
  server s2 127.0.0.1:${dead} check inter 500 fall 1
  server s4 127.0.0.1:${origin} weight 10
${more}`;
  const file = config(text(''), dir);
  const running = start(['-W', '-f', file]);
  await until(() => fs.existsSync(socket));
  const stat = async () => rows(await cli(socket, 'show stat'));
  await until(async () => field(await stat(), 'app', 's2', 'status') === 'DOWN');
  const said = [
    await cli(socket, 'set weight app/s1 3'),
    await cli(socket, 'disable server app/s4'),
    await cli(socket, `add server app/extra 127.0.0.1:${origin} weight 7`),
    await cli(socket, 'enable server app/extra'),
    await cli(socket, 'set maxconn frontend web 77'),
  ];
  expect(said.join('').trim()).toBe('New server registered.');
  const tally = newTally();
  const client = new Client(port, KEEP_ALIVE, tally);
  await until(() => tally.answers > 20);

  fs.writeFileSync(
    file,
    text(`  server s3 127.0.0.1:${origin} weight 5\n`).replace('s1 ', `s0 127.0.0.1:${origin} weight 1\n  server s1 `),
  );
  await reload(running);
  const after = await stat();
  expect(field(after, 'app', 's2', 'status')).toBe('DOWN');
  expect(field(after, 'app', 's1', 'uweight')).toBe('3');
  expect(field(after, 'app', 's4', 'status')).toBe('MAINT');
  expect(field(after, 'app', 'extra', 'uweight')).toBe('7');
  expect(field(after, 'app', 's3', 'uweight')).toBe('5');
  expect(field(after, 'web', 'FRONTEND', 'slim')).toBe('77');
  expect(Number(field(after, 'app', 'extra', 'hrsp_2xx'))).toBeGreaterThan(0);

  fs.writeFileSync(file, text('  nonsense\n'));
  running.child.kill('SIGUSR2');
  await until(() => running.output().includes('Loading failure!'));
  expect(running.output()).toContain("unknown keyword 'nonsense'");
  fs.writeFileSync(file, text('').replace(`bind 127.0.0.1:${port}`, `bind 127.0.0.1:${port}\n  bind 198.51.100.1:80`));
  running.child.kill('SIGUSR2');
  await until(() => count(running.output(), 'Loading failure!') === 2);
  expect(field(await stat(), 'app', 's3', 'uweight')).toBe('5');
  const before = tally.answers;
  await until(() => tally.answers > before + 20);
  await client.stop();
  expect(tally.failures).toEqual([]);

  // A weight that the configuration changes is in force; what the old one says no more is gone.
  fs.writeFileSync(file, text('').replace('weight 10', 'weight 20'));
  await reload(running);
  const last = await stat();
  expect(field(last, 'app', 'extra', 'uweight')).toBe('7');
  expect(field(last, 'app', 's1', 'uweight')).toBe('20');
  expect(field(last, 'app', 's3', 'uweight')).toBeUndefined();
  await until(async () => Number(field(await stat(), 'web', 'FRONTEND', 'req_tot')) === tally.answers);
  await cli(socket, 'clear counters all');
  expect(Number(field(await stat(), 'web', 'FRONTEND', 'req_tot'))).toBe(0);
});

test('a stick table lives on, and one that is defined otherwise begins anew', { timeout: 60_000 }, async () => {
  const dir = folder();
  const [port, socket] = [await freePort(), path.join(dir, 's.sock')];
  const text = `
global
  nbthread 2
  stats socket ${socket} level admin
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port}
  stick-table type ip size 100 expire 1h store http_req_cnt
  http-request track-sc0 src
  http-request return status 200
`;
  const file = config(text, dir);
  const running = start(['-W', '-f', file]);
  const shown = async () => (await cli(socket, 'show table web')).trim();
  await until(() => fs.existsSync(socket));
  const tally = newTally();
  const client = new Client(port, KEEP_ALIVE, tally);
  await until(() => tally.answers > 20);
  for (let n = 0; n < 3; n++) await reload(running);
  const before = tally.answers;
  await until(() => tally.answers > before + 20);
  await client.stop();
  expect(tally.failures).toEqual([]);
  expect(await shown()).toContain(`http_req_cnt=${tally.answers}`);
  fs.writeFileSync(file, text.replace('size 100', 'size 200'));
  await reload(running);
  expect(await shown()).not.toContain('http_req_cnt');
});

test('maps and variables live on as they were changed, unless the file is another', { timeout: 60_000 }, async () => {
  const dir = folder();
  const [port, socket, map] = [await freePort(), path.join(dir, 's.sock'), path.join(dir, 'a.map')];
  fs.writeFileSync(map, 'k first\n');
  const text = `
global
  nbthread 2
  stats socket ${socket} level admin
  set-var proc.v str(configured)
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 2s
frontend web
  bind 127.0.0.1:${port}
  http-request set-var(proc.v) str(set) if { path /set }
  http-request return status 200 content-type text/plain lf-string "%[str(k),map(${map})] %[var(proc.v)]"
`;
  const running = start(['-W', '-f', config(text, dir)]);
  expect(await ask(port)).toBe('first configured');
  await cli(socket, `set map ${map} k changed`);
  await ask(port, '/set');
  for (let n = 0; n < 2; n++) {
    await reload(running);
    for (let i = 0; i < 8; i++) expect(await ask(port)).toBe('changed set');
  }
  expect(await cli(socket, `get map ${map} k`)).toContain('value="changed"');
  fs.writeFileSync(map, 'k edited\n');
  await reload(running);
  expect(await ask(port)).toBe('edited set');
  expect(running.output()).toContain('was changed at run time; what its file says now is in force');
});
