/**
 * A worker thread dies under load: the other serves on as if nothing had happened, what the dead one held is given back,
 * and another thread takes its place. Runs the master in this process, so that a thread can be ended from outside.
 */
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { createStickMemory, Tables } from '../../engine/stick/tables.ts';
import { readValue } from '../../engine/stick/values.ts';
import { withMaxconn } from '../../workers/facts.ts';
import { openListeners } from '../../workers/listeners.ts';
import { Master } from '../../workers/master.ts';
import { settled } from '../proxy/gauges.ts';
import { parseModel } from '../proxy/rig.ts';
import { connect, ok, type Wire, WireServer } from '../proxy/wire.ts';
import { freePort } from './sluice.ts';

/** The threads that are started while the test runs, the oldest first. */
function watchThreads(): Worker[] {
  const threads: Worker[] = [];
  const note = (thread: Worker) => void threads.push(thread);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  return threads;
}

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** One keep-alive client: asks again and again until `stop`; how often it was answered, and whether it was cut off. */
class Client {
  answers = 0;
  cut = false;
  readonly wire: Wire;

  constructor(wire: Wire) {
    this.wire = wire;
    for (const event of ['end', 'close']) wire.socket.on(event, () => (this.cut = true));
    wire.socket.on('data', () => {
      if (!wire.take().includes('ok')) return;
      this.answers++;
      wire.send(GET);
    });
    wire.send(GET);
  }
}

test('a thread is killed under load', { timeout: 60_000 }, async () => {
  const threads = watchThreads();
  const server = await WireServer.start(() => ok());
  const hold = await WireServer.start(() => null);
  const [port, holdPort] = [await freePort(), await freePort()];
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
  timeout queue 10s
listen web
  bind 127.0.0.1:${port}
  stick-table type ip size 10 expire 1h store conn_cur,http_req_cnt
  tcp-request connection track-sc0 src
  http-request track-sc1 str(all) table names
  server s1 127.0.0.1:${server.port}
backend names
  stick-table type string size 10 expire 1h store conn_cur
listen hold
  bind 127.0.0.1:${holdPort}
  server s1 127.0.0.1:${hold.port} maxconn 4
`),
  );
  const said: string[] = [];
  const say = Object.assign((_: string, text: string) => void said.push(text), {
    raw() {},
    begin() {},
    said: () => '',
  });
  const listeners = openListeners(model, 2, say)!;
  const stick = createStickMemory(model, 2);
  const serving = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const life = {
    ready() {},
    serving: serving.resolve,
    done: done.resolve,
    failed: () => serving.reject(new Error(said.join('\n'))),
  };
  const plan = {
    model,
    stick,
    listeners,
    workers: 2,
    environment: {},
    startupLogs: '',
    warnings: 0,
    io: 'net',
    succeeds: false,
  };
  const master = new Master(plan, 0, life, say);
  master.start();
  onTestFinished(async () => {
    await Promise.all(threads.map(thread => thread.terminate()));
    server.stop();
    hold.stop();
  });
  await serving.promise;

  // Load: clients that ask all the time, and clients whose requests occupy and queue for the four places of `hold`.
  const clients = await Promise.all(Array.from({ length: 40 }, async () => new Client(await connect(port))));
  const held = await Promise.all(Array.from({ length: 12 }, () => connect(holdPort)));
  for (const client of held) client.send(GET);
  await held[0]!.until(() => hold.conns.length === 4 && clients.every(client => client.answers > 5));

  // Which of the three serves traffic is not known from outside: the control thread may have to go first.
  for (const thread of [...threads]) {
    const deaths = said.length;
    await thread.terminate();
    await held[0]!.until(() => said.length > deaths);
    if (said[deaths]!.includes('(traffic) died')) break;
  }
  await held[0]!.until(() => said.some(text => text.includes('(traffic) serves again')), 10_000);
  const survivors = clients.filter(client => !client.cut);
  expect(survivors.length).toBeGreaterThan(0);
  expect(survivors.length).toBeLessThan(40);
  const before = survivors.map(client => client.answers);
  await held[0]!.until(() => survivors.every((client, i) => client.answers > before[i]! + 5));
  expect(survivors.every(client => !client.cut)).toBe(true);

  // The places and the turns in the queue that the dead thread held are free again: all that are left are served.
  for (let n = 0; n < hold.conns.length; n++) {
    const conn = hold.conns[n]!;
    if (!conn.closed) conn.send(ok('held', 'Connection: close\r\n'));
    await new Promise(resolve => setTimeout(resolve, 30));
  }
  for (const client of held) await client.until(wire => wire.ended || wire.closed || wire.received.includes('held'));

  // The new thread serves, too.
  const more = await Promise.all(Array.from({ length: 40 }, async () => new Client(await connect(port))));
  await held[0]!.until(() => more.every(client => client.answers > 3));
  for (const client of [...clients, ...more]) client.wire.socket.destroy();
  for (const client of held) client.socket.destroy();
  expect(await settled({ model, memory: master.memory })).toEqual({});
  // Nobody tracks anything any more.
  for (const table of new Tables(model, stick, 2).list) {
    expect(table.take(0)).toBe(true);
    expect([table.holders(0), readValue(table, 0, table.field(6)!, 0, 0)]).toEqual([0, 0]);
    table.release(0);
  }
  master.stop();
  await done.promise;
});
