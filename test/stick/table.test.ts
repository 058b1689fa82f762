import { expect, test } from 'vitest';
import { ChangeReader, lastChange } from '../../engine/stick/changes.ts';
import { FEW_HOLDS, Holds } from '../../engine/stick/holds.ts';
import { HEADER, LIVE, REFS } from '../../engine/stick/layout.ts';
import { learn } from '../../engine/stick/remote.ts';
import { createTable, Table, tableBytes } from '../../engine/stick/table.ts';
import { addValue, keyBytes, nameNumber, nameText, readValue, setValue } from '../../engine/stick/values.ts';
import fc from '../properties.ts';
import { attach, has, key, makeTable, put, share, stored, tableSpec } from './world.ts';

test('finds what was added, and nothing else', () => {
  const table = makeTable({ size: 1000 });
  for (let i = 0; i < 1000; i++) expect(put(table, i * 7, 0)).toBeGreaterThanOrEqual(0);
  for (let i = 0; i < 7000; i++) expect(has(table, i)).toBe(i % 7 === 0);
  expect(table.used).toBe(1000);
});

test('texts and blocks are cut to their length and filled with zeros', () => {
  const text = makeTable({ key: 'string', keyBytes: 5, size: 10 });
  put(text, 'abcdefg', 0);
  expect(has(text, 'abcde')).toBe(true);
  expect(has(text, 'abcd')).toBe(false);
  put(text, '', 0);
  expect(has(text, '')).toBe(true);
  key(text, 'abcde');
  expect(Buffer.from(keyBytes(text, text.find(0))).toString()).toBe('abcde');
  const block = makeTable({ key: 'binary', keyBytes: 5, size: 10 });
  put(block, 'abc', 0);
  expect(has(block, 'abc\0\0')).toBe(true);
  expect(has(block, 'abcde')).toBe(false);
});

test('a full table gives up what expires first', () => {
  const table = makeTable({ size: 3, expireMs: 1000 });
  for (const [i, value] of [10, 20, 30].entries()) put(table, value, i);
  put(table, 10, 5);
  put(table, 40, 6);
  expect([10, 20, 30, 40].map(value => has(table, value, 6))).toEqual([true, false, true, true]);
  put(table, 50, 7);
  expect([10, 30, 40, 50].map(value => has(table, value, 7))).toEqual([true, false, true, true]);
});

test('a full table that purges nothing takes nothing new until something has expired', () => {
  const table = makeTable({ size: 2, expireMs: 100, noPurge: true });
  put(table, 1, 0);
  put(table, 2, 50);
  expect(put(table, 3, 60)).toBe(-1);
  expect(put(table, 3, 100)).toBeGreaterThanOrEqual(0);
  expect(has(table, 1, 100)).toBe(false);
});

test('what is held stays', () => {
  const table = makeTable({ size: 2, expireMs: 100 });
  key(table, 1);
  const held = table.findOrAdd(0);
  const hold = table.hold;
  put(Object.assign(table), 2, 1);
  // `put` used the same hold: the entry's references are still there.
  expect(Atomics.load(table.words, table.at(held) + REFS)).toBe(LIVE + 1);
  put(table, 3, 500);
  expect(has(table, 1, 500)).toBe(true);
  expect(has(table, 2, 500)).toBe(false);
  table.release(held, hold);
  put(table, 4, 601);
  put(table, 5, 602);
  expect(has(table, 1, 602)).toBe(false);
});

test('an expired entry that is used again begins anew', () => {
  const table = makeTable({ size: 2, expireMs: 100, data: [stored('gpc0')] });
  const gpc0 = table.field(2)!;
  const entry = put(table, 1, 0);
  addValue(table, entry, gpc0, 0, 0, 5);
  expect(readValue(table, entry, gpc0, 0, 0)).toBe(5);
  const again = put(table, 1, 100);
  expect(readValue(table, again, gpc0, 0, 100)).toBe(0);
  expect(table.used).toBe(1);
});

test('entries are removed one by one, unless somebody holds them', () => {
  const table = makeTable({ size: 4 });
  for (const value of [1, 2, 3, 4]) put(table, value, value);
  key(table, 2);
  const entry = table.find(0);
  expect(table.take(entry, table.hold + 2)).toBe(true);
  expect(table.remove(entry)).toBe(false);
  table.release(entry, table.hold + 2);
  expect(table.remove(entry)).toBe(true);
  expect(has(table, 2)).toBe(false);
  expect(table.used).toBe(3);
  put(table, 5, 9);
  expect([1, 3, 4, 5].every(value => has(table, value))).toBe(true);
  put(table, 6, 10);
  expect(has(table, 1)).toBe(false);
});

test('behaves as a list ordered by expire', () => {
  const step = fc.record({ value: fc.nat(12), later: fc.nat(40) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step, { maxLength: 60 }), (size, steps) => {
      const table = makeTable({ size, expireMs: 100 });
      const model = new Map<number, number>();
      let now = 2 ** 31 - 500;
      for (const { value, later } of steps) {
        now += later + 1;
        for (const [k, expire] of model) if (expire <= now) model.delete(k);
        if (!model.has(value) && model.size === size) {
          const oldest = [...model].reduce((a, b) => (b[1] < a[1] ? b : a))[0];
          model.delete(oldest);
        }
        model.set(value, now + 100);
        expect(put(table, value, now)).toBeGreaterThanOrEqual(0);
        for (let k = 0; k <= 12; k++) expect(has(table, k, now)).toBe(model.has(k));
      }
    }),
  );
});

test('values of all kinds', () => {
  const table = makeTable({
    size: 4,
    data: [
      stored('server_id'),
      stored('bytes_in_cnt'),
      stored('server_key'),
      stored('gpc', 0, 3),
      stored('conn_rate', 1000),
    ],
  });
  const entry = put(table, 1, 0);
  const [id, bytes, name, gpc, rate] = table.layout.fields;
  addValue(table, entry, bytes!, 0, 0, 2 ** 32 - 1);
  addValue(table, entry, bytes!, 0, 0, 3);
  expect(readValue(table, entry, bytes!, 0, 0)).toBe(2 ** 32 + 2);
  setValue(table, entry, id!, 0, 0, -5);
  expect(readValue(table, entry, id!, 0, 0)).toBe(-5);
  setValue(table, entry, name!, 0, 0, nameNumber(table, 's1'));
  expect(nameText(table, readValue(table, entry, name!, 0, 0))).toBe('s1');
  expect(nameNumber(table, 's1')).toBe(nameNumber(table, 's1'));
  expect(addValue(table, entry, gpc!, 2, 0, 1)).toBe(1);
  expect([0, 1, 2].map(i => readValue(table, entry, gpc!, i, 0))).toEqual([0, 0, 1]);
  for (let i = 0; i < 10; i++) addValue(table, entry, rate!, 0, 100 + i, 1);
  expect(readValue(table, entry, rate!, 0, 500)).toBe(10);
});

test('memory is exactly what was said, and belongs to one kind of table', () => {
  const spec = tableSpec({ size: 100_000, key: 'ip', data: [stored('http_req_rate', 10_000)] });
  expect(createTable(spec, 1).byteLength).toBe(tableBytes(spec));
  expect(tableBytes(spec) / spec.size).toBeLessThan(64);
  const shared = share(spec);
  const other = tableSpec({ size: 99, key: 'ip' });
  const row = Holds.attach(shared.holds).row(0);
  expect(() => new Table(other, shared.table, 0, row)).toThrow("this memory is not that of table 't'");
});

test('the structure is made anew after its writer has died', () => {
  const shared = share(tableSpec({ size: 8, expireMs: 1000 }));
  const table = attach(shared, 0);
  for (const value of [1, 2, 3, 4]) put(table, value, value);
  // A writer that died in the midst of an eviction: dead, still in index and order.
  const { words } = table;
  key(table, 2);
  const dead = table.find(5);
  table.release(dead);
  Atomics.store(words, HEADER.at.writer, 1);
  Atomics.store(words, table.at(dead) + REFS, 0);
  const master = attach(shared, 1);
  expect(put(master, 9, 6)).toBe(-1);
  master.recover(5);
  expect(Atomics.load(words, HEADER.at.writer)).toBe(1);
  master.recover(0);
  expect(master.used).toBe(3);
  for (const value of [10, 11, 12, 13, 14]) put(master, value, 10);
  expect(master.used).toBe(8);
  expect([1, 2, 3, 4, 14].map(value => has(master, value, 10))).toEqual([true, false, true, true, true]);
  put(master, 15, 11);
  expect(has(master, 1, 11)).toBe(false);
});

test('a hold row gives holds until there are no more', () => {
  const row = Holds.create(2, 1).row(1);
  const taken = Array.from({ length: FEW_HOLDS + 1 }, () => row.take());
  expect(new Set(taken).size).toBe(FEW_HOLDS + 1);
  expect(row.take()).toBe(-1);
  row.give(taken[3]!);
  expect(row.take()).toBe(taken[3]);
});

test('what a peer teaches is no change of our own, and lives as long as it says', () => {
  const table = makeTable({ size: 4, key: 'string', keyBytes: 10, expireMs: 1_000, peers: 0, data: [stored('gpc0')] });
  const entry = learn(table, Buffer.from('a key'), 100, 300);
  setValue(table, entry, table.field(2)!, 0, 100, 7);
  table.release(entry);
  expect(lastChange(table)).toBe(0);
  expect(has(table, 'a key', 399)).toBe(true);
  expect(has(table, 'a key', 400)).toBe(false);
  expect(learn(table, Buffer.from('a key'), 500, 99_999)).toBe(entry);
  expect(table.expiresIn(entry, 500)).toBe(1_000);
  expect(readValue(table, entry, table.field(2)!, 0, 500)).toBe(0);
  table.release(entry);
});

test('peers are told what changed, once', () => {
  const table = makeTable({ size: 100, peers: 0 });
  const reader = new ChangeReader(table, 0);
  const read = (max = 100): number[] => {
    const seen: number[] = [];
    reader.read(0, max, entry => seen.push(entry));
    return seen;
  };
  const [a, b] = [put(table, 1, 0), put(table, 2, 0)];
  for (let i = 0; i < 10; i++) table.changed(a, 0);
  table.changed(b, 0);
  expect(read(1)).toEqual([a]);
  table.changed(a, 0);
  expect(read()).toEqual([b, a]);
  expect(read()).toEqual([]);
  expect(reader.at).toBe(lastChange(table));
  for (let i = 0; i < 1000; i++) {
    table.changed(put(table, i % 50, 0), 0);
    if (i % 3 === 0) read(1);
  }
  const late = new ChangeReader(table, 0);
  expect(late.behind).toBeGreaterThan(table.layout.changesMax);
  const all: number[] = [];
  late.read(0, 1, entry => all.push(entry));
  expect(new Set(all).size).toBe(50);
});
