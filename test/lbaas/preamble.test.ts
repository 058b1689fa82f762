import { expect, test } from 'vitest';
import { configurationText, refusalOf } from '../../engine/lbaas/configuration.ts';
import { joinedText, proxiesOf, proxyNames, standsAlone } from '../../engine/lbaas/preamble.ts';
import { FILES } from '../../workers/lbaas/files.ts';
import fc from '../properties.ts';
import { deployments, SITE, several } from './deployments.ts';

const GROUP = { socket: '/run/group/sock', states: '/run/group/states' };
const PING = { ...SITE, ping: '/run/ping' };

test('configurations joined are one, with all that each has', () => {
  fc.assert(
    fc.property(several, all => {
      const texts = all.map(deployment => configurationText(deployment, PING));
      const joined = joinedText(texts, GROUP);
      expect(refusalOf(joined, FILES), joined).toBeNull();
      for (const text of texts) expect(joined).toContain(proxiesOf(text));
      expect(proxyNames(joined)).toEqual(texts.flatMap(proxyNames));
      expect(joined.match(/stats socket \S+/g)).toEqual(['stats socket /run/group/sock']);
      expect(joined.includes('external-check')).toBe(texts.some(text => text.includes('external-check')));
    }),
    { numRuns: 100 },
  );
});

test('who sets what is a whole process has it alone', () => {
  fc.assert(
    fc.property(deployments, deployment => {
      const { threads, connectionsMax } = deployment;
      const text = configurationText(deployment, SITE);
      expect(standsAlone(text)).toBe(threads !== 1 || connectionsMax !== null);
      expect(joinedText([text], GROUP)).toContain(`nbthread ${threads}\n`);
    }),
  );
});
