/** Commands that look at servers and change them. All changes go through engine/health/state.ts. */
import { isBackend, type Server } from '../config/model.ts';
import { changeWeight } from '../health/agent.ts';
import { forceHealth, setDrain, setMaint, setReady } from '../health/state.ts';
import { CHECK_STATUSES, RESULT_NUMBERS } from '../health/statuses.ts';
import { type StateEnv, serverWord, type Target, targetOf } from '../health/target.ts';
import { hostText } from '../io/address.ts';
import { ADMIN_MAINT, CHECK_CONFIGURED, CHECK_ENABLED, CHECK_RUNNING } from '../shm/words.ts';
import type { Call, Command } from './command.ts';

/** The server that `backend/server` names, or what to answer. */
function find(env: StateEnv, text: string | undefined): Target | string {
  const slash = text?.indexOf('/') ?? -1;
  if (text === undefined || slash < 0) return "Require 'backend/server'.";
  const proxy = env.model.proxies.find(p => isBackend(p) && p.name === text.slice(0, slash));
  if (!proxy) return 'No such backend.';
  const server = proxy.servers.find(s => s.name === text.slice(slash + 1));
  return server ? targetOf(env, proxy, server) : 'No such server.';
}

/** A command whose first argument is a server. */
function onServer(act: (env: StateEnv, target: Target, args: readonly string[]) => string): Command['run'] {
  return ({ env, args }) => {
    const target = find(env, args[0]);
    return typeof target === 'string' ? target : act(env, target, args.slice(1));
  };
}

type Setter = (env: StateEnv, target: Target, value: string | undefined) => string;

const STATES: Readonly<Record<string, (env: StateEnv, t: Target) => void>> = {
  ready: setReady,
  drain: setDrain,
  maint: setMaint,
};

const HEALTHS = ['up', 'stopping', 'down'] as const;

const SETTERS: Readonly<Record<string, Setter>> = {
  health: (env, t, value = '') => {
    const health = HEALTHS.find(h => h === value);
    if (health === undefined) return "'set server <srv> health' expects 'up', 'stopping', or 'down'.";
    forceHealth(env, t, health, ', changed from CLI');
    return '';
  },
  state: (env, t, value = '') => {
    if (!Object.hasOwn(STATES, value)) return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.";
    STATES[value]!(env, t);
    return '';
  },
  weight: weightCommand,
};

function setServer(env: StateEnv, target: Target, [what = '', value]: readonly string[]): string {
  if (!Object.hasOwn(SETTERS, what)) {
    return `usage: set server <backend>/<server> ${Object.keys(SETTERS).join(' | ')}`;
  }
  return SETTERS[what]!(env, target, value);
}

function weightCommand(env: StateEnv, target: Target, text: string | undefined): string {
  return text === undefined ? 'Require <weight> or <weight%>.' : changeWeight(env, target, text);
}

function getWeight(env: StateEnv, target: Target): string {
  return `${serverWord(env.memory, target, 'uweight')} (initial ${serverWord(env.memory, target, 'iweight')})`;
}

function set(change: (env: StateEnv, t: Target) => void): Command['run'] {
  return onServer((env, target) => {
    change(env, target);
    return '';
  });
}

// --- show servers state: management.txt, `show servers state`, version 1 of the file ---

const STATE_FIELDS =
  'be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight ' +
  'srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state ' +
  'bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr ' +
  'srv_agent_addr srv_agent_port';

function showServersState({ env, args }: Call): string {
  const backends = env.model.proxies.filter(p => isBackend(p) && (args[0] === undefined || p.name === args[0]));
  if (args[0] !== undefined && backends.length === 0) return "Can't find backend.";
  const rows = backends.flatMap(proxy => proxy.servers.map(server => stateRow(env, targetOf(env, proxy, server))));
  return ['1', `# ${STATE_FIELDS}`, ...rows].join('\n');
}

function stateRow(env: StateEnv, t: Target): string {
  const word = (field: Parameters<typeof serverWord>[2]) => serverWord(env.memory, t, field);
  const { proxy, server } = t;
  const ownAddress = server.check !== null && hostText(server.check.address) !== hostText(server.address);
  const ownPort = server.check !== null && server.check.address.port !== server.address.port;
  return [
    proxy.id,
    proxy.name,
    server.id,
    server.name,
    hostText(server.address),
    word('oper'),
    word('admin'),
    word('uweight'),
    word('iweight'),
    Math.max(0, Math.floor(env.now() / 1000) - word('last_change')),
    word('check_status'),
    RESULT_NUMBERS[CHECK_STATUSES[word('check_status')]!.result],
    word('check_health'),
    checkState(word('check_on'), word('admin')),
    agentState(word('agent_on')),
    '0 0',
    server.hostname ?? '-',
    server.address.port,
    '- 0',
    ownPort ? server.check!.address.port : 0,
    ownAddress ? hostText(server.check!.address) : '-',
    agentEnd(server),
  ].join(' ');
}

/** HAProxy's bits: 1 = in progress, 2 = configured, 4 = enabled, 8 = paused by maintenance. */
function checkState(on: number, admin: number): number {
  if ((on & CHECK_CONFIGURED) === 0) return 0;
  const running = on & CHECK_RUNNING ? 1 : 0;
  const enabled = on & CHECK_ENABLED ? 4 : 0;
  return running | 2 | enabled | (admin & ADMIN_MAINT ? 8 : 0);
}

/** Address, unless it is the server's, and port of its agent. */
function agentEnd({ agent, address }: Server): string {
  if (agent === null) return '- 0';
  const own = hostText(agent.address) !== hostText(address);
  return `${own ? hostText(agent.address) : '-'} ${agent.address.port}`;
}

/** The same bits of an agent; 16 says that it is one. Maintenance does not pause it. */
function agentState(on: number): number {
  return checkState(on, 0) && checkState(on, 0) | 16;
}

function showBackend({ env }: Call): string {
  return ['# name', ...env.model.proxies.filter(isBackend).map(p => p.name)].join('\n');
}

export const SERVER_COMMANDS: readonly Command[] = [
  {
    words: 'disable server',
    usage: '(DEPRECATED)',
    help: "disable a server for maintenance (use 'set server' instead)",
    level: 'admin',
    run: set(setMaint),
  },
  {
    words: 'enable server',
    usage: ' (DEPRECATED)',
    help: "enable a disabled server (use 'set server' instead)",
    level: 'admin',
    run: set(setReady),
  },
  {
    words: 'get weight',
    usage: '<bk>/<srv>',
    help: "report a server's current weight",
    level: 'user',
    run: onServer(getWeight),
  },
  {
    words: 'set server',
    usage: '<bk>/<srv> [opts]',
    help: "change a server's state or weight",
    level: 'admin',
    run: onServer(setServer),
  },
  {
    words: 'set weight',
    usage: '<bk>/<srv>  (DEPRECATED)',
    help: "change a server's weight (use 'set server' instead)",
    level: 'admin',
    run: onServer((env, target, [text]) => weightCommand(env, target, text)),
  },
  {
    words: 'show backend',
    usage: '',
    help: 'list backends in the current running config',
    level: 'user',
    run: showBackend,
  },
  {
    words: 'show servers state',
    usage: '[<backend>]',
    help: 'dump volatile server information (all or for a single backend)',
    level: 'user',
    run: showServersState,
  },
];
