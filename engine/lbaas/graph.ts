/**
 * A whole load balancer in one call: the body of its creation may have listeners and pools inside, these their policies and
 * members, and so on. All of it is made, or nothing is.
 *
 *     loadbalancer ─┬─ listeners ─┬─ default_pool: a pool, or { name } of one
 *                   │             └─ l7policies ─┬─ redirect_pool: the same
 *                   │                            └─ rules
 *                   └─ pools ─┬─ members
 *                             └─ healthmonitor
 */
import { invalid } from './errors.ts';
import { type Fields, list, object } from './field.ts';
import type { Json, LoadBalancer } from './items.ts';
import { type Call, make, type Values } from './octavia.ts';
import { HEALTHMONITOR, L7POLICY, L7RULE, LISTENER, LOADBALANCER, MEMBER, POOL } from './resources.ts';

const LISTENERS_MAX = 100;
const POOLS_MAX = 100;
const POLICIES_MAX = 100;
const RULES_MAX = 50;
export const MEMBERS_MAX = 1_000;

/** Inside of a load balancer the place says whose an item is. */
const PLACE = ['loadbalancer_id', 'listener_id', 'pool_id', 'l7policy_id', 'project_id', 'tenant_id'];

function inside(fields: Fields, more: Fields = {}): Fields {
  return { ...Object.fromEntries(Object.entries(fields).filter(([name]) => !PLACE.includes(name))), ...more };
}

const optional = (field: Fields[string] | undefined) => ({ ...field!, fallback: null });

/** A pool may also be a reference: then it has a name only. */
const POOL_INSIDE = inside(POOL.fields, {
  protocol: optional(POOL.fields.protocol),
  lb_algorithm: optional(POOL.fields.lb_algorithm),
  members: list(object(inside(MEMBER.fields)), [], MEMBERS_MAX),
  healthmonitor: object(inside(HEALTHMONITOR.fields)),
});

const POLICY_INSIDE = inside(L7POLICY.fields, {
  rules: list(object(inside(L7RULE.fields)), [], RULES_MAX),
  redirect_pool: object(POOL_INSIDE),
});

const LISTENER_INSIDE = inside(LISTENER.fields, {
  default_pool: object(POOL_INSIDE),
  l7policies: list(object(POLICY_INSIDE), [], POLICIES_MAX),
});

/** What the creation of a load balancer may say. */
export const GRAPH_FIELDS: Fields = {
  ...LOADBALANCER.fields,
  listeners: list(object(LISTENER_INSIDE), [], LISTENERS_MAX),
  pools: list(object(POOL_INSIDE), [], POOLS_MAX),
};

/** Makes a load balancer and all that is inside. */
export function createGraph(call: Call, given: Values): LoadBalancer {
  const { listeners, pools, ...own } = given;
  const lb = make(call, LOADBALANCER, own) as LoadBalancer;
  const place = { loadbalancer_id: lb.id, project_id: lb.project_id };
  const named = new PoolsByName(call, place);
  for (const pool of all(pools)) named.define(pool);
  for (const { default_pool, l7policies } of all(listeners)) {
    named.note(default_pool);
    for (const { redirect_pool } of all(l7policies)) named.note(redirect_pool);
  }
  named.make();
  for (const { default_pool, l7policies, ...listener } of all(listeners)) {
    const made = make(call, LISTENER, { ...listener, ...place, ...named.idAs('default_pool_id', default_pool) });
    for (const { redirect_pool, rules, ...policy } of all(l7policies)) {
      const on = { listener_id: made.id, project_id: lb.project_id, ...named.idAs('redirect_pool_id', redirect_pool) };
      const { id } = make(call, L7POLICY, { ...policy, ...on });
      for (const rule of all(rules)) make(call, L7RULE, { ...rule, l7policy_id: id, project_id: lb.project_id });
    }
  }
  return lb;
}

const all = (items: Json | undefined): readonly Values[] => (items ?? []) as readonly Values[];

/** Pools are made before those who send to them, which know them by name. */
class PoolsByName {
  readonly #call: Call;
  readonly #place: { readonly loadbalancer_id: string; readonly project_id: string };
  readonly #definitions: Values[] = [];
  readonly #references = new Set<string>();
  readonly #ids = new Map<string, string>();

  constructor(call: Call, place: { readonly loadbalancer_id: string; readonly project_id: string }) {
    this.#call = call;
    this.#place = place;
  }

  define(pool: Values): void {
    this.#definitions.push(pool);
  }

  /** A pool inside of a listener or policy, if there is one: defined there, or a reference. */
  note(given: Json | undefined): void {
    if (given == null) return;
    const { name, ...more } = given as Values;
    if (typeof name !== 'string' || name === '') throw explain('Pools must be named');
    if (Object.keys(more).length > 0) this.define(given as Values);
    else this.#references.add(name);
  }

  make(): void {
    const names = this.#definitions.map(({ name }) => String(name ?? ''));
    if (new Set(names).size < names.length) throw explain('Pool names must be unique');
    const missing = [...this.#references].find(name => !names.includes(name));
    if (missing !== undefined) throw invalid(`Pool '${missing}' was referenced but no full definition was found.`);
    for (const { members, healthmonitor, ...pool } of this.#definitions) this.#makeOne(pool, members, healthmonitor);
  }

  #makeOne(pool: Values, members: Json | undefined, monitor: Json | undefined): void {
    for (const name of ['protocol', 'lb_algorithm']) {
      if (pool[name] !== undefined) continue;
      throw invalid(`Pool definition for '${pool.name ?? ''}' missing required attribute: ${name}`);
    }
    const { id } = make(this.#call, POOL, { ...pool, ...this.#place });
    this.#ids.set(String(pool.name ?? ''), id);
    const below = { pool_id: id, project_id: this.#place.project_id };
    for (const member of all(members)) make(this.#call, MEMBER, { ...member, ...below });
    if (monitor != null) make(this.#call, HEALTHMONITOR, { ...(monitor as Values), ...below });
  }

  /** The pool's id as this field; nothing when there is no pool. */
  idAs(field: string, given: Json | undefined): Values {
    return given == null ? {} : { [field]: this.#ids.get(String((given as Values).name))! };
  }
}

function explain(what: string) {
  return invalid(`${what} when creating a fully populated loadbalancer.`);
}
