/** What the schema of one resource cannot say: a row per kind, called with the item as it would become. */
import { parseIp } from '../io/address.ts';
import { badRequest, conflict, invalid, notFound } from './errors.ts';
import type { HealthMonitor, Items, L7Policy, L7Rule, Listener, LoadBalancer, Member, Pool } from './items.ts';
import { contains, parseCidr } from './networks.ts';
import { type Draft, inTree } from './store.ts';

type Check<T> = (draft: Draft, item: T) => void;

/** Kinds that the rules are about. */
export type Checked = 'loadbalancer' | 'listener' | 'pool' | 'member' | 'healthmonitor' | 'l7policy' | 'l7rule';

/** Protocols of pools that a listener can send to. */
const SUITS: Readonly<Record<Listener['protocol'], readonly Pool['protocol'][]>> = {
  TCP: ['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  HTTP: ['HTTP', 'PROXY', 'PROXYV2'],
  HTTPS: ['HTTPS', 'PROXY', 'PROXYV2', 'TCP'],
  TERMINATED_HTTPS: ['HTTP', 'PROXY', 'PROXYV2'],
};

/** Headers that a listener can insert, and what values they take. */
export const INSERTABLE: Readonly<Record<string, RegExp>> = Object.fromEntries(
  [
    ...['X-Forwarded-For', 'X-Forwarded-Port', 'X-Forwarded-Proto', 'X-SSL-Client-Verify', 'X-SSL-Client-Has-Cert'],
    ...['X-SSL-Client-DN', 'X-SSL-Client-CN', 'X-SSL-Issuer', 'X-SSL-Client-SHA1'],
    ...['X-SSL-Client-Not-Before', 'X-SSL-Client-Not-After'],
  ].map(name => [name, /^(true|false)$/i]),
);

/** An item of the same tree: what references name. */
function sibling<K extends 'pool' | 'listener'>(draft: Draft, kind: K, id: string, root: string): Items[K] {
  const item = draft.get(kind, id);
  const title = kind === 'pool' ? 'Pool' : 'Listener';
  if (item === undefined || item.provisioning_status === 'PENDING_DELETE') throw notFound(title, id);
  if (item.root !== root) throw badRequest(`${title} ${id} belongs to another load balancer.`);
  return item;
}

export function assertSuits(listener: Listener, pool: Pool): void {
  if (SUITS[listener.protocol].includes(pool.protocol)) return;
  throw invalid(
    `The pool protocol '${pool.protocol}' is invalid while the listener protocol is '${listener.protocol}'.`,
  );
}

export function assertIp(field: string, value: string | null): void {
  if (value === null || (parseIp(value, 0) !== null && !value.includes('%'))) return;
  throw badRequest(
    `Invalid input for field/attribute ${field}. Value: '${value}'. Value should be IPv4 or IPv6 format`,
  );
}

function loadbalancer(_draft: Draft, lb: LoadBalancer): void {
  assertIp('vip_address', lb.vip_address);
  for (const { ip_address } of lb.additional_vips) assertIp('additional_vips', ip_address);
}

function listener(draft: Draft, item: Listener): void {
  const same = inTree(draft, item.root, 'listener').find(
    other => other.id !== item.id && other.protocol_port === item.protocol_port,
  );
  if (same !== undefined) {
    const { protocol, protocol_port } = item;
    throw conflict(
      `Another Listener on this Load Balancer is already using protocol ${protocol} and protocol_port ${protocol_port}`,
    );
  }
  if (item.default_pool_id !== null) assertSuits(item, sibling(draft, 'pool', item.default_pool_id, item.root));
  if (item.connection_limit === 0) throw invalid('connection_limit must be -1 (unlimited) or a positive number');
  listenerTls(item);
  const http = item.protocol === 'HTTP' || item.protocol === 'TERMINATED_HTTPS';
  for (const [name, value] of Object.entries(item.insert_headers)) {
    if (!http) throw invalid(`insert_headers is not allowed with protocol ${item.protocol}`);
    if (INSERTABLE[name] === undefined) throw invalid(`insert_headers: ${name} is not a valid option`);
    if (!INSERTABLE[name].test(value)) throw invalid(`insert_headers: ${value} is not a valid value for ${name}`);
    if (name.startsWith('X-SSL') && item.protocol !== 'TERMINATED_HTTPS') {
      throw invalid(`insert_headers: ${name} needs protocol TERMINATED_HTTPS`);
    }
  }
  allowedCidrs(draft, item);
}

function listenerTls(item: Listener): void {
  const certificates = [item.default_tls_container_ref, ...item.sni_container_refs].filter(ref => ref !== null);
  if (item.protocol === 'TERMINATED_HTTPS') {
    if (certificates.length === 0)
      throw invalid('An SNI or default container reference must be provided with TERMINATED_HTTPS');
  } else if (certificates.length > 0 || item.client_ca_tls_container_ref !== null) {
    throw invalid(`Certificate references are not allowed with protocol ${item.protocol}`);
  }
  if (item.client_authentication !== 'NONE' && item.client_ca_tls_container_ref === null) {
    throw invalid(`client_ca_tls_container_ref is required with client_authentication ${item.client_authentication}`);
  }
  if (item.client_crl_container_ref !== null && item.client_ca_tls_container_ref === null) {
    throw invalid('client_crl_container_ref needs a client_ca_tls_container_ref');
  }
}

function allowedCidrs(draft: Draft, item: Listener): void {
  for (const cidr of item.allowed_cidrs ?? []) {
    const range = parseCidr(cidr);
    if (range === null) {
      throw badRequest(
        `Invalid input for field/attribute allowed_cidrs. Value: '${cidr}'. Value should be IPv4 or IPv6 CIDR format`,
      );
    }
    const lb = draft.get('loadbalancer', item.loadbalancer_id)!;
    const vips = [lb.vip_address, ...lb.additional_vips.map(vip => vip.ip_address)];
    if (!vips.some(vip => contains({ base: range.base, prefix: 0 }, vip))) {
      throw invalid(`allowed_cidrs: ${cidr} is of another IP version than the VIP`);
    }
  }
}

function pool(draft: Draft, item: Pool): void {
  const { session_persistence: persistence, protocol } = item;
  if (persistence !== null) {
    const cookie = persistence.cookie_name ?? null;
    if (persistence.type === 'APP_COOKIE' && cookie === null) {
      throw invalid('session_persistence: a cookie_name is required with APP_COOKIE');
    }
    if (persistence.type !== 'APP_COOKIE' && cookie !== null) {
      throw invalid(`session_persistence: cookie_name is not allowed with ${persistence.type}`);
    }
    if (persistence.type !== 'SOURCE_IP' && protocol !== 'HTTP') {
      throw invalid(`session_persistence: ${persistence.type} is not allowed with protocol ${protocol}`);
    }
  }
  for (const other of inTree(draft, item.root, 'listener'))
    if (other.default_pool_id === item.id) assertSuits(other, item);
}

function member(draft: Draft, item: Member): void {
  assertIp('address', item.address);
  assertIp('monitor_address', item.monitor_address);
  const { address, protocol_port, pool_id } = item;
  const same = inTree(draft, item.root, 'member').some(
    other =>
      other.id !== item.id &&
      other.pool_id === pool_id &&
      other.address === address &&
      other.protocol_port === protocol_port,
  );
  if (same) {
    throw conflict(`Another member on this pool is already using ip ${address} on protocol_port ${protocol_port}`);
  }
}

function healthmonitor(draft: Draft, item: HealthMonitor): void {
  sibling(draft, 'pool', item.pool_id, item.root);
  if (inTree(draft, item.root, 'healthmonitor').some(other => other.id !== item.id && other.pool_id === item.pool_id)) {
    throw conflict('This pool already has a health monitor');
  }
  if (item.delay < item.timeout) throw invalid('delay must be greater than or equal to timeout');
  if (item.type === 'HTTP' || item.type === 'HTTPS') {
    if (item.domain_name !== null && item.http_version !== 1.1) {
      throw invalid('http_version 1.1 is required with domain_name');
    }
    return;
  }
  for (const field of ['http_method', 'url_path', 'expected_codes', 'http_version', 'domain_name'] as const) {
    if (item[field] !== null) throw invalid(`${field} is not allowed with type ${item.type}`);
  }
}

/** Which field each action of a policy needs; it takes no other of them. */
const TARGETS = {
  REDIRECT_TO_POOL: 'redirect_pool_id',
  REDIRECT_TO_URL: 'redirect_url',
  REDIRECT_PREFIX: 'redirect_prefix',
  REJECT: null,
} as const;

/** An item with what a change says. What only its former action or type needed, it has no longer. */
export function changed<K extends Checked>(kind: K, before: Items[K], given: Partial<Items[K]>): Items[K] {
  const special = CHANGED[kind];
  return special === undefined ? { ...before, ...given } : special(before, given);
}

function changedPolicy(before: L7Policy, given: Partial<L7Policy>): L7Policy {
  const action = given.action ?? before.action;
  if (action === before.action) return { ...before, ...given };
  const [now, was] = [TARGETS[action], TARGETS[before.action]];
  const redirects = now === 'redirect_url' || now === 'redirect_prefix';
  return {
    ...before,
    ...(was === null || was === now ? {} : { [was]: null }),
    ...(redirects ? {} : { redirect_http_code: null }),
    ...given,
  };
}

function l7policy(draft: Draft, item: L7Policy): void {
  const on = sibling(draft, 'listener', item.listener_id, item.root);
  if (on.protocol !== 'HTTP' && on.protocol !== 'TERMINATED_HTTPS') {
    throw invalid(`L7 policies are not allowed on a listener of protocol ${on.protocol}`);
  }
  const needed = TARGETS[item.action];
  for (const field of Object.values(TARGETS)) {
    if (field === null) continue;
    if (field === needed && item[field] === null) throw invalid(`${field} is required with action ${item.action}`);
    if (field !== needed && item[field] !== null) throw invalid(`${field} is not allowed with action ${item.action}`);
  }
  if (item.redirect_http_code !== null && needed !== 'redirect_url' && needed !== 'redirect_prefix') {
    throw invalid(`redirect_http_code is not allowed with action ${item.action}`);
  }
  if (item.redirect_pool_id !== null) assertSuits(on, sibling(draft, 'pool', item.redirect_pool_id, item.root));
}

/** Types of rules that look at something that has a name. */
const KEYED: readonly L7Rule['type'][] = ['COOKIE', 'HEADER', 'SSL_DN_FIELD'];

function changedRule(before: L7Rule, given: Partial<L7Rule>): L7Rule {
  const keyed = KEYED.includes(given.type ?? before.type);
  return { ...before, ...(keyed ? {} : { key: null }), ...given };
}

const CHANGED: { readonly [K in Checked]?: (before: Items[K], given: Partial<Items[K]>) => Items[K] } = {
  l7policy: changedPolicy,
  l7rule: changedRule,
};

function l7rule(_draft: Draft, item: L7Rule): void {
  const { type, compare_type, key, value } = item;
  const keyed = KEYED.includes(type);
  if (keyed && key === null) throw invalid(`key is required with type ${type}`);
  if (!keyed && key !== null) throw invalid(`key is not allowed with type ${type}`);
  if (value === '') throw invalid('value must not be empty');
  if (type === 'FILE_TYPE' && compare_type !== 'EQUAL_TO' && compare_type !== 'REGEX') {
    throw invalid(`compare_type ${compare_type} is not allowed with type FILE_TYPE: EQUAL_TO and REGEX are`);
  }
  if ((type === 'SSL_CONN_HAS_CERT' || type === 'SSL_VERIFY_RESULT') && compare_type !== 'EQUAL_TO') {
    throw invalid(`compare_type ${compare_type} is not allowed with type ${type}: EQUAL_TO is`);
  }
  if (type === 'SSL_CONN_HAS_CERT' && !/^true$/i.test(value))
    throw invalid('value must be True with type SSL_CONN_HAS_CERT');
  if (type === 'SSL_VERIFY_RESULT' && !/^\d{1,5}$/.test(value)) {
    throw invalid('value must be a number with type SSL_VERIFY_RESULT');
  }
  if (compare_type === 'REGEX') {
    try {
      new RegExp(value);
    } catch (error) {
      throw invalid(`value is not a regular expression: ${(error as Error).message}`);
    }
  }
}

const CHECKS: { readonly [K in Checked]: Check<Items[K]> } = {
  loadbalancer,
  listener,
  pool,
  member,
  healthmonitor,
  l7policy,
  l7rule,
};

/** @throws Refusal when the item cannot stand beside the others of the draft */
export function check<K extends Checked>(draft: Draft, kind: K, item: Items[K]): void {
  CHECKS[kind](draft, item);
}
