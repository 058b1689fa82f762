/**
 * What a stick table can store with a key (manual 11.1): one row per type. The order is that of `show table`, and the number
 * is the one of the peers protocol; both never change.
 */

/**
 * How a value is kept, in 32-bit words of an entry:
 *
 *   uint, sint   [value]
 *   wide         [low][high]                     an unsigned 64-bit total
 *   rate         [start][current][previous]      freq.ts
 *   name         [number]                        of a text in the table's list of names; 0 = none
 */
type DataKind = 'uint' | 'sint' | 'wide' | 'rate' | 'name';

export interface DataType {
  readonly name: string;
  readonly number: number;
  readonly kind: DataKind;
  /** It is an array: the first argument says how long. */
  readonly array: boolean;
  /** Types whose place it takes: an array and these exclude each other. */
  readonly replaces: readonly string[];
  readonly doc: string;
}

export const WORDS_OF: Readonly<Record<DataKind, number>> = { uint: 1, sint: 1, wide: 2, rate: 3, name: 1 };

/** Elements of an array at most. */
export const ARRAY_MAX = 100;

function row(number: number, name: string, kind: DataKind, doc: string, replaces: readonly string[] = []): DataType {
  return { number, name, kind, array: replaces.length > 0, replaces, doc };
}

export const DATA_TYPES: readonly DataType[] = [
  row(0, 'server_id', 'sint', 'number of the server that the key sticks to'),
  row(1, 'gpt0', 'uint', 'first tag'),
  row(2, 'gpc0', 'uint', 'first general purpose counter'),
  row(3, 'gpc0_rate', 'rate', 'its increments per period'),
  row(4, 'conn_cnt', 'uint', 'connections'),
  row(5, 'conn_rate', 'rate', 'connections per period'),
  row(6, 'conn_cur', 'uint', 'connections now'),
  row(7, 'sess_cnt', 'uint', 'sessions'),
  row(8, 'sess_rate', 'rate', 'sessions per period'),
  row(9, 'http_req_cnt', 'uint', 'HTTP requests'),
  row(10, 'http_req_rate', 'rate', 'HTTP requests per period'),
  row(11, 'http_err_cnt', 'uint', 'HTTP requests that were errors of the client'),
  row(12, 'http_err_rate', 'rate', 'such errors per period'),
  row(13, 'bytes_in_cnt', 'wide', 'bytes from the client'),
  row(14, 'bytes_in_rate', 'rate', 'bytes from the client per period'),
  row(15, 'bytes_out_cnt', 'wide', 'bytes to the client'),
  row(16, 'bytes_out_rate', 'rate', 'bytes to the client per period'),
  row(17, 'gpc1', 'uint', 'second general purpose counter'),
  row(18, 'gpc1_rate', 'rate', 'its increments per period'),
  row(19, 'server_key', 'name', 'name or address of the server that the key sticks to'),
  row(20, 'http_fail_cnt', 'uint', 'HTTP responses that were failures of the server'),
  row(21, 'http_fail_rate', 'rate', 'such failures per period'),
  row(22, 'gpt', 'uint', 'tags', ['gpt0']),
  row(23, 'gpc', 'uint', 'general purpose counters', ['gpc0', 'gpc1']),
  row(24, 'gpc_rate', 'rate', 'their increments per period', ['gpc0_rate', 'gpc1_rate']),
  row(25, 'glitch_cnt', 'uint', 'glitches of the client'),
  row(26, 'glitch_rate', 'rate', 'glitches per period'),
];

const BY_NAME = new Map(DATA_TYPES.map(type => [type.name, type]));

export function dataType(name: string): DataType | undefined {
  return BY_NAME.get(name);
}

/**
 * Kinds of keys: bytes of a key, for strings and binary keys when `len` does not say; number in the peers protocol. Without
 * `len`, HAProxy counts the zero at the end of a string among its 32 bytes.
 */
export const KEY_TYPES = {
  ip: { bytes: 4, number: 4 },
  ipv6: { bytes: 16, number: 5 },
  integer: { bytes: 4, number: 2 },
  string: { bytes: 31, number: 6 },
  binary: { bytes: 32, number: 7 },
} as const;

export type KeyType = keyof typeof KEY_TYPES;
