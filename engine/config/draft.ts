/**
 * Drafts: what the keyword tables fill in while a configuration is read. A draft is the model made writable, with names
 * where the model has indexes and with unresolved addresses; `build.ts` turns drafts into the frozen model.
 */

import type { Address } from '../io/contract.ts';
import {
  ACCEPT_BURST,
  BUFSIZE_BYTES,
  COOKIE_CAPTURE_BYTES,
  GENERATIONS_MAX,
  HEADERS_MAX,
  LOG_URI_BYTES,
  MAXREWRITE_BYTES,
  PAYLOAD_BYTES_MAX,
  RING_BYTES,
} from '../limits.ts';
import type { Format } from '../log/format-text.ts';
import { RULE_SET_NAMES } from '../rules/rule-sets.ts';
import type { AclDraft } from '../sample/acl.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Expression } from '../sample/expression.ts';
import type { Endpoint, Network } from './address.ts';
import { type CheckDraft, newCheck } from './check-draft.ts';
import type { CrtListLine } from './crt-list.ts';
import { type FolderOf, STARTED_IN } from './default-path.ts';
import type { FilterSpec } from './filter-spec.ts';
import type { Global } from './global-model.ts';
import { type EmailAlertDraft, newEmailAlert } from './keywords-mailers.ts';
import type { LogProfile, ProfileStep } from './log-model.ts';
import type { Bind, ErrorPage, HttpErrors, Place, Userlist } from './model.ts';
import type { Forwarded, Proxy, Rule, StatsPage, UseBackend, UseServer } from './proxy-model.ts';
import type { Observe, Resolvers, Server, Source } from './server-model.ts';
import type { Peer, Peers, StickRule, StickTable } from './stick-model.ts';
import {
  type BindTlsDraft,
  type GlobalTlsDraft,
  newBindTls,
  newGlobalTls,
  newServerTls,
  type ServerTlsDraft,
} from './tls-draft.ts';

/** The same shape, writable all the way down. */
export type Draft<T> = T extends Uint8Array | null | string | number | boolean
  ? T
  : { -readonly [K in keyof T]: Draft<T[K]> };

/** What the world outside gives to a configuration. Injected, so that loading is a pure function. */
export interface Resources {
  /** The address of a host name, port 0; null when it has none. */
  resolve(host: string): Address | null;
  /** The bytes of a file; null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  /** Names of the files in a folder, in order; null when it is none. */
  readFolder(path: string): readonly string[] | null;
  /** What comes next is of this configuration file: it may say where relative paths lead (default-path.ts). */
  enter?(file: string): void;
  /** Where a path leads. */
  locate?(path: string): string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of this peer (`-L`), which goes before `localpeer`. */
  readonly localPeer?: string | null;
}

/** The log formats of a proxy: checked once its mode is known. */
export type LogFormatField = 'logFormat' | 'errorLogFormat' | 'logFormatSd';

/** A word that is understood once all sections are read: the name of a proxy. */
export interface Reference extends Place {
  readonly name: string;
  /** For the diagnostics: the line as written, and where the name stands in it. */
  readonly source: string;
  readonly column: number;
  readonly width: number;
}

/** A format; what the mode of its proxy does not allow is told when that is known. */
export interface FormatLine extends Reference {
  readonly format: Format;
}

/** An expression of a line, and how messages call it: `ACL keyword`, `sample fetch keyword`. */
export interface ExpressionUse extends Place {
  readonly expression: Expression;
  readonly keyword: string;
}

/** `id` 0 and `name` '' until they are given or counted; `guid` is the prefix until its sockets are known. */
export interface BindDraft extends Draft<Omit<Bind, 'tls'>> {
  tls: BindTlsDraft;
}

/** A method of `init-addr`, or an address (port 0). */
export type InitAddr = 'last' | 'libc' | 'none' | Address;

export interface ServerDraft
  extends Draft<
    Omit<
      Server,
      | 'index'
      | 'address'
      | 'check'
      | 'hostname'
      | 'proxyFields'
      | 'portRelative'
      | 'portOffset'
      | 'agent'
      | 'track'
      | 'saved'
      | 'observe'
      | 'naming'
      | 'tls'
      | 'checkTls'
      | 'source'
      | 'poolName'
    >
  > {
  proxyFields: Server['proxyFields'];
  tls: ServerTlsDraft;
  source: Source | null;
  poolName: Expression | null;
  /** null in a `default-server` line. */
  endpoint: Endpoint | null;
  /** `init-addr`: how an address is found at start, in this order. */
  initAddr: readonly InitAddr[];
  /** The section's name; null = its name is resolved at start only. */
  resolvers: string | null;
  resolvePrefer: 4 | 6;
  resolveNet: Network[];
  allowDuplicates: boolean;
  ignoreWeight: boolean;
  check: boolean;
  interMs: number;
  /** 0 = as `inter`. */
  fastinterMs: number;
  downinterMs: number;
  rise: number;
  fall: number;
  /** 0 = the server's port. */
  checkPort: number;
  checkAddress: Endpoint | null;
  checkSendProxy: boolean;
  checkViaSocks4: boolean;
  /** Name of a `healthcheck` section; null = none. */
  healthcheck: string | null;
  agentCheck: boolean;
  agentInterMs: number;
  /** 0 = not given. */
  agentPort: number;
  agentAddress: Endpoint | null;
  agentSend: string;
  /** `[<backend>/]<server>`. */
  track: string | null;
  /** 0 = not observed. */
  observe: 0 | Observe['layer'];
  onError: Observe['onError'];
  errorLimit: number;
  /** Of log servers: how lines are told apart. */
  logProto: 'legacy' | 'octet-count';
  /** Of log servers of a backend: what is kept for one that is slow. */
  logBufBytes: number;
}

export interface ProxyDraft
  extends Draft<
    Omit<
      Proxy,
      | 'index'
      | 'binds'
      | 'servers'
      | 'serverSlots'
      | 'defaultBackend'
      | 'useBackend'
      | 'useServer'
      | 'kind'
      | 'check'
      | 'rules'
      | 'acls'
      | 'monitorFail'
      | 'forceSwitch'
      | 'emailAlert'
      | 'stats'
      | 'uniqueIdFormat'
      | 'table'
      | 'stickRules'
      | 'filters'
      | 'errorPages'
      | 'forwarded'
      | 'source'
      | LogFormatField
    >
  > {
  kind: Proxy['kind'] | 'defaults';
  check: CheckDraft;
  /** `load-server-state-from-file` and `server-state-file-name` ('' = the name of the backend). */
  stateFrom: 'global' | 'local' | 'none';
  stateFile: string;
  binds: BindDraft[];
  /** `ssl-f-use`. */
  sslUses: (CrtListLine & { readonly at: Place })[];
  filters: FilterSpec[];
  forwarded: Forwarded | null;
  source: Source | null;
  servers: ServerDraft[];
  /** What `default-server` lines have said so far; every later server starts from it. */
  defaultServer: ServerDraft;
  defaultBackend: Reference | null;
  logFormat: FormatLine | null;
  errorLogFormat: FormatLine | null;
  logFormatSd: FormatLine | null;
  useBackend: (Reference & Pick<UseBackend, 'condition' | 'dynamic'>)[];
  useServer: (Reference & Pick<UseServer, 'condition' | 'dynamic'>)[];
  acls: AclDraft[];
  monitorFail: (ConditionData & Place)[];
  forceSwitch: ConditionData[];
  emailAlert: EmailAlertDraft;
  stats: StatsDraft | null;
  uniqueIdFormat: Format | null;
  /** Expressions of the lines: what they refer to is looked up once all is read. */
  expressions: ExpressionUse[];
  /** `resolvers` sections that rules name. */
  resolversUsed: Reference[];
  rules: Record<Rules, Rule[]>;
  table: TableDraft | null;
  stickRules: StickRuleDraft[];
  /** Tables that rules name: looked up once all is read. '' = the own one. */
  tableUses: TableUse[];
  /** In the order of their lines: a later one wins. */
  errorPages: (ErrorPage | ErrorPageReset | ErrorFilesLine)[];
}

/** `http-error ... default-errorfiles`. */
export interface ErrorPageReset {
  readonly status: number;
  readonly content: null;
}

/** Pages of an `http-errors` section, taken when all sections are read; no statuses = all. */
export interface ErrorFilesLine extends Reference {
  readonly statuses: readonly number[];
}

/** `name` '' = the proxy's. */
export interface TableDraft
  extends Draft<Omit<StickTable, 'index' | 'name' | 'peerName' | 'writeTo' | 'peers' | 'data'>> {
  name: string;
  writeTo: Reference | null;
  peers: Reference | null;
  data: Draft<StickTable['data'][number]>[];
}

/** What a rule does with a table: `track-sc0`, `stick on`. */
export interface TableUse extends Reference {
  readonly keyword: string;
  /** What is looked up in it. */
  readonly key: Expression;
}

export interface StickRuleDraft extends Draft<Omit<StickRule, 'table' | 'condition' | 'expression'>> {
  table: string;
  condition: StickRule['condition'];
  expression: StickRule['expression'];
}

export interface PeersDraft extends Draft<Omit<Peers, 'index' | 'local' | 'tables' | 'peers' | 'binds'>> {
  binds: BindDraft[];
  peers: (Draft<Omit<Peer, 'address' | 'tls'>> & { endpoint: Endpoint | null; tls: ServerTlsDraft })[];
  tables: TableDraft[];
  defaultServer: ServerDraft;
  /** `default-bind`: what the following `bind` and `peer` lines begin with. */
  defaultBind: BindDraft;
}

export interface StatsDraft extends Draft<Omit<StatsPage, 'adminIf'>> {
  adminIf: ConditionData[];
}

type Rules = keyof Proxy['rules'];

export interface HttpErrorsDraft extends Draft<Omit<HttpErrors, 'pages'>> {
  pages: ErrorPage[];
}

export type ResolversDraft = Draft<Resolvers>;
/** A ring while it is read; its servers are read as those of a proxy. */
export interface RingDraft extends Place, Pick<ProxyDraft, 'name' | 'servers' | 'defaultServer'> {
  description: string;
  format: string;
  /** 0 = no limit of its own. */
  maxlenBytes: number;
  sizeBytes: number;
  backingFile: string | null;
  connectMs: number;
  serverMs: number;
}

export function newRing(place: Place, name: string): RingDraft {
  const { file, line } = place;
  return {
    ...{ file, line, name, servers: [], defaultServer: newServer() },
    ...{ description: name, format: 'raw', maxlenBytes: 0, sizeBytes: RING_BYTES, backingFile: null },
    ...{ connectMs: 0, serverMs: 0 },
  };
}

/** Its formats are plain data already. */
export type LogProfileDraft = { -readonly [K in keyof LogProfile]: LogProfile[K] } & {
  steps: Record<string, ProfileStep>;
};

function noRules(): Record<Rules, Rule[]> {
  return Object.fromEntries(RULE_SET_NAMES.map(name => [name, []])) as never;
}

export interface UnixBind {
  prefix: string;
  mode: number | null;
  user: string | null;
  group: string | null;
  uid: number | null;
  gid: number | null;
}

export interface GlobalDraft extends Draft<Omit<Global, 'statsSockets' | 'tls'>> {
  tls: GlobalTlsDraft;
  statsSockets: BindDraft[];
  unixBind: UnixBind;
  zeroWarning: boolean;
  externalCheck: boolean;
  /** `default-path`. */
  folderOf: FolderOf;
  /** Of `h1-case-adjust-file`. */
  fileNameCases: [from: string, to: string][];
}

/** Users name their groups and groups their users; the model has it in the groups only. */
export interface UserlistDraft extends Draft<Omit<Userlist, 'users'>> {
  users: (Draft<Userlist['users'][number]> & { groups: string[] })[];
}

const NOWHERE: Place = { file: '', line: 0 };

export function newGlobal(): GlobalDraft {
  return {
    ...NOWHERE,
    daemon: false,
    masterWorker: false,
    nbthread: 0,
    maxconn: 0,
    maxconnrate: 0,
    maxsessrate: 0,
    ulimitN: 0,
    fdHardLimit: 0,
    user: null,
    group: null,
    uid: null,
    gid: null,
    chroot: null,
    capabilities: [],
    dumpable: false,
    cpuMap: [],
    pidfile: null,
    node: null,
    description: null,
    statsSockets: [],
    statsTimeoutMs: 10_000,
    statsMaxconn: 10,
    logs: [],
    logTag: 'haproxy',
    logSendHostname: null,
    spreadChecksPercent: 0,
    maxSpreadChecksMs: 0,
    hardStopAfterMs: null,
    graceMs: 0,
    closeSpreadMs: 0,
    maxReloads: GENERATIONS_MAX,
    serverStateBase: null,
    serverStateFile: null,
    statsFile: null,
    traces: [],
    dnsAcceptFamily: 'auto',
    localPeer: '',
    anonKey: 0,
    httpErrCodes: [[400, 499]],
    httpFailCodes: [
      [500, 500],
      [502, 504],
      [506, 599],
    ],
    tune: {
      bufsizeBytes: BUFSIZE_BYTES,
      maxrewriteBytes: MAXREWRITE_BYTES,
      cliPayloadBytes: PAYLOAD_BYTES_MAX,
      maxhdr: HEADERS_MAX,
      logUriBytes: LOG_URI_BYTES,
      cookieCaptureBytes: COOKIE_CAPTURE_BYTES,
      maxaccept: ACCEPT_BURST,
      rcvbufClientBytes: 0,
      rcvbufServerBytes: 0,
      sndbufClientBytes: 0,
      sndbufServerBytes: 0,
      stickCounters: 3,
      peersMaxUpdates: 0,
      varsGlobalBytes: 0,
      varsProcBytes: 0,
      varsSessBytes: 0,
      varsTxnBytes: 0,
      varsReqresBytes: 0,
      varsLimited: false,
    },
    httpclient: {
      ...{ resolves: true, resolvers: 'default', prefer: 6, caFile: '@system-ca', verify: 'required' },
      ...{ retries: 3, connectMs: 5_000 },
    },
    compression: { rateBytes: 0, cpuPercent: 100, memoryBytes: 0, maxLevel: 1, memLevel: 8, windowBits: 15 },
    procVars: [],
    nameCases: [],
    fileNameCases: [],
    unixBind: { prefix: '', mode: null, user: null, group: null, uid: null, gid: null },
    pp2NeverSendLocal: false,
    reusePort: true,
    rejectPrivilegedPorts: false,
    h1AnyPayload: false,
    h1KeepInsecure: false,
    zeroWarning: false,
    externalCheck: false,
    folderOf: STARTED_IN,
    tls: newGlobalTls(),
  };
}

export function newServer(): ServerDraft {
  return {
    ...NOWHERE,
    name: '',
    id: 0,
    forcedId: false,
    text: '',
    datagrams: false,
    endpoint: null,
    initAddr: ['last', 'libc'],
    resolvers: null,
    resolvePrefer: 6,
    resolveNet: [],
    allowDuplicates: false,
    ignoreWeight: false,
    weight: 1,
    backup: false,
    disabled: false,
    maxconn: 0,
    minconn: 0,
    maxqueue: 0,
    cookie: null,
    guid: null,
    redir: null,
    hashKey: 'id',
    strictMaxconn: false,
    nonStick: false,
    shard: 0,
    sendProxy: 0,
    proxyOptions: [],
    proxyFields: [],
    source: null,
    tfo: false,
    tcpUserTimeoutMs: 0,
    congestion: '',
    md5sig: '',
    poolMaxConn: -1,
    poolLowConn: 0,
    poolPurgeDelayMs: 5_000,
    maxReuse: -1,
    poolName: null,
    slowstartMs: 0,
    check: false,
    interMs: 2_000,
    fastinterMs: 0,
    downinterMs: 0,
    rise: 2,
    fall: 3,
    checkPort: 0,
    checkAddress: null,
    checkSendProxy: false,
    checkViaSocks4: false,
    healthcheck: null,
    agentCheck: false,
    agentInterMs: 2_000,
    agentPort: 0,
    agentAddress: null,
    agentSend: '',
    track: null,
    observe: 0,
    onError: 'fail-check',
    errorLimit: 10,
    logProto: 'legacy',
    logBufBytes: RING_BYTES,
    shutdownWhenDown: false,
    shutdownBackupsWhenUp: false,
    initState: 'none',
    socks4: null,
    tls: newServerTls(),
  };
}

export function newBind(): BindDraft {
  return {
    ...NOWHERE,
    text: '',
    address: null,
    inheritedFd: null,
    abstract: false,
    name: '',
    id: 0,
    guid: null,
    maxconn: 0,
    backlog: 0,
    acceptProxy: false,
    deferAccept: false,
    tfo: false,
    v4v6: false,
    v6only: false,
    transparent: false,
    interface: null,
    mss: 0,
    tcpUserTimeoutMs: 0,
    congestion: '',
    md5sig: '',
    saveSyn: 0,
    shards: 1,
    threads: null,
    unixMode: null,
    unixUser: null,
    unixGroup: null,
    unixUid: null,
    unixGid: null,
    level: 'operator',
    exposeFd: false,
    severityOutput: 'none',
    tls: newBindTls(),
  };
}

export function newOptions(): ProxyDraft['options'] {
  return {
    abortonclose: false,
    allbackups: false,
    clitcpka: false,
    srvtcpka: false,
    dontlognull: false,
    dontlogNormal: false,
    logasap: false,
    logSeparateErrors: false,
    logHealthChecks: false,
    contstats: false,
    socketStats: false,
    nolinger: false,
    httpIgnoreProbes: false,
    httpUseProxyHeader: false,
    httpPretendKeepalive: false,
    adjustsClientCase: false,
    adjustsServerCase: false,
    preferLastServer: false,
    idleCloseOnResponse: false,
    dropRequestTrailers: false,
    dropResponseTrailers: false,
    acceptInvalidRequest: false,
    acceptInvalidResponse: false,
    restrictReqHdrNames: 'preserve',
    persist: false,
    tcpSmartAccept: null,
    tcpSmartConnect: false,
    independentStreams: false,
    checkcache: false,
    httpBufferRequest: false,
    http: 'keep-alive',
  };
}

/** A proxy as it is before any keyword: HAProxy's built-in defaults. */
export function newProxy(): ProxyDraft {
  return {
    ...NOWHERE,
    kind: 'defaults',
    name: '',
    id: 0,
    forcedId: false,
    guid: null,
    description: null,
    disabled: false,
    mode: 'tcp',
    binds: [],
    sslUses: [],
    maxconn: 0,
    backlog: 0,
    maxSessionServerConns: 5,
    rateLimitSessions: 0,
    defaultBackend: null,
    useBackend: [],
    monitorUri: null,
    monitorFail: [],
    unpublished: false,
    forceSwitch: [],
    emailAlert: newEmailAlert(),
    maxKeepAliveQueue: -1,
    persistRdpCookie: null,
    requestCaptures: [],
    responseCaptures: [],
    cookieCapture: null,
    uniqueIdHeader: null,
    uniqueIdFormat: null,
    compression: null,
    filters: [],
    filterOrder: { request: null, response: null },
    useServer: [],
    persistRules: [],
    stickRules: [],
    table: null,
    tableUses: [],
    acls: [],
    rules: noRules(),
    inspectDelayMs: 0,
    serverInspectDelayMs: 0,
    expressions: [],
    resolversUsed: [],
    servers: [],
    defaultServer: newServer(),
    balance: newBalance('random'),
    hash: { method: 'map-based', fn: 'sdbm', avalanche: false, balanceFactor: 0, affinity: 'always' },
    fullconn: 0,
    retries: 3,
    redispatch: 0,
    retryOn: ['conn-failure'],
    httpReuse: 'safe',
    check: newCheck(),
    stateFrom: 'none',
    stateFile: '',
    sendNameHeader: null,
    cookie: null,
    dynamicCookieKey: null,
    source: null,
    timeouts: {
      clientMs: 0,
      serverMs: 0,
      connectMs: 0,
      clientFinMs: 0,
      clientHsMs: 0,
      serverFinMs: 0,
      tunnelMs: 0,
      httpRequestMs: 0,
      httpKeepAliveMs: 0,
      queueMs: 0,
      tarpitMs: 0,
      checkMs: 0,
    },
    clientKeepAlive: { idleSeconds: 0, intervalSeconds: 0, count: 0 },
    serverKeepAlive: { idleSeconds: 0, intervalSeconds: 0, count: 0 },
    options: newOptions(),
    forwardFor: null,
    originalTo: null,
    forwarded: null,
    errorPages: [],
    stats: null,
    logs: [],
    logStyle: null,
    logSteps: null,
    logFormat: null,
    errorLogFormat: null,
    logFormatSd: null,
    logTag: null,
  };
}

export function newBalance(algorithm: ProxyDraft['balance']['algorithm']): ProxyDraft['balance'] {
  return {
    algorithm,
    name: '',
    expression: null,
    converters: [],
    lenBytes: 0,
    depth: 0,
    whole: false,
    pathOnly: false,
    domainOnly: false,
    checkPostBytes: 0,
    draws: algorithm === 'random' ? 2 : 0,
  };
}

/** The statistics page as `stats enable` alone makes it. */
export function newStatsPage(): StatsDraft {
  return {
    uri: '/haproxy?stats',
    realm: 'HAProxy Statistics',
    auth: [],
    refreshSeconds: 0,
    scope: [],
    hideVersion: true,
    showDesc: null,
    showLegends: false,
    showNode: null,
    showModules: false,
    admin: false,
    adminIf: [],
  };
}
