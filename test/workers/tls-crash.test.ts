/**
 * A worker thread dies under TLS load: the other serves on, and nothing of the dead one is left, no descriptor and no
 * native object. Runs the master in this process, so that a thread can be ended from outside.
 */
import { readdirSync, readlinkSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { createStickMemory } from '../../engine/stick/tables.ts';
import * as ledger from '../../engine/tls/ledger.ts';
import { withMaxconn } from '../../workers/facts.ts';
import { openListeners } from '../../workers/listeners.ts';
import { Master } from '../../workers/master.ts';
import { settled } from '../proxy/gauges.ts';
import { parseModel } from '../proxy/rig.ts';
import { pemFile } from '../tls/certificates.ts';
import { freePort } from './sluice.ts';

vi.mock(import('../../engine/tls/ledger.ts'), async original => {
  const real = await original();
  return { ...real, newLedger: vi.fn(real.newLedger), freeLedger: vi.fn(real.freeLedger) };
});

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
/** Sockets of this process. A descriptor may go while they are looked at. */
function sockets(): number {
  const links = readdirSync('/proc/self/fd').map(fd => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`);
    } catch {
      return '';
    }
  });
  return links.filter(link => link.startsWith('socket:')).length;
}

/** Asks again and again on one connection. */
class Client {
  answers = 0;
  cut = false;
  readonly socket: TLSSocket;

  constructor(port: number) {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    this.socket = socket;
    socket.on('secureConnect', () => socket.write(GET));
    socket.on('data', () => {
      this.answers++;
      socket.write(GET);
    });
    for (const event of ['error', 'end', 'close']) socket.on(event, () => (this.cut = true));
  }
}

/** Handshakes without end, each on a connection of its own. */
function shakeHands(port: number): () => void {
  let on = true;
  const again = () => {
    if (!on) return;
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => socket.destroy());
    socket.on('error', () => {});
    socket.on('close', again);
  };
  for (let i = 0; i < 8; i++) again();
  return () => {
    on = false;
  };
}

test.skipIf(process.platform !== 'linux')('a thread is killed under TLS load', { timeout: 60_000 }, async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker) => void threads.push(thread);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  const [port, inner] = [await freePort(), await freePort()];
  const pem = pemFile({ name: 'localhost' });
  const model = withMaxconn(
    parseModel(`
global
  nbthread 2
  maxconn 1000
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 1s
listen web
  bind 127.0.0.1:${port} ssl crt ${pem}
  server s1 127.0.0.1:${inner} ssl verify none
frontend inner
  timeout http-keep-alive 300ms
  bind 127.0.0.1:${inner} ssl crt ${pem}
  http-request return status 200 content-type text/plain string ok
`),
  );
  const said: string[] = [];
  const say = Object.assign((_: string, text: string) => void said.push(text), {
    ...{ raw() {}, begin() {}, said: () => '' },
  });
  const [serving, done] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const life = {
    ready() {},
    serving: serving.resolve,
    done: done.resolve,
    failed: () => serving.reject(new Error(said.join('\n'))),
  };
  const plan = {
    ...{ model, stick: createStickMemory(model, 2), listeners: openListeners(model, 2, say)!, workers: 2 },
    ...{ environment: {}, startupLogs: '', warnings: 0, io: 'net', succeeds: false },
  };
  const master = new Master(plan, 0, life, say);
  master.start();
  onTestFinished(async () => void (await Promise.all(threads.map(thread => thread.terminate()))));
  await serving.promise;
  const before = sockets();

  const clients = Array.from({ length: 20 }, () => new Client(port));
  const enough = shakeHands(port);
  await vi.waitFor(() => expect(clients.every(({ answers }) => answers > 3)).toBe(true), 15_000);

  // Which of the three serves traffic is not known from outside: the control thread may have to go first.
  for (const thread of [...threads]) {
    const deaths = said.length;
    await thread.terminate();
    await vi.waitFor(() => expect(said.length).toBeGreaterThan(deaths), 5_000);
    if (said[deaths]!.includes('(traffic) died')) break;
  }
  await vi.waitFor(() => expect(said.join()).toContain('(traffic) serves again'), 15_000);
  expect(vi.mocked(ledger.freeLedger).mock.results.map(({ value }) => value > 0)).toContain(true);
  const survivors = clients.filter(({ cut }) => !cut);
  expect(survivors.length).toBeGreaterThan(0);
  const answers = survivors.map(client => client.answers);
  await vi.waitFor(() => expect(survivors.every((c, i) => c.answers > answers[i]! + 3)).toBe(true), 15_000);
  expect(survivors.every(({ cut }) => !cut)).toBe(true);

  // The new thread serves, too.
  const more = Array.from({ length: 20 }, () => new Client(port));
  await vi.waitFor(() => expect(more.every(client => client.answers > 1)).toBe(true), 15_000);
  enough();
  for (const { socket } of [...clients, ...more]) socket.destroy();
  expect(await settled({ model, memory: master.memory })).toEqual({});
  await vi.waitFor(() => expect(sockets()).toBeLessThanOrEqual(before), 10_000);
  master.stop();
  await done.promise;
  // All ledgers are empty: those of the dead and of those that ended.
  for (const { value } of vi.mocked(ledger.newLedger).mock.results) {
    expect([...new Float64Array(value as SharedArrayBuffer)].filter(entry => entry !== 0)).toEqual([]);
  }
});
