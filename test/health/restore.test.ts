import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { SavedState } from '../../engine/config/server-model.ts';
import { ADMIN_FORCED_DRAIN, ADMIN_FORCED_MAINT, OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import { modelOf, type ServerOptions, worldOf } from './fixture.ts';

const SAVED: SavedState = {
  ...{ oper: OPER_RUNNING, admin: 0, userWeight: 5, initialWeight: 10, secondsSinceChange: 77, checkStatus: 6 },
  ...{ checkResult: 3, checkHealth: 4, checkState: 6, agentState: 0 },
  address: null,
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
  const down = world({ oper: OPER_STOPPED, checkHealth: 1, checkStatus: 8 });
  expect([down.word(0, 'oper'), down.word(0, 'check_health'), down.word(0, 'eweight'), down.px('act')]).toEqual([
    ...[OPER_STOPPED, 1, 0, 0],
  ]);
});

test('what an operator forced stays; what the old configuration disabled does not', () => {
  expect(world({ admin: ADMIN_FORCED_DRAIN }).word(0, 'eweight')).toBe(0);
  expect(world({ admin: 1 }).word(0, 'admin')).toBe(ADMIN_FORCED_MAINT);
  expect(world({ admin: 1 | 4, oper: OPER_STOPPED, checkHealth: 0 }).word(0, 'admin')).toBe(0);
});

test('a weight that the configuration has changed counts more', () => {
  expect(world({ initialWeight: 9 }).word(0, 'uweight')).toBe(10);
});

test('checks that were disabled stay so', () => {
  expect(world({ checkState: 2 }).word(0, 'check_on')).toBe(1);
});

test('whatever a file says, the words keep to their scale', () => {
  const number = fc.nat(300);
  const saved = fc.record({
    oper: number,
    admin: number,
    userWeight: number,
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
