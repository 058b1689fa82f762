/** `http-check` and `tcp-check`: `set-var`, `set-var-fmt` and `unset-var` (manual 4.2). */
import { readVariable, type Target } from '../rules/variable-target.ts';
import type { Scope } from '../sample/variable.ts';
import type { CheckOwner, Rule } from './check-draft.ts';
import { addRule, type Family } from './check-rules.ts';
import { checkExpression, checkFormat, type RuleReader } from './check-values.ts';
import type { Cursor } from './cursor.ts';
import { type Keyword, supported } from './keyword.ts';

type Row = Keyword<CheckOwner>;
type Value = Exclude<(Rule & { kind: 'variable' })['value'], null>;

/** A check has no stream. */
const SCOPES: readonly Scope[] = ['proc', 'sess', 'check'];

function target(cursor: Cursor): Target | null {
  const found = readVariable(cursor);
  if (found === null || SCOPES.includes(found.variable.scope)) return found;
  cursor.error(`a variable of scope '${found.variable.scope}' is not possible in checks: there is no stream`);
  return null;
}

function variableRow(
  family: Family,
  word: string,
  args: string,
  doc: string,
  read: (reader: RuleReader) => Value | null,
  [example, missing, message]: readonly [string, string, string],
): Row {
  const name = `${family}-check ${word}`;
  return supported({
    ...{ name, where: 'DLB', args, doc },
    parse: (cursor, owner, context) =>
      addRule(cursor, owner, family, () => {
        const to = target(cursor);
        const reader = { cursor, owner, context, name: `${family}-check ${cursor.current.text}` };
        const value = to === null || word === 'unset-var' ? null : read(reader);
        if (to === null || (value === null && word !== 'unset-var')) return null;
        return { kind: 'variable', id: 0, comment: '', ...to, value };
      }),
    good: [`${name}(check.x) ${example}`.trim(), `${name}(proc.x) ${example}`.trim()],
    bad: [
      [name, `'${word}' expects a variable in parentheses`],
      [`${name}(txn.x) ${example}`, "a variable of scope 'txn' is not possible in checks: there is no stream"],
      [`${name}(check.x)${missing}`, message],
    ],
  });
}

export function variableRows(family: Family): Row[] {
  const name = `${family}-check`;
  return [
    variableRow(
      family,
      'set-var',
      '(<variable>[,<condition>...]) <expression>',
      'Sets a variable in a check.',
      checkExpression,
      ['int(5)', '', 'missing fetch method'],
    ),
    variableRow(
      family,
      'set-var-fmt',
      '(<variable>[,<condition>...]) <format>',
      'Sets a variable in a check from a format.',
      reader => {
        const word = reader.cursor.next();
        if (word !== null) return checkFormat(reader, word);
        reader.cursor.error(`'${reader.name}' expects a format`);
        return null;
      },
      ['"name=%H"', '', `'${name} set-var-fmt(check.x)' expects a format`],
    ),
    variableRow(family, 'unset-var', '(<variable>)', 'Forgets a variable in a check.', () => null, [
      '',
      ' y',
      `'${name} unset-var' cannot handle unexpected argument 'y'`,
    ]),
  ];
}
