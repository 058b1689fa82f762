/** `set-var` and `set-var-fmt` of the global section: variables of the process, evaluated as they are read. */
import { readProcName, readValue } from '../rules/proc-var.ts';
import { PatternBooks } from '../sample/book.ts';
import { outside } from '../sample/outside.ts';
import { ProcVars } from '../sample/proc-vars.ts';
import { ChangeLog, createChanges } from '../shm/change-log.ts';
import type { Cursor } from './cursor.ts';
import type { GlobalDraft } from './draft.ts';
import { type Context, type Keyword, supported } from './keyword.ts';

function setVar(cursor: Cursor, global: GlobalDraft, { resources }: Context, form: 'expr' | 'fmt') {
  const keyword = cursor.current.text;
  if (cursor.left < 2) {
    cursor.rest();
    const what = form === 'expr' ? 'sample expression' : 'format string';
    return cursor.error(`'${keyword}' requires a process-wide variable name ('proc.<name>') and a ${what}.`);
  }
  const name = readProcName(cursor, keyword, 'in the global section');
  if (name === null) return;
  const log = new ChangeLog(createChanges(1), 0);
  const there = outside({ global, userlists: [] }, new PatternBooks([], log), new ProcVars(global.procVars, log));
  const value = readValue(cursor, form, 'config', resources, there);
  if (value === null || value === undefined) return;
  const at = global.procVars.findIndex(variable => variable.name === name);
  global.procVars.splice(at < 0 ? global.procVars.length : at, 1, { name, ...value });
}

const SCOPE =
  "A variable name must be start by its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'";

export const GLOBAL_VARS: readonly Keyword<GlobalDraft>[] = [
  supported<GlobalDraft>({
    name: 'set-var',
    where: 'G',
    args: '<variable> <expression>',
    doc: 'Sets a variable of the process.',
    parse: (cursor, global, context) => setVar(cursor, global, context, 'expr'),
    good: ['set-var proc.a str(x)', 'set-var proc.b int(3),add(proc.a)', 'set-var proc.c var(proc.none)'],
    bad: [
      ['set-var proc.a', "'set-var' requires a process-wide variable name ('proc.<name>') and a sample expression."],
      [
        'set-var txn.a int(3)',
        "'set-var': cannot set variable 'txn.a', only scope 'proc' is permitted in the global section.",
      ],
      ['set-var a int(3)', `invalid variable name 'a'. ${SCOPE}`],
      ['set-var proc.a foo', "unknown fetch method 'foo'"],
      [
        'set-var proc.a src',
        "fetch method 'src' extracts information from 'client address', none of which is available here",
      ],
    ],
  }),
  supported<GlobalDraft>({
    name: 'set-var-fmt',
    where: 'G',
    args: '<variable> <format>',
    doc: 'Sets a variable of the process to a text.',
    parse: (cursor, global, context) => setVar(cursor, global, context, 'fmt'),
    good: ['set-var-fmt proc.a "%pid|%t"', 'set-var-fmt proc.a x', 'set-var-fmt proc.a "%[int(3)] and more"'],
    bad: [
      [
        'set-var-fmt proc.a',
        "'set-var-fmt' requires a process-wide variable name ('proc.<name>') and a format string.",
      ],
      ['set-var-fmt proc.a %HM', "format variable 'HM' is reserved for HTTP mode"],
    ],
  }),
];
