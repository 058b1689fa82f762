/**
 * HDR histograms of the four timers of every frontend, backend and server: hdr-histogram-js's layout and arithmetic over
 * shared memory. A worker writes its own rows only, so recording is a plain increment; who reads adds the rows of all.
 *
 *   row of one thing in one worker:   timer q | timer c | timer d | timer t
 *   timer:                            since the start | slot of even minutes | slot of odd minutes
 *   histogram:                        minute, low, max, sum | counts: doubles, those of slots 32-bit words
 *
 * The rolling window is this minute and the one before: a slot is emptied by its writer when it first counts in a new
 * minute, and left out by readers when its minute is over.
 *
 * Values are microseconds, from 1 us to 1 h. An octave (twice the value) has `half` counts, so one covers 1/half of its
 * value: 128 of them are two significant digits, 206 KiB of address space for a row; 16 are one digit, 29 KiB. Pages that
 * were never written cost nothing. Which of the two is in use depends on how many rows there are (`halfBitsFor`).
 */
import { HISTOGRAM_BYTES_FINE, HISTOGRAM_BYTES_FINE_SPARE, TIMER_US_MAX } from '../limits.ts';

/** The timers, in the order of their histograms: queue, connect, response (data) and total. */
export const TIMERS = ['q', 'c', 'd', 't'] as const;

/** Since the start; over the last one to two minutes. */
export type Span = 'all' | 'window';

/** How long one slot of the window counts. Milliseconds. */
const SLOT_MS = 60_000;

/** Doubles at the head of a histogram. */
const MINUTE = 0;
/** The lowest count in use, plus one; 0 = the histogram is empty. */
const LOW = 1;
const MAX = 2;
/** Of all values; kept since the start only. */
const SUM = 3;
const HEAD_DOUBLES = 4;

/** log2 of the counts of an octave, with two significant digits and with one. */
const FINE_BITS = 7;
const COARSE_BITS = 4;

/** Index of the count that `us` (0..TIMER_US_MAX, whole) belongs to. */
export function indexOf(us: number, halfBits: number): number {
  // The first two octaves are one linear run; each further one has its upper half only.
  const octave = 31 - halfBits - Math.clz32(us | ((2 << halfBits) - 1));
  return (octave << halfBits) + (us >>> octave);
}

/** The highest value of count `index`: what percentiles tell. Microseconds. */
export function highestOf(index: number, halfBits: number): number {
  const octave = Math.max((index >> halfBits) - 1, 0);
  return (index - (octave << halfBits) + 1) * 2 ** octave - 1;
}

function countsOf(halfBits: number): number {
  return indexOf(TIMER_US_MAX, halfBits) + 1;
}

/** Doubles of the histogram since the start, and of a slot: whole cache lines. */
function allDoubles(halfBits: number): number {
  return wholeLines(HEAD_DOUBLES + countsOf(halfBits));
}

function slotDoubles(halfBits: number): number {
  return wholeLines(HEAD_DOUBLES + countsOf(halfBits) / 2);
}

function wholeLines(doubles: number): number {
  return Math.ceil(doubles / 8) * 8;
}

function rowDoubles(halfBits: number): number {
  return TIMERS.length * (allDoubles(halfBits) + 2 * slotDoubles(halfBits));
}

/** Two significant digits, as long as all rows together stay small, and those that are hardly ever used not very large. */
function halfBitsFor(rows: number, spare: number): number {
  const bytes = rowDoubles(FINE_BITS) * 8;
  const small = (rows - spare) * bytes <= HISTOGRAM_BYTES_FINE && rows * bytes <= HISTOGRAM_BYTES_FINE_SPARE;
  return small ? FINE_BITS : COARSE_BITS;
}

/** Bytes of the histograms of so many rows, `spare` of them of things that may come. */
export function histogramBytes(rows: number, spare = 0): number {
  return rows * rowDoubles(halfBitsFor(rows, spare)) * 8;
}

/** What was read of one timer: the histograms of all workers added. */
export class Merged {
  readonly halfBits: number;
  readonly counts: Float64Array;
  /** How many values there are, and the greatest; microseconds. */
  total = 0;
  max = 0;
  /** Their sum; since the start only. */
  sum = 0;
  /** Counts outside these are zero. */
  low = 0;
  high = -1;

  constructor(halfBits: number) {
    this.halfBits = halfBits;
    this.counts = new Float64Array(countsOf(halfBits));
  }

  clear(): void {
    this.counts.fill(0, this.low, this.high + 1);
    this.total = this.max = this.sum = this.low = 0;
    this.high = -1;
  }

  /** The value that `percents` (ascending) of all are not above, one after the other into `out` from `at` on. */
  percentiles(percents: readonly number[], out: Float64Array, at: number): void {
    let index = this.low;
    let seen = this.counts[index]!;
    for (let i = 0; i < percents.length; i++) {
      // Rounded up, but not for what floating point added.
      const wanted = Math.max(1, Math.ceil((percents[i]! / 100) * this.total * (1 - 2 ** -50)));
      while (seen < wanted && index < this.high) seen += this.counts[++index]!;
      out[at + i] = Math.min(highestOf(index, this.halfBits), this.max);
    }
  }
}

export class Histograms {
  /** Heads, and the counts since the start. */
  readonly #doubles: Float64Array;
  /** The same bytes: the counts of slots. They are emptied before a word could overflow. */
  readonly #words: Uint32Array;
  readonly #halfBits: number;
  /** Doubles of a row, of one timer, and of its parts. */
  readonly #row: number;
  readonly #timer: number;
  readonly #all: number;
  readonly #slot: number;
  /** Doubles from one worker's rows to the next's. */
  readonly #stride: number;
  readonly #workers: number;

  /** Lays them over `buffer` from `byteOffset`, a multiple of 8, on: `rows` of each worker, as `histogramBytes` counts them. */
  constructor(buffer: SharedArrayBuffer, byteOffset: number, rows: number, workers: number, spare = 0) {
    this.#halfBits = halfBitsFor(rows * workers, spare * workers);
    this.#row = rowDoubles(this.#halfBits);
    this.#timer = this.#row / TIMERS.length;
    this.#all = allDoubles(this.#halfBits);
    this.#slot = slotDoubles(this.#halfBits);
    this.#stride = rows * this.#row;
    this.#workers = workers;
    this.#doubles = new Float64Array(buffer, byteOffset, this.#stride * workers);
    this.#words = new Uint32Array(buffer, byteOffset, this.#stride * workers * 2);
  }

  /** A place for what `read` finds. */
  merged(): Merged {
    return new Merged(this.#halfBits);
  }

  /** Where row `row` of `worker` stands: what `record` and `clear` want. */
  at(worker: number, row: number): number {
    return worker * this.#stride + row * this.#row;
  }

  /** Counts a time of `ms` at `now`, milliseconds both, in one timer of the row at `at`. Only its worker may. */
  record(at: number, timer: number, ms: number, now: number): void {
    const us = Math.max(0, Math.min(Math.round(ms * 1000), TIMER_US_MAX));
    const index = indexOf(us, this.#halfBits);
    const minute = Math.floor(now / SLOT_MS);
    const all = at + timer * this.#timer;
    const slot = all + this.#all + (minute & 1) * this.#slot;
    if (this.#doubles[slot + MINUTE] !== minute) {
      this.#empty(slot, true);
      this.#doubles[slot + MINUTE] = minute;
    }
    const inAll = all + HEAD_DOUBLES + index;
    const inSlot = (slot + HEAD_DOUBLES) * 2 + index;
    if (this.#doubles[inAll] === 0) this.#first(all, index);
    if (this.#words[inSlot] === 0) this.#first(slot, index);
    this.#doubles[inAll]! += 1;
    this.#words[inSlot]! += 1;
    this.#doubles[all + SUM]! += us;
    if (us > this.#doubles[slot + MAX]!) this.#raise(all, slot, us);
  }

  /** Count `index` is used for the first time. */
  #first(at: number, index: number): void {
    const low = this.#doubles[at + LOW]!;
    if (low === 0 || index < low - 1) this.#doubles[at + LOW] = index + 1;
  }

  #raise(all: number, slot: number, us: number): void {
    this.#doubles[slot + MAX] = us;
    if (us > this.#doubles[all + MAX]!) this.#doubles[all + MAX] = us;
  }

  /** Empties one histogram: only what was written is touched. */
  #empty(at: number, slot: boolean): void {
    const doubles = this.#doubles;
    const low = doubles[at + LOW]! - 1;
    if (low < 0) return;
    const end = indexOf(doubles[at + MAX]!, this.#halfBits) + 1;
    const counts = at + HEAD_DOUBLES;
    if (slot) this.#words.fill(0, counts * 2 + low, counts * 2 + end);
    else doubles.fill(0, counts + low, counts + end);
    doubles[at + LOW] = doubles[at + MAX] = doubles[at + SUM] = 0;
  }

  /** Empties the windows of the row at `at`, or everything. Only its worker may. */
  clear(at: number, all: boolean): void {
    for (let timer = 0; timer < TIMERS.length; timer++) {
      const first = at + timer * this.#timer;
      if (all) this.#empty(first, false);
      for (let slot = 0; slot < 2; slot++) this.#empty(first + this.#all + slot * this.#slot, true);
    }
  }

  /** Adds row `row` of all workers of `from`, where nobody writes any more, to the row at `at`. Only its worker may. */
  fold(at: number, from: Histograms, row: number): void {
    const found = this.merged();
    for (let timer = 0; timer < TIMERS.length; timer++) {
      const all = at + timer * this.#timer;
      from.read(row, timer, 'all', 0, found);
      this.#take(all, found, this.#doubles, all + HEAD_DOUBLES);
      for (let slot = 0; slot < 2; slot++) {
        const own = all + this.#all + slot * this.#slot;
        const minute = from.#latest(row, timer, slot);
        if (minute < this.#doubles[own + MINUTE]!) continue;
        if (minute > this.#doubles[own + MINUTE]!) this.#empty(own, true);
        this.#doubles[own + MINUTE] = minute;
        from.#readSlot(row, timer, slot, minute, found);
        this.#take(own, found, this.#words, (own + HEAD_DOUBLES) * 2);
      }
    }
  }

  /** The last minute that any worker counted in this slot. */
  #latest(row: number, timer: number, slot: number): number {
    let latest = 0;
    for (let worker = 0; worker < this.#workers; worker++) {
      const at = this.at(worker, row) + timer * this.#timer + this.#all + slot * this.#slot;
      latest = Math.max(latest, this.#doubles[at + MINUTE]!);
    }
    return latest;
  }

  #readSlot(row: number, timer: number, slot: number, minute: number, into: Merged): void {
    into.clear();
    for (let worker = 0; worker < this.#workers; worker++) {
      const at = this.at(worker, row) + timer * this.#timer + this.#all + slot * this.#slot;
      if (this.#doubles[at + MINUTE] === minute) this.#addTo(into, at, this.#words, (at + HEAD_DOUBLES) * 2);
    }
  }

  /** Adds what was read to the histogram whose head is at `at`, and whose counts are those of `own` from `to` on. */
  #take(at: number, found: Merged, own: Float64Array | Uint32Array, to: number): void {
    if (found.total === 0) return;
    for (let i = found.low; i <= found.high; i++) own[to + i]! += found.counts[i]!;
    this.#first(at, found.low);
    this.#doubles[at + MAX] = Math.max(this.#doubles[at + MAX]!, found.max);
    this.#doubles[at + SUM]! += found.sum;
  }

  /** Whether row `row` has times: every stream has a total, the last timer. */
  used(row: number): boolean {
    const total = (TIMERS.length - 1) * this.#timer;
    for (let worker = 0; worker < this.#workers; worker++) {
      if (this.#doubles[this.at(worker, row) + total + LOW] !== 0) return true;
    }
    return false;
  }

  /** Reads one timer of row `row` of all workers into `into`. `now` is milliseconds of the shared clock. */
  read(row: number, timer: number, span: Span, now: number, into: Merged): void {
    into.clear();
    this.add(row, timer, span, now, into);
  }

  /** Adds one timer of row `row` of all workers to what `into` holds. */
  add(row: number, timer: number, span: Span, now: number, into: Merged): void {
    const minute = Math.floor(now / SLOT_MS);
    for (let worker = 0; worker < this.#workers; worker++) {
      const all = this.at(worker, row) + timer * this.#timer;
      if (span === 'all') {
        this.#addTo(into, all, this.#doubles, all + HEAD_DOUBLES);
        continue;
      }
      for (let slot = 0; slot < 2; slot++) {
        const at = all + this.#all + slot * this.#slot;
        if (minute - this.#doubles[at + MINUTE]! <= 1) this.#addTo(into, at, this.#words, (at + HEAD_DOUBLES) * 2);
      }
    }
  }

  /** Adds the histogram whose head is at `at`, and whose counts are those of `own` from `from` on. */
  #addTo(into: Merged, at: number, own: Float64Array | Uint32Array, from: number): void {
    const doubles = this.#doubles;
    const low = doubles[at + LOW]! - 1;
    if (low < 0) return;
    const { counts, halfBits } = into;
    const max = doubles[at + MAX]!;
    const high = indexOf(max, this.#halfBits);
    const alike = halfBits === this.#halfBits;
    /** A count of the other resolution. */
    const place = (i: number) =>
      alike ? i : indexOf(Math.min(highestOf(i, this.#halfBits), max, TIMER_US_MAX), halfBits);
    let total = 0;
    for (let i = low; i <= high; i++) {
      const n = own[from + i]!;
      total += n;
      counts[alike ? i : place(i)]! += n;
    }
    into.low = into.high < 0 ? place(low) : Math.min(into.low, place(low));
    into.high = Math.max(into.high, place(high));
    into.total += total;
    into.max = Math.max(into.max, max);
    into.sum += doubles[at + SUM]!;
  }
}
