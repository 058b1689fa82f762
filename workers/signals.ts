/** What each signal does (management guide, 4). */
import type { Manager } from './manager.ts';
import type { Master } from './master.ts';
import type { Reloads } from './reload.ts';
import type { Say } from './say.ts';
import { dumpPools, dumpStates } from './state-dump.ts';

interface Signalled {
  readonly master: Master;
  readonly reloads: Reloads;
  readonly manager: Manager;
  /** Under a manager the exit is a code; else HAProxy ends by the signal itself. */
  readonly masterWorker: boolean;
  readonly say: Say;
}

export function watchSignals({ master, reloads, manager, masterWorker, say }: Signalled): void {
  const terminate = (signal: 'SIGTERM' | 'SIGINT', code: number) => () => {
    manager.stopping();
    if (masterWorker) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  };
  const actions: Readonly<Partial<Record<NodeJS.Signals, () => void>>> = {
    SIGTERM: terminate('SIGTERM', 0),
    SIGINT: terminate('SIGINT', 130),
    SIGUSR1: () => {
      manager.stopping();
      master.stop();
    },
    SIGUSR2: () => void reloads.reload(false),
    SIGHUP: () => dumpStates(master.current, say),
    SIGTTOU: () => master.current.pause(),
    SIGTTIN: () => master.current.unpause(),
    SIGQUIT: () => dumpPools(master.current, say),
  };
  for (const [signal, act] of Object.entries(actions)) process.on(signal as NodeJS.Signals, act);
}
