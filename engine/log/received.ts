/**
 * A syslog message that came from elsewhere: where its parts are (RFC 3164 4.1, RFC 5424 6). What is no header is text, so
 * any bytes are a message.
 *
 *     rfc3164    <13>Oct 11 22:14:15 host tag[pid]: text
 *     rfc5424    <13>1 2003-10-11T22:14:15.003Z host tag pid msgid [data] text      `-` = not there
 *     priority   <13>text
 *     raw        text
 */
import { MONTHS } from './dates.ts';
import { bytesOf } from './line.ts';

/** `bytes[start, end)`; empty = not there. */
export interface Span {
  start: number;
  end: number;
}

const LESS = 60;
const GREATER = 62;
const SPACE = 32;
const DASH = 45;
const COLON = 58;
const QUOTE = 34;
const BACKSLASH = 92;
const OPEN = 91;
const CLOSE = 93;
const ZERO = 48;
const NINE = 57;
const ONE = 49;

/** What ends a line, in any number: NUL, LF, CR. */
const ENDS = [0, 10, 13];
/** 23 facilities of 8 levels. */
const PRIORITY_MAX = 191;
const PRIORITY_DIGITS = 3;
/** Positions of `0`: a digit, or for the day's first one a space; of `A`: a letter. */
const LEGACY_DATE = 'Aaa d0 00:00:00 ';
const MONTH_BYTES = MONTHS.map(bytesOf);

/** One object is used for all messages of a section. */
export class Received {
  format: 'raw' | 'priority' | 'rfc3164' | 'rfc5424' = 'raw';
  bytes: Uint8Array = new Uint8Array(0);
  /** -1 = it says none. */
  level = -1;
  facility = -1;
  /** As the format writes it; without the space behind it. */
  readonly time: Span = { start: 0, end: 0 };
  readonly host: Span = { start: 0, end: 0 };
  readonly tag: Span = { start: 0, end: 0 };
  readonly pid: Span = { start: 0, end: 0 };
  readonly msgid: Span = { start: 0, end: 0 };
  /** Structured data with its brackets. */
  readonly data: Span = { start: 0, end: 0 };
  readonly text: Span = { start: 0, end: 0 };

  /** Takes `bytes[start, end)` as a text. */
  take(bytes: Uint8Array, start: number, end: number): void {
    this.bytes = bytes;
    this.format = 'raw';
    this.level = this.facility = -1;
    for (const span of [this.time, this.host, this.tag, this.pid, this.msgid, this.data]) span.start = span.end = 0;
    this.text.start = start;
    this.text.end = end;
    while (this.text.end > start && ENDS.includes(bytes[this.text.end - 1]!)) this.text.end--;
  }

  /** Takes `bytes[start, end)` and looks for a header. */
  parse(bytes: Uint8Array, start: number, end: number): void {
    this.take(bytes, start, end);
    if (!this.#priority()) return;
    this.format = 'priority';
    const { start: behind } = this.text;
    if (this.#rfc5424()) this.format = 'rfc5424';
    else if (this.#rfc3164()) this.format = 'rfc3164';
    else this.text.start = behind;
  }

  /** `<13>`; the text begins behind it. */
  #priority(): boolean {
    const { bytes, text } = this;
    if (bytes[text.start] !== LESS) return false;
    let at = text.start + 1;
    let value = 0;
    for (; at < text.end && isDigit(bytes[at]!) && at - text.start <= PRIORITY_DIGITS; at++) {
      value = value * 10 + bytes[at]! - ZERO;
    }
    if (at === text.start + 1 || at >= text.end || bytes[at] !== GREATER || value > PRIORITY_MAX) return false;
    this.level = value & 7;
    this.facility = value >> 3;
    text.start = at + 1;
    return true;
  }

  #rfc5424(): boolean {
    const { bytes, text } = this;
    if (bytes[text.start] !== ONE || bytes[text.start + 1] !== SPACE) return false;
    let at = text.start + 2;
    for (const span of [this.time, this.host, this.tag, this.pid, this.msgid]) {
      span.start = at;
      span.end = this.#word(at);
      if (span.end === at || span.end >= text.end) return this.#nothing();
      at = span.end + 1;
      drop(bytes, span);
    }
    const end = this.#structured(at);
    if (end < 0) return this.#nothing();
    this.data.start = at;
    this.data.end = end;
    drop(bytes, this.data);
    text.start = Math.min(end + 1, text.end);
    return true;
  }

  #rfc3164(): boolean {
    const { bytes, text } = this;
    const date = text.start;
    if (!isLegacyDate(bytes, date, text.end)) return false;
    this.time.start = date;
    this.time.end = date + LEGACY_DATE.length - 1;
    this.host.start = date + LEGACY_DATE.length;
    this.host.end = this.#word(this.host.start);
    if (this.host.end === this.host.start || this.host.end === text.end) return this.#nothing();
    text.start = this.host.end + 1;
    this.#tag();
    return true;
  }

  /** `tag: ` or `tag[pid]: `; what does not look so is text. */
  #tag(): void {
    const { bytes, text, tag, pid } = this;
    const end = this.#word(text.start);
    if (end === text.start || bytes[end - 1] !== COLON) return;
    tag.start = text.start;
    tag.end = end - 1;
    let open = tag.start;
    while (open < tag.end && bytes[open] !== OPEN) open++;
    if (open < tag.end && bytes[tag.end - 1] === CLOSE) {
      pid.start = open + 1;
      pid.end = tag.end - 1;
      tag.end = open;
    }
    text.start = Math.min(end + 1, text.end);
  }

  /** Where the word that begins at `at` ends. */
  #word(at: number): number {
    const { bytes, text } = this;
    let end = at;
    while (end < text.end && bytes[end] !== SPACE) end++;
    return end;
  }

  /** Where `-` or `[id name="value"]...` ends: at a space or at the end of all; -1 = it does not. */
  #structured(start: number): number {
    const { bytes, text } = this;
    let at = start;
    if (bytes[at] === DASH) at++;
    else {
      while (at < text.end && bytes[at] === OPEN) {
        let quoted = false;
        for (at++; at < text.end && (quoted || bytes[at] !== CLOSE); at++) {
          if (quoted && bytes[at] === BACKSLASH) at++;
          else if (bytes[at] === QUOTE) quoted = !quoted;
        }
        at++;
      }
    }
    return at > start && (at === text.end || (at < text.end && bytes[at] === SPACE)) ? at : -1;
  }

  /** What was found so far is nothing. */
  #nothing(): false {
    for (const span of [this.time, this.host, this.tag, this.pid, this.msgid]) span.start = span.end = 0;
    return false;
  }
}

/** `-`: not there. */
function drop(bytes: Uint8Array, span: Span): void {
  if (span.end - span.start === 1 && bytes[span.start] === DASH) span.end = span.start;
}

function isDigit(byte: number): boolean {
  return byte >= ZERO && byte <= NINE;
}

function isLegacyDate(bytes: Uint8Array, start: number, end: number): boolean {
  if (end - start < LEGACY_DATE.length) return false;
  if (!MONTH_BYTES.some(month => month.every((byte, i) => bytes[start + i] === byte))) return false;
  for (let i = 3; i < LEGACY_DATE.length; i++) {
    const wanted = LEGACY_DATE[i]!;
    const byte = bytes[start + i]!;
    const fits =
      wanted === '0' ? isDigit(byte) : wanted === 'd' ? isDigit(byte) || byte === SPACE : byte === wanted.charCodeAt(0);
    if (!fits) return false;
  }
  return true;
}
