/** A stick table (engine/stick/) as peers see it. */
import type { StickTable } from '../config/stick-model.ts';
import { ChangeReader, lastChange } from '../stick/changes.ts';
import type { DataType } from '../stick/data-types.ts';
import { setKeyBytes } from '../stick/key.ts';
import { type Field, HEADER } from '../stick/layout.ts';
import type { Table } from '../stick/table.ts';
import { keyBytes, nameNumber, nameText, readRate, readValue, setRate, setValue } from '../stick/values.ts';
import { type Column, type Entry, type SharedTable, width } from './shared-table.ts';

/** Changes looked at in one go. */
const CHANGES_AT_ONCE = 16_384;

/** The manual, 11.1 `write-to`: what no arithmetic is done with. */
const WRITTEN_TO: ReadonlySet<string> = new Set(['server_id', 'server_key', 'gpt', 'gpt0']);
/** What only this process knows, unless it only receives. */
const LOCAL_ONLY: ReadonlySet<string> = new Set(['conn_cur']);

export class PeerTable implements SharedTable {
  readonly name: string;
  readonly wireName: string;
  readonly keyType: StickTable['key'];
  readonly keyBytes: number;
  readonly expireMs: number;
  readonly columns: readonly Column[];
  readonly slots: number;
  readonly #table: Table;
  /** Gets some of what is learned, too. */
  readonly #writeTo: Table | null;
  readonly #changes: ChangeReader;
  readonly #now: () => number;

  constructor(table: Table, writeTo: Table | null, now: () => number) {
    const { spec, layout } = table;
    this.name = spec.name;
    this.wireName = spec.peerName;
    this.keyType = spec.key;
    // The length of a text counts a zero at its end.
    this.keyBytes = spec.keyBytes + (spec.key === 'string' ? 1 : 0);
    this.expireMs = spec.expireMs;
    this.columns = layout.fields;
    this.slots = spec.size;
    this.#table = table;
    this.#writeTo = writeTo;
    this.#now = now;
    this.#changes = new ChangeReader(table, 0);
  }

  get end(): number {
    return this.#table.end;
  }

  get changes(): SharedTable['changes'] {
    return { last: lastChange(this.#table), told: this.#table.words[HEADER.at.told]! };
  }

  drain(changed: (slot: number) => void): void {
    this.#changes.read(this.#now(), CHANGES_AT_ONCE, changed);
  }

  read(slot: number, entry: Entry): boolean {
    const table = this.#table;
    if (!table.take(slot)) return false;
    const now = this.#now();
    const forEver = this.expireMs === 0;
    entry.expireMs = forEver ? Infinity : table.expiresIn(slot, now);
    const lives = forEver || entry.expireMs > 0;
    if (lives) {
      entry.key = this.#wireKey(keyBytes(table, slot));
      entry.values.length = 0;
      for (const field of table.layout.fields) this.#readField(slot, field, now, entry.values);
    }
    table.release(slot);
    return lives;
  }

  learn(entry: Entry, columns: readonly Column[]): void {
    const { recvOnly } = this.#table.spec;
    this.#learnInto(this.#table, entry, columns, ({ name }) => recvOnly || !LOCAL_ONLY.has(name));
    if (this.#writeTo !== null) {
      this.#learnInto(this.#writeTo, { ...entry, expireMs: Infinity }, columns, ({ name }) => WRITTEN_TO.has(name));
    }
  }

  #learnInto(table: Table, entry: Entry, columns: readonly Column[], wanted: (type: DataType) => boolean): void {
    const now = this.#now();
    setKeyBytes(table.spec, this.#wireKey(entry.key));
    const found = table.findOrAdd(now);
    if (found < 0) return;
    let at = 0;
    for (const { type, count, periodMs } of columns) {
      const field = table.field(type.number);
      // A rate over another period is another rate.
      if (field !== null && field.periodMs === periodMs && wanted(type)) {
        setField(table, found, field, now, entry.values, at, Math.min(count, field.count));
      }
      at += count * width(type);
    }
    table.expireIn(found, now, Math.min(entry.expireMs, table.spec.expireMs));
    table.release(found);
  }

  /** An integer travels with its highest byte first, and is kept with its lowest. */
  #wireKey(key: Uint8Array): Uint8Array {
    return this.keyType === 'integer' ? key.slice().reverse() : key;
  }

  #readField(slot: number, field: Field, now: number, values: (number | string)[]): void {
    const { kind } = field.type;
    for (let i = 0; i < field.count; i++) {
      if (kind === 'rate') values.push(...readRate(this.#table, slot, field, i, now).map(Math.floor));
      else {
        const value = readValue(this.#table, slot, field, i, now);
        values.push(kind === 'name' ? (nameText(this.#table, value) ?? '') : Math.max(value, 0));
      }
    }
  }
}

/** Sets the first `count` elements to the values from `at` on. */
function setField(
  table: Table,
  entry: number,
  field: Field,
  now: number,
  values: readonly (number | string)[],
  at: number,
  count: number,
): void {
  const { kind } = field.type;
  for (let i = 0; i < count; i++) {
    const value = values[at + i * width(field.type)]!;
    if (kind === 'rate') {
      const [age, current, previous] = values.slice(at + 3 * i) as [number, number, number];
      // So long ago that nothing of it counts any more.
      const late = age >= 2 * field.periodMs;
      setRate(table, entry, field, i, now, late ? 0 : age, late ? 0 : current, late ? 0 : previous);
    } else {
      setValue(table, entry, field, i, now, kind === 'name' ? nameNumber(table, String(value)) : Number(value));
    }
  }
}
