import { describe, expect, test } from 'vitest';
import { conclude, step } from '../../engine/health/health.ts';
import { NO_MAIL } from '../../engine/health/log.ts';
import { enableChecks } from '../../engine/health/operator.ts';
import {
  forceHealth,
  setDrain,
  setMaint,
  setReady,
  setRunning,
  setStopped,
  setStopping,
  setWeight,
  warm,
} from '../../engine/health/state.ts';
import { L4CON, L4OK, L7OK, L7OKC, L7STS, reason, verdict } from '../../engine/health/statuses.ts';
import { CUR_SESS } from '../../engine/shm/counters.ts';
import {
  ADMIN_CONFIG_MAINT,
  ADMIN_FORCED_DRAIN,
  OPER_RUNNING,
  OPER_STARTING,
  OPER_STOPPED,
  SERVER,
  WORKER,
} from '../../engine/shm/words.ts';
import fc from '../properties.ts';
import { modelOf, worldOf } from './fixture.ts';

const OK = verdict(L4OK);
const REFUSED = verdict(L4CON, 'Connection refused');

describe('initial states', () => {
  test('checked, backup, weightless, disabled and unchecked servers, as HAProxy starts them', () => {
    const w = worldOf(
      modelOf([{ rise: 2, fall: 3, weight: 10 }, { backup: true }, { weight: 0, unchecked: true }, { disabled: true }]),
    );
    expect([0, 1, 2, 3].map(i => w.word(i, 'oper'))).toEqual([OPER_RUNNING, OPER_RUNNING, OPER_RUNNING, OPER_STOPPED]);
    expect([0, 1, 2, 3].map(i => w.word(i, 'check_health'))).toEqual([2, 2, 2, 0]);
    expect([0, 1, 2, 3].map(i => w.word(i, 'eweight'))).toEqual([10, 1, 0, 0]);
    expect([0, 1, 2, 3].map(i => w.status(i))).toEqual(['INI', 'INI', 'UNK', 'INI']);
    expect(w.word(3, 'admin')).toBe(5);
    expect([w.px('act'), w.px('bck'), w.px('last_change')]).toEqual([1, 1, 1000]);
    expect(w.px('fe_maxconn')).toBe(100);
  });
});

/** Sequences recorded from HAProxy 2.6 (`check_health` after each check): `+` passes, `-` fails. */
const RECORDED: readonly [rise: number, fall: number, checks: string, health: readonly number[]][] = [
  [2, 3, '+---++', [4, 3, 2, 0, 1, 4]],
  [2, 3, '-', [0]],
  [2, 3, '--+-++-', [0, 0, 1, 0, 1, 4, 3]],
  [2, 3, '+-+--+', [4, 3, 4, 3, 2, 4]],
  [1, 1, '+-+', [1, 0, 1]],
];

test.each(RECORDED)('rise %i fall %i: %s', (rise, fall, checks, health) => {
  const w = worldOf(modelOf([{ rise, fall }]));
  const seen = [...checks].map(c => {
    conclude(w.env, w.targets[0]!, 'check', c === '+' ? OK : REFUSED, 0);
    return w.word(0, 'check_health');
  });
  expect(seen).toEqual(health);
});

test('the scale: DOWN exactly below rise, `fall` failures from the top, `rise` successes from the bottom', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }), (rise, fall) => {
      const top = rise + fall - 1;
      const after = (from: number, passed: boolean, times: number) =>
        Array.from({ length: times }).reduce<number>(h => step(h, passed, rise, fall), from);
      expect(after(top, false, fall - 1)).toBe(rise);
      expect(after(top, false, fall)).toBe(0);
      expect(after(0, true, rise - 1)).toBe(rise - 1);
      expect(after(0, true, rise)).toBe(top);
    }),
  );
});

describe('log lines, word for word those of HAProxy 2.6', () => {
  test('DOWN, running on backup, no server available, UP', () => {
    const w = worldOf(modelOf([{}, { backup: true, name: 's2' }]));
    const [s1, s2] = w.targets;
    conclude(w.env, s1!, 'check', REFUSED, 0);
    conclude(w.env, s2!, 'check', REFUSED, 0);
    expect([w.px('act'), w.px('bck'), w.px('down_trans')]).toEqual([0, 0, 1]);
    w.clock += 5000;
    conclude(w.env, s1!, 'check', OK, 0);
    expect(w.lines).toHaveLength(3);
    conclude(w.env, s1!, 'check', OK, 0);
    expect(w.lines).toEqual([
      '<1>Server b/s1 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 1 backup servers left. Running on backup. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<1>Backup Server b/s2 is DOWN, reason: Layer4 connection problem, info: "Connection refused", check duration: 0ms. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<0>backend b has no server available!',
      '<5>Server b/s1 is UP, reason: Layer4 check passed, check duration: 0ms. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
    ]);
    expect([w.word(0, 'down_time'), w.px('down_time'), w.word(0, 'last_change')]).toEqual([5, 5, 1005]);
    expect([w.word(0, 'down_trans'), w.word(0, 'check_fails')]).toEqual([1, 1]);
  });

  test('a description has 127 bytes in the log too', () => {
    const w = worldOf(modelOf([{}], { logHealthChecks: true }));
    conclude(w.env, w.targets[0]!, 'check', verdict(L7STS, `${'x'.repeat(126)}"y`, 500), 0);
    expect(w.lines[0]).toContain(`info: "${'x'.repeat(126)}<22>", check`);
  });

  test('what only the log of a check tells is not kept', () => {
    const w = worldOf(modelOf([{}], { logHealthChecks: true }));
    conclude(w.env, w.targets[0]!, 'check', { ...verdict(L7OK, '', 0), told: '8.0.1' }, 0);
    expect(w.lines).toEqual([expect.stringContaining('code: 0, info: "8.0.1", check duration')]);
    expect(w.text(0)).toBe('');
  });

  test('with log-health-checks every change of the scale is told, the state without a reason', () => {
    const w = worldOf(modelOf([{}], { logHealthChecks: true, kind: 'listen' }));
    const t = w.targets[0]!;
    conclude(w.env, t, 'check', verdict(L7OK, '', 200), 0);
    conclude(w.env, t, 'check', verdict(L7OK, '', 200), 0);
    conclude(w.env, t, 'check', verdict(L7OKC, '', 404), 0);
    conclude(w.env, t, 'check', verdict(L7OK, '', 200), 0);
    for (let i = 0; i < 3; i++) conclude(w.env, t, 'check', verdict(L7STS, 'Sorry "Man"', 503), 2);
    conclude(w.env, t, 'check', verdict(L7OK, '', 200), 0);
    expect(w.lines).toEqual([
      '<5>Health check for server b/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: 0ms, status: 3/3 UP.',
      '<5>Health check for server b/s1 conditionally succeeded, reason: Layer7 check conditionally passed, code: 404, check duration: 0ms, status: 3/3 UP.',
      '<5>Server b/s1 is stopping. 0 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<0>proxy b has no server available!',
      '<5>Health check for server b/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: 0ms, status: 3/3 UP.',
      '<5>Server b/s1 is UP. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
      '<5>Health check for server b/s1 failed, reason: Layer7 wrong status, code: 503, info: "Sorry <22>Man<22>", check duration: 2ms, status: 2/3 UP.',
      '<5>Health check for server b/s1 failed, reason: Layer7 wrong status, code: 503, info: "Sorry <22>Man<22>", check duration: 2ms, status: 1/3 UP.',
      '<5>Health check for server b/s1 failed, reason: Layer7 wrong status, code: 503, info: "Sorry <22>Man<22>", check duration: 2ms, status: 0/2 DOWN.',
      '<1>Server b/s1 is DOWN. 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      '<0>proxy b has no server available!',
      '<5>Health check for server b/s1 succeeded, reason: Layer7 check passed, code: 200, check duration: 0ms, status: 1/2 DOWN.',
    ]);
    expect(w.text(0)).toBe('');
  });

  test('while a server is drained, every change says that it stays so', () => {
    const w = worldOf(modelOf([{}, {}]));
    const t = w.targets[0]!;
    const remains = '<5>Server b/s1 remains in forced drain mode.';
    setDrain(w.env, t);
    w.lines.length = 0;
    setWeight(w.env, t, 3);
    expect(w.lines).toEqual([remains]);
    for (const health of ['down', 'up', 'stopping'] as const) {
      forceHealth(w.env, t, health, ', changed from CLI');
      expect(w.lines.slice(-2)).toEqual([expect.stringContaining(', changed from CLI.'), remains]);
    }
    setMaint(w.env, t);
    setDrain(w.env, t);
    expect(w.lines.slice(-2)).toEqual(['<5>Server b/s1 is UP/DRAIN (leaving forced maintenance).', remains]);
    setReady(w.env, t);
    expect(w.lines.at(-1)).toBe('<5>Server b/s1 is UP (leaving forced drain).');
  });

  test('sessions on a server and requests queued for it', () => {
    const w = worldOf(modelOf([{}, {}]));
    const { memory } = w.env;
    memory.counters[memory.row(0, 'server', 0) + CUR_SESS] = 7;
    memory.words[memory.server(0) + SERVER.at.queued] = 4;
    setStopped(w.env, w.targets[0]!, ', changed from CLI');
    expect(w.lines).toEqual([
      '<1>Server b/s1 is DOWN, changed from CLI. 1 active and 0 backup servers left. 7 sessions active, 4 requeued, 0 remaining in queue.',
    ]);
  });
});

describe('administrative states', () => {
  test('a walk recorded from HAProxy 2.6', () => {
    const w = worldOf(modelOf([{ weight: 10 }, { unchecked: true }]));
    const t = w.targets[0]!;
    const seen: unknown[] = [];
    const look = () =>
      seen.push([w.word(0, 'admin'), w.word(0, 'oper'), w.word(0, 'eweight'), w.word(0, 'down_trans')]);
    for (const act of [setMaint, setDrain, setMaint, setReady, setDrain, setMaint, setReady, setDrain, setReady]) {
      act(w.env, t);
      look();
    }
    expect(seen).toEqual([
      [1, 0, 0, 1],
      [ADMIN_FORCED_DRAIN, 2, 0, 1],
      [1, 0, 0, 2],
      [0, 2, 10, 2],
      [ADMIN_FORCED_DRAIN, 2, 0, 2],
      [1, 0, 0, 3],
      [0, 2, 10, 3],
      [ADMIN_FORCED_DRAIN, 2, 0, 3],
      [0, 2, 10, 3],
    ]);
    const going =
      'Server b/s1 is going DOWN for maintenance. 1 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.';
    const drains =
      '<5>Server b/s1 enters drain state. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.';
    const ready = '<5>Server b/s1 is UP/READY (leaving forced maintenance).';
    expect(w.lines).toEqual([
      `<1>${going}`,
      '<5>Server b/s1 is UP/DRAIN (leaving forced maintenance).',
      '<5>Server b/s1 remains in forced drain mode.',
      `<5>${going}`,
      ready,
      drains,
      `<5>${going}`,
      ready,
      drains,
      '<5>Server b/s1 is UP (leaving forced drain).',
    ]);
  });

  test('a server that is down enters maintenance quietly, and leaves it up until a check fails', () => {
    const w = worldOf(modelOf([{}, {}]));
    const t = w.targets[0]!;
    conclude(w.env, t, 'check', REFUSED, 0);
    setMaint(w.env, t);
    setMaint(w.env, t);
    expect(w.lines.slice(1)).toEqual(['<5>Server b/s1 was DOWN and now enters maintenance.']);
    setRunning(w.env, t, '');
    setStopping(w.env, t, '');
    expect(w.word(0, 'oper')).toBe(OPER_STOPPED);
    setReady(w.env, t);
    expect([w.word(0, 'oper'), w.word(0, 'check_health'), w.word(0, 'eweight')]).toEqual([OPER_RUNNING, 2, 1]);
    conclude(w.env, t, 'check', REFUSED, 0);
    expect([w.word(0, 'oper'), w.word(0, 'down_trans')]).toEqual([OPER_STOPPED, 2]);
  });

  test('maintenance leaves the scale of a server whose checks are disabled as it is, when it is down', () => {
    const w = worldOf(modelOf([{ unchecked: true }, {}]));
    const [unchecked, disabled] = w.targets;
    enableChecks(w.env, disabled!, 'check', false);
    for (const t of [unchecked!, disabled!]) {
      setStopped(w.env, t, '');
      setMaint(w.env, t);
    }
    expect([w.word(0, 'check_health'), w.word(1, 'check_health')]).toEqual([2, 2]);
    for (const t of [unchecked!, disabled!]) {
      setReady(w.env, t);
      setMaint(w.env, t);
      setReady(w.env, t);
    }
    expect([w.word(0, 'check_health'), w.word(1, 'check_health')]).toEqual([0, 0]);
  });

  test('`disabled` is remembered but does not hold the server after ready', () => {
    const w = worldOf(modelOf([{ disabled: true }]));
    expect(w.px('act')).toBe(0);
    setReady(w.env, w.targets[0]!);
    expect([w.word(0, 'admin'), w.word(0, 'eweight'), w.px('act')]).toEqual([ADMIN_CONFIG_MAINT, 1, 1]);
  });

  test('weights: zero takes a server out without a word in the log', () => {
    const w = worldOf(modelOf([{ weight: 10 }, {}]));
    const before = w.px('generation');
    setWeight(w.env, w.targets[0]!, 0);
    expect([w.word(0, 'eweight'), w.px('act'), w.lines.length]).toEqual([0, 1, 0]);
    expect(w.px('generation')).not.toBe(before);
    setWeight(w.env, w.targets[0]!, 256);
    expect([w.word(0, 'eweight'), w.word(0, 'iweight')]).toEqual([256, 10]);
    expect(() => setWeight(w.env, w.targets[0]!, 257)).toThrow(RangeError);
  });
});

test('mails tell of servers that go down, come up and drain; not of maintenance', () => {
  const w = worldOf(modelOf([{}, {}]));
  const t = w.targets[0]!;
  const mailed: string[] = [];
  const env = {
    ...w.env,
    log: (level: number, _: number, text: string, mailLevel = level) => {
      if (mailLevel !== NO_MAIL) mailed.push(text.replace(/^Server b\/s1 (.*?)\..*$/, '$1'));
    },
  };
  setMaint(env, t);
  setReady(env, t);
  setDrain(env, t);
  setWeight(env, t, 5);
  setReady(env, t);
  forceHealth(env, t, 'down', ', x');
  forceHealth(env, t, 'up', ', x');
  forceHealth(env, t, 'stopping', ', x');
  expect(mailed).toEqual(['enters drain state', 'is DOWN, x', 'is UP, x', 'is stopping, x']);
});

test('the end of a slow start is told, and while it is drained that it stays so', () => {
  const w = worldOf(modelOf([{ slowstartMs: 10_000 }]));
  const t = w.targets[0]!;
  setMaint(w.env, t);
  setReady(w.env, t);
  w.lines.length = 0;
  w.clock += 5000;
  warm(w.env, t);
  expect(w.lines).toEqual([]);
  setDrain(w.env, t);
  warm(w.env, t);
  expect(w.lines.at(-1)).toBe('<5>Server b/s1 remains in forced drain mode.');
  setReady(w.env, t);
  w.clock += 10_000;
  warm(w.env, t);
  expect(w.lines.at(-1)).toBe(
    '<5>Server b/s1 is UP. 1 active and 0 backup servers online. 0 sessions requeued, 0 total in queue.',
  );
});

test('slowstart: weight comes back step by step', () => {
  const w = worldOf(modelOf([{ weight: 100, slowstartMs: 10_000, rise: 1 }]));
  const t = w.targets[0]!;
  expect(w.word(0, 'eweight')).toBe(100);
  conclude(w.env, t, 'check', REFUSED, 0);
  conclude(w.env, t, 'check', OK, 0);
  expect([w.word(0, 'oper'), w.word(0, 'eweight')]).toEqual([OPER_STARTING, 7]);
  w.clock += 5000;
  warm(w.env, t);
  // Nine sixteenths.
  expect([w.word(0, 'eweight'), w.word(0, 'ramp')]).toEqual([57, 9]);
  w.clock += 5000;
  warm(w.env, t);
  expect([w.word(0, 'oper'), w.word(0, 'eweight')]).toEqual([OPER_RUNNING, 100]);
});

test('after any walk, eweight, act and bck follow from the states, and the doorbells have rung', () => {
  const acts = [setMaint, setDrain, setReady, setStopped, setRunning, setStopping] as const;
  const walk = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 0, max: 5 })), { maxLength: 40 });
  fc.assert(
    fc.property(walk, steps => {
      const w = worldOf(modelOf([{}, { weight: 3 }, { backup: true }, { unchecked: true, disabled: true }]));
      for (const [i, a] of steps) acts[a]!(w.env, w.targets[i]!, '');
      const usable = w.targets.map((t, i) => {
        const up = w.word(i, 'oper') === OPER_RUNNING && (w.word(i, 'admin') & ~ADMIN_CONFIG_MAINT) === 0;
        expect(w.word(i, 'eweight')).toBe(up ? t.server.weight : 0);
        return up;
      });
      expect(w.px('bck')).toBe(usable[2] ? 1 : 0);
      expect(w.px('act')).toBe(usable.filter((u, i) => u && i !== 2).length);
      const { memory } = w.env;
      if (w.lines.length > 0) expect(memory.words[memory.worker(0) + WORKER.at.doorbell]).toBe(1);
    }),
  );
});

test('a reason names code and info only when there are any', () => {
  expect(reason(verdict(L4OK), -1)).toBe(', reason: Layer4 check passed');
  expect(reason(verdict(L7STS, 'a<\xc3\xa9', 500), 3)).toBe(
    ', reason: Layer7 wrong status, code: 500, info: "a<3C><C3><A9>", check duration: 3ms',
  );
});
