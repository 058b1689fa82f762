/**
 * The things a worker works with, compiled once from the model: frontends, backends, servers, listeners. Each knows its
 * own row of counters (written only by this worker) and its place in the shared words.
 */

import type { Balancer } from '../balance/balancer.ts';
import type { DynamicCookies } from '../balance/dynamic-cookies.ts';
import { createBalancer } from '../balance/index.ts';
import { RdpCookie } from '../balance/rdp-cookie.ts';
import type { Severity } from '../config/diagnostics.ts';
import { type Bind, isBackend, isFrontend, type Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server as ServerConfig } from '../config/server-model.ts';
import type { NameCases } from '../http/name-case.ts';
import type { Limits } from '../http/parse.ts';
import { connectOptions } from '../io/connect-options.ts';
import type { Conn, ConnectOptions, Io, Listening } from '../io/contract.ts';
import { openNamespace } from '../io/namespaces.ts';
import { compileRuleLists, type RuleLists } from '../rules/proxy-rules.ts';
import type { PatternBooks } from '../sample/book.ts';
import type { ProcVars } from '../sample/proc-vars.ts';
import type { ChangeLog } from '../shm/change-log.ts';
import { CONN_RATE, REQ_RATE, SESS_RATE } from '../shm/counters.ts';
import type { Memory, RowKind, Topology } from '../shm/memory.ts';
import { LiveAddress } from '../shm/server-address.ts';
import { portsOf } from '../shm/source-ports.ts';
import { SERVER } from '../shm/words.ts';
import type { Admin } from '../stats/reply.ts';
import type { View } from '../stats/view.ts';
import type { Tables } from '../stick/tables.ts';
import type { Tracked } from '../stick/tracking.ts';
import { Timer, type TimerWheel } from '../time.ts';
import { TlsListener } from '../tls/listener.ts';
import { TlsServer } from '../tls/server.ts';
import type { TlsStore } from '../tls/store.ts';
import type { BadMessage } from './bad-messages.ts';
import { ConnectionRoom } from './connection-room.ts';
import type { Encoders } from './encoders.ts';
import { ErrorReplies } from './errors.ts';
import type { StreamEvents } from './events.ts';
import { retryListener } from './listener.ts';
import { type LocalReply, monitorReply, statsReply } from './local-replies.ts';
import type { NameAsks } from './name-asks.ts';
import { type Notes, notesOf } from './notes.ts';
import { CookiePersistence } from './persistence.ts';
import { type Preamble, preamblesOf } from './preamble.ts';
import { type ProxyFilters, proxyFilters } from './proxy-filters.ts';
import { type BackendRules, compileBackendRules, compileRules, type FrontendRules } from './rules.ts';
import { ServerCookies } from './server-cookie.ts';
import { ServerPool } from './server-pool.ts';
import type { Sessions } from './sessions.ts';
import type { SoftStop } from './soft-stop.ts';
import type { Stream } from './stream.ts';
import { WaitingLine } from './waiting-line.ts';

/** What everything in one worker shares. */
export interface Context {
  readonly io: Io;
  readonly wheel: TimerWheel;
  readonly model: Model;
  readonly memory: Memory;
  /** The stick tables. */
  readonly tables: Tables;
  readonly topology: Topology;
  /** `memory.words` and `memory.counters`, one dereference nearer. */
  readonly words: Int32Array;
  readonly counters: Float64Array;
  /** Number of this worker. */
  readonly worker: number;
  /** Counter row and word offset of the process, and its rates. */
  readonly row: number;
  readonly at: number;
  readonly connRate: Int32Array;
  readonly sessRate: Int32Array;
  /** Bytes to clients. */
  readonly outRate: Int32Array;
  /** Handshakes of clients, the full ones of them, and full ones with servers. */
  readonly tlsRate: Int32Array;
  readonly tlsKeyRate: Int32Array;
  readonly tlsServerKeyRate: Int32Array;
  /** Certificates and their kin. */
  readonly tls: TlsStore;
  readonly frontends: (Frontend | null)[];
  readonly backends: (Backend | null)[];
  /** Those that switching rules may lead to. */
  readonly backendsByName: Map<string, Backend>;
  readonly log: (level: Severity, text: string) => void;
  /** Ends everything politely: no keep-alive, no new connections; null = not now. */
  stopping: SoftStop | null;
  /** What the statistics page reads. */
  readonly view: View;
  /** What its form does. */
  readonly admin: Admin;
  /** Who hears of streams: the logs. */
  readonly events: StreamEvents;
  /** Connections without a session whose last bytes are on their way (closing.ts). */
  lingering: number;
  /** Sessions open in this worker. */
  readonly sessions: Sessions;
  /** Sessions and streams begun so far: the number of the last one. */
  begunSessions: number;
  begunStreams: number;
  /** The last invalid messages, and how many there were (bad-messages.ts). */
  readonly badMessages: Map<string, BadMessage>;
  badEvents: number;
  /** Streams that are answered with a dump now (stats-applet.ts). */
  dumps: number;
  /** Spare streams (stream.ts) and head buffers (http1-client.ts), used again and again. */
  readonly spareStreams: Stream[];
  readonly spareBuffers: Uint8Array[];
  /** Counters of sessions that are over, used again. */
  readonly spareTracked: (readonly Tracked[])[];
  /** Where a message head is written before it is sent; valid only during one call. */
  readonly scratch: Uint8Array;
  /** What streams want to know of names. */
  readonly names: NameAsks;
  /** What maps and ACLs look into. */
  readonly books: PatternBooks;
  /** `h1-case-adjust`. */
  readonly nameCases: NameCases;
  /** What compresses. */
  readonly encoders: Encoders;
  readonly procVars: ProcVars;
  /** Names of servers in persistence cookies. */
  readonly dynamicCookies: DynamicCookies;
  /** What the three above follow. */
  readonly changes: ChangeLog;
}

export class Frontend {
  readonly context: Context;
  readonly proxy: Proxy;
  readonly index: number;
  readonly row: number;
  /** Where its histograms of times stand. */
  readonly timed: number;
  readonly at: number;
  readonly connRate: Int32Array;
  readonly sessRate: Int32Array;
  readonly reqRate: Int32Array;
  readonly listeners: Listener[] = [];
  readonly errors: ErrorReplies;
  /** `monitor-uri` and the statistics page; null = there is none. */
  readonly monitor: LocalReply | null;
  readonly stats: LocalReply | null;
  readonly requestLimits: Limits;
  /** How the clients want header names; null = as they are. */
  readonly nameCases: NameCases | null;
  /** null = no filters. */
  readonly filters: ProxyFilters | null;
  /** A log line shows our address towards the server: the logs set it. */
  logsServerLocal = false;
  defaultBackend: Backend | null = null;
  rules!: FrontendRules;
  lists!: RuleLists;
  /** Captures of headers and cookies, the unique id; null = there are none. */
  readonly notes: Notes | null;

  constructor(context: Context, proxy: Proxy) {
    this.context = context;
    this.proxy = proxy;
    this.index = proxy.index;
    this.row = context.memory.row(context.worker, 'frontend', proxy.index);
    this.timed = timedAt(context, 'frontend', proxy.index);
    this.at = context.memory.proxy(proxy.index);
    this.connRate = context.memory.rows('frontend', proxy.index, CONN_RATE);
    this.sessRate = context.memory.rows('frontend', proxy.index, SESS_RATE);
    this.reqRate = context.memory.rows('frontend', proxy.index, REQ_RATE);
    this.errors = new ErrorReplies(context, proxy);
    this.monitor = monitorReply(proxy);
    this.stats = statsReply(proxy);
    this.nameCases = proxy.options.adjustsClientCase ? context.nameCases : null;
    this.filters = proxyFilters(proxy);
    this.notes = notesOf(proxy);
    this.requestLimits = headLimits(context.model, proxy.options.acceptInvalidRequest);
    const first = context.topology.firstListener[proxy.index]!;
    proxy.binds.forEach((bind, i) => {
      this.listeners.push(new Listener(context, this, bind, first + i));
    });
  }
}

/** What the parser accepts in a head; HAProxy's `tune.http.maxhdr` counts the start line. */
function headLimits(model: Model, relaxed: boolean): Limits {
  const { tune, h1AnyPayload: anyPayload, h1KeepInsecure: keepInsecure } = model.global;
  const { bufsizeBytes, maxrewriteBytes, maxhdr } = tune;
  return { maxHeadBytes: bufsizeBytes - maxrewriteBytes, maxHeaders: maxhdr - 1, relaxed, anyPayload, keepInsecure };
}

export class Listener {
  readonly frontend: Frontend;
  readonly bind: Bind;
  /** Number over the whole configuration. */
  readonly number: number;
  readonly row: number;
  readonly at: number;
  readonly sockets: Listening[] = [];
  /** Connections that wait for a place, and whether accepting is stopped for that (listener.ts). */
  readonly parked: Conn[] = [];
  paused = false;
  /** Its frontend rests or is stopped. */
  resting = false;
  readonly timer: Timer<Listener>;
  /** Headers that its connections begin with. */
  readonly preambles: readonly Preamble[];
  /** null = it speaks no TLS. */
  readonly tls: TlsListener | null;

  constructor(context: Context, frontend: Frontend, bind: Bind, number: number) {
    this.timer = new Timer<Listener>(this, listener => retryListener(context, listener));
    this.frontend = frontend;
    this.bind = bind;
    this.preambles = preamblesOf(bind);
    // Servers may be there, too (`namespace *`).
    if (bind.namespace !== '') openNamespace(bind.namespace);
    this.number = number;
    this.row = context.memory.row(context.worker, 'listener', number);
    this.at = context.memory.listener(number);
    const identity = `${frontend.proxy.name}/${bind.id}`;
    this.tls = bind.tls === null ? null : new TlsListener(context.tls, bind.tls, context.model.global.tls, identity);
  }
}

export class Backend {
  readonly context: Context;
  readonly proxy: Proxy;
  readonly index: number;
  readonly row: number;
  /** Where its histograms of times stand. */
  readonly timed: number;
  readonly at: number;
  readonly sessRate: Int32Array;
  /** By their index; `add server` adds to them. */
  readonly servers: Server[];
  readonly balancer: Balancer;
  /** Streams waiting for any server. */
  readonly queue: WaitingLine;
  /** PROXY.generation when the servers' states were last looked at. */
  generation = 0;
  readonly errors: ErrorReplies;
  readonly stats: LocalReply | null;
  readonly responseLimits: Limits;
  readonly cookie: CookiePersistence | null;
  /** `persist rdp-cookie`; null = no. */
  readonly rdpCookie: RdpCookie | null;
  /** A request that a server failed may be sent again (layer7-retry.ts). */
  readonly repeats: boolean;
  /** How the servers want header names; null = as they are. */
  readonly nameCases: NameCases | null;
  /** null = no filters of its own. */
  readonly filters: ProxyFilters | null;
  rules!: BackendRules;
  lists!: RuleLists;

  constructor(context: Context, proxy: Proxy) {
    this.context = context;
    this.proxy = proxy;
    this.index = proxy.index;
    this.row = context.memory.row(context.worker, 'backend', proxy.index);
    this.timed = timedAt(context, 'backend', proxy.index);
    this.at = context.memory.proxy(proxy.index);
    this.sessRate = context.memory.rows('backend', proxy.index, SESS_RATE);
    this.errors = new ErrorReplies(context, proxy);
    this.stats = statsReply(proxy);
    this.responseLimits = headLimits(context.model, proxy.options.acceptInvalidResponse);
    this.queue = new WaitingLine();
    const first = context.topology.firstServer[proxy.index]!;
    this.servers = proxy.servers.map((config, i) => new Server(this, config, first + i));
    const cookies = new ServerCookies(context.dynamicCookies, proxy.index);
    this.cookie = proxy.cookie === null ? null : new CookiePersistence(proxy.cookie, cookies);
    this.nameCases = proxy.options.adjustsServerCase ? context.nameCases : null;
    // A listen has one set of filters, its frontend's.
    this.filters = proxy.kind === 'listen' ? null : proxyFilters(proxy);
    this.rdpCookie = proxy.persistRdpCookie === null ? null : new RdpCookie(proxy.persistRdpCookie);
    this.repeats = proxy.retryOn.some(condition => condition !== 'conn-failure');
    this.balancer = createBalancer(context.memory, context.topology, proxy);
  }
}

export class Server {
  readonly backend: Backend;
  readonly config: ServerConfig;
  /** Number over the whole configuration. */
  readonly number: number;
  readonly row: number;
  /** Where its histograms of times stand. */
  readonly timed: number;
  readonly at: number;
  readonly sessRate: Int32Array;
  readonly connectOptions: ConnectOptions;
  readonly live: LiveAddress;
  /** SERVER.kills when the server was last looked at. */
  kills: number;
  /** Streams waiting for this very server (persistence, hashing). */
  readonly queue: WaitingLine;
  readonly pool: ServerPool;
  /** `strict-maxconn`: how many connections there may be; null = any number. */
  readonly room: ConnectionRoom | null;
  /** null = it is never spoken to with TLS: see `usesTls`. */
  readonly tls: TlsServer | null;

  constructor(backend: Backend, config: ServerConfig, number: number) {
    const { memory, worker } = backend.context;
    this.backend = backend;
    this.config = config;
    this.number = number;
    this.row = memory.row(worker, 'server', number);
    this.timed = timedAt(backend.context, 'server', number);
    this.at = memory.server(number);
    this.sessRate = memory.rows('server', number, SESS_RATE);
    const delayAck = backend.proxy.options.tcpSmartConnect;
    this.connectOptions = {
      ...connectOptions(config, backend.proxy, backend.context.model.global.tune, portsOf(memory, config, worker)),
      tfo: config.tfo,
      delayAck,
    };
    this.live = new LiveAddress(memory, number, config);
    this.kills = Atomics.load(memory.words, this.at + SERVER.at.kills);
    this.queue = new WaitingLine();
    this.pool = new ServerPool(this);
    this.room = config.strictMaxconn ? new ConnectionRoom(this) : null;
    this.tls = config.tls === null ? null : new TlsServer(backend.context.tls, config.tls);
  }

  /** Whether connections that are made now begin with TLS. */
  get usesTls(): boolean {
    return this.tls !== null && Atomics.load(this.backend.context.memory.words, this.at + SERVER.at.plain) === 0;
  }
}

function timedAt({ memory, worker }: Context, kind: RowKind, index: number): number {
  return memory.histograms.at(worker, memory.timedRow(kind, index));
}

/** Builds the frontends and backends of `model` for one worker and links them. */
export function buildNouns(context: Context): void {
  for (const proxy of context.model.proxies) {
    context.frontends.push(isFrontend(proxy) ? new Frontend(context, proxy) : null);
    context.backends.push(isBackend(proxy) ? new Backend(context, proxy) : null);
  }
  for (const backend of context.backends) if (backend !== null) addBackend(context, backend);
  for (const frontend of context.frontends) {
    if (frontend === null) continue;
    const target = frontend.proxy.defaultBackend;
    frontend.defaultBackend = target < 0 ? null : context.backends[target]!;
    frontend.rules = compileRules(frontend);
    frontend.lists = compileRuleLists(context, frontend.proxy);
  }
}

/** Makes a backend known, and its rules, which may look at all others. */
export function addBackend(context: Context, backend: Backend): void {
  const { proxy } = backend;
  context.backends[proxy.index] = backend;
  if (proxy.mode !== 'log') context.backendsByName.set(proxy.name, backend);
  backend.rules = compileBackendRules(backend);
  backend.lists = compileRuleLists(context, proxy);
}
