/**
 * The integers of the peers protocol (HAProxy's doc/peers.txt, "Encoding"): 1 byte below 240, else 4 bits in the first
 * byte and 7 in each that follows, the lowest first.
 *
 *   0 <= v < 240     [ v ]
 *   240 <= v         [ 1111 xxxx ] [ 1xxx xxxx ]* [ 0xxx xxxx ]      each byte adds its value as it stands,
 *                                                                    shifted by 0, 4, 11, 18 ... bits
 *
 * They have 64 bits. Here they are doubles: exact to 2^53, beyond that the nearest double.
 */

/** More bytes than any integer of 64 bits takes. */
const VARINT_BYTES_MAX = 10;

/** Reads a message from front to end. After a read past its end it is `bad`, and everything that is read is zero. */
export class Reader {
  bytes: Uint8Array = new Uint8Array(0);
  at = 0;
  end = 0;
  bad = false;

  /** Begins at `bytes[start, end)`. */
  open(bytes: Uint8Array, start: number, end: number): this {
    this.bytes = bytes;
    this.at = start;
    this.end = end;
    this.bad = false;
    return this;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at < this.end) return this.bytes[this.at++]!;
    return this.#fail();
  }

  /** 4 bytes, the highest first. */
  uint32(): number {
    if (this.left < 4) return this.#fail();
    const { bytes, at } = this;
    this.at += 4;
    return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
  }

  varint(): number {
    let value = this.byte();
    if (value < 0xf0) return value;
    let unit = 16;
    for (let i = 1; i < VARINT_BYTES_MAX && !this.bad; i++, unit *= 128) {
      const byte = this.byte();
      value += byte * unit;
      if (byte < 0x80) return this.bad ? 0 : value;
    }
    return this.#fail();
  }

  /** The next `length` bytes, not copied; none when there are not that many. */
  take(length: number): Uint8Array {
    if (length > this.left) {
      this.#fail();
      return this.bytes.subarray(0, 0);
    }
    this.at += length;
    return this.bytes.subarray(this.at - length, this.at);
  }

  #fail(): number {
    this.bad = true;
    this.at = this.end;
    return 0;
  }
}

/** Writes messages one after the other into bytes that grow as needed. */
export class Writer {
  bytes = new Uint8Array(4096);
  length = 0;

  byte(value: number): void {
    this.#need(1);
    this.bytes[this.length++] = value;
  }

  /** 4 bytes, the highest first. */
  uint32(value: number): void {
    this.#need(4);
    for (let shift = 24; shift >= 0; shift -= 8) this.bytes[this.length++] = value >>> shift;
  }

  /** A whole number, not negative, up to 2^53. */
  varint(value: number): void {
    this.#need(VARINT_BYTES_MAX);
    if (value < 0xf0) {
      this.bytes[this.length++] = value;
      return;
    }
    this.bytes[this.length++] = 0xf0 | (value % 16);
    let rest = Math.floor((value - 0xf0) / 16);
    while (rest >= 0x80) {
      this.bytes[this.length++] = 0x80 | (rest % 128);
      rest = Math.floor((rest - 0x80) / 128);
    }
    this.bytes[this.length++] = rest;
  }

  raw(bytes: Uint8Array): void {
    this.#need(bytes.length);
    this.bytes.set(bytes, this.length);
    this.length += bytes.length;
  }

  #need(more: number): void {
    if (this.length + more <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(2 * this.bytes.length, this.length + more));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
}

/** Bytes that a varint of `value` takes. */
export function varintBytes(value: number): number {
  let bytes = 1;
  if (value >= 0xf0)
    for (let rest = Math.floor((value - 0xf0) / 16); ; rest = Math.floor((rest - 0x80) / 128)) {
      bytes++;
      if (rest < 0x80) break;
    }
  return bytes;
}
