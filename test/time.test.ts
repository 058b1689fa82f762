import { describe, expect, test } from 'vitest';
import { Timer, TimerWheel } from '../engine/time.ts';
import fc from './properties.ts';

const START = 1_000_000.25;
const TIMERS = 6;

/** Delays around every boundary of the wheel's levels, and beyond its end. */
const delay = fc.oneof(
  fc.integer({ min: -5, max: 600 }),
  fc.double({ min: 0, max: 20_000, noNaN: true }),
  fc.constantFrom(254, 255, 256, 257, 16_383, 16_384, 16_385, 1_048_575, 1_048_576, 67_108_864, 2 ** 33),
  fc.integer({ min: 0, max: 2_000_000 }),
);

const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ op: fc.constant('arm' as const), timer: fc.nat(TIMERS - 1), ms: delay }) },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('disarm' as const), timer: fc.nat(TIMERS - 1), ms: fc.constant(0) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('forget' as const), timer: fc.nat(TIMERS - 1), ms: fc.constant(0) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      op: fc.constant('advance' as const),
      timer: fc.constant(0),
      ms: fc.oneof(fc.integer({ min: 0, max: 400 }), fc.double({ min: 0, max: 30_000, noNaN: true })),
    }),
  },
  /** Arms `timer` from within the next timer that fires. */
  { weight: 1, arbitrary: fc.record({ op: fc.constant('armInFire' as const), timer: fc.nat(TIMERS - 1), ms: delay }) },
);

describe('the timer wheel against a list of deadlines', () => {
  test('fires the same timers in the same advance, never early, never late, never twice', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), steps => {
        let now = START;
        const wheel = new TimerWheel(now);
        const model = new Array<number>(TIMERS).fill(Infinity);
        const inFire: { timer: number; ms: number }[] = [];
        const fired: number[] = [];
        const timers = model.map(
          (_, i) =>
            new Timer(i, owner => {
              fired.push(owner);
              expect(model[owner]).toBeLessThanOrEqual(now);
              model[owner] = Infinity;
              const next = inFire.pop();
              if (next === undefined) return;
              // A deadline that has passed already may fire in this advance or in the next one.
              const at = now + Math.max(next.ms, 1);
              model[next.timer] = at;
              wheel.arm(timers[next.timer]!, at);
            }),
        );
        for (const { op, timer, ms } of steps) {
          if (op === 'arm') {
            model[timer] = Math.max(now + ms, Math.floor(now) + 1);
            wheel.arm(timers[timer]!, now + ms);
          } else if (op === 'disarm' || op === 'forget') {
            model[timer] = Infinity;
            wheel[op](timers[timer]!);
          } else if (op === 'armInFire') {
            inFire.push({ timer, ms });
          } else {
            now += ms;
            fired.length = 0;
            const due = wheel.advance(now);
            for (const deadline of model) expect(Math.ceil(deadline)).toBeGreaterThan(Math.floor(now));
            // Looking again at `due` is early enough for all that is armed.
            for (const deadline of model) expect(due).toBeLessThanOrEqual(Math.ceil(deadline));
            expect(due).toBeGreaterThan(Math.floor(now));
          }
          for (let i = 0; i < TIMERS; i++) expect(timers[i]!.armed).toBe(model[i] !== Infinity);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('driven by the moments it asks for, it fires within a millisecond of each deadline', () => {
    fc.assert(
      fc.property(fc.array(delay, { minLength: 1, maxLength: 20 }), delays => {
        let now = START;
        const wheel = new TimerWheel(now);
        const late: number[] = [];
        const deadlines = delays.map(ms => START + Math.min(ms, 200_000));
        for (const deadline of deadlines) wheel.arm(new Timer(deadline, d => late.push(now - d)), deadline);
        let due = wheel.advance(now);
        while (due !== Infinity) {
          expect(due).toBeGreaterThan(now);
          now = due;
          due = wheel.advance(now);
        }
        expect(late).toHaveLength(delays.length);
        for (const ms of late) {
          expect(ms).toBeGreaterThanOrEqual(0);
          // A deadline up to 5 ms in the past fires one tick from the start.
          expect(ms).toBeLessThanOrEqual(6);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('the timer wheel', () => {
  const setup = () => {
    const fired: string[] = [];
    const wheel = new TimerWheel(0);
    return { fired, wheel, timer: (name: string) => new Timer(name, n => fired.push(n)) };
  };

  test('empty: nothing to do, however far time jumps', () => {
    const { wheel } = setup();
    expect(wheel.advance(5)).toBe(Infinity);
    expect(wheel.advance(1e12)).toBe(Infinity);
  });

  test('moved later by every read, it fires once, at the last deadline', () => {
    const { wheel, fired, timer } = setup();
    const t = timer('t');
    for (let now = 0; now < 1_000; now += 10) {
      wheel.advance(now);
      wheel.arm(t, now + 300);
    }
    wheel.advance(1_289);
    expect(fired).toEqual([]);
    wheel.advance(1_290);
    expect(fired).toEqual(['t']);
    wheel.advance(5_000);
    expect(fired).toEqual(['t']);
  });

  test('moved earlier', () => {
    const { wheel, fired, timer } = setup();
    const t = timer('t');
    wheel.arm(t, 1e7);
    wheel.arm(t, 20);
    expect(wheel.advance(0)).toBeLessThanOrEqual(20);
    wheel.advance(20);
    expect(fired).toEqual(['t']);
  });

  test('beyond the last level it waits its full time', () => {
    const { wheel, fired, timer } = setup();
    const days = 24 * 3_600_000;
    wheel.arm(timer('t'), 3 * days);
    wheel.advance(3 * days - 1);
    expect(fired).toEqual([]);
    wheel.advance(3 * days);
    expect(fired).toEqual(['t']);
  });

  test('a timer that arms itself again in its own call', () => {
    const wheel = new TimerWheel(0);
    const times: number[] = [];
    let now = 0;
    const t: Timer<number> = new Timer(0, () => {
      times.push(now);
      if (times.length < 5) wheel.arm(t, now + 10);
    });
    wheel.arm(t, 10);
    for (now = 0; now < 100; now++) wheel.advance(now);
    expect(times).toEqual([10, 20, 30, 40, 50]);
  });

  test('a timer that forgets another one due at the same moment', () => {
    const wheel = new TimerWheel(0);
    let calls = 0;
    const pair: Timer<number>[] = [0, 1].map(
      i =>
        new Timer(i, owner => {
          calls++;
          wheel.forget(pair[1 - owner]!);
        }),
    );
    for (const t of pair) wheel.arm(t, 5);
    wheel.advance(10);
    expect(calls).toBe(1);
  });
});
