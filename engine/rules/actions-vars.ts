/** Actions that keep values: variables and captures. */
import type { Cursor } from '../config/cursor.ts';
import type { Word } from '../config/words.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Expression } from '../sample/expression.ts';
import { ANY, Sample, STR } from '../sample/sample.ts';
import type { Variable } from '../sample/variable.ts';
import { setVarIf, unsetVar } from '../sample/vars.ts';
import { type ActionRow, action, atCondition, CONTINUE, type RuleDraft } from './action.ts';
import { compileText, type Format, ruleFormat } from './format.ts';
import { evaluate, readSample } from './values.ts';
import { readVariable, type Target } from './variable-target.ts';

const ALL = 'CSTUQRA';

/** The variable of the word just taken. HAProxy takes those of streams everywhere. */
function readTarget(cursor: Cursor, rule: RuleDraft): Target | null {
  const target = readVariable(cursor);
  if (target === null) return null;
  const { scope } = target.variable;
  const early = rule.set.name === 'connection' || rule.set.name === 'session';
  if (early && scope !== 'proc' && scope !== 'sess') {
    cursor.warning(
      `a variable of scope '${scope}' cannot be set here: there is no stream yet`,
      "its scope may be 'sess'",
    );
  }
  return target;
}

const now = new Sample();
const text = new Sample();

const SET_VAR = action<Target & { readonly expression: Expression }>({
  name: 'set-var',
  where: ALL,
  args: '(<variable>[,<condition>...]) <expression>',
  doc: 'Sets a variable.',
  read(cursor, rule, context) {
    const target = readTarget(cursor, rule);
    const expression = target === null ? null : readSample(cursor, rule, context);
    return target === null || expression === null ? null : { ...target, expression };
  },
  compile({ variable, conditions, expression }, env) {
    const fetch = compileExpression(expression, env);
    return at => {
      const sample = evaluate(fetch, at, ANY);
      if (sample !== null) setVarIf(variable, conditions, at, sample, now);
      return CONTINUE;
    };
  },
  good: ['set-var(sess.x) src', 'set-var(proc.x,ifnotexists) int(5)'],
  bad: [
    ['set-var src', "'set-var' expects a variable in parentheses"],
    [
      'set-var(x) src',
      "invalid variable name 'x'. A variable name must be start by its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'",
    ],
    ['set-var(sess.x,foo) src', "unknown condition 'foo'"],
    ['set-var(psess.x) src', "cannot set nor unset 'psess.x': it is a variable of the parent stream"],
    ['set-var(sess.x) nosuch', "unknown fetch method 'nosuch'"],
  ],
});

const NO_TEXT: Word = { text: '', column: 0, width: 0 };

const SET_VAR_FMT = action<Target & { readonly format: Format }>({
  name: 'set-var-fmt',
  where: ALL,
  args: '(<variable>[,<condition>...]) <format>',
  doc: 'Sets a variable to a text.',
  read(cursor, rule, context) {
    const target = readTarget(cursor, rule);
    // Nothing is the empty text.
    const word = (atCondition(cursor) ? null : cursor.next()) ?? NO_TEXT;
    const format = target === null ? null : ruleFormat(cursor, rule, context, word, false);
    return target === null || format === null ? null : { ...target, format };
  },
  compile({ variable, conditions, format }, env) {
    const value = compileText(format, env);
    return at => {
      const bytes = value(at);
      text.setStr(bytes, 0, bytes.length);
      setVarIf(variable, conditions, at, text, now);
      return CONTINUE;
    };
  },
  good: ['set-var-fmt(sess.x) "a b"', 'set-var-fmt(sess.x)'],
  bad: [['set-var-fmt src', "'set-var-fmt' expects a variable in parentheses"]],
});

const UNSET_VAR = action<{ readonly variable: Variable }>({
  name: 'unset-var',
  where: ALL,
  args: '(<variable>)',
  doc: 'Forgets a variable.',
  read(cursor, rule) {
    const target = readTarget(cursor, rule);
    if (target === null || target.conditions.length === 0) return target;
    cursor.error('unset-var does not expect parameters after the variable name');
    return null;
  },
  compile: ({ variable }) => {
    return at => {
      unsetVar(variable, at);
      return CONTINUE;
    };
  },
  good: ['unset-var(sess.x)'],
  bad: [
    ['unset-var', "'unset-var' expects a variable in parentheses"],
    ['unset-var(sess.x,ifexists)', 'unset-var does not expect parameters after the variable name'],
  ],
});

export interface Capture {
  readonly expression: Expression;
  /** Place in the frontend's list. */
  readonly slot: number;
  readonly response: boolean;
}

/** `len`: a new slot of the frontend; `id`: one that is declared. */
export const CAPTURE = action<Capture>({
  name: 'capture',
  where: 'TQRA',
  args: '<expression> { len <length> | id <slot> }',
  doc: 'Keeps a value for the logs.',
  read(cursor, rule, context) {
    const expression = readSample(cursor, rule, context);
    if (expression === null) return null;
    const response = rule.set.name === 'response' || rule.set.name === 'afterResponse';
    const how = cursor.expectOneOf('capture', ['len', 'id']);
    if (how === 'len' && (rule.proxy.kind === 'backend' || response)) {
      cursor.error("'len' is only possible in the requests of a frontend: use 'id' with 'declare capture'");
      return null;
    }
    const number = how === null ? null : cursor.expectInt(how, { min: how === 'len' ? 1 : 0, max: 65_535 });
    if (number === null) return null;
    if (how === 'id') return { expression, slot: number, response };
    const { requestCaptures } = rule.proxy;
    requestCaptures.push({ name: null, lenBytes: number });
    return { expression, slot: requestCaptures.length - 1, response };
  },
  compile({ expression, slot, response }, env) {
    const fetch = compileExpression(expression, env);
    return at => {
      const sample = evaluate(fetch, at, STR);
      if (sample !== null) at.stream!.capture(response, slot, sample.bytes, sample.start, sample.end);
      return CONTINUE;
    };
  },
  good: ['capture src id 0'],
  bad: [['capture src foo', "'src' expects 'len' or 'id' as capture, not 'foo'"]],
});

export const VALUE_ACTIONS: readonly ActionRow[] = [SET_VAR, SET_VAR_FMT, UNSET_VAR, CAPTURE];
