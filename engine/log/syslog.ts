/**
 * What stands before the message (manual, `log`; RFC 3164 4.1, RFC 5424 6.2). One row per format: its pieces in order.
 *
 *     rfc3164   <134>Nov 22 16:33:04 host tag[pid]: message
 *     rfc5424   <134>1 2026-11-22T16:33:04.123456+01:00 host tag pid - [structured data] message
 */
import type { LogTarget } from '../config/log-model.ts';
import type { Dates } from './dates.ts';
import { bytesOf, type Line } from './line.ts';

/** Facilities and levels in the order of their numbers. */
export const FACILITIES: readonly string[] =
  'kern user mail daemon auth syslog lpr news uucp cron auth2 ftp ntp audit alert cron2 local0 local1 local2 local3 local4 local5 local6 local7'.split(
    ' ',
  );
export const LEVELS: readonly string[] = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

export const LOG_ERR = 3;
export const LOG_INFO = 6;

/** What a header is made of, beside level and date. */
export interface Origin {
  readonly tag: string;
  readonly pid: number;
  /** `log-send-hostname`: a name; '' = the machine's; null = none is sent. */
  readonly sendHostname: string | null;
  readonly hostname: string;
}

/** Writes a header: `level` 0 to 7, `wall` in milliseconds since the epoch, `data` the structured data if there is any. */
export type Header = (line: Line, level: number, wall: number, dates: Dates, data: Line | null) => void;

type Piece = (target: LogTarget, origin: Origin) => Header;

const LESS = 60;
const GREATER = 62;
const SPACE = 32;
const DASH = 45;

const text =
  (of: (origin: Origin) => string): Piece =>
  (_, origin) => {
    const bytes = bytesOf(of(origin));
    return line => line.raw(bytes);
  };

/** The name to send; `otherwise` when none is to be sent. */
function hostname({ sendHostname, hostname: own }: Origin, otherwise: string): string {
  return sendHostname === null ? otherwise : sendHostname || own;
}

const priority: Piece = ({ facility }) => {
  const base = FACILITIES.indexOf(facility) * 8;
  return (line, level) => {
    line.byte(LESS);
    line.number(base + level);
    line.byte(GREATER);
  };
};

const severity: Piece = () => (line, level) => {
  line.byte(LESS);
  line.number(level);
  line.byte(GREATER);
};

const date: Piece = () => (line, _, wall, dates) => dates.syslog(line, wall);
const isoDate: Piece = () => (line, _, wall, dates) => dates.iso(line, wall);
const tagAndPid = text(({ tag, pid }) => `${tag}[${pid}]: `);

const structuredData: Piece = () => (line, _level, _wall, _dates, data) => {
  if (data === null || data.length === 0) line.byte(DASH);
  else line.slice(data.bytes, 0, data.length);
  line.byte(SPACE);
};

const FRAMINGS: Readonly<Record<string, readonly Piece[]>> = {
  local: [priority, date, tagAndPid],
  rfc3164: [priority, date, text(o => `${hostname(o, 'localhost')} `), tagAndPid],
  rfc5424: [priority, text(() => '1 '), isoDate, text(o => `${hostname(o, '-')} ${o.tag} ${o.pid} - `), structuredData],
  priority: [priority],
  short: [severity],
  timed: [severity, isoDate],
  iso: [isoDate],
  raw: [],
};

/** The names of the formats. */
export const FORMATS: readonly string[] = Object.keys(FRAMINGS);

/** Compiles the header for the lines of one origin to one target. */
export function compileHeader(target: LogTarget, origin: Origin): Header {
  const format = target.format || (origin.sendHostname === null ? 'local' : 'rfc3164');
  const pieces = FRAMINGS[format]!.map(piece => piece(target, origin));
  return (line, level, wall, dates, data) => {
    for (let i = 0; i < pieces.length; i++) pieces[i]!(line, level, wall, dates, data);
  };
}
