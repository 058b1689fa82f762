/** A session of two HAProxy 2.6, recorded: B starts, learns from A, then both tell each other what changes. */
import { describe, expect, test } from 'vitest';
import { Writer } from '../../engine/peers/bytes.ts';
import { readDefinition, writeDefinition } from '../../engine/peers/definition.ts';
import { SentTexts } from '../../engine/peers/dictionary.ts';
import { type Decisions, Exchange } from '../../engine/peers/exchange.ts';
import { HelloReader, hello, readStatus } from '../../engine/peers/handshake.ts';
import { CLASS, CONTROL, TABLE } from '../../engine/peers/messages.ts';
import { Share } from '../../engine/peers/share.ts';
import { type Entry, newEntry } from '../../engine/peers/shared-table.ts';
import { readKey, writeExpire, writeKey, writeValues } from '../../engine/peers/update.ts';
import { KEY_TYPES, type KeyType } from '../../engine/stick/data-types.ts';
import { FakeTable } from './fake-table.ts';
import session from './haproxy-session.json' with { type: 'json' };
import { messagesOf, readerOf, type Said } from './messages.ts';

/** All that one of the two said. */
function said(who: 'A' | 'B', lines: number) {
  return messagesOf(Buffer.from(session.said.map(([from, hex]) => (from === who ? hex : '')).join(''), 'hex'), lines);
}

const A = said('A', 1);
const B = said('B', 3);
const EVERYTHING = [...A.messages, ...B.messages];

function definitions(messages: readonly Said[]) {
  return messages.filter(m => m.class === CLASS.table && m.type === TABLE.definition);
}

/** Tables as a peer defines them. */
function tablesOf(messages: readonly Said[]): FakeTable[] {
  const tables = new Map<string, FakeTable>();
  for (const { payload } of definitions(messages)) {
    const { name, keyType, keyBytes, columns } = readDefinition(readerOf(payload))!;
    const [key] = Object.entries(KEY_TYPES).find(([, { number }]) => number === keyType)!;
    const table = new FakeTable(name, columns, key as KeyType);
    tables.set(name, Object.assign(table, { keyBytes }));
  }
  return [...tables.values()];
}

/** Hears what was said, entry by entry. */
function listen(
  messages: readonly Said[],
  entries: (table: FakeTable, entry: Entry, message: Said) => void = () => {},
) {
  const tables = tablesOf(messages);
  let now: Said | null = null;
  for (const table of tables) {
    const { learn } = table;
    table.learn = (entry, columns) => {
      entries(table, entry, now!);
      learn.call(table, entry, columns);
    };
  }
  const heard: string[] = [];
  const decisions: Decisions = {
    wants: () => true,
    upToDate: () => true,
    taught: complete => heard.push(complete ? 'finished' : 'partial'),
    confirmed: () => heard.push('confirmed'),
  };
  const shares = tables.map((table, i) => new Share(table, i + 1));
  // What is acknowledged here, the recorded peer has sent.
  for (const share of shares) share.pushed = 1e6;
  const exchange = new Exchange(shares, true, decisions);
  for (const message of messages) {
    now = message;
    expect(exchange.hear(message, readerOf(message.payload))).toBe(null);
  }
  return { tables, heard };
}

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
