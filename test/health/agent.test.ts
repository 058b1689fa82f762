import { expect, test } from 'vitest';
import { obeyAgent, parseAgent } from '../../engine/health/agent.ts';
import { conclude } from '../../engine/health/health.ts';
import { setDrain } from '../../engine/health/state.ts';
import { CHECK_STATUSES, L4CON, L4OK, L7STS, verdict } from '../../engine/health/statuses.ts';
import { ADMIN_FORCED_DRAIN, ADMIN_FORCED_MAINT, OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import fc from '../properties.ts';
import { AGENT, modelOf, type ServerOptions, worldOf } from './fixture.ts';

function world(options: ServerOptions = {}) {
  return worldOf(modelOf([{ weight: 10, agent: AGENT, rise: 1, fall: 1, ...options }]));
}

/** Says a line to the first server; gives status, code and text of what the agent check found. */
function say(w: ReturnType<typeof world>, line: string): string {
  const t = w.targets[0]!;
  const v = obeyAgent(w.env, t, line);
  conclude(w.env, t, 'agent', v, 1);
  return `${CHECK_STATUSES[v.status]!.name} ${v.code} ${v.info}`.trim();
}

test('each word does its own, in any combination', () => {
  for (const [line, found, words] of [
    ['up 50%', 'L7OK 0 via agent : up', { uweight: 5, agent_health: 1 }],
    ['weight:7', 'CHECKED -1', { uweight: 7, eweight: 7 }],
    ['999%', 'CHECKED -1', { uweight: 99 }],
    ['0%', 'CHECKED -1', { uweight: 0, eweight: 0 }],
    ['drain,75% up\tmaxconn:30', 'L7OK 0 via agent : up', { uweight: 7, maxconn: 30, admin: ADMIN_FORCED_DRAIN }],
    ['maint', 'CHECKED -1', { admin: ADMIN_FORCED_MAINT }],
    ['FAIL', 'L7STS 0 via agent : FAIL', { oper: OPER_STOPPED, agent_health: 0 }],
    ['stopped # all done', 'L7STS 0 via agent : stopped (all done)', { oper: OPER_STOPPED }],
    ['stopped  why so', 'L7STS 0 via agent : stopped (why)', { oper: OPER_STOPPED }],
    ['foo up', 'L7OK 0 via agent : up (foo)', { oper: OPER_RUNNING }],
    ['up down', 'L7STS 0 via agent : down', { oper: OPER_STOPPED }],
    ['gibberish words', 'CHECKED -1 agent reports an error : gibberish', { oper: OPER_RUNNING }],
    ['50%x', 'CHECKED -1 agent warns : Trailing garbage in weight string', { uweight: 10 }],
    ['maxconn:abc', 'CHECKED -1 agent warns : maxconn string empty or preceded by garbage', { maxconn: 0 }],
    ['maxconn:', 'CHECKED -1 agent warns : Require <maxconn>.', { maxconn: 0 }],
    [
      'weight:999',
      'CHECKED -1 agent warns : Absolute weight can only be between 0 and 256 inclusive.',
      { uweight: 10 },
    ],
    ['', 'CHECKED -1', { oper: OPER_RUNNING }],
  ] as const) {
    const w = world();
    expect(say(w, line), line).toBe(found);
    for (const [field, value] of Object.entries(words))
      expect(w.word(0, field as 'oper'), `${line}: ${field}`).toBe(value);
  }
});

test('only the agent takes back what it said, and both it and the check must be content', () => {
  const w = world();
  const t = w.targets[0]!;
  say(w, 'down');
  expect([w.word(0, 'oper'), w.lines[0]]).toEqual([
    OPER_STOPPED,
    '<1>Server b/s1 is DOWN, reason: Layer7 wrong status, code: 0, info: "via agent : down", check duration: 1ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
  ]);
  conclude(w.env, t, 'check', verdict(L4OK), 0);
  expect(w.word(0, 'oper')).toBe(OPER_STOPPED);
  conclude(w.env, t, 'check', verdict(L4CON), 0);
  say(w, 'up');
  expect(w.word(0, 'oper')).toBe(OPER_STOPPED);
  conclude(w.env, t, 'check', verdict(L4OK), 0);
  expect(w.word(0, 'oper')).toBe(OPER_RUNNING);
});

test('an agent that cannot be asked changes nothing', () => {
  const w = world();
  for (let i = 0; i < 5; i++) conclude(w.env, w.targets[0]!, 'agent', verdict(L4CON, 'Connection refused'), 0);
  expect([w.word(0, 'oper'), w.word(0, 'agent_health'), w.word(0, 'check_fails')]).toEqual([OPER_RUNNING, 1, 0]);
});

test('a weight in drain is told as often as the agent says it', () => {
  const w = world();
  say(w, 'drain 20%');
  say(w, 'drain 20%');
  const remains = '<5>Server b/s1 remains in forced drain mode.';
  expect(w.lines.slice(1)).toEqual(['<0>backend b has no server available!', remains, remains]);
});

test('what an agent finds is no failed check', () => {
  const w = world();
  say(w, 'down');
  expect([w.word(0, 'oper'), w.word(0, 'check_fails')]).toEqual([OPER_STOPPED, 0]);
});

test('out of maintenance a server stays down while its agent has it down', () => {
  const w = world();
  for (const words of ['down', 'maint', 'ready']) say(w, words);
  expect([w.word(0, 'admin'), w.word(0, 'oper')]).toEqual([0, OPER_STOPPED]);
  expect(w.lines.at(-1)).toBe('<5>Server b/s1 is DOWN/READY (leaving forced maintenance).');
  say(w, 'up');
  expect(w.word(0, 'oper')).toBe(OPER_RUNNING);
});

test('ready ends what an operator forced', () => {
  const w = world();
  setDrain(w.env, w.targets[0]!);
  say(w, 'ready');
  expect(w.word(0, 'admin')).toBe(0);
});

test('an agent check is logged as one', () => {
  const w = worldOf(modelOf([{ agent: AGENT }], { logHealthChecks: true }));
  conclude(w.env, w.targets[0]!, 'agent', verdict(L7STS, 'via agent : down', 0), 204);
  expect(w.lines[0]).toBe(
    '<5>Agent check for server b/s1 failed, reason: Layer7 wrong status, code: 0, info: "via agent : down", check duration: 204ms, status: 0/1 DOWN.',
  );
});

test('whatever an agent says, words keep to their bounds', () => {
  const words = fc.constantFrom(
    'up',
    'down',
    'drain',
    'maint',
    'ready',
    '300%',
    'weight:9',
    'maxconn:99999999999',
    '#',
    'x',
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(words, fc.string())), parts => {
      const w = world();
      parseAgent(parts.join(' '));
      say(w, parts.join(' '));
      expect(w.word(0, 'uweight')).toBeLessThanOrEqual(256);
      expect(w.word(0, 'maxconn')).toBeGreaterThanOrEqual(0);
    }),
  );
});

test('an answer without a word about health is not logged as a check', () => {
  const w = worldOf(modelOf([{ agent: AGENT, weight: 10 }], { logHealthChecks: true }));
  for (const line of ['50%', 'gibberish', '', 'maxconn:7']) say(w, line);
  expect(w.lines).toEqual([]);
});
