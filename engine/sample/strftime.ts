/** strftime(3) in the C locale, for dates of the log and of the converters; `%N` as date(1), where the unit allows it. */

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

const pad = (n: number, width = 2, fill = '0'): string => String(n).padStart(width, fill);

/** A moment split up: as the zone says, by a Date whose UTC fields are the zone's. */
interface Moment {
  readonly at: Date;
  readonly seconds: number;
  /** East of Greenwich. */
  readonly zoneMinutes: number;
  readonly zoneName: string;
}

const dayOfYear = (at: Date): number =>
  Math.floor(
    (Date.UTC(at.getUTCFullYear(), at.getUTCMonth(), at.getUTCDate()) - Date.UTC(at.getUTCFullYear(), 0, 1)) /
      86_400_000,
  );
/** Weeks begin on `first` (0 = Sunday). */
const week = (at: Date, first: number): number =>
  Math.floor((dayOfYear(at) + 7 - ((at.getUTCDay() - first + 7) % 7)) / 7);
const zone = ({ zoneMinutes: m }: Moment): string =>
  `${m < 0 ? '-' : '+'}${pad(Math.floor(Math.abs(m) / 60))}${pad(Math.abs(m) % 60)}`;

/** ISO 8601: the Thursday of the week decides its year. */
function isoWeek(at: Date): { year: number; week: number } {
  const thursday = new Date(at.getTime());
  thursday.setUTCDate(at.getUTCDate() + 4 - (at.getUTCDay() || 7));
  return { year: thursday.getUTCFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

const CONVERSIONS: Readonly<Record<string, (moment: Moment) => string>> = {
  a: ({ at }) => DAYS[at.getUTCDay()]!.slice(0, 3),
  A: ({ at }) => DAYS[at.getUTCDay()]!,
  b: ({ at }) => MONTHS[at.getUTCMonth()]!.slice(0, 3),
  B: ({ at }) => MONTHS[at.getUTCMonth()]!,
  c: moment => format('%a %b %e %H:%M:%S %Y', moment),
  C: ({ at }) => pad(Math.floor(at.getUTCFullYear() / 100)),
  d: ({ at }) => pad(at.getUTCDate()),
  D: moment => format('%m/%d/%y', moment),
  e: ({ at }) => pad(at.getUTCDate(), 2, ' '),
  F: moment => format('%Y-%m-%d', moment),
  g: ({ at }) => pad(isoWeek(at).year % 100),
  G: ({ at }) => String(isoWeek(at).year),
  h: ({ at }) => MONTHS[at.getUTCMonth()]!.slice(0, 3),
  H: ({ at }) => pad(at.getUTCHours()),
  I: ({ at }) => pad(at.getUTCHours() % 12 || 12),
  j: ({ at }) => pad(dayOfYear(at) + 1, 3),
  k: ({ at }) => pad(at.getUTCHours(), 2, ' '),
  l: ({ at }) => pad(at.getUTCHours() % 12 || 12, 2, ' '),
  m: ({ at }) => pad(at.getUTCMonth() + 1),
  M: ({ at }) => pad(at.getUTCMinutes()),
  n: () => '\n',
  p: ({ at }) => (at.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ at }) => (at.getUTCHours() < 12 ? 'am' : 'pm'),
  r: moment => format('%I:%M:%S %p', moment),
  R: moment => format('%H:%M', moment),
  s: ({ seconds }) => String(seconds),
  S: ({ at }) => pad(at.getUTCSeconds()),
  t: () => '\t',
  T: moment => format('%H:%M:%S', moment),
  u: ({ at }) => String(at.getUTCDay() || 7),
  U: ({ at }) => pad(week(at, 0)),
  V: ({ at }) => pad(isoWeek(at).week),
  w: ({ at }) => String(at.getUTCDay()),
  W: ({ at }) => pad(week(at, 1)),
  x: moment => format('%m/%d/%y', moment),
  X: moment => format('%H:%M:%S', moment),
  y: ({ at }) => pad(at.getUTCFullYear() % 100),
  Y: ({ at }) => String(at.getUTCFullYear()),
  z: zone,
  Z: ({ zoneName }) => zoneName,
  '%': () => '%',
};

/** Flags and a width, then the conversion: `%-d`, `%^a`, `%3N`. */
const CONVERSION = /%([-_0^#]*)(\d*)[EO]?([A-Za-z%])/g;

function format(text: string, moment: Moment, fraction: string | null = null): string {
  return text.replace(CONVERSION, (all, flags: string, width: string, letter: string) => {
    if (letter === 'N' && fraction !== null) return fraction.slice(0, Number(width || 9));
    const value = CONVERSIONS[letter]?.(moment);
    return value === undefined ? all : dressed(value, flags, Number(width));
  });
}

/** A value as glibc's flags want it: `-` without what it is filled up with, `_` with spaces, `0` with zeros. */
function dressed(value: string, flags: string, width: number): string {
  const isNumber = /^ *\d+$/.test(value);
  const fill = flags.includes('_') ? ' ' : isNumber || flags.includes('0') ? '0' : ' ';
  const [lead, rest] = isNumber && /[-_0]/.test(flags) ? split(value) : ['', value];
  const filled = (flags.includes('-') ? '' : fill.repeat(lead.length)) + rest;
  return cased(filled, flags).padStart(width, fill);
}

/** `^`: capitals; `#`: the other case, which is capitals where not all are. */
function cased(text: string, flags: string): string {
  const capitals = text.toUpperCase();
  if (flags.includes('#') && text === capitals) return text.toLowerCase();
  return /[\^#]/.test(flags) ? capitals : text;
}

/** What a number is filled up with, and the number. */
function split(value: string): readonly [string, string] {
  const [lead] = /^[ 0]*(?=\d)/.exec(value)!;
  return [lead, value.slice(lead.length)];
}

/**
 * @param seconds since the epoch
 * @param fraction digits behind the second, as text of nine (`%N`, `%3N`); null = `%N` means nothing
 * @param local in the zone of the machine, else UTC
 */
export function strftime(text: string, seconds: number, fraction: string | null, local: boolean): string {
  const time = new Date(seconds * 1_000);
  const zoneMinutes = local ? -time.getTimezoneOffset() : 0;
  const zoneName = local ? (/\(([^)]*)\)/.exec(time.toString())?.[1] ?? '') : 'GMT';
  const at = new Date(time.getTime() + zoneMinutes * 60_000);
  return format(text, { at, seconds, zoneMinutes, zoneName: local && zoneMinutes === 0 ? 'UTC' : zoneName }, fraction);
}
