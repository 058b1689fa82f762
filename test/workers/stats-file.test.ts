/** Totals that another process begins with. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { cli } from './cli.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

test('dump stats-file, and another process goes on from there', async () => {
  const dir = folder();
  const [port, socket, saved] = [await freePort(), path.join(dir, 's.sock'), path.join(dir, 'saved')];
  const file = config(
    `
global
  nbthread 2
  stats socket ${socket} level admin
  stats-file ${saved}
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend web
  guid the-web
  bind 127.0.0.1:${port} guid-prefix door
  http-request return status 200
`,
    dir,
  );
  const first = start(['-f', file]);
  for (let i = 0; i < 5; i++) await ask(port, '/');
  expect(first.output()).toContain(`stats-file '${saved}': cannot open it.`);
  const dump = await cli(socket, 'dump stats-file');
  expect(dump).toMatch(/^#fe\n#guid,stot,[^\n]*\nthe-web,5,[\s\S]*\ndoor-1,5,/);
  first.child.kill('SIGTERM');
  await first.ended;
  fs.writeFileSync(saved, dump);

  const second = start(['-f', file]);
  await ask(port, '/');
  expect(await cli(socket, 'show stat web 1 -1')).toMatch(/\nweb,FRONTEND,,,\d,\d,\d+,6,/);
  expect(second.output()).not.toContain('stats-file');
  expect(await cli(socket, 'dump stats-file')).toMatch(/\nthe-web,6,/);
});
