/** Converters that look a key up in a stick table (manual 7.3.1). */
import { setKey } from '../stick/key.ts';
import { READINGS, type Read, type Reading, trackers } from '../stick/readings.ts';
import type { Table } from '../stick/table.ts';
import { readValue } from '../stick/values.ts';
import type { Convert } from './context.ts';
import { tableOf } from './fetches-stick.ts';
import { type ConverterRow, converter } from './row.ts';

type Found = (table: Table, entry: number, now: number) => number;

/** Looks the sample up; `otherwise` is the result when the key is not there, null = none. */
function lookUp(table: Table | null, add: boolean, read: Found | null, otherwise: number | null): Convert {
  return (sample, ctx) => {
    if (table === null || (read === null && add) || !setKey(table.spec, sample)) return false;
    const now = ctx.session.context.io.now();
    const entry = add ? table.findOrAdd(now) : table.find(now);
    // Of a key that is not there it does not matter what the table stores.
    if (entry < 0) return otherwise !== null && sample.setInt(otherwise);
    const result = read === null ? 0 : read(table, entry, now);
    table.release(entry);
    return read !== null && sample.setInt(result);
  };
}

function rowOf(reading: Reading): ConverterRow[] {
  const { converter: name, indexed, changes, doc } = reading;
  if (name === null) return [];
  return [
    converter(`table_${name}`, `${indexed ? 'idx:int ' : ''}[table:tab]`, 'any', 'sint', doc, (args, env) => {
      const table = tableOf(args, indexed ? 1 : 0, env);
      const read: Read | null = table === null ? null : reading.of(table, indexed ? args.int(0) : 0);
      return lookUp(table, changes, read, 0);
    }),
  ];
}

/** `table_expire`, `table_idle`: a key that is not there has none, unless an argument says which. */
function time(name: string, doc: string, read: Found): ConverterRow {
  return converter(name, '[table:tab] [default:int]', 'any', 'sint', doc, (args, env) =>
    lookUp(tableOf(args, 0, env), false, read, args.has(1) ? args.int(1) : null),
  );
}

const SERVER_ID = 0;

export const STICK_CONVERTERS: readonly ConverterRow[] = [
  ...READINGS.flatMap(rowOf),
  converter('in_table', '[table:tab]', 'any', 'bool', 'Whether a key is in a stick table.', (args, env) => {
    const find = lookUp(tableOf(args, 0, env), false, () => 1, 0);
    return (sample, ctx) => find(sample, ctx) && sample.setBool(sample.int === 1);
  }),
  converter('table_server_id', '[table:tab]', 'any', 'sint', 'Server that a key sticks to.', (args, env) => {
    const table = tableOf(args, 0, env);
    const field = table?.field(SERVER_ID) ?? null;
    const read: Found | null = field === null ? null : (t, entry, now) => readValue(t, entry, field, 0, now);
    return lookUp(table, false, read, 0);
  }),
  converter('table_trackers', '[table:tab]', 'any', 'sint', 'Who tracks a key now.', (args, env) =>
    lookUp(tableOf(args, 0, env), false, (table, entry) => trackers(table, entry, true), 0),
  ),
  time('table_expire', 'Milliseconds until a key expires.', (table, entry, now) => table.expiresIn(entry, now)),
  time('table_idle', 'Milliseconds since a key was used.', (table, entry, now) =>
    Math.max(table.spec.expireMs - table.expiresIn(entry, now), 0),
  ),
];
