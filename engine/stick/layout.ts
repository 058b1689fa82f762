/**
 * The memory of one stick table: one SharedArrayBuffer of 32-bit words, made by the master, attached to by every thread.
 *
 *   ┌────────┬───────┬─────────────────┬──────────────────┬──────────────────────┬─────────┐
 *   │ header │ names │ index           │ order            │ entries              │ changes │
 *   └────────┴───────┴─────────────────┴──────────────────┴──────────────────────┴─────────┘
 *   names    texts of server keys: [bytes][text]; only where `server_key` is stored
 *   index    buckets of 16 words: [overflow][15 slots]; a slot: tag of the hash | place + 1, 0 = free
 *   order    one pair for each place: order.ts
 *   entries  `size` places: [refs][expire][update][hash][key ...][data ...]
 *   changes  the last local changes, for the peers: changes.ts; only where there are peers
 *
 * A key belongs in the bucket that its hash names, or, when that one has overflowed, in a second one that the hash names.
 */
import type { StickTable } from '../config/stick-model.ts';
import { STICK_CHANGES_MAX, STICK_NAME_BYTES, STICK_NAMES_MAX } from '../limits.ts';
import { layout } from '../shm/layout.ts';
import { type DataType, dataType, WORDS_OF } from './data-types.ts';
import { keyWords } from './key.ts';
import { ORDER_WORDS } from './order.ts';

export const HEADER = layout('stick', 4, [
  ['magic', 1, 'master', 'says that this is a table'],
  ['shape', 1, 'master', 'hash of what the configuration says of its layout: another configuration cannot use it'],
  ['seed', 1, 'master', 'of the hash: nobody outside can tell which keys share a bucket'],
  ['writer', 1, 'any', 'who changes the structure now: thread row + 1; 0 = nobody'],
  ['used', 1, 'any', 'live entries; changed by the writer only'],
  ['handed', 1, 'any', 'places that were ever used; changed by the writer only'],
  ['names', 1, 'any', 'texts among the names; changed by the writer only'],
  ['update', 1, 'any', 'number of the last local change'],
  ['told', 1, 'control', 'number of the last local change that a peer was told'],
  ['rebuilt', 1, 'master', 'how often the structure was made anew after a thread had died in its midst'],
]);

export const MAGIC = 0x53544b31; // "STK1"

// Words of an entry before its key.
export const REFS = 0;
export const EXPIRE = 1;
export const UPDATE = 2;
export const HASH = 3;
export const ENTRY_KEY = 4;

/** References of a live entry count from here; below, the place is free or being filled. */
export const LIVE = 0x4000_0000;

export const BUCKET_WORDS = 16;
export const SLOTS = BUCKET_WORDS - 1;
/** Keys per bucket in a full table: that none of its two buckets has a free slot is then as rare as 1 in 10^8. */
const KEYS_PER_BUCKET = 5;

/** A server key: its length, its bytes. */
export const NAME_WORDS = 1 + STICK_NAME_BYTES / 4;

export const CHANGE_WORDS = 2;

/** Where one stored type stands in an entry. */
export interface Field {
  readonly type: DataType;
  readonly count: number;
  readonly periodMs: number;
  /** Offset of the first element's words in an entry. */
  readonly at: number;
  /** Words of an element. */
  readonly words: number;
}

export interface Layout {
  readonly names: number;
  readonly index: number;
  readonly order: number;
  readonly entries: number;
  readonly changes: number;
  /** A power of two; 0 = nobody wants to know. */
  readonly changesMax: number;
  readonly buckets: number;
  readonly keyWords: number;
  readonly entryWords: number;
  readonly totalWords: number;
  readonly fields: readonly Field[];
  readonly shape: number;
}

export function layoutOf(table: StickTable): Layout {
  const words = keyWords(table);
  let at = ENTRY_KEY + words;
  const fields = table.data.map(({ type: name, count, periodMs }): Field => {
    const type = dataType(name)!;
    const field = { type, count, periodMs, at, words: WORDS_OF[type.kind] };
    at += field.words * count;
    return field;
  });
  const named = fields.some(({ type }) => type.kind === 'name');
  const changesMax =
    table.peers < 0 ? 0 : 2 ** Math.ceil(Math.log2(Math.min(Math.max(2 * table.size, 64), STICK_CHANGES_MAX)));
  const buckets = Math.ceil(table.size / KEYS_PER_BUCKET);
  const names = HEADER.size;
  const index = names + (named ? roundUp(STICK_NAMES_MAX * NAME_WORDS) : 0);
  const order = index + buckets * BUCKET_WORDS;
  const entries = order + roundUp(table.size * ORDER_WORDS);
  const changes = entries + roundUp(table.size * at);
  return {
    ...{ names, index, order, entries, changes, changesMax, buckets, keyWords: words, entryWords: at, fields },
    totalWords: changes + changesMax * CHANGE_WORDS,
    shape: shapeOf(table),
  };
}

/** To whole cache lines. */
function roundUp(words: number): number {
  return Math.ceil(words / BUCKET_WORDS) * BUCKET_WORDS;
}

/** What two configurations must agree on to share the memory. */
function shapeOf({ key, keyBytes, size, data, peers }: StickTable): number {
  let hash = 0x811c9dc5;
  const text = JSON.stringify([key, keyBytes, size, data, peers >= 0]);
  for (const c of text) hash = Math.imul(hash ^ c.charCodeAt(0), 0x01000193);
  return hash;
}
