/**
 * What a new generation of the configuration takes over from the one before it when it begins to serve: what operators
 * have set at run time, what checks have found, what has been counted in shared words.
 *
 * One rule for all that a configuration also says: where the new configuration says what the old one said, what was set at
 * run time stays; where it says something else, that is in force.
 */
import { isBackend, isFrontend, type Model } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { isNowhere } from '../io/address.ts';
import type { Matches } from '../shm/past.ts';
import { LiveAddress, readAddress, writeAddress } from '../shm/server-address.ts';
import {
  ADMIN_CONFIG_MAINT,
  ADMIN_FORCED_DRAIN,
  ADMIN_FORCED_MAINT,
  ADMIN_MAINT,
  ADMIN_NAMED,
  ADMIN_RESOLUTION_MAINT,
  CHECK_RUNNING,
  CHECK_TEXT_BYTES,
  FE_PAUSED,
  LISTENER,
  OPER_RUNNING,
  OPER_STOPPED,
  PROCESS,
  PROXY,
  SERVER,
} from '../shm/words.ts';
import { beginAsTracked } from './initialise.ts';
import { type StateEnv, serverWord, setServerWord, type Target, targetOf } from './target.ts';
import { settle } from './weights.ts';

const P = PROCESS.at;
const X = PROXY.at;
const S = SERVER.at;

/** Settings of the global section that `set maxconn global` and its kin change. */
const PROCESS_LIMITS = [
  ['maxconn', P.maxconn],
  ['maxconnrate', P.maxconnrate],
  ['maxsessrate', P.maxsessrate],
] as const;

/** Words that go on as they are. */
const PROCESS_KEPT = [P.conns_max, P.start_second, P.stream_numbers, P.dropped_logs];
const FRONTEND_KEPT = [X.fe_conns_max, X.fe_log_lines];
const BACKEND_KEPT = [X.be_sess_max, X.be_queued_max, X.last_change, X.down_time, X.down_trans, X.turn];
const SERVER_KEPT = [S.served_max, S.queued_max, S.last_change, S.down_time, S.down_trans, S.check_fails];
/** The last check and the last agent check, while the server is checked in the same way. */
const TEXT_WORDS = CHECK_TEXT_BYTES / 4;
const CHECK_KEPT = [
  ...[S.check_status, S.check_code, S.check_duration, S.check_text_len, S.errors, S.error_kind, S.observed_fails],
  ...Array.from({ length: TEXT_WORDS }, (_, i) => S.check_text + i),
];
const AGENT_KEPT = [
  ...[S.agent_status, S.agent_code, S.agent_duration, S.agent_text_len, S.agent_health],
  ...Array.from({ length: TEXT_WORDS }, (_, i) => S.agent_text + i),
];

/**
 * Brings the words of `env` to what those of `from` are now. To be called when nothing changes states any more: the old
 * generation's control thread has stopped, the new one's does not run yet. May be called again.
 */
export function inherit(env: StateEnv, from: StateEnv, matches: Matches): void {
  const { model, memory } = env;
  keepWords(env, from, memory.process, from.memory.process, PROCESS_KEPT);
  for (const [field, at] of PROCESS_LIMITS) {
    keepSetting(
      env,
      from,
      memory.process + at,
      from.memory.process + at,
      model.global[field],
      from.model.global[field],
    );
  }
  for (const proxy of model.proxies) {
    const before = from.model.proxies[matches.proxies[proxy.index]!];
    if (before !== undefined) inheritProxy(env, from, proxy, before);
  }
  for (let i = 0; i < memory.shape.listeners; i++) {
    const there = matches.listeners[i]!;
    if (there >= 0) keepWords(env, from, memory.listener(i), from.memory.listener(there), [LISTENER.at.conns_max]);
  }
  const targets = model.proxies.flatMap(proxy => proxy.servers.map(server => targetOf(env, proxy, server)));
  for (const target of targets) {
    const there = matches.servers[target.number]!;
    const proxy = from.model.proxies[matches.proxies[target.proxy.index]!];
    if (there < 0 || proxy === undefined) continue;
    const server = proxy.servers[there - from.topology.firstServer[proxy.index]!]!;
    inheritServer(env, target, from, targetOf(from, proxy, server));
  }
  for (const target of targets) beginAsTracked(env, target);
  for (const target of targets) settle(env, target);
}

function inheritProxy(env: StateEnv, from: StateEnv, proxy: Proxy, before: Proxy): void {
  const at = env.memory.proxy(proxy.index);
  const there = from.memory.proxy(before.index);
  if (isFrontend(proxy)) {
    keepWords(env, from, at, there, FRONTEND_KEPT);
    const limit = (p: Proxy, { global }: Model) => p.maxconn || global.maxconn;
    keepSetting(env, from, at + X.fe_maxconn, there + X.fe_maxconn, limit(proxy, env.model), limit(before, from.model));
    const [now, then] = [proxy.rateLimitSessions, before.rateLimitSessions];
    keepSetting(env, from, at + X.fe_rate_limit, there + X.fe_rate_limit, now, then);
    const paused = Atomics.load(from.memory.words, there + X.fe_stopped) === FE_PAUSED;
    if (paused && !proxy.disabled) Atomics.store(env.memory.words, at + X.fe_stopped, FE_PAUSED);
  }
  if (isBackend(proxy)) keepWords(env, from, at, there, BACKEND_KEPT);
}

function inheritServer(env: StateEnv, t: Target, from: StateEnv, old: Target): void {
  const at = env.memory.server(t.number);
  const there = from.memory.server(old.number);
  keepWords(env, from, at, there, SERVER_KEPT);
  const setting = (field: 'maxconn' | 'uweight', now: number, then: number) =>
    keepSetting(env, from, at + S[field], there + S[field], now, then);
  setting('maxconn', t.server.maxconn, old.server.maxconn);
  setting('uweight', t.server.weight, old.server.weight);
  if (t.server.text === old.server.text) {
    for (const field of [S.addr, S.check_addr, S.agent_addr]) {
      writeAddress(env.memory.words, at + field, readAddress(from.memory.words, there + field));
    }
    stayThere(env, t, old);
  }
  const lost = isNowhere(new LiveAddress(env.memory, t.number, t.server).address) ? ADMIN_RESOLUTION_MAINT : 0;
  // Its name did not resolve while the configuration was read, so it began as lost.
  if (lost === 0 && isNowhere(t.server.address)) setServerWord(env.memory, t, 'oper', OPER_RUNNING);
  setServerWord(env.memory, t, 'admin', adminNow(t.server, old.server, serverWord(from.memory, old, 'admin')) | lost);
  inheritHealth(env, t, from, old);
}

/** Its name does not resolve while the new configuration is read: it is where the old one found it. */
function stayThere({ memory }: StateEnv, t: Target, old: Target): void {
  const at = memory.server(t.number) + S.addr;
  if (!isNowhere(t.server.address) || readAddress(memory.words, at).family !== null) return;
  const { address, portRelative: relative, portOffset } = old.server;
  if (!isNowhere(address))
    writeAddress(memory.words, at, {
      family: address.family,
      bytes: address.bytes,
      port: relative ? portOffset : address.port,
      relative,
    });
}

/** What the operator forced stays, and that it has another name; maintenance that only came from `disabled` goes and comes with that word. */
function adminNow(server: Server, old: Server, admin: number): number {
  const named = server.text === old.text && server.naming?.service === null ? ADMIN_NAMED : 0;
  const kept = admin & (ADMIN_FORCED_MAINT | ADMIN_FORCED_DRAIN | named);
  if (server.disabled && !old.disabled) return kept | ADMIN_CONFIG_MAINT | ADMIN_FORCED_MAINT;
  if (!server.disabled && old.disabled) return admin & ADMIN_CONFIG_MAINT ? kept & ~ADMIN_FORCED_MAINT : kept;
  return kept | (admin & ADMIN_CONFIG_MAINT);
}

/** Checks go on from where they were, as far as the server is still where it was, and the scale as long as it was. */
function inheritHealth(env: StateEnv, t: Target, from: StateEnv, old: Target): void {
  const { memory } = env;
  const set = (field: Parameters<typeof setServerWord>[2], value: number) => setServerWord(memory, t, field, value);
  const was = (field: Parameters<typeof setServerWord>[2]) => serverWord(from.memory, old, field);
  const [at, there] = [memory.server(t.number), from.memory.server(old.number)];
  const same = t.server.text === old.server.text;
  const [check, agent] = [t.server.check !== null && old.server.check !== null, t.server.agent && old.server.agent];
  if (check && same) {
    keepWords(env, from, at, there, CHECK_KEPT);
    set('check_on', was('check_on') & ~CHECK_RUNNING);
    const { rise, fall } = t.server.check!;
    const [oldRise, oldFall, health] = [was('check_rise'), was('check_fall'), was('check_health')];
    const up = health >= oldRise;
    set('check_health', rise === oldRise && fall === oldFall ? health : up ? rise + fall - 1 : 0);
  }
  if (agent && same) {
    keepWords(env, from, at, there, AGENT_KEPT);
    set('agent_on', was('agent_on') & ~CHECK_RUNNING);
  }
  if (t.server.track !== null) set('oper', OPER_RUNNING);
  else if (same && (check || agent || (serverWord(memory, t, 'admin') & ADMIN_MAINT) !== 0)) {
    set('oper', was('oper'));
    set('ramp', was('ramp'));
  } else if ((serverWord(memory, t, 'admin') & ADMIN_MAINT) !== 0) set('oper', OPER_STOPPED);
}

function keepWords(env: StateEnv, from: StateEnv, at: number, there: number, fields: readonly number[]): void {
  for (const field of fields) {
    Atomics.store(env.memory.words, at + field, Atomics.load(from.memory.words, there + field));
  }
}

/** A setting that may have been changed at run time stays so while the configuration says what it said. */
function keepSetting(env: StateEnv, from: StateEnv, at: number, there: number, now: number, then: number): void {
  if (now === then) Atomics.store(env.memory.words, at, Atomics.load(from.memory.words, there));
}
