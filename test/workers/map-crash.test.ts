/**
 * Threads die while requests change a map as fast as they can: the others go on changing it, and those that take the places of
 * the dead know all that was changed. Runs the master in this process, so that threads can be ended from outside.
 */
import type { Worker } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
import { createStickMemory } from '../../engine/stick/tables.ts';
import { withMaxconn } from '../../workers/facts.ts';
import { openListeners } from '../../workers/listeners.ts';
import { Master } from '../../workers/master.ts';
import { parseModel } from '../proxy/rig.ts';
import { connect } from '../proxy/wire.ts';
import { ask, freePort } from './sluice.ts';

const DEATHS = 4;

test('threads are killed while they change a map', { timeout: 60_000 }, async () => {
  const threads: Worker[] = [];
  const note = (thread: Worker) => void threads.push(thread);
  process.on('worker', note);
  onTestFinished(() => void process.off('worker', note));
  const port = await freePort();
  const model = withMaxconn(
    parseModel(`
global
  nbthread 2
defaults
  mode http
  timeout client 10s
  timeout server 10s
  timeout connect 1s
listen web
  bind 127.0.0.1:${port}
  http-request set-map(virt@m) %[url_param(key)] %[url_param(value)] if { path /set }
  http-request return status 200 content-type text/plain lf-string "<%[thread] %[url_param(key),map(virt@m,none)]>"
`),
  );
  const said: string[] = [];
  const say = Object.assign((_: string, text: string) => void said.push(text), {
    raw() {},
    begin() {},
    said: () => '',
  });
  const serving = Promise.withResolvers<void>();
  const done = Promise.withResolvers<void>();
  const life = { ready() {}, serving: serving.resolve, done: done.resolve, failed: () => serving.reject(said) };
  const plan = {
    ...{ model, workers: 2, environment: {}, startupLogs: '', warnings: 0, io: 'net' },
    succeeds: false,
  };
  const master = new Master(
    { ...plan, stick: createStickMemory(model, 2), listeners: openListeners(model, 2, say)! },
    0,
    life,
    say,
  );
  master.start();
  onTestFinished(async () => void (await Promise.all(threads.map(thread => thread.terminate()))));
  await serving.promise;

  // What has been answered is in the map, whoever answered.
  const set = new Map<string, string>();
  let stop = false;
  const writers = Array.from({ length: 8 }, async (_, n) => {
    for (let i = 0; !stop; i++) {
      const value = `${n}-${i}`;
      const answer = await ask(port, `/set?key=k${n}&value=${value}`);
      expect(answer).toContain(` ${value}>`);
      set.set(`k${n}`, value);
    }
  });
  for (let death = 0; death < DEATHS; death++) {
    await new Promise(resolve => setTimeout(resolve, 100));
    const before = said.length;
    // Workers and the control thread alike, in turn.
    await threads[death]!.terminate();
    while (said.length === before) await new Promise(resolve => setTimeout(resolve, 5));
  }
  while (!said.at(-1)!.includes('serves again')) await new Promise(resolve => setTimeout(resolve, 5));
  stop = true;
  await Promise.all(writers);

  // Until all who serve were asked.
  const seen = new Set<string>();
  while (seen.size < 2) {
    for (const [key, value] of set) {
      const [, thread, now] = /<(\d+) (.*)>/.exec(await ask(port, `/?key=${key}`))!;
      expect(now).toBe(value);
      seen.add(thread!);
    }
  }
  expect(set.size).toBe(8);
  (await connect(port)).socket.destroy();
  master.stop();
  await done.promise;
});
