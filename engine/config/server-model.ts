/** Servers, as they stand in the model (model.ts): how they are reached, named and when they are checked. */
import type { Address } from '../io/contract.ts';
import type { Format } from '../log/format-text.ts';
import type { Expression } from '../sample/expression.ts';
import type { Network } from './address.ts';
import type { Check } from './check-model.ts';
import type { Place } from './model.ts';
import type { ProxyOption } from './proxy-model.ts';
import type { ServerTls } from './tls-model.ts';

/** How connections to a server are made: what all lines have in common that name one. */
export interface Reach {
  readonly source: Source | null;
  /** `tcp-ut`; 0 = none. */
  readonly tcpUserTimeoutMs: number;
  /** `cc`, `tcp-md5sig`; '' = none. */
  readonly congestion: string;
  readonly md5sig: string;
  /** Network namespace; '' = our own, '*' = the client's. */
  readonly namespace: string;
  /** Connections to it may use several paths at once (`mptcp@`). */
  readonly mptcp: boolean;
  /** `socks4`: connections to it go through this proxy. */
  readonly socks4: Address | null;
  readonly sendProxy: 0 | 1 | 2;
  /** What a header of version 2 tells beside the addresses. */
  readonly proxyOptions: readonly ProxyOption[];
  /** null = it is spoken to without TLS. */
  readonly tls: ServerTls | null;
}

/** A keyword of a server line, and its arguments. */
export type Setting = readonly string[];

export interface Server extends Place, Reach {
  /** It was deleted by the runtime API: its place is free for another, and nobody shows it. */
  readonly removed?: true;
  /** Its place in `proxy.servers`. */
  readonly index: number;
  readonly name: string;
  /** The numeric `id` (`sid`). */
  readonly id: number;
  /** The configuration gives it. */
  readonly forcedId: boolean;
  /** As written, for messages and the `addr` column. */
  readonly text: string;
  /** It takes datagrams (`udp@...`): only where log lines go. */
  readonly datagrams: boolean;
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
  /** What its line says, and before it `default-server`, a setting each: `from` of servers to come begins with them. */
  readonly settings: readonly Setting[];
  readonly weight: number;
  readonly backup: boolean;
  readonly disabled: boolean;
  readonly maxconn: number;
  readonly minconn: number;
  readonly maxqueue: number;
  readonly cookie: string | null;
  /** `guid`; null = none. */
  readonly guid: string | null;
  readonly redir: string | null;
  readonly hashKey: HashKey;
  /** `strict-maxconn`: `maxconn` bounds its connections, too. */
  readonly strictMaxconn: boolean;
  /** Never stored in a stick table. */
  readonly nonStick: boolean;
  /** Of `server` lines in `peers` sections: which part of the tables it gets; 0 = all. */
  readonly shard: number;
  /** `set-proxy-v2-tlv-fmt`: what else it tells. */
  readonly proxyFields: readonly { readonly type: number; readonly format: Format }[];
  /** Of connections for streams. */
  readonly tfo: boolean;
  readonly poolMaxConn: number;
  readonly poolLowConn: number;
  readonly poolPurgeDelayMs: number;
  readonly maxReuse: number;
  /** `pool-conn-name`: what tells its pooled connections apart; null = the name that TLS sends. */
  readonly poolName: Expression | null;
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
  /** Of its checks, or of some steps of them; null = all are without. */
  readonly checkTls: ServerTls | null;
  /** What a state file said of it. */
  readonly saved: SavedState | null;
  /** Where the words of the ports stand that `source` may use (shm/source-ports.ts); -1 = it names no range. */
  readonly portsAt: number;
}

/** `hash-key`: what places it on the ring of consistent hashing. */
export type HashKey = 'id' | 'id32' | 'guid' | 'addr' | 'addr-port';

/** `source`. */
export interface Source {
  /** Its port is the first of a range; 0 = any. */
  readonly address: Address;
  /** Of a range; else the port of `address`. */
  readonly lastPort: number;
  /** '' = any. */
  readonly interface: string;
  /** null = `address` is what servers see. */
  readonly usesrc: UseSource | null;
}

/** `usesrc`: whose address servers see. */
export type UseSource =
  | { readonly from: 'client' | 'clientip' }
  | { readonly from: 'address'; readonly address: Address }
  | { readonly from: 'header'; readonly value: Expression };

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
  /** Its port, which may have been set at run time; 0 = not told. */
  readonly port: number;
  /** Where its checks went and its agent was asked, as far as that was said: null and 0 = not. */
  readonly checkAddress: Address | null;
  readonly checkPort: number;
  readonly agentAddress: Address | null;
  readonly agentPort: number;
  /** Whether `set server fqdn` gave it its host name. */
  readonly renamed: boolean;
  /** null = it had none. */
  readonly hostname: string | null;
  /** The name of the SRV records that told where it was; null = none did. */
  readonly service: string | null;
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
