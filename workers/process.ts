/** The life of the process around the master: binding, privileges, signals, who is told what. */
import module from 'node:module';
import type { Bind, Model } from '../engine/config/model.ts';
import { IO_NAMES, probeIo } from '../engine/io/choose.ts';
import { keepLittleMemory } from '../engine/io/process.ts';
import { describeTables } from '../engine/stick/tables.ts';
import { after, monotonicMs } from '../engine/time.ts';
import { type Configuration, masterBind } from './configuration.ts';
import { becomeDaemon, type DaemonChild } from './daemon.ts';
import { withMaxconn } from './facts.ts';
import { openListeners } from './listeners.ts';
import { Manager, writePidfile } from './manager.ts';
import { type Life, Master } from './master.ts';
import { startMasterCli } from './master-cli.ts';
import type { Options } from './options.ts';
import { dropPrivileges, limitDescriptors } from './privileges.ts';
import { planOf, Reloads } from './reload.ts';
import type { Say } from './say.ts';
import { watchSignals } from './signals.ts';
import { openOwn, tellOthers } from './take-over.ts';

/** Runs until nothing is left to do; resolves to the exit code. A signal may end the process before. */
export async function startProcess(
  configuration: Configuration,
  options: Options,
  program: string,
  child: DaemonChild | null,
  say: Say,
): Promise<number> {
  keepLittleMemory();
  if (!limitDescriptors(configuration.model.global, say)) return 1;
  const model = withMaxconn(configuration.model);
  if (model.global.daemon && child === null) return becomeDaemon(model);

  const io = pickIo(options.io, say);
  if (io === null) return 1;
  const plan = firstPlan(configuration, model, io, options, say);
  if (plan === null) return 1;
  const listeners = await openOwn(model, plan.workers, options, say);
  if (listeners === null) return 1;
  const own = openMaster(options, model, program, say);
  if (own === 'failed' || !writePidfile(model.global, say)) return 1;

  const { promise, resolve } = Promise.withResolvers<number>();
  const manager = new Manager(options, say);
  const life: Life = {
    ready: () => dropPrivileges(model.global),
    serving: () => {
      child?.ready();
      manager.ready();
      tellOthers(options);
      after(FLUSH_AFTER_MS, () => module.flushCompileCache());
    },
    done: () => resolve(0),
    failed: () => resolve(1),
  };
  const master = new Master({ ...plan, listeners }, options.memoryMb, life, say);
  const events = { begins: () => manager.reloading(), ends: () => manager.ready() };
  const reloads = new Reloads(master, options, program, io, say, events);
  if (own !== null) startMasterCli({ master, reloads, startedMs: monotonicMs() }, own.fd, own.bind);
  watchSignals({ master, reloads, manager, masterWorker: model.global.masterWorker, say });
  master.start();
  return promise;
}

/** Memory of the stick tables is taken here, all of it from the start; `-V` tells how much. Null after saying what lacks. */
function firstPlan(configuration: Configuration, model: Model, io: string, { verbose, finish }: Options, say: Say) {
  try {
    const succeeds = finish !== null && finish.pids.length > 0;
    const plan = { ...planOf(configuration, model, say), io, succeeds };
    if (verbose) for (const text of describeTables(model)) say('notice', text);
    return plan;
  } catch (error) {
    say('alert', `[sluice.main()] ${(error as Error).message}`);
    return null;
  }
}

/** The compile cache is written when the start is over, as a signal may end the process. Milliseconds. */
const FLUSH_AFTER_MS = 1_000;

/** `-S`, in master-worker mode; null = there is none. */
function openMaster(
  options: Options,
  model: Model,
  program: string,
  say: Say,
): { readonly fd: number; readonly bind: Bind } | null | 'failed' {
  if (options.masterSocket === null || !model.global.masterWorker) return null;
  const bind = masterBind(options, say, program);
  if (bind === null) return 'failed';
  const sockets = openListeners({ ...model, proxies: [], global: { ...model.global, statsSockets: [bind] } }, 1, say);
  return sockets === null ? 'failed' : { fd: sockets.control[0]!.fds[0]!, bind };
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
