/** Formats and expressions in the rules of checks: what is evaluated each time the check runs. */
import { constantText, type Format, httpVariable, type Use } from '../log/format-text.ts';
import { takeFormat } from '../rules/format.ts';
import { type Expression, readExpression } from '../sample/expression.ts';
import type { CheckOwner } from './check-draft.ts';
import type { CheckValue } from './check-model.ts';
import type { Cursor } from './cursor.ts';
import type { Context } from './keyword.ts';
import { useExpression } from './keywords-acl.ts';
import type { Word } from './words.ts';

/** A rule of a check being read. */
export interface RuleReader {
  readonly cursor: Cursor;
  readonly owner: CheckOwner;
  readonly context: Context;
  /** `http-check send`: how messages call the rule. */
  readonly name: string;
}

const USE: Use = { spaces: 'kept', mandatory: false, http: false, point: 'check' };

/** The argument of a setting of a rule; null after reporting. */
export function argument({ cursor, name }: Pick<RuleReader, 'cursor' | 'name'>, what: string): Word | null {
  const word = cursor.next();
  if (word === null) cursor.error(`'${name}': '${what}' expects an argument`);
  return word;
}

/** A format as the argument of `what`; null after reporting. */
export function formatArgument(reader: RuleReader, what: string): CheckValue | null {
  const word = argument(reader, what);
  return word === null ? null : checkValue(reader, word);
}

/** The format in `word`, or its text where that is always the same; null after reporting. */
export function checkValue(reader: RuleReader, word: Word): CheckValue | null {
  const format = checkFormat(reader, word);
  return format === null ? null : (constantText(format) ?? format);
}

/** The format in `word`; null after reporting. */
export function checkFormat({ cursor, owner, context, name }: RuleReader, word: Word): Format | null {
  const prefix = `'${name}' : `;
  const format = takeFormat(cursor, owner, word, USE, context.resources, prefix);
  const reserved = format === null ? null : httpVariable(format);
  if (reserved === null) return format;
  cursor.error(`${prefix}format variable '${reserved}' is reserved for HTTP mode`, undefined, word);
  return null;
}

/** Takes an expression; null after reporting. */
export function checkExpression({ cursor, owner, context }: RuleReader): Expression | null {
  const expression = readExpression(cursor, context.resources, 'check');
  if (expression !== null) useExpression(owner, cursor, expression);
  return expression;
}
