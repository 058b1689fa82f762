/** What earlier generations counted: never lost, never counted twice. */

import { describe, expect, test } from 'vitest';
import { match } from '../../engine/config/match.ts';
import type { Model } from '../../engine/config/model.ts';
import { BYTES_IN, CUM_REQ, REQ_RATE, T_TIME_MAX } from '../../engine/shm/counters.ts';
import { Memory, shapeOf, topology } from '../../engine/shm/memory.ts';
import { attachPast, fold, forget, identity } from '../../engine/shm/past.ts';
import { rateAdd, rateRead } from '../../engine/shm/rate.ts';
import type { Generation } from '../../workers/generation.ts';
import { History } from '../../workers/history.ts';
import fc from '../properties.ts';
import { parseModel } from '../proxy/rig.ts';

const modelOf = (...servers: string[]): Model =>
  parseModel(`backend a
  server only 192.0.2.9:1
backend b
${servers.map(name => `  server ${name} 192.0.2.1:80\n`).join('')}`);

/** As much of a generation as History needs. */
function generation(model: Model, workers: number): Generation {
  const memory = Memory.create(shapeOf(model, workers));
  return {
    model,
    memory,
    setPast: (past: Parameters<typeof attachPast>[0]) => (memory.past = attachPast(past)),
  } as unknown as Generation;
}

const numberOf = (model: Model, name: string): number =>
  topology(model).firstServer[1]! + model.proxies[1]!.servers.findIndex(server => server.name === name);

describe('counts over generations', () => {
  test('any order of reloads, ends and clears: sums are exact', () => {
    const steps = fc.array(
      fc.oneof(
        fc.record({
          do: fc.constant('count' as const),
          which: fc.nat(3),
          worker: fc.nat(1),
          n: fc.integer({ min: 1, max: 9 }),
        }),
        fc.record({ do: fc.constant('reload' as const), servers: fc.shuffledSubarray(['x', 'y', 'z']) }),
        fc.record({ do: fc.constant('end' as const), which: fc.nat(3) }),
        fc.record({ do: fc.constant('clear' as const) }),
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(steps, list => {
        const history = new History();
        let current = generation(modelOf('x', 'keep'), 2);
        let live = [current];
        let total = 0;
        let process = 0;
        for (const step of list) {
          if (step.do === 'count') {
            const { memory, model } = live[step.which % live.length]!;
            memory.counters[memory.row(step.worker, 'server', numberOf(model, 'keep')) + CUM_REQ]! += step.n;
            memory.counters[memory.row(step.worker, 'process', 0) + BYTES_IN]! += step.n;
            total += step.n;
            process += step.n;
          } else if (step.do === 'reload') {
            const heir = generation(modelOf(...step.servers, 'keep'), 2);
            history.succeed(heir, current, match(heir.model, current.model));
            current = heir;
            live = [...live, heir];
          } else if (step.do === 'end') {
            const over = live[step.which % live.length]!;
            if (over === current) continue;
            live = live.filter(one => one !== over);
            history.ended(current, over);
          } else {
            history.forget(current, true, null);
            const { memory, model } = current;
            for (const worker of [0, 1])
              memory.counters[memory.row(worker, 'server', numberOf(model, 'keep')) + CUM_REQ] = 0;
            total = 0;
          }
          expect(current.memory.sum('server', numberOf(current.model, 'keep'), CUM_REQ)).toBe(total);
          expect(current.memory.sum('process', 0, BYTES_IN)).toBe(process);
        }
      }),
    );
  });

  test('rates and times of ended generations fold into one row', () => {
    const model = modelOf('x');
    const [old, now] = [Memory.create(shapeOf(model, 2)), Memory.create(shapeOf(model, 1))];
    const number = numberOf(model, 'x');
    const rows = old.rows('server', number, REQ_RATE);
    for (const worker of [0, 1]) {
      for (const at of [10_100, 10_900, 11_200]) rateAdd(old.counters, rows, rows[worker]!, at, 5);
      old.counters[old.row(worker, 'server', number) + T_TIME_MAX] = 7 + worker;
      old.histograms.record(old.histograms.at(worker, old.timedRow('server', number)), 3, 12.5, 11_200);
    }
    const folded = fold(now, attachPast([{ buffer: old.buffer, matches: identity(old) }]));
    const foldedRows = folded.rows('server', number, REQ_RATE);
    expect(rateRead(folded.counters, foldedRows, 11_500)).toBe(rateRead(old.counters, rows, 11_500));
    expect(folded.max('server', number, T_TIME_MAX)).toBe(8);
    for (const span of ['all', 'window'] as const) {
      const times = folded.histograms.merged();
      folded.histograms.read(folded.timedRow('server', number), 3, span, 11_500, times);
      expect(times.total).toBe(2);
      expect(times.max).toBe(12_500);
    }
    forget(folded, [], true, null);
    const times = folded.histograms.merged();
    folded.histograms.read(folded.timedRow('server', number), 3, 'all', 11_500, times);
    expect(times.total).toBe(0);
  });
});
