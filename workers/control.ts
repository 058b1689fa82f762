/** The control thread: health checks and the stats sockets. Nothing here happens per request. */
import { Asker } from '../engine/cli/asker.ts';
import { type Cli, startCli } from '../engine/cli/index.ts';
import { type Health, startHealth } from '../engine/health/index.ts';
import { createIo } from '../engine/io/choose.ts';
import { attachPast } from '../engine/shm/past.ts';
import { TimerWheel } from '../engine/time.ts';
import { type CliLine, type ControlTask, report } from './messages.ts';
import { PortConn } from './port-conn.ts';
import { attach, confine, joinMaster } from './thread.ts';

export default async function control(task: ControlTask): Promise<void> {
  const { model, environment, startupLogs, listeners } = task;
  // Descriptors are passed on through a socket that has one itself.
  const io = createIo(model.global.statsSockets.some(bind => bind.exposeFd) ? 'net' : task.io);
  const wheel = new TimerWheel(io.now());
  io.onTurn(now => wheel.advance(now));
  /** Those that came through the master, by id. */
  const conns = new Map<number, PortConn>();
  let checks: Health | null = null;
  let cli: Cli | null = null;
  const env = attach(task, null, io, (severity, text) => thread.say(severity, text));
  /** Lines that came before it serves. */
  const early: CliLine[] = [];
  const open = (cli: Cli, { id, line, ...start }: CliLine) => {
    const conn = new PortConn(id, bytes => {
      if (bytes === null) conns.delete(id);
      report(task.port, { type: 'said', id, bytes });
    });
    conns.set(id, conn);
    cli.open(conn, start);
    conn.take(new TextEncoder().encode(line));
  };
  let rests = false;
  const rest = () => {
    io.wake();
    if (!rests) {
      checks?.stop();
      cli?.rest();
    }
    rests = true;
    report(task.port, { type: 'resting' });
  };
  const asker = new Asker(
    {
      ask: (worker, id, question) => report(task.port, { type: 'ask', id, worker, question }),
      server: (id, proxy, server) => report(task.port, { type: 'server', id, proxy, server }),
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
      const sockets = listeners.map(({ listener, fd }) => ({ fd, bind: model.global.statsSockets[listener]! }));
      checks = startHealth({ ...env, io, wheel, random: Math.random });
      cli = startCli({ ...env, io, wheel, asker, checks, environment, startupLogs }, sockets);
      for (const line of early.splice(0)) open(cli, line);
    },
    ask: () => {},
    answer: ({ id, answer }) => {
      io.wake();
      asker.answered(id, answer);
    },
    cli: line => {
      io.wake();
      if (cli === null) early.push(line);
      else open(cli, line);
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
      if (cli === null) thread.end();
      else cli.stop(soft, thread.end);
    },
  });
  confine(task);
  thread.ready();
  await thread.ended;
  await io.stop();
}
