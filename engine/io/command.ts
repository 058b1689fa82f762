/** Child processes. Only the control thread runs any. */
import { spawn } from 'node:child_process';

export interface Command {
  /** Sends a signal to the program and what it started. */
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/**
 * Runs a program with exactly this environment and without any input or output. `onEnd` is called once, in a later event:
 * with its exit status, or -1 when a signal ended it or it could not be started.
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
  child.on('error', () => end(-1));
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
