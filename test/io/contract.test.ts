import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { sameAddress, unixAddress } from '../../engine/io/address.ts';
import { POISON } from '../../engine/io/common.ts';
import type { Address, Chunk, Conn } from '../../engine/io/contract.ts';
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from '../../engine/limits.ts';
import { Recorder } from './recorder.ts';
import { WORLDS, type World } from './worlds.ts';

const { ECONNREFUSED, ECONNRESET, EPIPE } = os.constants.errno;
const PLAIN = { source: null, tfo: false };
const bytes = (text: string) => Buffer.from(text, 'latin1');
const say = (conn: Conn, text: string) => conn.send(bytes(text), 0, text.length);

/** Bytes whose value depends on their place, so that loss, doubling and disorder show. */
const pattern = (n: number) => Uint8Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 0xff);

describe.each(WORLDS)('the io contract on %s', (_name, create) => {
  let world: World;
  let all: Recorder[];

  beforeEach(() => {
    world = create();
    all = [];
  });

  afterEach(async () => {
    await world.stop();
    for (const r of all) expect(r.broken).toEqual([]);
    for (const r of all) expect(r.calls.filter(c => c === 'close')).toHaveLength(1);
  });

  function recorder(react: Recorder['react'] = {}): Recorder {
    const r = new Recorder();
    r.react = react;
    all.push(r);
    return r;
  }

  /** A connection with a recorder at each end. */
  async function pair(address?: Address, s: Recorder['react'] = {}, c: Recorder['react'] = {}) {
    const server = recorder(s);
    const client = recorder(c);
    let accepted: Conn | null = null;
    const { address: to } = world.listen(conn => {
      conn.handler = server;
      accepted = conn;
    }, address);
    const out = world.client.connect(to, PLAIN, client);
    expect(client.calls).toEqual([]);
    await world.until(() => accepted !== null && client.opened);
    return { server, client, in: accepted as unknown as Conn, out, to };
  }

  test('bytes arrive in order, both ways', async () => {
    const p = await pair();
    const data = pattern(300_000);
    for (let at = 0; at < data.length; at += 7_001) p.out.send(data, at, Math.min(at + 7_001, data.length));
    say(p.in, 'hello ');
    say(p.in, 'client');
    await world.until(() => p.server.received.length === data.length && p.client.received.length === 12);
    expect(Buffer.compare(Buffer.from(p.server.received), data)).toBe(0);
    expect(p.client.text()).toBe('hello client');
  });

  test('send copies: the sender may reuse its bytes at once', async () => {
    const p = await pair();
    const mine = bytes('first');
    p.out.send(mine, 0, 5);
    mine.write('XXXXX');
    await world.until(() => p.server.received.length === 5);
    expect(p.server.text()).toBe('first');
  });

  test('what one turn sends leaves together', async () => {
    const p = await pair(
      undefined,
      {},
      {
        onData(conn) {
          for (const letter of 'abcd') say(conn, letter);
        },
      },
    );
    // Nothing has left when the handler returns: all four are pending until the end of the turn.
    let pendingInTurn = -1;
    world.client.onTurn(() => {
      if (p.client.chunks === 1 && pendingInTurn < 0) pendingInTurn = p.out.pending;
      return Infinity;
    });
    say(p.in, '!');
    await world.until(() => p.server.received.length === 4);
    expect(p.server.text()).toBe('abcd');
    expect(pendingInTurn).toBe(4);
  });

  test('a chunk is poisoned after the handler returns, a kept one when it is released', async () => {
    const lent: Chunk[] = [];
    const views: Uint8Array[] = [];
    const p = await pair(undefined, {
      onData(_conn, chunk) {
        if (lent.length === 0) chunk.keep();
        lent.push(chunk);
        views.push(chunk.bytes.subarray(chunk.start, chunk.end));
      },
    });
    say(p.out, 'k');
    await world.until(() => p.server.received.length === 1);
    say(p.out, 'l');
    await world.until(() => p.server.received.length === 2);
    expect(views[0]![0]).toBe('k'.charCodeAt(0));
    expect(views[1]![0]).toBe(POISON);
    lent[0]!.release();
    expect(views[0]![0]).toBe(POISON);
    expect(() => lent[0]!.release()).toThrow(/released more often/);
  });

  test('forward sends the received bytes and keeps them by itself', async () => {
    const p = await pair(undefined, { onData: (conn, chunk) => conn.forward(chunk, chunk.start, chunk.end) });
    const data = pattern(200_000);
    p.out.send(data, 0, data.length);
    await world.until(() => p.client.received.length === data.length);
    expect(Buffer.compare(Buffer.from(p.client.received), data)).toBe(0);
  });

  test('forward of a part', async () => {
    const p = await pair(undefined, { onData: (conn, chunk) => conn.forward(chunk, chunk.start, chunk.start + 1) });
    say(p.out, 'x');
    await world.until(() => p.client.received.length === 1);
    expect(p.client.text()).toBe('x');
  });

  test('pause holds data and end, resume gives them; nothing is lost', async () => {
    const p = await pair();
    p.in.pause();
    p.in.pause();
    const data = pattern(400_000);
    p.out.send(data, 0, data.length);
    p.out.shutdown();
    await world.pass(50);
    expect(p.server.calls).toEqual([]);
    p.in.resume();
    expect(p.server.calls).toEqual([]);
    await world.until(() => p.server.ended);
    expect(Buffer.compare(Buffer.from(p.server.received), data)).toBe(0);
  });

  test('pause from within onData, again and again', async () => {
    let waiting: Conn | null = null;
    const p = await pair(undefined, {
      onData(conn) {
        conn.pause();
        waiting = conn;
      },
    });
    const data = pattern(500_000);
    p.out.send(data, 0, data.length);
    while (p.server.received.length < data.length) {
      await world.until(() => waiting !== null);
      const before = p.server.chunks;
      await world.pass(1);
      expect(p.server.chunks).toBe(before);
      const conn = waiting as unknown as Conn;
      waiting = null;
      conn.resume();
    }
    expect(Buffer.compare(Buffer.from(p.server.received), data)).toBe(0);
  });

  test('an end alone is held by pause', async () => {
    const p = await pair();
    p.in.pause();
    p.out.shutdown();
    await world.pass(30);
    expect(p.server.calls).toEqual([]);
    p.in.resume();
    expect(p.server.calls).toEqual([]);
    await world.until(() => p.server.ended);
  });

  test('a connection paused in accept hears nothing until it is resumed', async () => {
    const server = recorder();
    const client = recorder();
    let accepted: Conn | null = null;
    const { address } = world.listen(conn => {
      conn.handler = server;
      conn.pause();
      accepted = conn;
    });
    const out = world.client.connect(address, PLAIN, client);
    say(out, 'early');
    await world.until(() => accepted !== null && client.opened);
    await world.pass(30);
    expect(server.calls).toEqual([]);
    (accepted as unknown as Conn).resume();
    await world.until(() => server.text() === 'early');
  });

  test.each(['client', 'server'] as const)('half-close by the %s leaves the other way open', async who => {
    const p = await pair();
    const [first, second] = who === 'client' ? [p.out, p.in] : [p.in, p.out];
    const [firstHears, secondHears] = who === 'client' ? [p.client, p.server] : [p.server, p.client];
    say(first, 'question');
    first.shutdown();
    first.shutdown();
    say(first, 'ignored');
    await world.until(() => secondHears.ended);
    expect(secondHears.text()).toBe('question');
    expect(second.alive && first.alive).toBe(true);
    say(second, 'answer');
    await world.until(() => firstHears.text() === 'answer');
    second.shutdown();
    await world.until(() => p.client.closed && p.server.closed);
    expect([p.client.errno, p.server.errno]).toEqual([0, 0]);
    expect(firstHears.calls.slice(-2)).toEqual(['end', 'close']);
  });

  test('close sends what is pending, then FIN, then tells', async () => {
    const p = await pair();
    // A TLS server's tickets are on their way: a client that is gone by then answers them with RST.
    if (world.layered) await world.pass(50);
    const data = pattern(400_000);
    p.out.send(data, 0, data.length);
    p.out.close();
    p.out.close();
    say(p.out, 'ignored');
    expect(p.out.alive).toBe(false);
    expect(p.client.closed).toBe(false);
    await world.until(() => p.server.ended && p.client.closed);
    expect(Buffer.compare(Buffer.from(p.server.received), data)).toBe(0);
    expect(p.client.errno).toBe(0);
    p.in.close();
    await world.until(() => p.server.closed);
    expect(p.server.errno).toBe(0);
  });

  test('close receives nothing more', async () => {
    const p = await pair();
    say(p.in, 'too late');
    p.out.close();
    await world.until(() => p.client.closed);
    expect(p.client.calls).toEqual(['open', 'close']);
  });

  test('close under back-pressure is bounded by abort', async () => {
    const p = await pair();
    p.in.pause();
    // More than any socket buffer takes.
    const data = new Uint8Array(16 << 20);
    p.out.send(data, 0, data.length);
    p.out.close();
    await world.pass(30);
    expect(p.client.closed).toBe(false);
    p.out.abort(false);
    expect(p.client.closed).toBe(false);
    await world.until(() => p.client.closed);
  });

  test('abort with reset reaches the peer as ECONNRESET', async () => {
    const p = await pair();
    p.out.abort(true);
    expect(p.client.closed).toBe(false);
    expect(p.out.alive).toBe(false);
    await world.until(() => p.client.closed && p.server.closed);
    expect([p.client.errno, p.server.errno]).toEqual([0, ECONNRESET]);
    expect(p.server.ended).toBe(false);
  });

  test('abort without reset reaches the peer as an end', async () => {
    const p = await pair();
    p.out.abort(false);
    p.out.abort(true);
    await world.until(() => p.client.closed && (p.server.ended || (world.layered === true && p.server.closed)));
    expect(p.client.errno).toBe(0);
  });

  test('abort within a handler ends its events', async () => {
    const p = await pair(undefined, { onData: conn => conn.abort(true) });
    const data = pattern(200_000);
    p.out.send(data, 0, data.length);
    await world.until(() => p.client.closed && p.server.closed);
    expect(p.server.chunks).toBe(1);
    expect([ECONNRESET, EPIPE]).toContain(p.client.errno);
  });

  test('abort in accept', async () => {
    const client = recorder();
    const { address } = world.listen(conn => conn.abort(true));
    world.client.connect(address, PLAIN, client);
    await world.until(() => client.closed);
    expect(client.errno).toBe(ECONNRESET);
  });

  test('back-pressure: pending stays while the peer does not read, then drains', async () => {
    const p = await pair();
    p.in.pause();
    const block = pattern(65_536);
    let sent = 0;
    // The kernel takes some; a sender that looks at `pending` stops at what it does not take.
    while (p.out.pending <= HIGH_WATER_BYTES) {
      p.out.send(block, 0, block.length);
      sent += block.length;
      if (p.out.pending > HIGH_WATER_BYTES) await world.pass(20);
    }
    expect(p.server.received).toHaveLength(0);
    expect(sent).toBeLessThan(64 << 20);
    const before = p.client.drains;
    let pendingAtDrain = -1;
    p.client.react.onDrain = conn => {
      pendingAtDrain = conn.pending;
    };
    p.in.resume();
    await world.until(() => p.client.drains > before && p.server.received.length === sent);
    expect(pendingAtDrain).toBeLessThanOrEqual(LOW_WATER_BYTES);
    expect(p.client.drains).toBe(before + 1);
    expect(p.out.pending).toBe(0);
  });

  test('connection refused', async () => {
    const { address, listening } = world.listen(() => {});
    listening.close();
    listening.close();
    const client = recorder();
    const conn = world.client.connect(address, PLAIN, client);
    await world.until(() => client.closed);
    expect(client.calls).toEqual(['close']);
    expect(client.errno).toBe(ECONNREFUSED);
    expect(conn.alive).toBe(false);
  });

  test('a connect that gets no answer is ended by the caller', async () => {
    const hole = await world.hole();
    const client = recorder();
    const conn = world.client.connect(hole, PLAIN, client);
    await world.pass(50);
    expect(client.calls).toEqual([]);
    expect(conn.alive).toBe(true);
    conn.abort(true);
    expect(client.closed).toBe(false);
    await world.until(() => client.closed);
    expect(client.calls).toEqual(['close']);
    expect(client.errno).toBe(0);
  });

  test('reset while a shutdown waits for output to leave', async () => {
    const p = await pair();
    p.in.pause();
    const data = new Uint8Array(16 << 20);
    p.out.send(data, 0, data.length);
    p.out.shutdown();
    await world.pass(20);
    p.out.abort(true);
    await world.until(() => p.client.closed);
    expect(p.client.errno).toBe(0);
    p.in.resume();
    await world.until(() => p.server.closed || p.server.ended);
    expect(p.server.received.length).toBeLessThan(data.length);
  });

  test('close with a request half read does not cost the peer its answer', async () => {
    const answered = (conn: Conn) => {
      say(conn, 'too large');
      conn.close();
    };
    const p = await pair(undefined, { onData: answered });
    const data = new Uint8Array(1_000);
    p.out.send(data, 0, data.length);
    await world.until(() => p.client.ended || p.client.closed);
    expect(p.client.text()).toBe('too large');
    p.out.close();
    await world.until(() => p.client.closed && p.server.closed);
  });

  test('abort cancels a connect under way', async () => {
    const client = recorder();
    const { address } = world.listen(conn => {
      conn.handler = recorder();
    });
    const conn = world.client.connect(address, PLAIN, client);
    conn.abort(false);
    expect(client.closed).toBe(false);
    await world.until(() => client.closed);
    expect(client.calls).toEqual(['close']);
  });

  test('sending before the connection is open', async () => {
    const server = recorder();
    const client = recorder();
    const { address } = world.listen(conn => {
      conn.handler = server;
    });
    const conn = world.client.connect(address, PLAIN, client);
    say(conn, 'impatient');
    conn.shutdown();
    await world.until(() => server.ended);
    expect(server.text()).toBe('impatient');
  });

  test('the handler may be replaced', async () => {
    const p = await pair();
    say(p.out, 'old');
    await world.until(() => p.server.text() === 'old');
    const heir = recorder();
    p.in.handler = heir;
    all.splice(all.indexOf(p.server), 1);
    say(p.out, 'new');
    await world.until(() => heir.text() === 'new');
    expect(p.server.text()).toBe('old');
  });

  test('addresses', async () => {
    const p = await pair();
    expect(p.out.peer()).toEqual(p.to);
    expect(sameAddress(p.in.local()!, p.to)).toBe(true);
    expect(sameAddress(p.in.peer()!, p.out.local()!)).toBe(true);
    expect(p.in.peer()).toBe(p.in.peer());
    expect(p.in.peer()!.port).toBeGreaterThan(0);
  });

  test('the source address', async () => {
    let peer: Address | null = null;
    const { address } = world.listen(conn => {
      conn.handler = recorder();
      peer = conn.peer();
    });
    const source = { family: 4, bytes: Uint8Array.of(127, 0, 0, 2), port: 0 } as const;
    world.client.connect(address, { source, tfo: false }, recorder());
    await world.until(() => peer !== null);
    expect([...(peer as unknown as Address).bytes]).toEqual([127, 0, 0, 2]);
  });

  test('unix sockets', async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'sluice-'));
    const name = unixAddress(path.join(folder, 'x.sock'));
    const p = await pair(name, { onData: (conn, chunk) => conn.forward(chunk, chunk.start, chunk.end) });
    say(p.out, 'local');
    await world.until(() => p.client.text() === 'local');
    expect(p.in.local()).toEqual(name);
    expect(p.in.peer()).toMatchObject({ family: 1, port: 0 });
    p.out.abort(true);
    await world.until(() => p.client.closed && (p.server.ended || p.server.closed));
    fs.rmSync(folder, { recursive: true });
  });

  test('an id comes back with another generation', async () => {
    const { address } = world.listen(conn => {
      conn.handler = recorder();
    });
    const ids = new Set<number>();
    for (let i = 0; i < 10; i++) {
      const client = recorder({ onOpen: conn => conn.abort(true) });
      ids.add(world.client.connect(address, PLAIN, client).id);
      await world.until(() => client.closed);
    }
    expect(ids.size).toBe(10);
    for (const id of ids) expect(id >= 0 && id < 2 ** 31).toBe(true);
  });

  test('a paused listener accepts nothing; the kernel keeps what waits', async () => {
    let accepted = 0;
    const { address, listening } = world.listen(conn => {
      conn.handler = recorder();
      accepted++;
    });
    listening.pause();
    listening.pause();
    const client = recorder();
    world.client.connect(address, PLAIN, client);
    if (!world.layered) await world.until(() => client.opened);
    await world.pass(20);
    expect(accepted).toBe(0);
    listening.resume();
    await world.until(() => accepted === 1);
  });

  test('turns come once per batch of events, at the deadline, and not when idle', async () => {
    let turns = 0;
    let due = Infinity;
    world.client.onTurn(now => {
      turns++;
      if (now >= due) due = Infinity;
      return due;
    });
    await world.until(() => turns > 0);
    await world.pass(20);
    const quiet = turns;
    await world.pass(40);
    expect(turns).toBe(quiet);

    const start = world.client.now();
    due = start + 25;
    world.client.onTurn(now => {
      turns++;
      if (now >= due) due = Infinity;
      return due;
    });
    await world.until(() => due === Infinity);
    expect(world.client.now()).toBeGreaterThanOrEqual(start + 25);
    expect(turns - quiet).toBeLessThanOrEqual(3);
  });

  test('no event comes from within a call', async () => {
    // Each recorder notes a call that comes while it is in another one.
    const { address } = world.listen(conn => {
      conn.handler = recorder();
    });
    const p = await pair(
      undefined,
      {},
      {
        onOpen(conn) {
          say(conn, 'x');
          conn.pause();
          conn.resume();
          world.client.connect(address, PLAIN, recorder()).abort(false);
        },
      },
    );
    p.in.abort(true);
    expect(p.server.closed).toBe(false);
    await world.until(() => p.server.closed && p.client.closed);
  });

  test('stop closes everything and tells every handler', async () => {
    const p = await pair();
    await world.stop();
    expect(p.client.closed && p.server.closed).toBe(true);
  });
});
