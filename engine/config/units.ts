/**
 * Numbers with units: times (manual 2.5), sizes (manual 2.6) and integers. Pure functions: text in, value or message
 * out. A message is the end of a sentence that the caller begins: `'timeout client': unexpected character 'x' ...`.
 */

/** A value, or why there is none. */
export type Parsed<T> = { readonly value: T } | { readonly error: string };

export type TimeUnit = 'us' | 'ms' | 's' | 'm' | 'h' | 'd';

export interface Range {
  /** Default 0. */
  readonly min?: number;
  /** Default: what the kind of number can hold. */
  readonly max?: number;
}

/** HAProxy keeps times in signed 32-bit milliseconds: about 24.8 days. */
export const TIME_MAX_MS = 0x7fff_ffff;
const INTEGER_MAX = 0x7fff_ffff;

const MS_PER_UNIT: Record<TimeUnit, number> = { us: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const BYTES_PER_UNIT: Record<string, number> = { '': 1, k: 1024, m: 1024 ** 2, g: 1024 ** 3 };

function isTimeUnit(text: string): text is TimeUnit {
  return Object.hasOwn(MS_PER_UNIT, text);
}

/** Splits `10ms` into 10 and `ms`; an error when it does not begin with a digit. */
function split(text: string): Parsed<{ number: number; digits: number; suffix: string }> {
  if (text === '') return { error: 'empty value' };
  const digits = /^\d*/.exec(text)![0].length;
  if (digits === 0) return { error: `unexpected character '${text[0]}'` };
  return { value: { number: Number(text.slice(0, digits)), digits, suffix: text.slice(digits) } };
}

/** The first character that fits no unit: `10sx` -> `x`, `10x` -> `x`. */
function stray(suffix: string, isUnit: (text: string) => boolean): string {
  let known = '';
  for (const c of suffix) {
    if (!isUnit(known + c)) return c;
    known += c;
  }
  return suffix;
}

/**
 * Reads a time. A number without a unit is in `unit`. Gives milliseconds, rounded up as HAProxy does: 1us is 1 ms.
 * Decimals, signs, unknown units and anything above 2147483647 ms are errors.
 */
export function parseTime(text: string, unit: TimeUnit): Parsed<number> {
  const parts = split(text);
  if ('error' in parts) return parts;
  const { number, suffix } = parts.value;
  const given = suffix === '' ? unit : suffix;
  if (!isTimeUnit(given)) {
    return { error: `unexpected character '${stray(suffix, isTimeUnit)}' (units are us, ms, s, m, h and d)` };
  }
  const ms = given === 'us' ? Math.ceil(number / 1000) : number * MS_PER_UNIT[given];
  if (ms > TIME_MAX_MS) {
    return { error: `timer overflow (maximum value is ${TIME_MAX_MS} ms or ~24.8 days)` };
  }
  return { value: ms };
}

/** Reads a size: bytes, or with k, m, g (either case) times 1024, 1024^2, 1024^3. Exact up to 2^53 - 1. */
export function parseSize(text: string): Parsed<number> {
  const parts = split(text);
  if ('error' in parts) return parts;
  const { number, suffix } = parts.value;
  const isUnit = (unit: string) => Object.hasOwn(BYTES_PER_UNIT, unit.toLowerCase());
  if (!isUnit(suffix)) return { error: `unexpected character '${stray(suffix, isUnit)}' (units are k, m and g)` };
  const bytes = number * BYTES_PER_UNIT[suffix.toLowerCase()]!;
  if (!Number.isSafeInteger(bytes)) return { error: 'size overflow' };
  return { value: bytes };
}

/** Reads a decimal integer, with a sign if `range.min` is negative, within `range` (default 0 to 2147483647). */
export function parseInteger(text: string, range: Range = {}): Parsed<number> {
  if (!/^[+-]?\d+$/.test(text)) return { error: 'not an integer' };
  return checkRange(Number(text), range, INTEGER_MAX);
}

/** Errors when `value` lies outside `range`; `top` is the maximum when the range names none. */
export function checkRange(value: number, range: Range, top: number): Parsed<number> {
  const min = range.min ?? 0;
  const max = range.max ?? top;
  return value < min || value > max ? { error: `value must be between ${min} and ${max}` } : { value };
}
