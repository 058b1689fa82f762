/** Nothing native is left: not of connections that end in any way, at any moment, nor of a thread that dies. */
import { Worker } from 'node:worker_threads';
import { describe, expect, test } from 'vitest';
import { NOBODY } from '../../engine/io/common.ts';
import type { Conn } from '../../engine/io/contract.ts';
import { createSim } from '../../engine/io/sim.ts';
import { acceptTls, connectTls } from '../../engine/tls/conn.ts';
import { alive } from '../../engine/tls/handle.ts';
import { freeLedger, newLedger } from '../../engine/tls/ledger.ts';
import { LOOPBACK } from '../io/worlds.ts';
import { TLS_CLIENT, TLS_SERVER } from './ends.ts';

const CONNECTIONS = 1_500;

describe('connections', () => {
  test('half of them aborted somewhere on the way', () => {
    const sim = createSim(7);
    const [client, server] = [sim.host(), sim.host()];
    const fd = sim.bind(LOOPBACK);
    let opened = 0;
    server.listen(fd, 64, under => {
      const conn = acceptTls(server, under, TLS_SERVER);
      conn.handler = {
        ...NOBODY,
        onData: (c, chunk) => c.forward(chunk, chunk.start, chunk.end),
        onEnd: c => c.close(),
      };
    });
    const hello = Buffer.from('hello');
    for (let i = 0; i < CONNECTIONS; i++) {
      const handler = {
        ...NOBODY,
        onOpen: (conn: Conn) => {
          opened++;
          conn.send(hello, 0, hello.length);
        },
        onData: (conn: Conn) => conn.close(),
      };
      const to = sim.nameOf(fd);
      const conn = connectTls(client, TLS_CLIENT, handler, under =>
        client.connect(to, { source: null, tfo: false }, under),
      );
      // Some before the handshake, some within it, some after it.
      if (i % 2 === 1) {
        sim.run((i % 40) / 4);
        conn.abort(i % 3 === 0);
      }
    }
    sim.run(10_000);
    expect(opened).toBeGreaterThan(CONNECTIONS / 2);
    expect(alive.connection).toBe(0);
  }, 60_000);
});

test('a thread that dies leaves its handles in the ledger, and they are freed', async () => {
  const ledger = newLedger(64);
  const worker = new Worker(new URL('./dying-worker.ts', import.meta.url), { workerData: { ledger } });
  await new Promise<void>((resolve, reject) => {
    worker.once('message', () => resolve());
    worker.once('error', reject);
  });
  await worker.terminate();
  // Two contexts, three connections of each.
  expect(freeLedger(ledger)).toBe(8);
});
