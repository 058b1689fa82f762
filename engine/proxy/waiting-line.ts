/**
 * The streams of one worker that wait in one queue, as a binary heap: the one whose turn is next stands first.
 *
 *   place:   | class + 2048 (12 bits) | arrival + offset, in 1/16 ms (41 bits) |      one double, exact
 *
 * Lower is earlier: the class decides, then the time (`set-priority-class`, `set-priority-offset`). Workers compare the places
 * of their first streams, so all of a place must be in one number that is written at once.
 */
import type { Stream } from './stream.ts';

const CLASS_MAX = 2047;
const OFFSET_MAX_MS = 524_287;
const UNITS_PER_MS = 16;
/** More than four years of the machine's clock. */
const TIME_UNITS = 2 ** 41;

const within = (value: number, max: number) => Math.max(-max, Math.min(max, value));

/** The class that is meant by a number of a rule (manual 4.4: what is outside is cut). */
export const priorityClass = (value: number) => within(value, CLASS_MAX);
export const priorityOffset = (value: number) => within(value, OFFSET_MAX_MS);

/** A place for a stream that comes at `now`, ms. Never 0. */
export function placeAt(now: number, { priorityClass, priorityOffsetMs }: Stream): number {
  const time = Math.floor((now + priorityOffsetMs) * UNITS_PER_MS);
  return (priorityClass + CLASS_MAX + 1) * TIME_UNITS + Math.max(0, Math.min(TIME_UNITS - 1, time));
}

export class WaitingLine {
  readonly #heap: Stream[] = [];

  get first(): Stream | null {
    return this.#heap[0] ?? null;
  }

  push(stream: Stream): void {
    stream.line = this;
    this.#put(stream, this.#heap.length);
    this.#up(stream);
  }

  remove(stream: Stream): void {
    const last = this.#heap.pop()!;
    if (last !== stream) {
      this.#put(last, stream.lineAt);
      this.#up(last);
      this.#down(last);
    }
    stream.line = null;
  }

  /** All of them, first come first. */
  inOrder(): Stream[] {
    return this.#heap.toSorted((a, b) => (before(a, b) ? -1 : 1));
  }

  #put(stream: Stream, at: number): void {
    this.#heap[at] = stream;
    stream.lineAt = at;
  }

  #up(stream: Stream): void {
    for (let at = stream.lineAt; at > 0; at = stream.lineAt) {
      const parent = this.#heap[(at - 1) >> 1]!;
      if (!before(stream, parent)) return;
      this.#put(parent, at);
      this.#put(stream, (at - 1) >> 1);
    }
  }

  #down(stream: Stream): void {
    for (;;) {
      const at = stream.lineAt;
      const left = this.#heap[2 * at + 1];
      if (left === undefined) return;
      const right = this.#heap[2 * at + 2];
      const child = right !== undefined && before(right, left) ? right : left;
      if (!before(child, stream)) return;
      const childAt = child.lineAt;
      this.#put(child, at);
      this.#put(stream, childAt);
    }
  }
}

/** Who came in the same moment stands in order of arrival. */
function before(a: Stream, b: Stream): boolean {
  return a.place !== b.place ? a.place < b.place : a.id < b.id;
}
