/** Keys that a stream has found and that are to be stored in stick tables once its server is known. */
import { STICK_STORES_MAX } from '../limits.ts';
import { KEY, usedWords } from '../stick/key.ts';
import type { Table } from '../stick/table.ts';

export class StickStores {
  count = 0;
  readonly #tables: Table[] = [];
  /** Allocated when first needed, used again by later streams. */
  readonly #keys: Int32Array[] = [];

  clear(): void {
    this.count = 0;
  }

  /** There is a key for the table already, or no room for another. */
  has(table: Table): boolean {
    if (this.count === STICK_STORES_MAX) return true;
    for (let i = 0; i < this.count; i++) if (this.#tables[i] === table) return true;
    return false;
  }

  /** Remembers the key in KEY. */
  add(table: Table): void {
    const words = usedWords(table.spec.key, table.layout.keyWords);
    const i = this.count++;
    this.#tables[i] = table;
    if ((this.#keys[i]?.length ?? 0) < words) this.#keys[i] = new Int32Array(words);
    const key = this.#keys[i]!;
    for (let w = 0; w < words; w++) key[w] = KEY[w]!;
  }

  /** Puts key `i` into KEY again and gives its table. */
  take(i: number): Table {
    const key = this.#keys[i]!;
    for (let w = 0; w < key.length; w++) KEY[w] = key[w]!;
    return this.#tables[i]!;
  }
}
