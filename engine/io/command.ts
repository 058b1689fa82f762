/** Child processes. Only the control thread runs any. */
import { spawn } from 'node:child_process';

/** What a shell's child that cannot be executed ends with. */
export const COULD_NOT_START = 255;

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
