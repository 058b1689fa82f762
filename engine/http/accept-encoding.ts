/** Accept-Encoding (RFC 9110 12.5.3), chosen from as HAProxy does: the client's order and weights decide. */
import { isWord, latin1 } from './chars.ts';
import { listItemEnd, trimEnd, trimStart } from './fields.ts';
import type { Head } from './head.ts';
import { H_ACCEPT_ENCODING } from './names.ts';

const STAR = 42;
const SEMICOLON = 59;
const EQUALS = 61;
const DOT = 46;
const ZERO = 48;
const NINE = 57;
const LOWER = 0x20;
const Q = 113;

/** A weight of 1 is this many thousandths; what cannot be read counts as 1. */
const WEIGHT_MAX = 1_000;

/**
 * The place in `names` of the coding that the client wants most: the highest weight above 0, the first among equals. `*` stands
 * for the last name. -1 = none of them.
 */
export function acceptedEncoding(request: Head, names: readonly Uint8Array[]): number {
  let best = -1;
  let bestWeight = 0;
  for (let i = request.find(H_ACCEPT_ENCODING); i >= 0; i = request.find(H_ACCEPT_ENCODING, i + 1)) {
    const bytes = request.bytesOf(i);
    const end = request.valueEnd[i]!;
    for (let at = request.valueStart[i]!; at < end; ) {
      const next = listItemEnd(bytes, at, end);
      const semicolon = bytes.subarray(at, next).indexOf(SEMICOLON);
      const last = trimEnd(bytes, at, semicolon < 0 ? next : at + semicolon);
      const weight = semicolon < 0 ? WEIGHT_MAX : weightOf(bytes, at + semicolon, next);
      const found = weight > bestWeight ? placeOf(bytes, at, last, names) : -1;
      if (found >= 0) {
        best = found;
        bestWeight = weight;
      }
      at = trimStart(bytes, next + 1, end);
    }
  }
  return best;
}

function placeOf(bytes: Uint8Array, start: number, end: number, names: readonly Uint8Array[]): number {
  if (end - start === 1 && bytes[start] === STAR) return names.length - 1;
  // The last of those that go by one name, as `deflate` and `raw-deflate` do.
  for (let i = names.length - 1; i >= 0; i--) if (isWord(bytes, start, end, names[i]!)) return i;
  return -1;
}

/** The `q` among the parameters `bytes[start, end)`, in thousandths. */
function weightOf(bytes: Uint8Array, start: number, end: number): number {
  for (let at = start; at < end; at++) {
    if (bytes[at] !== SEMICOLON) continue;
    const name = trimStart(bytes, at + 1, end);
    const equals = trimStart(bytes, name + 1, end);
    if (name < end && (bytes[name]! | LOWER) === Q && bytes[equals] === EQUALS) {
      return thousandths(bytes, trimStart(bytes, equals + 1, end), end);
    }
  }
  return WEIGHT_MAX;
}

/** `0`, `0.5`, `1.000`: at most three digits behind the point. */
function thousandths(bytes: Uint8Array, start: number, end: number): number {
  const first = bytes[start]!;
  if (start >= end || first < ZERO || first > ZERO + 1) return WEIGHT_MAX;
  let weight = (first - ZERO) * WEIGHT_MAX;
  if (bytes[start + 1] !== DOT) return weight;
  for (let at = start + 2, unit = 100; at < end && unit >= 1; at++, unit /= 10) {
    const digit = bytes[at]!;
    if (digit < ZERO || digit > NINE) break;
    weight += (digit - ZERO) * unit;
  }
  return Math.min(weight, WEIGHT_MAX);
}

/** Names for `acceptedEncoding`. */
export function encodingNames(names: readonly string[]): Uint8Array[] {
  return names.map(latin1);
}
