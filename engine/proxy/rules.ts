/**
 * The conditions and expressions of a proxy, compiled once per worker. Conditions refer to the proxy's ACLs by index; each is
 * compiled once, whatever uses it.
 */
import type { Proxy } from '../config/proxy-model.ts';
import { compileText, type Format, latin1Of } from '../rules/format.ts';
import { compileAcl } from '../sample/acl.ts';
import { compileExpression } from '../sample/compile.ts';
import { type Condition, compileCondition } from '../sample/condition.ts';
import { type Env, type Fetch, Standpoint } from '../sample/context.ts';
import { compileForwarded } from './forwarded.ts';
import type { Backend, Context, Frontend, Server } from './nouns.ts';
import { compileStickRules, type StickRules } from './stick-rules.ts';
import type { Stream } from './stream.ts';

/** Where the rules of the worker stand now: pointed at each stream in turn. */
export const HERE = new Standpoint();

/** What the conditions of one proxy are compiled with. */
interface ProxyRules {
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
interface SwitchingRule {
  readonly condition: Condition | null;
  /** null = the name is `name`'s. */
  readonly backend: Backend | null;
  readonly name: Render | null;
}

export interface FrontendRules {
  readonly useBackend: readonly SwitchingRule[];
  readonly monitorFail: readonly Condition[];
  readonly forceSwitch: readonly Condition[];
  /** `unique-id-format`. */
  readonly uniqueId: ((stream: Stream) => Uint8Array) | null;
}

/** A name made of the traffic, as text. */
type Render = (at: Standpoint) => string;

function compileName(format: Format, env: Env): Render {
  const value = compileText(format, env);
  return at => latin1Of(value(at));
}

function compileUniqueId(format: Format, env: Env): (stream: Stream) => Uint8Array {
  const value = compileText(format, env);
  return stream => value(HERE.at(stream));
}

export function compileRules({ context, proxy }: Frontend): FrontendRules {
  const { env, acls } = proxyRules(context, proxy);
  return {
    useBackend: proxy.useBackend.map(({ backend, dynamic, condition }) => ({
      condition: condition === null ? null : compileCondition(condition, acls),
      backend: dynamic === null ? context.backends[backend]! : null,
      name: dynamic === null ? null : compileName(dynamic, env),
    })),
    uniqueId: proxy.uniqueIdFormat === null ? null : compileUniqueId(proxy.uniqueIdFormat, env),
    monitorFail: proxy.monitorFail.map(condition => compileCondition(condition, acls)),
    forceSwitch: proxy.forceSwitch.map(condition => compileCondition(condition, acls)),
  };
}

/** One `use-server` line. */
interface ServerRule {
  readonly condition: Condition | null;
  /** null = the name is `name`'s. */
  readonly server: Server | null;
  readonly name: Render | null;
}

export interface BackendRules {
  readonly useServer: readonly ServerRule[];
  /** `force-persist` and `ignore-persist`. */
  readonly persist: readonly { readonly force: boolean; readonly condition: Condition }[];
  readonly stick: StickRules;
  /** The expression of `balance hash`. */
  readonly hashed: Fetch | null;
  /** The value of `option forwarded`. */
  readonly forwarded: ((stream: Stream) => string) | null;
}

export function compileBackendRules({ context, proxy, servers }: Backend): BackendRules {
  const { env, acls } = proxyRules(context, proxy);
  return {
    useServer: proxy.useServer.map(({ server, dynamic, condition }) => ({
      condition: condition === null ? null : compileCondition(condition, acls),
      server: dynamic === null ? servers[server]! : null,
      name: dynamic === null ? null : compileName(dynamic, env),
    })),
    persist: proxy.persistRules.map(({ force, condition }) => ({
      force,
      condition: compileCondition(condition, acls),
    })),
    stick: compileStickRules(context, proxy, env, acls),
    hashed: proxy.balance.expression === null ? null : compileExpression(proxy.balance.expression, env),
    forwarded: proxy.forwarded === null ? null : compileForwarded(proxy.forwarded, env),
  };
}
