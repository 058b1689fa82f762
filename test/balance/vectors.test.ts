/** The servers chosen are HAProxy's, for the requests recorded from it (test/interop/balance.test.ts records them). */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { subjectOf, TestFarm } from './farm.ts';
import { VECTOR_SPECS } from './vector-specs.ts';

const recorded: Record<string, string> = JSON.parse(
  readFileSync(new URL('./vectors/haproxy.json', import.meta.url), 'utf8'),
);

test.each(VECTOR_SPECS.map(spec => [spec.name, spec] as const))('%s', (name, spec) => {
  const balancer = new TestFarm(spec).balancer();
  const chosen = spec.requests.map(request => `${balancer.pick(subjectOf(request), -1) + 1}`).join('');
  expect(chosen).toBe(recorded[name]);
});
