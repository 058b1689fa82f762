/** What peers need of a stick table, and what they know about its columns. */

import type { DataType, KeyType } from '../stick/data-types.ts';

/** A data type as a table stores it. */
export interface Column {
  readonly type: DataType;
  /** Elements; 1 for what is no array. */
  readonly count: number;
  /** Of a rate, in milliseconds; 0 otherwise. */
  readonly periodMs: number;
}

/**
 * An entry on its way. `values` is flat, in the order of the columns:
 *
 *   uint, sint, wide   value
 *   rate               age of the current period in ms, events in it, events in the one before
 *   name               the text, or '' = none
 */
export interface Entry {
  key: Uint8Array;
  /** How long it still lives; Infinity = for ever. Milliseconds. */
  expireMs: number;
  readonly values: (number | string)[];
}

export function newEntry(): Entry {
  return { key: new Uint8Array(0), expireMs: Infinity, values: [] };
}

/** Places that a value of the type takes in `Entry.values`. */
export function width({ kind }: DataType): number {
  return kind === 'rate' ? 3 : 1;
}

export interface SharedTable {
  /** As the runtime API calls it. */
  readonly name: string;
  /** As the peers call it. */
  readonly wireName: string;
  readonly keyType: KeyType;
  /** As it is told to the peers: bytes of a key; of a string at most, and one more. */
  readonly keyBytes: number;
  /** 0 = entries live for ever. */
  readonly expireMs: number;
  /** In the order of their numbers. */
  readonly columns: readonly Column[];
  /** Entries have places, numbered from 0; not more than these. */
  readonly slots: number;
  /** Places from here on were never used. */
  readonly end: number;
  /** Numbers of the last change of this process, and of the last that was told. */
  readonly changes: { readonly last: number; readonly told: number };
  /** Calls `changed` for each place whose entry this process has changed since the last call. */
  drain(changed: (slot: number) => void): void;
  /** The entry at a place. False when there is none. */
  read(slot: number, entry: Entry): boolean;
  /**
   * Takes over what a peer says of an entry, which is made if need be. `entry.values` has those of `columns`, which need not
   * be the table's.
   */
  learn(entry: Entry, columns: readonly Column[]): void;
}
