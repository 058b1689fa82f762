/** The control thread: health checks, the stats sockets and peers. Nothing here happens per request. */
import { DynamicCookies } from '../engine/balance/dynamic-cookies.ts';
import { Asker } from '../engine/cli/asker.ts';
import { type Cli, startCli } from '../engine/cli/index.ts';
import { type Log, startHealth, startMails } from '../engine/health/index.ts';
import { LOG_NOTICE } from '../engine/health/log.ts';
import { createIo } from '../engine/io/choose.ts';
import type { Address } from '../engine/io/contract.ts';
import { openDatagrams } from '../engine/io/datagram.ts';
import { hasIpv6 } from '../engine/io/routes.ts';
import { startLogForwards } from '../engine/log/log-forward.ts';
import { Rings } from '../engine/log/rings.ts';
import { beginTraces } from '../engine/log/trace-words.ts';
import { Traces } from '../engine/log/traces.ts';
import { OcspUpdater } from '../engine/ocsp/updater.ts';
import { type Peers, startPeers } from '../engine/peers/index.ts';
import { type Names, startNames } from '../engine/resolvers/index.ts';
import { PatternBooks } from '../engine/sample/book.ts';
import { outside } from '../engine/sample/outside.ts';
import { ProcVars } from '../engine/sample/proc-vars.ts';
import { ChangeLog } from '../engine/shm/change-log.ts';
import { ringAll } from '../engine/shm/doorbell.ts';
import { attachPast } from '../engine/shm/past.ts';
import { startPurging } from '../engine/stick/purge.ts';
import { TimerWheel, wallMs } from '../engine/time.ts';
import { TlsChanges } from '../engine/tls/changes.ts';
import { freeLedger, keepLedger } from '../engine/tls/ledger.ts';
import { tlsStore } from '../engine/tls/store.ts';
import { collectSoon } from './garbage.ts';
import { type ControlBind, controlBinds } from './listeners.ts';
import { type CliLine, type ControlTask, report } from './messages.ts';
import { PortConn } from './port-conn.ts';
import { attach, confine, joinMaster, takeUp } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model, environment, startupLogs, listeners, natives, succeeds } = task;
  keepLedger(natives);
  // Descriptors are passed on through a socket that has one itself.
  const io = createIo(model.global.statsSockets.some(bind => bind.exposeFd) ? 'net' : task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  /** Those that came through the master, by id. */
  const conns = new Map<number, PortConn>();
  const running: { stop(): void }[] = [];
  let cli: Cli | null = null;
  let names: Names | null = null;
  const env = attach(task, null, io, (severity, text) => thread.say(severity, text));
  const peersLog = (level: number, section: number, text: string) => {
    thread.say('warning', text);
    env.logger.peers(level, section, text);
  };
  let peers: Peers | null = null;
  // Its number is the one behind those of the workers.
  const changes = new ChangeLog(task.changes, env.memory.shape.workers);
  const books = new PatternBooks(model.patternRefs, changes);
  const tls = new TlsChanges(tlsStore(model.tls), changes);
  const procVars = new ProcVars(model.global.procVars, changes);
  const traces = new Traces(changes);
  beginTraces(traces, model);
  const dynamicCookies = new DynamicCookies(model.proxies, changes);
  env.view.dynamicCookies = dynamicCookies;
  // Its predecessor may have died.
  changes.catchUp();
  const keepShort = changes.listenLong(() => {
    // Who lags reads what it has missed when its doorbell rings; the log is still too long at the next change.
    if (!changes.compact()) ringAll(env.memory);
  });
  /** What came before the runtime API was there. */
  const early: (() => void)[] = [];
  const open = (cli: Cli, { id, line, open, ...start }: CliLine) => {
    const conn = new PortConn(id, bytes => {
      if (bytes === null) conns.delete(id);
      report(task.port, { type: 'said', id, bytes });
    });
    conns.set(id, conn);
    cli.open(conn, start);
    conn.take(new TextEncoder().encode(line));
    if (!open) conn.take(null);
  };
  let rests = false;
  const rest = () => {
    io.wake();
    if (!rests) {
      // Also before it serves: a thread that is told to rest so soon would else keep all of this task for ever.
      for (const part of [...running.splice(0), keepShort, rings]) part.stop();
      cli?.rest();
    }
    rests = true;
    report(task.port, { type: 'resting' });
  };
  const asker = new Asker(
    {
      ask: (worker, id, question) => report(task.port, { type: 'ask', id, worker, question }),
      place: (id, placing) => report(task.port, { type: 'place', id, placing }),
      expose: id => report(task.port, { type: 'expose', id }),
      forget: (all, server) => report(task.port, { type: 'forget', all, server }),
      sockets: (id, proxy, state) => report(task.port, { type: 'sockets', id, proxy, state }),
    },
    env.memory,
    wheel,
    () => io.now(),
  );
  const thread = joinMaster(task.port, {
    serve: () => {
      io.wake();
      takeUp(task, thread.say);
      const binds = controlBinds(model);
      const sockets = listeners.map(({ listener, fd }) => ({ ...binds[listener]!, fd }));
      const forUse = (use: ControlBind['use']) => sockets.filter(socket => socket.use === use);
      const there = outside(model, books, procVars, env);
      env.logger.evaluate(() => there);
      const mails = startMails({ model, io, wheel });
      running.push(mails);
      const log: Log = (level, proxy, text, mailLevel = level) => {
        env.log(level, proxy, text);
        mails.alert(mailLevel, proxy, text);
      };
      const common = { ...env, log, io, wheel, random: Math.random, outside: there };
      // Names are looked up until the end, for the streams that are there; what becomes of servers tells the next generation.
      const unlessResting: Log = (...told) => {
        if (!rests) log(...told);
      };
      const named = startNames({ ...common, openDatagrams, hasIpv6, log: unlessResting });
      names = named;
      const checks = startHealth({ ...common, suspect: target => named.suspect(target) });
      peers = startPeers(
        { ...common, pid: task.facts.pid, log: peersLog },
        { model, tables: env.tables, succeeds },
        forUse('peers'),
      );
      env.view.peers = peers;
      const purging = startPurging(env.tables, wheel, () => io.now());
      const { pid, hostName } = task.facts;
      const forwarding = startLogForwards(
        { ...common, facts: { pid, hostname: hostName }, wall: wallMs, sinks: env.logger.sinks },
        forUse('logs'),
      );
      // HTTP clients of the process ask the name servers of this section, which is always there.
      const resolvers = model.resolvers.findIndex(({ name }) => name === 'default');
      const ocsp = new OcspUpdater({
        ...{ io, wheel, tls, settings: model.global.tls },
        lookUp: (name, done) => named.lookUp(resolvers, name, 4, done),
        note: text => env.logger.process(LOG_NOTICE, text),
      });
      running.push(purging, checks, peers, forwarding, ocsp);
      const own = { names, books, procVars, dynamicCookies, traces, tls, ocsp, peers: peers.sections };
      const exit = (code: number) => report(task.port, { type: 'exit', code });
      const shown = { asker, rings, checks, ...own, environment, startupLogs, exit };
      cli = startCli({ ...common, ...shown }, forUse('cli'));
      for (const late of early.splice(0)) late();
    },
    ask: () => {},
    log: ({ level, proxy, text }) => {
      io.wake();
      env.logger.line(level, proxy, text);
    },
    handOver: () => {
      io.wake();
      const done = () => report(task.port, { type: 'handedOver' });
      if (peers === null || rests) done();
      else peers.handOver(done);
    },
    name: ({ worker, question: { id, resolvers, name, prefer } }) => {
      io.wake();
      const answer = (address: Address | null) => report(task.port, { type: 'named', worker, id, address });
      const lookUp = () => names!.lookUp(resolvers, name, prefer, answer);
      if (names !== null) lookUp();
      else if (rests) answer(null);
      else early.push(lookUp);
    },
    named: () => {},
    answer: ({ id, answer }) => {
      io.wake();
      asker.answered(id, answer);
    },
    cli: line => {
      io.wake();
      if (cli === null) early.push(() => open(cli!, line));
      else open(cli, line);
    },
    typed: ({ id, bytes }) => {
      io.wake();
      if (cli === null) early.push(() => conns.get(id)?.take(bytes));
      else conns.get(id)?.take(bytes);
    },
    taken: ({ id, bytes, gone }) => {
      io.wake();
      if (gone) conns.get(id)?.abort();
      else conns.get(id)?.taken(bytes);
    },
    past: ({ past }) => {
      env.memory.past = attachPast(past);
    },
    rest,
    stop: ({ soft }) => {
      rest();
      names?.stop();
      if (cli === null) thread.end();
      else cli.stop(soft, thread.end);
    },
  });
  // Their files are opened with the rights that the process has at its start.
  const complain = (text: string) => thread.say('warning', text);
  const rings = new Rings({ model, memory: env.memory, io, wheel, complain });
  confine(task);
  thread.ready();
  await thread.ended;
  await io.stop();
  freeLedger(natives);
  collectSoon();
}
