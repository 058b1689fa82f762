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
import { isBackend, setServer } from '../config/model.ts';
import type { Proxy } from '../config/proxy-model.ts';
import type { Server } from '../config/server-model.ts';
import { initialiseServer } from '../health/initialise.ts';
import { serverWord, setServerWord, type Target, targetOf } from '../health/target.ts';
import { ADDED_SERVERS_MAX } from '../limits.ts';
import { CUR_IDLE, CUR_IDLE_PRIVATE, CUR_USED } from '../shm/counters.ts';
import { AS_CONFIGURED, writeAddress } from '../shm/server-address.ts';
import { ADMIN_FORCED_MAINT, ADMIN_MAINT, CHECK_CONFIGURED, SERVER } from '../shm/words.ts';
import { type Call, type CliEnv, type Command, later, type Reply } from './command.ts';
import { findProxy, onServer } from './find.ts';
import { knownFiles } from './known-files.ts';
import { data, notice } from './severity.ts';

/** Words of a server line that have no meaning for a server that comes later. */
const NOT_DYNAMIC = [
  ...[
    'cookie',
    'disabled',
    'enabled',
    'id',
    'init-addr',
    'on-marked-down',
    'on-marked-up',
    'redir',
    'resolvers',
    'track',
  ],
];

function addServer({ env, args }: Call): Reply {
  const [path = '', ...line] = args;
  if (path === 'help') return data(serverWords());
  const slash = path.indexOf('/');
  if (slash < 0) return "Require 'backend/server'.";
  const proxy = findProxy(env, path.slice(0, slash), isBackend);
  const name = path.slice(slash + 1);
  if (proxy === undefined) return 'No such backend.';
  if (proxy.mode === 'log') return 'Backend must use the TCP or HTTP mode to support dynamic servers.';
  if (isStatic(proxy)) return 'Backend must use a dynamic load balancing to support dynamic servers.';
  if (proxy.servers.some(server => server.name === name && !server.removed)) {
    return 'Already exists a server with the same name in backend.';
  }
  const refused = line.slice(1).find(word => NOT_DYNAMIC.includes(word));
  if (refused !== undefined) return `'${refused}' option is not accepted for dynamic server`;
  const free = proxy.servers.find(server => server.removed)?.index ?? proxy.servers.length;
  if (free >= proxy.serverSlots) {
    return `Limit reached: a backend may have ${ADDED_SERVERS_MAX} servers more than its configuration (${proxy.serverSlots} in all).`;
  }
  const parsed = parseServer(env, proxy, name, line);
  if (typeof parsed === 'string') return parsed;
  let id = 1;
  while (proxy.servers.some(server => server.id === id && !server.removed)) id++;
  return place(env, proxy, { ...parsed, index: free, id, forcedId: false, disabled: true }, 'New server registered.');
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
    ['server', name, ...words],
  ]);
  const resources = { resolve: () => null, readFile: knownFiles(tls.store), readFolder: () => null, env: {} };
  const model = loadModel(lex('CLI', text, {}, diagnostics), diagnostics, resources);
  const errors = diagnostics.list.filter(d => d.severity === 'alert').map(d => d.message);
  return errors.length > 0 || model === null ? errors.join('\n') : model.proxies[0]!.servers[0]!;
}

/** Words as the lexer reads them. */
function lines(of: readonly (readonly string[])[]): string {
  return of.map(words => `${words.map(word => word.replace(/[^\w.:/@%+-]/g, '\\$&')).join(' ')}\n`).join('');
}

/** Gives a place of the backend to `server` in every thread. */
function place(env: CliEnv, proxy: Proxy, server: Server, text: string): Reply {
  return later(done => {
    const target = targetOf(env, proxy, server);
    if (!server.removed) prepare(env, target);
    env.asker.server(proxy.index, server, known => {
      env.asker.ask({ type: 'server', proxy: proxy.index, server }, answers => {
        setServer(proxy, server);
        if (!server.removed) env.checks.add(target);
        const silent = answers.filter(a => a.answer === 'silent').map(a => a.worker + 1);
        const late = known ? silent.map(n => `Thread ${n}`) : ['The master thread', ...silent.map(n => `thread ${n}`)];
        done(notice(late.length === 0 ? text : `${text}\n${late.join(', ')} did not answer in time and will follow.`));
      });
    });
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
    'down_time',
    'down_trans',
    'check_fails',
    'check_text_len',
    'plain',
  ] as const) {
    setServerWord(memory, target, field, 0);
  }
  initialiseServer(env, target);
  // The operator's maintenance, not the configuration's.
  setServerWord(memory, target, 'admin', ADMIN_FORCED_MAINT);
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
  return place(env, target.proxy, { ...target.server, removed: true }, 'Server deleted.');
}

/** `add server help`: the words that a line may have. */
function serverWords(): string {
  const known = SERVER_WORDS.filter(({ name, status }) => status === 'supported' && !NOT_DYNAMIC.includes(name));
  return [
    'List of keywords supported for dynamic servers:',
    ...known.map(({ name, args }) => `${name} ${args}`.trimEnd()),
  ].join('\n');
}

export const DYNAMIC_SERVERS: readonly Command[] = [
  { words: 'add server', usage: '<bk>/<srv>', help: 'create a new server', level: 'admin', run: addServer },
  {
    words: 'del server',
    usage: '<bk>/<srv>',
    help: 'remove a dynamically added server',
    level: 'admin',
    run: onServer(delServer),
  },
];
