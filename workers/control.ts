/** The control thread: health checks, the stats sockets and peers. Nothing here happens per request. */
import { Asker } from '../engine/cli/asker.ts';
import { startCli } from '../engine/cli/index.ts';
import { startHealth } from '../engine/health/index.ts';
import { createIo } from '../engine/io/choose.ts';
import type { Address } from '../engine/io/contract.ts';
import { openDatagrams } from '../engine/io/datagram.ts';
import { hasIpv6 } from '../engine/io/routes.ts';
import { Rings } from '../engine/log/rings.ts';
import { type Peers, startPeers } from '../engine/peers/index.ts';
import { type Names, startNames } from '../engine/resolvers/index.ts';
import { PatternBooks } from '../engine/sample/book.ts';
import { ProcVars } from '../engine/sample/proc-vars.ts';
import { ChangeLog } from '../engine/shm/change-log.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { startPurging } from '../engine/stick/purge.ts';
import { TimerWheel } from '../engine/time.ts';
import { freeLedger, keepLedger } from '../engine/tls/ledger.ts';
import { controlBinds } from './listeners.ts';
import { type ControlTask, report } from './messages.ts';
import { attach, joinMaster } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model, environment, startupLogs, listeners, succeeds, natives } = task;
  keepLedger(natives);
  const io = createIo(task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  const running: { stop(): void }[] = [];
  let names: Names | null = null;
  const env = attach(task, null, io, (severity, text) => thread.say(severity, text));
  const log = (level: number, section: number, text: string) => {
    thread.say('warning', text);
    env.logger.peers(level, section, text);
  };
  let peers: Peers | null = null;
  // Its number is the one behind those of the workers.
  const changes = new ChangeLog(task.changes, env.memory.shape.workers);
  const books = new PatternBooks(model.patternRefs, changes);
  const procVars = new ProcVars(model.global.procVars, changes);
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
      const binds = controlBinds(model);
      const sockets = listeners.map(({ listener, fd }) => ({ ...binds[listener]!, fd }));
      const [forPeers, forCli] = [sockets.filter(s => s.section >= 0), sockets.filter(s => s.section < 0)];
      const common = { ...env, io, wheel, random: Math.random };
      const named = startNames({ ...common, openDatagrams, hasIpv6 });
      names = named;
      const checks = startHealth({ ...common, suspect: target => named.suspect(target) });
      peers = startPeers({ ...common, pid: task.facts.pid, log }, { model, tables: env.tables, succeeds }, forPeers);
      const shown = { asker, rings, checks, names, books, procVars, peers: peers.sections, environment, startupLogs };
      const cli = { ...common, ...shown };
      running.push(
        startPurging(env.tables, wheel, () => io.now()),
        names,
        checks,
        peers,
        startCli(cli, forCli),
      );
    },
    ask: () => {},
    handOver: () => {
      io.wake();
      const done = () => report(task.port, { type: 'handedOver' });
      if (peers === null) done();
      else peers.handOver(done);
    },
    name: ({ worker, question: { id, resolvers, name, prefer } }) => {
      io.wake();
      const answer = (address: Address | null) => report(task.port, { type: 'named', worker, id, address });
      if (names === null) answer(null);
      else names.lookUp(resolvers, name, prefer, answer);
    },
    named: () => {},
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
  freeLedger(natives);
}
