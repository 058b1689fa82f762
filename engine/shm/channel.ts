/**
 * A queue of messages from one thread to another in shared memory: one writer, one reader, no locks, bounded.
 *
 *     words   written   read        bytes passed so far on each side, modulo 2^32; only their owner changes them
 *     bytes   | length (4, little endian) | message | length | ...   wrapping around
 *
 * What is written becomes visible by the one store of `written`, so a writer that dies leaves whole messages only.
 */
const LENGTH_BYTES = 4;

export class Channel {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #bytes: Uint8Array;

  /**
   * @param at of the two words
   * @param bytes a power of two of them
   */
  constructor(words: Int32Array, at: number, bytes: Uint8Array) {
    this.#words = words;
    this.#at = at;
    this.#bytes = bytes;
  }

  /** Puts `message[0, length)` in; false when there is no room. */
  put(message: Uint8Array, length: number): boolean {
    const written = Atomics.load(this.#words, this.#at) >>> 0;
    const read = Atomics.load(this.#words, this.#at + 1) >>> 0;
    const used = (written - read) >>> 0;
    if (used + LENGTH_BYTES + length > this.#bytes.length) return false;
    for (let i = 0; i < LENGTH_BYTES; i++) this.#bytes[this.#place(written + i)] = length >>> (8 * i);
    const from = this.#place(written + LENGTH_BYTES);
    const first = Math.min(length, this.#bytes.length - from);
    this.#bytes.set(message.subarray(0, first), from);
    this.#bytes.set(message.subarray(first, length), 0);
    Atomics.store(this.#words, this.#at, (written + LENGTH_BYTES + length) | 0);
    return true;
  }

  /** Takes the next message out, copied; null = there is none. */
  take(): Uint8Array | null {
    const written = Atomics.load(this.#words, this.#at) >>> 0;
    const read = Atomics.load(this.#words, this.#at + 1) >>> 0;
    if (written === read) return null;
    let length = 0;
    for (let i = 0; i < LENGTH_BYTES; i++) length |= this.#bytes[this.#place(read + i)]! << (8 * i);
    const message = new Uint8Array(length);
    const from = this.#place(read + LENGTH_BYTES);
    const first = Math.min(length, this.#bytes.length - from);
    message.set(this.#bytes.subarray(from, from + first));
    message.set(this.#bytes.subarray(0, length - first), first);
    Atomics.store(this.#words, this.#at + 1, (read + LENGTH_BYTES + length) | 0);
    return message;
  }

  #place(position: number): number {
    return (position >>> 0) & (this.#bytes.length - 1);
  }
}
