import { expect, test } from 'vitest';
import { conclude } from '../../engine/health/health.ts';
import { setDrain, setMaint, setReady, setStopping } from '../../engine/health/state.ts';
import { L4CON, L4OK, verdict } from '../../engine/health/statuses.ts';
import {
  ADMIN_FORCED_MAINT,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINT,
  OPER_RUNNING,
  OPER_STOPPED,
  OPER_STOPPING,
} from '../../engine/shm/words.ts';
import { modelOf, worldOf } from './fixture.ts';

/** s2 tracks s1, s3 tracks s2. */
function chain() {
  const track = (server: number) => ({ unchecked: true, track: { proxy: 0, server } });
  return worldOf(modelOf([{ rise: 1, fall: 1 }, track(0), track(1)]));
}

const opers = (w: ReturnType<typeof chain>) => [0, 1, 2].map(i => w.word(i, 'oper'));
const admins = (w: ReturnType<typeof chain>) => [0, 1, 2].map(i => w.word(i, 'admin'));

test('a state goes down the chain, and each line says by whom', () => {
  const w = chain();
  conclude(w.env, w.targets[0]!, 'check', verdict(L4CON, 'Connection refused'), 0);
  expect(opers(w)).toEqual([OPER_STOPPED, OPER_STOPPED, OPER_STOPPED]);
  expect(w.px('act')).toBe(0);
  expect(w.lines.map(line => line.slice(0, 60))).toEqual([
    '<1>Server b/s1 is DOWN, reason: Layer4 connection problem, i',
    '<1>Server b/s2 is DOWN via b/s1. 1 active and 0 backup serve',
    '<1>Server b/s3 is DOWN via b/s2. 0 active and 0 backup serve',
    '<0>backend b has no server available!',
  ]);
  conclude(w.env, w.targets[0]!, 'check', verdict(L4OK), 0);
  expect([opers(w), w.px('act')]).toEqual([[OPER_RUNNING, OPER_RUNNING, OPER_RUNNING], 3]);
  expect(w.lines.at(-1)).toContain('Server b/s3 is UP via b/s2. 3 active');
});

test('maintenance and drain are inherited, and own maintenance stays', () => {
  const w = chain();
  setMaint(w.env, w.targets[1]!);
  setMaint(w.env, w.targets[0]!);
  expect(admins(w)).toEqual([ADMIN_FORCED_MAINT, ADMIN_FORCED_MAINT | ADMIN_INHERITED_MAINT, ADMIN_INHERITED_MAINT]);
  setReady(w.env, w.targets[0]!);
  expect(admins(w)).toEqual([0, ADMIN_FORCED_MAINT, ADMIN_INHERITED_MAINT]);
  expect(w.lines.at(-1)).toBe('<5>Server b/s2 remains in forced maintenance.');
  setReady(w.env, w.targets[1]!);
  expect([admins(w), opers(w)]).toEqual([
    [0, 0, 0],
    [OPER_RUNNING, OPER_RUNNING, OPER_RUNNING],
  ]);
  setDrain(w.env, w.targets[0]!);
  expect([w.word(1, 'admin'), w.word(2, 'admin'), w.px('act')]).toEqual([
    ADMIN_INHERITED_DRAIN,
    ADMIN_INHERITED_DRAIN,
    0,
  ]);
  setReady(w.env, w.targets[0]!);
  expect([admins(w), w.px('act')]).toEqual([[0, 0, 0], 3]);
});

test('out of maintenance a server is as the one it tracks', () => {
  const w = chain();
  setMaint(w.env, w.targets[2]!);
  conclude(w.env, w.targets[0]!, 'check', verdict(L4CON), 0);
  setReady(w.env, w.targets[2]!);
  expect(opers(w)).toEqual([OPER_STOPPED, OPER_STOPPED, OPER_STOPPED]);
});

test('a server begins as the one it tracks', () => {
  const track = { proxy: 0, server: 0 };
  const w = worldOf(modelOf([{ disabled: true }, { unchecked: true, track }]));
  expect([w.word(1, 'admin'), w.word(1, 'oper'), w.px('act')]).toEqual([ADMIN_INHERITED_MAINT, OPER_STOPPED, 0]);
});

test('what is inherited is told with the server that it comes from', () => {
  const w = chain();
  const [s1, s2] = w.targets;
  setDrain(w.env, s1!);
  setDrain(w.env, s2!);
  setReady(w.env, s2!);
  setMaint(w.env, s2!);
  setMaint(w.env, s1!);
  expect(admins(w)[2]).toBe(ADMIN_INHERITED_MAINT);
  setReady(w.env, s2!);
  setReady(w.env, s1!);
  expect(w.lines.filter(line => line.includes('/s2') && !/enters|going/.test(line))).toEqual([
    '<5>Server b/s2 remains in forced drain mode.',
    '<5>Server b/s2 is leaving forced drain but remains in drain mode via b/s1.',
    '<5>Server b/s2 is leaving forced maintenance but remains in maintenance via b/s1.',
    '<5>Server b/s2 is UP/READY (leaving maintenance).',
  ]);
});

test('a server that is drained in maintenance drains those that track it', () => {
  const w = chain();
  setMaint(w.env, w.targets[0]!);
  setMaint(w.env, w.targets[1]!);
  setDrain(w.env, w.targets[1]!);
  expect(w.word(2, 'admin')).toBe(ADMIN_INHERITED_MAINT | ADMIN_INHERITED_DRAIN);
});

test('out of maintenance a server is stopping if the one it tracks is', () => {
  const w = chain();
  setMaint(w.env, w.targets[1]!);
  setStopping(w.env, w.targets[0]!, '');
  setReady(w.env, w.targets[1]!);
  expect(opers(w)).toEqual([OPER_STOPPING, OPER_STOPPING, OPER_STOPPING]);
});

test('the trackers of a server follow it in the order of HAProxy, the last line first', () => {
  const track = { unchecked: true, track: { proxy: 0, server: 0 } };
  const w = worldOf(modelOf([{}, track, track]));
  setMaint(w.env, w.targets[0]!);
  expect(w.lines.map(line => line.slice(3, 14))).toEqual(['Server b/s1', 'Server b/s3', 'Server b/s2', 'backend b h']);
});
