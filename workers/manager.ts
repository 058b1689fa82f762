/** What a service manager sees and hears of us: the name, the pid file, systemd's notifications (`-Ws`, sd_notify(3)). */
import fs from 'node:fs';
import type { Global } from '../engine/config/global-model.ts';
import { errorText } from '../engine/io/native.ts';
import { notifyManager } from '../engine/io/process.ts';
import { clockMonotonicUs } from '../engine/time.ts';
import type { Options } from './options.ts';
import type { Say } from './say.ts';

export class Manager {
  readonly #socket: string | null;
  readonly #say: Say;

  constructor({ notify }: Options, say: Say) {
    this.#socket = (notify && process.env.NOTIFY_SOCKET) || null;
    this.#say = say;
  }

  ready(): void {
    this.#tell(`READY=1\nMAINPID=${process.pid}`);
  }

  /** `Type=notify-reload` compares since when with its own clock: earlier than its signal would be another reload. */
  reloading(): void {
    this.#tell(`RELOADING=1\nMONOTONIC_USEC=${clockMonotonicUs()}`);
  }

  stopping(): void {
    this.#tell('STOPPING=1');
  }

  #tell(state: string): void {
    if (this.#socket === null) return;
    const result = notifyManager(this.#socket, state);
    if (result < 0) this.#say('warning', `cannot notify ${this.#socket}: ${errorText(-result)}.`);
  }
}

/** The process that serves writes its own pid. Only one that a manager looks after must not start without. */
export function writePidfile({ pidfile, daemon, masterWorker }: Global, say: Say): boolean {
  if (pidfile === null) return true;
  try {
    fs.writeFileSync(pidfile, `${process.pid}\n`);
    return true;
  } catch (error) {
    const needed = daemon || masterWorker;
    say(needed ? 'alert' : 'warning', `[sluice.main()] Cannot create pidfile ${pidfile}: ${(error as Error).message}`);
    return !needed;
  }
}

/**
 * `--process-name`: `ps` shows it with our arguments; `killall` and `pidof` compare the kernel's own short name, which
 * the title alone would fill with arguments too.
 */
export function nameProcess(name: string): void {
  process.title = [name, ...process.argv.slice(2)].join(' ');
  try {
    fs.writeFileSync('/proc/self/comm', name);
  } catch {
    // not Linux
  }
}
