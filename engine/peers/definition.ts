/**
 * What a peer says of a table before it sends entries (HAProxy's doc/peers.txt, "Definition message format"):
 *
 *   [ id ] [ length ] [ name ] [ key type ] [ key length ] [ data types, a bit each ] [ expire, ms ]
 *   then for each data type in the order of their bits
 *     arrays   [ number ] [ elements ] and, of rates, [ period, ms ]
 *     rates    [ number ] [ period, ms ]
 */

import { ARRAY_MAX, DATA_TYPES, type DataType, KEY_TYPES } from '../stick/data-types.ts';
import type { Reader, Writer } from './bytes.ts';
import type { Column, SharedTable } from './shared-table.ts';

export interface Definition {
  /** The sender's number for the table. */
  readonly id: number;
  readonly name: string;
  /** Number in the protocol. */
  readonly keyType: number;
  readonly keyBytes: number;
  readonly expireMs: number;
  /** Those that we know, in the order of their bits. Others have higher bits, so their values come last. */
  readonly columns: readonly Column[];
  readonly bits: number;
}

/** More bits than there will be data types, and less than a double is exact for. */
const BITS_MAX = 2 ** 48;

export function writeDefinition(out: Writer, id: number, table: SharedTable): void {
  const name = Buffer.from(table.wireName);
  out.varint(id);
  out.varint(name.length);
  out.raw(name);
  out.varint(KEY_TYPES[table.keyType].number);
  out.varint(table.keyBytes);
  out.varint(bitsOf(table.columns));
  out.varint(table.expireMs);
  for (const { type, count, periodMs } of table.columns) {
    if (!hasArguments(type)) continue;
    out.varint(type.number);
    if (type.array) out.varint(count);
    if (type.kind === 'rate') out.varint(periodMs);
  }
}

export function bitsOf(columns: readonly Column[]): number {
  return columns.reduce((bits, { type }) => bits + 2 ** type.number, 0);
}

function hasArguments({ array, kind }: DataType): boolean {
  return array || kind === 'rate';
}

/** Null when it makes no sense. */
export function readDefinition(body: Reader): Definition | null {
  const id = body.varint();
  const name = Buffer.from(body.take(body.varint())).toString();
  const [keyType, keyBytes, bits] = [body.varint(), body.varint(), body.varint()];
  if (body.bad || name === '' || bits >= BITS_MAX) return null;
  // Version 2.0 ends here.
  const expireMs = body.left > 0 ? body.varint() : 0;
  const told = readArguments(body);
  if (told === null) return null;
  const columns: Column[] = [];
  for (const type of DATA_TYPES) {
    if (Math.floor(bits / 2 ** type.number) % 2 === 0) continue;
    // Without its length nobody knows where an array ends.
    if (type.array && !told.has(type)) return null;
    columns.push(told.get(type) ?? { type, count: 1, periodMs: 0 });
  }
  return { id, name, keyType, keyBytes, expireMs, columns, bits };
}

/** Elements and periods; null when they make no sense. */
function readArguments(body: Reader): Map<DataType, Column> | null {
  const told = new Map<DataType, Column>();
  while (body.left > 0) {
    const number = body.varint();
    const type = DATA_TYPES.find(other => other.number === number);
    // Nobody can tell what follows a number that we do not know. They come in order: we have all that we know.
    if (type === undefined || !hasArguments(type)) break;
    const count = type.array ? body.varint() : 1;
    const periodMs = type.kind === 'rate' ? body.varint() : 0;
    if (body.bad || count < 1 || count > ARRAY_MAX) return null;
    told.set(type, { type, count, periodMs });
  }
  return body.bad ? null : told;
}
