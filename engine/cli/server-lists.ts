/** Lists of servers: `show servers state`, `show servers conn`, `show backend`. */
import { hashed, hashedAddress } from '../config/anonymous.ts';
import { isBackend } from '../config/model.ts';
import { CHECK_STATUSES, INI, RESULT_NUMBERS } from '../health/statuses.ts';
import { serverWord, type Target, targetOf } from '../health/target.ts';
import { hostText } from '../io/address.ts';
import { CUR_IDLE, CUR_IDLE_PRIVATE, CUR_USED } from '../shm/counters.ts';
import { LiveAddress } from '../shm/server-address.ts';
import { ADMIN_CONFIG_MAINT, ADMIN_MAINT, CHECK_CONFIGURED, CHECK_ENABLED, CHECK_RUNNING } from '../shm/words.ts';
import { type Dump, Out, PIECE_BYTES } from '../stats/out.ts';
import type { Call, CliEnv, Command } from './command.ts';
import { findProxy } from './find.ts';
import { ownCheckAddress } from './server-addresses.ts';
import { err } from './severity.ts';

/** A table with a row for each server: of all backends, or of the one that is named. */
function serverTable(
  head: (env: CliEnv) => string,
  row: (env: CliEnv, t: Target, anonKey: number) => string,
): Command['run'] {
  return ({ env, state: { anonKey }, args }) => {
    const named = args[0] === undefined ? undefined : findProxy(env, args[0], isBackend);
    if (args[0] !== undefined && named === undefined) return err("Can't find backend.");
    const backends = named === undefined ? env.model.proxies.filter(isBackend) : [named];
    const targets = backends.flatMap(proxy =>
      proxy.servers.filter(s => !s.removed).map(server => targetOf(env, proxy, server)),
    );
    return lines(head(env), targets, t => row(env, t, anonKey));
  };
}

/** Made as the peer reads. */
function lines<T>(head: string, rows: readonly T[], text: (row: T) => string): Dump {
  const out = new Out();
  let at = -1;
  return {
    next: () => {
      out.clear();
      for (; at < rows.length && out.length < PIECE_BYTES; at++) out.text(`${at < 0 ? head : text(rows[at]!)}\n`);
      return out.length === 0 ? null : out.take();
    },
  };
}

// --- show servers state: management.txt, `show servers state`, version 1 of the file ---

const STATE_FIELDS =
  'be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr ' +
  'srv_agent_addr srv_agent_port';

function stateRow(env: CliEnv, t: Target, anonKey: number): string {
  const word = (field: Parameters<typeof serverWord>[2]) => serverWord(env.memory, t, field);
  const { proxy, server } = t;
  const { address, port } = new LiveAddress(env.memory, t.number, server);
  const { name, service } = env.names.originOf(t);
  const check = ownCheckAddress(env, t, 'check');
  const agent = ownCheckAddress(env, t, 'agent');
  return [
    proxy.id,
    hashed(proxy.name, anonKey),
    server.id,
    hashed(server.name, anonKey),
    (address.family !== 1 && hashedAddress(hostText(address), anonKey)) || '-',
    word('oper'),
    word('admin'),
    word('uweight'),
    word('iweight'),
    Math.max(0, Math.floor(env.now() / 1000) - word('last_change')),
    server.check ? word('check_status') : INI,
    server.check ? RESULT_NUMBERS[CHECK_STATUSES[word('check_status')]!.result] : 0,
    word('check_health'),
    checkState(word('check_on'), word('admin')),
    agentState(word('agent_on')),
    `${proxy.forcedId ? 1 : 0} ${server.forcedId ? 1 : 0}`,
    hashed(name ?? '', anonKey) || '-',
    port,
    hashed(service ?? '', anonKey) || '-',
    server.tls !== null && word('plain') === 0 ? 1 : 0,
    check.port,
    hashedAddress(check.host ?? '', anonKey) || '-',
    hashedAddress(agent.host ?? '', anonKey) || '-',
    agent.port,
  ].join(' ');
}

/** HAProxy's bits: 1 = in progress, 2 = configured, 4 = enabled, 8 = paused by maintenance. */
function checkState(on: number, admin: number): number {
  // What has no checks is paused by its line's `disabled` only, and for ever.
  if ((on & CHECK_CONFIGURED) === 0) return admin & ADMIN_CONFIG_MAINT ? 8 : 0;
  // Nor are checks paused that have never been enabled.
  const pauses = (admin & ADMIN_CONFIG_MAINT) !== 0 || (on & CHECK_ENABLED) !== 0;
  const paused = pauses && (admin & ADMIN_MAINT) !== 0 ? 8 : 0;
  const running = on & CHECK_RUNNING ? 1 : 0;
  const enabled = on & CHECK_ENABLED ? 4 : 0;
  return running | 2 | enabled | paused;
}

/** 16 = of an agent. Maintenance does not pause it: it may lead out of that. */
function agentState(on: number): number {
  const state = checkState(on, 0);
  return state === 0 ? 0 : state | 16;
}

// --- show servers conn: management.txt ---

function connHead({ memory }: CliEnv): string {
  return (
    '# bkname/svname bkid/svid addr port - purge_delay served used_cur used_max need_est idle_sess unsafe_nb safe_nb ' +
    `idle_lim idle_cur idle_per_thr[${memory.shape.workers}]`
  );
}

/** `used_max` and `need_est` are the most streams it has had at a time: each has a connection. */
function connRow({ memory }: CliEnv, t: Target, anonKey: number): string {
  const { proxy, server, number } = t;
  const { address, port } = new LiveAddress(memory, number, server);
  const idle = Array.from(
    { length: memory.shape.workers },
    (_, w) => memory.counters[memory.row(w, 'server', number) + CUR_IDLE]!,
  );
  const most = serverWord(memory, t, 'served_max');
  const safe = memory.sum('server', number, CUR_IDLE);
  const own = memory.sum('server', number, CUR_IDLE_PRIVATE);
  const host = hashedAddress(hostText(address), anonKey) || '-';
  return [
    `${hashed(proxy.name, anonKey)}/${hashed(server.name, anonKey)} ${proxy.id}/${server.id} ${host} ${port} -`,
    `${server.poolPurgeDelayMs} ${serverWord(memory, t, 'served')} ${memory.sum('server', number, CUR_USED)}`,
    `${most} ${most} ${own} 0 ${safe}`,
    `${server.poolMaxConn} ${safe} ${idle.join(' ')}`,
  ].join(' ');
}

function showBackend({ env }: Call): string {
  return ['# name', ...env.model.proxies.filter(isBackend).map(p => p.name)].join('\n');
}

export const SERVER_LISTS: readonly Command[] = [
  {
    words: 'show backend',
    usage: '',
    help: 'list backends in the current running config',
    level: 'user',
    run: showBackend,
  },
  {
    words: 'show servers conn',
    usage: '[<backend>]',
    help: 'dump server connections status (all or for a single backend)',
    level: 'operator',
    run: serverTable(connHead, connRow),
  },
  {
    words: 'show servers state',
    usage: '[<backend>]',
    help: 'dump volatile server information (all or for a single backend)',
    level: 'user',
    run: serverTable(() => `1\n# ${STATE_FIELDS}`, stateRow),
  },
];
