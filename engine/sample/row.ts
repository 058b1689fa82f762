/**
 * What a fetch and a converter are: one row each of one table. The parser, the checks, the documentation and the tests are
 * derived from the rows; lines that must parse and must fail come from the argument types and are added to by the row.
 */
import type { Resources } from '../config/draft.ts';
import { type Arg, type ArgSpec, type Args, argSpecs, faultyArg, sampleArg } from './arguments.ts';
import type { Convert, Env, Fetch } from './context.ts';
import type { Source } from './points.ts';
import { type Type, type TypeName, typeOf } from './sample.ts';

interface Row {
  readonly name: string;
  readonly args: readonly ArgSpec[];
  readonly out: Type;
  readonly doc: string;
  /** later = known and refused by name. */
  readonly status: 'supported' | 'later';
  /** What is wrong with the arguments together, in HAProxy's words; null = nothing. May put what they stand for in their place. */
  readonly check: (args: Arg[], resources: Resources) => string | null;
  /** Expressions (converters: what follows the comma) that must parse. */
  readonly good: readonly string[];
  /** Those that must fail, and with which message. */
  readonly bad: readonly (readonly [string, string])[];
}

export interface FetchRow extends Row {
  readonly kind: 'fetch';
  readonly from: Source;
  readonly make: (args: Args, env: Env) => Fetch;
}

export interface ConverterRow extends Row {
  readonly kind: 'converter';
  readonly in: Type;
  /** Its result has the type of its input. */
  readonly keeps: boolean;
  readonly make: (args: Args, env: Env) => Convert;
}

export interface Extras {
  readonly check?: Row['check'];
  readonly good?: Row['good'];
  readonly bad?: Row['bad'];
  readonly keeps?: boolean;
}

/**
 * A fetch.
 * @param args as in `<name>:str [<occ>:int]` without the angle brackets: see `argSpecs`
 */
export function fetch(
  name: string,
  args: string,
  out: TypeName,
  from: Source,
  doc: string,
  make: FetchRow['make'],
  extras: Extras = {},
): FetchRow {
  const specs = argSpecs(args);
  const lines = linesOf(name, specs, `fetch method '${name}'`, extras);
  return { kind: 'fetch', name, args: specs, out: typeOf(out), from, doc, make, ...lines };
}

/** A fetch without arguments: the function itself. */
export function plain(name: string, out: TypeName, from: Source, doc: string, run: Fetch): FetchRow {
  return fetch(name, '', out, from, doc, () => run);
}

/** The same fetch under another name. */
export function alias(name: string, row: FetchRow): FetchRow {
  const rename = (line: string): string => name + line.slice(row.name.length);
  return {
    ...row,
    name,
    doc: `As ${row.name}.`,
    good: row.good.map(rename),
    bad: row.bad.map(([line, message]) => [rename(line), message.replace(`'${row.name}'`, `'${name}'`)] as const),
  };
}

export function converter(
  name: string,
  args: string,
  from: TypeName,
  out: TypeName,
  doc: string,
  make: ConverterRow['make'],
  extras: Extras = {},
): ConverterRow {
  const specs = argSpecs(args);
  const subject = specs.length === 0 ? 1 : position(specs);
  const lines = linesOf(name, specs, `invalid arg ${subject} in converter '${name}'`, extras);
  return {
    kind: 'converter',
    name,
    args: specs,
    in: typeOf(from),
    out: typeOf(out),
    doc,
    make,
    keeps: extras.keeps ?? false,
    ...lines,
  };
}

export function plainConverter(name: string, from: TypeName, out: TypeName, doc: string, run: Convert): ConverterRow {
  return converter(name, '', from, out, doc, () => run);
}

/** A fetch that is known and refused. */
export function laterFetch(name: string, doc: string): FetchRow {
  return { ...fetch(name, '', 'any', 'internal', doc, refused), ...refusal(name) };
}

export function laterConverter(name: string, doc: string): ConverterRow {
  return { ...converter(name, '', 'any', 'any', doc, refused), ...refusal(name) };
}

function refused(): never {
  throw new Error('sample: a row that is not supported was compiled');
}

function refusal(name: string): Pick<Row, 'status' | 'good' | 'bad'> {
  return { status: 'later', good: [], bad: [[name, `'${name}' is not supported by Sluice yet`]] };
}

/** Which argument the derived bad line gets wrong, 1-based: the first with a syntax of its own. */
function position(specs: readonly ArgSpec[]): number {
  return (
    Math.max(
      specs.findIndex(spec => faultyArg(spec) !== null),
      0,
    ) + 1
  );
}

/** The rest of a row: what its argument types say, and the extras. */
function linesOf(name: string, specs: readonly ArgSpec[], subject: string, extras: Extras) {
  const needed = specs.filter(spec => !spec.optional);
  const call = (list: readonly ArgSpec[]): string =>
    list.length === 0 ? name : `${name}(${list.map(sampleArg).join(',')})`;
  const bad: (readonly [string, string])[] = [...(extras.bad ?? [])];
  if (specs.length === 0) bad.push([`${name}(x)`, `${subject} : expected ')' before 'x)'`]);
  const wrong = position(specs) - 1;
  const fault = specs[wrong] === undefined ? null : faultyArg(specs[wrong]);
  if (fault !== null) {
    const words = [...specs.slice(0, wrong).map(sampleArg), fault.text].join(',');
    bad.push([
      `${name}(${words})`,
      `${subject} : failed to parse '${fault.text}' as type '${fault.noun}' at position ${wrong + 1}`,
    ]);
  }
  return {
    status: 'supported' as const,
    check: extras.check ?? (() => null),
    good: extras.good ?? [...new Set([call(needed), call(specs)])],
    bad,
  };
}

/** Tables as one, by name. A name that stands twice is a mistake in the tables. */
export function byName<T extends { readonly name: string }>(tables: readonly (readonly T[])[]): ReadonlyMap<string, T> {
  const rows = new Map<string, T>();
  for (const row of tables.flat()) {
    if (rows.has(row.name)) throw new Error(`sample: two rows are named '${row.name}'`);
    rows.set(row.name, row);
  }
  return rows;
}
