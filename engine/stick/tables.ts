/** All stick tables of a configuration: their memory, and how one thread sees them. */
import { randomInt } from 'node:crypto';
import type { Model } from '../config/model.ts';
import type { StickTable } from '../config/stick-model.ts';
import { Holds } from './holds.ts';
import { REFS } from './layout.ts';
import { createTable, Table, tableBytes } from './table.ts';
import { addValue } from './values.ts';

/** What the master makes and hands to every thread. */
export interface StickMemory {
  /** In the order of `model.tables`. */
  readonly tables: readonly SharedArrayBuffer[];
  readonly holds: SharedArrayBuffer;
  /** Added to the row of a thread to know it as a writer: tables that live on have writers of several generations. */
  readonly base: number;
}

/** A configuration that was in force, and its tables. */
export interface StickPast {
  readonly model: Model;
  readonly stick: StickMemory;
}

/** Writers of one generation at most: rows of holds. */
const ROWS_MAX = 128;

/** Number of the type `conn_cur`, which goes down when an entry is given back. */
const CONN_CUR = 6;

/**
 * Memory for the tables of the model; those that `before` has with the same definition live on as they are, while threads
 * of the earlier generation go on using them. Throws an Error that names the table for which there is not enough.
 */
export function createStickMemory(model: Model, workers: number, before: StickPast | null = null): StickMemory {
  const tables = model.tables.map(spec => {
    const same = before === null ? undefined : heirloom(spec, model, before);
    if (same !== undefined) return same;
    try {
      return createTable(spec, randomInt(2 ** 32) | 0);
    } catch (error) {
      const mib = Math.ceil(tableBytes(spec) / 2 ** 20);
      throw new Error(`stick-table '${spec.name}' needs ${mib} MiB of memory for ${spec.size} entries: ${error}`);
    }
  });
  return {
    tables,
    holds: Holds.create(workers + 2, holdsPerWorker(model)).buffer,
    base: before === null ? 0 : before.stick.base + ROWS_MAX,
  };
}

/** The table of that name, if it is laid out as this one, and servers have kept the numbers that it may hold. */
function heirloom(spec: StickTable, model: Model, { model: old, stick }: StickPast): SharedArrayBuffer | undefined {
  const table = old.tables.find(({ name }) => name === spec.name);
  if (table === undefined || layoutOf(table) !== layoutOf(spec)) return undefined;
  const holdsServers = spec.data.some(({ type }) => type === 'server_id');
  return holdsServers && !sameServerIds(model, old) ? undefined : stick.tables[table.index];
}

/** What two tables of the same memory have in common: all but where they stand, and who else they are shared with. */
function layoutOf({ file, line, index, writeTo, peers, ...layout }: StickTable): string {
  return JSON.stringify(layout);
}

function sameServerIds(model: Model, old: Model): boolean {
  const idsOf = ({ proxies }: Model) =>
    new Map(proxies.flatMap(proxy => proxy.servers.map(({ name, id }) => [`${proxy.name}/${name}`, id] as const)));
  const before = idsOf(old);
  return [...idsOf(model)].every(([name, id]) => (before.get(name) ?? id) === id);
}

/** What all connections of the process can track; only what is in use takes memory. */
function holdsPerWorker({ tables, global }: Model): number {
  return tables.length === 0 ? 0 : global.maxconn * global.tune.stickCounters;
}

/** For `-V`: what each table takes. */
export function describeTables(model: Model): string[] {
  return model.tables.map(spec => {
    const bytes = tableBytes(spec);
    return `stick-table '${spec.name}': ${spec.size} entries, ${bytes} bytes (${Math.round(bytes / spec.size)} per entry).`;
  });
}

/** The tables, as the thread with the given row of holds sees them: a worker's number, or the number of workers. */
export class Tables {
  readonly list: readonly Table[];
  readonly holds: ReturnType<Holds['row']>;

  constructor(model: Pick<Model, 'tables'>, memory: StickMemory, row: number) {
    this.holds = Holds.attach(memory.holds).row(row);
    this.list = model.tables.map(spec => new Table(spec, memory.tables[spec.index]!, memory.base + row, this.holds));
  }

  /** By the name in the configuration. */
  named(name: string): Table | null {
    return this.list.find(table => table.spec.name === name) ?? null;
  }
}

/** Gives back what the thread of a row held when it ended, and finishes what it had begun. Called by the master. */
export function reclaimTables(model: Pick<Model, 'tables'>, memory: StickMemory, row: number): void {
  const holds = Holds.attach(memory.holds);
  const own = holds.row(holds.last);
  const tables = model.tables.map(spec => new Table(spec, memory.tables[spec.index]!, memory.base + holds.last, own));
  for (const table of tables) table.recover(memory.base + row);
  holds.reclaim(row, (index, entry, counted) => {
    const table = tables[index];
    if (table === undefined) return;
    const current = table.field(CONN_CUR);
    if (current !== null && counted) addValue(table, entry, current, 0, 0, -1);
    Atomics.sub(table.words, table.at(entry) + REFS, 1);
  });
}
