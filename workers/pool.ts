/** The threads: a Piscina pool in which every task lasts as long as its thread is wanted. */
import os from 'node:os';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { Piscina } from 'piscina';
import { WORKER_HEAP_MAX_MB, WORKER_HEAP_MIN_MB } from '../engine/limits.ts';
import type { ControlTask, TrafficTask } from './messages.ts';

export interface Tasks {
  readonly traffic: TrafficTask;
  readonly control: ControlTask;
}

export interface Pool {
  /** Runs a task in a free thread. Settles when the task ends: rejects when its thread dies. */
  run<K extends keyof Tasks>(kind: K, task: Tasks[K]): Promise<void>;
  /** Resolves when a thread that runs now has ended and its descriptors are closed: later than its task's rejection. */
  gone(threadId: number): Promise<void>;
  /** Ends its threads; no task runs any more. */
  end(): void;
}

/** Threads of all generations together: more than a machine can run. */
const THREADS_MAX = 4_096;
/** A thread that a generation has left waits so long for the next one, its modules loaded. Milliseconds. */
const IDLE_MS = 10_000;

/**
 * Of each thread, for objects that have not lived long. With V8's own limit (twice as much) it
 * grows under load and never shrinks, for nothing: what lives longer than a turn of the loop is few and stays. MiB.
 */
const YOUNG_HEAP_MB = 24;

/**
 * `threads`: of one generation. `memoryMb`: for all threads together (`-m`); 0 = what the machine or its cgroup has. `complain`
 * hears of a thread that fails while it waits for a task: it is gone, and nobody misses it.
 */
export function createPool(threads: number, memoryMb: number, complain: (error: Error) => void): Pool {
  const pool = new Piscina<Tasks[keyof Tasks], void>({
    // Threads are made as tasks come: the workers need not wait for the control thread to load.
    minThreads: 0,
    maxThreads: THREADS_MAX,
    idleTimeout: IDLE_MS,
    // The event loop of a thread must run while its task does, and while it waits for one.
    atomics: 'disabled',
    maxQueue: THREADS_MAX,
    recordTiming: false,
    workerHistogram: false,
    // A thread that runs out of its heap dies alone and is replaced; the process goes on.
    resourceLimits: { maxOldGenerationSizeMb: heapMb(threads, memoryMb), maxYoungGenerationSizeMb: YOUNG_HEAP_MB },
  });
  pool.on('error', complain);
  const ends = new WeakMap<Worker, Promise<void>>();
  const endOf = (thread: Worker): Promise<void> => {
    const end = ends.get(thread) ?? new Promise(resolve => thread.once('exit', () => resolve()));
    ends.set(thread, end);
    return end;
  };
  return {
    run: (kind, task) => {
      // Piscina takes this type from another overload of postMessage than the one that it calls.
      const transferList = [task.port] as object;
      return pool.run(task, { filename: entry(kind), transferList });
    },
    gone: threadId => {
      const thread = pool.threads.find(thread => thread.threadId === threadId);
      return thread === undefined ? Promise.resolve() : endOf(thread);
    },
    end: () => void pool.destroy(),
  };
}

/** The thread's entry stands beside this file, as TypeScript in a checkout and as JavaScript in a package. */
function entry(kind: keyof Tasks): string {
  return path.join(import.meta.dirname, kind + path.extname(import.meta.filename));
}

function heapMb(threads: number, memoryMb: number): number {
  const machineMb = Math.min(process.constrainedMemory() || Infinity, os.totalmem()) / 2 ** 20;
  const share = (memoryMb || machineMb * 0.75) / threads;
  return Math.max(WORKER_HEAP_MIN_MB, Math.min(WORKER_HEAP_MAX_MB, Math.floor(share)));
}
