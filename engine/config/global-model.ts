/** The global section, as it stands in the model (model.ts). */
import type { ProcVar } from '../sample/proc-vars.ts';
import type { LogTarget } from './log-model.ts';
import type { Bind, Place } from './model.ts';
import type { GlobalTls } from './tls-model.ts';

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
  /** `anonkey`: key of the hashes that stand for names; 0 = none. */
  readonly anonKey: number;
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
  /** `trace` statements of the configuration and the command line: the words of each. */
  readonly traces: readonly (readonly string[])[];
  /** Totals to begin with (engine/stats/stats-file.ts). */
  readonly statsFile: string | null;
  /** `dns-accept-family`; auto = IPv4, and IPv6 where the machine can reach it. */
  readonly dnsAcceptFamily: 'auto' | 'ipv4' | 'ipv6' | 'both';
  /** Which peer of the `peers` sections we are. */
  readonly localPeer: string;
  /** `http-err-codes`, `http-fail-codes`: ranges of statuses, in order. */
  readonly httpErrCodes: readonly StatusRange[];
  readonly httpFailCodes: readonly StatusRange[];
  /** `pp2-never-send-local`: checks name their own addresses in PROXY headers of version 2. */
  readonly pp2NeverSendLocal: boolean;
  /** Not `noreuseport`. */
  readonly reusePort: boolean;
  /** `harden.reject-privileged-ports.tcp`: clients of ports below 1024 are not served. */
  readonly rejectPrivilegedPorts: boolean;
  /** `h1-accept-payload-with-any-method`, `h1-do-not-close-on-insecure-transfer-encoding`. */
  readonly h1AnyPayload: boolean;
  readonly h1KeepInsecure: boolean;
  readonly tune: Tune;
  readonly httpclient: HttpClientSettings;
  readonly compression: CompressionBounds;
  /** `h1-case-adjust`: names in lower case, and as they are written where an option asks for that. */
  readonly nameCases: readonly (readonly [from: string, to: string])[];
  readonly tls: GlobalTls;
  /** `set-var`, `set-var-fmt`: variables of the process as they are at the start. */
  readonly procVars: readonly ProcVar[];
}

/** What compression may take, in all workers together. */
interface CompressionBounds {
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

/** `httpclient.*`: how requests of the runtime API are made. */
interface HttpClientSettings {
  /** Names are resolved: by this section, to this kind of address. */
  readonly resolves: boolean;
  readonly resolvers: string;
  readonly prefer: 4 | 6;
  readonly caFile: string;
  readonly verify: 'none' | 'required';
  readonly retries: number;
  readonly connectMs: number;
}

export type StatusRange = readonly [first: number, last: number];

export interface Tune {
  readonly bufsizeBytes: number;
  /** 0 = there are no large buffers. */
  readonly bufsizeLargeBytes: number;
  readonly maxrewriteBytes: number;
  /** Of a command of the runtime API. */
  readonly cliPayloadBytes: number;
  readonly maxhdr: number;
  /** How much of a request line log lines show, and of a captured cookie. */
  readonly logUriBytes: number;
  readonly cookieCaptureBytes: number;
  readonly maxaccept: number;
  /** Sizes of the kernel's buffers; 0 = as it likes. */
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
