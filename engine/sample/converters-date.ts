/** Converters of dates (manual 7.3.1). */
import type { Args } from './arguments.ts';
import type { Convert } from './context.ts';
import { unitProblem } from './fetches-internal.ts';
import { type ConverterRow, converter, plainConverter } from './row.ts';
import type { Sample } from './sample.ts';
import { strftime } from './strftime.ts';
import { putText } from './text-out.ts';

/** How many units are in a second. */
const UNITS: Readonly<Record<string, number>> = { s: 1, ms: 1_000, us: 1_000_000 };

function httpDate(args: Args): Convert {
  const offset = args.int(0);
  const unit = UNITS[args.text(1) || 's']!;
  return sample => {
    const value = sample.int + offset;
    const seconds = Math.floor(value / unit);
    const time = new Date(seconds * 1_000);
    if (Number.isNaN(time.getTime())) return false;
    const fraction = unit === 1 ? '' : `.${String(value - seconds * unit).padStart(String(unit).length - 1, '0')}`;
    return putText(sample, time.toUTCString().replace(' GMT', `${fraction} GMT`));
  };
}

/** A format of strftime; `unit`s in a second. */
function formatted(unit: number, local: boolean): (args: Args) => Convert {
  const digits = String(unit).length - 1;
  return args => {
    const format = Buffer.from(args.text(0), 'utf8').toString('latin1');
    const offset = args.int(1);
    return sample => {
      const value = sample.int + offset;
      const seconds = Math.floor(value / unit);
      if (Number.isNaN(new Date(seconds * 1_000).getTime())) return false;
      const fraction =
        unit === 1
          ? null
          : String(value - seconds * unit)
              .padStart(digits, '0')
              .padEnd(9, '0');
      return putText(sample, strftime(format, seconds, fraction, local));
    };
  };
}

const IMF = /^\w{3}, (\d{2}) (\w{3}) (\d{4}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const RFC850 = /^\w{6,9}, (\d{2})-(\w{3})-(\d{2}) (\d{2}):(\d{2}):(\d{2}) GMT$/;
const ASCTIME = /^\w{3} (\w{3}) ([ \d]\d) (\d{2}):(\d{2}):(\d{2}) (\d{4})$/;
const MONTHS = 'JanFebMarAprMayJunJulAugSepOctNovDec';

/** A date of an HTTP header in any of its three forms (RFC 9110 5.6.7). */
function parseDate(sample: Sample): boolean {
  const text = sample.text();
  const asc = ASCTIME.exec(text);
  const found =
    asc === null
      ? (IMF.exec(text) ?? RFC850.exec(text))
      : [asc[0], asc[2]!, asc[1]!, asc[6]!, asc[3]!, asc[4]!, asc[5]!];
  if (found === null) return false;
  const [, day, name, year, hour, minute, second] = found as string[];
  const month = MONTHS.indexOf(name!) / 3;
  if (!Number.isInteger(month) || month < 0) return false;
  const full = year!.length === 2 ? Number(year) + (Number(year) < 70 ? 2000 : 1900) : Number(year);
  return sample.setInt(Date.UTC(full, month, Number(day), Number(hour), Number(minute), Number(second)) / 1_000);
}

const FORMATS: readonly (readonly [string, number, boolean, string])[] = [
  ['ltime', 1, true, 'A date in seconds as text, in local time.'],
  ['utime', 1, false, 'A date in seconds as text, in UTC.'],
  ['ms_ltime', 1_000, true, 'A date in milliseconds as text, in local time.'],
  ['ms_utime', 1_000, false, 'A date in milliseconds as text, in UTC.'],
  ['us_ltime', 1_000_000, true, 'A date in microseconds as text, in local time.'],
  ['us_utime', 1_000_000, false, 'A date in microseconds as text, in UTC.'],
];

export const DATE_CONVERTERS: readonly ConverterRow[] = [
  converter('http_date', '[offset:int] [unit:str]', 'sint', 'str', 'A date as HTTP headers have it.', httpDate, {
    check: unitProblem(1),
    good: ['http_date', 'http_date(5)', 'http_date(0,ms)'],
    bad: [['http_date(1,x)', "invalid args in converter 'http_date' : expects 's', 'ms' or 'us', got 'x'"]],
  }),
  plainConverter('date', 'str', 'sint', 'A date of an HTTP header as seconds.', parseDate),
  ...FORMATS.map(([name, unit, local, doc]) =>
    converter(name, 'format:str [offset:int]', 'sint', 'str', doc, formatted(unit, local), {
      good: [`${name}(%Y)`, `${name}("%Y-%m-%d %H:%M",3600)`],
    }),
  ),
];
