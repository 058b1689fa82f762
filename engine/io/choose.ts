/** Which io a worker runs on. */
import type { Io } from './contract.ts';
import { createNetIo } from './net.ts';

/** The ios that serve real sockets, by the name that `--io` takes. */
const IOS: Readonly<Record<string, () => Io>> = { net: createNetIo };

/** The names that `createIo` takes. */
export const IO_NAMES: readonly string[] = Object.keys(IOS);

/** Throws on a name that is not in `IO_NAMES`. */
export function createIo(name: string): Io {
  const create = Object.hasOwn(IOS, name) ? IOS[name] : undefined;
  if (create === undefined) throw new Error(`unknown io '${name}': one of ${IO_NAMES.join(', ')}`);
  return create();
}
