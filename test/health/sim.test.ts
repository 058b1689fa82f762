/** Checks on the simulated network: cut and merged chunks, late events, resets; each failure comes with its seed. */

import { expect, test } from 'vitest';
import { agentCheck } from '../../engine/config/check-presets.ts';
import { startHealth } from '../../engine/health/index.ts';
import type { Address, Chunk, Conn, Handler } from '../../engine/io/contract.ts';
import { createSim, type Sim, type SimOptions } from '../../engine/io/sim.ts';
import { OPER_RUNNING, OPER_STOPPED } from '../../engine/shm/words.ts';
import { TimerWheel } from '../../engine/time.ts';
import fc from '../properties.ts';
import { checkOfLines, HTTP_CHECK, type ModelOptions, modelOf, type ServerOptions, worldOf } from './fixture.ts';

const at = (port: number): Address => ({ family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port });

/** An HTTP server on `port` that answers what `answer()` says at the time, and counts its connections. */
function serve(sim: Sim, port: number, answer: () => string) {
  const seen = { open: 0, most: 0, total: 0 };
  sim.host().listen(sim.bind(at(port)), 64, conn => {
    let asked = '';
    seen.total++;
    seen.open++;
    seen.most = Math.max(seen.most, seen.open);
    const handler: Handler = {
      onOpen: () => {},
      onDrain: () => {},
      onEnd: (c: Conn) => c.close(),
      onData: (c: Conn, chunk: Chunk) => {
        asked += Buffer.from(chunk.bytes.subarray(chunk.start, chunk.end)).toString('latin1');
        if (!asked.endsWith('\r\n\r\n')) return;
        const bytes = Buffer.from(answer(), 'latin1');
        if (bytes.length === 0) return;
        c.send(bytes, 0, bytes.length);
        c.close();
      },
      onClose: () => {
        seen.open--;
      },
    };
    conn.handler = handler;
  });
  return seen;
}

function start(sim: Sim, servers: readonly ServerOptions[], o: ModelOptions) {
  const io = sim.host();
  const world = worldOf(modelOf(servers, o));
  const wheel = new TimerWheel(io.now());
  const health = startHealth({ ...world.env, now: () => io.now(), io, wheel, random: () => 0.5 });
  io.onTurn(now => wheel.advance(now));
  return { world, health };
}

const FAST: SimOptions = { latencyMs: [0.1, 5], disorder: 0.5, windowBytes: [1, 300] };
const OK = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nal\r\n5\r\nright\r\n0\r\n\r\n';
const BAD = 'HTTP/1.1 500 Broken\r\nContent-Length: 3\r\n\r\nbad';

test('states follow the servers, whatever the network does to the bytes', () => {
  const check = checkOfLines('option httpchk', 'http-check expect string alright');
  fc.assert(
    fc.property(fc.integer(), fc.array(fc.boolean(), { minLength: 1, maxLength: 4 }), (seed, phases) => {
      const sim = createSim(seed, FAST);
      let answer = OK;
      const seen = serve(sim, 81, () => answer);
      const { world, health } = start(sim, [{ port: 81, inter: 1000, rise: 2, fall: 2 }], { check });
      for (const good of phases) {
        answer = good ? OK : BAD;
        sim.run(6000);
        expect(world.word(0, 'oper')).toBe(good ? OPER_RUNNING : OPER_STOPPED);
        expect(world.status(0)).toBe(good ? 'L7OK' : 'L7RSP');
        expect(world.px('act')).toBe(good ? 1 : 0);
      }
      health.stop();
      sim.run(100);
      expect([seen.most, seen.open]).toEqual([1, 0]);
    }),
    { numRuns: 60 },
  );
});

test('a network that breaks connections: no check hangs and none is lost', () => {
  fc.assert(
    fc.property(fc.integer(), seed => {
      const sim = createSim(seed, { ...FAST, resets: 0.2 });
      const silent = new Set<number>();
      const seen = [81, 82, 83].map(port => serve(sim, port, () => (silent.has(port) ? '' : OK)));
      silent.add(83);
      const servers = [81, 82, 83, 84].map(port => ({ port, inter: 500, rise: 1, fall: 3 }));
      const { world, health } = start(sim, servers, { check: HTTP_CHECK });
      sim.run(20_000);
      for (let i = 0; i < 4; i++) {
        const health = world.word(i, 'check_health');
        expect(health >= 1 ? OPER_RUNNING : OPER_STOPPED).toBe(world.word(i, 'oper'));
        expect(world.word(i, 'check_duration')).toBeLessThanOrEqual(502);
      }
      expect(seen[0]!.total).toBeGreaterThan(30);
      expect([world.word(2, 'oper'), world.word(3, 'oper')]).toEqual([OPER_STOPPED, OPER_STOPPED]);
      expect(world.status(3)).toBe('L4CON');
      health.stop();
      sim.run(1000);
      expect(seen.map(s => s.open)).toEqual([0, 0, 0]);
    }),
    { numRuns: 20 },
  );
});

/** A server that says its lines one by one, each once it was sent something. */
function converse(sim: Sim, port: number, lines: readonly string[]): void {
  sim.host().listen(sim.bind(at(port)), 64, conn => {
    let turn = 0;
    conn.handler = {
      onOpen: () => {},
      onDrain: () => {},
      onEnd: c => c.close(),
      onData: c => {
        const bytes = Buffer.from(lines[turn++] ?? '', 'latin1');
        if (bytes.length > 0) c.send(bytes, 0, bytes.length);
      },
      onClose: () => {},
    };
  });
}

test('scripts and agents: steps are done in order, whatever the network does to the bytes', () => {
  const check = checkOfLines(
    'option tcp-check',
    ...['tcp-check connect', 'tcp-check send a', 'tcp-check expect string one'],
    ...['tcp-check send b', 'tcp-check expect rstring ^two$', 'tcp-check connect port 82', 'tcp-check send c'],
    'tcp-check expect binary 0001ff on-success all\\ there',
  );
  const agent = {
    interMs: 1000,
    address: at(83),
    script: { ...check, type: 'agent' as const, steps: agentCheck('hello') },
  };
  fc.assert(
    fc.property(fc.integer(), seed => {
      const sim = createSim(seed, FAST);
      converse(sim, 81, ['one', 'two']);
      converse(sim, 82, ['..\0\x01\xff']);
      // Sent in one piece, so that this server hears it once.
      converse(sim, 83, ['up 50% maxconn:9\n']);
      const { world, health } = start(sim, [{ port: 81, inter: 1000, weight: 10, agent }], { check });
      sim.run(3000);
      expect([world.status(0), world.text(0), world.word(0, 'oper')]).toEqual(['L7OK', 'all there', OPER_RUNNING]);
      expect([world.word(0, 'uweight'), world.word(0, 'maxconn'), world.word(0, 'agent_code')]).toEqual([5, 9, 0]);
      health.stop();
    }),
    { numRuns: 40 },
  );
});
