/**
 * The model: what a configuration means, as plain frozen data. It is the only thing that workers receive; it crosses
 * threads by structured clone, so it holds no functions and no class instances (Uint8Array is fine).
 *
 * Units are in the names: `...Ms` milliseconds, `...Bytes` bytes; a limit of 0 means "none" unless said otherwise.
 * References between objects are indexes: `model.proxies[i]`, `proxy.servers[i]`.
 */
import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { TrafficStep } from '../log/steps.ts';
import type { RuleSetName } from '../rules/rule-sets.ts';
import type { Acl } from '../sample/acl.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Expression } from '../sample/expression.ts';
import type { PatternRef } from '../sample/pattern-ref.ts';
import type { ProcVar } from '../sample/proc-vars.ts';
import type { KeyType } from '../stick/data-types.ts';
import type { Network } from './address.ts';
import type { Compression, FilterOrder, FilterSpec } from './filter-spec.ts';
import type { BindTls, GlobalTls, ServerTls, TlsFiles } from './tls-model.ts';

/** Where something stands in the configuration: file name as given to -f, line 1-based. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Model {
  readonly global: Global;
  /** All proxies in the order of the files. `proxy.index` is its place here. */
  readonly proxies: readonly Proxy[];
  readonly userlists: readonly Userlist[];
  readonly httpErrors: readonly HttpErrors[];
  readonly resolvers: readonly Resolvers[];
  /** Certificates and their kin, by the names of their files. */
  readonly tls: TlsFiles;
  /** What ACLs and maps look into; `ref.index` is its place here. */
  readonly patternRefs: readonly PatternRef[];
  readonly logProfiles: readonly LogProfile[];
  readonly rings: readonly Ring[];
  /** All stick tables; `table.index` is its place here. */
  readonly tables: readonly StickTable[];
  readonly peers: readonly Peers[];
}

export interface Global extends Place {
  readonly daemon: boolean;
  readonly masterWorker: boolean;
  /** Traffic threads; 0 = as many as the machine (or its cgroup) has processors. */
  readonly nbthread: number;
  /** Process-wide connection limit; 0 = derived from the descriptor limit. */
  readonly maxconn: number;
  readonly maxconnrate: number;
  readonly maxsessrate: number;
  readonly ulimitN: number;
  /** Descriptors at most, where `ulimitN` does not say how many; 0 = the default. */
  readonly fdHardLimit: number;
  readonly user: string | null;
  readonly group: string | null;
  readonly uid: number | null;
  readonly gid: number | null;
  readonly chroot: string | null;
  /** `setcap`: numbers of the capabilities that threads keep. */
  readonly capabilities: readonly number[];
  /** `set-dumpable`. */
  readonly dumpable: boolean;
  /** By worker: the processors it runs on; null = any. Empty = there is no `cpu-map`. */
  readonly cpuMap: readonly (readonly number[] | null)[];
  readonly pidfile: string | null;
  readonly node: string | null;
  readonly description: string | null;
  readonly statsSockets: readonly Bind[];
  readonly statsTimeoutMs: number;
  readonly statsMaxconn: number;
  readonly logs: readonly LogTarget[];
  readonly logTag: string;
  readonly logSendHostname: string | null;
  readonly spreadChecksPercent: number;
  readonly maxSpreadChecksMs: number;
  readonly hardStopAfterMs: number | null;
  /** `grace`: time between a soft stop and the end of accepting. */
  readonly graceMs: number;
  /** Time over which a soft stop spreads the end of connections; 0 = at once, Infinity = they are left alone. */
  readonly closeSpreadMs: number;
  /** Reloads that a generation may survive. */
  readonly maxReloads: number;
  readonly serverStateBase: string | null;
  readonly serverStateFile: string | null;
  /** `dns-accept-family`; auto = IPv4, and IPv6 where the machine can reach it. */
  readonly dnsAcceptFamily: 'auto' | 'ipv4' | 'ipv6' | 'both';
  /** Which peer of the `peers` sections we are. */
  readonly localPeer: string;
  /** `http-err-codes`, `http-fail-codes`: ranges of statuses, in order. */
  readonly httpErrCodes: readonly StatusRange[];
  readonly httpFailCodes: readonly StatusRange[];
  readonly tune: Tune;
  readonly compression: CompressionBounds;
  /** `h1-case-adjust`: names in lower case, and as they are written where an option asks for that. */
  readonly nameCases: readonly (readonly [from: string, to: string])[];
  readonly tls: GlobalTls;
  /** `set-var`, `set-var-fmt`: variables of the process as they are at the start. */
  readonly procVars: readonly ProcVar[];
}

/** What compression may take, in all workers together. */
export interface CompressionBounds {
  /** Input per second; 0 = no limit. */
  readonly rateBytes: number;
  /** Load of the processors above which nothing new is compressed; 100 = no limit. */
  readonly cpuPercent: number;
  /** 0 = COMPRESSION_BYTES_MAX. */
  readonly memoryBytes: number;
  readonly maxLevel: number;
  readonly memLevel: number;
  readonly windowBits: number;
}

export type StatusRange = readonly [first: number, last: number];

export interface Tune {
  readonly bufsizeBytes: number;
  readonly maxrewriteBytes: number;
  readonly maxhdr: number;
  readonly maxaccept: number;
  readonly poolHighFdRatio: number;
  readonly poolLowFdRatio: number;
  readonly rcvbufClientBytes: number;
  readonly rcvbufServerBytes: number;
  readonly sndbufClientBytes: number;
  readonly sndbufServerBytes: number;
  /** Keys that a session, and each of its streams, can track at a time. */
  readonly stickCounters: number;
  /** `tune.peers.max-updates-at-once`; 0 = the default. */
  readonly peersMaxUpdates: number;
  /** What variables may take; 0 = no limit. */
  readonly varsGlobalBytes: number;
  readonly varsProcBytes: number;
  readonly varsSessBytes: number;
  readonly varsTxnBytes: number;
  readonly varsReqresBytes: number;
  /** One of these limits is set. */
  readonly varsLimited: boolean;
}

/** A `ring` section, or what a `log tcp@...` line stands for: lines kept in memory and sent to log servers. */
export interface Ring extends Place {
  readonly name: string;
  readonly description: string;
  /** As `LogTarget.format`; for log lines that say none. */
  readonly format: string;
  readonly maxlenBytes: number;
  readonly sizeBytes: number;
  /** 0 = none. */
  readonly connectMs: number;
  readonly serverMs: number;
  readonly servers: readonly RingServer[];
}

export interface RingServer {
  readonly name: string;
  readonly address: Address;
  readonly source: Address | null;
  /** RFC 6587: each line after its length, else with a line feed behind it. */
  readonly octetCount: boolean;
}

/** A `log-profile` section: what is said instead, by step (engine/log/steps.ts); `any` = where no other is. */
export interface LogProfile extends Place {
  readonly name: string;
  readonly logTag: string | null;
  readonly steps: Readonly<Record<string, ProfileStep>>;
}

export interface ProfileStep {
  readonly drop: boolean;
  /** null = as the proxy says. */
  readonly format: Format | null;
  readonly data: Format | null;
}

export interface LogTarget extends Place {
  /** As written: `127.0.0.1:514`, `/dev/log`, `stdout`, `fd@3`. `log global` is already replaced. */
  readonly address: string;
  /** Where datagrams go; null = to the descriptor `fd` or the ring. */
  readonly endpoint: Address | null;
  readonly fd: number | null;
  /** Name of the ring that takes the lines; null = none. */
  readonly ring: string | null;
  readonly facility: string;
  readonly maxLevel: number;
  readonly minLevel: number;
  /** A line is cut to this length. */
  readonly lenBytes: number;
  /** Which lines of each `size` are sent, counted from 1 in each thread; null = all. */
  readonly sample: { readonly ranges: readonly (readonly [from: number, to: number])[]; readonly size: number } | null;
  /** Name of a log profile; null = none. */
  readonly profile: string | null;
  /** A name in engine/log/syslog.ts; '' = rfc3164 when a host name is sent, else local. */
  readonly format: string;
}

export type Mode = 'tcp' | 'http';

export interface Proxy extends Place {
  readonly index: number;
  readonly kind: 'frontend' | 'backend' | 'listen';
  readonly name: string;
  /** The numeric `id` (`iid` in statistics): given, or 1, 2, ... filling the gaps as HAProxy does. */
  readonly id: number;
  readonly guid: string | null;
  readonly description: string | null;
  readonly disabled: boolean;
  readonly mode: Mode;

  // --- what a frontend (or listen) has ---
  readonly binds: readonly Bind[];
  /** Concurrent connections of the frontend; 0 = the process's. */
  readonly maxconn: number;
  readonly backlog: number;
  /** `rate-limit sessions`, per second; 0 = none. */
  readonly rateLimitSessions: number;
  /** Index of the proxy that takes what no rule sends elsewhere; its own index for a listen; -1 = none (503). */
  readonly defaultBackend: number;
  readonly useBackend: readonly UseBackend[];
  readonly monitorUri: string | null;
  /** `monitor fail`: any that holds makes the monitor's answer 503. */
  readonly monitorFail: readonly ConditionData[];
  /** Slots of what rules and `capture` lines keep for the logs. */
  readonly requestCaptures: readonly Capture[];
  readonly responseCaptures: readonly Capture[];
  readonly cookieCapture: CookieCapture | null;
  /** Name of the header that carries the unique id, in lower case; null = none. */
  readonly uniqueIdHeader: string | null;

  // --- what a backend (or listen) has ---
  readonly servers: readonly Server[];
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
  readonly source: Address | null;
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

/** On/off options, by HAProxy's names in camel case. */
/** Beside the names: a status of the response. */
export type RetryCondition =
  | 'conn-failure'
  | 'empty-response'
  | 'junk-response'
  | 'response-timeout'
  | '0rtt-rejected'
  | number;

export interface Options {
  readonly abortonclose: boolean;
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
  readonly httpNoDelay: boolean;
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

export interface Bind extends Place {
  /** The bind line's address as written, for messages. */
  readonly text: string;
  /** null when the socket is inherited (`fd@N`). */
  readonly address: Address | null;
  readonly inheritedFd: number | null;
  readonly abstract: boolean;
  /** Names the listener in statistics; default `sock-N`. */
  readonly name: string;
  readonly id: number;
  readonly maxconn: number;
  readonly backlog: number;
  readonly acceptProxy: boolean;
  readonly deferAccept: boolean;
  readonly tfo: boolean;
  readonly v4v6: boolean;
  readonly v6only: boolean;
  readonly transparent: boolean;
  readonly interface: string | null;
  readonly mss: number;
  readonly tcpUserTimeoutMs: number;
  /** Listening sockets for this line: workers take them in turn. 1 = all workers share one; -1 = one per worker. */
  readonly shards: number;
  /** Worker numbers (0-based) that serve this line; null = all. */
  readonly threads: readonly number[] | null;
  readonly unixMode: number | null;
  readonly unixUser: string | null;
  readonly unixGroup: string | null;
  readonly unixUid: number | null;
  readonly unixGid: number | null;
  readonly level: 'user' | 'operator' | 'admin';
  readonly exposeFd: boolean;
  /** null = it speaks no TLS. */
  readonly tls: BindTls | null;
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

export interface Server extends Place {
  /** It was deleted by the runtime API: its place is free for another, and nobody shows it. */
  readonly removed?: true;
  /** Its place in `proxy.servers`. */
  readonly index: number;
  readonly name: string;
  /** The numeric `id` (`sid`). */
  readonly id: number;
  /** As written, for messages and the `addr` column. */
  readonly text: string;
  /**
   * As it was found at start; port 0 = the client's destination port (then `portOffset` is added). Of the unix family and
   * without bytes: there is none yet, and the server is in maintenance until its name resolves.
   */
  readonly address: Address;
  /** Host name as written when it was one, else null. */
  readonly hostname: string | null;
  /** How its name is resolved at run time; null = it is not. */
  readonly naming: Naming | null;
  /** True when the port was written `+N`/`-N` or left out: relative to the port the client connected to. */
  readonly portRelative: boolean;
  readonly portOffset: number;
  readonly weight: number;
  readonly backup: boolean;
  readonly disabled: boolean;
  readonly maxconn: number;
  readonly minconn: number;
  readonly maxqueue: number;
  readonly cookie: string | null;
  readonly redir: string | null;
  /** Never stored in a stick table. */
  readonly nonStick: boolean;
  /** Of `server` lines in `peers` sections: which part of the tables it gets; 0 = all. */
  readonly shard: number;
  readonly sendProxy: 0 | 1 | 2;
  /** What a header of version 2 tells beside the addresses. */
  readonly proxyOptions: readonly ProxyOption[];
  readonly source: Address | null;
  readonly tfo: boolean;
  readonly poolMaxConn: number;
  readonly poolLowConn: number;
  readonly poolPurgeDelayMs: number;
  readonly maxReuse: number;
  readonly check: ServerCheck | null;
  readonly agent: AgentCheck | null;
  /** The server whose state this one has: index of its proxy and its place there. */
  readonly track: { readonly proxy: number; readonly server: number } | null;
  readonly observe: Observe | null;
  /** `on-marked-down shutdown-sessions`, `on-marked-up shutdown-backup-sessions`. */
  readonly shutdownWhenDown: boolean;
  readonly shutdownBackupsWhenUp: boolean;
  readonly initState: InitState;
  readonly slowstartMs: number;
  /** `socks4`: connections to it go through this proxy. */
  readonly socks4: Address | null;
  /** null = it is spoken to without TLS. */
  readonly tls: ServerTls | null;
  /** Of its checks, or of some steps of them; null = all are without. */
  readonly checkTls: ServerTls | null;
  /** What a state file said of it. */
  readonly saved: SavedState | null;
}

/** `resolvers` on a server line, and what goes with it. */
export interface Naming {
  /** Index in `model.resolvers`. */
  readonly resolvers: number;
  /** The name of SRV records that tell hosts, ports and weights (`_http._tcp.example.com`); null = the host name is looked up. */
  readonly service: string | null;
  readonly prefer: 4 | 6;
  /** `resolve-net`: addresses in these are preferred. */
  readonly networks: readonly Network[];
  readonly allowDuplicates: boolean;
  readonly ignoreWeight: boolean;
}

/** A `resolvers` section (manual 5.3.2). */
export interface Resolvers extends Place {
  readonly name: string;
  readonly nameservers: readonly Nameserver[];
  /** How often a query is sent before it is given up. */
  readonly retries: number;
  /** From one resolution of a name to the next, and from one try to the next. */
  readonly resolveMs: number;
  readonly retryMs: number;
  /** Largest answer over UDP. */
  readonly payloadBytes: number;
  readonly hold: Hold;
}

/** How long ago a valid answer may be that makes up for one of this kind; `valid` and `obsolete`: how long one is good. */
export interface Hold {
  readonly validMs: number;
  readonly nxMs: number;
  readonly refusedMs: number;
  readonly timeoutMs: number;
  readonly otherMs: number;
  readonly obsoleteMs: number;
}

export interface Nameserver extends Place {
  readonly name: string;
  readonly address: Address;
  readonly transport: 'udp' | 'tcp';
}

/** A line of a state file (`show servers state`), with HAProxy's numbers. */
export interface SavedState {
  /** Where it was; null = it had no address. */
  readonly address: Address | null;
  readonly oper: number;
  readonly admin: number;
  readonly userWeight: number;
  readonly initialWeight: number;
  readonly secondsSinceChange: number;
  readonly checkStatus: number;
  readonly checkResult: number;
  readonly checkHealth: number;
  readonly checkState: number;
  readonly agentState: number;
}

/** When and where a server is checked; how is said by `script`. */
export interface ServerCheck {
  readonly interMs: number;
  readonly fastinterMs: number;
  readonly downinterMs: number;
  readonly rise: number;
  readonly fall: number;
  /** Where to check: the server's own address and port unless `addr`/`port` say otherwise. */
  readonly address: Address;
  readonly sendProxy: boolean;
  /** Through the server's `socks4` proxy. */
  readonly viaSocks4: boolean;
  /** Over TLS, with the settings of `Server.checkTls`. */
  readonly tls: boolean;
  /** Of a `healthcheck` section; null = the proxy's. */
  readonly script: Check | null;
}

/** `agent-check`. */
export interface AgentCheck {
  readonly interMs: number;
  readonly address: Address;
  readonly script: Check;
}

/** `observe` and what follows from it. */
export interface Observe {
  readonly layer: 4 | 7;
  readonly onError: 'fastinter' | 'fail-check' | 'sudden-death' | 'mark-down';
  /** Consecutive errors that make it happen. */
  readonly errorLimit: number;
}

export type InitState = 'none' | 'fully-up' | 'up' | 'down' | 'fully-down';

/** `connect`: nothing was said, a connection is enough. */
export type CheckType =
  | 'connect'
  | 'tcp'
  | 'http'
  | 'ssl-hello'
  | 'smtp'
  | 'mysql'
  | 'pgsql'
  | 'redis'
  | 'ldap'
  | 'spop'
  | 'external'
  | 'agent';

/** How servers are checked: steps done one after the other, each as good as the last, until one fails. */
export interface Check {
  readonly type: CheckType;
  /** Empty for `external`. The first one is always a `connect`. */
  readonly steps: readonly CheckStep[];
  /** HTTP: a server that answers 404 gets no new users. */
  readonly disableOn404: boolean;
  /** HTTP: requests tell the server its state. */
  readonly sendState: boolean;
  /** The program of an external check; null for the others. */
  readonly external: ExternalCheck | null;
}

export interface ExternalCheck {
  readonly command: string;
  /** Value of its PATH; '' = the default. */
  readonly path: string;
}

export type CheckStep = ConnectStep | SendStep | RequestStep | ExpectStep;

interface AnyStep {
  /** Its number in messages; 0 = it was not written. */
  readonly id: number;
  readonly comment: string;
}

export interface ConnectStep extends AnyStep {
  readonly kind: 'connect';
  /** 0 and null = where the server line says. */
  readonly port: number;
  readonly address: Address | null;
  readonly sendProxy: boolean;
  readonly viaSocks4: boolean;
  /** Ends with FIN, not RST. */
  readonly linger: boolean;
  /** Over TLS; with the name that is sent ('' = none) and the protocols that are offered. */
  readonly tls: boolean;
  readonly sni: string;
  readonly alpn: readonly string[];
  /** What the server line says (PROXY header, SOCKS, TLS) holds too. */
  readonly asServer: boolean;
}

export interface SendStep extends AnyStep {
  readonly kind: 'send';
  readonly bytes: Uint8Array;
}

/** One HTTP request. */
export interface RequestStep extends AnyStep {
  readonly kind: 'request';
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

/** What an expectation looks at and how. `mysql-...`, `ldap-bind`, `spop-hello` and `agent` know their protocol. */
export type MatchKind =
  | 'string'
  | 'rstring'
  | 'binary'
  | 'rbinary'
  | 'status'
  | 'rstatus'
  | 'body'
  | 'rbody'
  | 'hdr'
  | 'fhdr'
  | 'mysql-hello'
  | 'mysql-ok'
  | 'ldap-bind'
  | 'spop-hello'
  | 'agent';

export interface ExpectStep extends AnyStep {
  readonly kind: 'expect';
  readonly match: MatchKind;
  readonly negate: boolean;
  /** A text, a regular expression, a list of statuses; `binary`: one character per byte; hdr, fhdr: the value. */
  readonly pattern: string;
  /** hdr and fhdr only. */
  readonly header: HeaderMatch | null;
  /** Bytes without which nothing is decided; -1 = none, and a mismatch waits for more. */
  readonly minRecv: number;
  /** Names of check statuses; '' = the usual one. */
  readonly okStatus: string;
  readonly errorStatus: string;
  readonly toutStatus: string;
  readonly onSuccess: CheckText | null;
  readonly onError: CheckText | null;
  /** The status code is the number that the response begins with. */
  readonly codeFromResponse: boolean;
}

export type MatchMethod = 'str' | 'beg' | 'end' | 'sub' | 'reg';

export interface HeaderMatch {
  readonly name: string;
  readonly nameMethod: MatchMethod;
  /** null = any value (`pattern` means nothing). */
  readonly valueMethod: MatchMethod | null;
}

/** What a check says: a text, or a piece of the response from a byte on to the end of the line or to a zero byte. */
export type CheckText = { readonly text: string } | { readonly responseFrom: number };

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
  | 'hash';

export interface Balance {
  readonly algorithm: BalanceAlgorithm;
  /** The header, parameter or cookie the algorithm looks at; '' for the others. */
  readonly name: string;
  /** hash: whose value is hashed; null for the others. */
  readonly expression: Expression | null;
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
}

export interface Cookie {
  readonly name: string;
  readonly mode: 'rewrite' | 'insert' | 'prefix';
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

export interface PersistRule extends Place {
  /** Servers that are down are used too; false = the cookie is ignored. */
  readonly force: boolean;
  readonly condition: ConditionData;
}

/** `stick on` (match and store), `stick match`, `stick store-request`, `stick store-response`. */
export interface StickRule extends Place {
  readonly expression: Expression;
  /** Index in `model.tables`. */
  readonly table: number;
  readonly match: boolean;
  readonly store: boolean;
  /** The key is taken from the response. */
  readonly response: boolean;
  readonly condition: ConditionData | null;
}

/** `stick-table` of a proxy, or `table` of a `peers` section. */
export interface StickTable extends Place {
  readonly index: number;
  /** In the configuration and the runtime API: the proxy's name, or `<peers>/<table>`. */
  readonly name: string;
  /** Between peers: the proxy's name, or `/<table>`. */
  readonly peerName: string;
  readonly key: KeyType;
  /** Length of a key; of strings the greatest. */
  readonly keyBytes: number;
  /** Entries at most. */
  readonly size: number;
  /** 0 = they stay until there is no place for others. */
  readonly expireMs: number;
  /** A full table takes no new keys. */
  readonly noPurge: boolean;
  readonly recvOnly: boolean;
  /** Index of the table that gets what peers teach too; -1 = none. */
  readonly writeTo: number;
  /** What `server_key` holds. */
  readonly serverKey: 'name' | 'addr';
  /** Bytes that `bytes_*_rate` counts as one. */
  readonly bytesRateFactor: number;
  /** Index in `model.peers`; -1 = it is not shared. */
  readonly peers: number;
  /** In the order of the rows of engine/stick/data-types.ts. */
  readonly data: readonly StoredData[];
}

export interface StoredData {
  /** Name of a row of engine/stick/data-types.ts. */
  readonly type: string;
  /** Elements; 1 for what is no array. */
  readonly count: number;
  /** Of rates; 0 for the others. */
  readonly periodMs: number;
}

/** A `peers` section. */
export interface Peers extends Place {
  readonly index: number;
  readonly name: string;
  readonly disabled: boolean;
  /** Where remote peers reach us: the address of the local `peer` line, or the `bind` lines. Empty = nowhere. */
  readonly binds: readonly Bind[];
  /** In the order of the lines. */
  readonly peers: readonly Peer[];
  /** Index in `peers` of ourselves; -1 = we are not among them. */
  readonly local: number;
  /** `shards`; 0 = every peer gets everything. */
  readonly shards: number;
  readonly logs: readonly LogTarget[];
  /** Indexes of the tables shared with these peers: its own, and those whose `peers` names it. */
  readonly tables: readonly number[];
}

export interface Peer extends Place {
  readonly name: string;
  /** As written, for messages. */
  readonly text: string;
  /** Where it is reached; null only for the local one. */
  readonly address: Address | null;
  readonly source: Address | null;
  /** Which shard of the tables it gets, 1-based; 0 = everything. */
  readonly shard: number;
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

export interface CookieCapture {
  /** With its `=` when the whole name is given, else the beginning of a name. */
  readonly name: string;
  readonly lenBytes: number;
}

/** A set of error pages that proxies and rules refer to. */
export interface HttpErrors extends Place {
  readonly name: string;
  readonly pages: readonly ErrorPage[];
}

export interface ErrorPage {
  readonly status: number;
  /** The whole response as read from `errorfile`; null when it is a redirect. */
  readonly bytes: Uint8Array | null;
  readonly redirect: { readonly status: 302 | 303; readonly location: string } | null;
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

export interface Userlist extends Place {
  readonly name: string;
  readonly users: readonly { readonly name: string; readonly password: string; readonly crypted: boolean }[];
  readonly groups: readonly { readonly name: string; readonly users: readonly string[] }[];
}

/** True for a proxy that accepts connections. */
export function isFrontend(proxy: Proxy): boolean {
  return proxy.kind !== 'backend';
}

/** True for a proxy that has servers. */
export function isBackend(proxy: Proxy): boolean {
  return proxy.kind !== 'frontend';
}

/**
 * Gives the place `server.index` of the proxy to `server`: each thread does that to its own copy of the model when the
 * runtime API adds or deletes one. All else in the model stays as it is.
 */
export function setServer(proxy: Proxy, server: Server): void {
  (proxy.servers as Server[])[server.index] = server;
}
