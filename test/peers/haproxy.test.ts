/** A session of two HAProxy 2.6, recorded: B starts, learns from A, then both tell each other what changes. */
import { describe, expect, test } from 'vitest';
import { Writer } from '../../engine/peers/bytes.ts';
import { readDefinition, writeDefinition } from '../../engine/peers/definition.ts';
import { SentTexts } from '../../engine/peers/dictionary.ts';
import { HelloReader, hello, readStatus } from '../../engine/peers/handshake.ts';
import { CLASS, CONTROL, TABLE } from '../../engine/peers/messages.ts';
import { type Entry, newEntry } from '../../engine/peers/shared-table.ts';
import { readKey, writeExpire, writeKey, writeValues } from '../../engine/peers/update.ts';
import { KEY_TYPES } from '../../engine/stick/data-types.ts';
import session from './haproxy-session.json' with { type: 'json' };
import { definitions, listen, messagesOf, readerOf, type Said, tablesOf } from './messages.ts';

/** All that one of the two said. */
function said(who: 'A' | 'B', lines: number) {
  return messagesOf(Buffer.from(session.said.map(([from, hex]) => (from === who ? hex : '')).join(''), 'hex'), lines);
}

const A = said('A', 1);
const B = said('B', 3);
const EVERYTHING = [...A.messages, ...B.messages];

describe('the handshake', () => {
  test('is what we would say', () => {
    const [, , last] = B.lines;
    expect(hello('A', 'B', Number(last!.split(' ')[1])).toString()).toBe(`${B.lines.join('\n')}\n`);
  });

  test('is understood', () => {
    const reader = new HelloReader('A');
    expect(B.lines.map(line => reader.read(line))).toEqual([200, 200, 200]);
    expect([reader.name, reader.done, reader.minor]).toEqual(['B', true, 1]);
    expect(readStatus(A.lines[0]!)).toBe(200);
  });
});

describe('messages', () => {
  test('of control', () => {
    const types = (messages: readonly Said[]) => messages.filter(m => m.class === CLASS.control).map(m => m.type);
    const { resyncRequest, resyncPartial, resyncConfirm, heartbeat } = CONTROL;
    expect(types(A.messages)).toEqual([resyncRequest, resyncPartial, resyncConfirm, heartbeat]);
    expect(new Set(types(B.messages))).toEqual(new Set(types(A.messages)));
  });

  test('definitions are read, and written to the byte', () => {
    expect(definitions(EVERYTHING).length).toBeGreaterThan(15);
    for (const { payload } of definitions(EVERYTHING)) {
      const definition = readDefinition(readerOf(payload))!;
      const table = tablesOf(EVERYTHING).find(({ name }) => name === definition.name)!;
      const out = new Writer();
      writeDefinition(out, definition.id, Object.assign(table, { expireMs: definition.expireMs }));
      expect(Buffer.from(out.bytes.subarray(0, out.length))).toEqual(payload);
    }
  });

  test.each([
    ['A', A],
    ['B', B],
  ])('the updates of %s are written to the byte', (_, { messages }) => {
    const texts = new SentTexts();
    let count = 0;
    listen(messages, (table, entry, { type, payload }) => {
      const timed = type === TABLE.timed || type === TABLE.incrementalTimed;
      const incremental = type === TABLE.incremental || type === TABLE.incrementalTimed;
      const original = readerOf(payload);
      const out = new Writer();
      if (!incremental) out.uint32(original.uint32());
      if (timed) writeExpire(out, original.uint32());
      writeKey(out, table.keyType, entry.key);
      writeValues(out, table.columns, entry, texts);
      expect(Buffer.from(out.bytes.subarray(0, out.length))).toEqual(payload);
      count++;
    });
    expect(count).toBeGreaterThan(5);
  });
});

describe('what B knows in the end', () => {
  /** `show table` of B: key and all that does not change with time. */
  const shown = Object.fromEntries(
    Object.entries(session.tables).map(([name, lines]) => [
      name.replace('p/', '/'),
      lines.map(line => Object.fromEntries(line.split(' ').map(cell => cell.split('=') as [string, string]))),
    ]),
  );
  /** Of the same entry the later one counts. */
  const learned = new Map<string, Entry>();
  for (const { messages } of [A, B]) {
    listen(messages, (table, { key, values }) => {
      learned.set(`${table.name} ${Buffer.from(key).toString('hex')}`, { ...newEntry(), values: [...values] });
    });
  }

  test('was said by A or by itself', () => {
    const table = (name: string) => [...learned].filter(([key]) => key.startsWith(`${name} `));
    for (const name of ['t2', 't3', 't4', 't6', '/tt'])
      expect([name, table(name).length]).toEqual([name, shown[name]!.length]);
    const hex = (text: string) => Buffer.from(text).toString('hex');
    const of = (name: string, key: string) => learned.get(`${name} ${key}`)!.values;
    // gpt(2), gpc(3), gpc_rate(2,10s): ages change, counts do not.
    const [gpt0, gpt1, gpc0, gpc1, gpc2, , , , , current, previous] = of('t2', hex('hello'));
    expect([gpt0, gpt1, gpc0, gpc1, gpc2, current, previous]).toEqual([0, 0, 0, 2, 0, 2, 0]);
    expect(of('t3', '0000002b')).toEqual([300]);
    expect(of('t4', '20010db8000000000000000000000001')).toEqual([5]);
    expect(of('t6', hex('hello2'))).toEqual([2, 'srv2']);
    expect(of('t6', hex('fromb'))).toEqual([1, 'srv1']);
    expect(of('/tt', '7f000001')).toEqual([5]);
    expect(of('t1', '0a000009')).toContain(123456789012);
  });
});

test('keys longer than the table has them are refused', () => {
  const [{ payload }] = definitions(A.messages) as [Said];
  const definition = { ...readDefinition(readerOf(payload))!, keyType: KEY_TYPES.string.number, keyBytes: 5 };
  expect(readKey(readerOf(Buffer.from('\x04abcd')), definition)).toHaveLength(4);
  expect(readKey(readerOf(Buffer.from('\x05abcde')), definition)).toBe(null);
});
