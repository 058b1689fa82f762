/**
 * DER (X.690): an element is a tag, a length and its content, which may be elements again. Offsets only; what does not fit
 * into its surroundings is left out.
 */

export const SEQUENCE = 0x30;
export const SET = 0x31;
export const INTEGER = 0x02;
export const OBJECT = 0x06;
export const UTC_TIME = 0x17;
export const GENERALIZED_TIME = 0x18;
export const OCTETS = 0x04;

/** `bytes[at, end)` is an element, `bytes[start, end)` its content. */
export interface Element {
  readonly tag: number;
  readonly at: number;
  readonly start: number;
  readonly end: number;
}

/** The elements one after the other in `bytes[start, end)`. */
export function elements(bytes: Uint8Array, start: number, end: number): Element[] {
  const found: Element[] = [];
  for (let at = start; at + 2 <= end; ) {
    const next = element(bytes, at, end);
    if (next === null) break;
    found.push(next);
    at = next.end;
  }
  return found;
}

function element(bytes: Uint8Array, at: number, end: number): Element | null {
  let length = bytes[at + 1]!;
  let start = at + 2;
  if (length >= 0x80) {
    const size = length & 0x7f;
    length = 0;
    for (let i = 0; i < size; i++) length = length * 256 + (bytes[start + i] ?? 0);
    start += size;
  }
  return start + length > end ? null : { tag: bytes[at]!, at, start, end: start + length };
}

/** What is in an element. */
export function inside(bytes: Uint8Array, parent: Element): Element[] {
  return elements(bytes, parent.start, parent.end);
}

/** An object identifier in numbers and dots. */
export function dotted(bytes: Uint8Array, { start, end }: Element): string {
  const numbers: number[] = [];
  let number = 0;
  for (let at = start; at < end; at++) {
    number = number * 128 + (bytes[at]! & 0x7f);
    if (bytes[at]! >= 0x80) continue;
    numbers.push(number);
    number = 0;
  }
  const first = numbers.shift() ?? 0;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - 40 * top, ...numbers].join('.');
}
