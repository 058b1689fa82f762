/** What load balancers become is a configuration of HAProxy too. */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { configurationText } from '../../engine/lbaas/configuration.ts';
import { deployments, SITE } from '../lbaas/deployments.ts';
import { folder } from '../workers/sluice.ts';
import { haproxyVersion } from './peers.ts';

test.skipIf(haproxyVersion() === null)('haproxy -c accepts every deployment', () => {
  const dir = folder();
  const file = path.join(dir, 'conf');
  fc.assert(
    fc.property(deployments, deployment => {
      const text = configurationText(deployment, {
        ...SITE,
        socket: path.join(dir, 'sock'),
        states: path.join(dir, 'states'),
      });
      fs.writeFileSync(file, text);
      const { status, stderr } = spawnSync('haproxy', ['-c', '-q', '-f', file], { encoding: 'utf8' });
      expect(status, `${stderr}\n${text}`).toBe(0);
    }),
    { numRuns: 40 },
  );
});
