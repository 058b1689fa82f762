/**
 * What an entry stores, as numbers and texts: read, added to and set element by element, each by single atomic
 * operations. The caller holds the entry.
 */
import { STICK_NAME_BYTES, STICK_NAMES_MAX } from '../limits.ts';
import { freqAdd, freqRead, freqSet, freqState } from './freq.ts';
import { ENTRY_KEY, type Field, HEADER, NAME_WORDS } from './layout.ts';
import type { Table } from './table.ts';

function place(table: Table, entry: number, field: Field, element: number): number {
  return table.at(entry) + field.at + element * field.words;
}

/** The value of an element: a count, a rate per period, a server's number, the number of a name. */
export function readValue(table: Table, entry: number, field: Field, element: number, now: number): number {
  const { words } = table;
  const at = place(table, entry, field, element);
  switch (field.type.kind) {
    case 'sint':
      return Atomics.load(words, at);
    case 'wide':
      return readWide(words, at);
    case 'rate':
      return freqRead(words, at, now, field.periodMs);
    default:
      return Atomics.load(words, at) >>> 0;
  }
}

/** Adds `n` (0 to 2^32 - 1, or -1) to a count, or counts `n` events of a rate. Gives the new value of a count. */
export function addValue(table: Table, entry: number, field: Field, element: number, now: number, n: number): number {
  const { words } = table;
  const at = place(table, entry, field, element);
  const { kind } = field.type;
  if (kind === 'rate') freqAdd(words, at, now, field.periodMs, n);
  else if (kind === 'wide') addWide(words, at, n);
  else return (Atomics.add(words, at, n) + n) >>> 0;
  return 0;
}

/** Sets an element; a rate begins anew with `value` events. */
export function setValue(table: Table, entry: number, field: Field, element: number, now: number, value: number): void {
  const { words } = table;
  const at = place(table, entry, field, element);
  const { kind } = field.type;
  if (kind === 'rate') freqSet(words, at, now, 0, value, 0);
  else {
    if (kind === 'wide') Atomics.store(words, at + 1, Math.floor(value / 2 ** 32) | 0);
    Atomics.store(words, at, value | 0);
  }
}

/** Sets a count to 0 and gives what it was. */
export function clearValue(table: Table, entry: number, field: Field, element: number): number {
  return Atomics.exchange(table.words, place(table, entry, field, element), 0) >>> 0;
}

/** A rate as it is kept: ms since its period began, and the counts of this period and the one before. */
export function readRate(table: Table, entry: number, field: Field, element: number, now: number) {
  return freqState(table.words, place(table, entry, field, element), now);
}

export function setRate(
  table: Table,
  entry: number,
  field: Field,
  element: number,
  now: number,
  ageMs: number,
  current: number,
  previous: number,
): void {
  freqSet(table.words, place(table, entry, field, element), now, ageMs, current, previous);
}

// --- unsigned 64-bit totals: exact to 2^53 when read ---

function addWide(words: Int32Array, at: number, n: number): void {
  const before = Atomics.add(words, at, n) >>> 0;
  if (before + n >= 2 ** 32) Atomics.add(words, at + 1, 1);
}

/** The carry follows the low word: a reader that sees it in between looks again, a few times at most. */
function readWide(words: Int32Array, at: number): number {
  let high = Atomics.load(words, at + 1);
  let low = 0;
  for (let i = 0; i < 8; i++) {
    low = Atomics.load(words, at) >>> 0;
    const again = Atomics.load(words, at + 1);
    if (again === high) break;
    high = again;
  }
  return (high >>> 0) * 2 ** 32 + low;
}

// --- names of servers ---

const NAMES = HEADER.at.names;
const decoder = new TextDecoder();
const encoder = new TextEncoder();

/** The text of a name's number; null for 0 and for what is no number of a name. */
export function nameText(table: Table, number: number): string | null {
  const { words, layout, nameTexts } = table;
  const known = nameTexts[number];
  if (known !== undefined) return known;
  if (number < 1 || number > Atomics.load(words, NAMES)) return null;
  const at = layout.names + (number - 1) * NAME_WORDS;
  // A decoder takes no shared memory.
  const text = decoder.decode(new Uint8Array(words.buffer, (at + 1) * 4, words[at]!).slice());
  nameTexts[number] = text;
  table.nameNumbers.set(text, number);
  return text;
}

/** The number of a text, which is added to the names if it is new; 0 = there is no room, or it is too long. */
export function nameNumber(table: Table, text: string): number {
  const known = table.nameNumbers.get(text);
  if (known !== undefined) return known;
  const bytes = encoder.encode(text);
  if (bytes.length > STICK_NAME_BYTES || table.layout.names === table.layout.index) return 0;
  return table.write(() => findName(table, text) || addName(table, bytes), 0);
}

/** Looks through the names that this thread has not met yet. */
function findName(table: Table, text: string): number {
  const count = Atomics.load(table.words, NAMES);
  for (let number = 1; number <= count; number++) if (nameText(table, number) === text) return number;
  return 0;
}

function addName({ words, layout }: Table, bytes: Uint8Array): number {
  const count = words[NAMES]!;
  if (count === STICK_NAMES_MAX) return 0;
  const at = layout.names + count * NAME_WORDS;
  words[at] = bytes.length;
  new Uint8Array(words.buffer, (at + 1) * 4, bytes.length).set(bytes);
  Atomics.store(words, NAMES, count + 1);
  return count + 1;
}

// --- keys ---

/** The bytes of an entry's key, copied: an address, a text, four bytes of an integer (lowest first), a block. */
export function keyBytes(table: Table, entry: number): Uint8Array {
  const { words, spec } = table;
  const at = table.at(entry) + ENTRY_KEY;
  const text = spec.key === 'string';
  const length = text ? words[at]! : spec.keyBytes;
  return new Uint8Array(words.buffer, (at + (text ? 1 : 0)) * 4, length).slice();
}

/** An integer key. */
export function keyInteger(table: Table, entry: number): number {
  return table.words[table.at(entry) + ENTRY_KEY]!;
}
