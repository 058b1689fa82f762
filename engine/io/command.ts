/** Child processes. The control thread runs them beside its work; the master waits for those that it needs an answer of. */
import { spawn, spawnSync } from 'node:child_process';
import { COMMAND_OUTPUT_BYTES, COMMAND_TIMEOUT_MS } from '../limits.ts';

/** What a shell's child that cannot be executed ends with. */
const COULD_NOT_START = 255;

export interface Command {
  /** Sends a signal to the program and what it started. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * Runs a program with exactly this environment and without any input or output. `onEnd` is called once, in a later event:
 * with its exit status, -1 when a signal ended it, COULD_NOT_START when there is no such program or it may not be run.
 */
export function runCommand(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  onEnd: (status: number) => void,
): Command {
  // Its own process group: a shell's children go with it.
  const child = spawn(command, args, { env: { ...env }, stdio: 'ignore', detached: true });
  let over = false;
  const end = (status: number): void => {
    if (!over) onEnd(status);
    over = true;
  };
  child.on('error', () => end(COULD_NOT_START));
  child.on('exit', status => end(status ?? -1));
  return {
    kill(signal) {
      if (over || child.pid === undefined) return;
      try {
        process.kill(-child.pid, signal);
      } catch {
        // It has just ended.
      }
    },
  };
}

/** Runs a program to its end and gives what it wrote; what it complains of goes where our own complaints go. */
export function outputOf(
  command: string,
  args: readonly string[],
): { readonly text: string } | { readonly problem: string } {
  const { error, status, signal, stdout } = spawnSync(command, args, {
    ...{ stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8', killSignal: 'SIGKILL' },
    ...{ timeout: COMMAND_TIMEOUT_MS, maxBuffer: COMMAND_OUTPUT_BYTES },
  });
  if (error !== undefined) return { problem: `'${command}' cannot be run: ${reasonOf(error)}` };
  if (status !== 0) return { problem: `'${command}' ended with ${signal ?? `status ${status}`}` };
  return { text: stdout };
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such program',
  EACCES: 'it may not be executed',
  ETIMEDOUT: `it took more than ${COMMAND_TIMEOUT_MS} ms`,
  ENOBUFS: `it wrote more than ${COMMAND_OUTPUT_BYTES} bytes`,
};

function reasonOf({ code = '', message }: NodeJS.ErrnoException): string {
  return REASONS[code] ?? message;
}
