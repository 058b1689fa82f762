/** Rows that put one value into one field of a draft: most keywords are nothing more. */
import type { Cursor } from './cursor.ts';
import type { Reference, Resources } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { Range, TimeUnit } from './units.ts';

/** Fields of T that may hold a V. */
export type FieldOf<T, V> = { [K in keyof T]: V extends T[K] ? K : never }[keyof T];

/** What the rows of a table have in common: its letters, '' for the settings of a line. */
interface Common {
  readonly where: string;
  readonly name: string;
  readonly doc: string;
}

/** An integer of at least `min`, default 0. */
export function integer<T extends object>(common: Common, field: FieldOf<T, number>, range: Range = {}): Keyword<T> {
  const { name } = common;
  const { min = 0, max } = range;
  const kind = max === undefined ? `an integer of at least ${min}` : `an integer between ${min} and ${max}`;
  const sample = Math.min(Math.max(min, 10), max ?? Infinity);
  return supported({
    ...{ ...common, args: '<number>', good: [`${name} ${sample}`] },
    parse(cursor, draft) {
      const value = cursor.expectInt(name, { min, ...range });
      if (value !== null) Object.assign(draft, { [field]: value });
    },
    bad: [
      [name, `'${name}' expects ${kind}`],
      [`${name} x`, `'${name}' expects ${kind}, not 'x'`],
    ],
  });
}

/** A time; `unit` is that of a bare number. The field is in milliseconds. */
export function time<T extends object>(
  common: Common,
  field: FieldOf<T, number>,
  unit: TimeUnit = 'ms',
  range: Range = {},
): Keyword<T> {
  const { name } = common;
  const kind = `a time (in ${unit === 's' ? 'seconds' : 'milliseconds'} by default)`;
  return supported({
    ...{ ...common, args: '<time>', good: [`${name} 2s`, `${name} 5000`] },
    parse(cursor, draft) {
      const ms = cursor.expectTime(name, unit, range);
      if (ms !== null) Object.assign(draft, { [field]: ms });
    },
    bad: [[name, `'${name}' expects ${kind}`]],
  });
}

/** One word. `missing` is the complaint when there is none, where HAProxy has an own one. */
export function word<T extends object>(
  common: Common,
  args: string,
  field: FieldOf<T, 'x'>,
  missing = `'${common.name}' expects an argument`,
): Keyword<T> {
  const { name } = common;
  return supported({
    ...{ ...common, args, good: [`${name} foo`], bad: [[name, missing]] as const },
    parse(cursor, draft) {
      const text = cursor.next()?.text ?? '';
      if (text === '') cursor.error(missing);
      else Object.assign(draft, { [field]: text });
    },
  });
}

/** The name of a user or group of the system: it must be known. */
export function account<T extends object>(common: Common, kind: 'user' | 'group', field: FieldOf<T, 'x'>): Keyword<T> {
  const row = word<T>(common, '<name>', field);
  return {
    ...row,
    parse(cursor, draft, context) {
      row.parse(cursor, draft, context);
      const name = draft[field];
      if (typeof name === 'string') expectAccount(cursor, kind, name, context.resources);
    },
  };
}

/** Complains when the word just taken names nobody. */
export function expectAccount(cursor: Cursor, kind: 'user' | 'group', name: string, { account }: Resources): void {
  if (account?.(kind, name) === null) cursor.error(`'${kind}' : unknown ${kind} name '${name}'`);
}

/** The rest of the line, as one text. */
export function sentence<T extends object>(common: Common, field: FieldOf<T, 'x'>, missing: string | null): Keyword<T> {
  const { name } = common;
  return supported({
    ...{ ...common, args: missing === null ? '[<text>]' : '<text>', good: [`${name} my own`] },
    parse(cursor, draft) {
      const words = cursor.rest().map(({ text }) => text);
      if (words.length === 0 && missing !== null) cursor.error(missing);
      else Object.assign(draft, { [field]: words.join(' ') });
    },
    bad: missing === null ? [] : [[name, missing]],
  });
}

/** A keyword that stands alone and sets fields. */
export function bare<T extends object>(common: Common, fields: Partial<T>): Keyword<T> {
  const { name, where } = common;
  return supported({
    ...{ ...common, args: '', good: [name] },
    parse(_cursor, draft) {
      Object.assign(draft, fields);
    },
    // In a line of settings another one may follow.
    bad: where === '' ? [] : [[`${name} x`, `'${name}' cannot handle unexpected argument 'x'`]],
  });
}

/** What the word just taken names, to be looked up once all sections are read. */
export function reference(cursor: Cursor): Reference {
  const { file, line, source } = cursor.line;
  const { text: name, column, width } = cursor.current;
  return { file, line, source, name, column, width };
}
