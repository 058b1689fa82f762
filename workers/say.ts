/** What the operator reads on the terminal: HAProxy's start-up messages. */
import fs from 'node:fs';
import type { Severity } from '../engine/config/diagnostics.ts';
import { startupMessage } from '../engine/config/print.ts';

export interface Say {
  (severity: Severity, text: string): void;
  /** Text that is already in shape. */
  raw(text: string): void;
}

/** `quiet` (`-q`) says nothing at all, as HAProxy does. Written at once: an exit may follow. */
export function createSay(quiet: boolean, pid: number): Say {
  const raw = (text: string) => {
    if (!quiet) write(2, text);
  };
  return Object.assign((severity: Severity, text: string) => raw(startupMessage(severity, pid, text)), { raw });
}

/** Writes all of `text`. A terminal or pipe that is gone or full is no reason to end. */
export function write(fd: 1 | 2, text: string): void {
  try {
    fs.writeSync(fd, text);
  } catch {
    // nobody reads
  }
}
