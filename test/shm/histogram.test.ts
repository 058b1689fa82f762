import * as hdr from 'hdr-histogram-js';
import { describe, expect, test } from 'vitest';
import { HISTOGRAM_BYTES_FINE, TIMER_US_MAX } from '../../engine/limits.ts';
import { highestOf, histogramBytes, indexOf, TIMERS } from '../../engine/shm/histogram.ts';
import { Memory } from '../../engine/shm/memory.ts';
import fc from '../properties.ts';

const PERCENTS = [50, 90, 95, 99, 99.9];
const NOW = 5_000_000;
const MINUTE = 60_000;

/** The library's histogram of the same range. */
function model(digits: 1 | 2): hdr.Histogram {
  return hdr.build({
    ...{ bitBucketSize: 'packed', lowestDiscernibleValue: 1, highestTrackableValue: TIMER_US_MAX },
    ...{ numberOfSignificantValueDigits: digits, autoResize: false, useWebAssembly: false },
  });
}

const fine = () =>
  Memory.create({ workers: 3, proxies: 2, listeners: 1, servers: 4, rings: 0, nameservers: 0, ports: 0 });
const coarse = () =>
  Memory.create({ workers: 3, proxies: 2, listeners: 1, servers: 2000, rings: 0, nameservers: 0, ports: 0 });
const microseconds = fc.double({ min: 0, max: Math.log2(TIMER_US_MAX), noNaN: true }).map(log => Math.floor(2 ** log));

function read(memory: Memory, timer: number, span: 'all' | 'window', now = NOW, server = 1) {
  const merged = memory.histograms.merged();
  memory.histograms.read(memory.timedRow('server', server), timer, span, now, merged);
  return merged;
}

function place(memory: Memory, worker: number, server = 1): number {
  return memory.histograms.at(worker, memory.timedRow('server', server));
}

describe.each([
  ['two digits', fine, 2, 7],
  ['one digit', coarse, 1, 4],
] as const)('%s', (_, create, digits, bits) => {
  test('values go where the library puts them', () => {
    const library = model(digits) as unknown as { highestEquivalentValue(value: number): number };
    fc.assert(
      fc.property(microseconds, us => {
        expect(highestOf(indexOf(us, bits), bits)).toBe(library.highestEquivalentValue(us));
        expect(highestOf(indexOf(us, bits), bits) - us).toBeLessThanOrEqual(us / 2 ** bits);
      }),
    );
    expect(indexOf(0, bits)).toBe(0);
    expect(highestOf(indexOf(1, bits), bits)).toBe(1);
  });

  test('what all workers recorded has the percentiles that the library finds, never above the maximum', () => {
    const memory = create();
    const merged = memory.histograms.merged();
    fc.assert(
      fc.property(fc.array(microseconds, { minLength: 1, maxLength: 300 }), values => {
        const library = model(digits);
        for (let w = 0; w < 3; w++) memory.histograms.clear(place(memory, w), true);
        values.forEach((us, i) => {
          library.recordValue(us);
          memory.histograms.record(place(memory, i % 3), 2, us / 1000, NOW);
        });
        for (const span of ['all', 'window'] as const) {
          memory.histograms.read(memory.timedRow('server', 1), 2, span, NOW, merged);
          const out = new Float64Array(PERCENTS.length);
          merged.percentiles(PERCENTS, out, 0);
          const max = Math.max(...values);
          expect([...out]).toEqual(PERCENTS.map(p => Math.min(library.getValueAtPercentile(p), max)));
          expect(merged.total).toBe(values.length);
          expect(merged.max).toBe(max);
          if (span === 'all') expect(merged.sum).toBe(values.reduce((a, b) => a + b, 0));
        }
      }),
      { numRuns: 50 },
    );
  });
});

test('timers, rows and workers are apart', () => {
  const memory = fine();
  TIMERS.forEach((_, timer) => {
    for (let server = 0; server < 4; server++) {
      for (let w = 0; w < 3; w++) memory.histograms.record(place(memory, w, server), timer, server + timer / 10, NOW);
    }
  });
  TIMERS.forEach((_, timer) => {
    for (let server = 0; server < 4; server++) {
      const merged = read(memory, timer, 'all', NOW, server);
      expect([merged.total, merged.max]).toEqual([3, Math.round((server + timer / 10) * 1000)]);
    }
  });
  expect(memory.counters.some(n => n !== 0)).toBe(false);
});

test('the window holds this minute and the one before, and forgets', () => {
  const memory = fine();
  const at = place(memory, 0);
  for (let minute = 0; minute < 4; minute++) memory.histograms.record(at, 0, minute + 1, NOW + minute * MINUTE);
  const window = (minute: number) => {
    const { total, max } = read(memory, 0, 'window', NOW + minute * MINUTE);
    return [total, max];
  };
  expect(window(3)).toEqual([2, 4000]);
  expect(window(4)).toEqual([1, 4000]);
  expect(window(5)).toEqual([0, 0]);
  const { total, max, sum } = read(memory, 0, 'all', NOW + 5 * MINUTE);
  expect([total, max, sum]).toEqual([4, 4000, 10_000]);
});

test('cleared: the window only, or everything', () => {
  const memory = fine();
  const at = place(memory, 1);
  memory.histograms.record(at, 3, 7, NOW);
  memory.histograms.clear(at, false);
  expect([read(memory, 3, 'window').total, read(memory, 3, 'all').total]).toEqual([0, 1]);
  memory.histograms.record(at, 3, 2, NOW);
  expect(read(memory, 3, 'window').max).toBe(2000);
  memory.histograms.clear(at, true);
  for (const span of ['window', 'all'] as const) {
    const merged = read(memory, 3, span);
    expect([merged.total, merged.max, merged.sum, merged.counts.some(n => n !== 0)]).toEqual([0, 0, 0, false]);
  }
});

test('what is too long, or runs backwards, is counted at the end of the range', () => {
  const memory = fine();
  memory.histograms.record(place(memory, 0), 0, 1e12, NOW);
  memory.histograms.record(place(memory, 0), 0, -5, NOW);
  const merged = read(memory, 0, 'all');
  expect([merged.total, merged.max, merged.counts[0]]).toEqual([2, TIMER_US_MAX, 1]);
});

test('the address space of a row is bounded, and small where there are many', () => {
  expect(histogramBytes(1)).toBeLessThan(208 * 1024);
  // Places for backends to come cost no precision, as long as they are not too many.
  expect(histogramBytes(600, 590) / 600).toBeGreaterThan(200 * 1024);
  expect(histogramBytes(20_000, 19_990) / 20_000).toBeLessThan(30 * 1024);
  expect(histogramBytes(20_000) / 20_000).toBeLessThan(30 * 1024);
  for (let rows = 1; rows < 2000; rows += 50) {
    const bytes = histogramBytes(rows);
    expect(bytes <= HISTOGRAM_BYTES_FINE || bytes / rows < 30 * 1024).toBe(true);
  }
});
