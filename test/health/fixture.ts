/** A model with one backend, shared memory for it, and a world that records what is logged. */

import type { Check } from '../../engine/config/check-model.ts';
import { agentCheck } from '../../engine/config/check-presets.ts';
import type { Model } from '../../engine/config/model.ts';
import type { AgentCheck, Server } from '../../engine/config/server-model.ts';
import { initialise } from '../../engine/health/initialise.ts';
import { CHECK_STATUSES } from '../../engine/health/statuses.ts';
import { type StateEnv, type Target, targetOf } from '../../engine/health/target.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { type Outside, outside } from '../../engine/sample/outside.ts';
import { ProcVars } from '../../engine/sample/proc-vars.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { Memory, shapeOf, topology } from '../../engine/shm/memory.ts';
import { PROXY, SERVER } from '../../engine/shm/words.ts';
import { createStickMemory, Tables } from '../../engine/stick/tables.ts';
import { load } from '../config/load-text.ts';

/** The check that these lines of a backend make. */
export function checkOfLines(...lines: readonly string[]): Check {
  const { model, diagnostics } = load(`backend b\n${lines.join('\n')}\n`);
  if (model === null) throw new Error(diagnostics.list.map(d => d.message).join('\n'));
  return model.proxies[0]!.check;
}

export const TCP_CHECK = checkOfLines();
export const HTTP_CHECK = checkOfLines('option httpchk');

/** An agent on port 82. */
export const AGENT: AgentCheck = {
  interMs: 1000,
  address: { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: 82 },
  script: { ...TCP_CHECK, type: 'agent', steps: agentCheck('') },
};

export interface ServerOptions extends Partial<Server> {
  readonly inter?: number;
  readonly rise?: number;
  readonly fall?: number;
  readonly fastinter?: number;
  readonly downinter?: number;
  readonly port?: number;
  readonly unchecked?: boolean;
  readonly checkSendProxy?: boolean;
  readonly viaSocks4?: boolean;
}

export interface ModelOptions {
  readonly kind?: 'backend' | 'listen';
  readonly check?: Check;
  readonly logHealthChecks?: boolean;
  readonly timeouts?: Partial<Model['proxies'][number]['timeouts']>;
  readonly global?: Partial<Model['global']>;
}

function server(index: number, o: ServerOptions): Server {
  const address = { family: 4, bytes: Uint8Array.of(127, 0, 0, 1), port: o.port ?? 80 } as const;
  const check = {
    interMs: o.inter ?? 1000,
    fastinterMs: o.fastinter ?? 0,
    downinterMs: o.downinter ?? 0,
    rise: o.rise ?? 2,
    fall: o.fall ?? 3,
    address,
    sendProxy: o.checkSendProxy ?? false,
    viaSocks4: o.viaSocks4 ?? false,
    script: null,
  };
  const base = { index, id: index + 1, name: `s${index + 1}`, weight: 1, backup: false, disabled: false, maxconn: 0 };
  return {
    ...base,
    address,
    text: '127.0.0.1',
    hostname: null,
    slowstartMs: 0,
    cookie: null,
    maxqueue: 0,
    poolMaxConn: -1,
    sendProxy: 0,
    proxyOptions: [],
    source: null,
    tcpUserTimeoutMs: 0,
    congestion: '',
    md5sig: '',
    namespace: '',
    agent: null,
    track: null,
    observe: null,
    shutdownWhenDown: false,
    shutdownBackupsWhenUp: false,
    initState: 'none',
    socks4: null,
    saved: null,
    tls: null,
    checkTls: null,
    check: o.unchecked ? null : check,
    ...o,
  } as Server;
}

export function modelOf(servers: readonly ServerOptions[], o: ModelOptions = {}): Model {
  const proxy = {
    index: 0,
    kind: o.kind ?? 'backend',
    name: 'b',
    id: 2,
    disabled: false,
    mode: 'http',
    binds: [],
    maxconn: 0,
    rateLimitSessions: 0,
    servers: servers.map((s, i) => server(i, s)),
    serverSlots: servers.length,
    check: o.check ?? TCP_CHECK,
    balance: { algorithm: 'roundrobin' },
    cookie: null,
    description: null,
    guid: null,
    stats: null,
    fullconn: 0,
    useBackend: [],
    defaultBackend: -1,
    source: null,
    timeouts: { checkMs: 0, connectMs: 5000, ...o.timeouts },
    options: { logHealthChecks: o.logHealthChecks ?? false, socketStats: false, allbackups: false },
  };
  const global = {
    compression: { rateBytes: 0, memoryBytes: 0 },
    node: 'lb1',
    description: null,
    maxconn: 100,
    maxconnrate: 0,
    maxsessrate: 0,
    spreadChecksPercent: 0,
    maxSpreadChecksMs: 0,
    statsTimeoutMs: 10_000,
    statsMaxconn: 10,
    statsSockets: [],
    tune: { bufsizeBytes: 16_384, varsLimited: false, rcvbufServerBytes: 0, sndbufServerBytes: 0 },
    tls: { maxConn: 0, maxRate: 0 },
    ...o.global,
  };
  return {
    global,
    proxies: [proxy],
    userlists: [],
    rings: [],
    resolvers: [],
    tables: [],
    peers: [],
    logForwards: [],
  } as unknown as Model;
}

export interface World {
  readonly env: StateEnv & { readonly outside: Outside };
  readonly targets: readonly Target[];
  /** `<level>text`, as `log stdout format short` shows it. */
  readonly lines: string[];
  /** Milliseconds of the shared clock; starts at 1,000,000. */
  clock: number;
  word(target: number, field: keyof typeof SERVER.at): number;
  px(field: keyof typeof PROXY.at): number;
  status(target: number): string;
  text(target: number): string;
}

/** What expressions of checks may ask for. */
export function outsideOf(model: Model, memory: Memory): Outside {
  const changes = new ChangeLog(createChanges(1), 0);
  const tables = new Tables(model, createStickMemory(model, 1), 0);
  const inside = { model, memory, topology: topology(model), tables };
  return outside(model, new PatternBooks([], changes), new ProcVars([], changes), inside);
}

export function worldOf(model: Model): World {
  const memory = Memory.create(shapeOf(model, 1));
  const lines: string[] = [];
  const env = {
    model,
    memory,
    topology: topology(model),
    outside: outsideOf(model, memory),
    log: (level: number, _proxy: number, text: string) => void lines.push(`<${level}>${text}`),
    now: () => world.clock,
  };
  const proxy = model.proxies[0]!;
  const targets = proxy.servers.map(s => targetOf(env, proxy, s));
  const world: World = {
    env,
    targets,
    lines,
    clock: 1_000_000,
    word: (i, field) => memory.words[memory.server(targets[i]!.number) + SERVER.at[field]]!,
    px: field => memory.words[memory.proxy(0) + PROXY.at[field]]!,
    status: i => CHECK_STATUSES[world.word(i, 'check_status')]!.name,
    text: i => {
      const at = (memory.server(targets[i]!.number) + SERVER.at.check_text) * 4;
      return Buffer.from(memory.buffer, at, world.word(i, 'check_text_len')).toString();
    },
  };
  initialise(memory, model, world.clock);
  return world;
}
