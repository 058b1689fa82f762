/**
 * What can be asked of an entry: one row each, from which the fetches `sc_*`, `sc0_*` and `src_*` and the converters
 * `table_*` are made.
 */
import { LIVE, REFS } from './layout.ts';
import type { Table } from './table.ts';
import { addValue, clearValue, readValue } from './values.ts';

/** Reads a number from an entry that the caller holds, or changes it and gives what it is or was. */
export type Read = (table: Table, entry: number, now: number) => number;

export interface Reading {
  /** Of the fetches: behind `sc_`. */
  readonly name: string;
  /** Of the converter: behind `table_`; null = there is none. */
  readonly converter: string | null;
  /** It is one of an array: the first argument says which. */
  readonly indexed: boolean;
  /** It changes the entry, which is added where a key alone names it. */
  readonly changes: boolean;
  /** Which prefixes of fetches have it. */
  readonly only: 'src' | null;
  readonly doc: string;
  /** null = the table does not store it. */
  readonly of: (table: Table, element: number) => Read | null;
}

/** [number of a type, element]: the first that is stored; -1 = the element of the reading. */
type Choice = readonly (readonly [number: number, element: number])[];

// Numbers of the types in data-types.ts.
const GPC0: Choice = [
  [2, 0],
  [23, 0],
];
const GPC1: Choice = [
  [17, 0],
  [23, 1],
];
const GPC: Choice = [[23, -1]];
const GPC0_RATE: Choice = [
  [3, 0],
  [24, 0],
];
const GPC1_RATE: Choice = [
  [18, 0],
  [24, 1],
];
const GPC_RATE: Choice = [[24, -1]];
const GPT0: Choice = [
  [1, 0],
  [22, 0],
];
const GPT: Choice = [[22, -1]];

/** The field and element of a choice in a table; null = it stores none of them. */
export function chosen(table: Table, choice: Choice, element: number) {
  for (const [number, fixed] of choice) {
    const field = table.field(number);
    const at = fixed < 0 ? element : fixed;
    if (field !== null && at < field.count) return { field, at };
  }
  return null;
}

const NOTHING_STORED: Read = () => 0;

/** Of an array: where the table stores nothing at the index that is 0, not nothing. */
function element(choice: Choice): Reading['of'] {
  const of = value(choice);
  return (table, index) => of(table, index) ?? NOTHING_STORED;
}

function value(choice: Choice, scale: (table: Table) => number = () => 1): Reading['of'] {
  return (table, element) => {
    const found = chosen(table, choice, element);
    if (found === null) return null;
    const { field, at } = found;
    const factor = scale(table);
    if (factor === 1) return (t, entry, now) => readValue(t, entry, field, at, now);
    return (t, entry, now) => Math.floor(readValue(t, entry, field, at, now) * factor);
  };
}

/** Adds one to a counter and its rate, whichever is stored; gives the counter, else the rate. */
function increment(count: Choice, rate: Choice): Reading['of'] {
  return (table, element) => {
    const counter = chosen(table, count, element);
    const rates = chosen(table, rate, element);
    if (counter === null && rates === null) return null;
    return (t, entry, now) => {
      if (rates !== null) addValue(t, entry, rates.field, rates.at, now, 1);
      const result =
        counter !== null
          ? addValue(t, entry, counter.field, counter.at, now, 1)
          : readValue(t, entry, rates!.field, rates!.at, now);
      t.changed(entry, now);
      return result;
    };
  };
}

function clear(choice: Choice): Reading['of'] {
  return (table, element) => {
    const found = chosen(table, choice, element);
    if (found === null) return null;
    return (t, entry, now) => {
      const before = clearValue(t, entry, found.field, found.at);
      t.changed(entry, now);
      return before;
    };
  };
}

function row(
  name: string,
  converter: string | null,
  doc: string,
  of: Reading['of'],
  more: Partial<Reading> = {},
): Reading {
  return { name, converter, doc, of, indexed: false, changes: false, only: null, ...more };
}

function plain(number: number, name: string, doc: string): Reading {
  return row(name, name, doc, value([[number, 0]]));
}

const INDEXED = { indexed: true };
const CHANGES = { changes: true };
const BOTH = { indexed: true, changes: true };

/** Bytes that count as one in the rates of bytes. */
const factor = (table: Table): number => table.spec.bytesRateFactor;
const kilo = (): number => 1 / 1024;

export const READINGS: readonly Reading[] = [
  row('bytes_in_rate', 'bytes_in_rate', 'Bytes from the client per period.', value([[14, 0]], factor)),
  row('bytes_out_rate', 'bytes_out_rate', 'Bytes to the client per period.', value([[16, 0]], factor)),
  row('kbytes_in', 'kbytes_in', 'Kilobytes from the client.', value([[13, 0]], kilo)),
  row('kbytes_out', 'kbytes_out', 'Kilobytes to the client.', value([[15, 0]], kilo)),
  plain(4, 'conn_cnt', 'Connections.'),
  plain(6, 'conn_cur', 'Connections now.'),
  plain(5, 'conn_rate', 'Connections per period.'),
  plain(7, 'sess_cnt', 'Sessions.'),
  plain(8, 'sess_rate', 'Sessions per period.'),
  plain(9, 'http_req_cnt', 'HTTP requests.'),
  plain(10, 'http_req_rate', 'HTTP requests per period.'),
  plain(11, 'http_err_cnt', 'Errors of the client.'),
  plain(12, 'http_err_rate', 'Errors of the client per period.'),
  plain(20, 'http_fail_cnt', 'Failures of the server.'),
  plain(21, 'http_fail_rate', 'Failures of the server per period.'),
  plain(25, 'glitch_cnt', 'Glitches of the client.'),
  plain(26, 'glitch_rate', 'Glitches of the client per period.'),
  row('get_gpc0', 'gpc0', 'First general purpose counter.', value(GPC0)),
  row('get_gpc1', 'gpc1', 'Second general purpose counter.', value(GPC1)),
  row('get_gpc', 'gpc', 'A general purpose counter.', element(GPC), INDEXED),
  row('gpc0_rate', 'gpc0_rate', 'Increments of the first counter per period.', value(GPC0_RATE)),
  row('gpc1_rate', 'gpc1_rate', 'Increments of the second counter per period.', value(GPC1_RATE)),
  row('gpc_rate', 'gpc_rate', 'Increments of a counter per period.', element(GPC_RATE), INDEXED),
  row('get_gpt0', 'gpt0', 'First tag.', value(GPT0)),
  row('get_gpt', 'gpt', 'A tag.', element(GPT), INDEXED),
  row('inc_gpc0', 'inc_gpc0', 'Adds one to the first counter; its new value.', increment(GPC0, GPC0_RATE), CHANGES),
  row('inc_gpc1', 'inc_gpc1', 'Adds one to the second counter; its new value.', increment(GPC1, GPC1_RATE), CHANGES),
  row('inc_gpc', 'inc_gpc', 'Adds one to a counter; its new value.', increment(GPC, GPC_RATE), BOTH),
  row('clr_gpc0', 'clr_gpc0', 'Clears the first counter; its value before.', clear(GPC0), CHANGES),
  row('clr_gpc1', 'clr_gpc1', 'Clears the second counter; its value before.', clear(GPC1), CHANGES),
  row('clr_gpc', 'clr_gpc', 'Clears a counter; its value before.', clear(GPC), BOTH),
  row('updt_conn_cnt', null, 'Adds one to the connections; their number.', increment([[4, 0]], []), {
    ...CHANGES,
    only: 'src',
  }),
];

/** What `sc-inc-gpc*` rules do. */
export const INCREMENTS = {
  gpc0: increment(GPC0, GPC0_RATE),
  gpc1: increment(GPC1, GPC1_RATE),
  gpc: increment(GPC, GPC_RATE),
} as const;

/** Adds `n` to a counter of the array and to its rate, if the counter is stored. */
export function addToCounter(table: Table, entry: number, element: number, now: number, n: number): void {
  const counter = chosen(table, GPC, element);
  const rate = chosen(table, GPC_RATE, element);
  if (counter !== null) addValue(table, entry, counter.field, counter.at, now, n);
  if (rate !== null) addValue(table, entry, rate.field, rate.at, now, n);
  if (counter !== null || rate !== null) table.changed(entry, now);
}

export const TAGS = { gpt0: GPT0, gpt: GPT } as const;

/** Who tracks the entry now. `own`: the asking thread's hold of just now is no tracking. */
export function trackers(table: Table, entry: number, own: boolean): number {
  return Atomics.load(table.words, table.at(entry) + REFS) - LIVE - (own ? 1 : 0);
}
