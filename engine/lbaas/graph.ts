/**
 * A whole tree in one call: the body of a creation may have inside what is to be below, these what is to be below them, and so
 * on. All of it is made, or nothing is.
 *
 *     loadbalancer ─┬─ listeners ─┬─ default_pool: a pool, or { name } of one
 *                   │             └─ l7policies ─┬─ redirect_pool: the same
 *                   │                            └─ rules
 *                   └─ pools ─┬─ members
 *                             └─ healthmonitor
 */
import { invalid } from './errors.ts';
import { type Field, type Fields, list, object, required } from './field.ts';
import type { Common, Json, Kind } from './items.ts';
import { type Call, find, make, touch, type Values } from './octavia.ts';
import { HEALTHMONITOR, L7POLICY, L7RULE, LISTENER, LOADBALANCER, MEMBER, POOL, type Resource } from './resources.ts';

const LISTENERS_MAX = 100;
const POOLS_MAX = 100;
const POLICIES_MAX = 100;
const RULES_MAX = 50;
export const MEMBERS_MAX = 1_000;

/** Inside of another item the place says whose an item is. */
const PLACE = ['loadbalancer_id', 'listener_id', 'pool_id', 'l7policy_id', 'project_id', 'tenant_id'];

function inside(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !PLACE.includes(name)));
}

const optional = (field: Field | undefined) => ({ ...field!, fallback: null });

const IN_POOL: Fields = {
  members: list(object(inside(MEMBER.fields)), [], MEMBERS_MAX),
  healthmonitor: object(inside(HEALTHMONITOR.fields)),
};

/** A pool may also be a reference: then it has a name only. */
const POOL_INSIDE: Fields = {
  ...inside(POOL.fields),
  protocol: optional(POOL.fields.protocol),
  lb_algorithm: optional(POOL.fields.lb_algorithm),
  ...IN_POOL,
};

const IN_POLICY: Fields = {
  rules: list(object(inside(L7RULE.fields)), [], RULES_MAX),
  redirect_pool: object(POOL_INSIDE),
};

const IN_LISTENER: Fields = {
  default_pool: object(POOL_INSIDE),
  l7policies: list(object({ ...inside(L7POLICY.fields), ...IN_POLICY }), [], POLICIES_MAX),
};

const INSIDE: { readonly [K in Kind]?: Fields } = {
  loadbalancer: {
    listeners: list(object({ ...inside(LISTENER.fields), ...IN_LISTENER }), [], LISTENERS_MAX),
    pools: list(object(POOL_INSIDE), [], POOLS_MAX),
  },
  listener: IN_LISTENER,
  pool: IN_POOL,
  l7policy: IN_POLICY,
};

/** What a creation may say: of the item, and what is to be inside. */
export function creatable({ kind, fields }: Resource): Fields {
  return { ...fields, ...INSIDE[kind] };
}

/** The body of `graphs`, LBaaS v2's own way to a whole load balancer. */
export const GRAPH_FIELDS: Fields = {
  loadbalancer: required(object(creatable(LOADBALANCER))),
  project_id: LOADBALANCER.fields.project_id,
  tenant_id: LOADBALANCER.fields.tenant_id,
};

/**
 * Makes an item and all that is inside.
 * @param named pools must have names, as Octavia wants it of those of a new load balancer
 */
export function create(call: Call, resource: Resource, given: Values, named = resource === LOADBALANCER): Common {
  const made = (WHOLE[resource.kind] ?? alone)({ call, resource, named }, given);
  if (resource !== LOADBALANCER) touch(call, made.root);
  return made;
}

/** What is made, and how. */
interface Creation {
  readonly call: Call;
  readonly resource: Resource;
  readonly named: boolean;
}

const WHOLE: { readonly [K in Kind]?: (creation: Creation, given: Values) => Common } = {
  loadbalancer: (creation, { listeners, pools, ...own }) => {
    const lb = make(creation.call, LOADBALANCER, own);
    const place = { loadbalancer_id: lb.id, project_id: lb.project_id };
    const known = new Pools(creation, place);
    for (const pool of all(pools)) known.define(pool);
    for (const listener of all(listeners)) known.noteListener(listener);
    known.make();
    for (const listener of all(listeners)) makeListener(creation.call, { ...listener, ...place }, known);
    return lb;
  },
  listener: (creation, given) => {
    const known = new Pools(creation, placeOf(creation.call, given, String(given.loadbalancer_id)));
    known.noteListener(given);
    known.make();
    return makeListener(creation.call, given, known);
  },
  pool: ({ call }, given) => makePool(call, given),
  l7policy: (creation, given) => {
    const { root } = find(creation.call, 'listener', String(given.listener_id));
    const known = new Pools(creation, placeOf(creation.call, given, root));
    known.note(given.redirect_pool);
    known.make();
    return makePolicy(creation.call, given, known);
  },
};

const alone = ({ call, resource }: Creation, given: Values): Common => make(call, resource, given);
const all = (items: Json | undefined): readonly Values[] => (items ?? []) as readonly Values[];

function placeOf(call: Call, { project_id, tenant_id }: Values, loadbalancer_id: string): Place {
  return { loadbalancer_id, project_id: String(project_id ?? tenant_id ?? call.projectId) };
}

function makeListener(call: Call, { default_pool, l7policies, ...own }: Values, pools: Pools): Common {
  const made = make(call, LISTENER, { ...own, ...pools.idAs('default_pool_id', default_pool) });
  const on = { listener_id: made.id, project_id: made.project_id };
  for (const policy of all(l7policies)) makePolicy(call, { ...policy, ...on }, pools);
  return made;
}

function makePolicy(call: Call, { redirect_pool, rules, ...own }: Values, pools: Pools): Common {
  const made = make(call, L7POLICY, { ...own, ...pools.idAs('redirect_pool_id', redirect_pool) });
  const below = { l7policy_id: made.id, project_id: made.project_id };
  for (const rule of all(rules)) make(call, L7RULE, { ...rule, ...below });
  return made;
}

function makePool(call: Call, { members, healthmonitor, ...own }: Values): Common {
  const made = make(call, POOL, own);
  const below = { pool_id: made.id, project_id: made.project_id };
  for (const member of all(members)) make(call, MEMBER, { ...member, ...below });
  if (healthmonitor != null) make(call, HEALTHMONITOR, { ...(healthmonitor as Values), ...below });
  return made;
}

interface Place {
  readonly loadbalancer_id: string;
  readonly project_id: string;
}

/** Pools are made before those who send to them, which know them by name, or have them inside. */
class Pools {
  readonly #creation: Creation;
  readonly #place: Place;
  readonly #definitions: Values[] = [];
  readonly #references = new Set<string>();
  /** By name; by itself what has none. */
  readonly #ids = new Map<string | Values, string>();

  constructor(creation: Creation, place: Place) {
    this.#creation = creation;
    this.#place = place;
  }

  define(pool: Values): void {
    if (this.#creation.named && !pool.name) throw this.#refusal('Pools must be named');
    this.#definitions.push(pool);
  }

  /** The pools inside of a listener. */
  noteListener({ default_pool, l7policies }: Values): void {
    this.note(default_pool);
    for (const { redirect_pool } of all(l7policies)) this.note(redirect_pool);
  }

  /** A pool inside of a listener or policy, if there is one: defined there, or a reference. */
  note(given: Json | undefined): void {
    if (given == null) return;
    const pool = given as Values;
    const { name, ...more } = pool;
    if (Object.keys(more).length > 0) this.define(pool);
    else this.#references.add(String(name ?? ''));
  }

  make(): void {
    const names = this.#definitions.map(keyOf).filter(key => typeof key === 'string');
    if (new Set(names).size < names.length) throw this.#refusal('Pool names must be unique');
    const missing = [...this.#references].find(name => !names.includes(name));
    if (missing !== undefined) throw invalid(`Pool '${missing}' was referenced but no full definition was found.`);
    for (const pool of this.#definitions) this.#makeOne(pool);
  }

  #makeOne(pool: Values): void {
    for (const name of ['protocol', 'lb_algorithm']) {
      if (pool[name] !== undefined) continue;
      throw invalid(`Pool definition for '${pool.name ?? ''}' missing required attribute: ${name}`);
    }
    this.#ids.set(keyOf(pool), makePool(this.#creation.call, { ...pool, ...this.#place }).id);
  }

  /** The pool's id as this field; nothing when there is no pool. */
  idAs(field: string, given: Json | undefined): Values {
    return given == null ? {} : { [field]: this.#ids.get(keyOf(given as Values))! };
  }

  #refusal(what: string) {
    return invalid(`${what} when creating a fully populated ${this.#creation.resource.key}.`);
  }
}

const keyOf = (pool: Values): string | Values => (pool.name ? String(pool.name) : pool);
