/** A stick table in plain memory, as the peers see one. */
import type { Column, Entry, SharedTable } from '../../engine/peers/shared-table.ts';
import { width } from '../../engine/peers/shared-table.ts';
import { dataType, type KeyType } from '../../engine/stick/data-types.ts';

export type Values = (number | string)[];

/** `gpc0`, `gpc:3`, `conn_rate/3000`, `gpc_rate:2/10000` */
export function columnsOf(...texts: string[]): Column[] {
  return texts
    .map(text => {
      const [, name, count = '1', period = '0'] = /^(\w+)(?::(\d+))?(?:\/(\d+))?$/.exec(text)!;
      return { type: dataType(name!)!, count: Number(count), periodMs: Number(period) };
    })
    .sort((a, b) => a.type.number - b.type.number);
}

export class FakeTable implements SharedTable {
  readonly name: string;
  readonly wireName: string;
  readonly keyType: KeyType;
  readonly keyBytes: number;
  readonly expireMs: number;
  readonly columns: readonly Column[];
  readonly slots: number;
  readonly #entries: ({ key: string; values: Values; expireMs: number } | undefined)[] = [];
  #sets = 0;
  readonly #changed = new Set<number>();

  constructor(name: string, columns: readonly Column[], keyType: KeyType = 'string', slots = 64) {
    this.name = this.wireName = name;
    this.keyType = keyType;
    this.keyBytes = keyType === 'string' ? 33 : keyType === 'ipv6' ? 16 : 4;
    this.expireMs = 60_000;
    this.columns = columns;
    this.slots = slots;
  }

  get end(): number {
    return this.#entries.length;
  }

  get changes(): SharedTable['changes'] {
    return { last: this.#sets, told: this.#sets - this.#changed.size };
  }

  /** A change of this process. */
  set(key: string, ...values: Values): void {
    this.#sets++;
    this.#changed.add(this.#put(key, values, this.expireMs));
  }

  get(key: string): Values | undefined {
    return this.#entries.find(entry => entry?.key === key)?.values;
  }

  /** All entries as text, sorted. */
  all(): string[] {
    return this.#entries.flatMap(entry => (entry ? [`${entry.key}=${entry.values}`] : [])).sort();
  }

  drain(changed: (slot: number) => void): void {
    for (const slot of this.#changed) changed(slot);
    this.#changed.clear();
  }

  read(slot: number, entry: Entry): boolean {
    const found = this.#entries[slot];
    if (found === undefined) return false;
    entry.key = Buffer.from(found.key, 'latin1');
    entry.expireMs = found.expireMs;
    entry.values.splice(0, Infinity, ...found.values);
    return true;
  }

  learn(entry: Entry, columns: readonly Column[]): void {
    const key = Buffer.from(entry.key).toString('latin1');
    const values = [...(this.get(key) ?? this.#blank())];
    let from = 0;
    for (const { type, count } of columns) {
      let to = 0;
      for (const own of this.columns) {
        if (own.type === type) for (let i = 0; i < count * width(type); i++) values[to + i] = entry.values[from + i]!;
        to += own.count * width(own.type);
      }
      from += count * width(type);
    }
    this.#put(key, values, entry.expireMs);
  }

  #blank(): Values {
    return this.columns.flatMap(({ type, count }) =>
      Array.from({ length: count * width(type) }, () => (type.kind === 'name' ? '' : 0)),
    );
  }

  #put(key: string, values: Values, expireMs: number): number {
    const known = this.#entries.findIndex(entry => entry?.key === key);
    const slot = known >= 0 ? known : this.#entries.length;
    if (slot >= this.slots) throw new Error('the fake table is full');
    this.#entries[slot] = { key, values, expireMs };
    return slot;
  }
}
