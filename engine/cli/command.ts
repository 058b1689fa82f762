/** What a command of the runtime API is: one row of one table. */
import type { Bind } from '../config/model.ts';
import type { StateEnv } from '../health/target.ts';
import type { Io } from '../io/contract.ts';
import type { Dump } from '../stats/out.ts';
import type { View } from '../stats/view.ts';
import type { TimerWheel } from '../time.ts';

/** Each level may do what those before it may. */
export const LEVELS = ['user', 'operator', 'admin'] as const;
export type Level = (typeof LEVELS)[number];

export interface CliEnv extends StateEnv {
  readonly io: Io;
  readonly wheel: TimerWheel;
  readonly view: View;
  /** What `show env` shows. */
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** What a command may see and change of the connection it came on. */
export interface CliState {
  level: Level;
  /** Interactive mode: answers end with `> ` and the connection stays open. */
  prompt: boolean;
  expert: boolean;
  experimental: boolean;
  /** Idle time after which the connection is closed. Milliseconds; 0 = never. */
  timeoutMs: number;
  /** The command asked for the end of the connection. */
  quit: boolean;
}

export interface Call {
  readonly env: CliEnv;
  readonly state: CliState;
  /** The words after the command's own. */
  readonly args: readonly string[];
  /** All commands, and the sockets they come from. */
  readonly commands: readonly Command[];
  readonly sockets: readonly Bind[];
}

export interface Command {
  /** `show stat` */
  readonly words: string;
  /** What `help` shows after the words. */
  readonly usage: string;
  readonly help: string;
  /** The lowest level that may run it. */
  readonly level: Level;
  /** The answer: a text (without the last line feed; '' = nothing to say) or a dump that is pulled piece by piece. */
  run(call: Call): string | Dump;
}

export function allowed(level: Level, needed: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(needed);
}
