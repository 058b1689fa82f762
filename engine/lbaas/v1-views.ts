/** Items as the v1 API shows them. */
import { type Counters, type Health, NO_COUNTERS } from './health.ts';
import type { Common, Items, Json } from './items.ts';
import { monitorNote } from './monitors.ts';
import type { HealthOf, View } from './octavia-views.ts';
import { inTree, type Reader } from './store.ts';
import { poolsOf, type V1Kind } from './v1.ts';

const common = ({ id, project_id, admin_state_up }: Common): View => ({
  id,
  tenant_id: project_id,
  project_id,
  admin_state_up,
});
const status = ({ provisioning_status, status_description }: Common): View => ({
  status: provisioning_status,
  status_description: status_description || null,
});
const named = ({ name, description }: Common): View => ({ name, description });

const VIEWS: { readonly [K in V1Kind]: (reader: Reader, item: Items[K], health: Health | null) => View } = {
  v1pool: (reader, item) => {
    const { health_monitors } = item;
    return {
      ...common(item),
      ...named(item),
      ...status(item),
      subnet_id: item.subnet_id,
      protocol: item.protocol,
      lb_method: item.lb_method,
      provider: item.provider,
      vip_id: inTree(reader, item.id, 'v1vip')[0]?.id ?? null,
      members: inTree(reader, item.id, 'v1member').map(({ id }) => id),
      health_monitors: [...health_monitors],
      health_monitors_status: health_monitors.map((monitor_id): Json => ({ monitor_id, ...status(item) })),
    };
  },
  v1member: (reader, item, health) => ({
    ...common(item),
    ...memberStatus(reader, item, health),
    pool_id: item.pool_id,
    address: item.address,
    protocol_port: item.protocol_port,
    weight: item.weight,
  }),
  v1monitor: (reader, item) => {
    const { type, delay, timeout, max_retries, http_method, url_path, expected_codes } = item;
    const pools = poolsOf(reader, item.id);
    return {
      ...common(item),
      type,
      delay,
      timeout,
      max_retries,
      pools: pools.map((pool): Json => ({ pool_id: pool.id, ...status(pool) })),
      ...(type === 'HTTP' || type === 'HTTPS' ? { http_method, url_path, expected_codes } : {}),
    };
  },
  v1vip: (_reader, item) => {
    const { subnet_id, address, port_id, protocol_port, protocol, pool_id, session_persistence, connection_limit } =
      item;
    return {
      ...common(item),
      ...named(item),
      ...status(item),
      subnet_id,
      address,
      port_id,
      protocol_port,
      protocol,
      pool_id,
      session_persistence,
      connection_limit,
    };
  },
};

/** A member that is down is INACTIVE, with what the check said. */
function memberStatus(reader: Reader, item: Items['v1member'], health: Health | null): View {
  const pool = reader.get('v1pool', item.root);
  const monitors = pool?.health_monitors.map(id => reader.get('v1monitor', id)).filter(m => m !== undefined) ?? [];
  const note = monitorNote(monitors, health?.ping ?? null) || null;
  if (item.provisioning_status !== 'ACTIVE') return status(item);
  const down = health?.members[item.id]?.startsWith('DOWN') === true;
  return down
    ? { status: 'INACTIVE', status_description: health.findings[item.id] ?? null }
    : { status: 'ACTIVE', status_description: note };
}

export function viewV1<K extends V1Kind>(reader: Reader, kind: K, item: Items[K], healthOf: HealthOf): View {
  return VIEWS[kind](reader, item, healthOf(item.root));
}

/** `stats` of a pool, as v1 names them. */
export function statsV1(pool: string, healthOf: HealthOf): View {
  const counters: Counters = healthOf(pool)?.pools[pool] ?? NO_COUNTERS;
  const { active_connections, bytes_in, bytes_out, total_connections } = counters;
  return { active_connections, bytes_in, bytes_out, total_connections };
}
