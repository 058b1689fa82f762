/**
 * The deployments of trees. Only what is in force is in them: nothing that is disabled (but members) or being deleted.
 */
import type { Deployment, Farm, FarmMember, Front, FrontTls, Monitor, Policy } from './deployment-model.ts';
import { flavorOf, NO_FLAVOR } from './flavors.ts';
import type {
  HealthMonitor,
  Items,
  L7Policy,
  L7Rule,
  Listener,
  Member,
  Pool,
  V1Member,
  V1Monitor,
  V1Pool,
  V1Vip,
} from './items.ts';
import { inTree, type Reader } from './store.ts';

interface InTree {
  readonly admin_state_up: boolean;
  readonly provisioning_status: string;
}

const inForce = (item: InTree) => item.admin_state_up && item.provisioning_status !== 'PENDING_DELETE';
const isThere = (item: InTree) => item.provisioning_status !== 'PENDING_DELETE';
/** The same tree gives the same text, in whatever order the store has its items. */
const byAge = (a: { created_at: string; id: string }, b: { created_at: string; id: string }) =>
  a.created_at < b.created_at || (a.created_at === b.created_at && a.id < b.id) ? -1 : 1;

/** What the tree of a load balancer or v1 pool asks for; null = no process. */
export function deploymentOf(reader: Reader, root: string): Deployment | null {
  if (reader.get('loadbalancer', root) !== undefined) return loadBalancer(reader, root);
  const pool = reader.get('v1pool', root);
  return pool === undefined ? null : v1(reader, pool);
}

function loadBalancer(reader: Reader, root: string): Deployment | null {
  const lb = reader.get('loadbalancer', root)!;
  if (!inForce(lb)) return null;
  const items = <K extends keyof Items>(kind: K): Items[K][] => inTree(reader, root, kind).sort(byAge);
  const farms = new Map(
    items('pool')
      .filter(inForce)
      .map(pool => [pool.id, farm(pool, items('member').filter(isThere), items('healthmonitor').filter(inForce))]),
  );
  const policies = items('l7policy')
    .filter(inForce)
    .sort((a, b) => rank(a) - rank(b) || a.position - b.position);
  const rules = items('l7rule').filter(inForce);
  const fronts = items('listener')
    .filter(inForce)
    .map(listener => front(listener, farms, policies, rules));
  if (fronts.length === 0) return null;
  const addresses = [lb.vip_address, ...lb.additional_vips.map(vip => vip.ip_address)];
  return { id: root, title: `load balancer ${lb.name}`, addresses, fronts, ...flavorOf(reader, lb.flavor_id) };
}

function front(
  listener: Listener,
  farms: ReadonlyMap<string, Farm>,
  policies: readonly L7Policy[],
  rules: readonly L7Rule[],
): Front {
  const { id, name, protocol } = listener;
  return {
    id,
    name,
    protocol,
    port: listener.protocol_port,
    connectionLimit: listener.connection_limit,
    allowedCidrs: listener.allowed_cidrs ?? [],
    insertHeaders: listener.insert_headers,
    clientMs: listener.timeout_client_data,
    connectMs: listener.timeout_member_connect,
    serverMs: listener.timeout_member_data,
    inspectMs: listener.timeout_tcp_inspect,
    tls: protocol === 'TERMINATED_HTTPS' ? frontTls(listener) : null,
    policies: policies.filter(p => p.listener_id === id).flatMap(p => policy(p, farms, rules)),
    pool: farms.get(listener.default_pool_id ?? '') ?? null,
  };
}

function frontTls(listener: Listener): FrontTls {
  const { default_tls_container_ref: main, sni_container_refs, tls_ciphers, tls_versions, alpn_protocols } = listener;
  return {
    certificates: main === null ? sni_container_refs : [main, ...sni_container_refs],
    clientCa: listener.client_ca_tls_container_ref,
    clientAuthentication: listener.client_authentication,
    clientCrl: listener.client_crl_container_ref,
    tls_ciphers,
    tls_versions,
    alpn_protocols,
  };
}

/** Who rejects comes before who sends elsewhere, whatever their positions: so Octavia's own process has it. */
const rank = ({ action }: L7Policy) => (action === 'REJECT' ? 0 : 1);

/** A policy without rules matches nothing: it is left out, as one to a pool that is not in force. */
function policy(item: L7Policy, farms: ReadonlyMap<string, Farm>, all: readonly L7Rule[]): Policy[] {
  const { id, name, action } = item;
  const rules = all.filter(rule => rule.l7policy_id === id);
  const pool = farms.get(item.redirect_pool_id ?? '') ?? null;
  if (rules.length === 0 || (action === 'REDIRECT_TO_POOL' && pool === null)) return [];
  const location = item.redirect_url ?? item.redirect_prefix ?? '';
  return [{ id, name, action, pool, location, code: item.redirect_http_code ?? 302, rules }];
}

function farm(pool: Pool, members: readonly Member[], monitors: readonly HealthMonitor[]): Farm {
  const { id, name, protocol, tls_ciphers, tls_versions, alpn_protocols } = pool;
  const tls = { tls_ciphers, tls_versions, alpn_protocols };
  return {
    id,
    name,
    protocol,
    algorithm: pool.lb_algorithm,
    persistence: pool.session_persistence,
    monitors: monitors.filter(m => m.pool_id === id).map(monitor),
    members: members.filter(m => m.pool_id === id).map(m => member(m, m)),
    tls: pool.tls_enabled
      ? { ...tls, certificate: pool.tls_container_ref, ca: pool.ca_tls_container_ref, crl: pool.crl_container_ref }
      : null,
  };
}

function monitor(item: HealthMonitor): Monitor {
  const { type, delay, timeout } = item;
  return {
    type,
    delay,
    timeout,
    rise: item.max_retries,
    fall: item.max_retries_down,
    method: item.http_method ?? 'GET',
    path: item.url_path ?? '/',
    codes: item.expected_codes ?? '200',
    version: item.http_version,
    domain: item.domain_name,
  };
}

function member(item: Member | V1Member, more: Partial<Member>): FarmMember {
  return {
    id: item.id,
    name: item.name,
    enabled: item.admin_state_up,
    address: item.address,
    port: item.protocol_port,
    weight: item.weight,
    backup: more.backup ?? false,
    monitorAddress: more.monitor_address ?? null,
    monitorPort: more.monitor_port ?? null,
  };
}

/** Not without its VIP: a pool alone has no process. */
function v1(reader: Reader, pool: V1Pool): Deployment | null {
  const rows = reader.tree(pool.id).sort((a, b) => byAge(a.item, b.item));
  const vip = rows.find(row => row.kind === 'v1vip')?.item as V1Vip | undefined;
  if (vip === undefined || !inForce(vip) || !isThere(pool)) return null;
  const members = rows.flatMap(row => (row.kind === 'v1member' ? [row.item as V1Member] : [])).filter(isThere);
  const monitors = pool.health_monitors
    .map(id => reader.get('v1monitor', id)!)
    .filter(m => m !== undefined && inForce(m));
  const farm: Farm = {
    id: pool.id,
    name: pool.name,
    protocol: pool.protocol,
    algorithm: pool.lb_method,
    persistence: vip.session_persistence,
    monitors: monitors.map(v1Monitor),
    members: members.map(m => member(m, {})),
    tls: null,
  };
  const front: Front = {
    id: vip.id,
    name: vip.name,
    protocol: vip.protocol,
    port: vip.protocol_port,
    connectionLimit: vip.connection_limit,
    allowedCidrs: [],
    insertHeaders: vip.protocol === 'HTTP' ? { 'X-Forwarded-For': 'true' } : {},
    clientMs: 50_000,
    connectMs: 5_000,
    serverMs: 50_000,
    inspectMs: 0,
    tls: null,
    policies: [],
    pool: pool.admin_state_up ? farm : null,
  };
  const title = `VIP ${vip.name}, pool ${pool.name}`;
  return { id: pool.id, title, addresses: [vip.address], fronts: [front], ...NO_FLAVOR };
}

/** In v1 a member that passes one check is up again. */
function v1Monitor({ type, delay, timeout, max_retries, http_method, url_path, expected_codes }: V1Monitor): Monitor {
  return {
    type,
    delay,
    timeout,
    rise: 1,
    fall: max_retries,
    method: http_method,
    path: url_path,
    codes: expected_codes,
    version: null,
    domain: null,
  };
}
