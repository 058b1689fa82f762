/**
 * Load balancers that have one process together. Changes come one by one and are taken together: while the process reads its
 * configuration, those who come wait for the next time. What does not work is found by trying them apart, and undone for
 * that load balancer alone.
 */
import { joinedText, proxyNames } from '../../engine/lbaas/preamble.ts';
import { type StatRow, statRows } from '../../engine/lbaas/stat-rows.ts';
import { monotonicMs } from '../../engine/time.ts';
import type { IsDone, OwnProcesses } from './processes.ts';

interface Asked {
  readonly id: string;
  /** Null = it leaves. */
  readonly text: string | null;
  /** Commands that do the same at run time; null = only the configuration says it. */
  readonly commands: { readonly words: readonly string[]; readonly isDone: IsDone } | null;
  readonly done: PromiseWithResolvers<void>;
}

/** One look at the process serves all its load balancers. */
const LOOK_MS = 40;

export class ProcessGroup {
  readonly name: string;
  readonly #processes: OwnProcesses;
  /** Configurations by load balancer: in force, or about to be. */
  #texts = new Map<string, string>();
  #asked: Asked[] = [];
  #working = false;
  #look: { readonly ms: number; readonly rows: Promise<ReadonlyMap<string, readonly StatRow[]>> } | null = null;

  /** @param texts that were in force before this controller */
  constructor(name: string, processes: OwnProcesses, texts: ReadonlyMap<string, string>) {
    this.name = name;
    this.#processes = processes;
    this.#texts = new Map(texts);
  }

  /** Resolves when the process does it; rejects when it cannot, and then does what it did before. */
  set(id: string, text: string | null): Promise<void> {
    return this.#ask({ id, text, commands: null });
  }

  /** By commands of the runtime API. */
  change(id: string, words: readonly string[], isDone: IsDone, text: string): Promise<void> {
    return this.#ask({ id, text, commands: { words, isDone } });
  }

  #ask(asked: Omit<Asked, 'done'>): Promise<void> {
    const done = Promise.withResolvers<void>();
    this.#asked.push({ ...asked, done });
    void this.#work();
    return done.promise;
  }

  async #work(): Promise<void> {
    if (this.#working) return;
    this.#working = true;
    while (this.#asked.length > 0) {
      const round = this.#asked;
      this.#asked = [];
      for (const one of round.filter(({ commands }) => commands !== null)) await this.#try([one]);
      const read = round.filter(({ commands }) => commands === null);
      if (read.length > 0 && !(await this.#try(read))) for (const one of read) await this.#try([one]);
    }
    this.#working = false;
  }

  /** False: it is not known whose fault it is; nothing has changed. */
  async #try(round: readonly Asked[]): Promise<boolean> {
    const before = this.#texts;
    this.#texts = new Map(before);
    for (const { id, text } of round) {
      if (text === null) this.#texts.delete(id);
      else this.#texts.set(id, text);
    }
    try {
      await this.#bring(round[0]!.commands);
    } catch (error) {
      this.#texts = before;
      if (round.length > 1) return false;
      // The others must not suffer: they may have lost their process by it.
      if (round[0]!.commands === null) await this.#bring(null).catch(() => {});
      round[0]!.done.reject(error);
      return true;
    }
    this.#look = null;
    for (const { done } of round) done.resolve();
    return true;
  }

  async #bring(commands: Asked['commands']): Promise<void> {
    if (this.#texts.size === 0) return this.#processes.stop(this.name);
    const text = this.#text();
    if (commands !== null) return this.#processes.change(this.name, commands.words, commands.isDone, text);
    if (this.#processes.isRunning(this.name) && this.#processes.applied(this.name) === text) return;
    await this.#processes.serve(this.name, text, []);
  }

  /** The same load balancers give the same text. */
  #text(): string {
    const sorted = [...this.#texts].sort(([a], [b]) => (a < b ? -1 : 1));
    return joinedText(
      sorted.map(([, text]) => text),
      this.#processes.site(this.name),
    );
  }

  /** The rows of `show stat` of one load balancer. */
  async rows(id: string): Promise<readonly StatRow[]> {
    const now = monotonicMs();
    if (this.#look === null || now - this.#look.ms > LOOK_MS) this.#look = { ms: now, rows: this.#allRows() };
    return (await this.#look.rows).get(id) ?? [];
  }

  async #allRows(): Promise<Map<string, StatRow[]>> {
    const owners = new Map([...this.#texts].flatMap(([id, text]) => proxyNames(text).map(name => [name, id])));
    const rows = new Map<string, StatRow[]>();
    for (const row of statRows(await this.#processes.ask(this.name, 'show stat'))) {
      const owner = owners.get(row.pxname!) ?? '';
      const own = rows.get(owner) ?? [];
      own.push(row);
      rows.set(owner, own);
    }
    return rows;
  }
}
