/** Several threads on one table: nothing is lost, nothing is there twice, and what a dead thread held is given back. */
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import type { Model } from '../../engine/config/model.ts';
import type { StickTable } from '../../engine/config/stick-model.ts';
import { LIVE, REFS } from '../../engine/stick/layout.ts';
import type { Table } from '../../engine/stick/table.ts';
import { reclaimTables } from '../../engine/stick/tables.ts';
import { keyInteger, readValue } from '../../engine/stick/values.ts';
import type { Share } from './stress-worker.ts';
import { attach, has, put, share, stored, tableSpec } from './world.ts';

const THREADS = 3;

function run(data: Omit<Share, 'row'>, row: number): Worker {
  return new Worker(new URL('./stress-worker.ts', import.meta.url), { workerData: { ...data, row } });
}

/** Every live entry is found by its key, once, is in the order once. Gives how many are still held. */
function expectWhole(table: Table): number {
  const seen = new Set<number>();
  let live = 0;
  let held = 0;
  for (let entry = 0; entry < table.end; entry++) {
    if (Atomics.load(table.words, table.at(entry) + REFS) < LIVE) continue;
    live++;
    held += Atomics.load(table.words, table.at(entry) + REFS) - LIVE;
    const value = keyInteger(table, entry);
    expect(seen.has(value)).toBe(false);
    seen.add(value);
    expect(has(table, value)).toBe(true);
  }
  expect(live).toBe(table.used);
  const places = Array.from({ length: table.end }, (_, position) => table.order.place(position));
  expect(new Set(places).size).toBe(table.end);
  for (let i = 0; i < table.used; i++) {
    expect(Atomics.load(table.words, table.at(places[i]!) + REFS)).toBeGreaterThanOrEqual(LIVE);
  }
  return held;
}

const DATA: StickTable['data'] = [stored('gpc0'), stored('conn_cur')];

test('every count of every thread arrives', { timeout: 60_000 }, async () => {
  const keys = 500;
  const shared = share(tableSpec({ size: 600, data: DATA }), THREADS + 1);
  const counted = new SharedArrayBuffer(keys * 4);
  const data = { shared, operations: 200_000, keys, counted, endless: false };
  await Promise.all(Array.from({ length: THREADS }, (_, row) => once(run(data, row), 'exit')));
  const table = attach(shared, THREADS);
  expect(expectWhole(table)).toBe(0);
  const reference = new Int32Array(counted);
  for (let entry = 0; entry < table.end; entry++) {
    const at = keyInteger(table, entry);
    expect(readValue(table, entry, table.field(2)!, 0, 1)).toBe(reference[at]);
    expect(readValue(table, entry, table.field(6)!, 0, 1)).toBe(0);
  }
  expect(table.used).toBe(reference.filter(n => n > 0).length);
});

test('many more keys than places: the table stays whole', { timeout: 60_000 }, async () => {
  const keys = 5_000;
  const shared = share(tableSpec({ size: 97, expireMs: 500, data: DATA, peers: 0 }), THREADS + 1);
  const data = { shared, operations: 200_000, keys, counted: new SharedArrayBuffer(keys * 4), endless: false };
  await Promise.all(Array.from({ length: THREADS }, (_, row) => once(run(data, row), 'exit')));
  const table = attach(shared, THREADS);
  expect(expectWhole(table)).toBe(0);
  expect(table.used).toBe(97);
});

test('threads that are killed at any point leave a table that works', { timeout: 60_000 }, async () => {
  const keys = 300;
  const spec = tableSpec({ size: 60, data: DATA });
  const shared = share(spec, THREADS + 1);
  const reference = new SharedArrayBuffer(keys * 4);
  const data = { shared, operations: 0, keys, counted: reference, endless: true };
  const model = { base: 0, tables: [spec] } as unknown as Model;
  const memory = { base: 0, tables: [shared.table], holds: shared.holds };
  let deaths = 0;
  for (let round = 0; round < 6; round++) {
    const workers = Array.from({ length: 2 }, (_, row) => run(data, row));
    await Promise.all(workers.map(worker => once(worker, 'online')));
    await new Promise(resolve => setTimeout(resolve, 60 + 13 * round));
    for (const [row, worker] of workers.entries()) {
      await worker.terminate();
      deaths++;
      reclaimTables(model, memory, row);
    }
  }
  const table = attach(shared, THREADS);
  let counted = 0;
  for (let entry = 0; entry < table.end; entry++) counted += readValue(table, entry, table.field(6)!, 0, 1);
  // What holds.ts allows: a thread that was ended between a reference and its hold has left one behind.
  const left = expectWhole(table) + counted;
  expect(left).toBeLessThanOrEqual(deaths);
  expect(left).toBeGreaterThanOrEqual(0);
  const room = 60 - left;
  for (let value = 0; value < room; value++) expect(put(table, 10_000 + value, 2_000)).toBeGreaterThanOrEqual(0);
  for (let value = 0; value < room; value++) expect(has(table, 10_000 + value, 2_000)).toBe(true);
  expect(expectWhole(table)).toBeLessThanOrEqual(left);
});
