/**
 * ACLs (manual 7.1): an expression and the patterns its value is tested with. `acl` lines of one name are one ACL, of which
 * any test may hold. Plain data in the model; functions in the worker.
 *
 *     acl name  hdr(host),lower  -m beg  -i -f file --  www. img.
 *               expression       match   flags          patterns
 */

import { cast } from './cast.ts';
import { compileExpression } from './compile.ts';
import { type Condition, MAYBE, NO, someOf, YES } from './condition.ts';
import type { Env } from './context.ts';
import type { Expression } from './expression.ts';
import { type MatchName, matchMethod, type PatternSet } from './pattern.ts';
import type { PatternRef } from './pattern-ref.ts';
import { Sample } from './sample.ts';

export interface AclTest {
  readonly expression: Expression;
  /** The fetch as the ACL calls it: `path_beg`. */
  readonly keyword: string;
  readonly match: MatchName;
  /** `-i`. */
  readonly fold: boolean;
  /** Its files (`-f`), and behind them its own patterns: checked, operators of integers are ranges already. */
  readonly refs: readonly PatternRef[];
}

/** An ACL while its lines are read. */
export interface AclDraft {
  name: string;
  readonly tests: AclTest[];
}

export interface Acl {
  /** '' = anonymous. */
  readonly name: string;
  readonly tests: readonly AclTest[];
}

/** The function of an ACL. */
export function compileAcl(acl: Acl, env: Env): Condition {
  const tests = acl.tests.map(test => compileTest(test, env));
  return tests.length === 1 ? tests[0]! : ctx => someOf(tests, ctx);
}

function compileTest(test: AclTest, env: Env): Condition {
  const method = matchMethod(test.match)!;
  const fetch = compileExpression(test.expression, env);
  const sets: Pick<PatternSet, 'find'>[] = method.bare
    ? [method.make(test.fold)]
    : test.refs.map(ref => env.books.get(ref, method, test.fold));
  const sample = new Sample();
  return ctx => {
    sample.begin(true);
    do {
      if (!fetch(ctx, sample)) return sample.mayChange && !ctx.final ? MAYBE : NO;
      if (!cast(sample, method.type)) continue;
      for (let i = 0; i < sets.length; i++) if (sets[i]!.find(sample) >= 0) return YES;
    } while (sample.more);
    return sample.mayChange && !ctx.final ? MAYBE : NO;
  };
}
