/** The thread of a traffic worker: a Piscina task that lasts as long as the worker serves. */
import { administer } from '../engine/health/admin.ts';
import { createIo } from '../engine/io/choose.ts';
import { runOn } from '../engine/io/confine.ts';
import { errorText } from '../engine/io/native.ts';
import { beginTraces } from '../engine/log/trace-words.ts';
import { traced } from '../engine/log/traced.ts';
import { Traces } from '../engine/log/traces.ts';
import { startTraffic } from '../engine/proxy/worker.ts';
import { ChangeLog } from '../engine/shm/change-log.ts';
import type { Memory } from '../engine/shm/memory.ts';
import { attachPast } from '../engine/shm/past.ts';
import { WORKER } from '../engine/shm/words.ts';
import { every, monotonicMs, ThreadLoad, wallMs } from '../engine/time.ts';
import { freeLedger, keepLedger } from '../engine/tls/ledger.ts';
import { collectSoon } from './garbage.ts';
import { report, type TrafficTask } from './messages.ts';
import { attach, confine, joinMaster, takeUp } from './thread.ts';

export default async function traffic(task: TrafficTask): Promise<void> {
  const { model, worker, listeners, natives } = task;
  keepLedger(natives);
  const io = createIo(task.io);
  const thread = joinMaster(task.port, {
    serve: () => {
      takeUp(task, thread.say);
      for (const { listener, fd } of listeners) handle.listen(listener, fd);
    },
    stop: ({ soft }) => handle.stop(soft),
    ask: ({ id, question }) => report(task.port, { type: 'answer', id, answer: handle.ask(question) }),
    answer: () => {},
    rest: () => {},
    cli: () => {},
    taken: () => {},
    past: ({ past }) => {
      env.memory.past = attachPast(past);
    },
    name: () => {},
    named: ({ id, address }) => handle.named(id, address),
    typed: () => {},
    handOver: () => {},
    log: () => {},
  });
  const env = attach(task, worker, io, thread.say);
  const changes = new ChangeLog(task.changes, worker);
  const traces = new Traces(changes);
  beginTraces(traces, model);
  const handle = startTraffic({
    io,
    model,
    memory: env.memory,
    tables: env.tables,
    view: env.view,
    admin: (proxy, action, servers) => administer(env, proxy, action, servers),
    changes,
    worker,
    askName: question => report(task.port, { type: 'name', worker, question }),
    log: thread.say,
    onIdle: thread.end,
    events: traced(env.logger, { traces, sinks: env.logger.sinks, worker, wall: wallMs }),
  });
  const telling = tellLoad(env.memory, worker);
  const cpus = model.global.cpuMap[worker] ?? null;
  const placed = cpus === null ? 0 : runOn(cpus);
  if (placed < 0) thread.say('warning', `cpu-map: cannot run on ${cpus!.join(',')}: ${errorText(-placed)}.`);
  confine(task);
  thread.ready();
  await thread.ended;
  telling.cancel();
  await io.stop();
  freeLedger(natives);
  collectSoon();
}

/** How often a worker says how much of its time it works. Milliseconds. */
const LOAD_MS = 1000;

/** For `Idle_pct`. */
function tellLoad(memory: Memory, worker: number): { cancel(): void } {
  const load = new ThreadLoad();
  load.percent(monotonicMs());
  return every(LOAD_MS, () => {
    const permille = Math.round(load.percent(monotonicMs()) * 10);
    Atomics.store(memory.words, memory.worker(worker) + WORKER.at.busy_permille, Math.min(1000, permille));
  });
}
