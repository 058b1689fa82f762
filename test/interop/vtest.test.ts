/** varnishtest, the program that HAProxy's own people test with, starts and drives Sluice as it does HAProxy. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { LAUNCHER } from '../workers/sluice.ts';

const FOLDER = path.join(import.meta.dirname, 'vtc');
const THERE = spawnSync('varnishtest', ['-h']).error === undefined;
if (!THERE) console.log('vtest.test: skipped, there is no varnishtest');

test.skipIf(!THERE).each(fs.readdirSync(FOLDER))('%s', { timeout: 60_000 }, file => {
  const env = { ...process.env, HAPROXY_PROGRAM: LAUNCHER };
  const words = [`-Dhaproxy=${LAUNCHER}`, '-t', '40', path.join(FOLDER, file)];
  const { status, stdout } = spawnSync('varnishtest', words, { env, encoding: 'utf8' });
  expect(status, stdout).toBe(0);
});
