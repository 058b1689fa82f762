/**
 * The resources of the v2 and Octavia APIs: a row each. Limits are those of OpenStack's API reference, "Octavia API v2".
 */
import {
  bool,
  dictionary,
  type Fields,
  fixed,
  id,
  integer,
  list,
  object,
  oneOf,
  oneOfNumbers,
  required,
  text,
} from './field.ts';
import type { Items, Json, Kind } from './items.ts';

export interface Resource<K extends Kind = Kind> {
  readonly kind: K;
  /** In paths, in singular bodies, in lists, in messages. */
  readonly path: string;
  readonly key: string;
  readonly plural: string;
  readonly title: string;
  /** The resource below which its path is, and the field that names it. */
  readonly parent: { readonly path: string; readonly field: string } | null;
  readonly fields: Fields;
}

/** Seconds and milliseconds that OpenStack takes at most. */
const SECONDS_MAX = 2 ** 31 - 1;
const MILLISECONDS_MAX = 365 * 24 * 3600 * 1000;

const COMMON: Fields = {
  name: text(),
  description: text(),
  admin_state_up: bool(true),
  tags: list(text('')),
  project_id: fixed(text(null)),
  /** The older name of `project_id`. */
  tenant_id: fixed(text(null)),
};
const { description: _, ...NAMED } = COMMON;
const { name: __, ...UNNAMED } = NAMED;

const TLS: Fields = {
  tls_ciphers: text(null, { maxLength: 2048, pattern: '^[A-Za-z0-9_:+!@=.-]+$' }),
  tls_versions: list(oneOf(['SSLv3', 'TLSv1', 'TLSv1.1', 'TLSv1.2', 'TLSv1.3'])),
  alpn_protocols: list(oneOf(['h2', 'http/1.0', 'http/1.1'])),
};

const REFERENCE = text(null, { pattern: '^[^\\u0000-\\u0020\\u007f]*$' });

/** A token of RFC 9110: names of headers and cookies. */
const TOKEN = "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$";
const CODES = '^(\\d{3}(\\s*,\\s*\\d{3})*|\\d{3}-\\d{3})$';
const URL_PATH = '^/[^\\u0000-\\u0020\\u007f]*$';
const URL = '^https?://[^\\u0000-\\u0020\\u007f]+$';

export const PERSISTENCE: Fields = {
  type: required(oneOf(['SOURCE_IP', 'HTTP_COOKIE', 'APP_COOKIE'])),
  cookie_name: text(null, { pattern: TOKEN }),
};

function resource<K extends Kind>(
  kind: K,
  names: Omit<Resource, 'kind' | 'fields'>,
  fields: Readonly<Partial<Record<keyof Items[K], Fields[string]>>> & Fields,
): Resource<K> {
  return { kind, ...names, fields };
}

export const LOADBALANCER = resource(
  'loadbalancer',
  { path: 'loadbalancers', key: 'loadbalancer', plural: 'loadbalancers', title: 'Load Balancer', parent: null },
  {
    ...COMMON,
    vip_address: fixed(text(null, { maxLength: 64 })),
    vip_subnet_id: fixed(id()),
    vip_network_id: fixed(id()),
    vip_port_id: fixed(id()),
    vip_qos_policy_id: id(),
    additional_vips: fixed(list(object({ subnet_id: required(id()), ip_address: text(null, { maxLength: 64 }) }))),
    provider: fixed(text(null)),
    flavor_id: fixed(id()),
    availability_zone: fixed(text(null)),
  },
);

export const LISTENER = resource(
  'listener',
  { path: 'listeners', key: 'listener', plural: 'listeners', title: 'Listener', parent: null },
  {
    ...COMMON,
    loadbalancer_id: fixed(required(id())),
    protocol: fixed(required(oneOf(['HTTP', 'HTTPS', 'TCP', 'TERMINATED_HTTPS'], null, ['PROMETHEUS', 'SCTP', 'UDP']))),
    protocol_port: fixed(required(integer(1, 65_535))),
    connection_limit: integer(-1, 2 ** 31 - 1, -1),
    default_pool_id: id(),
    default_tls_container_ref: REFERENCE,
    sni_container_refs: list(REFERENCE),
    insert_headers: dictionary(),
    timeout_client_data: integer(0, MILLISECONDS_MAX, 50_000),
    timeout_member_connect: integer(0, MILLISECONDS_MAX, 5_000),
    timeout_member_data: integer(0, MILLISECONDS_MAX, 50_000),
    timeout_tcp_inspect: integer(0, MILLISECONDS_MAX, 0),
    client_ca_tls_container_ref: REFERENCE,
    client_authentication: oneOf(['NONE', 'OPTIONAL', 'MANDATORY'], 'NONE'),
    client_crl_container_ref: REFERENCE,
    allowed_cidrs: list(text('', { maxLength: 64 }), null),
    ...TLS,
  },
);

export const POOL = resource(
  'pool',
  { path: 'pools', key: 'pool', plural: 'pools', title: 'Pool', parent: null },
  {
    ...COMMON,
    loadbalancer_id: fixed(id()),
    /** The listener whose default pool it becomes. */
    listener_id: fixed(id()),
    protocol: fixed(required(oneOf(['HTTP', 'HTTPS', 'PROXY', 'PROXYV2', 'TCP'], null, ['SCTP', 'UDP']))),
    lb_algorithm: required(oneOf(['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP', 'SOURCE_IP_PORT'])),
    session_persistence: object(PERSISTENCE),
    tls_enabled: bool(false),
    tls_container_ref: REFERENCE,
    ca_tls_container_ref: REFERENCE,
    crl_container_ref: REFERENCE,
    ...TLS,
  },
);

export const MEMBER = resource(
  'member',
  { path: 'members', key: 'member', plural: 'members', title: 'Member', parent: { path: 'pools', field: 'pool_id' } },
  {
    ...NAMED,
    address: fixed(required(text('', { maxLength: 64 }))),
    protocol_port: fixed(required(integer(1, 65_535))),
    weight: integer(0, 256, 1),
    backup: bool(false),
    subnet_id: fixed(id()),
    monitor_address: text(null, { maxLength: 64 }),
    monitor_port: integer(1, 65_535),
  },
);

export const HEALTHMONITOR = resource(
  'healthmonitor',
  { path: 'healthmonitors', key: 'healthmonitor', plural: 'healthmonitors', title: 'Health Monitor', parent: null },
  {
    ...NAMED,
    pool_id: fixed(required(id())),
    type: fixed(required(oneOf(['HTTP', 'HTTPS', 'PING', 'TCP', 'TLS-HELLO'], null, ['SCTP', 'UDP-CONNECT']))),
    delay: required(integer(1, SECONDS_MAX)),
    timeout: required(integer(1, SECONDS_MAX)),
    max_retries: required(integer(1, 10)),
    max_retries_down: integer(1, 10, 3),
    http_method: oneOf(['CONNECT', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT', 'TRACE']),
    url_path: text(null, { pattern: URL_PATH }),
    expected_codes: text(null, { maxLength: 64, pattern: CODES }),
    http_version: oneOfNumbers([1, 1.1]),
    domain_name: text(null, { pattern: '^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$' }),
  },
);

/** Positions begin at 1; a policy without one comes last. */
const POSITION_LAST = 2 ** 31 - 1;

export const L7POLICY = resource(
  'l7policy',
  { path: 'l7policies', key: 'l7policy', plural: 'l7policies', title: 'L7Policy', parent: null },
  {
    ...COMMON,
    listener_id: fixed(required(id())),
    action: required(oneOf(['REDIRECT_PREFIX', 'REDIRECT_TO_POOL', 'REDIRECT_TO_URL', 'REJECT'])),
    redirect_pool_id: id(),
    redirect_url: text(null, { pattern: URL }),
    redirect_prefix: text(null, { pattern: URL }),
    redirect_http_code: oneOfNumbers([301, 302, 303, 307, 308]),
    position: integer(1, POSITION_LAST, POSITION_LAST),
  },
);

export const L7RULE = resource(
  'l7rule',
  {
    path: 'rules',
    key: 'rule',
    plural: 'rules',
    title: 'L7Rule',
    parent: { path: 'l7policies', field: 'l7policy_id' },
  },
  {
    ...UNNAMED,
    type: required(
      oneOf([
        ...['COOKIE', 'FILE_TYPE', 'HEADER', 'HOST_NAME', 'PATH'],
        ...['SSL_CONN_HAS_CERT', 'SSL_VERIFY_RESULT', 'SSL_DN_FIELD'],
      ]),
    ),
    compare_type: required(oneOf(['CONTAINS', 'ENDS_WITH', 'EQUAL_TO', 'REGEX', 'STARTS_WITH'])),
    key: text(null, { pattern: TOKEN }),
    value: required(text('')),
    invert: bool(false),
  },
);

export const FLAVOR = resource(
  'flavor',
  { path: 'flavors', key: 'flavor', plural: 'flavors', title: 'Flavor', parent: null },
  { name: required(text()), description: text(), flavor_profile_id: fixed(required(id())), enabled: bool(true) },
);

export const FLAVORPROFILE = resource(
  'flavorprofile',
  { path: 'flavorprofiles', key: 'flavorprofile', plural: 'flavorprofiles', title: 'Flavor Profile', parent: null },
  { name: required(text()), provider_name: required(text()), flavor_data: required(text('', { maxLength: 4096 })) },
);

/** In the order in which they depend on each other. */
export const RESOURCES = [LOADBALANCER, LISTENER, POOL, MEMBER, HEALTHMONITOR, L7POLICY, L7RULE] as const;

/** What a quota limits: its name in a quota, and what it counts. */
export const QUOTAS: Readonly<Record<string, Kind>> = {
  load_balancer: 'loadbalancer',
  listener: 'listener',
  pool: 'pool',
  member: 'member',
  health_monitor: 'healthmonitor',
  l7policy: 'l7policy',
  l7rule: 'l7rule',
};
const quota = integer(-1, 2 ** 31 - 1, -1);
/** Names with and without the underscore: both have been in use. */
export const QUOTA_FIELDS: Fields = {
  ...Object.fromEntries(Object.keys(QUOTAS).map(name => [name, quota])),
  loadbalancer: quota,
  healthmonitor: quota,
};

/** The values of an item that nobody gave. */
export function fallbacks(fields: Fields): Record<string, Json> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, f]) => (f.fallback === undefined ? [] : [[name, f.fallback]])),
  );
}
