/** Reloads as the operator asks for them, by signal or on the master's socket, and what is said meanwhile. */
import type { Model } from '../engine/config/model.ts';
import { createStickMemory, type StickPast } from '../engine/stick/tables.ts';
import { readConfiguration } from './configuration.ts';
import { withMaxconn, workerCount } from './facts.ts';
import type { Plan } from './generation.ts';
import type { Master } from './master.ts';
import type { Options } from './options.ts';
import type { Say } from './say.ts';

/** Who else hears of reloads: a service manager. */
interface ReloadEvents {
  begins(): void;
  ends(): void;
}

/** What a configuration is to its threads, with the limits that the system gives. Throws when memory does not suffice. */
export function planOf(
  { environment, warnings }: Pick<Plan, 'environment' | 'warnings'>,
  model: Model,
  say: Say,
  before: StickPast | null = null,
): Omit<Plan, 'listeners' | 'io' | 'succeeds'> {
  const workers = workerCount(model);
  const stick = createStickMemory(model, workers, before);
  return { model, workers, stick, environment, warnings, startupLogs: say.said() };
}

export class Reloads {
  readonly #master: Master;
  readonly #options: Options;
  readonly #program: string;
  readonly #io: string;
  readonly #say: Say;
  readonly #events: ReloadEvents;
  /** What was said in the last start or reload. */
  logs = '';
  #last: Promise<unknown> = Promise.resolve();

  constructor(master: Master, options: Options, program: string, io: string, say: Say, events: ReloadEvents) {
    this.#master = master;
    this.#options = options;
    this.#program = program;
    this.#io = io;
    this.#say = say;
    this.#events = events;
    this.logs = say.said();
  }

  /** Reads the files again and puts them in force. `hard`: what was there ends at once. Resolves to whether it worked. */
  reload(hard: boolean): Promise<boolean> {
    const result = this.#last.then(() => this.#reload(hard));
    this.#last = result.catch(() => {});
    return result;
  }

  async #reload(hard: boolean): Promise<boolean> {
    const say = this.#say;
    this.#events.begins();
    say.begin();
    say('notice', 'Reloading Sluice');
    const done = await this.#master.reload(() => this.#next(), hard);
    if (done) say('notice', 'Loading success.');
    else say('warning', 'Loading failure!');
    this.logs = say.said();
    this.#events.ends();
    return done;
  }

  #next(): Omit<Plan, 'listeners'> | null {
    const configuration = readConfiguration(this.#options, this.#say, this.#program);
    if (configuration === null) return null;
    try {
      const { model, stick } = this.#master.current.plan;
      const plan = planOf(configuration, withMaxconn(configuration.model), this.#say, { model, stick });
      return { ...plan, io: this.#io, succeeds: false };
    } catch (error) {
      this.#say('alert', `[sluice.main()] ${(error as Error).message}`);
      return null;
    }
  }
}
