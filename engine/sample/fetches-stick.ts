/** Fetches of stick tables (manual 7.3.2, 7.3.3): what is tracked, what is known of the source address, how full they are. */
import { setKey, setKeyBytes } from '../stick/key.ts';
import { READINGS, type Read, type Reading, trackers } from '../stick/readings.ts';
import type { Table } from '../stick/table.ts';
import { type Tracked, trackedBy } from '../stick/tracking.ts';
import { keyBytes, keyInteger } from '../stick/values.ts';
import type { Args } from './arguments.ts';
import type { Env, Fetch, SampleContext } from './context.ts';
import { type FetchRow, fetch } from './row.ts';
import { Sample } from './sample.ts';

/** The named table, or that of the rule's proxy. */
export function tableOf(args: Args, place: number, env: Env): Table | null {
  const name = args.text(place);
  const { tables, model } = env.worker;
  if (name !== '') return tables.named(name);
  // What is evaluated for the process stands in no proxy.
  if (env.proxy < 0) return null;
  return tables.list[model.proxies[env.proxy]!.table] ?? null;
}

const NONE: readonly Tracked[] = [];

function trackedAt(ctx: SampleContext, counter: number): Tracked | null {
  return trackedBy(ctx.stream === null ? NONE : ctx.stream.tracked, ctx.session.tracked, counter);
}

/** Reads, per table: which one is tracked is only known when it is. */
function reads(reading: Reading, element: number): (table: Table) => Read | null {
  const known: (Read | null)[] = [];
  return table => {
    const { index } = table.spec;
    const read = known[index];
    if (read !== undefined) return read;
    known[index] = reading.of(table, element);
    return known[index]!;
  };
}

/** The key of a tracked entry, looked up in another table; -1 = it is not there. The entry is held. */
function sameKey(tracked: Tracked, table: Table, now: number, add: boolean): number {
  const { spec } = tracked.table!;
  if (spec.key !== table.spec.key) return -1;
  setKeyBytes(table.spec, keyBytes(tracked.table!, tracked.entry));
  return add ? table.findOrAdd(now) : table.find(now);
}

/** What a counter tracks, or what another table says of the tracked key. */
function ofTracked(reading: Reading, counter: number, element: number, other: Table | null): Fetch {
  const readOf = reads(reading, element);
  return (ctx, out) => {
    const tracked = trackedAt(ctx, counter);
    if (tracked === null) return false;
    const table = other ?? tracked.table!;
    const read = readOf(table);
    const own = table === tracked.table;
    if (read === null && (own || reading.changes)) return false;
    const now = ctx.session.context.io.now();
    if (own) return out.setInt(read!(table, tracked.entry, now));
    const entry = sameKey(tracked, table, now, reading.changes);
    return ofHeld(table, entry, read, now, out);
  };
}

/** 0 where there is no entry, whatever the table stores. */
function ofHeld(table: Table, entry: number, read: Read | null, now: number, out: Sample): boolean {
  if (entry < 0) return out.setInt(0);
  const result = read === null ? 0 : read(table, entry, now);
  table.release(entry);
  return read !== null && out.setInt(result);
}

const source = new Sample();

function ofSource(reading: Reading, element: number, table: Table | null): Fetch {
  const read = table === null ? null : reading.of(table, element);
  return (ctx, out) => {
    const address = ctx.session.source();
    if (table === null || address === null || address.family === 1) return false;
    if (read === null && reading.changes) return false;
    source.setIp(address.bytes);
    if (!setKey(table.spec, source)) return false;
    const now = ctx.session.context.io.now();
    return ofHeld(table, reading.changes ? table.findOrAdd(now) : table.find(now), read, now, out);
  };
}

/** Counters that have names of their own: `sc0_...`. */
const NAMED = [0, 1, 2];

/** The fetches that are made of a reading. */
function rowsOf(reading: Reading): FetchRow[] {
  const { name, doc, indexed, only } = reading;
  const index = indexed ? 'idx:int ' : '';
  const element = (args: Args): number => (indexed ? args.int(0) : 0);
  const behind = indexed ? 1 : 0;
  const rows: FetchRow[] = [
    fetch(`src_${name}`, `${index}[table:tab]`, 'sint', 'client', doc, (args, env) =>
      ofSource(reading, element(args), tableOf(args, behind, env)),
    ),
  ];
  if (only === 'src') return rows;
  rows.push(
    fetch(`sc_${name}`, `${index}ctr:int [table:othertab]`, 'sint', 'internal', doc, (args, env) =>
      ofTracked(reading, args.int(behind), element(args), named(args, behind + 1, env)),
    ),
  );
  // Those of arrays are newer than counters with names of their own.
  if (indexed) return rows;
  for (const counter of NAMED) {
    rows.push(
      fetch(`sc${counter}_${name}`, '[table:othertab]', 'sint', 'internal', doc, (args, env) =>
        ofTracked(reading, counter, 0, named(args, 0, env)),
      ),
    );
  }
  return rows;
}

function named(args: Args, place: number, env: Env): Table | null {
  const name = args.text(place);
  return name === '' ? null : env.worker.tables.named(name);
}

/** `sc_x(ctr)` and `sc0_x`, `sc1_x`, `sc2_x`. */
function ofCounter(
  name: string,
  out: 'bool' | 'sint' | 'any',
  table: boolean,
  doc: string,
  make: (counter: number, other: Table | null) => Fetch,
): FetchRow[] {
  const other = table ? '[table:othertab]' : '';
  return [
    fetch(`sc_${name}`, `ctr:int ${other}`, out, 'internal', doc, (args, env) =>
      make(args.int(0), table ? named(args, 1, env) : null),
    ),
    ...NAMED.map(counter =>
      fetch(`sc${counter}_${name}`, other, out, 'internal', doc, (args, env) =>
        make(counter, table ? named(args, 0, env) : null),
      ),
    ),
  ];
}

function isTracked(counter: number, other: Table | null): Fetch {
  return (ctx, out) => {
    const tracked = trackedAt(ctx, counter);
    if (tracked === null || other === null || other === tracked.table) return out.setBool(tracked !== null);
    const entry = sameKey(tracked, other, ctx.session.context.io.now(), false);
    if (entry >= 0) other.release(entry);
    return out.setBool(entry >= 0);
  };
}

function trackersOf(counter: number, other: Table | null): Fetch {
  return (ctx, out) => {
    const tracked = trackedAt(ctx, counter);
    if (tracked === null) return false;
    if (other === null || other === tracked.table) {
      return out.setInt(trackers(tracked.table!, tracked.entry, false));
    }
    const entry = sameKey(tracked, other, ctx.session.context.io.now(), false);
    return ofHeld(other, entry, table => trackers(table, entry, true), 0, out);
  };
}

function keyOf(counter: number): Fetch {
  return (ctx, out) => {
    const tracked = trackedAt(ctx, counter);
    return tracked !== null && putKey(tracked.table!, tracked.entry, out);
  };
}

function putKey(table: Table, entry: number, out: Sample): boolean {
  const { key } = table.spec;
  if (key === 'integer') return out.setInt(keyInteger(table, entry));
  const bytes = keyBytes(table, entry);
  if (key === 'ip' || key === 'ipv6') return out.setIp(bytes);
  return key === 'string' ? out.setStr(bytes, 0, bytes.length) : out.setBin(bytes, 0, bytes.length);
}

/** A number of a whole table. */
function ofTable(name: string, doc: string, read: (table: Table) => number): FetchRow {
  return fetch(name, '[table:tab]', 'sint', 'internal', doc, (args, env) => {
    const table = tableOf(args, 0, env);
    return (_, out) => table !== null && out.setInt(read(table));
  });
}

export const STICK_FETCHES: readonly FetchRow[] = [
  ...READINGS.flatMap(rowsOf),
  ...ofCounter('tracked', 'bool', true, 'The counter tracks something.', isTracked),
  ...ofCounter('trackers', 'sint', true, 'Who tracks the same key now.', trackersOf),
  ...ofCounter('key', 'any', false, 'The tracked key.', keyOf),
  ofTable('table_avl', 'Free places of a stick table.', table => table.spec.size - table.used),
  ofTable('table_cnt', 'Entries of a stick table.', table => table.used),
];
