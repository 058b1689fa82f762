import { expect, test } from 'vitest';
import type { Observe } from '../../engine/config/server-model.ts';
import { startHealth } from '../../engine/health/index.ts';
import { type EventName, judgeObserved, observed, statusEvent } from '../../engine/health/observe.ts';
import { OPER_RUNNING, OPER_STOPPED, SERVER } from '../../engine/shm/words.ts';
import { FakeIo } from './fake-io.ts';
import { modelOf, worldOf } from './fixture.ts';

function watched(observe: Partial<Observe> = {}) {
  const how: Observe = { layer: 7, onError: 'fail-check', errorLimit: 3, ...observe };
  const w = worldOf(modelOf([{ observe: how, port: 1, inter: 60_000, fastinter: 500 }]));
  const t = w.targets[0]!;
  const see = (event: EventName, times = 1): void => {
    for (let i = 0; i < times; i++) observed(w.env.memory, w.env.memory.server(t.number), t.server, event);
  };
  return { w, t, how, see };
}

test('errors count in a row, and only those of the layer', () => {
  const { w, see } = watched();
  see('badStatus', 2);
  see('response');
  expect(w.word(0, 'errors')).toBe(0);
  see('timeout', 2);
  see('connected');
  expect(w.word(0, 'errors')).toBe(2);
  const four = watched({ layer: 4 });
  four.see('badStatus', 5);
  expect(four.w.word(0, 'errors')).toBe(0);
  four.see('notConnected', 2);
  four.see('connected');
  expect(four.w.word(0, 'errors')).toBe(0);
  expect([200, 404, 499, 500, 501, 503, 505].map(statusEvent)).toEqual([
    ...['response', 'response', 'response', 'badStatus', 'response', 'badStatus', 'response'],
  ]);
});

test('what too many errors do is up to on-error', () => {
  for (const [onError, health, oper] of [
    ['fastinter', 4, OPER_RUNNING],
    ['fail-check', 3, OPER_RUNNING],
    ['sudden-death', 2, OPER_RUNNING],
    ['mark-down', 0, OPER_STOPPED],
  ] as const) {
    const { w, t, how, see } = watched({ onError });
    Atomics.store(w.env.memory.words, w.env.memory.server(t.number) + SERVER.at.check_health, 4);
    see('badStatus', 2);
    expect(judgeObserved(w.env, t, how)).toBe(false);
    see('timeout');
    expect(judgeObserved(w.env, t, how)).toBe(true);
    expect([w.word(0, 'check_health'), w.word(0, 'oper')], onError).toEqual([health, oper]);
    expect([w.word(0, 'errors'), w.word(0, 'observed_fails')]).toEqual([0, 1]);
    if (onError !== 'fastinter') {
      expect([w.status(0), w.text(0)]).toEqual([
        'HANA',
        'Detected 3 consecutive errors, last one was: Read timeout (http)',
      ]);
    }
    if (oper === OPER_STOPPED) {
      expect(w.lines[0]).toBe(
        '<1>Server b/s1 is DOWN, reason: Health analyze, info: "Detected 3 consecutive errors, last one was: Read timeout (http)". 0 active and 0 backup servers left. 0 sessions active, 0 requeued, 0 remaining in queue.',
      );
    }
  }
});

test('rows of errors are dealt with one by one, whatever comes before the control thread looks', () => {
  const { w, t, how, see } = watched();
  Atomics.store(w.env.memory.words, w.env.memory.server(t.number) + SERVER.at.check_health, 4);
  see('badStatus', 7);
  expect(w.word(0, 'errors')).toBe(1);
  see('response');
  expect(judgeObserved(w.env, t, how)).toBe(true);
  expect([w.word(0, 'check_health'), w.word(0, 'observed_fails'), w.word(0, 'check_fails')]).toEqual([2, 2, 2]);
  expect(w.text(0)).toBe('Detected 3 consecutive errors, last one was: Wrong http response');
  expect(judgeObserved(w.env, t, how)).toBe(false);
});

test('the control thread is rung, and the next check comes soon', async () => {
  const { w, see } = watched();
  const io = new FakeIo(w);
  io.scripts.set(1, {});
  const health = startHealth({ ...w.env, io, wheel: io.wheel, random: () => 0.5 });
  io.run(100);
  see('badStatus', 3);
  await expect.poll(() => w.word(0, 'observed_fails')).toBe(1);
  const before = io.conns.length;
  io.run(600);
  expect(io.conns.length).toBe(before + 1);
  health.stop();
});
