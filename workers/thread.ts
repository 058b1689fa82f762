/** What the task of every thread has in common: its end of the port, its view of the shared memory, its end. */
import { type MessagePort, threadId } from 'node:worker_threads';
import type { Severity } from '../engine/config/diagnostics.ts';
import { LOG_EMERG } from '../engine/health/log.ts';
import type { StateEnv } from '../engine/health/target.ts';
import { confineThread, keepCapabilities, takeCapabilities } from '../engine/io/confine.ts';
import type { Io } from '../engine/io/contract.ts';
import { errorText } from '../engine/io/native.ts';
import { Logger } from '../engine/log/index.ts';
import { Memory, topology } from '../engine/shm/memory.ts';
import { attachPast } from '../engine/shm/past.ts';
import { View } from '../engine/stats/view.ts';
import { Tables } from '../engine/stick/tables.ts';
import { wallMs } from '../engine/time.ts';
import { type Order, report, type Task } from './messages.ts';

export interface Thread {
  /** Everything is loaded and compiled: the task can take its orders. */
  readonly ready: () => void;
  readonly say: (severity: Severity, text: string) => void;
  /** Resolves when `end` is called. */
  readonly ended: Promise<void>;
  /** The task is done: the port is closed, the thread may go. */
  readonly end: () => void;
}

type Orders = { readonly [K in Order['type']]: (order: Extract<Order, { type: K }>) => void };

/** Takes the master's orders, one method each, from now until the task ends. */
export function joinMaster(port: MessagePort, orders: Orders): Thread {
  const { promise, resolve } = Promise.withResolvers<void>();
  port.on('message', (order: Order) => {
    (orders[order.type] as (order: Order) => void)(order);
  });
  return {
    ready: () => report(port, { type: 'ready', threadId }),
    say: (severity, text) => report(port, { type: 'say', severity, text }),
    ended: promise,
    end: () => {
      port.close();
      resolve();
    },
  };
}

/**
 * What a thread sees of the running configuration, and where it tells of state changes: the terminal and the logs.
 * `worker`: its number; null = the control thread.
 */
export function attach(
  task: Task,
  worker: number | null,
  io: Io,
  say: Thread['say'],
): StateEnv & { readonly view: View; readonly logger: Logger; readonly tables: Tables } {
  const { model, facts } = task;
  const memory = Memory.attach(task.memory);
  memory.past = attachPast(task.past);
  const top = topology(model);
  const tables = new Tables(model, task.stick, worker ?? memory.shape.workers);
  const { pid, hostName } = facts;
  const complain = (text: string) => say('warning', text);
  const logger = new Logger({ model, memory, worker, facts: { pid, hostname: hostName }, wall: wallMs, io, complain });
  return {
    model,
    memory,
    topology: top,
    tables,
    view: new View(model, memory, top, facts, tables.list),
    logger,
    now: () => io.now(),
    // As HAProxy: a backend without servers is an alert, every other change a warning.
    log: (level, proxy, text) => {
      say(level === LOG_EMERG ? 'alert' : 'warning', text);
      logger.line(level, proxy, text);
    },
  };
}

/** Becomes what the configuration says before anything is served. Throws. */
export function confine({ confinement, capabilities }: Task): void {
  const failed = confinement === null ? null : confineThread(confinement);
  if (failed !== null) throw new Error(`[sluice.main()] Cannot ${failed.what}: ${errorText(failed.errno)}`);
  const kept = capabilities?.only ? keepCapabilities() : 0;
  if (kept < 0) throw new Error(`[sluice.main()] Cannot keep capabilities: ${errorText(-kept)}`);
}

/** The process is another user by now. */
export function takeUp({ capabilities }: Task, say: Thread['say']): void {
  const taken = capabilities === null ? 0 : takeCapabilities(capabilities);
  if (taken < 0) say('warning', `Cannot set capabilities: ${errorText(-taken)}.`);
}
