/**
 * Which server HAProxy itself chooses for the recorded requests. `UPDATE_VECTORS=1 vitest run test/interop/balance.test.ts`
 * records them again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { VECTOR_SPECS } from '../balance/vector-specs.ts';
import { askHaproxy, haproxyVersion } from './haproxy-farms.ts';

const FILE = new URL('../balance/vectors/haproxy.json', import.meta.url);

const version = haproxyVersion();
if (version === null) console.log('skipped: no haproxy in PATH to compare with');

test.skipIf(version === null)('HAProxy chooses as recorded', { timeout: 60_000 }, async () => {
  const chosen = await askHaproxy(VECTOR_SPECS);
  if (process.env.UPDATE_VECTORS) writeFileSync(FILE, `${JSON.stringify(chosen, null, 2)}\n`);
  expect(chosen).toEqual(JSON.parse(readFileSync(FILE, 'utf8')));
});
