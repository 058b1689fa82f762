import { describe, expect, test } from 'vitest';
import { ByteMeter } from '../../engine/proxy/byte-meter.ts';
import fc from '../properties.ts';

/** Bytes that pass until `untilMs` when there are always more, as the timer wheel would let them: whole milliseconds. */
function saturate(limit: number, periodMs: number, minBytes: number, untilMs: number): { at: number; bytes: number }[] {
  const meter = new ByteMeter(minBytes, 0);
  meter.set(limit, periodMs);
  const passed: { at: number; bytes: number }[] = [];
  for (let now = 0; now <= untilMs; now = Math.max(Math.ceil(meter.when(1e9, now)), now + 1)) {
    const bytes = meter.take(1e9, now);
    if (bytes > 0) passed.push({ at: now, bytes });
  }
  return passed;
}

const sum = (list: readonly { bytes: number }[]) => list.reduce((total, { bytes }) => total + bytes, 0);

describe('a stream that always has more', () => {
  const limits = fc.record({
    limit: fc.integer({ min: 1_000, max: 1e8 }),
    period: fc.integer({ min: 50, max: 5_000 }),
  });

  test('gets the limit at once, and after any number of periods that many times the limit, but for a trifle', () => {
    fc.assert(
      fc.property(limits, fc.integer({ min: 1, max: 20 }), ({ limit, period }, periods) => {
        const passed = saturate(limit, period, 0, periods * period);
        expect(passed[0]).toEqual({ at: 0, bytes: limit });
        // Of each period at most the last millisecond is lost.
        expect(sum(passed)).toBeLessThanOrEqual(periods * limit);
        expect(sum(passed)).toBeGreaterThanOrEqual(periods * limit * (1 - 1.2 / period) - periods);
      }),
    );
  });

  test('gets no more than the limit, and a step, in any time as long as a period', () => {
    fc.assert(
      fc.property(limits, ({ limit, period }) => {
        const passed = saturate(limit, period, 0, 6 * period);
        for (const { at } of passed) {
          const window = passed.filter(other => other.at >= at && other.at < at + period);
          expect(sum(window)).toBeLessThanOrEqual(limit * (1 + 11 / period) + 2);
        }
      }),
      { numRuns: 30 },
    );
  });

  test('min-size: never less at a time', () => {
    const passed = saturate(100_000, 1_000, 2_896, 3_000);
    for (const { bytes } of passed) expect(bytes).toBeGreaterThanOrEqual(2_896);
    expect(sum(passed)).toBeGreaterThan(3 * 100_000 - 2 * 2_896);
    expect(sum(passed)).toBeLessThanOrEqual(3 * 100_000);
  });

  test('min-size above the limit counts as the limit', () => {
    const passed = saturate(1_000, 100, 5_000, 1_000);
    expect(sum(passed)).toBeGreaterThanOrEqual(5_000);
  });
});

test('what comes slower than the limit passes at once', () => {
  const meter = new ByteMeter(0, 0);
  meter.set(1_000, 1_000);
  for (let now = 0; now < 10_000; now += 100) expect(meter.take(90, now)).toBe(90);
});

test('after a rest there is a whole limit again', () => {
  const meter = new ByteMeter(0, 0);
  meter.set(1_000, 1_000);
  expect(meter.take(5_000, 0)).toBe(1_000);
  expect(meter.take(5_000, 500)).toBe(0);
  expect(meter.take(5_000, 1_500)).toBe(500);
  expect(meter.take(5_000, 9_000)).toBe(1_000);
});

test('another limit counts what has passed', () => {
  const meter = new ByteMeter(0, 0);
  meter.set(1_000, 1_000);
  expect(meter.take(600, 0)).toBe(600);
  meter.set(700, 1_000);
  expect(meter.take(600, 1)).toBe(100);
});
