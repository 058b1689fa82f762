/** All that the rules of one proxy became in a worker: a list per set, and the conditions of its other lines. */
import type { Proxy } from '../config/model.ts';
import type { Context } from '../proxy/nouns.ts';
import { compileAcl } from '../sample/acl.ts';
import { type Condition, type ConditionData, compileCondition, YES } from '../sample/condition.ts';
import type { Env, SampleContext } from '../sample/context.ts';
import { compileText, type Value } from './format.ts';
import { compileRules, type RuleList } from './rule-list.ts';
import type { RuleSetName } from './rule-sets.ts';

export class ProxyRules {
  readonly #env: Env;
  readonly #acls: readonly Condition[];
  readonly connection: RuleList | null;
  readonly session: RuleList | null;
  readonly content: RuleList | null;
  readonly request: RuleList | null;
  readonly stats: RuleList | null;
  readonly redirect: RuleList | null;
  readonly serverContent: RuleList | null;
  readonly response: RuleList | null;
  readonly afterResponse: RuleList | null;

  constructor(worker: Context, proxy: Proxy) {
    const named = new Map<string, Condition>();
    this.#env = {
      worker,
      proxy: proxy.index,
      books: worker.books,
      acl: name => named.get(name) ?? null,
    };
    this.#acls = proxy.acls.map(acl => {
      const condition = compileAcl(acl, this.#env);
      if (acl.name !== '') named.set(acl.name, condition);
      return condition;
    });
    const list = (name: RuleSetName): RuleList | null => compileRules(proxy.rules[name], this.#acls, this.#env);
    this.connection = list('connection');
    this.session = list('session');
    this.content = list('content');
    this.request = list('request');
    this.stats = list('stats');
    this.redirect = list('redirect');
    this.serverContent = list('serverContent');
    this.response = list('response');
    this.afterResponse = list('afterResponse');
  }

  /** A test of a line's condition; null = it has none. */
  test(condition: ConditionData): (at: SampleContext) => boolean;
  test(condition: ConditionData | null): ((at: SampleContext) => boolean) | null;
  test(condition: ConditionData | null): ((at: SampleContext) => boolean) | null {
    if (condition === null) return null;
    const holds = compileCondition(condition, this.#acls);
    return at => holds(at) === YES;
  }

  text(format: string): Value {
    return compileText(format, this.#env);
  }
}
