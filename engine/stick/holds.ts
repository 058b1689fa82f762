/**
 * Who holds which entry. An entry that is held is not evicted, so a thread that dies would keep its entries for ever: each
 * thread therefore writes what it holds into a row of its own, which the master gives back. The reference and its hold change
 * side by side, with no call between. V8 ends a thread where it enters a function or a loop goes round, and in rare cases
 * (code that is being replaced by a better one) elsewhere: a thread that is ended just between leaves one reference, or one
 * count of `conn_cur`, too many: that entry stays until the table is cleared or the process ends. Never one too few.
 *
 *   row 0 .. workers-1: a worker's, row `workers`: the control thread's, the last one: the master's
 *     ┌──────┬─────────┬─────────┬───
 *     │ high │ hold 0  │ hold 1  │        high: holds ever used at a time; a hold: [table + 1][entry], 0 = free
 *     └──────┴─────────┴─────────┴───      COUNTED is added to the table where `conn_cur` was raised with the hold
 */

/** The holder counts as a connection of the entry. */
export const COUNTED = 0x4000_0000;

const HOLD_WORDS = 2;
const HEADER_WORDS = 2;

/** Holds of the control thread: what the runtime API and the peers look at, one entry each. */
export const FEW_HOLDS = 64;

export class Holds {
  readonly buffer: SharedArrayBuffer;
  readonly words: Int32Array;
  readonly #perRow: number;

  private constructor(buffer: SharedArrayBuffer, perRow: number) {
    this.buffer = buffer;
    this.words = new Int32Array(buffer);
    this.#perRow = perRow;
  }

  /** @param holds of one worker at most: what all its sessions can track, and a few */
  static create(rows: number, holds: number): Holds {
    const perRow = HEADER_WORDS + HOLD_WORDS * (holds + FEW_HOLDS);
    const made = new Holds(new SharedArrayBuffer((rows * perRow + 1) * 4), perRow);
    made.words[made.words.length - 1] = perRow;
    return made;
  }

  static attach(buffer: SharedArrayBuffer): Holds {
    const words = new Int32Array(buffer);
    return new Holds(buffer, words[words.length - 1]!);
  }

  /** The last row: the master's. */
  get last(): number {
    return (this.words.length - 1) / this.#perRow - 1;
  }

  row(index: number): HoldRow {
    return new HoldRow(this.words, index * this.#perRow, (this.#perRow - HEADER_WORDS) / HOLD_WORDS);
  }

  /** Calls `give` for each hold of a row whose thread has ended, and forgets it. */
  reclaim(index: number, give: (table: number, entry: number, counted: boolean) => void): void {
    const { words } = this;
    const row = index * this.#perRow;
    const high = words[row]!;
    for (let i = 0; i < high; i++) {
      const at = row + HEADER_WORDS + i * HOLD_WORDS;
      const mark = words[at]!;
      words[at] = 0;
      if (mark !== 0) give((mark & ~COUNTED) - 1, words[at + 1]!, (mark & COUNTED) !== 0);
    }
    words[row] = 0;
  }
}

/** The row of one thread, as that thread uses it. */
export class HoldRow {
  readonly words: Int32Array;
  readonly #at: number;
  readonly #max: number;
  readonly #free: number[] = [];
  #high = 0;

  constructor(words: Int32Array, at: number, max: number) {
    this.words = words;
    this.#at = at;
    this.#max = max;
  }

  /** Word offset of a free hold; -1 = there is none left. It stays free until it is written. */
  take(): number {
    const free = this.#free.pop();
    if (free !== undefined) return free;
    if (this.#high === this.#max) return -1;
    const at = this.#at + HEADER_WORDS + this.#high * HOLD_WORDS;
    this.words[this.#at] = ++this.#high;
    return at;
  }

  give(at: number): void {
    this.#free.push(at);
  }
}
