/** Arguments that are expressions, or a time or an expression that gives one in milliseconds. */
import type { Cursor } from '../config/cursor.ts';
import type { Context } from '../config/keyword.ts';
import { useExpression } from '../config/keywords-acl.ts';
import { parseTime } from '../config/units.ts';
import { cast } from '../sample/cast.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Fetch, Standpoint } from '../sample/context.ts';
import { type Expression, readExpression } from '../sample/expression.ts';
import { Sample, type Type } from '../sample/sample.ts';
import type { RuleDraft } from './action.ts';

/** Milliseconds, or what finds them. */
export type Time = number | Expression;

/** Takes an expression; null after reporting. */
export function readSample(cursor: Cursor, rule: RuleDraft, { resources }: Context): Expression | null {
  const expression = readExpression(cursor, resources, rule.point);
  if (expression !== null) useExpression(rule.proxy, cursor, expression);
  return expression;
}

export function readTime(cursor: Cursor, rule: RuleDraft, context: Context): Time | null {
  const word = cursor.peek();
  if (word === null) {
    cursor.error(`'${cursor.current.text}' expects a time or an expression`);
    return null;
  }
  if (!/^\d/.test(word.text)) return readSample(cursor, rule, context);
  const parsed = parseTime(word.text, 'ms');
  cursor.next();
  if ('value' in parsed) return parsed.value;
  cursor.error(`${parsed.error} in '${word.text}'`);
  return null;
}

/** A function that gives the milliseconds; 0 when the expression finds nothing. */
export function compileTime(time: Time, env: Env): (at: Standpoint) => number {
  return typeof time === 'number' ? () => time : compileNumber(time, env, 0);
}

const sample = new Sample();

/** Evaluates an expression to one value of a type; false when there is none. The result is in the sample given back. */
export function evaluate(fetch: Fetch, at: Standpoint, type: Type): Sample | null {
  sample.begin(false);
  return fetch(at, sample) && cast(sample, type) ? sample : null;
}

const SINT: Type = 2;

export function compileNumber(expression: Expression, env: Env, otherwise: number): (at: Standpoint) => number {
  const fetch = compileExpression(expression, env);
  return at => evaluate(fetch, at, SINT)?.int ?? otherwise;
}
