/** What HAProxys say, changed at random places: nothing is thrown, no entry is harmed that was not named. */

import { expect, test } from 'vitest';
import type { Conn } from '../../engine/io/contract.ts';
import { createSim } from '../../engine/io/sim.ts';
import { randomFrom } from '../../engine/io/sim-events.ts';
import { readDefinition } from '../../engine/peers/definition.ts';
import { CLASS, TABLE } from '../../engine/peers/messages.ts';
import { Section } from '../../engine/peers/section.ts';
import { newEntry } from '../../engine/peers/shared-table.ts';
import { PeerTable } from '../../engine/peers/stick-table.ts';
import { KEY_TYPES, type KeyType } from '../../engine/stick/data-types.ts';
import { TimerWheel } from '../../engine/time.ts';
import fc from '../properties.ts';
import { makeTable } from '../stick/world.ts';
import session from './haproxy-session.json' with { type: 'json' };
import { messagesOf, readerOf } from './messages.ts';
import { addressOf, call } from './town.ts';

/** All that B said: its hello, definitions, updates, acknowledgements. */
const SAID = Buffer.from(session.said.map(([from, hex]) => (from === 'B' ? hex : '')).join(''), 'hex');
const HELLO_BYTES = SAID.indexOf('1\n', SAID.lastIndexOf('B ')) + 2;

/** The tables that B shares, empty, on our side. */
function tables(now: () => number) {
  const definitions = messagesOf(SAID, 3)
    .messages.filter(m => m.class === CLASS.table && m.type === TABLE.definition)
    .map(({ payload }) => readDefinition(readerOf(payload))!);
  const names = new Map(definitions.map(definition => [definition.name, definition]));
  return [...names.values()].map(({ name, keyType, keyBytes, expireMs, columns }) => {
    const [key] = Object.entries(KEY_TYPES).find(([, { number }]) => number === keyType)! as [KeyType, unknown];
    const data = columns.map(({ type, count, periodMs }) => ({ type: type.name, count, periodMs }));
    const bytes = key === 'string' ? keyBytes - 1 : keyBytes;
    const spec = { name, peerName: name, key, keyBytes: bytes, expireMs, data, peers: 0, size: 100 };
    return new PeerTable(makeTable(spec), null, now);
  });
}

/** Hears `bytes` from B, `chunk` at a time. */
function hear(bytes: Buffer, chunk: number) {
  const sim = createSim(chunk);
  const io = sim.host();
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const log: string[] = [];
  const peers = ['A', 'B'].map((name, i) => ({ name, address: addressOf(i), shard: 0, call }));
  const shared = tables(() => io.now());
  const section = new Section(
    {
      ...{ io, wheel, pid: 1, updatesAtOnce: 200, now: () => io.now(), random: randomFrom(chunk) },
      log: (_level, _section, text) => void log.push(text),
    },
    { index: 0, name: 'p', localName: 'A', shards: 0, succeeds: false, tables: shared, peers },
  );
  section.listen(sim.bind(addressOf(0)), 4);
  const none = () => {};
  const handler = { onData: none, onEnd: (conn: Conn) => conn.close(), onDrain: none, onClose: none };
  sim.host().connect(
    addressOf(0),
    { source: null, tfo: false },
    {
      ...handler,
      onOpen: conn => {
        for (let at = 0; at < bytes.length; at += chunk) conn.send(bytes, at, Math.min(at + chunk, bytes.length));
      },
    },
  );
  sim.run(500);
  return { log, tables: shared };
}

function entries(all: readonly PeerTable[]): number {
  const entry = newEntry();
  let count = 0;
  for (const table of all) {
    for (let slot = 0; slot < table.end; slot++) if (table.read(slot, entry)) count++;
  }
  return count;
}

test('as they said it, in pieces of any size', () => {
  for (const chunk of [1, 2, 3, 7, 100, 10_000]) {
    const heard = hear(SAID, chunk);
    // It acknowledges what we have not sent: that is where a careful listener stops.
    expect(heard.log).toEqual([
      'Peers section p: connection with peer B ended, next in 5s: acknowledgement of an update that was never sent.',
    ]);
  }
});

test('with bytes changed, left out and added', () => {
  const slip = fc.tuple(
    fc.integer({ min: HELLO_BYTES, max: SAID.length - 1 }),
    fc.nat({ max: 255 }),
    fc.nat({ max: 3 }),
  );
  fc.assert(
    fc.property(fc.array(slip, { minLength: 1, maxLength: 6 }), fc.integer({ min: 1, max: 999 }), (slips, chunk) => {
      let bytes = withoutAcks();
      for (const [at, byte, kind] of slips) {
        if (kind < 2) bytes[at % bytes.length] = byte;
        else if (kind === 2) bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1)]);
        else bytes = Buffer.concat([bytes.subarray(0, at), Buffer.from([byte, byte]), bytes.subarray(at)]);
      }
      const heard = hear(bytes, chunk);
      expect(heard.log.length).toBeLessThanOrEqual(1);
      expect(entries(heard.tables)).toBeLessThanOrEqual(10);
    }),
    { numRuns: 300 },
  );
});

/** The same without the acknowledgements, which only make sense to A. */
function withoutAcks(): Buffer<ArrayBuffer> {
  const parts: Buffer[] = [SAID.subarray(0, HELLO_BYTES)];
  for (const { class: kind, type, payload } of messagesOf(SAID, 3).messages) {
    if (kind !== CLASS.table) parts.push(Buffer.from([kind, type]));
    else if (type !== TABLE.ack) parts.push(Buffer.from([kind, type, payload.length]), payload);
  }
  return Buffer.concat(parts);
}

test('unchanged, but for acknowledgements, all of it is learned', () => {
  const heard = hear(withoutAcks(), 50);
  expect(heard.log).toEqual([]);
  // t1: two clients, t2 and t6: one each, p/tt: one.
  expect(entries(heard.tables)).toBe(5);
});
