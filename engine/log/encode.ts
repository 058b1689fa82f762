/**
 * Encodings of log lines (manual 8.2.6, flags json and cbor).
 *
 *     json   {"status": 200, "host": "a", "cookie": null, "captures": ["a", ""]}
 *     cbor   RFC 8949: a map of indefinite length; as hexadecimal digits, or with `+bin` as bytes
 */
import type { Encoding } from './format-text.ts';
import { bytesOf, type Line } from './line.ts';

export interface Encoder {
  readonly open: (line: Line) => void;
  /** The key of the value that follows. */
  readonly key: (line: Line, key: Uint8Array, first: boolean) => void;
  readonly close: (line: Line) => void;
  readonly nothing: (line: Line) => void;
  readonly bool: (line: Line, value: boolean) => void;
  /** 64 bits at most. */
  readonly integer: (line: Line, value: number | bigint) => void;
  readonly text: (line: Line, bytes: Uint8Array, start: number, end: number) => void;
  readonly binary: (line: Line, bytes: Uint8Array, start: number, end: number) => void;
  /** A list of `length` elements follows. */
  readonly openList: (line: Line, length: number) => void;
  /** Between two elements. */
  readonly next: (line: Line) => void;
  readonly closeList: (line: Line) => void;
}

export function encoderOf(encoding: Encoding, binary: boolean): Encoder {
  if (encoding === 'json') return JSON_ENCODER;
  return binary ? CBOR_BYTES : CBOR_DIGITS;
}

const QUOTE = 34;
const BACKSLASH = 92;
const SPACE = 32;
const COMMA = 44;
const DELETE = 127;

/** Bytes of the UTF-8 sequence at `at`, overlong forms and surrogates apart; 0 = it is none (RFC 3629 4). */
function sequence(bytes: Uint8Array, at: number, end: number): number {
  const first = bytes[at]!;
  const length = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : first < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > end) return 0;
  for (let i = 1; i < length; i++) if ((bytes[at + i]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1]!;
  const bad =
    (first === 0xe0 && second < 0xa0) ||
    (first === 0xed && second > 0x9f) ||
    (first === 0xf0 && second < 0x90) ||
    (first === 0xf4 && second > 0x8f);
  return bad ? 0 : length;
}

const UNICODE = bytesOf('\\u00');

/** A JSON string (RFC 8259 7). A byte that is no UTF-8 is written as the Latin-1 character it would be. */
function jsonText(line: Line, bytes: Uint8Array, start: number, end: number): void {
  line.byte(QUOTE);
  for (let at = start; at < end; ) {
    const byte = bytes[at]!;
    const length = byte < 128 ? 1 : sequence(bytes, at, end);
    if (length === 0 || byte < SPACE || byte === DELETE) {
      line.raw(UNICODE);
      line.hex(byte, 2);
    } else {
      if (byte === QUOTE || byte === BACKSLASH) line.byte(BACKSLASH);
      line.slice(bytes, at, at + length);
    }
    at += Math.max(length, 1);
  }
  line.byte(QUOTE);
}

const NULL = bytesOf('null');
const TRUE = bytesOf('true');
const FALSE = bytesOf('false');
const AFTER_KEY = bytesOf(': ');

function integerText(line: Line, value: number | bigint): void {
  if (typeof value === 'number') line.number(value);
  else line.raw(bytesOf(String(value)));
}

function separate(line: Line): void {
  line.byte(COMMA);
  line.byte(SPACE);
}

const JSON_ENCODER: Encoder = {
  open: line => line.byte(123),
  close: line => line.byte(125),
  key(line, key, first) {
    if (!first) separate(line);
    jsonText(line, key, 0, key.length);
    line.raw(AFTER_KEY);
  },
  nothing: line => line.raw(NULL),
  bool: (line, value) => line.raw(value ? TRUE : FALSE),
  integer: integerText,
  text: jsonText,
  binary: jsonText,
  openList: line => line.byte(91),
  next: separate,
  closeList: line => line.byte(93),
};

// The first byte of an item, RFC 8949 3: its major type in the three high bits.
const UNSIGNED = 0x00;
const NEGATIVE = 0x20;
const BYTES = 0x40;
const TEXT = 0x60;
const LIST = 0x80;
const MAP_OPEN = 0xbf;
const BREAK = 0xff;
const CBOR_FALSE = 0xf4;
const CBOR_TRUE = 0xf5;
const CBOR_NULL = 0xf6;

/** Puts one byte into the line: as it is, or as two digits. */
type Put = (line: Line, byte: number) => void;

function cborEncoder(put: Put): Encoder {
  /** The head of an item: major type and argument in the shortest form. */
  const head = (line: Line, major: number, value: bigint): void => {
    const size = value < 24n ? 0 : value < 0x100n ? 1 : value < 0x10000n ? 2 : value < 0x100000000n ? 4 : 8;
    put(line, major | (size === 0 ? Number(value) : 24 + Math.log2(size)));
    for (let i = size - 1; i >= 0; i--) put(line, Number((value >> BigInt(i * 8)) & 0xffn));
  };
  const string = (major: number) => (line: Line, bytes: Uint8Array, start: number, end: number) => {
    head(line, major, BigInt(end - start));
    for (let i = start; i < end; i++) put(line, bytes[i]!);
  };
  const text = string(TEXT);
  return {
    open: line => put(line, MAP_OPEN),
    close: line => put(line, BREAK),
    key: (line, key) => text(line, key, 0, key.length),
    nothing: line => put(line, CBOR_NULL),
    bool: (line, value) => put(line, value ? CBOR_TRUE : CBOR_FALSE),
    integer(line, value) {
      const wide = BigInt(value);
      if (wide < 0n) head(line, NEGATIVE, -1n - wide);
      else head(line, UNSIGNED, wide);
    },
    text,
    binary: string(BYTES),
    openList: (line, length) => head(line, LIST, BigInt(length)),
    next() {},
    closeList() {},
  };
}

const CBOR_BYTES = cborEncoder((line, byte) => line.byte(byte));
const CBOR_DIGITS = cborEncoder((line, byte) => line.hex(byte, 2));
