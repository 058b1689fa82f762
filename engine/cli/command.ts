/** What a command of the runtime API is: one row of one table. */
import type { DynamicCookies } from '../balance/dynamic-cookies.ts';
import type { Bind } from '../config/model.ts';
import type { Health } from '../health/index.ts';
import type { StateEnv } from '../health/target.ts';
import type { Conn, Io } from '../io/contract.ts';
import type { Logger } from '../log/index.ts';
import type { Rings } from '../log/rings.ts';
import type { Traces } from '../log/traces.ts';
import type { OcspUpdater } from '../ocsp/updater.ts';
import type { Section } from '../peers/section.ts';
import type { Names } from '../resolvers/index.ts';
import type { PatternBooks } from '../sample/book.ts';
import type { ProcVars } from '../sample/proc-vars.ts';
import type { Dump } from '../stats/out.ts';
import type { View } from '../stats/view.ts';
import type { Tables } from '../stick/tables.ts';
import type { TimerWheel } from '../time.ts';
import type { TlsChanges } from '../tls/changes.ts';
import type { Asker } from './asker.ts';
import type { Message, Severity, SeverityOutput } from './severity.ts';

/** Each level may do what those before it may. */
export const LEVELS = ['user', 'operator', 'admin'] as const;
export type Level = (typeof LEVELS)[number];

/** What a session itself needs. */
export interface SessionEnv {
  readonly wheel: TimerWheel;
  /** Milliseconds of the shared clock. */
  now(): number;
  /** Idle time after which a connection is closed, at first. Milliseconds; 0 = never. */
  readonly timeoutMs: number;
  /** A line may be this long. */
  readonly lineBytesMax: number;
  /** And a payload so long. */
  readonly payloadBytesMax: number;
  /** Seconds since the start of what the session is about. */
  uptime(state: CliState): number;
}

export interface CliEnv extends StateEnv, Pick<SessionEnv, 'wheel'> {
  readonly io: Io;
  readonly view: View;
  readonly tables: Tables;
  readonly asker: Asker;
  /** Starts and ends the checks of a server that is added or deleted, and changes what an agent is told. */
  readonly checks: Pick<Health, 'add' | 'remove' | 'tellAgent'>;
  /** Resolves names at run time. */
  readonly names: Names;
  readonly peers: readonly Section[];
  /** What maps and ACLs look into, and the variables of the process. */
  readonly books: PatternBooks;
  readonly procVars: ProcVars;
  /** Names of servers in persistence cookies. */
  readonly dynamicCookies: DynamicCookies;
  /** Certificates and their kin. */
  readonly tls: TlsChanges;
  /** OCSP responses that are kept fresh. */
  readonly ocsp: Pick<OcspUpdater, 'entries' | 'update'>;
  readonly traces: Traces;
  /** What `show events` shows. */
  readonly rings: Pick<Rings, 'list' | 'watch'>;
  readonly logger: Pick<Logger, 'process'>;
  /** Ends the process at once, with this code. */
  exit(code: number): void;
  /** What was said on the terminal before the start. */
  readonly startupLogs: string;
  /** What `show env` shows. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a session turns on: `expert-mode`, `experimental-mode`, `mcli-debug-mode`. */
export const MODES = ['expert', 'experimental', 'debug'] as const;
export type Mode = (typeof MODES)[number];

/** What a command may see and change of the connection it came on. */
export interface CliState {
  level: Level;
  /** The connection stays open for more lines. */
  interactive: boolean;
  /** Interactive, and answers end with `> `. */
  prompt: boolean;
  /** The prompt tells the uptime. */
  timed: boolean;
  expert: boolean;
  experimental: boolean;
  /** The master's socket: its own threads' commands are there. */
  debug: boolean;
  /** `set anon`: names and addresses are shown as hashes with this key; 0 = as they are. */
  anonKey: number;
  /** Whether messages begin with how serious they are. */
  severityOutput: SeverityOutput;
  /** `expose-fd listeners`: listening sockets may be had here. */
  readonly exposeFd: boolean;
  /** Idle time after which the connection is closed. Milliseconds; 0 = never. */
  timeoutMs: number;
  /** The answer that is waited for ends with the next input. */
  interruptible: boolean;
  /** The command asked for the end of the connection. */
  quit: boolean;
}

export interface Call<E = CliEnv> {
  readonly env: E;
  readonly state: CliState;
  readonly conn: Conn;
  /** The words after the command's own. */
  readonly args: readonly string[];
  /** The lines after a `<<`, without the last line feed; null = there were none. */
  readonly payload: string | null;
  /** All commands, and the sockets they come from. */
  readonly commands: readonly Command<E>[];
  readonly sockets: readonly Bind[];
}

/** `E`: what it works on. */
export interface Command<E = CliEnv> {
  /** `show stat` */
  readonly words: string;
  /** What `help` shows after the words. */
  readonly usage: string;
  readonly help: string;
  /** The lowest level that may run it. */
  readonly level: Level;
  /** Not for people: `help` does not show it. */
  readonly hidden?: true;
  /** It is refused in any other mode; with `debug` it is not even known there. */
  readonly mode?: Mode;
  /** How serious its plain texts are; without it `usualSeverity`. */
  readonly severity?: Severity;
  run(call: Call<E>): Reply;
}

/**
 * The answer: a text (without the last line feed; '' = nothing to say), maybe with its severity, a dump that is pulled piece
 * by piece, or later. null = no answer at all, not even the empty line that ends others.
 */
export type Reply = string | Message | Dump | Later | null;

/**
 * An answer that other threads or time have a part in: calls `done` once, at once or in a later event, with a piece of
 * the text and what follows when the peer has taken that; null = nothing. Bytes go out as they are, a text as a line.
 * Returns what gives it up.
 */
export type Later = (done: (text: string | Message | Uint8Array, more: Later | null) => void) => () => void;

/** A `Later` that cannot be given up: who waits for it is gone when it comes. */
export function later(begin: (done: (text: string | Message, more?: Later | null) => void) => void): Later {
  return done => {
    let wanted = true;
    begin((text, more = null) => {
      if (wanted) done(text, more);
    });
    return () => {
      wanted = false;
    };
  };
}

/** Whether the modes of a session let a command be run; `help` shows no other. */
export function isOpen<E>({ mode }: Command<E>, state: Pick<CliState, Mode>): boolean {
  return mode === undefined || state[mode];
}

export function allowed(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed);
}
