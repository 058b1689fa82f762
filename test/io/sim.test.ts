import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { parseIp } from '../../engine/io/address.ts';
import type { Chunk, Conn, Handler } from '../../engine/io/contract.ts';
import { createSim, type Sim, type SimOptions } from '../../engine/io/sim.ts';
import { Recorder } from './recorder.ts';

const { ECONNRESET } = os.constants.errno;
const PLAIN = { source: null, tfo: false };
const ANYWHERE = parseIp('10.0.0.9', 80)!;

/** One host echoes what the other sends; gives all that was heard, with its times. */
function echo(seed: number, options: SimOptions = {}): { log: string[]; client: Recorder; sim: Sim } {
  const sim = createSim(seed, options);
  const log: string[] = [];
  const client = new Recorder();
  client.react = {
    onOpen(conn) {
      conn.send(new Uint8Array(50_000).fill(7), 0, 50_000);
      conn.shutdown();
    },
    onData: (_conn, chunk) => log.push(`${sim.now()} ${chunk.end}`),
    onClose: (_conn, errno) => log.push(`${sim.now()} close ${errno}`),
  };
  const server: Handler = {
    ...new Recorder(),
    onOpen() {},
    onData: (conn, chunk) => conn.forward(chunk, chunk.start, chunk.end),
    onEnd: conn => conn.shutdown(),
    onDrain() {},
    onClose() {},
  };
  sim.host().listen(sim.bind(ANYWHERE), 8, conn => {
    conn.handler = server;
  });
  sim.host().connect(ANYWHERE, PLAIN, client);
  sim.run();
  return { log, client, sim };
}

describe('the simulated network', () => {
  test('a seed repeats everything, another seed differs', () => {
    expect(echo(7).log).toEqual(echo(7).log);
    expect(echo(7).log).not.toEqual(echo(8).log);
  });

  test('whatever the seed, all bytes come back', () => {
    for (let seed = 0; seed < 100; seed++) {
      const { client } = echo(seed, { disorder: 0.6, windowBytes: [1, 4_096] });
      expect(client.received.length, `seed ${seed}`).toBe(50_000);
      expect(client.broken).toEqual([]);
      expect(client.errno).toBe(0);
    }
  });

  test('broken connections end with ECONNRESET, each exactly once', () => {
    let broken = 0;
    for (let seed = 0; seed < 100; seed++) {
      const { client } = echo(seed, { resets: 0.05, windowBytes: [512, 4_096] });
      expect(client.broken).toEqual([]);
      expect([0, ECONNRESET]).toContain(client.errno);
      if (client.errno !== 0) broken++;
    }
    expect(broken).toBeGreaterThan(10);
  });

  test('a black hole answers nothing until the caller gives up', () => {
    const sim = createSim(1);
    const io = sim.host();
    sim.blackhole(ANYWHERE);
    const client = new Recorder();
    const conn = io.connect(ANYWHERE, PLAIN, client);
    sim.run(60_000);
    expect(client.calls).toEqual([]);
    conn.abort(false);
    sim.run();
    expect(client.calls).toEqual(['close']);
    expect(client.errno).toBe(0);
  });

  test('a full backlog makes connects wait', () => {
    const sim = createSim(1);
    const fd = sim.bind(ANYWHERE, 2);
    const clients = [1, 2, 3].map(() => new Recorder());
    const io = sim.host();
    for (const client of clients) io.connect(ANYWHERE, PLAIN, client);
    sim.run(100);
    expect(clients.filter(c => c.opened)).toHaveLength(2);
    sim.host().listen(fd, 8, conn => {
      conn.handler = new Recorder();
    });
    sim.run(2_000);
    expect(clients.filter(c => c.opened)).toHaveLength(3);
  });

  test('time stands still outside of run, and turns come at their deadlines', () => {
    const sim = createSim(1);
    const io = sim.host();
    const start = sim.now();
    const turns: number[] = [];
    io.onTurn(now => {
      turns.push(Math.floor(now - start));
      return now < start + 299 ? start + 100 * turns.length : Infinity;
    });
    sim.run();
    expect(turns).toEqual([0, 100, 200, 300]);
  });

  test('a late use of a chunk shows, with the seed', () => {
    const late = (use: (chunk: Chunk, conn: Conn) => void) => {
      const sim = createSim(42);
      let chunk: Chunk | null = null;
      sim.host().listen(sim.bind(ANYWHERE), 8, conn => {
        const server = new Recorder();
        server.react = {
          onData: (_conn, c) => {
            chunk ??= c;
          },
          onEnd: c => use(chunk!, c),
        };
        conn.handler = server;
      });
      const conn = sim.host().connect(ANYWHERE, PLAIN, new Recorder());
      conn.send(Uint8Array.of(1, 2, 3), 0, 3);
      conn.shutdown();
      sim.run();
    };
    expect(() => late(chunk => chunk.keep())).toThrow(/kept after its handler returned \(seed 42\)/);
    expect(() => late(chunk => chunk.release())).toThrow(/released more often than kept \(seed 42\)/);
    expect(() => late((chunk, conn) => conn.forward(chunk, 0, 1))).toThrow(/kept after .* \(seed 42\)/);
  });
});
