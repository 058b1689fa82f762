/** Tables for tests: a table of integers or texts, and one thread's view of it. */
import type { StickTable } from '../../engine/config/stick-model.ts';
import { Sample } from '../../engine/sample/sample.ts';
import { Holds } from '../../engine/stick/holds.ts';
import { setKey } from '../../engine/stick/key.ts';
import { createTable, Table } from '../../engine/stick/table.ts';

export function tableSpec(more: Partial<StickTable> = {}): StickTable {
  return {
    ...{ file: '', line: 0, index: 0, name: 't', peerName: 't', key: 'integer', keyBytes: 4, size: 4, expireMs: 0 },
    ...{ noPurge: false, recvOnly: false, writeTo: -1, serverKey: 'name', bytesRateFactor: 1, peers: -1, data: [] },
    ...more,
  };
}

export function stored(type: string, periodMs = 0, count = 1): StickTable['data'][number] {
  return { type, count, periodMs };
}

export interface Shared {
  readonly spec: StickTable;
  readonly table: SharedArrayBuffer;
  readonly holds: SharedArrayBuffer;
}

export function share(spec: StickTable, threads = 2, holds = 1_000): Shared {
  return { spec, table: createTable(spec, 12_345), holds: Holds.create(threads + 1, holds).buffer };
}

export function attach({ spec, table, holds }: Shared, row = 0): Table {
  return new Table(spec, table, row, Holds.attach(holds).row(row));
}

export function makeTable(more: Partial<StickTable> = {}): Table {
  return attach(share(tableSpec(more)));
}

const sample = new Sample();

export function key(table: Table, value: number | string): void {
  if (typeof value === 'number') sample.setInt(value);
  else {
    const bytes = Buffer.from(value);
    sample.setStr(bytes, 0, bytes.length);
  }
  if (!setKey(table.spec, sample)) throw new Error(`no key: ${value}`);
}

/** Adds a key, or finds it, and does not hold it. */
export function put(table: Table, value: number | string, now: number): number {
  key(table, value);
  const entry = table.findOrAdd(now);
  if (entry >= 0) {
    table.refresh(entry, now);
    table.release(entry);
  }
  return entry;
}

export function has(table: Table, value: number | string, now = 0): boolean {
  key(table, value);
  const entry = table.find(now);
  if (entry >= 0) table.release(entry);
  return entry >= 0;
}
