/**
 * Every message between the threads, in one place. Threads meet in shared memory; they tell each other only what
 * happens a few times in a life.
 *
 *     master ── task (Piscina run) ──► worker, control
 *     master ◄── Report ── port ────── worker, control
 *     master ─── Order ─── port ─────► worker, control
 *
 * What the runtime API asks of the workers goes through the master, which knows whose port is whose:
 *
 *     control ── ask ──► master ── ask ──► worker ── answer ──► master ── answer ──► control
 */
import type { MessagePort } from 'node:worker_threads';
import type { FrontendSockets, NoAnswer } from '../engine/cli/asker.ts';
import type { Start } from '../engine/cli/session.ts';
import type { Severity } from '../engine/config/diagnostics.ts';
import type { Model, Placing } from '../engine/config/model.ts';
import type { Capabilities, Confinement } from '../engine/io/confine.ts';
import type { Address } from '../engine/io/contract.ts';
import type { PassedSocket } from '../engine/io/fd-passing.ts';
import type { NameQuestion } from '../engine/proxy/name-asks.ts';
import type { Answer, Question } from '../engine/proxy/questions.ts';
import type { ChangeBuffers } from '../engine/shm/change-log.ts';
import type { PastData } from '../engine/shm/past.ts';
import type { Facts } from '../engine/stats/view.ts';
import type { StickMemory } from '../engine/stick/tables.ts';

/** A descriptor of a listening socket, owned by the thread that gets it. */
export interface ListenerFd {
  /** Number of the listener over the whole configuration (`Topology`), or in `controlBinds` for control. */
  readonly listener: number;
  readonly fd: number;
}

/** What every thread gets. */
export interface Task {
  readonly model: Model;
  /** The shared memory (`Memory.attach`). */
  readonly memory: SharedArrayBuffer;
  /** What earlier generations have counted. */
  readonly past: readonly PastData[];
  /** The stick tables (`Tables`). */
  readonly stick: StickMemory;
  /** Changes of maps, ACLs and variables that all threads follow. */
  readonly changes: ChangeBuffers;
  readonly facts: Facts;
  /** Name of the io (engine/io/choose.ts). */
  readonly io: string;
  readonly listeners: readonly ListenerFd[];
  /** What the thread becomes before it serves; null = nothing. */
  readonly confinement: Confinement | null;
  /** What it takes when it serves, as another user; null = what it has then. */
  readonly capabilities: Capabilities | null;
  /** This thread's end; the master has the other. */
  readonly port: MessagePort;
  /** Where its native objects are noted (engine/tls/ledger.ts). */
  readonly natives: SharedArrayBuffer;
}

/** The life of a traffic worker: its task ends when it has drained. */
export interface TrafficTask extends Task {
  /** Its number, 0-based: its row in shared memory. */
  readonly worker: number;
}

/** The life of the control thread: checks, the stats sockets and peers. */
export interface ControlTask extends Task {
  /** As the configuration left it: what `show env` shows. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** What was said on the terminal before it started. */
  readonly startupLogs: string;
  /** It takes over from another process, which may come and tell what its stick tables hold. */
  readonly succeeds: boolean;
}

/** A line of the master's socket, for one generation. */
export interface CliLine extends Start {
  readonly id: number;
  /** With its payload; ends with a line feed, or is empty. */
  readonly line: string;
  /** More input may come: `typed`. */
  readonly open: boolean;
}

/** From the master to a thread. */
export type Order =
  /** Accept connections from now on: all threads of the start are ready, privileges are dropped. */
  | { readonly type: 'serve' }
  /** Accept nothing more. `soft`: finish what is there, then end the task; else end it at once. */
  | { readonly type: 'stop'; readonly soft: boolean }
  /** Control is to change no state any more, and to leave the stats sockets to others. */
  | { readonly type: 'rest' }
  /** What earlier generations have counted is this from now on. */
  | { readonly type: 'past'; readonly past: readonly PastData[] }
  /** The process leaves: control tells its successor what the stick tables hold, and answers `handedOver`. */
  | { readonly type: 'handOver' }
  /** A worker is asked something: its answer has the same `id`. */
  | { readonly type: 'ask'; readonly id: number; readonly question: Question }
  /** Control carries out a line of commands. */
  | ({ readonly type: 'cli' } & CliLine)
  /** Control tells the logs of a proxy. */
  | { readonly type: 'log'; readonly level: number; readonly proxy: number; readonly text: string }
  /** More input for a line that is `open`; null = there is no more. */
  | { readonly type: 'typed'; readonly id: number; readonly bytes: Uint8Array | null }
  /** So many bytes of what it says were taken; `gone`: nobody listens any more. */
  | { readonly type: 'taken'; readonly id: number; readonly bytes: number; readonly gone: boolean }
  /** Control is to find the address of a name for a worker; `named` has the same `worker` and `question.id`. */
  | { readonly type: 'name'; readonly worker: number; readonly question: NameQuestion }
  /** A worker gets the address, or null. */
  | { readonly type: 'named'; readonly id: number; readonly address: Address | null }
  /** Control gets the answer to what it asked. */
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer | NoAnswer | readonly PassedSocket[] };

/** From a thread to the master. */
export type Report =
  /** Everything is loaded and compiled: it could serve. */
  | { readonly type: 'ready'; readonly threadId: number }
  /** Control answers a line of the master's socket; null = that was all. */
  | { readonly type: 'said'; readonly id: number; readonly bytes: Uint8Array | null }
  /** Control was told to stop: it changes no state any more, though answers may still be on their way. */
  | { readonly type: 'resting' }
  /** The counts of earlier generations are cleared: those of one server (its number), or all. Maxima only, or totals too. */
  | { readonly type: 'forget'; readonly all: boolean; readonly server: number | null }
  /** For the operator's terminal. */
  | { readonly type: 'say'; readonly severity: Severity; readonly text: string }
  /** Control asks a worker something. */
  | { readonly type: 'ask'; readonly id: number; readonly worker: number; readonly question: Question }
  /** What the stick tables hold is told. */
  | { readonly type: 'handedOver' }
  /** A worker answers. */
  | { readonly type: 'answer'; readonly id: number; readonly answer: Answer }
  /** A worker wants to know the address of a name. */
  | { readonly type: 'name'; readonly worker: number; readonly question: NameQuestion }
  /** Control has found it, or null. */
  | { readonly type: 'named'; readonly worker: number; readonly id: number; readonly address: Address | null }
  /** A server or a backend was added or removed: threads that start from now on must know. Answered with null. */
  | { readonly type: 'place'; readonly id: number; readonly placing: Placing }
  /** The process is to end at once. */
  | { readonly type: 'exit'; readonly code: number }
  /** Control wants to know all listening sockets, to pass them on. */
  | { readonly type: 'expose'; readonly id: number }
  /** Control wants the listening sockets of a frontend (its index) in another state; answered with null when they are. */
  | { readonly type: 'sockets'; readonly id: number; readonly proxy: number; readonly state: FrontendSockets };

/** What the keeper of a thread passes on. */
export type Heard = Exclude<Report, { type: 'ready' }>;

/** Orders and reports are posted only through these two, so that each is of the union. */
export function order(port: MessagePort, message: Order): void {
  port.postMessage(message);
}

export function report(port: MessagePort, message: Report): void {
  port.postMessage(message);
}
