/** The resources of the v1 API: a row each, with the fields that neutron-lbaas had before v1 went. */
import { bool, fixed, id, integer, object, oneOf, required, text } from './field.ts';
import { PERSISTENCE, type Resource } from './resources.ts';

const COMMON = { admin_state_up: bool(true), tenant_id: fixed(text(null)), project_id: fixed(text(null)) };
const NAMED = { ...COMMON, name: text(), description: text(), subnet_id: fixed(required(id())) };
const PROTOCOL = fixed(required(oneOf(['TCP', 'HTTP', 'HTTPS'])));
const SECONDS_MAX = 2 ** 31 - 1;

const V1_POOL = {
  kind: 'v1pool',
  path: 'pools',
  key: 'pool',
  plural: 'pools',
  title: 'Pool',
  parent: null,
  fields: {
    ...NAMED,
    protocol: PROTOCOL,
    lb_method: required(oneOf(['ROUND_ROBIN', 'LEAST_CONNECTIONS', 'SOURCE_IP'])),
    provider: fixed(text(null)),
  },
} as const satisfies Resource;

const V1_MEMBER = {
  kind: 'v1member',
  path: 'members',
  key: 'member',
  plural: 'members',
  title: 'Member',
  parent: null,
  fields: {
    ...COMMON,
    pool_id: required(id()),
    address: fixed(required(text('', { maxLength: 64 }))),
    protocol_port: fixed(required(integer(0, 65_535))),
    weight: integer(0, 256, 1),
  },
} as const satisfies Resource;

const V1_MONITOR = {
  kind: 'v1monitor',
  path: 'health_monitors',
  key: 'health_monitor',
  plural: 'health_monitors',
  title: 'Health Monitor',
  parent: null,
  fields: {
    ...COMMON,
    type: fixed(required(oneOf(['PING', 'TCP', 'HTTP', 'HTTPS']))),
    delay: required(integer(1, SECONDS_MAX)),
    timeout: required(integer(1, SECONDS_MAX)),
    max_retries: required(integer(1, 10)),
    http_method: oneOf(['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'CONNECT', 'PATCH'], 'GET'),
    url_path: text('/', { pattern: '^/[^\\u0000-\\u0020\\u007f]*$' }),
    expected_codes: text('200', { pattern: '^(\\d{3}(\\s*,\\s*\\d{3})*)$|^(\\d{3}-\\d{3})$' }),
  },
} as const satisfies Resource;

const V1_VIP = {
  kind: 'v1vip',
  path: 'vips',
  key: 'vip',
  plural: 'vips',
  title: 'Vip',
  parent: null,
  fields: {
    ...NAMED,
    address: fixed(text(null, { maxLength: 64 })),
    protocol_port: fixed(required(integer(1, 65_535))),
    protocol: PROTOCOL,
    pool_id: required(id()),
    session_persistence: object(PERSISTENCE),
    connection_limit: integer(-1, 2 ** 31 - 1, -1),
  },
} as const satisfies Resource;

export const V1_RESOURCES = [V1_POOL, V1_MEMBER, V1_MONITOR, V1_VIP] as const;
