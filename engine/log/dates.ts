/**
 * Dates in log lines. Within one second only the fraction changes, so the text of the last second is kept.
 *
 *   log      22/Nov/2026:16:33:04      %t %tr (local, then .mmm)   %Tl %trl (then zone)   %T %trg (UTC)
 *   syslog   Nov 22 16:33:04           RFC 3164 4.1.2: the day padded with a space
 *   iso      2026-11-22T16:33:04       RFC 5424 6.2.3, then .uuuuuu and the zone
 */
import { bytesOf, type Line } from './line.ts';

export const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

function two(n: number): string {
  return n < 10 ? `0${n}` : `${n}`;
}

/** The text of `date` from its parts in local time. UTC is had by shifting the date. */
type Shape = (date: Date) => string;

const clock: Shape = d => `${two(d.getHours())}:${two(d.getMinutes())}:${two(d.getSeconds())}`;
const log: Shape = d => `${two(d.getDate())}/${MONTHS[d.getMonth()]}/${d.getFullYear()}:${clock(d)}`;
const syslog: Shape = d => `${MONTHS[d.getMonth()]} ${`${d.getDate()}`.padStart(2)} ${clock(d)}`;
const iso: Shape = d => `${d.getFullYear()}-${two(d.getMonth() + 1)}-${two(d.getDate())}T${clock(d)}`;

/** Milliseconds since the epoch as a log line shows them, without the fraction. */
export function dateText(ms: number): string {
  return log(new Date(ms));
}

/** The same with the zone. */
export function zonedDateText(ms: number): string {
  const date = new Date(ms);
  return `${log(date)} ${zone(date, '')}`;
}

/** `+hhmm`, or with a separator `+hh:mm`. */
function zone(date: Date, separator: string): string {
  const minutes = -date.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(size / 60))}${separator}${two(size % 60)}`;
}

/** One shape of date, with the text of the second it wrote last. */
class Cached {
  readonly #shape: Shape;
  #second = Number.NaN;
  #text: Uint8Array = new Uint8Array(0);

  constructor(shape: Shape) {
    this.#shape = shape;
  }

  write(line: Line, second: number): void {
    if (second !== this.#second) {
      this.#second = second;
      this.#text = bytesOf(this.#shape(new Date(second * 1000)));
    }
    line.raw(this.#text);
  }
}

const DOT = 46;

/** The dates of one thread. All take milliseconds since the epoch. */
export class Dates {
  readonly #accept = new Cached(log);
  readonly #local = new Cached(d => `${log(d)} ${zone(d, '')}`);
  readonly #utc = new Cached(d => `${log(new Date(d.getTime() + d.getTimezoneOffset() * 60_000))} +0000`);
  readonly #syslog = new Cached(d => `${syslog(d)} `);
  readonly #iso = new Cached(iso);
  readonly #isoZone = new Cached(d => `${zone(d, ':')} `);

  /** `22/Nov/2026:16:33:04.123` */
  millis(line: Line, ms: number): void {
    const second = Math.floor(ms / 1000);
    this.#accept.write(line, second);
    line.byte(DOT);
    line.number(Math.floor(ms - second * 1000), 3);
  }

  /** `22/Nov/2026:16:33:04 +0100` */
  local(line: Line, ms: number): void {
    this.#local.write(line, Math.floor(ms / 1000));
  }

  /** `22/Nov/2026:15:33:04 +0000` */
  utc(line: Line, ms: number): void {
    this.#utc.write(line, Math.floor(ms / 1000));
  }

  /** `Nov 22 16:33:04 ` */
  syslog(line: Line, ms: number): void {
    this.#syslog.write(line, Math.floor(ms / 1000));
  }

  /** `2026-11-22T16:33:04.123456+01:00 ` */
  iso(line: Line, ms: number): void {
    const second = Math.floor(ms / 1000);
    this.#iso.write(line, second);
    line.byte(DOT);
    line.number(Math.floor((ms - second * 1000) * 1000), 6);
    this.#isoZone.write(line, second);
  }
}
