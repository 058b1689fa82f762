/**
 * The shared words at start: limits, weights and states as the configuration has them. Called once by the master, before
 * any other thread attaches.
 *
 * A checked server starts UP with a check_health of `rise`: one failure takes it down, one success makes it sure. An
 * unchecked server is simply running. A `disabled` one is in maintenance (manual, 5.2 `disabled`, `rise`, `fall`).
 */
import { isFrontend, type Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import { isNowhere } from '../io/address.ts';
import { type Memory, type Topology, topology } from '../shm/memory.ts';
import {
  ADMIN_CONFIG_MAINT,
  ADMIN_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_INHERITED_DRAIN,
  ADMIN_INHERITED_MAINT,
  ADMIN_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_CONFIGURED,
  CHECK_ENABLED,
  FE_OPEN,
  FE_STOPPED,
  LISTENER,
  OPER_RUNNING,
  OPER_STOPPED,
  PROCESS,
  PROXY,
  SERVER,
} from '../shm/words.ts';
import { firstState, USUAL } from './change.ts';
import { restore } from './restore.ts';
import { INI, UNK } from './statuses.ts';
import { type StateEnv, serverWord, setServerWord, type Target, targetOf } from './target.ts';
import { trackedBy } from './track.ts';
import { settle } from './weights.ts';

/** `now` in milliseconds of the shared clock. */
export function initialise(memory: Memory, model: Model, now: number): void {
  const top = topology(model);
  const second = Math.floor(now / 1000);
  const { global } = model;
  store(memory, memory.process, PROCESS.at, {
    maxconn: global.maxconn,
    maxconnrate: global.maxconnrate,
    maxsessrate: global.maxsessrate,
    maxsslconn: global.tls.maxConn,
    maxsslrate: global.tls.maxRate,
    // Of a word it takes what fits: 2 GB a second.
    maxcomprate: Math.min(global.compression.rateBytes, 0x7fff_ffff),
    start_second: second,
    anon_key: global.anonKey | 0,
  });
  const env = { model, memory, topology: top, log: () => {}, now: () => now };
  for (const proxy of model.proxies) {
    store(memory, memory.proxy(proxy.index), PROXY.at, {
      fe_maxconn: proxy.maxconn || global.maxconn,
      fe_rate_limit: proxy.rateLimitSessions,
      be_unpublished: proxy.unpublished ? 1 : 0,
      fe_stopped: proxy.disabled ? FE_STOPPED : FE_OPEN,
      last_change: second,
    });
    if (isFrontend(proxy)) initialiseListeners(memory, top, proxy.index, proxy.binds);
    for (const server of proxy.servers) writeServer(env, targetOf(env, proxy, server));
  }
  const targets = model.proxies.flatMap(proxy => proxy.servers.map(server => targetOf(env, proxy, server)));
  for (const target of targets) if (target.server.saved !== null) restore(env, target, target.server.saved);
  for (const target of targets) beginAsTracked(env, target);
  for (const target of targets) settle(env, target);
  for (const proxy of model.proxies) countLost(memory, proxy);
}

/** A backend whose lines have servers, and which has none for what else is known of them, has gone down, as with HAProxy. */
function countLost(memory: Memory, { index, servers }: Proxy): void {
  const { words } = memory;
  const base = memory.proxy(index);
  const meant = servers.some(server => !server.disabled && server.weight > 0 && firstState(server).up);
  const usable = Atomics.load(words, base + PROXY.at.act) + Atomics.load(words, base + PROXY.at.bck);
  if (meant && usable === 0) Atomics.store(words, base + PROXY.at.down_trans, 1);
}

/** A server that tracks another begins as that one does. */
export function beginAsTracked(env: StateEnv, t: Target): void {
  const tracked = trackedBy(env, t);
  if (tracked === null) return;
  beginAsTracked(env, tracked);
  const { memory } = env;
  const admin = serverWord(memory, tracked, 'admin');
  const inherited =
    (admin & ADMIN_MAINT ? ADMIN_INHERITED_MAINT : 0) | (admin & ADMIN_DRAIN ? ADMIN_INHERITED_DRAIN : 0);
  setServerWord(memory, t, 'admin', serverWord(memory, t, 'admin') | inherited);
  if (inherited & ADMIN_INHERITED_MAINT) setServerWord(memory, t, 'check_health', 0);
  if (serverWord(memory, tracked, 'oper') === OPER_STOPPED) setServerWord(memory, t, 'oper', OPER_STOPPED);
}

function initialiseListeners(
  memory: Memory,
  top: Topology,
  proxy: number,
  binds: readonly { readonly maxconn: number }[],
): void {
  binds.forEach((bind, i) => {
    store(memory, memory.listener(top.firstListener[proxy]! + i), LISTENER.at, { maxconn: bind.maxconn });
  });
}

/** The words of a backend that comes later, whoever had its place before. It has no servers yet. */
export function initialiseBackend({ memory, now }: StateEnv, { index, unpublished }: Proxy): void {
  const base = memory.proxy(index);
  for (const [name, at] of Object.entries(PROXY.at)) {
    // Balancers have seen this number.
    if (name !== 'generation') Atomics.store(memory.words, base + at, 0);
  }
  store(memory, base, PROXY.at, {
    be_unpublished: unpublished ? 1 : 0,
    last_change: Math.floor(now() / 1000),
  });
}

/** The words of a server that comes later: as its configuration has them. */
export function initialiseServer(env: StateEnv, target: Target): void {
  writeServer(env, target);
  settle(env, target);
}

function writeServer(env: StateEnv, target: Target): void {
  const { memory } = env;
  const { server, number } = target;
  const { check, agent } = server;
  const begin = firstState(server);
  const lost = isNowhere(server.address);
  const configured = server.disabled ? ADMIN_CONFIG_MAINT | ADMIN_FORCED_MAINT : 0;
  store(memory, memory.server(number), SERVER.at, {
    maxconn: server.maxconn,
    oper: server.disabled || lost || !begin.up ? OPER_STOPPED : OPER_RUNNING,
    admin: configured | (lost ? ADMIN_RESOLUTION_MAINT : 0),
    uweight: server.weight,
    iweight: server.weight,
    last_change: Math.floor(env.now() / 1000),
    check_on: check ? CHECK_CONFIGURED | CHECK_ENABLED : 0,
    check_status: check ? INI : UNK,
    check_code: -1,
    check_duration: -1,
    check_rise: (check ?? USUAL).rise,
    check_fall: (check ?? USUAL).fall,
    check_health: server.disabled || lost ? 0 : begin.health,
    agent_on: agent ? CHECK_CONFIGURED | CHECK_ENABLED : 0,
    agent_status: agent ? INI : UNK,
    agent_code: -1,
    agent_duration: -1,
    agent_rise: agent ? 1 : 0,
    agent_fall: agent ? 1 : 0,
    agent_health: agent ? 1 : 0,
  });
}

function store<N extends string>(
  memory: Memory,
  base: number,
  at: Readonly<Record<N, number>>,
  values: Partial<Record<N, number>>,
): void {
  for (const name in values) Atomics.store(memory.words, base + at[name], values[name]!);
}
