/** Sections at work on a simulated network: cut and merged chunks, late events, broken connections. */

import { describe, expect, test } from 'vitest';
import type { Handler } from '../../engine/io/contract.ts';
import { createSim, type Sim, type SimOptions } from '../../engine/io/sim.ts';
import { shardOf } from '../../engine/peers/shards.ts';
import fc from '../properties.ts';
import { columnsOf, FakeTable } from './fake-table.ts';
import { addressOf, start, type Town } from './town.ts';

const ROUGH: SimOptions = { latencyMs: [0.1, 20], disorder: 0.5, windowBytes: [1, 300] };

function state({ section }: Town, name: string) {
  const peer = section.peers.find(other => other.name === name)!;
  return { up: peer.link?.exchange != null, ...peer.counters };
}

test('two tell each other what changes, over one connection', () => {
  const sim = createSim(1);
  const [a, b] = [start(sim, 'ab', 'a'), start(sim, 'ab', 'b')];
  sim.run(10_000);
  expect([a.section.learning.state, b.section.learning.state]).toEqual(['done', 'done']);
  a.set('x', 1);
  b.set('y', 2);
  sim.run(10);
  expect(a.table.all()).toEqual(['x=1,srv1', 'y=2,srv2']);
  expect(b.table.all()).toEqual(a.table.all());
  a.set('x', 3);
  sim.run(10);
  expect(b.table.get('x')).toEqual([3, 'srv3']);
  // What was learned is not sent back.
  expect(b.section.peers[0]!.shares[0]!.pushed).toBe(1);
  const before = state(a, 'b').connections;
  sim.run(60_000);
  expect(state(a, 'b')).toMatchObject({ up: true, connections: before, silences: 0, protocolErrors: 0 });
  expect(state(a, 'b').heartbeatsHeard).toBeGreaterThan(15);
  expect([...a.log, ...b.log]).toEqual([]);
  const share = a.section.peers[1]!.shares[0]!;
  expect([share.pushed, share.acked, share.pending.count]).toEqual([2, 2, 0]);
});

test('two that begin at the same moment are connected at once', () => {
  for (let seed = 0; seed < 20; seed++) {
    const sim = createSim(seed);
    const [a, b] = [start(sim, 'ab', 'a'), start(sim, 'ab', 'b')];
    sim.run(50);
    b.set('y', 2);
    sim.run(50);
    expect(a.table.get('y'), `seed ${seed}`).toBeDefined();
  }
});

test('all have the same in the end, whatever the network does', () => {
  const names = 'abc';
  const change = fc.tuple(fc.nat({ max: 2 }), fc.nat({ max: 9 }), fc.nat({ max: 999 }), fc.nat({ max: 3000 }));
  fc.assert(
    fc.property(fc.integer(), fc.array(change, { maxLength: 60 }), (seed, changes) => {
      const sim = createSim(seed, { ...ROUGH, resets: 0.01 });
      const towns = [...names].map(name => start(sim, names, name));
      // While they teach each other what they knew, an old value may come after a new one: as with HAProxy.
      for (let i = 0; i < 60 && towns.some(({ section }) => section.learning.state !== 'done'); i++) sim.run(1000);
      for (const [who, key, value, ms] of changes) {
        // Each has keys of its own: of two changes of one entry at a time, either may come last.
        towns[who]!.set(`${names[who]}${key}`, value);
        sim.run(ms);
      }
      converge(sim, towns);
    }),
    { numRuns: 60 },
  );
});

/** Gives them time; nobody may have anything left to say. */
function converge(sim: Sim, towns: readonly Town[]): void {
  const [first, ...others] = towns;
  const same = () => others.every(({ table }) => table.all().join() === first!.table.all().join());
  for (let i = 0; i < 60 && !same(); i++) sim.run(1000);
  for (const { table } of others) expect(table.all()).toEqual(first!.table.all());
}

test('a process that starts anew learns all from the others', () => {
  fc.assert(
    fc.property(fc.integer(), fc.integer({ min: 1, max: 200 }), (seed, entries) => {
      const sim = createSim(seed, ROUGH);
      const [a, b, c] = ['a', 'b', 'c'].map(name => start(sim, 'abc', name)) as [Town, Town, Town];
      sim.run(12_000);
      for (let i = 0; i < entries; i++) (i % 2 ? a : b).set(`k${i}`, i);
      converge(sim, [a, b, c]);
      b.section.stop();
      sim.run(100);
      const again = start(sim, 'abc', 'b');
      again.set('mine', 5);
      converge(sim, [a, again, c]);
      expect(again.table.all()).toHaveLength(entries + 1);
      expect(again.section.learning.state).toBe('done');
    }),
    { numRuns: 20 },
  );
});

test('a new process learns from the old one of its name before it speaks to others', () => {
  const sim = createSim(4);
  const old = start(sim, 'ab', 'a', { table: new FakeTable('t', columnsOf('gpc0', 'server_key'), 'string', 512) });
  for (let i = 0; i < 100; i++) old.set(`k${i}`, i);
  sim.run(12_000);
  // Both have the same listening socket for a moment; here the old one lets go of it first.
  const left = old.leave();
  const young = start(sim, 'ab', 'a', { succeeds: true });
  expect([young.section.learning.state, left()]).toEqual(['local', false]);
  sim.run(1000);
  expect(young.table.all()).toEqual(old.table.all());
  expect([young.section.learning.state, left()]).toEqual(['done', true]);
});

test('an old process that comes not is waited for five seconds', () => {
  const sim = createSim(5);
  const other = start(sim, 'ab', 'b');
  other.set('x', 1);
  const young = start(sim, 'ab', 'a', { succeeds: true });
  sim.run(4900);
  expect(young.section.learning.state).toBe('local');
  sim.run(1200);
  expect(young.section.learning.state).not.toBe('local');
  sim.run(9000);
  expect([young.section.learning.state, young.table.get('x')]).toEqual(['done', [1, 'srv1']]);
});

test('handing over when nobody is there', () => {
  const sim = createSim(6);
  const old = start(sim, 'ab', 'a', { deaf: true });
  sim.run(100);
  const left = old.leave();
  sim.run(200);
  expect(left()).toBe(true);
});

describe('shards', () => {
  test('each peer gets its part, those without a shard get all', () => {
    const sim = createSim(7);
    const options = { shards: 2, shard: [0, 1, 2, 0] };
    const [a, b, c, d] = [...'abcd'].map(name => start(sim, 'abcd', name, options)) as [Town, Town, Town, Town];
    sim.run(9000);
    for (let i = 0; i < 100; i++) a.set(`k${i}`, i);
    sim.run(3000);
    expect(d.table.all()).toEqual(a.table.all());
    expect([...b.table.all(), ...c.table.all()].sort()).toEqual(a.table.all());
    expect(b.table.all().length).toBeGreaterThan(30);
    expect(c.table.all().length).toBeGreaterThan(30);
    for (const line of b.table.all()) expect(shardOf(b.table, Buffer.from(line.split('=')[0]!), 2)).toBe(1);
  });
});

const MUTE: Handler = { onOpen() {}, onData() {}, onEnd() {}, onDrain() {}, onClose() {} };

describe('peers that are not what they should be', () => {
  /** What a stranger hears in answer to `hello`, and how it ended. */
  function greet(sim: Sim, hello: string | Uint8Array): { heard: string; closed: boolean } {
    const seen = { heard: '', closed: false };
    const bytes = Buffer.from(hello as string, 'latin1');
    sim.host().connect(
      addressOf(0),
      { source: null, tfo: false },
      {
        ...MUTE,
        onOpen: conn => conn.send(bytes, 0, bytes.length),
        onData: (_, chunk) => {
          seen.heard += Buffer.from(chunk.bytes.subarray(chunk.start, chunk.end)).toString('latin1');
        },
        onEnd: conn => conn.close(),
        onClose: () => {
          seen.closed = true;
        },
      },
    );
    return seen;
  }

  test.each([
    ['HAProxyS 2.1\na\nz 1 1\n', '504\n', 'it does not know us'],
    ['HAProxyS 2.1\nq\nb 1 1\n', '503\n', 'it is not the peer that we think it is'],
    ['HAProxyS 3.0\na\nb 1 1\n', '502\n', 'bad version'],
    ['HAProxyZ 2.1\na\nb 1 1\n', '501\n', 'protocol error'],
    ['HAProxyS 2.1\na\nb one 1\n', '501\n', 'protocol error'],
    ['GET / HTTP/1.1\r\n\r\n', '501\n', 'protocol error'],
    ['x'.repeat(600), '501\n', 'it says no hello'],
    ['HAProxyS 2.1\n', '', 'it says no hello'],
  ])('%j is answered %j', (hello, answer, why) => {
    const sim = createSim(8);
    const a = start(sim, 'ab', 'a');
    const seen = greet(sim, hello);
    sim.run(5200);
    expect(seen).toEqual({ heard: answer, closed: true });
    expect(a.log).toEqual([`Peers section p: connection refused: ${why}.`]);
  });

  test('a peer that says nothing any more is left, without blame', () => {
    const sim = createSim(3);
    const a = start(sim, 'ab', 'a');
    const seen = greet(sim, 'HAProxyS 2.1\na\nb 1 1\n');
    sim.run(4900);
    expect(state(a, 'b')).toMatchObject({ up: true, silences: 0, connections: 1 });
    sim.run(200);
    // What was sent: the question for all it knows, a heartbeat.
    expect(seen).toEqual({ heard: '200\n\0\0\0\x04', closed: true });
    expect(state(a, 'b')).toMatchObject({ up: false, silences: 1 });
    expect(a.log).toEqual([]);
  });

  test('strangers who say nothing are few at a time, and told of once a second', () => {
    const sim = createSim(9);
    const a = start(sim, 'ab', 'a');
    const many = Array.from({ length: 50 }, () => greet(sim, ''));
    sim.run(1000);
    expect(many.filter(({ closed }) => closed)).toHaveLength(50 - 32);
    sim.run(5000);
    expect(many.every(({ closed }) => closed)).toBe(true);
    expect(a.log).toHaveLength(1);
  });

  test('garbage after the handshake: an error, a line, and longer and longer pauses; the table is unharmed', () => {
    fc.assert(
      fc.property(fc.integer(), fc.uint8Array({ minLength: 1, maxLength: 400 }), (seed, garbage) => {
        const sim = createSim(seed, ROUGH);
        const a = start(sim, 'ab', 'a');
        a.set('x', 1);
        const hello = Buffer.from('HAProxyS 2.1\na\nb 1 1\n');
        const seen = greet(sim, Buffer.concat([hello, garbage]));
        sim.run(6000);
        // Garbage that comes after the end is answered by a reset, which may take the answer with it (RFC 9293 3.5.2).
        expect('200\n'.startsWith(seen.heard.slice(0, 4))).toBe(true);
        expect(seen.closed).toBe(true);
        expect(a.table.all()).toContain('x=1,srv1');
        expect(a.table.all().length).toBe(1);
        expect(a.log.length).toBeLessThanOrEqual(1);
      }),
      { numRuns: 200 },
    );
  });

  test('who breaks the protocol again and again waits twice as long each time', () => {
    const sim = createSim(10);
    const a = start(sim, 'ab', 'a');
    const pauses = [5, 10, 20, 40, 60, 60].map(seconds => {
      const seen = greet(sim, 'HAProxyS 2.1\na\nb 1 1\n\xff\x01');
      sim.run(500);
      expect([seen.closed, seen.heard.slice(0, 4), seen.heard.slice(-2)]).toEqual([true, '200\n', '\x01\0']);
      const refused = greet(sim, 'HAProxyS 2.1\na\nb 1 1\n');
      sim.run(500);
      expect(refused).toEqual({ closed: true, heard: '300\n' });
      sim.run(seconds * 1000);
      return a.log.filter(line => line.includes('peer b')).at(-1);
    });
    expect(pauses).toEqual(
      [5, 10, 20, 40, 60, 60].map(
        s => `Peers section p: connection with peer b ended, next in ${s}s: message of unknown class 255.`,
      ),
    );
    expect(state(a, 'b').protocolErrors).toBe(6);
  });

  test('a message that is too long', () => {
    const sim = createSim(11);
    const a = start(sim, 'ab', 'a');
    const seen = greet(sim, 'HAProxyS 2.1\na\nb 1 1\n\x0a\x80\xff\xff\xff\xff\x7f');
    sim.run(500);
    expect([seen.closed, seen.heard.slice(-2)]).toEqual([true, '\x01\x01']);
    expect(a.log[0]).toContain('message too long');
  });
});
