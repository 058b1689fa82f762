/** Maps, ACLs and variables of the real process: what changes is in force in every worker at once. */
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { ask as command } from '../interop/cli-client.ts';
import { ask, config, folder, freePort, start } from './sluice.ts';

const THREADS = 3;

test('a change holds in all workers when its answer is there', { timeout: 60_000 }, async () => {
  const dir = folder();
  const port = await freePort();
  const map = path.join(dir, 'a.map');
  const acl = path.join(dir, 'a.acl');
  const socket = path.join(dir, 'socket');
  fs.writeFileSync(map, 'k first\n');
  fs.writeFileSync(acl, '');
  const text = `global
  nbthread ${THREADS}
  stats socket ${socket} level admin
  set-var proc.v str(0)
defaults
  mode http
  timeout client 5s
  timeout server 5s
  timeout connect 5s
frontend f
  bind 127.0.0.1:${port}
  http-request set-map(${map}) k %[url_param(to)] if { path /set }
  http-request add-acl(${acl}) %[url_param(to)] if { path /set }
  http-request set-var(proc.v) url_param(to) if { path /set }
  acl known url_param(to) -f ${acl}
  http-request return status 200 content-type text/plain lf-string "%[thread] %[str(k),map(${map})] %[var(proc.v)] yes" if known
  http-request return status 200 content-type text/plain lf-string "%[thread] %[str(k),map(${map})] %[var(proc.v)] no"
`;
  const running = start(['-f', config(text, dir)]);
  await ask(port);

  const seen = new Set<string>();
  const values = async (to: string, wanted: string) => {
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask(port, `/?to=${to}`)));
    for (const answer of answers) {
      const [thread, ...rest] = answer.split(' ');
      seen.add(thread!);
      expect(rest.join(' ')).toBe(wanted);
    }
  };
  await values('x', 'first 0 no');
  for (let i = 1; i <= 20; i++) {
    expect(
      await command(
        socket,
        `set map ${map} k v${i};add acl ${acl} x${i};experimental-mode on;set var proc.v str(${i})`,
      ),
    ).toBe('\n\n\n\n');
    await values(`x${i}`, `v${i} ${i} yes`);
    await ask(port, `/set?to=t${i}`);
    await values(`t${i}`, `t${i} t${i} yes`);
  }
  expect(seen.size).toBe(THREADS);
  expect(await command(socket, `show map ${map}`)).toMatch(/^0x[0-9a-f]{12} k t20\n\n$/);

  // A payload is one change, a version goes into force whole.
  const lines = Array.from({ length: 1_000 }, (_, i) => `key-${i} value ${i}`).join('\n');
  expect(await command(socket, `prepare map ${map}`)).toBe('New version created: 1\n\n');
  expect(await command(socket, `add map @1 ${map} <<\n${lines}\nk new\n`)).toBe('\n');
  await values('t20', 't20 t20 yes');
  expect(await command(socket, `commit map @1 ${map}`)).toBe('\n');
  await values('t20', 'new t20 yes');
  expect((await command(socket, `show map ${map}`)).split('\n')).toHaveLength(1_003);
  expect(await command(socket, `add map ${map} <<\na b\nc\n`)).toBe("Missing value for key 'c'.\n\n");
  expect(await command(socket, `get map ${map} a`)).toContain('found=no');
  expect(running.output()).not.toContain('died');
});
