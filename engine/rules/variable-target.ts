/** The variable that a line sets or forgets, glued to its keyword: `set-var(txn.x,ifnotexists)`. */
import type { Cursor } from '../config/cursor.ts';
import { parseTarget, type Variable } from '../sample/variable.ts';
import { VAR_CONDITIONS } from '../sample/vars.ts';
import { insideParens } from './action.ts';

export interface Target {
  readonly variable: Variable;
  readonly conditions: readonly string[];
}

/** `(scope.name[,condition...])` of the word just taken; null after reporting. */
export function readVariable(cursor: Cursor): Target | null {
  const inside = insideParens(cursor, 'a variable');
  if (inside === null) return null;
  const [name, ...conditions] = inside.split(',');
  const variable = parseTarget(name!);
  if (typeof variable === 'string') {
    cursor.error(variable);
    return null;
  }
  const wrong = conditions.find(condition => !VAR_CONDITIONS.includes(condition));
  if (wrong === undefined) return { variable, conditions };
  cursor.error(`unknown condition '${wrong}'`, `one of ${VAR_CONDITIONS.join(', ')}`);
  return null;
}
