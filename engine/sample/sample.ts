/**
 * A sample: the value that a fetch finds in the traffic, and that converters change (manual 7.3). One object per
 * evaluation, used again and again. Bytes stay where they were found; a string is only made by who asks for one.
 *
 *     type   bool sint   ipv4 ipv6     str bin            meth
 *     value  int         bytes (4,16)  bytes[start,end)   int = number of the method, bytes when it has none
 *
 * HAProxy's sint has 64 bits. Here it is a double while it is a safe integer, which nearly all are; beyond 2^53 it is in
 * `wide`, and `int` is the nearest double. Only arithmetic and the 64-bit hashes look at `wide`.
 */

/** The types by number; `addr` is ipv4 or ipv6, `any` what cannot be told before it is fetched. */
export const TYPE_NAMES = ['any', 'bool', 'sint', 'addr', 'ipv4', 'ipv6', 'str', 'bin', 'meth'] as const;
export type TypeName = (typeof TYPE_NAMES)[number];
export type Type = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const ANY = 0;
export const BOOL = 1;
export const SINT = 2;
export const ADDR = 3;
export const IPV4 = 4;
export const IPV6 = 5;
export const STR = 6;
export const BIN = 7;
export const METH = 8;

export function typeOf(name: TypeName): Type {
  return TYPE_NAMES.indexOf(name) as Type;
}

const NOTHING = new Uint8Array(0);

export class Sample {
  type: Type = ANY;
  /** bool: 0 or 1. sint. meth: as in http/names.ts. */
  int = 0;
  /** A sint that is no safe integer; null otherwise. */
  wide: bigint | null = null;
  bytes: Uint8Array = NOTHING;
  start = 0;
  end = 0;

  /** Set by a fetch that found nothing yet, or not all: more may come. */
  mayChange = false;

  // --- fetches that find several values give one after the other when `iterate` is set (ACLs do) ---
  iterate = false;
  /** There is another value; the same call gives it. */
  more = false;
  /** Where the fetch goes on: its own business. 0 at first. */
  slot = 0;
  offset = 0;

  /** Makes it ready for an evaluation. */
  begin(iterate: boolean): void {
    this.mayChange = this.more = false;
    this.iterate = iterate;
    this.slot = this.offset = 0;
  }

  setBool(value: boolean): true {
    this.type = BOOL;
    this.int = value ? 1 : 0;
    this.wide = null;
    return true;
  }

  /** `value` is a safe integer. */
  setInt(value: number): true {
    this.type = SINT;
    this.int = value;
    this.wide = null;
    return true;
  }

  /** Any 64-bit integer; what is beyond wraps around. */
  setWide(value: bigint): true {
    const bits = BigInt.asIntN(64, value);
    this.type = SINT;
    this.int = Number(bits);
    this.wide = Number.isSafeInteger(this.int) ? null : bits;
    return true;
  }

  setStr(bytes: Uint8Array, start: number, end: number): true {
    this.type = STR;
    return this.#setBytes(bytes, start, end);
  }

  setBin(bytes: Uint8Array, start: number, end: number): true {
    this.type = BIN;
    return this.#setBytes(bytes, start, end);
  }

  /** 4 or 16 bytes. */
  setIp(bytes: Uint8Array): true {
    this.type = bytes.length === 4 ? IPV4 : IPV6;
    return this.#setBytes(bytes, 0, bytes.length);
  }

  /** `id` 0 = the method's name is `bytes[start, end)`. */
  setMethod(id: number, bytes: Uint8Array, start: number, end: number): true {
    this.type = METH;
    this.int = id;
    return this.#setBytes(bytes, start, end);
  }

  get length(): number {
    return this.end - this.start;
  }

  /** The sint as BigInt: for arithmetic beyond 2^53. */
  big(): bigint {
    return this.wide ?? BigInt(this.int);
  }

  /** The bytes as Latin-1 text: for what works on strings (regular expressions), and tests. */
  text(): string {
    return view(this.bytes).toString('latin1', this.start, this.end);
  }

  /** The bytes, copied: to be kept. */
  copy(): Uint8Array {
    return this.bytes.slice(this.start, this.end);
  }

  /** Becomes a copy of `other`'s value; the bytes are shared. */
  assign(other: Sample): void {
    this.type = other.type;
    this.int = other.int;
    this.wide = other.wide;
    this.bytes = other.bytes;
    this.start = other.start;
    this.end = other.end;
  }

  #setBytes(bytes: Uint8Array, start: number, end: number): true {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return true;
  }
}

/** `bytes` as a Buffer over the same memory: no copy; a Buffer is returned as it is. */
export function view(bytes: Uint8Array): Buffer {
  return bytes instanceof Buffer ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** The bytes that a word of the configuration stands for: UTF-8, as it was read. */
export function bytesOf(text: string): Uint8Array {
  return Buffer.from(text, 'utf8');
}
