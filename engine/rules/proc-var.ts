/** `set-var` and `set-var-fmt` where there is no traffic: read, evaluated at once, and what the variable becomes. */
import type { Cursor } from '../config/cursor.ts';
import type { Resources } from '../config/draft.ts';
import { newProxy } from '../config/new-drafts.ts';
import { compileExpression } from '../sample/compile.ts';
import { readExpression } from '../sample/expression.ts';
import type { Outside } from '../sample/outside.ts';
import type { Point } from '../sample/points.ts';
import { ANY, Sample, STR } from '../sample/sample.ts';
import { parseVariable } from '../sample/variable.ts';
import type { Value } from '../sample/vars.ts';
import { compileText, readFormat } from './format.ts';
import { ruleSet } from './rule-sets.ts';
import { evaluate } from './values.ts';

/** The name of a process variable, without its scope; null after reporting. `where` is HAProxy's words for the place. */
export function readProcName(cursor: Cursor, keyword: string, where: string): string | null {
  const text = cursor.next()!.text;
  const variable = parseVariable(text);
  if (typeof variable === 'string') cursor.error(variable);
  else if (variable.scope === 'proc') return variable.name;
  else cursor.error(`'${keyword}': cannot set variable '${text}', only scope 'proc' is permitted ${where}.`);
  return null;
}

/**
 * Takes an expression, or a format, and evaluates it. Null after reporting; `undefined`: it has no value.
 */
export function readValue(
  cursor: Cursor,
  form: 'expr' | 'fmt',
  point: Point,
  resources: Resources,
  { env, at }: Outside,
): Value | null | undefined {
  if (form === 'expr') {
    const expression = readExpression(cursor, resources, point);
    if (expression === null) return null;
    const sample = evaluate(compileExpression(expression, env), at, ANY);
    return sample === null ? undefined : valueOf(sample);
  }
  const rule = { set: ruleSet('connection'), proxy: newProxy(), point, args: null };
  const format = readFormat(cursor, rule, { resources }, 'a format');
  if (format === null) return null;
  const text = new Sample();
  const bytes = compileText(format, env)(at);
  text.setStr(bytes, 0, bytes.length);
  return valueOf(text);
}

function valueOf(sample: Sample): Value {
  const { type, int, wide } = sample;
  return { type, int, wide, bytes: type >= STR || type === 4 || type === 5 ? sample.copy() : new Uint8Array(0) };
}
