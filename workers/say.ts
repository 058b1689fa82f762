/** What the operator reads on the terminal: HAProxy's start-up messages. */
import fs from 'node:fs';
import type { Severity } from '../engine/config/diagnostics.ts';
import { startupMessage } from '../engine/config/print.ts';

export interface Say {
  (severity: Severity, text: string): void;
  /** Text that is already in shape. */
  raw(text: string): void;
  /** What follows is said about another start. */
  begin(): void;
  /** All of it since `begin`: what `show startup-logs` shows, when taken at the end of the start. */
  said(): string;
}

/** Characters that are kept for `show startup-logs`. */
const SAID_MAX = 65_536;

/** `quiet` (`-q`) says nothing at all, as HAProxy does. Written at once: an exit may follow. */
export function createSay(quiet: boolean, pid: number): Say {
  let said = '';
  const raw = (text: string) => {
    if (said.length < SAID_MAX) said += text;
    if (!quiet) write(2, text);
  };
  const say = (severity: Severity, text: string) => raw(startupMessage(severity, pid, text));
  return Object.assign(say, {
    raw,
    begin: () => {
      said = '';
    },
    said: () => said,
  });
}

/** Writes all of `text`. A terminal or pipe that is gone or full is no reason to end. */
export function write(fd: 1 | 2, text: string): void {
  try {
    fs.writeSync(fd, text);
  } catch {
    // nobody reads
  }
}
