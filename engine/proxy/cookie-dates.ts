/**
 * Dates in a persistence cookie (manual 4.2, `cookie ... maxidle`, `maxlife`):
 *
 *   SRV=server|last|first      when the cookie was last sent, and when the client came first
 *
 * A date is its seconds, rounded up to four, divided by four, as five base64 digits: 30 bits.
 */
import type { Cookie } from '../config/proxy-model.ts';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
const LENGTH = 5;
const UNIT_S = 4;
/** Later than this after now, a date is wrong; before, the client's clock or ours is. Seconds. */
const FUTURE_MAX_S = 24 * 3600;
const BAR = 124;

/** 0 = there is none. Seconds. */
export interface CookieDates {
  last: number;
  first: number;
}

export function encodeDate(seconds: number): string {
  const units = Math.ceil(seconds / UNIT_S);
  let text = '';
  for (let digit = 0; digit < LENGTH; digit++) text = DIGITS[(units >>> (6 * digit)) & 63] + text;
  return text;
}

/** Seconds; 0 when `bytes[start, end)` is no date. */
function decodeDate(bytes: Uint8Array, start: number, end: number): number {
  if (end - start !== LENGTH) return 0;
  let units = 0;
  for (let i = start; i < end; i++) {
    const digit = DIGITS.indexOf(String.fromCharCode(bytes[i]!));
    if (digit < 0) return 0;
    units = units * 64 + digit;
  }
  return units * UNIT_S;
}

/** Reads the dates behind the server's name; returns where the name ends. */
export function readDates(bytes: Uint8Array, start: number, end: number, into: CookieDates): number {
  into.last = into.first = 0;
  const bar = find(bytes, start, end);
  if (bar === end) return end;
  const second = find(bytes, bar + 1, end);
  into.last = decodeDate(bytes, bar + 1, second);
  if (second < end) into.first = decodeDate(bytes, second + 1, Math.min(end, second + 1 + LENGTH));
  return bar;
}

function find(bytes: Uint8Array, start: number, end: number): number {
  const at = bytes.subarray(start, end).indexOf(BAR);
  return at < 0 ? end : start + at;
}

/** What the dates are worth at `now` (seconds): too old since the first visit, or since the last. */
export function judgeDates(
  { maxidleS, maxlifeS }: Cookie,
  dates: CookieDates,
  now: number,
): 'valid' | 'expired' | 'old' {
  if (maxlifeS > 0 && isOver(dates.first, maxlifeS, now)) return 'old';
  return maxidleS > 0 && isOver(dates.last, maxidleS, now) ? 'expired' : 'valid';
}

function isOver(date: number, limit: number, now: number): boolean {
  return date !== 0 && (now - date > limit || date - now > FUTURE_MAX_S);
}

/** The cookie must be sent again: a date is missing, not wanted, or has grown older. */
export function needsRefresh({ maxidleS, maxlifeS }: Cookie, dates: CookieDates, now: number): boolean {
  if (maxidleS > 0 !== dates.last > 0 || maxlifeS > 0 !== dates.first > 0) return true;
  return maxidleS > 0 && Math.ceil(dates.last / UNIT_S) < Math.ceil(now / UNIT_S);
}

/** What follows the server's name; '' when no dates are kept. */
export function writeDates({ maxidleS, maxlifeS }: Cookie, first: number, now: number): string {
  if (maxidleS === 0 && maxlifeS === 0) return '';
  const last = `|${encodeDate(now)}`;
  return maxlifeS === 0 ? last : `${last}|${encodeDate(first || now)}`;
}
