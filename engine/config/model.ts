/**
 * The model: what a configuration means, as plain frozen data. It is the only thing that workers receive; it crosses
 * threads by structured clone, so it holds no functions and no class instances (Uint8Array is fine).
 *
 * Units are in the names: `...Ms` milliseconds, `...Bytes` bytes; a limit of 0 means "none" unless said otherwise.
 * References between objects are indexes: `model.proxies[i]`, `proxy.servers[i]`.
 */

import type { ErrorFile } from '../http/errors.ts';
import type { Address } from '../io/contract.ts';
import type { ReplySpec } from '../rules/reply-spec.ts';
import type { PatternRef } from '../sample/pattern-ref.ts';
import type { Global } from './global-model.ts';
import type { LogForward, LogProfile, Ring } from './log-model.ts';
import type { Mode, Proxy } from './proxy-model.ts';
import type { Resolvers, Server } from './server-model.ts';
import type { Peers, StickTable } from './stick-model.ts';
import type { BindTls, TlsFiles } from './tls-model.ts';

/** Where something stands in the configuration: file name as given to -f, line 1-based. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

export interface Model {
  readonly global: Global;
  /** All proxies in the order of the files. `proxy.index` is its place here. */
  readonly proxies: readonly Proxy[];
  /** Named `defaults` sections, for the backends that the runtime API adds. */
  readonly defaults: readonly Defaults[];
  readonly userlists: readonly Userlist[];
  readonly httpErrors: readonly HttpErrors[];
  readonly resolvers: readonly Resolvers[];
  /** Certificates and their kin, by the names of their files. */
  readonly tls: TlsFiles;
  /** What ACLs and maps look into; `ref.index` is its place here. */
  readonly patternRefs: readonly PatternRef[];
  readonly logProfiles: readonly LogProfile[];
  readonly rings: readonly Ring[];
  readonly logForwards: readonly LogForward[];
  /** All stick tables; `table.index` is its place here. */
  readonly tables: readonly StickTable[];
  readonly peers: readonly Peers[];
}

/** What a `bind` line says of its socket. */
export interface ListenWords {
  /** null when the socket is inherited (`fd@N`). */
  readonly address: Address | null;
  readonly inheritedFd: number | null;
  readonly abstract: boolean;
  readonly backlog: number;
  readonly deferAccept: boolean;
  readonly tfo: boolean;
  readonly v4v6: boolean;
  readonly v6only: boolean;
  readonly transparent: boolean;
  readonly interface: string | null;
  readonly mss: number;
  readonly tcpUserTimeoutMs: number;
  /** `cc`, `tcp-md5sig`; '' = none. */
  readonly congestion: string;
  readonly md5sig: string;
  /** `tcp-ss`: 0 = the SYN is not kept, 1 = its IP and TCP headers are, 2 = all of it. */
  readonly saveSyn: number;
  /** Network namespace; '' = our own. */
  readonly namespace: string;
  /** Its clients may use several paths at once (`mptcp@`). */
  readonly mptcp: boolean;
  readonly unixMode: number | null;
  readonly unixUser: string | null;
  readonly unixGroup: string | null;
  readonly unixUid: number | null;
  readonly unixGid: number | null;
}

export interface Bind extends Place, ListenWords {
  /** The bind line's address as written, for messages. */
  readonly text: string;
  /** Names the listener in statistics; default `sock-N`. */
  readonly name: string;
  readonly id: number;
  /** `guid-prefix` and its place on the line; null = none. */
  readonly guid: string | null;
  readonly maxconn: number;
  readonly acceptProxy: boolean;
  /** `accept-netscaler-cip`; 0 = no such header is expected, and none is right. */
  readonly netscalerMagic: number;
  /** Listening sockets for this line: workers take them in turn. 1 = all workers share one; -1 = one per worker. */
  readonly shards: number;
  /** Worker numbers (0-based) that serve this line; null = all. */
  readonly threads: readonly number[] | null;
  readonly level: 'user' | 'operator' | 'admin';
  readonly exposeFd: boolean;
  /** Whether messages of the runtime API begin with how serious they are. */
  readonly severityOutput: 'none' | 'number' | 'string';
  /** null = it speaks no TLS. */
  readonly tls: BindTls | null;
}

/** What `add backend ... from <name>` begins with. */
export interface Defaults extends Place {
  readonly name: string;
  /** Its `mode`; null = it has none. */
  readonly mode: Mode | null;
  /** The backend that it makes in each mode, without servers; a text: why it makes none. */
  readonly backends: Readonly<Record<'tcp' | 'http', Proxy | string>>;
}

/** A set of error pages that proxies and rules refer to. */
export interface HttpErrors extends Place {
  readonly name: string;
  readonly pages: readonly ErrorPage[];
}

export interface ErrorPage {
  readonly status: number;
  readonly content: ErrorContent;
}

type ErrorContent =
  | { readonly kind: 'file'; readonly file: ErrorFile }
  | { readonly kind: 'redirect'; readonly status: 302 | 303; readonly location: string }
  | { readonly kind: 'reply'; readonly spec: ReplySpec };

export interface Userlist extends Place {
  readonly name: string;
  readonly users: readonly { readonly name: string; readonly password: string; readonly crypted: boolean }[];
  readonly groups: readonly { readonly name: string; readonly users: readonly string[] }[];
}

/** True for a proxy that accepts connections. */
export function isFrontend(proxy: Proxy): boolean {
  return proxy.kind === 'frontend' || proxy.kind === 'listen';
}

/** True for a proxy that has servers. */
export function isBackend(proxy: Proxy): boolean {
  return proxy.kind === 'backend' || proxy.kind === 'listen';
}

/** False for a place where no proxy is (yet, or any more). */
export function isThere(proxy: Proxy): boolean {
  return isFrontend(proxy) || isBackend(proxy);
}

/** Whoever has the place of this index, `proxy.index` or `server.index`, has it no more. */
export type Placing =
  | { readonly type: 'server'; readonly proxy: number; readonly server: Server }
  | { readonly type: 'backend'; readonly proxy: Proxy };

/**
 * Gives a place to another: each thread does that to its own copy of the model when the runtime API adds or deletes a
 * server or a backend. All else in the model stays as it is.
 */
export function place(model: Model, placing: Placing): void {
  if (placing.type === 'backend') (model.proxies as Proxy[])[placing.proxy.index] = placing.proxy;
  else (model.proxies[placing.proxy]!.servers as Server[])[placing.server.index] = placing.server;
  changes++;
}

let changes = 0;

/** How often that happened in this thread: who has gathered something of all proxies or servers does it again when this has moved. */
export function placings(): number {
  return changes;
}

/** Gives a server another name, in this thread's own copy of the model. What refers to the server is still right. */
export function renameServer(server: Server, name: string): void {
  (server as { name: string }).name = name;
}
