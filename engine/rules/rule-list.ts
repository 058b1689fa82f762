/** The rules of one set of one proxy, compiled in a worker, and their evaluation. */
import type { Place } from '../config/model.ts';
import type { Rule } from '../config/proxy-model.ts';
import { type Condition, compileCondition, MAYBE, NO } from '../sample/condition.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { type Act, CONTINUE, type Verdict, YIELD } from './action.ts';
import { actionNamed } from './actions.ts';

interface CompiledRule {
  /** null = always. */
  readonly condition: Condition | null;
  readonly act: Act;
  readonly place: Place;
}

export class RuleList {
  readonly #rules: readonly CompiledRule[];
  /** Where the evaluation that was just left with YIELD goes on. */
  stoppedAt = 0;

  constructor(rules: readonly Rule[], acls: readonly Condition[], env: Env) {
    this.#rules = rules.map(({ action, args, condition, file, line }, i) => ({
      place: { file, line },
      condition: condition === null ? null : compileCondition(condition, acls),
      act: actionNamed(action).compile(args as never, env, rules[i + 1]),
    }));
  }

  /**
   * Evaluates the rules from `start` on. CONTINUE: all were evaluated. YIELD: a condition cannot tell yet, and all rules are
   * asked again when more has come, or an action waits; `stoppedAt` is the rule to go on with.
   */
  run(at: Standpoint, start: number): Verdict {
    const rules = this.#rules;
    for (let i = start; i < rules.length; i++) {
      const { condition, act, place } = rules[i]!;
      const holds = condition === null ? null : condition(at);
      if (holds === NO) continue;
      const verdict = holds === MAYBE ? YIELD : act(at);
      if (verdict === CONTINUE) continue;
      this.stoppedAt = holds === MAYBE ? 0 : i;
      note(at, place, verdict === YIELD);
      return verdict;
    }
    return CONTINUE;
  }
}

/** What ended the evaluation, or makes it wait. */
function note({ stream }: Standpoint, place: Place, waits: boolean): void {
  if (stream === null) return;
  if (!waits) stream.lastRule = place;
  stream.waitingRule = waits ? place : null;
}

/** The compiled rules; null when there are none, so that a proxy without rules pays nothing. */
export function compileRules(rules: readonly Rule[], acls: readonly Condition[], env: Env): RuleList | null {
  return rules.length === 0 ? null : new RuleList(rules, acls, env);
}
