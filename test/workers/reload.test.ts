/** Reloads in place, as an operator asks for them: nothing is dropped, nothing is forgotten. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Client, KEEP_ALIVE, LONG, newTally, SHORT, startServer } from './clients.ts';
import { cli, field, rows } from './cli.ts';
import { config, folder, freePort, type Running, start } from './sluice.ts';

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
  test(`20 reloads under load drop nothing and count everything (${io})`, { timeout: 60_000 }, async () => {
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
    for (let n = 0; n < 20; n++) {
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
