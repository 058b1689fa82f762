/** Which io a thread runs on. */
import type { Io } from './contract.ts';
import { createNetIo } from './net.ts';
import { createUringIo, type UringOptions } from './uring/index.ts';

/** What `--io` takes; the first is the default. */
export const IO_NAMES: readonly string[] = ['auto', 'net', 'uring'];

export interface Choice {
  readonly io: Io;
  /** Why this one, in words for one line of the log. */
  readonly reason: string;
}

/**
 * `auto`: uring where the machine gives a ring, else net. Throws on a name that is not in `IO_NAMES`, and when uring is
 * asked for by name and cannot be had.
 */
export function chooseIo(name: string, options: UringOptions = {}): Choice {
  if (!IO_NAMES.includes(name)) throw new Error(`unknown io '${name}': one of ${IO_NAMES.join(', ')}`);
  if (name === 'net') return { io: createNetIo(), reason: 'asked for' };
  const io = createUringIo(options);
  if (typeof io !== 'string') return { io, reason: name === 'uring' ? 'asked for' : 'the kernel gives a ring' };
  if (name === 'uring') throw new Error(io);
  return { io: createNetIo(), reason: io };
}

/** Small pools: enough to see whether a ring can be had. */
const PROBE: UringOptions = { received: { bytes: 4096, count: 1, max: 1 }, output: { bytes: 4096, count: 1, max: 1 } };

/** Which io `chooseIo` would give here, and why. Throws as it does. */
export function probeIo(name: string): { readonly name: 'net' | 'uring'; readonly reason: string } {
  const { io, reason } = chooseIo(name, PROBE);
  void io.stop();
  return { name: io.name === 'uring' ? 'uring' : 'net', reason };
}

/** The io alone. */
export function createIo(name: string): Io {
  return chooseIo(name).io;
}
