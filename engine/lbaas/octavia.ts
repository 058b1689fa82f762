/**
 * The life of the items of a load balancer: creation, change, deletion. A load balancer is pending from a change until its
 * process has it, and refuses other changes so long; what is deleted stays, as PENDING_DELETE, until the process has let go of it.
 */
import { conflict, invalid, notFound, overQuota, unsupported } from './errors.ts';
import type { Common, Items, Json, Kind, L7Policy, LoadBalancer, Pool, Provisioning } from './items.ts';
import type { Subnet } from './networks.ts';
import { newItem } from './new-item.ts';
import { assertSuits, type Checked, changed, check } from './octavia-checks.ts';
import { subnetOf, vipOf } from './octavia-vip.ts';
import { QUOTAS, RESOURCES, type Resource } from './resources.ts';
import { type Draft, inTree, type Reader } from './store.ts';

/** Who asks, when, and where. */
export interface Call {
  readonly draft: Draft;
  /** ISO 8601 without zone. */
  readonly now: string;
  readonly projectId: string;
  /** May see and change what belongs to others. */
  readonly admin: boolean;
  readonly subnets: readonly Subnet[];
  /** Names of availability zones. */
  readonly zones: readonly string[];
}

export type Values = Readonly<Record<string, Json>>;

/** Names under which we serve: scripts written for other providers go on working. */
export const PROVIDERS: Readonly<Record<string, string>> = {
  sluice: 'Sluice, a load balancer that runs haproxy.cfg files.',
  haproxy: 'Another name of the sluice provider.',
  octavia: 'Another name of the sluice provider.',
  amphora: 'Another name of the sluice provider.',
};

const TITLES = Object.fromEntries(RESOURCES.map(({ kind, title }) => [kind, title]));

/** Who asks for an item, and where it is looked for. */
export interface Asking extends Pick<Call, 'admin' | 'projectId'> {
  readonly draft: Pick<Reader, 'get'>;
}

/** @throws Refusal 404 when there is none that the caller may see */
export function find<K extends Kind>(call: Asking, kind: K, id: string, title = TITLES[kind] ?? kind): Items[K] {
  const item = call.draft.get(kind, id);
  // What belongs to no project is there for all.
  const theirs = item !== undefined && item.project_id !== '' && item.project_id !== call.projectId;
  if (item === undefined || (theirs && !call.admin)) throw notFound(title, id);
  return item;
}

/** Makes an item in a tree that is pending, or is to be (`touch`). */
export function make(call: Call, resource: Resource, given: Values): Common {
  const kind = resource.kind as Checked;
  const made = MAKERS[kind](call, newItem(call, resource, given));
  assertProvided(resource, made as unknown as Values);
  assertQuota(call, resource, made.project_id);
  check(call.draft, kind, made as never);
  call.draft.put(kind, made as never);
  AFTER[kind]?.(call, made as never, given);
  return made;
}

type Maker = (call: Call, values: Values & Common) => Common;

/** @throws Refusal 501 for what the API has and we have not */
function assertProvided({ fields }: Resource, values: Values): void {
  for (const [name, { foreign }] of Object.entries(fields)) {
    if (foreign.includes(String(values[name]))) throw unsupported(`${name} ${values[name]}`);
  }
}

/** What is different for each kind when an item is made: whose it is, above all. */
const MAKERS: Readonly<Record<Checked, Maker>> = {
  loadbalancer: (call, values) => ({ ...values, ...vipOf(call, values), root: values.id }),
  listener: (call, values) => ({ ...values, root: find(call, 'loadbalancer', String(values.loadbalancer_id)).id }),
  pool: (call, { listener_id, ...values }) => {
    const root = poolRoot(call, values.loadbalancer_id, listener_id);
    return { ...values, loadbalancer_id: root, root } as Common;
  },
  member: (call, values) => {
    if (typeof values.subnet_id === 'string') subnetOf(call.subnets, values.subnet_id);
    return below(call, values, 'pool', values.pool_id);
  },
  healthmonitor: (call, values) => below(call, monitorDefaults(values), 'pool', values.pool_id),
  l7policy: (call, values) => below(call, values, 'listener', values.listener_id),
  l7rule: (call, values) => below(call, values, 'l7policy', values.l7policy_id),
};

function below(
  call: Call,
  values: Values & Common,
  kind: 'pool' | 'listener' | 'l7policy',
  id: Json | undefined,
): Common {
  const parent = find(call, kind, String(id));
  if (parent.provisioning_status === 'PENDING_DELETE') throw notFound(TITLES[kind]!, parent.id);
  return { ...values, root: parent.root };
}

function poolRoot(call: Call, loadbalancer: Json | undefined, listener: Json | undefined): string {
  if (typeof listener === 'string') {
    const on = find(call, 'listener', listener);
    if (on.default_pool_id !== null) throw conflict(`Listener ${on.id} already has a default pool`);
    if (typeof loadbalancer === 'string' && loadbalancer !== on.root) {
      throw invalid(`Listener ${on.id} is not on Load Balancer ${loadbalancer}`);
    }
    return on.root;
  }
  if (typeof loadbalancer === 'string') return find(call, 'loadbalancer', loadbalancer).id;
  throw invalid('Must provide at least one of: loadbalancer_id, listener_id');
}

/** What HTTP checks ask for when nobody says. */
function monitorDefaults<T extends Values>(values: T): T {
  if (values.type !== 'HTTP' && values.type !== 'HTTPS') return values;
  const { http_method, url_path, expected_codes } = values;
  return {
    ...values,
    http_method: http_method ?? 'GET',
    url_path: url_path ?? '/',
    expected_codes: expected_codes ?? '200',
  };
}

/** What changes in others when an item was made. */
const AFTER: { readonly [K in Checked]?: (call: Call, made: Items[K], given: Values) => void } = {
  pool: (call, made, { listener_id }) => {
    if (typeof listener_id !== 'string') return;
    const listener = call.draft.get('listener', listener_id)!;
    assertSuits(listener, made);
    call.draft.put('listener', pending(call, { ...listener, default_pool_id: made.id }));
  },
  l7policy: (call, made) => renumber(call, made),
};

/** Positions of a listener's policies are 1, 2, ...; `moved` is put where it wants to be. */
function renumber(call: Call, moved: L7Policy): void {
  const all = inTree(call.draft, moved.root, 'l7policy').filter(
    p => p.listener_id === moved.listener_id && p.provisioning_status !== 'PENDING_DELETE',
  );
  const rest = all.filter(p => p.id !== moved.id).sort((a, b) => a.position - b.position);
  if (all.some(p => p.id === moved.id)) rest.splice(Math.min(moved.position, rest.length + 1) - 1, 0, moved);
  rest.forEach((policy, i) => {
    const now = call.draft.get('l7policy', policy.id)!;
    if (now.position !== i + 1) call.draft.put('l7policy', { ...now, position: i + 1 });
  });
}

/** @returns the item as it is now */
export function update(call: Call, resource: Resource, id: string, given: Values): Common {
  const kind = resource.kind as Checked;
  const before = find(call, kind, id) as Common;
  touch(call, before.root);
  if (before.provisioning_status === 'PENDING_DELETE') throw notFound(resource.title, id);
  const merged = pending(call, changed(kind, before as never, given as never) as Common);
  const item = kind === 'healthmonitor' ? monitorDefaults(merged) : merged;
  check(call.draft, kind, item as never);
  call.draft.put(kind, item as never);
  if (kind === 'l7policy') renumber(call, item as L7Policy);
  return call.draft.get(kind, id)!;
}

/** Batch update of a pool's members: those given stay, change or are made; others go, unless `additive`. */
export function replaceMembers(
  call: Call,
  resource: Resource,
  poolId: string,
  members: readonly Values[],
  additive: boolean,
): void {
  const { root } = find(call, 'pool', poolId);
  touch(call, root);
  const old = inTree(call.draft, root, 'member').filter(m => m.pool_id === poolId);
  const key = (m: Values) => `${m.address} ${m.protocol_port}`;
  const keys = members.map(key);
  const twice = keys.find((k, i) => keys.indexOf(k) !== i);
  if (twice !== undefined) throw invalid(`member ${twice} is given twice`);
  for (const gone of additive ? [] : old.filter(m => !keys.includes(key(m)))) markDeleted(call, 'member', gone);
  for (const given of members) {
    const same = old.find(m => key(m) === key(given));
    if (same === undefined) make(call, resource, { ...given, pool_id: poolId });
    else {
      const { address: _a, protocol_port: _p, subnet_id: _s, project_id: _i, tenant_id: _t, ...rest } = given;
      const item = pending(call, { ...same, ...rest } as typeof same);
      check(call.draft, 'member', item);
      call.draft.put('member', item);
    }
  }
}

/** Deletes an item and what is below it; a load balancer with children only with `cascade`. */
export function remove(call: Call, resource: Resource, id: string, cascade: boolean): void {
  const kind = resource.kind as Checked;
  const item = find(call, kind, id) as Items[Checked];
  if (kind === 'loadbalancer') {
    assertMutable(item as LoadBalancer, ['ACTIVE', 'ERROR']);
    const rest = call.draft.tree(id).filter(row => row.kind !== 'loadbalancer');
    if (rest.length > 0 && !cascade) throw invalid(`Cannot delete Load Balancer ${id} - it has children`);
    for (const row of rest) call.draft.put(row.kind, { ...row.item, provisioning_status: 'PENDING_DELETE' } as never);
    call.draft.put('loadbalancer', {
      ...(item as LoadBalancer),
      provisioning_status: 'PENDING_DELETE',
      updated_at: call.now,
    });
    return;
  }
  touch(call, item.root);
  if (kind === 'pool') leavePool(call, item as Pool);
  markDeleted(call, kind, item);
  if (kind === 'l7policy') renumber(call, item as L7Policy);
}

/** A pool that policies redirect to stays; listeners lose it as their default. */
function leavePool(call: Call, pool: Pool): void {
  const used = inTree(call.draft, pool.root, 'l7policy').some(
    p => p.redirect_pool_id === pool.id && p.provisioning_status !== 'PENDING_DELETE',
  );
  if (used) throw conflict(`Pool ${pool.id} is in use and cannot be modified.`, 'PoolInUse');
  for (const listener of inTree(call.draft, pool.root, 'listener')) {
    if (listener.default_pool_id === pool.id) call.draft.put('listener', { ...listener, default_pool_id: null });
  }
}

/** The kinds below a kind, and the field of theirs that names it. */
const BELOW: { readonly [K in Checked]?: readonly (readonly [Checked, string])[] } = {
  listener: [['l7policy', 'listener_id']],
  l7policy: [['l7rule', 'l7policy_id']],
  pool: [
    ['member', 'pool_id'],
    ['healthmonitor', 'pool_id'],
  ],
};

function markDeleted(call: Call, kind: Checked, item: Common): void {
  call.draft.put(kind, { ...item, provisioning_status: 'PENDING_DELETE' } as never);
  for (const [child, field] of BELOW[kind] ?? []) {
    for (const other of inTree(call.draft, item.root, child)) {
      if ((other as unknown as Values)[field] === item.id) markDeleted(call, child, other);
    }
  }
}

/** In a pending load balancer: its process is to be made anew. */
export const FAILOVER = 'failover';

/** Failover: the process is made anew. */
export function failover(call: Call, id: string): void {
  const lb = find(call, 'loadbalancer', id);
  assertMutable(lb, ['ACTIVE', 'ERROR']);
  call.draft.put('loadbalancer', pending(call, { ...lb, status_description: FAILOVER }));
}

/** The load balancer of a change becomes pending. @throws Refusal 409 when it is already */
export function touch(call: Call, root: string): void {
  const lb = call.draft.get('loadbalancer', root)!;
  assertMutable(lb, ['ACTIVE']);
  call.draft.put('loadbalancer', pending(call, lb));
}

function assertMutable(lb: LoadBalancer, statuses: readonly Provisioning[]): void {
  if (statuses.includes(lb.provisioning_status)) return;
  throw conflict(`Load Balancer ${lb.id} is immutable and cannot be updated.`, 'ImmutableObject');
}

function pending<T extends Common>(call: Call, item: T): T {
  return { ...item, provisioning_status: 'PENDING_UPDATE', updated_at: call.now };
}

/** The limits of a project: its own, or none. */
export function quotaOf(draft: Pick<Draft, 'get'>, projectId: string): Record<string, number> {
  const own = draft.get('quota', projectId);
  return Object.fromEntries(Object.keys(QUOTAS).map(name => [name, Number(own?.[name] ?? -1)]));
}

function assertQuota(call: Call, { kind, key, title }: Resource, projectId: string): void {
  const name = Object.keys(QUOTAS).find(resource => QUOTAS[resource] === kind);
  const limit = name === undefined ? -1 : quotaOf(call.draft, projectId)[name]!;
  if (limit < 0) return;
  const used = call.draft.list(kind).filter(item => item.project_id === projectId).length;
  if (used >= limit) throw overQuota(title, key);
}
