/**
 * The life of the items of the v1 API: pools, their members, monitors that any number of pools share, and a VIP that makes a
 * pool a load balancer. Nothing is immutable while it is pending; what has not changed again when the process has it is ACTIVE.
 */
import { badRequest, conflict, notFound, Refusal } from './errors.ts';
import type { Common, Items, Json, V1Member, V1Monitor, V1Pool, V1Vip } from './items.ts';
import { stableId } from './networks.ts';
import { newItem } from './new-item.ts';
import { type Call, find, type Values } from './octavia.ts';
import { assertIp } from './octavia-checks.ts';
import { takeAddress } from './octavia-vip.ts';
import type { Resource } from './resources.ts';
import { inTree, type Reader } from './store.ts';

export type V1Kind = 'v1member' | 'v1monitor' | 'v1pool' | 'v1vip';

function isLeaving({ provisioning_status }: Common): boolean {
  return provisioning_status === 'PENDING_DELETE';
}

function poolOf(call: Call, id: Json | undefined): V1Pool {
  const pool = find(call, 'v1pool', String(id), 'Pool');
  if (isLeaving(pool)) throw notFound('Pool', pool.id);
  return pool;
}

/** @returns the item made */
export function createV1(call: Call, resource: Resource, given: Values): Common {
  const kind = resource.kind as V1Kind;
  const item = MAKERS[kind](call, newItem(call, resource, given));
  check(call, kind, item as never);
  call.draft.put(kind, item as never);
  return item;
}

const MAKERS: Readonly<Record<V1Kind, (call: Call, values: Values & Common) => Common>> = {
  v1pool: (call, values) => {
    subnetOf(call, values.subnet_id);
    return { ...values, provider: values.provider ?? 'haproxy', health_monitors: [], root: values.id } as Common;
  },
  v1member: (call, values) => ({ ...values, root: poolOf(call, values.pool_id).id }),
  // In force where it is associated.
  v1monitor: (_call, values) => ({ ...values, provisioning_status: 'ACTIVE' }),
  v1vip: (call, values) => {
    const root = poolOf(call, values.pool_id).id;
    const subnet = subnetOf(call, values.subnet_id);
    const address = takeAddress(call, subnet, values.address as string | null, 'address');
    return { ...values, address, port_id: stableId(`port ${values.id}`), root } as Common;
  },
};

function subnetOf(call: Call, id: Json | undefined) {
  const subnet = call.subnets.find(s => s.id === id);
  if (subnet === undefined) throw notFound('Subnet', String(id));
  return subnet;
}

function check<K extends V1Kind>(call: Call, kind: K, item: Items[K]): void {
  CHECKS[kind](call, item);
}

const CHECKS: { readonly [K in V1Kind]: (call: Call, item: Items[K]) => void } = {
  v1pool: () => {},
  v1member: (call, item: V1Member) => {
    assertIp('address', item.address);
    const same = inTree(call.draft, item.root, 'v1member').some(
      m => m.id !== item.id && !isLeaving(m) && m.address === item.address && m.protocol_port === item.protocol_port,
    );
    if (same) {
      const { address, protocol_port, pool_id } = item;
      throw conflict(
        `Member with address ${address} and port ${protocol_port} already present in pool ${pool_id}`,
        'MemberExists',
      );
    }
  },
  v1monitor: (_call, item: V1Monitor) => {
    if (item.delay < item.timeout)
      throw badRequest('Delay must be greater than or equal to timeout', 'DelayOrTimeoutInvalid');
  },
  v1vip: (call, item: V1Vip) => {
    const pool = poolOf(call, item.pool_id);
    if (pool.protocol !== item.protocol) {
      throw badRequest(
        `Protocol ${item.protocol} for vip does not match protocol ${pool.protocol} for pool`,
        'ProtocolMismatch',
      );
    }
    if (inTree(call.draft, item.root, 'v1vip').some(other => other.id !== item.id)) {
      throw conflict(`Another Vip already exists for pool ${pool.id}`, 'VipExists');
    }
    if (item.connection_limit === 0)
      throw badRequest("Invalid input for connection_limit. Reason: '0': -1 is unlimited");
    persistence(item);
  },
};

function persistence({ session_persistence, protocol }: V1Vip): void {
  if (session_persistence === null) return;
  const { type, cookie_name = null } = session_persistence;
  const wrong = (why: string) => badRequest(`Invalid input for session_persistence. Reason: ${why}`);
  if (type === 'APP_COOKIE' && cookie_name === null) throw wrong("'cookie_name' should be specified for APP_COOKIE");
  if (type !== 'APP_COOKIE' && cookie_name !== null) throw wrong(`'cookie_name' is not allowed with ${type}`);
  if (type !== 'SOURCE_IP' && protocol !== 'HTTP') throw wrong(`${type} is not allowed with protocol ${protocol}`);
}

/** @returns the item as it is now */
export function updateV1(call: Call, resource: Resource, id: string, given: Values): Common {
  const kind = resource.kind as V1Kind;
  const before = find(call, kind, id, resource.title) as Common;
  if (isLeaving(before)) throw notFound(resource.title, id);
  const item = { ...before, ...given, provisioning_status: 'PENDING_UPDATE', updated_at: call.now } as Common & Values;
  const moved = {
    ...item,
    ...(kind === 'v1member' || kind === 'v1vip' ? { root: poolOf(call, item.pool_id).id } : {}),
  };
  const settled = kind === 'v1monitor' ? { ...moved, provisioning_status: 'ACTIVE' } : moved;
  check(call, kind, settled as never);
  call.draft.put(kind, settled as never);
  if (kind === 'v1monitor') for (const pool of poolsOf(call.draft, id)) touch(call, pool, {});
  return settled as Common;
}

function touch(call: Call, pool: V1Pool, change: Partial<V1Pool>): void {
  call.draft.put('v1pool', { ...pool, ...change, provisioning_status: 'PENDING_UPDATE', updated_at: call.now });
}

/** Pools that a monitor is associated with. */
export function poolsOf(reader: Pick<Reader, 'list'>, monitor: string): V1Pool[] {
  return reader.list('v1pool').filter(pool => pool.health_monitors.includes(monitor));
}

export function removeV1(call: Call, resource: Resource, id: string): void {
  const kind = resource.kind as V1Kind;
  const item = find(call, kind, id, resource.title) as Items[V1Kind];
  const leave = (k: V1Kind, gone: Common) =>
    call.draft.put(k, { ...gone, provisioning_status: 'PENDING_DELETE' } as never);
  if (kind === 'v1monitor') {
    if (poolsOf(call.draft, id).length > 0) {
      throw conflict(`Health monitor ${id} still has associations with pools`, 'HealthMonitorInUse');
    }
    call.draft.remove(kind, id);
    return;
  }
  if (kind === 'v1pool') {
    if (inTree(call.draft, id, 'v1vip').length > 0) throw conflict(`Pool ${id} is still in use`, 'PoolInUse');
    for (const member of inTree(call.draft, id, 'v1member')) leave('v1member', member);
  }
  leave(kind, item);
}

/** @returns ids of all monitors of the pool */
export function associate(call: Call, poolId: string, monitorId: string): readonly string[] {
  const pool = poolOf(call, poolId);
  find(call, 'v1monitor', monitorId, 'Health Monitor');
  if (pool.health_monitors.includes(monitorId)) {
    throw conflict(
      `health_monitor ${monitorId} is already associated with pool ${poolId}`,
      'PoolMonitorAssociationExists',
    );
  }
  const health_monitors = [...pool.health_monitors, monitorId];
  touch(call, pool, { health_monitors });
  return health_monitors;
}

export function disassociate(call: Call, poolId: string, monitorId: string): void {
  const pool = poolOf(call, poolId);
  if (!pool.health_monitors.includes(monitorId)) {
    throw new Refusal(
      404,
      'PoolMonitorAssociationNotFound',
      `Monitor ${monitorId} is not associated with Pool ${poolId}`,
    );
  }
  touch(call, pool, { health_monitors: pool.health_monitors.filter(id => id !== monitorId) });
}
