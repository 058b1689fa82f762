/** What a process says of itself, and the operating states that follow from it. */
import type { Common, Items, Kind } from './items.ts';
import { monitorNote } from './monitors.ts';
import type { StatRow } from './stat-rows.ts';
import { inTree, type Reader } from './store.ts';

type Operating = 'DEGRADED' | 'DRAINING' | 'ERROR' | 'NO_MONITOR' | 'OFFLINE' | 'ONLINE';

export interface Counters {
  readonly active_connections: number;
  readonly bytes_in: number;
  readonly bytes_out: number;
  readonly request_errors: number;
  readonly total_connections: number;
}

export const NO_COUNTERS: Counters = Object.freeze({
  active_connections: 0,
  bytes_in: 0,
  bytes_out: 0,
  request_errors: 0,
  total_connections: 0,
});

/** One look at a process. Plain data: it also goes to other controllers. */
export interface Health {
  /** By member: `UP`, `DOWN`, `MAINT`, `DRAIN`, `no check`, as `show stat` writes it. */
  readonly members: Readonly<Record<string, string>>;
  /** By member that is down: what its last check found. */
  readonly findings: Readonly<Record<string, string>>;
  /** By listener or VIP, and by pool. */
  readonly fronts: Readonly<Record<string, Counters>>;
  readonly pools: Readonly<Record<string, Counters>>;
  /** The program that pings members there; null = there is none. */
  readonly ping: string | null;
}

/** Reads the rows of `show stat`. A member of several backends is as well as in the worst of them. */
export function readStats(rows: readonly StatRow[], ping: string | null): Health {
  const members: Record<string, string> = {};
  const findings: Record<string, string> = {};
  const fronts: Record<string, Counters> = {};
  const pools: Record<string, Counters> = {};
  for (const row of rows) {
    const { pxname = '', svname = '' } = row;
    if (svname === 'FRONTEND') fronts[pxname] = counters(row);
    else if (svname === 'BACKEND') pools[poolOf(pxname)] = sum([pools[poolOf(pxname)] ?? NO_COUNTERS, counters(row)]);
    else if (members[svname] === undefined || row.status!.startsWith('DOWN')) {
      members[svname] = row.status!;
      if (row.status!.startsWith('DOWN')) findings[svname] = finding(row);
    }
  }
  return { members, findings, fronts, pools, ping };
}

/** `L7STS 503: Service Unavailable`. */
function finding({ check_status = '', check_code = '', check_desc = '' }: StatRow): string {
  const what = [check_status.replace(/^\* /, ''), check_code].filter(text => text !== '').join(' ');
  return check_desc === '' ? what : `${what}: ${check_desc}`;
}

function poolOf(backend: string): string {
  return backend.split(':')[0]!;
}

function counters(row: StatRow): Counters {
  return {
    active_connections: Number(row.scur),
    bytes_in: Number(row.bin),
    bytes_out: Number(row.bout),
    request_errors: Number(row.ereq),
    total_connections: Number(row.stot),
  };
}

export function sum(all: readonly Counters[]): Counters {
  const total = { ...NO_COUNTERS } as Record<keyof Counters, number>;
  for (const one of all) for (const name of Object.keys(total) as (keyof Counters)[]) total[name] += one[name];
  return total;
}

type ItemOf = Pick<Common, 'admin_state_up' | 'provisioning_status'> & { readonly id: string };

/** The state of one item; `health` = null while nothing is known of its process. */
export function operatingStatus(reader: Reader, kind: Kind, item: Common, health: Health | null): Operating {
  if (!item.admin_state_up) return 'OFFLINE';
  switch (kind) {
    case 'member':
      return member(item as Items['member'], health);
    case 'pool':
      return pool(reader, item, health);
    case 'listener':
      return health?.fronts[item.id] === undefined ? 'OFFLINE' : 'ONLINE';
    case 'loadbalancer':
      return loadBalancer(reader, item, health);
    default:
      return item.provisioning_status === 'ACTIVE' ? 'ONLINE' : 'OFFLINE';
  }
}

function member({ id, weight }: ItemOf & { weight: number }, health: Health | null): Operating {
  const status = health?.members[id];
  if (status === undefined || status.startsWith('MAINT')) return 'OFFLINE';
  if (status.startsWith('DOWN')) return 'ERROR';
  if (status.startsWith('DRAIN') || weight === 0) return 'DRAINING';
  return status === 'no check' ? 'NO_MONITOR' : 'ONLINE';
}

/** ONLINE, or how much of it is not: members that are disabled do not count. */
function worst(states: readonly Operating[]): Operating {
  const bad = states.filter(state => state === 'ERROR').length;
  if (bad === 0) return states.includes('DEGRADED') ? 'DEGRADED' : 'ONLINE';
  return bad === states.length ? 'ERROR' : 'DEGRADED';
}

function pool(reader: Reader, item: Common, health: Health | null): Operating {
  if (health?.pools[item.id] === undefined) return 'OFFLINE';
  const members = inTree(reader, item.root, 'member');
  return worst(members.filter(m => m.pool_id === item.id && m.admin_state_up).map(m => member(m, health)));
}

function loadBalancer(reader: Reader, item: Common, health: Health | null): Operating {
  if (item.provisioning_status === 'ERROR') return 'ERROR';
  const listeners = inTree(reader, item.id, 'listener').filter(({ admin_state_up }) => admin_state_up);
  if (listeners.length === 0) return item.provisioning_status === 'PENDING_CREATE' ? 'OFFLINE' : 'ONLINE';
  if (health === null) return 'OFFLINE';
  const pools = inTree(reader, item.id, 'pool').map(one => pool(reader, one, health));
  return worst(pools.filter(state => state !== 'OFFLINE'));
}

/** Why an item is not ONLINE, or its checks are not what they should be; '' = there is nothing to say. */
export function reason(reader: Reader, kind: Kind, item: Common, health: Health | null): string {
  if (item.status_description !== '' || health === null) return item.status_description;
  if (kind === 'member') return memberReason(reader, item as Items['member'], health);
  if (kind !== 'pool' && kind !== 'loadbalancer') return '';
  const members = inTree(reader, item.root, 'member').filter(
    m => m.admin_state_up && (kind === 'loadbalancer' || m.pool_id === item.id),
  );
  const down = members.filter(m => member(m, health) === 'ERROR').length;
  return down === 0 ? '' : `${down} of ${members.length} members ${down === 1 ? 'is' : 'are'} down`;
}

function memberReason(reader: Reader, { id, root, pool_id }: Items['member'], health: Health): string {
  if (health.members[id]?.startsWith('DOWN')) return health.findings[id] ?? '';
  return monitorNote(
    inTree(reader, root, 'healthmonitor').filter(monitor => monitor.pool_id === pool_id),
    health.ping,
  );
}
