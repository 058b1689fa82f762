import { expect, test } from 'vitest';
import { administer } from '../../engine/health/admin.ts';
import { CHECK_CONFIGURED, CHECK_ENABLED, SERVER } from '../../engine/shm/words.ts';
import type { Action } from '../../engine/stats/html.ts';
import { modelOf, worldOf } from './fixture.ts';

const BOTH = CHECK_CONFIGURED | CHECK_ENABLED;

test('the page’s form stops and starts checks, forces agents and ends sessions; it counts what it could do', () => {
  const world = worldOf(modelOf([{}, { unchecked: true }]));
  const { env } = world;
  const proxy = env.model.proxies[0]!;
  const act = (action: Action) => administer(env, proxy, action, proxy.servers);

  expect(act('dhlth')).toBe(1);
  expect([world.word(0, 'check_on'), world.word(1, 'check_on')]).toEqual([CHECK_CONFIGURED, 0]);
  expect(act('ehlth')).toBe(1);
  expect(world.word(0, 'check_on')).toBe(BOTH);

  expect([act('dagent'), act('eagent'), act('adown')]).toEqual([0, 0, 0]);
  const agent = env.memory.server(0);
  Atomics.store(env.memory.words, agent + SERVER.at.agent_on, BOTH);
  expect(act('adown')).toBe(1);
  expect([world.word(0, 'oper'), world.word(1, 'oper')]).toEqual([0, 2]);
  expect(world.lines).toEqual([
    expect.stringMatching(/Server b\/s1 is DOWN, changed from Web interface\. 1 active and 0 backup servers left\./),
  ]);
  expect(act('arunn')).toBe(1);
  expect(world.word(0, 'oper')).toBe(2);

  const generation = world.px('generation');
  expect(act('shutdown')).toBe(2);
  expect([world.word(0, 'kills'), world.word(1, 'kills')]).toEqual([1, 1]);
  expect(world.px('generation')).toBeGreaterThan(generation);
});
