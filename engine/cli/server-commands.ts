/** Commands that look at servers and change them. All changes go through engine/health/state.ts. */
import { changeWeight } from '../health/agent.ts';
import type { CheckKind } from '../health/health.ts';
import { enableChecks, forceAgent } from '../health/operator.ts';
import { forceHealth, setDrain, setMaint, setReady } from '../health/state.ts';
import { type StateEnv, serverWord, type Target } from '../health/target.ts';
import { type Call, type CliEnv, type Command, later, type Reply } from './command.ts';
import { onServer } from './find.ts';
import { setAddress, setCheckAddress, setCheckPort, setSsl } from './server-addresses.ts';
import { setName } from './server-name.ts';
import { warning } from './severity.ts';

type Setter = (env: CliEnv, target: Target, args: readonly string[]) => Reply;

const STATES: Readonly<Record<string, (env: StateEnv, t: Target) => void>> = {
  ready: setReady,
  drain: setDrain,
  maint: setMaint,
};

const HEALTHS = ['up', 'stopping', 'down'] as const;

/** What `set server` sets, in alphabetical order. */
const SETTERS: Readonly<Record<string, Setter>> = {
  addr: setAddress,
  agent: (env, t, [value = '']) => {
    if (t.server.agent === null) return 'agent checks are not enabled on this server.';
    if (value !== 'up' && value !== 'down') return "'set server <srv> agent' expects 'up' or 'down'.";
    return forceAgent(env, t, value, ', changed from CLI') ? '' : 'agent checks are not enabled on this server.';
  },
  'agent-addr': setCheckAddress('agent'),
  'agent-port': setCheckPort('agent'),
  'agent-send': (env, t, [text = '']) => {
    if (t.server.agent === null) return 'agent checks are not enabled on this server.';
    env.checks.tellAgent(t, text);
    return '';
  },
  'check-addr': setCheckAddress('check'),
  'check-port': setCheckPort('check'),
  fqdn: setFqdn,
  health: (env, t, [value = '']) => {
    if (t.server.track !== null) return 'cannot change health on a tracking server.';
    const health = HEALTHS.find(h => h === value);
    if (health === undefined) return "'set server <srv> health' expects 'up', 'stopping', or 'down'.";
    forceHealth(env, t, health, ', changed from CLI');
    return '';
  },
  name: setName,
  ssl: setSsl,
  state: (env, t, [value = '']) => {
    if (!Object.hasOwn(STATES, value)) return "'set server <srv> state' expects 'ready', 'drain' and 'maint'.";
    STATES[value]!(env, t);
    return '';
  },
  weight: weightCommand,
};

const NOT_RENAMED = {
  'not resolved': 'set server <b>/<s> fqdn failed because no resolution is configured.',
  'a service': 'set server <b>/<s> fqdn failed because SRV resolution is configured.',
} as const;

/** Its name, from now on. What the old one resolved to stays until the new one does. */
function setFqdn({ names, asker }: CliEnv, target: Target, [name]: readonly string[]): Reply {
  const by = " by 'stats socket command'";
  const who = `${target.proxy.name}/${target.server.name}`;
  if (name === undefined) return 'set server <b>/<s> fqdn requires a FQDN.';
  const was = names.originOf(target).name;
  const result = names.rename(target, name);
  if (result === 'renamed') {
    const { name: hostname } = names.originOf(target);
    // The master keeps it for the next control thread.
    return later(done => {
      asker.place({ type: 'server', proxy: target.proxy.index, server: { ...target.server, hostname } }, () => {
        done(warning(`${who} changed its FQDN from ${was} to ${name}${by}`));
      });
    });
  }
  if (result === 'same') return warning(`no need to change the FQDN${by}`);
  return result === 'bad name' ? `could not update ${who} FQDN${by}` : NOT_RENAMED[result];
}

function setServer({ env }: Call, target: Target, [what = '', ...args]: readonly string[]): Reply {
  if (!Object.hasOwn(SETTERS, what)) {
    return `usage: set server <backend>/<server> ${Object.keys(SETTERS).join(' | ')}`;
  }
  return SETTERS[what]!(env, target, args);
}

function weightCommand(env: StateEnv, target: Target, [text]: readonly string[]): string {
  return text === undefined ? 'Require <weight> or <weight%>.' : changeWeight(env, target, text);
}

function getWeight({ env }: Call, target: Target): string {
  return `${serverWord(env.memory, target, 'uweight')} (initial ${serverWord(env.memory, target, 'iweight')})`;
}

function set(change: (env: StateEnv, t: Target) => void): Command['run'] {
  return onServer(({ env }, target) => {
    change(env, target);
    return '';
  });
}

/** The checks of a server, or of its agent. Without any, there is nothing to disable. */
function checks(kind: CheckKind, enabled: boolean): Command['run'] {
  return onServer(({ env }, target) => {
    const done = enableChecks(env, target, kind, enabled);
    return done || !enabled ? '' : `${TITLES[kind]} was not configured on this server, cannot enable.`;
  });
}

const TITLES: Readonly<Record<CheckKind, string>> = { check: 'Health check', agent: 'Agent' };

export const SERVER_COMMANDS: readonly Command[] = [
  { words: 'disable agent', usage: '', help: 'disable agent checks', level: 'admin', run: checks('agent', false) },
  { words: 'disable health', usage: '', help: 'disable health checks', level: 'admin', run: checks('check', false) },
  {
    words: 'disable server',
    usage: '(DEPRECATED)',
    help: "disable a server for maintenance (use 'set server' instead)",
    level: 'admin',
    run: set(setMaint),
  },
  { words: 'enable agent', usage: '', help: 'enable agent checks', level: 'admin', run: checks('agent', true) },
  { words: 'enable health', usage: '', help: 'enable health checks', level: 'admin', run: checks('check', true) },
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
    help: "change a server's state, weight or address",
    level: 'admin',
    run: onServer(setServer),
  },
  {
    words: 'set weight',
    usage: '<bk>/<srv>  (DEPRECATED)',
    help: "change a server's weight (use 'set server' instead)",
    level: 'admin',
    run: onServer(({ env }, target, args) => weightCommand(env, target, args)),
  },
];
