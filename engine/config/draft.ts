/**
 * Drafts: what the keyword tables fill in while a configuration is read. A draft is the model made writable, with names
 * where the model has indexes and with unresolved addresses; new-drafts.ts makes them, `build.ts` turns them into the frozen model.
 */

import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { AclDraft } from '../sample/acl.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Expression } from '../sample/expression.ts';
import type { Endpoint, Network } from './address.ts';
import type { CheckDraft } from './check-draft.ts';
import type { CrtListLine } from './crt-list.ts';
import type { FolderOf } from './default-path.ts';
import type { FilterSpec } from './filter-spec.ts';
import type { Global } from './global-model.ts';
import type { EmailAlertDraft } from './keywords-mailers.ts';
import type { LogProfile, ProfileStep } from './log-model.ts';
import type { Bind, ErrorPage, HttpErrors, Place, Userlist } from './model.ts';
import type { Forwarded, Proxy, Rule, StatsPage, UseBackend, UseServer } from './proxy-model.ts';
import type { Observe, Resolvers, Server, Source } from './server-model.ts';
import type { Peers, StickRule, StickTable } from './stick-model.ts';
import type { BindTlsDraft, GlobalTlsDraft, ServerTlsDraft } from './tls-draft.ts';

/** The same shape, writable all the way down. */
export type Draft<T> = T extends Uint8Array | null | string | number | boolean
  ? T
  : { -readonly [K in keyof T]: Draft<T[K]> };

/** What the world outside gives to a configuration. Injected, so that loading is a pure function. */
export interface Resources {
  /** The address of a host name, port 0; null when it has none, of the family if one is asked for. */
  resolve(host: string, family?: Endpoint['family']): Address | null;
  /** The bytes of a file; null when it cannot be read. */
  readFile(path: string): Uint8Array | null;
  /** Names of the files in a folder, in order; null when it is none. */
  readFolder(path: string): readonly string[] | null;
  /** Number of a user or group of the system; null when there is none. Absent = no name is looked up. */
  account?(kind: 'user' | 'group', name: string): number | null;
  /** What a program writes, run now; or why there is nothing. Absent = no program is run. */
  output?(command: string, args: readonly string[]): { readonly text: string } | { readonly problem: string };
  /** What comes next is of this configuration file: it may say where relative paths lead (default-path.ts). */
  enter?(file: string): void;
  /** Where a path leads. */
  locate?(path: string): string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Name of this peer (`-L`), which goes before `localpeer`. */
  readonly localPeer?: string | null;
  /** `-dr`: a server whose name has no address waits for one, whatever its `init-addr` says. */
  readonly ignoreResolution?: boolean;
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
interface FormatLine extends Reference {
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
      | 'portsAt'
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
      | 'defaultServers'
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
  kind: 'frontend' | 'backend' | 'listen' | 'defaults';
  /** There is a `mode` line. */
  modeGiven: boolean;
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
  /** `default-server name ...`: only servers that ask for one by `from` start from it. */
  namedServers: ServerDraft[];
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
interface ErrorFilesLine extends Reference {
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

interface StickRuleDraft extends Draft<Omit<StickRule, 'table' | 'condition' | 'expression'>> {
  table: string;
  condition: StickRule['condition'];
  expression: StickRule['expression'];
}

export interface PeersDraft extends Draft<Omit<Peers, 'index' | 'local' | 'tables' | 'peers' | 'binds'>> {
  binds: BindDraft[];
  /** The local one may be without an address. */
  peers: ServerDraft[];
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
export interface RingDraft extends Place, Pick<ProxyDraft, 'name' | 'servers' | 'defaultServer' | 'namedServers'> {
  description: string;
  format: string;
  /** 0 = no limit of its own. */
  maxlenBytes: number;
  sizeBytes: number;
  backingFile: string | null;
  connectMs: number;
  serverMs: number;
}

/** Its formats are plain data already. */
export type LogProfileDraft = { -readonly [K in keyof LogProfile]: LogProfile[K] } & {
  steps: Record<string, ProfileStep>;
};

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
