/**
 * The header of a message that goes on, in the format of its target (manual 12.6). What the message says stays; what the
 * format needs and the message lacks is made here.
 *
 *     date      in the other way of writing when the formats differ; now when there is none
 *     facility  that of the target when there is none
 *     host      as `option host` says
 */
import type { HostStrategy, LogTarget } from '../config/log-model.ts';
import { type Dates, MONTHS } from './dates.ts';
import { bytesOf, type Line } from './line.ts';
import type { Received, Span } from './received.ts';
import { FACILITIES } from './syslog.ts';

/** What is known beside the message. */
export interface Relay {
  readonly dates: Dates;
  readonly host: HostStrategy;
  /** Milliseconds since the epoch. */
  wall: number;
  /** The sender's address as text; empty = it has none. */
  source: Uint8Array;
}

type Piece = (line: Line, message: Received, target: LogTarget, relay: Relay) => void;

const SPACE = 32;
const DASH = 45;
const LESS = 60;
const GREATER = 62;
const COMMA = 44;

const LOCALHOST = bytesOf('localhost');
const NOTHING = bytesOf('-');
/** RFC 3339: the zone is not known. */
const NO_ZONE = bytesOf('-00:00');

/** A target that wants graver levels at most gets those. A message without a level has the gravest, as with HAProxy. */
function levelOf(message: Received, { minLevel }: LogTarget): number {
  return Math.max(message.level, minLevel);
}

const priority: Piece = (line, message, target) => {
  const facility = message.facility < 0 ? FACILITIES.indexOf(target.facility) : message.facility;
  enclosed(line, facility * 8 + levelOf(message, target));
};

const severity: Piece = (line, message, target) => enclosed(line, levelOf(message, target));

function enclosed(line: Line, value: number): void {
  line.byte(LESS);
  line.number(value);
  line.byte(GREATER);
}

/** `Oct 11 22:14:15 ` */
const date: Piece = (line, message, _target, { dates, wall }) => {
  if (message.format === 'rfc3164') word(line, message, message.time);
  else if (!toLegacy(line, message)) dates.syslog(line, wall);
};

/** `2003-10-11T22:14:15.003Z ` */
const isoDate: Piece = (line, message, _target, { dates, wall }) => {
  if (message.format === 'rfc5424' && !isEmpty(message.time)) word(line, message, message.time);
  else if (message.format === 'rfc3164') toIso(line, message, wall);
  else dates.iso(line, wall);
};

/** As it came: a message may say that it has none. */
const ownDate: Piece = (line, message, target, relay) => {
  if (message.format === 'rfc5424' && isEmpty(message.time)) dash(line);
  else isoDate(line, message, target, relay);
};

const version: Piece = line => line.raw(VERSION);
const VERSION = bytesOf('1 ');

const hostOr =
  (otherwise: Uint8Array): Piece =>
  (line, { bytes, host }, _target, { host: strategy, source }) => {
    const [known, sent] = [!isEmpty(host), source.length > 0];
    const own = known && (strategy !== 'replace' || !sent);
    const sender =
      sent && (strategy === 'replace' || (strategy === 'append' && known) || (strategy !== 'keep' && !known));
    if (own) line.slice(bytes, host.start, host.end);
    if (own && sender) line.byte(COMMA);
    if (sender) line.raw(source);
    if (!own && !sender) line.raw(otherwise);
    line.byte(SPACE);
  };

/** `tag[pid]: ` */
const tagAndPid: Piece = (line, { bytes, tag, pid }) => {
  if (isEmpty(tag)) return;
  line.slice(bytes, tag.start, tag.end);
  if (!isEmpty(pid)) {
    line.raw(OPEN);
    line.slice(bytes, pid.start, pid.end);
    line.raw(CLOSE);
  }
  line.raw(COLON);
};
const OPEN = bytesOf('[');
const CLOSE = bytesOf(']');
const COLON = bytesOf(': ');

const field =
  (name: 'tag' | 'pid' | 'msgid' | 'data'): Piece =>
  (line, message) => {
    if (isEmpty(message[name])) dash(line);
    else word(line, message, message[name]);
  };

const FRAMINGS: Readonly<Record<string, readonly Piece[]>> = {
  local: [priority, date, tagAndPid],
  rfc3164: [priority, date, hostOr(LOCALHOST), tagAndPid],
  rfc5424: [priority, version, ownDate, hostOr(NOTHING), field('tag'), field('pid'), field('msgid'), field('data')],
  priority: [priority],
  short: [severity],
  timed: [severity, isoDate],
  iso: [isoDate],
  raw: [],
};

/** Writes the header of a message for a target; one without a format gets it as it came. */
export function writeHeader(line: Line, message: Received, target: LogTarget, relay: Relay): void {
  for (const piece of FRAMINGS[target.format || message.format]!) piece(line, message, target, relay);
}

function isEmpty({ start, end }: Span): boolean {
  return start === end;
}

function word(line: Line, { bytes }: Received, { start, end }: Span): void {
  line.slice(bytes, start, end);
  line.byte(SPACE);
}

function dash(line: Line): void {
  line.byte(DASH);
  line.byte(SPACE);
}

/** `2003-10-11T22:14:15.003Z` as `Oct 11 22:14:15 `; false when there is no such date. */
function toLegacy(line: Line, { bytes, time }: Received): boolean {
  const text = Buffer.from(bytes.subarray(time.start, time.end)).toString('latin1');
  const [, month, day, clock] = /^\d{4}-(\d\d)-(\d\d)T(\d\d:\d\d:\d\d)/.exec(text) ?? [];
  const name = MONTHS[Number(month) - 1];
  if (name === undefined) return false;
  line.raw(bytesOf(`${name} ${day!.replace(/^0/, ' ')} ${clock} `));
  return true;
}

/** `Oct 11 22:14:15` as `2026-10-11T22:14:15-00:00 `, in this year. */
function toIso(line: Line, { bytes, time }: Received, wall: number): void {
  const text = Buffer.from(bytes.subarray(time.start, time.end)).toString('latin1');
  const month = `${MONTHS.indexOf(text.slice(0, 3)) + 1}`.padStart(2, '0');
  const day = text.slice(4, 6).replace(' ', '0');
  line.raw(bytesOf(`${new Date(wall).getFullYear()}-${month}-${day}T${text.slice(7)}`));
  line.raw(NO_ZONE);
  line.byte(SPACE);
}
