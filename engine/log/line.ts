/**
 * The bytes of one log line while it is written: one buffer, used again for every line. What does not fit is cut off, so
 * that no request can make a line longer than its bound.
 */

import { VALUE } from '../http/chars.ts';

const PERCENT = 37;
const SPACE = 32;
const DELETE = 127;
const MINUS = 45;
const ZERO = 48;
const HASH = 35;
const QUOTE = 34;
const BACKSLASH = 92;
const BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const HEX = Uint8Array.from('0123456789ABCDEF', c => c.charCodeAt(0));

/** 1 for what a client may not put into a line as it is: control bytes, bytes above 126, `"` and `#` (manual 8.6). */
const UNSAFE = Uint8Array.from({ length: 256 }, (_, b) =>
  b < SPACE || b >= DELETE || b === QUOTE || b === HASH ? 1 : 0,
);

/** 1 for what `+E` puts a backslash before (RFC 5424 6.3.3). */
const ESCAPED = Uint8Array.from({ length: 256 }, (_, b) => (b === QUOTE || b === BACKSLASH || b === BRACKET ? 1 : 0));

export class Line {
  readonly bytes: Uint8Array;
  /** Bytes in use. */
  length = 0;

  constructor(maxBytes: number) {
    this.bytes = new Uint8Array(maxBytes);
  }

  byte(value: number): void {
    if (this.length < this.bytes.length) this.bytes[this.length++] = value;
  }

  raw(bytes: Uint8Array): void {
    this.slice(bytes, 0, bytes.length);
  }

  slice(bytes: Uint8Array, start: number, end: number): void {
    const stop = Math.min(end, start + this.bytes.length - this.length);
    let at = this.length;
    for (let i = start; i < stop; i++) this.bytes[at++] = bytes[i]!;
    this.length = at;
  }

  /** `bytes[start, end)` with a backslash before `"`, `\` and `]`. */
  escaped(bytes: Uint8Array, start: number, end: number): void {
    for (let i = start; i < end; i++) {
      if (ESCAPED[bytes[i]!] === 1) this.byte(BACKSLASH);
      this.byte(bytes[i]!);
    }
  }

  /** `bytes[start, end)` from a client: what is unsafe becomes `#` and two hexadecimal digits, and then, with `escape`, as `escaped`. */
  encoded(bytes: Uint8Array, start: number, end: number, escape: boolean): void {
    for (let i = start; i < end; i++) {
      const b = bytes[i]!;
      if (UNSAFE[b] === 1) {
        this.byte(HASH);
        this.byte(HEX[b >> 4]!);
        this.byte(HEX[b & 15]!);
      } else {
        if (escape && ESCAPED[b] === 1) this.byte(BACKSLASH);
        this.byte(b);
      }
    }
  }

  /** `bytes[start, end)` without what no header may hold: control bytes become `%` and two digits. */
  percent(bytes: Uint8Array, start: number, end: number, escape: boolean): void {
    for (let i = start; i < end; i++) {
      const b = bytes[i]!;
      if (VALUE[b] === 0) {
        this.byte(PERCENT);
        this.byte(HEX[b >> 4]!);
        this.byte(HEX[b & 15]!);
      } else {
        if (escape && ESCAPED[b] === 1) this.byte(BACKSLASH);
        this.byte(b);
      }
    }
  }

  /** A captured header: as `encoded`, and so is what separates the captures. */
  header(bytes: Uint8Array, escape: boolean): void {
    for (const b of bytes) {
      if (UNSAFE[b] === 0 && (b < OPEN_BRACE || b > CLOSE_BRACE)) {
        if (escape && ESCAPED[b] === 1) this.byte(BACKSLASH);
        this.byte(b);
      } else {
        this.byte(HASH);
        this.byte(HEX[b >> 4]!);
        this.byte(HEX[b & 15]!);
      }
    }
  }

  /** A whole number, at least `width` digits. */
  number(value: number, width = 1): void {
    let rest = Math.abs(value);
    if (value < 0) this.byte(MINUS);
    let unit = 10 ** (width - 1);
    while (unit * 10 <= rest) unit *= 10;
    for (; unit >= 1; unit /= 10) {
      const digit = Math.floor(rest / unit);
      this.byte(ZERO + digit);
      rest -= digit * unit;
    }
  }

  /** A whole number, not negative, in capital hexadecimal digits, at least `width`. */
  hex(value: number, width: number): void {
    let unit = 16 ** (width - 1);
    while (unit * 16 <= value) unit *= 16;
    let rest = value;
    for (; unit >= 1; unit /= 16) {
      const digit = Math.floor(rest / unit);
      this.byte(HEX[digit]!);
      rest -= digit * unit;
    }
  }
}

const utf8 = new TextEncoder();

/** The bytes of a text that is known when the configuration is read. */
export function bytesOf(text: string): Uint8Array {
  return utf8.encode(text);
}
