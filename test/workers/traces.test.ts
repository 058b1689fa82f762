/** Traces of a running process: on standard error, and in a ring. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { cli } from './cli.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

test('-dt and trace', async () => {
  const dir = folder();
  const [port, socket] = [await freePort(), path.join(dir, 's.sock')];
  const file = config(
    `
global
  nbthread 2
  stats socket ${socket} level admin
ring buf0
  format raw
  size 65536
traces
  trace h1 sink buf0 level user start now
  trace session level user
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  bind 127.0.0.1:${port}
  http-request return status 200
`,
    dir,
  );
  const running = start(['-dtstream:user:simple', '-f', file]);
  await ask(port, '/hello');
  const line = /^\S+Z \[0[12]\|stream\|1\|strm_new\] id=\d+ fe=web src=127\.0\.0\.1:\d+ GET \/hello HTTP\/1\.1$/m;
  for (let i = 0; i < 100 && !line.test(running.output()); i++) await sleep(20);
  expect(running.output()).toMatch(line);
  expect(running.output()).toMatch(/\|strm_end\] .* status=200 /);
  expect(await cli(socket, 'show trace')).toMatch(/\n \[R\] stream {5}-> stderr \[drp 0\] {2}\[Applicative stream\]\n/);

  expect(await cli(socket, 'trace stream sink buf0 verbosity quiet event none event strm_end')).toBe('\n');
  await ask(port, '/two');
  let told = '';
  for (let i = 0; i < 100 && told === ''; i++) {
    await sleep(20);
    told = (await cli(socket, 'show events buf0')).trim();
  }
  expect(told).toMatch(/^\S+Z \[0[12]\|stream\|1\|strm_end\] id=\d+ status=200 cause=\S* in=\d+ out=\d+$/);
  expect(await cli(socket, 'trace 0')).toBe('All traces now stopped\n\n');
  expect(await cli(socket, 'show trace')).not.toContain('[R]');
  expect(await cli(socket, 'show trace stream')).toMatch(/^Trace status for stream:\n {2}- sink: buf0 \[0 dropped\]\n/);
  expect(await cli(socket, 'trace foo')).toBe('No such trace source\n\n');
  expect(await cli(socket, 'trace')).toContain('\n [.] stream     : Applicative stream\n');
});
