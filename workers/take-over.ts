/** Taking the place of another process: `-x` (its listening sockets), `-sf` and `-st` (management guide, 4). */

import type { Model } from '../engine/config/model.ts';
import { unixAddress } from '../engine/io/address.ts';
import { askForSockets } from '../engine/io/fd-passing.ts';
import { errorText } from '../engine/io/native.ts';
import { after } from '../engine/time.ts';
import { adopt, closeUnused, type Listeners, openListeners } from './listeners.ts';
import type { Options } from './options.ts';
import { createSay, type Say } from './say.ts';

/** How often and how long binding is tried again while another process lets go. Milliseconds. */
const RETRY_MS = 10;
const RETRIES = 200;

/** Opens what `model` binds, as far as the process at `-x` does not give it. Null after saying what cannot be bound. */
export async function openOwn(model: Model, workers: number, options: Options, say: Say): Promise<Listeners | null> {
  const before = taken(options, say);
  const pids = options.finish?.pids ?? [];
  const silent = Object.assign(() => {}, createSay(true, 0));
  let listeners = openListeners(model, workers, pids.length === 0 ? say : silent, before);
  if (listeners === null && pids.length > 0) {
    // They hold the addresses: they are asked to let go, and to take them up again if that does not help.
    signal(pids, 'SIGTTOU');
    for (let n = 0; listeners === null && n < RETRIES; n++) {
      await new Promise<void>(resolve => after(RETRY_MS, resolve));
      listeners = openListeners(model, workers, n === RETRIES - 1 ? say : silent, before);
    }
    if (listeners === null) signal(pids, 'SIGTTIN');
  }
  closeUnused(before, listeners ?? { traffic: [], control: [] });
  return listeners;
}

function taken({ takeOver }: Options, say: Say): Listeners {
  const none: Listeners = { traffic: [], control: [] };
  if (takeOver === null || takeOver === '/dev/null') return none;
  const sockets = askForSockets(unixAddress(takeOver));
  if (typeof sockets !== 'number') return adopt(sockets);
  say('warning', `-x ${takeOver}: cannot get listening sockets (${errorText(-sockets)}); bound anew.`);
  return none;
}

/** `-sf`, `-st`: we serve, so that they may go. */
export function tellOthers({ finish }: Options): void {
  if (finish !== null) signal(finish.pids, finish.signal);
}

/** Those who are gone already are no error. */
function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // gone
    }
  }
}
