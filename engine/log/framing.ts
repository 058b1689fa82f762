/**
 * Messages out of a stream (RFC 6587): each either after its length, or with a line feed behind it. The first byte tells.
 *
 *     31 <13>Oct 11 22:14:15 host tag: one<13>Oct 11 22:14:15 host tag: two LF ...
 */
const LF = 10;
const SPACE = 32;
const LESS = 60;
const ZERO = 48;
const NINE = 57;

/** Hears of a message: `bytes[start, end)`, valid only during the call. */
export type Take = (bytes: Uint8Array, start: number, end: number) => void;

export class Framing {
  readonly #maxBytes: number;
  readonly #endsWithLf: boolean;
  readonly #take: Take;
  /** What has come of a message that is not whole; no more than a message and its length. */
  #kept = new Uint8Array(0);

  /**
   * @param maxBytes of a message
   * @param endsWithLf whatever it begins with
   */
  constructor(maxBytes: number, endsWithLf: boolean, take: Take) {
    this.#maxBytes = maxBytes;
    this.#endsWithLf = endsWithLf;
    this.#take = take;
  }

  /** More of the stream. False when it is none of messages: nothing can be understood from there on. */
  feed(bytes: Uint8Array, start: number, end: number): boolean {
    let [all, at, stop] = [bytes, start, end];
    if (this.#kept.length > 0) {
      all = new Uint8Array(this.#kept.length + end - start);
      all.set(this.#kept);
      all.set(bytes.subarray(start, end), this.#kept.length);
      [at, stop] = [0, all.length];
    }
    while (at < stop) {
      const next = this.#one(all, at, stop);
      if (next === WRONG) return false;
      if (next === MORE) break;
      at = next;
    }
    this.#kept = all.slice(at, stop);
    return true;
  }

  /** Takes the message that begins at `at`; gives where the next one does. */
  #one(bytes: Uint8Array, at: number, end: number): number {
    const first = bytes[at]!;
    if (this.#endsWithLf || first === LESS) return this.#line(bytes, at, end);
    return first > ZERO && first <= NINE ? this.#counted(bytes, at, end) : WRONG;
  }

  #line(bytes: Uint8Array, at: number, end: number): number {
    const length = bytes.subarray(at, end).indexOf(LF);
    if (length < 0) return end - at > this.#maxBytes ? WRONG : MORE;
    if (length > this.#maxBytes) return WRONG;
    if (length > 0) this.#take(bytes, at, at + length);
    return at + length + 1;
  }

  #counted(bytes: Uint8Array, at: number, end: number): number {
    let length = 0;
    let digit = at;
    for (; digit < end && bytes[digit]! >= ZERO && bytes[digit]! <= NINE; digit++) {
      length = length * 10 + bytes[digit]! - ZERO;
      if (length > this.#maxBytes) return WRONG;
    }
    if (digit === end) return MORE;
    if (bytes[digit] !== SPACE) return WRONG;
    const from = digit + 1;
    if (end - from < length) return MORE;
    this.#take(bytes, from, from + length);
    return from + length;
  }
}

/** What `#one` gives beside a place. */
const MORE = -1;
const WRONG = -2;
