/** `show table`, `set table`, `clear table` (management guide, 9.3). */

import { STICK_FILTERS_MAX } from '../limits.ts';
import { steppedDump } from '../stats/out.ts';
import { dataType } from '../stick/data-types.ts';
import type { Field } from '../stick/layout.ts';
import type { Table } from '../stick/table.ts';
import { entryText, headerText, readKeyText, readPointer } from '../stick/text.ts';
import { readValue, setValue } from '../stick/values.ts';
import { allowed, type Call, type CliEnv, type Command, type Reply } from './command.ts';
import { DENIED, err } from './severity.ts';

const OPERATORS: Readonly<Record<string, (a: number, b: number) => boolean>> = {
  eq: (a, b) => a === b,
  ne: (a, b) => a !== b,
  le: (a, b) => a <= b,
  ge: (a, b) => a >= b,
  lt: (a, b) => a < b,
  gt: (a, b) => a > b,
};

/** Expired entries that go before a table is shown. */
const PURGE_FIRST = 10_000;

/** Entries looked at in one step of a dump or of a removal. */
const STEP_ENTRIES = 256;

interface Filter {
  readonly field: Field;
  readonly element: number;
  readonly holds: (a: number, b: number) => boolean;
  readonly value: number;
}

/** `data.gpc0`, `data.gpc[1]`: where that is stored, or what is wrong. */
function readField(table: Table, word: string): Pick<Filter, 'field' | 'element'> | string {
  const [, name = '', index = '0'] = /^data\.(\w+)(?:\[(\d{1,3})\])?$/.exec(word) ?? [];
  const type = dataType(name);
  if (type === undefined || (word.endsWith(']') && !type.array)) return 'Unknown data type';
  const field = table.field(type.number);
  if (field === null) return 'Data type not stored in this table';
  const element = Number(index);
  return element < field.count ? { field, element } : 'Data type not stored in this table';
}

function readFilters(table: Table, words: readonly string[]): Filter[] | string {
  const filters: Filter[] = [];
  for (let i = 0; i < words.length; i += 3) {
    const n = `Filter entry #${filters.length + 1}: `;
    if (filters.length === STICK_FILTERS_MAX) return extra(i + FILTERS_AT, words[i - 1]!);
    const where = readField(table, words[i]!);
    if (typeof where === 'string') return n + where;
    const operator = words[i + 1] ?? '';
    if (!Object.hasOwn(OPERATORS, operator)) {
      return `${n}Require and operator among "eq", "ne", "le", "ge", "lt", "gt"`;
    }
    const value = readInteger(words[i + 2]);
    if (value === null) return `${n}Require a valid integer value to compare against`;
    filters.push({ ...where, value, holds: OPERATORS[operator]! });
  }
  return filters;
}

/** Words of a command before its filters, counted from one: `show table <name>`. */
const FILTERS_AT = 4;

function extra(at: number, last: string): string {
  return `Detected extra data in filter, ${at}th word of input, after '${last}'`;
}

function readInteger(text: string | undefined): number | null {
  return text !== undefined && /^-?\d{1,19}$/.test(text) ? Number(text) : null;
}

function passes(table: Table, entry: number, filters: readonly Filter[], now: number): boolean {
  return filters.every(({ field, element, holds, value }) =>
    holds(readValue(table, entry, field, element, now), value),
  );
}

/** What a command is about: some entries, or one, held (-1 = it is not there). */
type Target = { readonly filters: readonly Filter[] } | { readonly entry: number };

interface Doing {
  readonly usage: string;
  /** What is done to keys, in words. */
  readonly does: string;
  /** A key that is not there is added. */
  readonly adds: boolean;
}

/** Reads `key <key>`, `ptr <ptr>` or `data.` conditions. */
function readTarget({ env }: Call, table: Table, words: readonly string[], doing: Doing): Target | string {
  const [what, value] = words;
  if (what === undefined) return { filters: [] };
  if (what.startsWith('data.')) {
    const filters = readFilters(table, words);
    return typeof filters === 'string' ? filters : { filters };
  }
  if (what === 'key') {
    if (value === undefined) return 'Key value expected';
    if (table.spec.key === 'binary') {
      return `${doing.does} keys ${doing.adds ? 'into' : 'from'} tables of type other than ip, ipv6, string and integer is not supported`;
    }
    const problem = readKeyText(table.spec, value);
    if (problem !== null) return problem;
    return { entry: doing.adds ? table.findOrAdd(env.now()) : table.find(env.now()) };
  }
  if (what !== 'ptr') return doing.usage;
  if (value === undefined) return 'Entry pointer expected';
  const entry = readPointer(table, value);
  return { entry: entry >= 0 && table.take(entry) ? entry : -1 };
}

/** A command on a table that its first argument names. */
function onTable(usage: string | null, act: (call: Call, table: Table, words: readonly string[]) => Reply) {
  return (call: Call): Reply => {
    const [name, ...words] = call.args;
    if (name === undefined) return usage ?? listTables(call.env);
    const table = call.env.tables.named(name);
    if (table === null) return err('No such table');
    table.purge(call.env.now(), PURGE_FIRST);
    return act(call, table, words);
  };
}

/** As HAProxy, the last one of the configuration first. */
function listTables({ tables, now }: CliEnv): string {
  for (const table of tables.list) table.purge(now(), PURGE_FIRST);
  return tables.list.toReversed().map(headerText).join('\n');
}

const SHOW: Doing = {
  usage: 'Optional argument only supports "data.<store_data_type>" <operator> <value> and key <key> or ptr <ptr>',
  does: 'Showing',
  adds: false,
};

function show(call: Call, table: Table, words: readonly string[]): Reply {
  const { env, state } = call;
  if (!allowed(state.level, 'operator')) {
    if (words[0] === 'key' || words[0] === 'ptr') return DENIED;
    return `${headerText(table)}\n# contents not dumped due to insufficient privileges`;
  }
  const target = readTarget(call, table, words, SHOW);
  if (typeof target === 'string') return err(target);
  const now = env.now();
  if ('entry' in target) {
    if (target.entry < 0) return '';
    const text = entryText(table, target.entry, now);
    table.release(target.entry);
    return `${headerText(table)}\n${text}`;
  }
  let next = -1;
  return steppedDump(out => {
    if (next < 0) out.text(`${headerText(table)}\n`);
    const end = Math.min(next + 1 + STEP_ENTRIES, table.end);
    for (let entry = next + 1; entry < end; entry++) {
      const at = env.now();
      const line = shown(table, entry, target.filters, at);
      if (line !== null) out.text(`${line}\n`);
    }
    next = end - 1;
    return end < table.end;
  });
}

function shown(table: Table, entry: number, filters: readonly Filter[], now: number): string | null {
  if (!table.take(entry)) return null;
  const over = table.spec.expireMs > 0 && table.expiresIn(entry, now) <= 0 && table.holders(entry) === 0;
  const line = !over && passes(table, entry, filters, now) ? entryText(table, entry, now) : null;
  table.release(entry);
  return line;
}

const CLEAR: Doing = {
  usage:
    'Required arguments: <table> "data.<store_data_type>" <operator> <value> or <table> key <key> or <table> ptr <ptr>',
  does: 'Removing',
  adds: false,
};

function clear(call: Call, table: Table, words: readonly string[]): string {
  const target = readTarget(call, table, words, CLEAR);
  if (typeof target === 'string') return target;
  if ('entry' in target) {
    if (target.entry < 0 || table.remove(target.entry)) return '';
    table.release(target.entry);
    return 'Entry currently in use, cannot remove';
  }
  const now = call.env.now();
  table.removeAll(entry => passes(table, entry, target.filters, now));
  return '';
}

const SET: Doing = {
  usage: 'Required arguments: <table> key <key> [data.<store_data_type> <value>]* or <table> ptr <ptr> ...',
  does: 'Inserting',
  adds: true,
};

interface Setting {
  readonly field: Field;
  readonly element: number;
  readonly value: number;
}

function readSettings(table: Table, words: readonly string[]): Setting[] | string {
  const settings: Setting[] = [];
  for (let i = 0; i < words.length; i += 2) {
    if (!words[i]!.startsWith('data.')) return '"data.<type>" followed by a value expected';
    const where = readField(table, words[i]!);
    if (typeof where === 'string') return where;
    const value = where.field.type.kind === 'name' ? null : readInteger(words[i + 1]);
    if (value === null) return 'Require a valid integer value to store';
    settings.push({ ...where, value });
  }
  return settings;
}

function set(call: Call, table: Table, words: readonly string[]): string {
  if (words[0]?.startsWith('data.')) {
    return 'content-based lookup is only supported with the "show" and "clear" actions';
  }
  if (words.length === 0) return SET.usage;
  const settings = readSettings(table, words.slice(2));
  if (typeof settings === 'string') return settings;
  const target = readTarget(call, table, words.slice(0, 2), SET);
  if (typeof target === 'string' || 'filters' in target) return typeof target === 'string' ? target : SET.usage;
  const { entry } = target;
  if (entry < 0) return words[0] === 'ptr' ? 'No such entry' : 'Unable to allocate a new entry';
  const now = call.env.now();
  for (const { field, element, value } of settings) setValue(table, entry, field, element, now, value);
  table.changed(entry, now);
  table.release(entry);
  return '';
}

export const TABLE_COMMANDS: readonly Command[] = [
  {
    words: 'clear table',
    usage: '<table> [<filter>]*',
    help: 'remove an entry from a table (filter: data/key/ptr)',
    level: 'operator',
    run: onTable(CLEAR.usage, clear),
  },
  {
    words: 'set table',
    usage: '<table> key <k> [data.* <v>]*',
    help: "update or create a table entry's data",
    level: 'operator',
    run: onTable(SET.usage, set),
  },
  {
    words: 'show table',
    usage: '<table> [<filter>]*',
    help: 'report table usage stats or dump this table (filter: data/key/ptr)',
    level: 'user',
    run: onTable(null, show),
  },
];
