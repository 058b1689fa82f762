/**
 * Sample expressions: `fetch(args),converter(args),...` read into plain data (manual 7.3). The data crosses threads in the
 * model; compile.ts makes a function of it in each worker.
 *
 *     req.hdr(host,1),lower,map(/etc/hosts.map,none)
 *     ▲      ▲        ▲
 *     fetch  args     converters, each fed with what stands before it
 */
import type { Cursor } from '../config/cursor.ts';
import type { Resources } from '../config/draft.ts';
import { didYouMean } from '../config/suggest.ts';
import type { Word } from '../config/words.ts';
import { type Arg, type ArgProblem, type Problem, parseArgs } from './arguments.ts';
import { castable } from './cast.ts';
import { CONVERTERS } from './converters.ts';
import { FETCHES } from './fetches.ts';
import { isSeen, type Point, sourceName } from './points.ts';
import type { ConverterRow, FetchRow } from './row.ts';
import { ANY, STR, type Type } from './sample.ts';

export interface Call {
  readonly name: string;
  readonly args: readonly Arg[];
}

export interface Expression {
  /** As written. */
  readonly text: string;
  readonly fetch: Call;
  readonly converters: readonly Call[];
}

/** What is wrong, with a hint; `at` and `width` count in the text. */
export interface ExpressionProblem extends Problem {
  readonly hint: string | null;
}

export interface Parsed {
  readonly expression: Expression;
  /** Where the text goes on: at its end, or at a character that belongs to no expression. */
  readonly end: number;
}

/** Characters of a name. */
const NAME = /[\w.\-+:]*/y;

/**
 * Reads the expression that begins at `text[start]`.
 * @param resources where maps are read from
 * @param keyword how a fetch is called in messages, and where it is looked up: ACLs have names of their own
 */
export function parseExpression(
  text: string,
  start: number,
  resources: Resources,
  keyword = 'fetch method',
  find: (name: string) => FetchRow | undefined = name => FETCHES.get(name),
): Parsed | ExpressionProblem {
  const name = nameAt(text, start);
  const row = find(name);
  if (row === undefined)
    return unknown(name, start, name === '' ? 'missing fetch method' : `unknown fetch method '${name}'`, FETCHES);
  if (row.status === 'later') return later(name, start);
  const read = parseCall(text, start + name.length, row, resources);
  if ('message' in read) {
    const subject = read.meaning ? `invalid args in fetch method '${name}'` : `${keyword} '${name}'`;
    return { ...read, message: `${subject} : ${read.message}`, hint: null };
  }
  const next = text[read.end];
  if (next !== undefined && next !== ',' && next !== ']' && next !== ' ') {
    return { message: `missing comma after fetch keyword '${name}'`, at: read.end, width: 1, hint: null };
  }
  const converters: Call[] = [];
  let end = read.end;
  let type: Type = row.out;
  while (text[end] === ',') {
    const parsed = parseConverter(text, end + 1, type, resources);
    if ('message' in parsed) return parsed;
    converters.push(parsed.call);
    end = parsed.end;
    type = parsed.out;
  }
  return { expression: { text: text.slice(start, end), fetch: { name: row.name, args: read.args }, converters }, end };
}

/** Reads `converter(args),converter(args)`: what is done to a text that is there already. */
export function parseConverters(
  text: string,
  resources: Resources,
): { readonly calls: readonly Call[] } | ExpressionProblem {
  const calls: Call[] = [];
  let type: Type = STR;
  for (let at = 0; at <= text.length; at++) {
    const parsed = parseConverter(text, at, type, resources);
    if ('message' in parsed) return parsed;
    calls.push(parsed.call);
    ({ end: at, out: type } = parsed);
    if (at < text.length && text[at] !== ',') {
      return { message: `unexpected '${text.slice(at)}'`, at, width: text.length - at, hint: null };
    }
  }
  return { calls };
}

type ParsedConverter = { readonly call: Call; readonly end: number; readonly out: Type };

function parseConverter(
  text: string,
  start: number,
  type: Type,
  resources: Resources,
): ParsedConverter | ExpressionProblem {
  const name = nameAt(text, start);
  const row = CONVERTERS.get(name);
  if (row === undefined) return unknown(name, start, `unknown converter '${name}'`, CONVERTERS);
  if (row.status === 'later') return later(name, start);
  if (!castable(type, row.in)) {
    return { message: `converter '${name}' cannot be applied`, at: start, width: name.length, hint: null };
  }
  const read = parseCall(text, start + name.length, row, resources);
  if ('message' in read) {
    const subject = read.meaning ? 'invalid args' : `invalid arg ${read.position}`;
    return { ...read, message: `${subject} in converter '${name}' : ${read.message}`, hint: null };
  }
  const next = text[read.end];
  if (next !== undefined && next !== ',' && next !== ']' && next !== ' ') {
    return { message: `missing comma after converter '${name}'`, at: read.end, width: 1, hint: null };
  }
  return { call: { name, args: read.args }, end: read.end, out: row.out === ANY && row.keeps ? type : row.out };
}

type ParsedCall = { readonly args: readonly Arg[]; readonly end: number } | ArgProblem;

/** The arguments of a fetch or converter, checked by its row; files that they name are read. */
function parseCall(text: string, at: number, row: FetchRow | ConverterRow, resources: Resources): ParsedCall {
  const read = parseArgs(text, at, row.args);
  if ('message' in read) return read;
  const wrong = (message: string): ArgProblem => {
    const width = Math.max(read.end - at, 1);
    return { message, at, width, position: 1, meaning: true };
  };
  const args = [...read.args];
  const problem = row.check(args, resources);
  return problem === null ? { args, end: read.end } : wrong(problem);
}

function nameAt(text: string, start: number): string {
  NAME.lastIndex = start;
  return NAME.exec(text)![0];
}

function unknown(name: string, at: number, message: string, table: ReadonlyMap<string, unknown>): ExpressionProblem {
  const isLua = name.startsWith('lua.');
  const hint = isLua ? 'there is no Lua in Sluice yet' : name === '' ? null : didYouMean(name, table.keys());
  return { message, at, width: Math.max(name.length, 1), hint };
}

function later(name: string, at: number): ExpressionProblem {
  return { message: `'${name}' is not supported by Sluice yet`, at, width: name.length, hint: null };
}

/** The row of an expression's fetch. */
export function fetchOf(expression: Expression): FetchRow {
  return FETCHES.get(expression.fetch.name)!;
}

/** The type of an expression's value; `any` when only the traffic tells. */
export function typeOfExpression(expression: Expression): Type {
  let type = fetchOf(expression).out;
  for (const { name } of expression.converters) {
    const row = CONVERTERS.get(name)!;
    if (!row.keeps) type = row.out;
  }
  return type;
}

/** HAProxy's name of what an expression looks at and cannot see from `point`; null = it is there. */
export function unseen(expression: Expression, point: Point): string | null {
  const { from } = fetchOf(expression);
  return isSeen(from, point) ? null : sourceName(from);
}

/** The characters `at` to `at + width` of a word, for a diagnostic. A word with quotes or escapes in it is marked whole. */
export function partOf(word: Word, at: number, width: number): Word {
  const asWritten = word.column > 0 && word.width === word.text.length;
  return asWritten ? { text: word.text.slice(at, at + width), column: word.column + at, width } : word;
}

/**
 * Takes an expression from a line: one word, and the words after it that are converters (as older configurations write).
 * Reports what is wrong and returns null.
 * @param point where it will be evaluated; null = anywhere
 */
export function readExpression(cursor: Cursor, resources: Resources, point: Point | null): Expression | null {
  const word = cursor.next();
  const parsed = parseExpression(word?.text ?? '', 0, resources);
  if ('message' in parsed) return report(cursor, word, parsed);
  if (word !== null && parsed.end < word.text.length) {
    const rest = word.text.slice(parsed.end);
    return report(cursor, word, { message: `unexpected '${rest}'`, at: parsed.end, width: rest.length, hint: null });
  }
  let { expression } = parsed;
  while (CONVERTERS.has(nameAt(cursor.peek()?.text ?? '', 0))) {
    const next = cursor.next()!;
    const more = parseExpression(`${expression.text},${next.text}`, 0, resources);
    if ('message' in more) return report(cursor, next, { ...more, at: 0, width: next.text.length });
    expression = more.expression;
  }
  const blind = point === null ? null : unseen(expression, point);
  if (blind === null) return expression;
  const { name } = expression.fetch;
  const message = `fetch method '${name}' extracts information from '${blind}', none of which is available here`;
  return report(cursor, word, { message, at: 0, width: name.length, hint: null });
}

function report(cursor: Cursor, word: Word | null, { message, at, width, hint }: ExpressionProblem): null {
  cursor.error(message, hint ?? undefined, word === null ? cursor.current : partOf(word, at, width));
  return null;
}
