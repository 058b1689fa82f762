/**
 * What is stored: flat items, as the APIs show them but for what follows from others (lists of children, operating
 * states). An item belongs to the tree of one process: that of a load balancer, or of a pool of the v1 API.
 */

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

/** Where an item is on its way between the API and the process: those that are pending are not yet, or still, in force. */
export type Provisioning = 'PENDING_CREATE' | 'PENDING_UPDATE' | 'PENDING_DELETE' | 'ACTIVE' | 'ERROR';

/** What every item has. A type, not an interface: it then is a `Json` object. */
export type Common = {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly description: string;
  readonly admin_state_up: boolean;
  readonly tags: readonly string[];
  readonly provisioning_status: Provisioning;
  /** Why it is in error, or works only in part; '' = nothing to say. */
  readonly status_description: string;
  /** ISO 8601 without zone, as OpenStack writes it. */
  readonly created_at: string;
  readonly updated_at: string | null;
  /** Id of the tree; '' = of none. */
  readonly root: string;
};

export type Tls = {
  readonly tls_ciphers: string | null;
  readonly tls_versions: readonly string[];
  readonly alpn_protocols: readonly string[];
};

export type LoadBalancer = Common & {
  readonly vip_address: string;
  readonly vip_subnet_id: string;
  readonly vip_network_id: string;
  readonly vip_port_id: string;
  readonly vip_qos_policy_id: string | null;
  readonly additional_vips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
  readonly provider: string;
  readonly flavor_id: string | null;
  readonly availability_zone: string | null;
};

export type ListenerProtocol = 'HTTP' | 'HTTPS' | 'TCP' | 'TERMINATED_HTTPS';

export type Listener = Common &
  Tls & {
    readonly loadbalancer_id: string;
    readonly protocol: ListenerProtocol;
    readonly protocol_port: number;
    /** -1 = unlimited. */
    readonly connection_limit: number;
    readonly default_pool_id: string | null;
    readonly default_tls_container_ref: string | null;
    readonly sni_container_refs: readonly string[];
    readonly insert_headers: { readonly [header: string]: string };
    /** Milliseconds. */
    readonly timeout_client_data: number;
    readonly timeout_member_connect: number;
    readonly timeout_member_data: number;
    readonly timeout_tcp_inspect: number;
    readonly client_ca_tls_container_ref: string | null;
    readonly client_authentication: 'NONE' | 'OPTIONAL' | 'MANDATORY';
    readonly client_crl_container_ref: string | null;
    readonly allowed_cidrs: readonly string[] | null;
  };

export type Algorithm = 'ROUND_ROBIN' | 'LEAST_CONNECTIONS' | 'SOURCE_IP' | 'SOURCE_IP_PORT';

export type Persistence = {
  readonly type: 'SOURCE_IP' | 'HTTP_COOKIE' | 'APP_COOKIE';
  readonly cookie_name?: string | null;
};

export type Pool = Common &
  Tls & {
    readonly loadbalancer_id: string;
    readonly protocol: 'HTTP' | 'HTTPS' | 'PROXY' | 'PROXYV2' | 'TCP';
    readonly lb_algorithm: Algorithm;
    readonly session_persistence: Persistence | null;
    readonly tls_enabled: boolean;
    readonly tls_container_ref: string | null;
    readonly ca_tls_container_ref: string | null;
    readonly crl_container_ref: string | null;
  };

export type Member = Common & {
  readonly pool_id: string;
  readonly address: string;
  readonly protocol_port: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly subnet_id: string | null;
  readonly monitor_address: string | null;
  readonly monitor_port: number | null;
};

export type MonitorType = 'HTTP' | 'HTTPS' | 'PING' | 'TCP' | 'TLS-HELLO';

export type HealthMonitor = Common & {
  readonly pool_id: string;
  readonly type: MonitorType;
  /** Seconds. */
  readonly delay: number;
  readonly timeout: number;
  readonly max_retries: number;
  readonly max_retries_down: number;
  readonly http_method: string | null;
  readonly url_path: string | null;
  readonly expected_codes: string | null;
  readonly http_version: number | null;
  readonly domain_name: string | null;
};

export type L7Policy = Common & {
  readonly listener_id: string;
  readonly action: 'REDIRECT_PREFIX' | 'REDIRECT_TO_POOL' | 'REDIRECT_TO_URL' | 'REJECT';
  readonly redirect_pool_id: string | null;
  readonly redirect_url: string | null;
  readonly redirect_prefix: string | null;
  readonly redirect_http_code: number | null;
  readonly position: number;
};

export type L7Rule = Common & {
  readonly l7policy_id: string;
  readonly type:
    | 'COOKIE'
    | 'FILE_TYPE'
    | 'HEADER'
    | 'HOST_NAME'
    | 'PATH'
    | 'SSL_CONN_HAS_CERT'
    | 'SSL_VERIFY_RESULT'
    | 'SSL_DN_FIELD';
  readonly compare_type: 'CONTAINS' | 'ENDS_WITH' | 'EQUAL_TO' | 'REGEX' | 'STARTS_WITH';
  readonly key: string | null;
  readonly value: string;
  readonly invert: boolean;
};

/** Limits of a project; -1 = none. Its id is the project's. */
export type Quota = Common & { readonly [resource: string]: Json };

export type Flavor = Common & { readonly flavor_profile_id: string; readonly enabled: boolean };
export type FlavorProfile = Common & { readonly provider_name: string; readonly flavor_data: string };

export type V1Pool = Common & {
  readonly subnet_id: string;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP';
  readonly lb_method: 'LEAST_CONNECTIONS' | 'ROUND_ROBIN' | 'SOURCE_IP';
  readonly provider: string;
  /** Ids, in the order in which they were associated. */
  readonly health_monitors: readonly string[];
};

export type V1Member = Common & {
  readonly pool_id: string;
  readonly address: string;
  readonly protocol_port: number;
  readonly weight: number;
};

export type V1Monitor = Common & {
  readonly type: 'HTTP' | 'HTTPS' | 'PING' | 'TCP';
  readonly delay: number;
  readonly timeout: number;
  readonly max_retries: number;
  readonly http_method: string;
  readonly url_path: string;
  readonly expected_codes: string;
};

export type V1Vip = Common & {
  readonly subnet_id: string;
  readonly address: string;
  readonly port_id: string;
  readonly protocol_port: number;
  readonly protocol: 'HTTP' | 'HTTPS' | 'TCP';
  readonly pool_id: string;
  readonly session_persistence: Persistence | null;
  readonly connection_limit: number;
};

export interface Items {
  readonly loadbalancer: LoadBalancer;
  readonly listener: Listener;
  readonly pool: Pool;
  readonly member: Member;
  readonly healthmonitor: HealthMonitor;
  readonly l7policy: L7Policy;
  readonly l7rule: L7Rule;
  readonly quota: Quota;
  readonly flavor: Flavor;
  readonly flavorprofile: FlavorProfile;
  readonly v1pool: V1Pool;
  readonly v1member: V1Member;
  readonly v1monitor: V1Monitor;
  readonly v1vip: V1Vip;
}

export type Kind = keyof Items;

/** An item of the store: revised whenever it changes. */
export interface Row<K extends Kind = Kind> {
  readonly kind: K;
  readonly item: Items[K];
  /** Of the change that wrote it. */
  readonly revision: number;
}
