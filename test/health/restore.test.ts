import { expect, test } from 'vitest';
import type { SavedState } from '../../engine/config/server-model.ts';
import type { Target } from '../../engine/health/target.ts';
import { checkAddress, LiveAddress } from '../../engine/shm/server-address.ts';
import {
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  OPER_STOPPING,
} from '../../engine/shm/words.ts';
import fc from '../properties.ts';
import { AGENT, modelOf, type ServerOptions, worldOf } from './fixture.ts';

const SAVED: SavedState = {
  ...{ oper: OPER_RUNNING, admin: 0, userWeight: 5, initialWeight: 10, secondsSinceChange: 77, checkStatus: 6 },
  ...{ checkResult: 3, checkHealth: 4, checkState: 6, agentState: 0 },
  ...{ address: null, port: 0, checkAddress: null, checkPort: 0, agentAddress: null, agentPort: 0 },
  ...{ renamed: false, hostname: null, service: null },
};

function world(saved: Partial<SavedState>, options: ServerOptions = {}) {
  return worldOf(modelOf([{ weight: 10, rise: 2, fall: 3, saved: { ...SAVED, ...saved }, ...options }]));
}

test('a server goes on as it was', () => {
  const up = world({});
  expect([up.word(0, 'oper'), up.word(0, 'check_health'), up.word(0, 'eweight'), up.status(0)]).toEqual([
    ...[OPER_RUNNING, 4, 5, 'L4OK'],
  ]);
  expect(up.word(0, 'last_change')).toBe(1000 - 77);
  expect([up.px('down_trans'), world({}, { disabled: true }).px('down_trans')]).toEqual([0, 0]);
  const down = world({ oper: OPER_STOPPED, checkHealth: 1, checkStatus: 8 });
  expect([down.px('down_trans'), world({ admin: ADMIN_FORCED_DRAIN }).px('down_trans')]).toEqual([1, 1]);
  expect([down.word(0, 'oper'), down.word(0, 'check_health'), down.word(0, 'eweight'), down.px('act')]).toEqual([
    ...[OPER_STOPPED, 0, 0, 0],
  ]);
});

/** Recorded from HAProxy 2.6. */
test.each([
  [OPER_STOPPED, {}, OPER_STOPPED, 0],
  [OPER_STARTING, {}, OPER_RUNNING, 1],
  [OPER_STARTING, { slowstartMs: 5000 }, OPER_STARTING, 1],
  [OPER_STARTING, { rise: 5 }, OPER_RUNNING, 3],
  [OPER_STOPPING, { rise: 1 }, OPER_STOPPING, 1],
  [OPER_STOPPING, { rise: 4 }, OPER_STOPPING, 4],
  [OPER_STARTING, { rise: 1, fall: 1 }, OPER_RUNNING, 1],
  [OPER_RUNNING, {}, OPER_RUNNING, 4],
  [OPER_STOPPING, {}, OPER_STOPPING, 3],
  [OPER_STOPPING, { rise: 1, fall: 1 }, OPER_STOPPED, 0],
  [OPER_STOPPED, { unchecked: true }, OPER_STOPPED, 0],
  [OPER_STOPPING, { unchecked: true }, OPER_STOPPING, 3],
])('state %i of a server %o goes on as %i, health %i', (saved, options, oper, health) => {
  const w = world({ oper: saved, checkHealth: 3 }, options);
  expect([w.word(0, 'oper'), w.word(0, 'check_health')]).toEqual([oper, health]);
});

test('what an operator forced stays; what the old configuration disabled does not', () => {
  expect(world({ admin: ADMIN_FORCED_DRAIN }).word(0, 'eweight')).toBe(0);
  expect(world({ admin: 1 }).word(0, 'admin')).toBe(ADMIN_FORCED_MAINT);
  expect(world({ admin: 1 | 4, oper: OPER_STOPPED, checkHealth: 0 }).word(0, 'admin')).toBe(0);
});

test('a slow start begins again', () => {
  const w = world({ oper: OPER_STARTING, userWeight: 10 }, { slowstartMs: 20_000, weight: 10 });
  expect([w.word(0, 'eweight'), w.word(0, 'ramp'), w.word(0, 'last_change')]).toEqual([1, 1, 1000]);
});

/** Recorded from HAProxy 2.6: 1 = forced maintenance, 4 = by the configuration, 8 = drain. */
test.each([
  [0, 5],
  [1, 5],
  [4, 4],
  [5, 5],
  [8, 5],
  [12, 12],
])('a disabled server that was in state %i is in %i', (saved, admin) => {
  expect(world({ admin: saved }, { disabled: true }).word(0, 'admin')).toBe(admin);
});

test('ports and addresses of checks that were set at run time stay', () => {
  const ip = (last: number) => ({ family: 4, bytes: Uint8Array.of(127, 0, 0, last), port: 0 }) as const;
  const w = world(
    { port: 8080, checkPort: 81, checkAddress: ip(4), agentAddress: ip(5), agentPort: 99 },
    { agent: AGENT },
  );
  const { memory } = w.env;
  const [{ number, server }] = w.targets as [Target];
  const where = (kind: 'check' | 'agent') => checkAddress(memory, number, server, kind);
  expect(new LiveAddress(memory, number, server).address).toMatchObject({ ...ip(1), port: 8080 });
  expect([where('check'), where('agent')]).toMatchObject([
    { ...ip(4), port: 81 },
    { ...ip(5), port: 99 },
  ]);
});

test('a weight that the configuration has changed counts more', () => {
  expect(world({ initialWeight: 9 }).word(0, 'uweight')).toBe(10);
});

test('checks that were disabled stay so', () => {
  expect(world({ checkState: 2 }).word(0, 'check_on')).toBe(1);
  // It had none.
  expect(world({ checkState: 0 }).word(0, 'check_on')).toBe(3);
});

test('whatever a file says, the words keep to their scale', () => {
  const number = fc.nat(300);
  const saved = fc.record({
    oper: fc.nat(3),
    admin: fc.constantFrom(0, 1, 4, 5, 8, 12),
    userWeight: fc.nat(256),
    secondsSinceChange: number,
    checkHealth: number,
    checkStatus: number,
  });
  fc.assert(
    fc.property(saved, state => {
      const w = world(state);
      expect(w.word(0, 'check_health')).toBeLessThanOrEqual(4);
      expect(w.word(0, 'oper')).toBeLessThanOrEqual(3);
      expect(w.status(0)).toBeTypeOf('string');
      expect(w.px('act')).toBe(Math.sign(w.word(0, 'eweight')));
      expect(w.word(0, 'uweight')).toBeLessThanOrEqual(256);
    }),
  );
});
