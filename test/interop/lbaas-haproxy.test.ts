/** What load balancers become is a configuration of HAProxy too. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { configurationText } from '../../engine/lbaas/configuration.ts';
import { joinedText } from '../../engine/lbaas/preamble.ts';
import { deployments, SITE, several } from '../lbaas/deployments.ts';
import fc from '../properties.ts';
import { folder } from '../workers/sluice.ts';
import { haproxyVersion } from './peers.ts';

const ABSENT = haproxyVersion() === null;

/** Throws with what HAProxy says of it when it does not take it. */
function assertTaken(dir: string, text: string): void {
  const file = path.join(dir, 'conf');
  fs.writeFileSync(file, text);
  const { status, stderr } = spawnSync('haproxy', ['-c', '-q', '-f', file], { encoding: 'utf8' });
  expect(status, `${stderr}\n${text}`).toBe(0);
}

const filesIn = (dir: string) => ({ socket: path.join(dir, 'sock'), states: path.join(dir, 'states') });

test.skipIf(ABSENT)('haproxy -c accepts every deployment', () => {
  const dir = folder();
  fc.assert(
    fc.property(deployments, deployment => {
      assertTaken(dir, configurationText(deployment, { ...SITE, ...filesIn(dir) }));
    }),
    { numRuns: 40 },
  );
});

test.skipIf(ABSENT)('haproxy -c accepts what several share', () => {
  const dir = folder();
  fc.assert(
    fc.property(several, all => {
      const texts = all.map(deployment => configurationText(deployment, SITE));
      assertTaken(dir, joinedText(texts, filesIn(dir)));
    }),
    { numRuns: 20 },
  );
});
