/**
 * Conditions (manual 7.2): ACLs joined by AND (side by side), OR (`or`, `||`) and NOT (`!`), after `if` or `unless`. Plain data
 * in the model, a function in the worker.
 */
import type { SampleContext } from './context.ts';

/**
 * HAProxy's three answers; as bits, so that AND is `&` and OR is `|`. MAYBE: not with what has come so far, more may come
 * (only while content is inspected).
 */
export const NO = 0;
export const MAYBE = 1;
export const YES = 3;
export type Verdict = typeof NO | typeof MAYBE | typeof YES;

export function negate(verdict: Verdict): Verdict {
  return (YES >> verdict) as Verdict;
}

export interface Term {
  /** Index in the proxy's `acls`. */
  readonly acl: number;
  readonly not: boolean;
}

/** Holds when all terms of one of the lists do; none at all never does. `unless` turns it round. */
export interface ConditionData {
  readonly unless: boolean;
  readonly any: readonly (readonly Term[])[];
}

export type Condition = (ctx: SampleContext) => Verdict;

/** The function of a condition; `acls` are the compiled ACLs of its proxy. */
export function compileCondition({ unless, any }: ConditionData, acls: readonly Condition[]): Condition {
  const lists = any.map(list => compileList(list, acls));
  const condition: Condition = lists.length === 1 ? lists[0]! : ctx => someOf(lists, ctx);
  return unless ? ctx => negate(condition(ctx)) : condition;
}

function compileList(list: readonly Term[], acls: readonly Condition[]): Condition {
  const terms = list.map(({ acl, not }): Condition => {
    const test = acls[acl]!;
    return not ? ctx => negate(test(ctx)) : test;
  });
  return terms.length === 1 ? terms[0]! : ctx => allOf(terms, ctx);
}

/** What follows a term that may still change is not looked at: it could say no of what has hardly begun to come. */
function allOf(terms: readonly Condition[], ctx: SampleContext): Verdict {
  let verdict: Verdict = YES;
  for (let i = 0; i < terms.length && verdict === YES; i++) verdict = terms[i]!(ctx);
  return verdict;
}

export function someOf(terms: readonly Condition[], ctx: SampleContext): Verdict {
  let verdict: number = NO;
  for (let i = 0; i < terms.length && verdict !== YES; i++) verdict |= terms[i]!(ctx);
  return verdict as Verdict;
}
