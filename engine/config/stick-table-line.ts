/** What follows `stick-table`, and the name of a `table` in a `peers` section (manual 11.1). */

import { STICK_KEY_BYTES_MAX, STICK_PERIOD_MS_MAX, STICK_SIZE_MAX } from '../limits.ts';
import { ARRAY_MAX, DATA_TYPES, dataType, KEY_TYPES, type KeyType } from '../stick/data-types.ts';
import type { Cursor } from './cursor.ts';
import type { TableDraft } from './draft.ts';
import { reference } from './fields.ts';
import { didYouMean } from './suggest.ts';
import { parseInteger, parseTime } from './units.ts';

export const TABLE_ARGS =
  'type <type> size <size> [expire <time>] [nopurge] [recv-only] [write-to <table>] [srvkey <name|addr>] [store <types>]* [brates-factor <factor>]';

type Setting = (cursor: Cursor, table: TableDraft) => void;

const SETTINGS: Readonly<Record<string, Setting>> = {
  type: readType,
  size(cursor, table) {
    const size = cursor.expectSize('size');
    if (size !== null && (size < 1 || size > STICK_SIZE_MAX))
      cursor.error(`'size' must be between 1 and ${STICK_SIZE_MAX}`);
    table.size = size ?? 1;
  },
  expire(cursor, table) {
    const ms = cursor.expectTime('expire', 'ms');
    table.expireMs = ms ?? 0;
  },
  nopurge(_, table) {
    table.noPurge = true;
  },
  'recv-only'(_, table) {
    table.recvOnly = true;
  },
  'write-to'(cursor, table) {
    if (cursor.expectWord('a table name') !== null) table.writeTo = reference(cursor);
  },
  srvkey(cursor, table) {
    table.serverKey = cursor.expectOneOf('srvkey', ['name', 'addr']) ?? 'name';
  },
  'brates-factor'(cursor, table) {
    table.bytesRateFactor = cursor.expectInt('brates-factor', { min: 1, max: 1024 }) ?? 1;
  },
  store(cursor, table) {
    const word = cursor.expectWord('a data type');
    if (word !== null) readStore(cursor, word.text, table);
  },
};

const ALIASES: Readonly<Record<string, KeyType>> = { ipv4: 'ip' };

function readType(cursor: Cursor, table: TableDraft) {
  const word = cursor.next();
  const name = ALIASES[word?.text ?? ''] ?? word?.text ?? '';
  if (!Object.hasOwn(KEY_TYPES, name)) {
    const names = [...Object.keys(KEY_TYPES), ...Object.keys(ALIASES)];
    return cursor.error(`unknown type '${name}'`, didYouMean(name, names) ?? `one of ${names.join(', ')}`);
  }
  table.key = name as KeyType;
  table.keyBytes = KEY_TYPES[table.key].bytes;
  const counted = table.key === 'string' || table.key === 'binary';
  if (counted && cursor.match('len')) {
    table.keyBytes = cursor.expectInt('len', { min: 1, max: STICK_KEY_BYTES_MAX }) ?? 1;
  }
}

/** `gpc0,conn_rate(30s),gpc_rate(2,10s)`: commas inside of parentheses belong to the type. */
function readStore(cursor: Cursor, text: string, table: TableDraft) {
  for (const part of text.split(/,(?![^(]*\))/)) {
    const [, name = '', inside = null] = /^([\w-]*)(?:\(([^)]*)\))?$/.exec(part) ?? [];
    const problem = addType(table, name, inside?.split(',') ?? []);
    if (problem === null) continue;
    if (problem === 'twice') {
      cursor.warning(`'store': data type '${name}' is stored already, '${part}' is ignored`);
      continue;
    }
    const hint =
      dataType(name) === undefined
        ? didYouMean(
            name,
            DATA_TYPES.map(type => type.name),
          )
        : null;
    return cursor.error(`'store': ${problem} in '${part}'`, hint ?? undefined);
  }
}

/** Adds a type to what a table stores; gives what is wrong, 'twice' when it is there already. */
function addType(table: TableDraft, name: string, args: readonly string[]): string | null {
  const type = dataType(name);
  if (type === undefined) return `unknown data type '${name}'`;
  const needed = (type.array ? 1 : 0) + (type.kind === 'rate' ? 1 : 0);
  if (args.length < needed) return `missing argument of data type '${name}'`;
  if (args.length > needed) return `unexpected argument of data type '${name}'`;
  const count = type.array ? parseInteger(args[0]!, { min: 1, max: ARRAY_MAX }) : { value: 1 };
  if ('error' in count) return `number of elements of '${name}': ${count.error}`;
  const period = type.kind === 'rate' ? parseTime(args.at(-1)!, 'ms') : { value: 0 };
  if ('error' in period) return `period of '${name}': ${period.error}`;
  if (type.kind === 'rate' && (period.value === 0 || period.value > STICK_PERIOD_MS_MAX)) {
    return `period of '${name}': it must be between 1 ms and ${STICK_PERIOD_MS_MAX} ms`;
  }
  if (table.data.some(other => other.type === name)) return 'twice';
  const rival = table.data.find(
    other => type.replaces.includes(other.type) || dataType(other.type)!.replaces.includes(name),
  );
  if (rival !== undefined) return `data type '${name}' cannot be stored beside '${rival.type}'`;
  table.data.push({ type: name, count: count.value, periodMs: period.value });
  return null;
}

/** Reads the settings of a table; null after reporting. `keyword` begins the messages; only proxies have `peers`. */
export function readTable(cursor: Cursor, keyword: string, name: string, peers: boolean): TableDraft | null {
  const { file, line } = cursor.line;
  const table: TableDraft = {
    ...{ file, line, name, key: 'ip', keyBytes: 0, size: 0, expireMs: 0, noPurge: false, recvOnly: false },
    ...{ writeTo: null, serverKey: 'name', bytesRateFactor: 1, peers: null, data: [] },
  };
  const errors = cursor.diagnostics.list.length;
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const set = Object.hasOwn(SETTINGS, word.text) ? SETTINGS[word.text] : undefined;
    if (set !== undefined) set(cursor, table);
    else if (word.text === 'peers' && peers) {
      if (cursor.expectWord('the name of a peers section') !== null) table.peers = reference(cursor);
    } else {
      cursor.error(
        `'${keyword}': unknown argument '${word.text}'`,
        didYouMean(word.text, Object.keys(SETTINGS)) ?? undefined,
      );
    }
    if (cursor.diagnostics.list.length > errors) {
      cursor.rest();
      return null;
    }
  }
  const missing = table.keyBytes === 0 ? 'type' : table.size === 0 ? 'size' : null;
  if (missing === null) return table;
  cursor.error(`'${keyword}': missing ${missing}`);
  return null;
}
