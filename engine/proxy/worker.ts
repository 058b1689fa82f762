/** The data path of one worker, as its thread starts and stops it. */
import type { Model } from '../config/model.ts';
import type { Severity } from '../config/diagnostics.ts';
import type { Io } from '../io/contract.ts';
import type { Memory } from '../shm/memory.ts';

export interface TrafficEnv {
  readonly io: Io;
  readonly model: Model;
  readonly memory: Memory;
  /** Number of this worker, 0-based. */
  readonly worker: number;
  readonly facts: { readonly pid: number; readonly hostname: string };
  readonly log: (level: Severity, text: string) => void;
  /** Called once, after `stop`, when nothing is left. */
  readonly onIdle: () => void;
}

export interface TrafficHandle {
  /** Serves a listening descriptor, which the io owns from now on. `listenerNumber` as in `Topology`. */
  listen(listenerNumber: number, fd: number): void;
  /** Accepts nothing more. `soft`: finishes what is there. */
  stop(soft: boolean): void;
}

export declare function startTraffic(env: TrafficEnv): TrafficHandle;
