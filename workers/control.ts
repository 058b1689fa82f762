/** The control thread: health checks and the stats sockets. Nothing here happens per request. */
import { Asker } from '../engine/cli/asker.ts';
import { startCli } from '../engine/cli/index.ts';
import { startHealth } from '../engine/health/index.ts';
import { createIo } from '../engine/io/choose.ts';
import { Rings } from '../engine/log/rings.ts';
import { PatternBooks } from '../engine/sample/book.ts';
import { ProcVars } from '../engine/sample/proc-vars.ts';
import { ChangeLog } from '../engine/shm/change-log.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { TimerWheel } from '../engine/time.ts';
import { TlsChanges } from '../engine/tls/changes.ts';
import { tlsStore } from '../engine/tls/store.ts';
import { type ControlTask, report } from './messages.ts';
import { attach, joinMaster } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model, environment, startupLogs, listeners } = task;
  const io = createIo(task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const running: { stop(): void }[] = [];
  const env = attach(task, null, io, (severity, text) => thread.say(severity, text));
  // Its number is the one behind those of the workers.
  const changes = new ChangeLog(task.changes, env.memory.shape.workers);
  const books = new PatternBooks(model.patternRefs, changes);
  const tls = new TlsChanges(tlsStore(model.tls), changes);
  const procVars = new ProcVars(model.global.procVars, changes);
  // Its predecessor may have died.
  changes.catchUp();
  const keepShort = changes.listenLong(() => {
    // Who lags reads what it has missed when its doorbell rings; the log is still too long at the next change.
    if (!changes.compact()) ringAll(env.memory);
  });
  running.push(keepShort);
  const rings = new Rings({ model, memory: env.memory, io, wheel });
  running.push(rings);
  const asker = new Asker(
    {
      ask: (worker, id, question) => report(task.port, { type: 'ask', id, worker, question }),
      server: (id, proxy, server) => report(task.port, { type: 'server', id, proxy, server }),
      sockets: (id, proxy, state) => report(task.port, { type: 'sockets', id, proxy, state }),
    },
    env.memory,
    wheel,
    () => io.now(),
  );
  const thread = joinMaster(task.port, {
    serve: () => {
      io.wake();
      const sockets = listeners.map(({ listener, fd }) => ({ fd, bind: model.global.statsSockets[listener]! }));
      const checks = startHealth({ ...env, io, wheel, random: Math.random });
      running.push(
        checks,
        startCli({ ...env, io, wheel, asker, rings, checks, books, procVars, tls, environment, startupLogs }, sockets),
      );
    },
    ask: () => {},
    answer: ({ id, answer }) => {
      io.wake();
      asker.answered(id, answer);
    },
    stop: () => {
      for (const part of running) part.stop();
      thread.end();
    },
  });
  thread.ready();
  await thread.ended;
  await io.stop();
}
