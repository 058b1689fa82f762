/** Real stick tables of two processes, and what peers do with them. */

import { describe, expect, test } from 'vitest';
import type { StickTable } from '../../engine/config/stick-model.ts';
import { newEntry } from '../../engine/peers/shared-table.ts';
import { PeerTable } from '../../engine/peers/stick-table.ts';
import { dataType } from '../../engine/stick/data-types.ts';
import type { Table } from '../../engine/stick/table.ts';
import { addValue, nameNumber, readValue, setValue } from '../../engine/stick/values.ts';
import fc from '../properties.ts';
import { attach, has, key, makeTable, share, stored, tableSpec } from '../stick/world.ts';

const ALL = [
  ...[stored('server_id'), stored('conn_cur'), stored('conn_rate', 1000), stored('bytes_in_cnt'), stored('server_key')],
  ...[stored('gpt', 0, 2), stored('gpc', 0, 3), stored('gpc_rate', 2000, 2)],
];

interface Side {
  readonly table: Table;
  readonly peer: PeerTable;
  now: number;
}

function side(more: Partial<StickTable> = {}, writeTo: Table | null = null): Side {
  const table = makeTable({ peers: 0, size: 16, expireMs: 10_000, data: ALL, ...more });
  const made: Side = { table, peer: new PeerTable(table, writeTo, () => made.now), now: 1000 };
  return made;
}

const field = (table: Table, type: string) => table.field(dataType(type)!.number)!;

/** Changes an entry here. */
function change({ table, now }: Side, name: number | string, type: string, value: number, element = 0): number {
  key(table, name);
  const entry = table.findOrAdd(now);
  addValue(table, entry, field(table, type), element, now, value);
  table.changed(entry, now);
  table.release(entry);
  return entry;
}

function value({ table, now }: Side, name: number | string, type: string, element = 0): number | null {
  key(table, name);
  const entry = table.find(now);
  if (entry < 0) return null;
  table.release(entry);
  return readValue(table, entry, field(table, type), element, now);
}

/** Everything that changed in `from` is learned by `to`; gives how many entries. */
function tell(from: Side, to: Side): number {
  const slots: number[] = [];
  from.peer.drain(slot => slots.push(slot));
  const entry = newEntry();
  for (const slot of slots) if (from.peer.read(slot, entry)) to.peer.learn(entry, from.peer.columns);
  return slots.length;
}

test('values of all kinds arrive', () => {
  const [a, b] = [side(), side()];
  const entry = change(a, 258, 'gpc', 7, 2);
  change(a, 258, 'bytes_in_cnt', 2 ** 32 - 1);
  change(a, 258, 'bytes_in_cnt', 5);
  change(a, 258, 'conn_rate', 4);
  change(a, 258, 'gpc_rate', 9, 1);
  change(a, 258, 'gpt', 0xffff_ffff, 1);
  setValue(a.table, entry, field(a.table, 'server_key'), 0, a.now, nameNumber(a.table, 'srv1'));
  setValue(a.table, entry, field(a.table, 'server_id'), 0, a.now, 3);
  expect(tell(a, b)).toBe(1);
  const both = (type: string, element = 0) => [value(a, 258, type, element), value(b, 258, type, element)];
  expect(both('gpc', 2)).toEqual([7, 7]);
  expect(both('bytes_in_cnt')).toEqual([2 ** 32 + 4, 2 ** 32 + 4]);
  expect(both('conn_rate')).toEqual([4, 4]);
  expect(both('gpc_rate', 1)).toEqual([9, 9]);
  expect(both('gpt', 1)).toEqual([0xffff_ffff, 0xffff_ffff]);
  expect(both('server_id')).toEqual([3, 3]);
  expect(nameNumber(b.table, 'srv1')).toBe(value(b, 258, 'server_key'));
  // The same changes are told once; what was learned is not told back.
  expect([tell(a, b), tell(b, a)]).toEqual([0, 0]);
});

test('rates go on where they were', () => {
  const [a, b] = [side(), side()];
  change(a, 1, 'conn_rate', 100);
  a.now += 1500;
  change(a, 1, 'conn_rate', 10);
  b.now = 777_000;
  tell(a, b);
  for (let i = 0; i < 30; i++) {
    a.now += 100;
    b.now += 100;
    expect(value(b, 1, 'conn_rate')).toBe(value(a, 1, 'conn_rate'));
  }
});

test('the number of connections is everybody’s own, but for tables that only receive', () => {
  const [a, b, c] = [side(), side(), side({ recvOnly: true })];
  change(a, 1, 'conn_cur', 5);
  change(b, 1, 'conn_cur', 2);
  const entry = newEntry();
  a.peer.drain(slot => a.peer.read(slot, entry));
  b.peer.learn(entry, a.peer.columns);
  c.peer.learn(entry, a.peer.columns);
  expect([value(b, 1, 'conn_cur'), value(c, 1, 'conn_cur')]).toEqual([2, 5]);
});

test('tables that store other things take what both know', () => {
  const a = side();
  const b = side({ data: [stored('conn_rate', 5000), stored('gpc', 0, 2), stored('http_req_cnt')] });
  change(a, 1, 'gpc', 1, 0);
  change(a, 1, 'gpc', 2, 1);
  change(a, 1, 'gpc', 3, 2);
  change(a, 1, 'conn_rate', 9);
  tell(a, b);
  // A rate per 5 s is none per 1 s.
  expect([value(b, 1, 'gpc', 0), value(b, 1, 'gpc', 1), value(b, 1, 'conn_rate')]).toEqual([1, 2, 0]);
});

test('write-to: what no arithmetic is done with goes to the other table, too', () => {
  const target = side({ expireMs: 2000 });
  const [a, b] = [side(), side({}, target.table)];
  change(a, 1, 'gpt', 6, 1);
  change(a, 1, 'gpc', 7, 1);
  change(a, 1, 'server_id', 2);
  tell(a, b);
  expect([value(target, 1, 'gpt', 1), value(target, 1, 'gpc', 1), value(target, 1, 'server_id')]).toEqual([6, 0, 2]);
  target.now += 2001;
  expect([value(target, 1, 'gpt', 1), value(b, 1, 'gpt', 1)]).toEqual([null, 6]);
});

describe('times to live', () => {
  test('are what the peer says, at most the table’s', () => {
    const [a, b] = [side(), side({ expireMs: 5000 })];
    change(a, 1, 'gpc', 1);
    const entry = newEntry();
    a.now += 7000;
    a.peer.drain(slot => a.peer.read(slot, entry));
    expect(entry.expireMs).toBe(3000);
    b.peer.learn(entry, a.peer.columns);
    expect([has(b.table, 1, b.now + 2900), has(b.table, 1, b.now + 3100)]).toEqual([true, false]);
    b.peer.learn({ ...entry, expireMs: 60_000 }, a.peer.columns);
    expect([has(b.table, 1, b.now + 4900), has(b.table, 1, b.now + 5100)]).toEqual([true, false]);
  });

  test('are endless where the table has none; what has expired is not told', () => {
    const [a, b] = [side({ expireMs: 0 }), side()];
    const entry = newEntry();
    expect(a.peer.read(change(a, 1, 'gpc', 1), entry)).toBe(true);
    expect(entry.expireMs).toBe(Infinity);
    const slot = change(b, 1, 'gpc', 1);
    b.now += 10_001;
    expect(b.peer.read(slot, entry)).toBe(false);
  });
});

test.each([
  ['integer', 4, 4, [-5, 258, 0]],
  ['string', 20, 21, ['', 'x', 'a name of many letters']],
] as const)('keys of type %s', (type, keyBytes, wireBytes, keys) => {
  const [a, b] = [side({ key: type, keyBytes }), side({ key: type, keyBytes })];
  expect([a.peer.keyType, a.peer.keyBytes]).toEqual([type, wireBytes]);
  for (const name of keys) change(a, name, 'gpc', 1);
  expect(tell(a, b)).toBe(keys.length);
  for (const name of keys) expect(value(b, name, 'gpc')).toBe(1);
});

test('an integer travels with its highest byte first', () => {
  const a = side();
  const entry = newEntry();
  a.peer.read(change(a, 0x0102_0304, 'gpc', 1), entry);
  expect([...entry.key]).toEqual([1, 2, 3, 4]);
});

test('a full table that keeps what it has learns nothing, and is unharmed', () => {
  const [a, b] = [side(), side({ size: 2, noPurge: true })];
  for (let i = 0; i < 5; i++) change(a, i, 'gpc', i);
  tell(a, b);
  expect([0, 1, 2, 3, 4].map(i => value(b, i, 'gpc'))).toEqual([0, 1, null, null, null]);
});

test('many changes of several threads: the last ones are told', () => {
  const shared = share(tableSpec({ peers: 0, size: 64, expireMs: 10_000, data: [stored('gpc', 0, 1)] }), 3);
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 40 })), { maxLength: 300 }), changes => {
      const threads = [0, 1, 2].map(row => attach(shared, row));
      const a: Side = { table: threads[0]!, peer: new PeerTable(threads[0]!, null, () => 1000), now: 1000 };
      const b = side({ size: 64, data: [stored('gpc', 0, 1)] });
      for (const [thread, name] of changes) {
        change({ ...a, table: threads[thread]! }, name, 'gpc', 1);
        if (name % 7 === 0) tell(a, b);
      }
      tell(a, b);
      for (const [, name] of changes) expect(value(b, name, 'gpc')).toBe(value(a, name, 'gpc'));
    }),
    { numRuns: 30 },
  );
});
