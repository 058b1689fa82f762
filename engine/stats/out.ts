/**
 * Output bytes. Everything statistics write goes straight into one buffer: a number becomes digits there without ever
 * being a string, so that a large scrape leaves no garbage behind.
 */

/** What a consumer asks for piece by piece, at its own pace. */
export interface Dump {
  /**
   * The next piece, never empty; null at the end. Its bytes are lent until the next call. It is about `bytes` long
   * (PIECE_BYTES unless told, and never longer than that by more than a step), as work must be done in small parts.
   */
  next(bytes?: number): Uint8Array | null;
}

/** Bytes of one piece: what a dump aims at before it returns to its caller. */
export const PIECE_BYTES = 16_384;

const utf8 = new TextEncoder();
const COMMA = 0x2c;
const ZERO = 0x30;
const MINUS = 0x2d;
/** Above this, digits are made in two parts: 32-bit arithmetic is far cheaper than doubles. */
const INT_MAX = 0x7fffffff;
const BILLION = 1e9;

export class Out {
  /** How many bytes are written. */
  length = 0;
  #bytes = new Uint8Array(PIECE_BYTES + 8_192);

  /** What was written since `clear`. Lent until the next write. */
  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }

  byte(b: number): void {
    if (this.length === this.#bytes.length) this.#grow(1);
    this.#bytes[this.length++] = b;
  }

  /** A string, as UTF-8. */
  text(s: string): void {
    const n = s.length;
    if (this.length + 3 * n > this.#bytes.length) this.#grow(3 * n);
    const bytes = this.#bytes;
    let at = this.length;
    for (let i = 0; i < n; i++) {
      const c = s.charCodeAt(i);
      if (c >= 0x80) {
        at += utf8.encodeInto(s.slice(i), bytes.subarray(at)).written;
        break;
      }
      bytes[at++] = c;
    }
    this.length = at;
  }

  /** A whole number of at most 2^53 in decimal digits. */
  number(n: number): void {
    if (n < 0) {
      this.byte(MINUS);
      this.number(-n);
    } else if (n < 10) {
      this.byte(ZERO + n);
    } else if (n > INT_MAX) {
      const high = Math.floor(n / BILLION);
      this.number(high);
      this.#digits(n - high * BILLION, 9);
    } else {
      let width = 2;
      for (let power = 100; width < 10 && n >= power; power *= 10) width++;
      this.#digits(n, width);
    }
  }

  value(v: number | string): void {
    if (typeof v === 'number') this.number(v);
    else this.text(v);
  }

  /** A CSV field: quoted, with its quotes doubled, only when it holds a comma, a quote or a line end. */
  csv(s: string): void {
    if (/[",\r\n]/.test(s)) this.text(`"${s.replaceAll('"', '""')}"`);
    else this.text(s);
  }

  comma(): void {
    this.byte(COMMA);
  }

  #digits(n: number, width: number): void {
    if (this.length + width > this.#bytes.length) this.#grow(width);
    const bytes = this.#bytes;
    let rest = n | 0;
    for (let at = this.length + width - 1; at >= this.length; at--) {
      const tens = (rest / 10) | 0;
      bytes[at] = ZERO + rest - tens * 10;
      rest = tens;
    }
    this.length += width;
  }

  #grow(need: number): void {
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + need));
    bytes.set(this.#bytes.subarray(0, this.length));
    this.#bytes = bytes;
  }
}

/** A dump of one text that is known whole. */
export function textDump(text: string): Dump {
  let piece: Uint8Array | null = utf8.encode(text);
  return {
    next() {
      const now = piece;
      piece = null;
      return now;
    },
  };
}

/** Calls `step` until it says false, in pieces: a piece ends where the largest step so far might not fit any more. */
export function steppedDump(step: (out: Out) => boolean): Dump {
  const out = new Out();
  let largest = 0;
  let more = true;
  return {
    next(bytes = PIECE_BYTES) {
      out.clear();
      while (more && (out.length === 0 || out.length + largest <= bytes)) {
        const before = out.length;
        more = step(out);
        largest = Math.min(Math.max(largest, out.length - before), PIECE_BYTES);
      }
      return out.length === 0 ? null : out.take();
    },
  };
}
