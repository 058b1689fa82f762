/** What a `server` line says of checks beyond their times: agents, observing, tracking, what a change of state does. */
import { parseEndpoint, SERVER_ACCEPTS, SOURCE_ACCEPTS } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { ServerDraft } from './draft.ts';
import { bare, integer, time, word } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import type { InitState, Observe } from './server-model.ts';

type Row = Keyword<ServerDraft>;

/** What the rows of this table have in common. */
function row(name: string, doc: string) {
  return { where: '', name, doc };
}

/** `addr` or `agent-addr`: where checks go, if not to the server's own address. */
function addressRow(name: string, field: 'checkAddress' | 'agentAddress', doc: string): Row {
  return supported<ServerDraft>({
    ...{ name, doc, args: '<address>', good: [`${name} 127.0.0.2`] },
    parse(cursor, server, { resources }) {
      const word = cursor.expectWord(name);
      if (word === null) return;
      const endpoint = parseEndpoint(word.text, SOURCE_ACCEPTS, resources.env);
      if ('error' in endpoint) cursor.error(`'${name}': ${endpoint.error}`);
      else server[field] = endpoint.value;
    },
    bad: [
      [name, `'${name}' expects an argument`],
      [`${name} 1.2.3.4.5`, `'${name}': invalid address: '1.2.3.4.5' in '1.2.3.4.5'`],
    ],
  });
}

/** A keyword followed by one of a few words, each of which sets fields. */
function choice(name: string, doc: string, values: Readonly<Record<string, Partial<ServerDraft>>>): Row {
  const list = Object.keys(values);
  const quoted = list.map(value => `'${value}'`);
  const kind = list.length === 1 ? quoted[0]! : `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  return supported<ServerDraft>({
    ...{ name, doc, args: `<${list.join('|')}>`, good: list.map(value => `${name} ${value}`) },
    parse(cursor, server) {
      const value = cursor.expectOneOf(name, list);
      if (value !== null) Object.assign(server, values[value]);
    },
    bad: [
      [name, `'${name}' expects ${kind}`],
      [`${name} foo`, `'${name}' expects ${kind}, not 'foo'`],
    ],
  });
}

const ON_ERRORS: readonly Observe['onError'][] = ['fastinter', 'fail-check', 'sudden-death', 'mark-down'];
const INIT_STATES: readonly InitState[] = ['fully-up', 'up', 'down', 'fully-down', 'none'];

function each<V extends string>(list: readonly V[], field: string): Readonly<Record<string, Partial<ServerDraft>>> {
  return Object.fromEntries(list.map(value => [value, { [field]: value }]));
}

/** `socks4 <address>:<port>`. */
function socks4(cursor: Cursor, server: ServerDraft, { resources }: Context) {
  const word = cursor.expectWord('socks4');
  if (word === null) return;
  const endpoint = parseEndpoint(word.text, { ...SERVER_ACCEPTS, mptcp: false }, resources.env);
  if ('error' in endpoint) return cursor.error(`'socks4': ${endpoint.error}`);
  const { address, hostname, family, port } = endpoint.value;
  const found = hostname === null ? address : resources.resolve(hostname, family);
  if (found === null || found.family !== 4 || port === 0) {
    return cursor.error(`'socks4' expects the IPv4 address and port of a SOCKS proxy, not '${word.text}'`);
  }
  server.socks4 = { ...found, port };
}

export const SERVER_CHECKS: readonly Row[] = [
  addressRow('addr', 'checkAddress', 'Address that checks go to.'),
  bare<ServerDraft>(row('check-send-proxy', 'Checks send a PROXY header too.'), { checkSendProxy: true }),
  bare<ServerDraft>(row('check-via-socks4', "Checks go through the server's SOCKS proxy too."), {
    checkViaSocks4: true,
  }),
  word(row('healthcheck', 'Is checked as a `healthcheck` section says.'), '<section>', 'healthcheck'),
  bare<ServerDraft>(row('agent-check', 'Asks an agent for its state.'), { agentCheck: true }),
  bare<ServerDraft>(row('no-agent-check', 'Asks no agent.'), { agentCheck: false }),
  addressRow('agent-addr', 'agentAddress', 'Address of its agent.'),
  time(row('agent-inter', 'Interval of agent checks.'), 'agentInterMs', 'ms', { min: 1 }),
  integer(row('agent-port', 'Port of its agent.'), 'agentPort', { min: 1, max: 65_535 }),
  word(row('agent-send', 'What its agent is sent.'), '<text>', 'agentSend'),
  word(row('track', 'Has the state of another server.'), '[<backend>/]<server>', 'track'),
  choice('observe', 'Watches its live traffic.', { layer4: { observe: 4 }, layer7: { observe: 7 } }),
  choice('on-error', 'What `error-limit` observed errors do.', each(ON_ERRORS, 'onError')),
  integer(row('error-limit', 'Consecutive errors that `observe` tolerates.'), 'errorLimit', { min: 1 }),
  choice('on-marked-down', 'What happens to its sessions when it goes down.', {
    'shutdown-sessions': { shutdownWhenDown: true },
  }),
  choice('on-marked-up', "What happens to backups' sessions when it comes up.", {
    'shutdown-backup-sessions': { shutdownBackupsWhenUp: true },
  }),
  choice('init-state', 'Its state before the first check.', each(INIT_STATES, 'initState')),
  supported<ServerDraft>({
    ...{ name: 'socks4', args: '<address>:<port>', doc: 'Is reached through a SOCKS 4 proxy.', parse: socks4 },
    good: ['socks4 127.0.0.1:1080'],
    bad: [
      ['socks4', "'socks4' expects an argument"],
      ['socks4 127.0.0.1', "'socks4' expects the IPv4 address and port of a SOCKS proxy, not '127.0.0.1'"],
    ],
  }),
];
