/** The life of the process around the master: binding, pid file, privileges, signals, who is told what. */
import fs from 'node:fs';
import module from 'node:module';
import type { Global, Model } from '../engine/config/model.ts';
import { IO_NAMES, probeIo } from '../engine/io/choose.ts';
import { errorText, fdLimits, setFdLimits } from '../engine/io/native.ts';
import { notifyManager } from '../engine/io/process.ts';
import { createStickMemory, describeTables, type StickMemory } from '../engine/stick/tables.ts';
import { after } from '../engine/time.ts';
import type { Configuration } from './configuration.ts';
import { becomeDaemon, type DaemonChild } from './daemon.ts';
import { openListeners } from './listeners.ts';
import { type Life, Master, withMaxconn, workerCount } from './master.ts';
import type { Options } from './options.ts';
import type { Say } from './say.ts';

/** Runs until nothing is left to do; resolves to the exit code. A signal may end the process before. */
export async function startProcess(
  configuration: Configuration,
  options: Options,
  child: DaemonChild | null,
  say: Say,
): Promise<number> {
  if (!limitDescriptors(configuration.model.global, say)) return 1;
  const model = withMaxconn(configuration.model);
  if (model.global.daemon && child === null) return becomeDaemon(model);

  const io = pickIo(options.io, say);
  if (io === null) return 1;
  const workers = workerCount(model);
  const listeners = openListeners(model, workers, say);
  if (listeners === null || !writePidfile(model.global, say)) return 1;
  if (options.takeOver !== null && options.takeOver !== '/dev/null') {
    say('notice', `-x ${options.takeOver}: taking over listening sockets is not supported by Sluice yet; bound anew.`);
  }

  if (model.global.chroot !== null) {
    say('notice', `'chroot' is not supported by Sluice yet: not confined to ${model.global.chroot}.`);
  }

  const stick = stickMemory(model, workers, options, say);
  if (stick === null) return 1;
  const { promise, resolve } = Promise.withResolvers<number>();
  const life: Life = {
    ready: () => dropPrivileges(model.global),
    serving: () => {
      child?.ready();
      tellManager(options, `READY=1\nMAINPID=${process.pid}`, say);
      finishOthers(options);
      after(FLUSH_AFTER_MS, () => module.flushCompileCache());
    },
    done: () => {
      sayCumulated(master, say);
      resolve(0);
    },
    failed: () => resolve(1),
  };
  const { environment, warnings } = configuration;
  const startupLogs = say.said();
  const { memoryMb, finish } = options;
  const succeeds = finish !== null && finish.pids.length > 0;
  const plan = { model, listeners, workers, stick, memoryMb, environment, startupLogs, warnings, io, succeeds };
  const master = new Master(plan, life, say);
  watchSignals(master, model, options, say);
  master.start();
  return promise;
}

/** The compile cache is written when the start is over, as a signal may end the process. Milliseconds. */
const FLUSH_AFTER_MS = 1_000;

/** Memory of the stick tables, all of it from the start; `-V` tells how much. Null after saying that there is not enough. */
function stickMemory(model: Model, workers: number, { verbose }: Options, say: Say): StickMemory | null {
  try {
    const memory = createStickMemory(model, workers);
    if (verbose) for (const text of describeTables(model)) say('notice', text);
    return memory;
  } catch (error) {
    say('alert', `[sluice.main()] ${(error as Error).message}`);
    return null;
  }
}

/** `--io`, or the best that works here; what is not the best is told. */
function pickIo(wanted: string | null, say: Say): string | null {
  try {
    const { name, reason } = probeIo(wanted ?? IO_NAMES[0]!);
    if (wanted === null && name === 'net') say('notice', `io_uring cannot be used (${reason}): serving with --io=net.`);
    return name;
  } catch (error) {
    say('alert', `--io: ${(error as Error).message}`);
    return null;
  }
}

/** `ulimit-n`. */
function limitDescriptors({ ulimitN }: Global, say: Say): boolean {
  const limits = fdLimits();
  if (ulimitN === 0 || 'errno' in limits) return true;
  const result = setFdLimits(ulimitN, Math.max(ulimitN, limits.hard));
  if (result >= 0) return true;
  say('alert', `[sluice.main()] Cannot raise FD limit to ${ulimitN}, limit is ${limits.hard}: ${errorText(-result)}.`);
  return false;
}

/** The process that serves writes its own pid. Only one that a manager looks after must not start without. */
function writePidfile({ pidfile, daemon, masterWorker }: Global, say: Say): boolean {
  if (pidfile === null) return true;
  try {
    fs.writeFileSync(pidfile, `${process.pid}\n`);
    return true;
  } catch (error) {
    const needed = daemon || masterWorker;
    say(needed ? 'alert' : 'warning', `[sluice.main()] Cannot create pidfile ${pidfile}: ${(error as Error).message}`);
    return !needed;
  }
}

/** `user`, `group`, `uid`, `gid`: the group first, as without root it could not be changed any more. Throws. */
function dropPrivileges({ uid, user, gid, group }: Global): void {
  const newGroup = gid ?? group;
  const newUser = uid ?? user;
  try {
    if (newGroup !== null && process.getgid!() !== newGroup) {
      if (process.getuid!() === 0) process.setgroups!([newGroup]);
      process.setgid!(newGroup);
    }
    if (newUser !== null && process.getuid!() !== newUser) process.setuid!(newUser);
  } catch (error) {
    throw new Error(
      `[sluice.main()] Cannot set user ${newUser ?? '-'}, group ${newGroup ?? '-'}: ${(error as Error).message}`,
    );
  }
}

/** systemd's `Type=notify` (`-Ws`). */
function tellManager(options: Options, state: string, say: Say): void {
  const socket = process.env.NOTIFY_SOCKET;
  if (!options.notify || !socket) return;
  const result = notifyManager(socket, state);
  if (result < 0) say('warning', `cannot notify ${socket}: ${errorText(-result)}.`);
}

/** `-sf`, `-st`: those who are gone already are no error. */
function finishOthers({ finish }: Options): void {
  for (const pid of finish?.pids ?? []) {
    try {
      process.kill(pid, finish!.signal);
    } catch {
      // gone
    }
  }
}

function sayCumulated(master: Master, say: Say): void {
  for (const { name, frontend, backend } of master.cumulated()) {
    say('warning', `Proxy ${name} stopped (cumulated conns: FE: ${frontend}, BE: ${backend}).`);
  }
}

/** Management guide, 4: what each signal does. */
function watchSignals(master: Master, model: Model, options: Options, say: Say): void {
  const stopping = () => tellManager(options, 'STOPPING=1', say);
  const terminate = (signal: 'SIGTERM' | 'SIGINT', code: number) => () => {
    stopping();
    // Under a manager the exit is a code; else HAProxy ends by the signal itself.
    if (model.global.masterWorker) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  process.on('SIGTERM', terminate('SIGTERM', 0));
  process.on('SIGINT', terminate('SIGINT', 130));
  process.on('SIGUSR1', () => {
    stopping();
    master.stop();
  });
  for (const signal of ['SIGUSR2', 'SIGHUP', 'SIGTTIN', 'SIGTTOU'] as const) {
    process.on(signal, () => say('notice', `${signal} is not supported by Sluice yet.`));
  }
}
