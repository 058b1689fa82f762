/**
 * The conditions and expressions of a proxy, compiled once per worker. Conditions refer to the proxy's ACLs by index; each is
 * compiled once, whatever uses it.
 */
import type { Proxy } from '../config/model.ts';
import { compileAcl } from '../sample/acl.ts';
import { type Condition, compileCondition } from '../sample/condition.ts';
import { type Env, Standpoint } from '../sample/context.ts';
import { compileTemplate, type Render } from '../sample/template.ts';
import type { Backend, Context, Frontend } from './nouns.ts';

/** Where the rules of the worker stand now: pointed at each stream in turn. */
export const HERE = new Standpoint();

/** What the conditions of one proxy are compiled with. */
export interface ProxyRules {
  readonly env: Env;
  readonly acls: readonly Condition[];
  /** `stats admin`. */
  readonly admin: readonly Condition[];
}

const COMPILED = new WeakMap<Context, Map<Proxy, ProxyRules>>();

/** The ACLs of `proxy` in this worker. */
export function proxyRules(context: Context, proxy: Proxy): ProxyRules {
  const all = COMPILED.get(context) ?? new Map<Proxy, ProxyRules>();
  COMPILED.set(context, all);
  const known = all.get(proxy);
  if (known !== undefined) return known;
  const acls: Condition[] = [];
  const env: Env = {
    worker: context,
    proxy: proxy.index,
    books: context.books,
    // An ACL may name another one that is compiled after it.
    acl: name => {
      const index = proxy.acls.findIndex(acl => acl.name === name);
      return index < 0 ? null : ctx => acls[index]!(ctx);
    },
  };
  for (const acl of proxy.acls) acls.push(compileAcl(acl, env));
  const admin = (proxy.stats?.adminIf ?? []).map(condition => compileCondition(condition, acls));
  const rules = { env, acls, admin };
  all.set(proxy, rules);
  return rules;
}

/** The conditions of `stats admin`. */
export function statsAdmin(context: Context, proxy: Proxy): readonly Condition[] {
  return proxyRules(context, proxy).admin;
}

/** One `use_backend` line. */
export interface SwitchingRule {
  readonly condition: Condition | null;
  /** null = the name is `name`'s. */
  readonly backend: Backend | null;
  readonly name: Render | null;
}

export interface FrontendRules {
  readonly useBackend: readonly SwitchingRule[];
  readonly monitorFail: readonly Condition[];
  readonly backendsByName: ReadonlyMap<string, Backend>;
}

export function compileRules({ context, proxy }: Frontend): FrontendRules {
  const { env, acls } = proxyRules(context, proxy);
  return {
    useBackend: proxy.useBackend.map(({ backend, dynamic, condition }) => ({
      condition: condition === null ? null : compileCondition(condition, acls),
      backend: dynamic === null ? context.backends[backend]! : null,
      name: dynamic === null ? null : compileTemplate(dynamic, env),
    })),
    monitorFail: proxy.monitorFail.map(condition => compileCondition(condition, acls)),
    backendsByName: new Map(context.backends.flatMap(b => (b === null ? [] : [[b.proxy.name, b] as const]))),
  };
}
