/** External checks run real programs. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Health, startHealth } from '../../engine/health/index.ts';
import { createNetIo } from '../../engine/io/net.ts';
import { OPER_STOPPED } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import { checkOfLines, modelOf, worldOf } from './fixture.ts';

let folder: string;
let health: Health | null = null;
let io: ReturnType<typeof createNetIo>;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'sluice-external-'));
  io = createNetIo();
});

afterEach(async () => {
  health?.stop();
  await io.stop();
  rmSync(folder, { recursive: true });
});

/** Starts checking one server by a shell script. */
function start(script: string, inter: number) {
  const file = path.join(folder, 'check');
  writeFileSync(file, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  const check = checkOfLines(
    'option external-check',
    `external-check command ${file}`,
    'external-check path /usr/bin:/bin',
  );
  const world = worldOf(modelOf([{ port: 8080, maxconn: 7, inter, rise: 1, fall: 1 }], { check }));
  const wheel = new TimerWheel(io.now());
  const now = () => io.now();
  health = startHealth({ ...world.env, now, io, wheel, random: () => 0.5 });
  io.onTurn(moment => wheel.advance(moment));
  return world;
}

test('a program that ends well: its arguments and its environment are those of the manual', async () => {
  const world = start(`echo "$@" > ${folder}/args; env | sort > ${folder}/env`, 200);
  await expect.poll(() => world.status(0)).toBe('PROCOK');
  expect(world.word(0, 'check_code')).toBe(0);
  expect(readFileSync(path.join(folder, 'args'), 'utf8')).toBe('NOT_USED NOT_USED 127.0.0.1 8080\n');
  const lines = readFileSync(path.join(folder, 'env'), 'utf8').split('\n');
  expect(lines.filter(line => /^(HAPROXY|PATH)/.test(line))).toEqual([
    'HAPROXY_PROXY_ADDR=',
    'HAPROXY_PROXY_ID=2',
    'HAPROXY_PROXY_NAME=b',
    'HAPROXY_PROXY_PORT=',
    'HAPROXY_SERVER_ADDR=127.0.0.1',
    'HAPROXY_SERVER_CURCONN=0',
    'HAPROXY_SERVER_ID=1',
    'HAPROXY_SERVER_MAXCONN=7',
    'HAPROXY_SERVER_NAME=s1',
    'HAPROXY_SERVER_PORT=8080',
    'HAPROXY_SERVER_PROTO=h1',
    'HAPROXY_SERVER_SSL=0',
    'PATH=/usr/bin:/bin',
  ]);
});

test('a program that ends badly takes the server down', async () => {
  const world = start('exit 3', 200);
  await expect.poll(() => world.word(0, 'oper')).toBe(OPER_STOPPED);
  expect([world.status(0), world.word(0, 'check_code')]).toEqual(['PROCERR', 3]);
  expect(world.lines[0]).toContain('Server b/s1 is DOWN, reason: External check error, code: 3, check duration: ');
});

test('a program that a signal ends has no code of its own', async () => {
  const world = start('kill -9 $$', 200);
  await expect.poll(() => world.word(0, 'oper')).toBe(OPER_STOPPED);
  expect(world.lines[0]).toContain('Server b/s1 is DOWN, reason: External check error, code: -1, check duration: ');
});

test('a program that does not end, nor what it started, is ended', async () => {
  const world = start(`trap '' TERM; echo $$ > ${folder}/pid; sleep 60 & wait; sleep 60`, 300);
  await expect.poll(() => world.word(0, 'oper'), { timeout: 5000 }).toBe(OPER_STOPPED);
  expect([world.status(0), world.word(0, 'check_code')]).toEqual(['PROCTOUT', 0]);
  const pid = Number(readFileSync(path.join(folder, 'pid'), 'utf8'));
  await expect.poll(() => alive(pid)).toBe(false);
});

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

test('a program that is not there is a failed check', async () => {
  const check = checkOfLines('option external-check', `external-check command ${folder}/nothing`);
  const world = worldOf(modelOf([{ inter: 200, rise: 1, fall: 1 }], { check }));
  const wheel = new TimerWheel(io.now());
  health = startHealth({ ...world.env, now: () => io.now(), io, wheel, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
  await expect.poll(() => world.status(0)).toBe('PROCERR');
  expect(world.word(0, 'check_code')).toBe(255);
});
