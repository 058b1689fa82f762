/** What the rules of one proxy became in a worker: a list per set, null where there are none. */
import type { Proxy } from '../config/proxy-model.ts';
import type { Context } from '../proxy/nouns.ts';
import { proxyRules } from '../proxy/rules.ts';
import { compileRules, type RuleList } from './rule-list.ts';
import { RULE_SET_NAMES, type RuleSetName } from './rule-sets.ts';

export type RuleLists = Readonly<Record<RuleSetName, RuleList | null>>;

export function compileRuleLists(context: Context, proxy: Proxy): RuleLists {
  const { acls, env } = proxyRules(context, proxy);
  const lists = RULE_SET_NAMES.map(name => [name, compileRules(proxy.rules[name], acls, env)]);
  return Object.fromEntries(lists) as RuleLists;
}
