/**
 * Which entries this process has changed, for the peers: each change gets a number, which stands in the entry, and in a
 * ring that remembers the last ones.
 *
 *   entry: [... update ...]          ring: [number][place] at number mod its length
 *
 * An entry whose last change was not told yet keeps its number: what is told is what it holds at that moment. Whoever tells
 * therefore first raises `told` to the number, then reads the entry.
 */
import { CHANGE_WORDS, HEADER, UPDATE } from './layout.ts';
import type { Table } from './table.ts';

const { update: LAST, told: TOLD } = HEADER.at;

/** Milliseconds that a number may be taken and not yet be in the ring: its thread has died after that. */
const GAP_MS = 100;

export function recordChange(table: Table, entry: number): void {
  const { words, layout } = table;
  const own = table.at(entry) + UPDATE;
  const update = Atomics.load(words, own);
  if (update !== 0 && ((update - Atomics.load(words, TOLD)) | 0) > 0) return;
  // 0 means none: after 2^32 changes it is left out.
  const number = (Atomics.add(words, LAST, 1) + 1) | 0 || (Atomics.add(words, LAST, 1) + 1) | 0;
  Atomics.store(words, own, number);
  const at = layout.changes + (number & (layout.changesMax - 1)) * CHANGE_WORDS;
  Atomics.store(words, at + 1, entry);
  Atomics.store(words, at, number);
}

/** Number of the last local change; 0 = there was none. */
export function lastChange(table: Table): number {
  return Atomics.load(table.words, LAST);
}

/** One reader of the changes of a table: a peer that is told, or all of them. Only the control thread reads. */
export class ChangeReader {
  /** All up to this number was visited. */
  at: number;
  readonly #table: Table;
  /** Its own, so that `visit` may look at other entries. */
  readonly #hold: number;
  #gapSince = -1;

  /** @param at number after which it begins: `lastChange` = only what is to come, 0 = everything. */
  constructor(table: Table, at: number) {
    this.#table = table;
    this.at = at;
    const hold = table.takeHold();
    this.#hold = hold < 0 ? table.hold : hold;
  }

  /** It reads no more: its hold is free. */
  close(): void {
    if (this.#hold !== this.#table.hold) this.#table.giveHold(this.#hold);
  }

  /** How many changes there are that were not visited, entries changed again counted again. */
  get behind(): number {
    return (lastChange(this.#table) - this.at) >>> 0;
  }

  /**
   * Calls `visit` with entries that were changed, `max` at most; each is held during the call (not to be released), and what
   * it holds then is to be told under `number`. Changed entries that are gone are passed over. A reader that is further
   * behind than the ring remembers visits every entry that was changed since, at once, in no order.
   * @param now ms of the shared clock
   * @returns how many were visited
   */
  read(now: number, max: number, visit: (entry: number, number: number) => void): number {
    const { words, layout } = this.#table;
    if (this.behind > layout.changesMax) return this.#readAll(visit);
    let count = 0;
    while (this.at !== lastChange(this.#table) && count < max) {
      const number = (this.at + 1) | 0;
      const at = layout.changes + (number & (layout.changesMax - 1)) * CHANGE_WORDS;
      if (number !== 0 && Atomics.load(words, at) !== number) {
        if (!this.#passGap(now, Atomics.load(words, at), number)) break;
      } else if (number !== 0 && this.#tell(Atomics.load(words, at + 1), number, visit)) count++;
      this.at = number;
      this.#gapSince = -1;
    }
    return count;
  }

  /** A number whose change is not in the ring: was it overwritten, or its thread too slow by far? */
  #passGap(now: number, found: number, number: number): boolean {
    if (((found - number) | 0) > 0) return true;
    if (this.#gapSince < 0) this.#gapSince = now;
    return now - this.#gapSince > GAP_MS;
  }

  #tell(entry: number, number: number, visit: (entry: number, number: number) => void): boolean {
    const table = this.#table;
    // A later number stands for this one too.
    if (Atomics.load(table.words, table.at(entry) + UPDATE) !== number || !table.take(entry, this.#hold)) return false;
    this.#raiseTold(number);
    visit(entry, number);
    table.release(entry, this.#hold);
    return true;
  }

  #raiseTold(number: number): void {
    const { words } = this.#table;
    if (((number - Atomics.load(words, TOLD)) | 0) > 0) Atomics.store(words, TOLD, number);
  }

  #readAll(visit: (entry: number, number: number) => void): number {
    const table = this.#table;
    const last = lastChange(table);
    let count = 0;
    this.#raiseTold(last);
    for (let entry = 0; entry < table.end; entry++) {
      const number = Atomics.load(table.words, table.at(entry) + UPDATE);
      if (number === 0 || ((number - this.at) | 0) <= 0 || !table.take(entry, this.#hold)) continue;
      visit(entry, number);
      table.release(entry, this.#hold);
      count++;
    }
    this.at = last;
    return count;
  }
}
