/** A frontend, backend or listen, as it stands in the model (model.ts). */
import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { TrafficStep } from '../log/steps.ts';
import type { RuleSetName } from '../rules/rule-sets.ts';
import type { Acl } from '../sample/acl.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Call, Expression } from '../sample/expression.ts';
import type { Check } from './check-model.ts';
import type { Compression, FilterOrder, FilterSpec } from './filter-spec.ts';
import type { LogTarget } from './log-model.ts';
import type { Bind, ErrorPage, Place } from './model.ts';
import type { Server, Setting, Source } from './server-model.ts';
import type { StickRule } from './stick-model.ts';

/** `log`: a backend whose servers take log lines. */
export type Mode = 'tcp' | 'http' | 'log';

interface DefaultServer {
  readonly name: string;
  readonly settings: readonly Setting[];
}

export interface Proxy extends Place {
  readonly index: number;
  /** `spare`: a place for a backend to come (`add backend`); `removed`: `del backend` took it away. Neither is anything. */
  readonly kind: 'frontend' | 'backend' | 'listen' | 'spare' | 'removed';
  readonly name: string;
  /** The numeric `id` (`iid` in statistics): given, or 1, 2, ... filling the gaps as HAProxy does. */
  readonly id: number;
  /** The configuration gives it. */
  readonly forcedId: boolean;
  readonly guid: string | null;
  readonly description: string | null;
  readonly disabled: boolean;
  readonly mode: Mode;

  // --- what a frontend (or listen) has ---
  readonly binds: readonly Bind[];
  /** Concurrent connections of the frontend; 0 = the process's. */
  readonly maxconn: number;
  readonly backlog: number;
  /** `max-session-srv-conns`: idle server connections that a client's session may keep for itself. */
  readonly maxSessionServerConns: number;
  /** `rate-limit sessions`, per second; 0 = none. */
  readonly rateLimitSessions: number;
  /** Index of the proxy that takes what no rule sends elsewhere; its own index for a listen; -1 = none (503). */
  readonly defaultBackend: number;
  readonly useBackend: readonly UseBackend[];
  readonly monitorUri: string | null;
  /** `monitor fail`: any that holds makes the monitor's answer 503. */
  readonly monitorFail: readonly ConditionData[];
  /** Who is told by mail when servers change their states; null = nobody. */
  readonly emailAlert: EmailAlert | null;
  /** `persist rdp-cookie`: name of the cookie; null = no. */
  readonly persistRdpCookie: string | null;
  /** `be-unpublished`: at the start, switching rules pass it over. */
  readonly unpublished: boolean;
  /** `force-be-switch`: when one of them holds, they do not. */
  readonly forceSwitch: readonly ConditionData[];
  /** `max-keep-alive-queue`; -1 = no limit. */
  readonly maxKeepAliveQueue: number;
  /** Slots of what rules and `capture` lines keep for the logs. */
  readonly requestCaptures: readonly Capture[];
  readonly responseCaptures: readonly Capture[];
  readonly cookieCapture: CookieCapture | null;
  /** Name of the header that carries the unique id, in lower case; null = none. */
  readonly uniqueIdHeader: string | null;

  // --- what a backend (or listen) has ---
  readonly servers: readonly Server[];
  /** What `default-server` lines say, that without a name ('') among them; servers to come may begin with it. */
  readonly defaultServers: readonly DefaultServer[];
  /** How many it may have: those of the configuration, and those that `add server` may add. */
  readonly serverSlots: number;
  readonly balance: Balance;
  readonly hash: HashType;
  /** Sessions at which dynamic limits reach `maxconn`; 0 = 10 % of the frontends' sum, as HAProxy computes. */
  readonly fullconn: number;
  readonly retries: number;
  /** `option redispatch N`: 0 = off, -1 = on the last retry, n = every n-th retry. */
  readonly redispatch: number;
  /** `retry-on`: after which failures a request is sent again. */
  readonly retryOn: readonly RetryCondition[];
  readonly httpReuse: 'never' | 'safe' | 'aggressive' | 'always';
  readonly check: Check;
  readonly cookie: Cookie | null;
  /** `http-send-name-header`: the header that tells a server its name, in lower case; null = none. */
  readonly sendNameHeader: string | null;
  readonly dynamicCookieKey: string | null;
  readonly source: Source | null;
  readonly useServer: readonly UseServer[];
  /** `force-persist` and `ignore-persist`; the first whose condition holds. */
  readonly persistRules: readonly PersistRule[];
  readonly stickRules: readonly StickRule[];

  // --- both ---
  /** Its `stick-table`: index in `model.tables`; -1 = none. */
  readonly table: number;
  /** Named, predefined and anonymous ones: conditions refer to them by index. */
  readonly acls: readonly Acl[];
  readonly rules: Readonly<Record<RuleSetName, readonly Rule[]>>;
  /** How long tcp-request and tcp-response content rules may wait for bytes; 0 = not at all. */
  readonly inspectDelayMs: number;
  readonly serverInspectDelayMs: number;
  readonly uniqueIdFormat: Format | null;
  /** `compression`; null = none. */
  readonly compression: Compression | null;
  /** `filter` lines, and `filter-sequence`. */
  readonly filters: readonly FilterSpec[];
  readonly filterOrder: FilterOrder;
  readonly timeouts: Timeouts;
  readonly clientKeepAlive: KeepAlive;
  readonly serverKeepAlive: KeepAlive;
  readonly options: Options;
  readonly forwardFor: ForwardHeader | null;
  readonly originalTo: ForwardHeader | null;
  readonly forwarded: Forwarded | null;
  readonly errorPages: readonly ErrorPage[];
  readonly stats: StatsPage | null;
  readonly logs: readonly LogTarget[];
  /** `option httplog` and its kin; null = none. */
  readonly logStyle: 'http' | 'http-clf' | 'https' | 'tcp' | 'tcp-clf' | null;
  /** `log-format`, which goes before `logStyle`; null = none. */
  readonly logFormat: Format | null;
  readonly errorLogFormat: Format | null;
  readonly logFormatSd: Format | null;
  /** `log-steps`: a line at each of these; null = one line, when its values are known. */
  readonly logSteps: readonly TrafficStep[] | null;
  /** Program name in log lines; null = that of the global section. */
  readonly logTag: string | null;
}

/** Settings of TCP keep-alive probes; 0 = the system's. Used where `clitcpka` or `srvtcpka` is on. */
export interface KeepAlive {
  readonly idleSeconds: number;
  readonly intervalSeconds: number;
  readonly count: number;
}

/** All in milliseconds; 0 = none (infinite). Values already inherited from `defaults`. */
export interface Timeouts {
  readonly clientMs: number;
  readonly serverMs: number;
  readonly connectMs: number;
  readonly clientFinMs: number;
  readonly clientHsMs: number;
  readonly serverFinMs: number;
  readonly tunnelMs: number;
  readonly httpRequestMs: number;
  readonly httpKeepAliveMs: number;
  readonly queueMs: number;
  readonly tarpitMs: number;
  readonly checkMs: number;
}

/** Beside the names: a status of the response. */
export type RetryCondition =
  | 'conn-failure'
  | 'empty-response'
  | 'junk-response'
  | 'response-timeout'
  | '0rtt-rejected'
  | number;

/** On/off options, by HAProxy's names in camel case. */
export interface Options {
  /** null: not said. Then HTTP backends have it, and handshakes of TLS listeners; nothing else does. */
  readonly abortonclose: boolean | null;
  readonly allbackups: boolean;
  readonly clitcpka: boolean;
  readonly srvtcpka: boolean;
  readonly dontlognull: boolean;
  readonly dontlogNormal: boolean;
  readonly logasap: boolean;
  readonly logSeparateErrors: boolean;
  readonly logHealthChecks: boolean;
  readonly contstats: boolean;
  readonly socketStats: boolean;
  readonly nolinger: boolean;
  readonly httpIgnoreProbes: boolean;
  readonly httpUseProxyHeader: boolean;
  readonly httpPretendKeepalive: boolean;
  readonly adjustsClientCase: boolean;
  readonly adjustsServerCase: boolean;
  readonly preferLastServer: boolean;
  readonly idleCloseOnResponse: boolean;
  readonly dropRequestTrailers: boolean;
  readonly dropResponseTrailers: boolean;
  /** `option accept-unsafe-violations-in-http-request/response` and their older names. */
  readonly acceptInvalidRequest: boolean;
  readonly acceptInvalidResponse: boolean;
  readonly restrictReqHdrNames: 'preserve' | 'delete' | 'reject';
  readonly persist: boolean;
  /** Null = automatic: in HTTP mode, and where `tcp-request content` waits for what the client sends. */
  readonly tcpSmartAccept: boolean | null;
  readonly tcpSmartConnect: boolean;
  readonly independentStreams: boolean;
  readonly checkcache: boolean;
  readonly httpBufferRequest: boolean;
  readonly http: 'keep-alive' | 'server-close' | 'close';
}

/** `proxy-v2-options`. */
export type ProxyOption =
  | 'ssl'
  | 'cert-cn'
  | 'ssl-cipher'
  | 'cert-sig'
  | 'cert-key'
  | 'authority'
  | 'crc32c'
  | 'unique-id';

export interface Mailer {
  readonly name: string;
  readonly address: Address;
}

/** `email-alert`, with its `mailers` section. */
export interface EmailAlert {
  readonly from: string;
  readonly to: string;
  /** Changes of this syslog level, or of a graver (lower) one. */
  readonly level: number;
  /** '' = that of the machine. */
  readonly myhostname: string;
  /** How long a mail may take. */
  readonly timeoutMs: number;
  readonly mailers: readonly Mailer[];
}

export type BalanceAlgorithm =
  | 'roundrobin'
  | 'static-rr'
  | 'leastconn'
  | 'first'
  | 'source'
  | 'uri'
  | 'url_param'
  | 'hdr'
  | 'rdp-cookie'
  | 'random'
  | 'hash'
  | 'log-hash'
  | 'sticky';

export interface Balance {
  readonly algorithm: BalanceAlgorithm;
  /** The header, parameter or cookie the algorithm looks at; '' for the others. */
  readonly name: string;
  /** hash: whose value is hashed; null for the others. */
  readonly expression: Expression | null;
  /** log-hash: what is done to a line before it is hashed. */
  readonly converters: readonly Call[];
  /** uri: bytes to hash at most (0 = all), and directory depth (0 = all). */
  readonly lenBytes: number;
  readonly depth: number;
  readonly whole: boolean;
  readonly pathOnly: boolean;
  /** hdr(host): `use_domain_only`. */
  readonly domainOnly: boolean;
  /** url_param: look into a POST body, waiting for this many bytes; 0 = not. */
  readonly checkPostBytes: number;
  /** random: how many servers to draw. */
  readonly draws: number;
}

export interface HashType {
  readonly method: 'map-based' | 'consistent';
  readonly fn: 'sdbm' | 'djb2' | 'wt6' | 'crc32' | 'none';
  readonly avalanche: boolean;
  /** `hash-balance-factor` in percent; 0 = off. */
  readonly balanceFactor: number;
  /** `hash-preserve-affinity`: until when a hash leads to the same server. */
  readonly affinity: 'always' | 'maxconn' | 'maxqueue';
}

export interface Cookie {
  readonly name: string;
  /** passive: the cookie is the server's own, and looked at only. */
  readonly mode: 'passive' | 'rewrite' | 'insert' | 'prefix';
  readonly indirect: boolean;
  readonly nocache: boolean;
  readonly postonly: boolean;
  readonly preserve: boolean;
  readonly httponly: boolean;
  readonly secure: boolean;
  readonly domains: readonly string[];
  readonly attrs: readonly string[];
  /** Inserted cookies are ignored after so many seconds without a visit, or since the first one; 0 = never. */
  readonly maxidleS: number;
  readonly maxlifeS: number;
  /** Servers without a value on their line have one made of their address. */
  readonly dynamic: boolean;
}

/** `option forwarded`: the parameters of the Forwarded header (RFC 7239), and what they say; null = it is left out. */
export interface Forwarded {
  readonly proto: boolean;
  readonly host: Expression | null;
  readonly by: Expression | null;
  readonly byPort: Expression | null;
  readonly for: Expression | null;
  readonly forPort: Expression | null;
}

export interface ForwardHeader {
  /** In lower case, as all header names that leave. */
  readonly header: string;
  /** Clients in one of these networks get no header. */
  readonly except: readonly { readonly address: Address; readonly prefixBits: number }[];
  readonly ifNone: boolean;
}

export interface UseBackend extends Place {
  /** -1 = the name is made of the traffic: see `dynamic`. */
  readonly backend: number;
  /** The name as a log-format text; null = it is `backend`. */
  readonly dynamic: Format | null;
  /** null = unconditional. */
  readonly condition: ConditionData | null;
}

export interface UseServer extends Place {
  /** Index in `proxy.servers`; -1 = the name is made of the traffic: see `dynamic`. */
  readonly server: number;
  readonly dynamic: Format | null;
  readonly condition: ConditionData | null;
}

interface PersistRule extends Place {
  /** Servers that are down are used too; false = the cookie is ignored. */
  readonly force: boolean;
  readonly condition: ConditionData;
}

/** One rule: an action and when to carry it out (engine/rules/). */
export interface Rule extends Place {
  /** Name of a row of the action table. */
  readonly action: string;
  /** What the row's `read` made of the words: plain data that its `compile` understands. */
  readonly args: unknown;
  /** null = always. */
  readonly condition: ConditionData | null;
}

export interface Capture {
  /** The header that fills it, in lower case; null = a rule does. */
  readonly name: string | null;
  readonly lenBytes: number;
}

interface CookieCapture {
  /** With its `=` when the whole name is given, else the beginning of a name. */
  readonly name: string;
  readonly lenBytes: number;
}

export interface StatsPage {
  readonly uri: string;
  readonly realm: string;
  /** `user:password` pairs; empty = open to all. */
  readonly auth: readonly string[];
  readonly refreshSeconds: number;
  /** Proxy names shown; `.` = the one that serves the page; empty = all. */
  readonly scope: readonly string[];
  readonly hideVersion: boolean;
  readonly showDesc: string | null;
  readonly showLegends: boolean;
  readonly showNode: string | null;
  readonly showModules: boolean;
  /** There is a `stats admin`: any that holds lets the form act. */
  readonly admin: boolean;
  readonly adminIf: readonly ConditionData[];
}
