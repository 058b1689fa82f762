/** What was said on a connection of peers, message by message. */
import { expect } from 'vitest';
import { Reader } from '../../engine/peers/bytes.ts';
import { readDefinition } from '../../engine/peers/definition.ts';
import { type Decisions, Exchange } from '../../engine/peers/exchange.ts';
import { CLASS, type Message, nextMessage, TABLE } from '../../engine/peers/messages.ts';
import { Share } from '../../engine/peers/share.ts';
import type { Entry } from '../../engine/peers/shared-table.ts';
import { KEY_TYPES, type KeyType } from '../../engine/stick/data-types.ts';
import { FakeTable } from './fake-table.ts';

export interface Said extends Message {
  /** What follows the head. */
  readonly payload: Buffer;
}

/** Lines of the handshake, then messages. Throws when it does not end with a whole message. */
export function messagesOf(bytes: Buffer, lines: number): { lines: string[]; messages: Said[] } {
  const head: string[] = [];
  let at = 0;
  for (; head.length < lines; at = bytes.indexOf(10, at) + 1) {
    head.push(bytes.subarray(at, bytes.indexOf(10, at)).toString());
  }
  const messages: Said[] = [];
  while (at < bytes.length) {
    const message: Message = { class: 0, type: 0 };
    const body = new Reader();
    const taken = nextMessage(bytes, at, bytes.length, 16_384, message, body);
    if (taken <= 0) throw new Error(`no message at ${at} of ${bytes.length}`);
    messages.push({ ...message, payload: bytes.subarray(body.at, body.end) });
    at += taken;
  }
  return { lines: head, messages };
}

export function readerOf(bytes: Uint8Array): Reader {
  return new Reader().open(bytes, 0, bytes.length);
}

export function definitions(messages: readonly Said[]) {
  return messages.filter(m => m.class === CLASS.table && m.type === TABLE.definition);
}

/** Tables as a peer defines them. */
export function tablesOf(messages: readonly Said[]): FakeTable[] {
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
export function listen(
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
