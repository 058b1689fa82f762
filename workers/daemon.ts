/**
 * `-D`: the process that was started returns only when another one serves. There is no fork in Node, so that other
 * one is a child that starts from the beginning, in a session of its own, and says over a pipe that it is ready:
 *
 *     parent: reads the configuration ── spawns ──► waits ◄── "1" ── child: binds, starts threads, serves
 *                                                     └─ exit 0, or with the child's exit code when it fails
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import type { Model } from '../engine/config/model.ts';
import { leaveTerminal } from '../engine/io/process.ts';

/** In the child's environment: the descriptor of the pipe. */
const READY_FD = 'SLUICE_READY_FD';

export interface DaemonChild {
  /** Leaves the terminal and tells the parent that we serve. */
  ready(): void;
}

/** Null when this process is not a daemon's child. */
export function daemonChild(): DaemonChild | null {
  const fd = Number(process.env[READY_FD] ?? Number.NaN);
  delete process.env[READY_FD];
  if (!Number.isInteger(fd)) return null;
  return {
    ready: () => {
      leaveTerminal();
      try {
        fs.writeSync(fd, '1');
        fs.closeSync(fd);
      } catch {
        // The parent is gone; we serve nevertheless.
      }
    },
  };
}

/** Starts the child and resolves to the exit code of this process. */
export function becomeDaemon(model: Model): Promise<number> {
  // Descriptors that the configuration names must have the same numbers there; Node would close them.
  const inherited = [...model.proxies.flatMap(proxy => proxy.binds), ...model.global.statsSockets]
    .map(bind => bind.inheritedFd)
    .filter(fd => fd !== null);
  const pipe = Math.max(2, ...inherited) + 1;
  const stdio = Array.from({ length: pipe + 1 }, (_, fd): 'inherit' | 'ignore' | 'pipe' | number => {
    if (fd === pipe) return 'pipe';
    return fd <= 2 ? 'inherit' : inherited.includes(fd) ? fd : 'ignore';
  });
  const child = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(1)], {
    detached: true,
    stdio,
    env: { ...process.env, [READY_FD]: String(pipe) },
  });
  const { promise, resolve } = Promise.withResolvers<number>();
  child.stdio[pipe]!.once('data', () => resolve(0));
  child.once('error', () => resolve(1));
  child.once('exit', code => resolve(code || 1));
  return promise;
}
