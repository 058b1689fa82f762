import { expect, test } from 'vitest';
import type { Model } from '../../engine/config/model.ts';
import { CUM_SESS, CUR_CONNS, CUR_IDLE, CUR_PAUSED, CUR_QUEUED, CUR_SESS } from '../../engine/shm/counters.ts';
import { Memory, type RowKind, shapeOf, topology } from '../../engine/shm/memory.ts';
import { reclaim } from '../../engine/shm/reclaim.ts';
import { LISTENER, PROCESS, PROXY, SERVER, WORKER } from '../../engine/shm/words.ts';
import { load } from '../config/load-text.ts';
import fc from '../properties.ts';

const WORKERS = 3;

/** What is held, and in which shared words it shows. */
function holdings(memory: Memory, config: Model): [kind: RowKind, index: number, field: number, words: number[]][] {
  const { firstListener, firstServer } = topology(config);
  const all: [RowKind, number, number, number[]][] = [
    ['process', 0, CUR_SESS, [memory.process + PROCESS.at.conns]],
    ['process', 0, CUR_PAUSED, [memory.process + PROCESS.at.waiting]],
  ];
  for (const { index, kind } of config.proxies) {
    const at = memory.proxy(index);
    if (kind !== 'backend') all.push(['frontend', index, CUR_SESS, [at + PROXY.at.fe_conns]]);
    if (kind !== 'frontend') {
      all.push(['backend', index, CUR_SESS, [at + PROXY.at.be_sess]]);
      all.push(['backend', index, CUR_QUEUED, [at + PROXY.at.be_queued, at + PROXY.at.be_total_queued]]);
    }
    for (let l = firstListener[index]!; l < firstListener[index + 1]!; l++) {
      all.push(['listener', l, CUR_SESS, [memory.listener(l) + LISTENER.at.conns]]);
    }
    for (let s = firstServer[index]!; s < firstServer[index + 1]!; s++) {
      all.push(['server', s, CUR_SESS, [memory.server(s) + SERVER.at.served, at + PROXY.at.be_served]]);
      all.push(['server', s, CUR_CONNS, [memory.server(s) + SERVER.at.conns]]);
      all.push(['server', s, CUR_QUEUED, [memory.server(s) + SERVER.at.queued, at + PROXY.at.be_total_queued]]);
    }
  }
  return all;
}

const CONFIG = load(`
defaults
  mode http
  timeout client 1s
  timeout server 1s
  timeout connect 1s
frontend fe
  bind 127.0.0.1:8001
  bind 127.0.0.1:8002
  default_backend be
listen both
  bind 127.0.0.1:8003
  server a 127.0.0.1:9
backend be
  server b 127.0.0.1:9
  server c 127.0.0.1:9
`).model!;

test('whatever a dead worker held is given back, and nothing of the others', () => {
  const count = holdings(Memory.create(shapeOf(CONFIG, WORKERS)), CONFIG).length;
  const held = fc.array(fc.array(fc.nat(1000), { minLength: count, maxLength: count }), {
    minLength: WORKERS,
    maxLength: WORKERS,
  });
  fc.assert(
    fc.property(held, fc.nat(WORKERS - 1), (amounts, dead) => {
      const memory = Memory.create(shapeOf(CONFIG, WORKERS));
      const expected = new Int32Array(memory.words.length);
      holdings(memory, CONFIG).forEach(([kind, index, field, words], i) => {
        for (let w = 0; w < WORKERS; w++) {
          const amount = amounts[w]![i]!;
          memory.counters[memory.row(w, kind, index) + field] = amount;
          for (const at of words) {
            memory.words[at]! += amount;
            if (w !== dead) expected[at]! += amount;
          }
        }
      });
      reclaim(memory, CONFIG, dead);
      holdings(memory, CONFIG).forEach(([kind, index, field, words], i) => {
        for (const at of words) expect(memory.words[at]).toBe(expected[at]);
        for (let w = 0; w < WORKERS; w++) {
          expect(memory.counters[memory.row(w, kind, index) + field]).toBe(w === dead ? 0 : amounts[w]![i]);
        }
      });
    }),
    { numRuns: 50 },
  );
});

test('totals stay, every gauge goes', () => {
  const memory = Memory.create(shapeOf(CONFIG, 1));
  const row = memory.row(0, 'server', 2);
  memory.counters[row + CUM_SESS] = 7;
  memory.counters[row + CUR_IDLE] = 3;
  Atomics.store(memory.words, memory.worker(0) + WORKER.at.streams, 5);
  reclaim(memory, CONFIG, 0);
  expect(memory.counters[row + CUM_SESS]).toBe(7);
  expect(memory.counters[row + CUR_IDLE]).toBe(0);
  expect(Atomics.load(memory.words, memory.worker(0) + WORKER.at.streams)).toBe(0);
});
