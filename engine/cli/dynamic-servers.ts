/**
 * `add server` and `del server`. Every backend has ADDED_SERVERS_MAX spare places in shared memory; a server that is
 * deleted leaves its place to the next one that is added.
 *
 *   add:  words of the place ──► master (for threads to come) ──► workers ──► own model, checks      it is in maintenance
 *   del:  in maintenance, no connection left ──► the same way, with a server that nobody sees
 */
import { isStatic } from '../balance/is-static.ts';
import { Diagnostics } from '../config/diagnostics.ts';
import { SERVER as SERVER_WORDS } from '../config/keywords-server.ts';
import { lex } from '../config/lexer.ts';
import { loadModel } from '../config/load.ts';
import { isBackend } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { parseOrigin } from '../config/server-origin.ts';
import { beginAsTracked, initialiseServer } from '../health/initialise.ts';
import { serverWord, setServerWord, type Target, targetOf } from '../health/target.ts';
import { isNowhere } from '../io/address.ts';
import { ADDED_SERVERS_MAX } from '../limits.ts';
import { CUR_IDLE, CUR_IDLE_PRIVATE, CUR_USED } from '../shm/counters.ts';
import { AS_CONFIGURED, writeAddress } from '../shm/server-address.ts';
import {
  ADMIN_CONFIG_MAINT,
  ADMIN_FORCED_MAINT,
  ADMIN_MAINT,
  ADMIN_RESOLUTION_MAINT,
  CHECK_CONFIGURED,
  SERVER,
} from '../shm/words.ts';
import type { Call, CliEnv, Command, Reply } from './command.ts';
import { takeTracking } from './dynamic-track.ts';
import { findProxy, onServer } from './find.ts';
import { knownFiles } from './known-files.ts';
import { placeEverywhere } from './placing.ts';
import { data, err } from './severity.ts';

/** Words of a server line that have no meaning for a server that comes later. */
const NOT_DYNAMIC = ['cookie', 'init-addr', 'redir', 'resolvers'];

function addServer({ env, args }: Call): Reply {
  const [path = '', ...line] = args;
  if (path === 'help') return data(serverWords());
  const [, backend = '', name = ''] = /^([^/]*)\/(.+)$/.exec(path) ?? [];
  if (name === '') return "Require 'backend/server'.";
  const proxy = findProxy(env, backend, isBackend);
  if (proxy === undefined) return 'No such backend.';
  if (proxy.mode === 'log') return 'Backend must use the TCP or HTTP mode to support dynamic servers.';
  if (isStatic(proxy)) return 'Backend must use a dynamic load balancing to support dynamic servers.';
  const refused = line.slice(1).find(word => NOT_DYNAMIC.includes(word));
  if (refused !== undefined) return `'${refused}' option is not accepted for dynamic server`;
  const free = proxy.servers.find(server => server.removed)?.index ?? proxy.servers.length;
  if (free >= proxy.serverSlots) {
    return `Limit reached: a backend may have ${ADDED_SERVERS_MAX} servers more than its configuration (${proxy.serverSlots} in all).`;
  }
  const whole = withOrigin(env, proxy, line);
  const tracking = typeof whole === 'string' ? whole : takeTracking(env.model, proxy, whole);
  if (typeof tracking === 'string') return tracking;
  const { words, track } = tracking;
  const parsed = parseServer(env, proxy, name, words);
  if (typeof parsed === 'string') return parsed;
  if (proxy.servers.some(server => server.name === name && !server.removed)) {
    return 'Already exists a server with the same name in backend.';
  }
  const { forcedId } = parsed;
  const holder = (id: number) => proxy.servers.find(server => server.id === id && !server.removed);
  let id = forcedId ? parsed.id : 1;
  if (forcedId && holder(id)) return `'id': custom id ${id} already used by server '${holder(id)!.name}'.`;
  while (holder(id)) id++;
  // In maintenance until `enable server`, unless its words say otherwise.
  const disabled = words.findLast(word => word === 'enabled' || word === 'disabled') !== 'enabled';
  return give(env, proxy, { ...parsed, track, index: free, id, disabled }, 'New server registered.');
}

/** The line with the settings of what its `from` names, but for those that only a server of the configuration can have. */
function withOrigin(env: CliEnv, own: Proxy, line: readonly string[]): readonly string[] | string {
  const [address = '', from, text = '', ...rest] = line;
  if (from !== 'from') return line;
  const origin = parseOrigin(text);
  if (origin === null) return `'from' expects 'none', 'be:[<backend>]' or 'srv:[<backend>/]<server>', not '${text}'.`;
  if (origin === 'none') return [address, ...rest];
  const { backend, server } = origin;
  const proxy = backend === '' ? own : findProxy(env, backend, isBackend);
  const there = [...(proxy?.defaultServers ?? []), ...(proxy?.servers.filter(known => !known.removed) ?? [])];
  const found = there.find(({ name }) => name === (server ?? ''));
  if (found === undefined) return `'from ${text}': there is no such ${server === null ? 'backend' : 'server'}.`;
  return [address, ...found.settings.filter(([word = '']) => !NOT_DYNAMIC.includes(word)).flat(), ...rest];
}

/** The line as it would stand in the configuration, or what is wrong with it. TLS files that it names must be in memory. */
function parseServer(
  { tls, model: running }: CliEnv,
  proxy: Proxy,
  name: string,
  words: readonly string[],
): Server | string {
  if (words.length === 0) return "'server' expects <name> and <addr>[:<port>] as arguments.";
  const diagnostics = new Diagnostics();
  const text = lines([
    ['global'],
    ...running.global.tls.serverLines,
    ['backend', proxy.name],
    ['mode', proxy.mode],
    // Nobody waits for a name: who has none for an address yet is in maintenance until `set server addr`.
    ['default-server', 'init-addr', 'none'],
    ['server', name, ...words],
  ]);
  const resources = { resolve: () => null, readFile: knownFiles(tls.store), readFolder: () => null, env: {} };
  const model = loadModel(lex('CLI', text, {}, diagnostics), diagnostics, resources);
  const errors = diagnostics.list.filter(d => d.severity === 'alert').map(d => d.message);
  if (errors.length > 0 || model === null) return errors.join('\n');
  const server = model.proxies[0]!.servers[0]!;
  return server.portsAt < 0
    ? server
    : "'source': no range of ports for servers that are added: the memory for them is made at the start.";
}

/** Words as the lexer reads them. */
function lines(of: readonly (readonly string[])[]): string {
  return of.map(words => `${words.map(word => word.replace(/[\s"'\\#$]/g, '\\$&')).join(' ')}\n`).join('');
}

/** Gives a place of the backend to `server` in every thread. */
function give(env: CliEnv, proxy: Proxy, server: Server, text: string): Reply {
  const target = targetOf(env, proxy, server);
  if (!server.removed) prepare(env, target);
  return placeEverywhere(env, { type: 'server', proxy: proxy.index, server }, text, () => {
    if (!server.removed) env.checks.add(target);
  });
}

/** The words of the place, as those of a server in maintenance whose checks do not run yet. */
function prepare(env: CliEnv, target: Target): void {
  const { memory } = env;
  const at = memory.server(target.number);
  for (const field of ['addr', 'check_addr', 'agent_addr'] as const) {
    writeAddress(memory.words, at + SERVER.at[field], AS_CONFIGURED);
  }
  for (const field of [
    'served_max',
    'queued_max',
    'dequeued',
    'down_time',
    'down_trans',
    'check_fails',
    'check_text_len',
    'plain',
  ] as const) {
    setServerWord(memory, target, field, 0);
  }
  initialiseServer(env, target);
  // The operator's maintenance; the configuration's only where the line says so.
  const { address, disabled, settings } = target.server;
  const written = settings.some(([word]) => word === 'disabled') ? ADMIN_CONFIG_MAINT : 0;
  const lost = isNowhere(address) ? ADMIN_RESOLUTION_MAINT : 0;
  setServerWord(memory, target, 'admin', (disabled ? ADMIN_FORCED_MAINT | written : 0) | lost);
  beginAsTracked(env, target);
  if (target.server.check) setServerWord(memory, target, 'check_on', CHECK_CONFIGURED);
  if (target.server.agent) setServerWord(memory, target, 'agent_on', CHECK_CONFIGURED);
  env.asker.ask({ type: 'clear', all: true, server: target.number }, () => {});
}

/** Why the server cannot be deleted: for good, or only now. Null when it can. */
export function notRemovable({ memory, model }: CliEnv, target: Target): { why: string; forGood: boolean } | null {
  const { proxy, server, number } = target;
  const tracked = model.proxies.some(p =>
    p.servers.some(({ track, removed }) => !removed && track?.proxy === proxy.index && track.server === server.index),
  );
  if (tracked)
    return {
      why: 'This server cannot be removed at runtime due to other configuration elements pointing to it.',
      forGood: true,
    };
  if ((serverWord(memory, target, 'admin') & ADMIN_MAINT) === 0) {
    return { why: 'Only servers in maintenance mode can be deleted.', forGood: true };
  }
  const connections = [CUR_USED, CUR_IDLE, CUR_IDLE_PRIVATE].map(counter => memory.sum('server', number, counter));
  const busy = serverWord(memory, target, 'served') + serverWord(memory, target, 'queued');
  if (connections.every(n => n === 0) && busy === 0) return null;
  return { why: 'Server still has connections attached to it, cannot remove it.', forGood: false };
}

function delServer({ env }: Call, target: Target): Reply {
  const refusal = notRemovable(env, target);
  if (refusal !== null) return refusal.why;
  env.checks.remove(target);
  env.names.remove(target);
  return give(env, target.proxy, { ...target.server, removed: true }, 'Server deleted.');
}

/** `add server help`: the words that a line may have. */
function serverWords(): string {
  const known = SERVER_WORDS.filter(({ name, status }) => status === 'supported' && !NOT_DYNAMIC.includes(name));
  return [
    'List of keywords supported for dynamic servers:',
    ...known.map(({ name, args }) => `${name} ${args}`.trimEnd()),
  ].join('\n');
}

/** `show default-server`: what `from` of a new server may name, and what that says. */
function showDefaults({ env, args: [name] }: Call): Reply {
  const proxies = env.model.proxies.filter(isBackend);
  const one = name === undefined ? undefined : findProxy(env, name, isBackend);
  if (name !== undefined && one === undefined) return err("Can't find backend.");
  const lines = (one === undefined ? proxies : [one]).flatMap(proxy =>
    proxy.defaultServers
      .filter(({ name, settings }) => name !== '' || settings.length > 0)
      .map(({ name, settings }) => [
        name === '' ? `be:${proxy.name}` : `srv:${proxy.name}/${name}`,
        ...settings.flat(),
      ]),
  );
  return lines.map(words => words.join(' ')).join('\n');
}

export const DYNAMIC_SERVERS: readonly Command[] = [
  {
    words: 'show default-server',
    usage: '[<backend>]',
    help: 'list the default servers that a new one may begin with',
    level: 'user',
    run: showDefaults,
  },
  { words: 'add server', usage: '<bk>/<srv>', help: 'create a new server', level: 'admin', run: addServer },
  {
    words: 'del server',
    usage: '<bk>/<srv>',
    help: 'remove a dynamically added server',
    level: 'admin',
    run: onServer(delServer),
  },
];
