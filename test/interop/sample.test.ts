/**
 * What HAProxy itself finds for the expressions of test/sample/vector-specs.ts. `UPDATE_VECTORS=1 vitest run
 * test/interop/sample.test.ts` records it again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { haproxyVersion } from './haproxy-farms.ts';
import { recordSamples } from './haproxy-samples.ts';

const FILE = new URL('../sample/vectors/haproxy.json', import.meta.url);

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

test.skipIf(version === null)('HAProxy finds what is recorded', { timeout: 120_000 }, async () => {
  const recorded = await recordSamples();
  if (process.env.UPDATE_VECTORS) writeFileSync(FILE, `${JSON.stringify(recorded, null, 2)}\n`);
  expect(recorded).toEqual(JSON.parse(readFileSync(FILE, 'utf8')));
});
