/** What may follow the address of a `server` line, or `default-server`. */
import { parseEndpoint, SOURCE_ACCEPTS } from './address.ts';
import type { Cursor } from './cursor.ts';
import { newServer, type Draft, type ServerDraft } from './draft.ts';
import { accepted, type Context, type Keyword, later, supported } from './keyword.ts';
import type { Address } from '../io/contract.ts';
import { WEIGHT_MAX } from '../limits.ts';

type Row = Keyword<ServerDraft>;
type KeysOf<V> = { [K in keyof ServerDraft]: V extends ServerDraft[K] ? K : never }[keyof ServerDraft];

/** A word that sets fields, and perhaps the word that undoes it. */
function flag(name: string, doc: string, fields: Partial<ServerDraft>): Row {
  return supported({
    ...{ name, doc, args: '', good: [name], bad: [] },
    parse(_cursor, server) {
      Object.assign(server, fields);
    },
  });
}

function integer(name: string, field: KeysOf<0>, doc: string, min = 0, max = 0x7fff_ffff): Row {
  return supported({
    ...{ name, doc, args: '<number>', good: [`${name} ${Math.max(min, 1)}`] },
    parse(cursor, server) {
      const value = cursor.expectInt(name, { min, max });
      if (value !== null) Object.assign(server, { [field]: value });
    },
    bad: [
      [name, `'${name}' expects an integer between ${min} and ${max}`],
      [`${name} x`, `'${name}' expects an integer between ${min} and ${max}: not an integer in 'x'`],
    ],
  });
}

function time(name: string, field: KeysOf<0>, doc: string, min: number, unit: 'ms' | 's' = 'ms'): Row {
  return supported({
    ...{ name, doc, args: '<time>', good: [`${name} 2s`, `${name} 1500`] },
    parse(cursor, server) {
      const ms = cursor.expectTime(name, unit, { min });
      if (ms !== null) Object.assign(server, { [field]: ms });
    },
    bad: [[name, `'${name}' expects a time (in ${unit === 's' ? 'seconds' : 'milliseconds'} by default)`]],
  });
}

function text(name: string, args: string, field: KeysOf<'x'>, doc: string): Row {
  return supported({
    ...{ name, args, doc, good: [`${name} foo`], bad: [[name, `'${name}' expects an argument`]] as const },
    parse(cursor, server) {
      const word = cursor.expectWord(name);
      if (word !== null) Object.assign(server, { [field]: word.text });
    },
  });
}

/** `addr`: where checks go, if not to the server's own address. */
function checkAddress(cursor: Cursor, server: ServerDraft): void {
  const word = cursor.expectWord('addr');
  if (word === null) return;
  const endpoint = parseEndpoint(word.text, SOURCE_ACCEPTS);
  if ('error' in endpoint) cursor.error(`'addr': ${endpoint.error}`);
  else server.checkAddress = endpoint.value;
}

/** The address after `source`; null after reporting. A transparent source or an interface is refused. */
export function sourceAddress(cursor: Cursor, { resources }: Context): Draft<Address> | null {
  const word = cursor.next();
  if (word === null) {
    cursor.error("'source' expects <addr>[:<port>]");
    return null;
  }
  const endpoint = parseEndpoint(word.text, SOURCE_ACCEPTS);
  if ('error' in endpoint) {
    cursor.error(`'source': ${endpoint.error}`);
    return null;
  }
  const { address, hostname, port } = endpoint.value;
  const found = hostname === null ? address : resources.resolve(hostname);
  if (found === null) cursor.error(`'source': could not resolve address '${hostname}'`);
  const more = cursor.peek()?.text;
  if (more === 'usesrc' || more === 'interface') {
    cursor.next();
    cursor.error(`'${more}' of 'source' is not supported by Sluice yet`);
    return null;
  }
  return found === null ? null : { ...found, port };
}

const OWN: readonly Row[] = [
  flag('check', 'Checks the health of the server.', { check: true }),
  flag('no-check', 'Does not check it.', { check: false }),
  flag('backup', 'Is used only when no other server is up.', { backup: true }),
  flag('no-backup', 'Is not a backup.', { backup: false }),
  flag('disabled', 'Starts in maintenance.', { disabled: true }),
  flag('enabled', 'Starts in service.', { disabled: false }),
  flag('send-proxy', 'Sends a PROXY header, version 1.', { sendProxy: 1 }),
  flag('send-proxy-v2', 'Sends a PROXY header, version 2.', { sendProxy: 2 }),
  flag('no-send-proxy', 'Sends no PROXY header, version 1.', { sendProxy: 0 }),
  flag('no-send-proxy-v2', 'Sends no PROXY header, version 2.', { sendProxy: 0 }),
  flag('check-send-proxy', 'Checks send a PROXY header too.', { checkSendProxy: true }),
  flag('tfo', 'TCP fast open.', { tfo: true }),
  flag('no-tfo', 'No TCP fast open.', { tfo: false }),
  time('inter', 'interMs', 'Interval of checks.', 1),
  time('fastinter', 'fastinterMs', 'Interval of checks while the state changes.', 1),
  time('downinter', 'downinterMs', 'Interval of checks while the server is down.', 1),
  integer('rise', 'rise', 'Good checks that bring it up.', 1),
  integer('fall', 'fall', 'Bad checks that take it down.', 1),
  integer('port', 'checkPort', 'Port that checks go to.', 1, 65_535),
  supported<ServerDraft>({
    name: 'addr',
    args: '<address>',
    doc: 'Address that checks go to.',
    parse: checkAddress,
    good: ['addr 127.0.0.2'],
    bad: [
      ['addr', "'addr' expects an argument"],
      ['addr 1.2.3.4.5', "'addr': invalid address: '1.2.3.4.5' in '1.2.3.4.5'"],
    ],
  }),
  integer('weight', 'weight', 'Its share of the load; 0 = none but what sticks to it.', 0, WEIGHT_MAX),
  integer('maxconn', 'maxconn', 'Requests it handles at a time at most; the others queue.'),
  integer('minconn', 'minconn', 'What `maxconn` is while the backend is idle.'),
  integer('maxqueue', 'maxqueue', 'Requests that may wait for it.'),
  integer('id', 'id', 'Its number in statistics.', 1),
  integer('pool-max-conn', 'poolMaxConn', 'Idle connections kept for it; -1 = any number.', -1),
  integer('pool-low-conn', 'poolLowConn', 'Idle connections below which no other thread takes one.'),
  integer('max-reuse', 'maxReuse', 'How often a connection is used again; -1 = always.', -1),
  time('pool-purge-delay', 'poolPurgeDelayMs', 'Interval at which idle connections are closed.', 0),
  time('slowstart', 'slowstartMs', 'How long it takes to get its whole share after coming up.', 0),
  text('cookie', '<value>', 'cookie', 'Its value in the persistence cookie.'),
  text('redir', '<prefix>', 'redir', 'GET and HEAD are redirected there.'),
  supported<ServerDraft>({
    name: 'source',
    args: '<address>[:<port>]',
    doc: 'Local address of connections to it.',
    parse(cursor, server, context) {
      server.source = sourceAddress(cursor, context) ?? server.source;
    },
    good: ['source 127.0.0.1', 'source 127.0.0.1:5000'],
    bad: [
      ['source', "'source' expects <addr>[:<port>]"],
      ['source 0.0.0.0 usesrc client', "'usesrc' of 'source' is not supported by Sluice yet"],
    ],
  }),
  supported<ServerDraft>({
    name: 'from',
    args: 'none',
    doc: 'Forgets what `default-server` said.',
    parse(cursor, server) {
      if (cursor.expectOneOf('from', ['none']) === null) return;
      const { file, line, name, text, endpoint } = server;
      Object.assign(server, newServer(), { file, line, name, text, endpoint });
    },
    good: ['from none'],
    bad: [['from x', "'from' expects 'none', not 'x'"]],
  }),
];

const NO_TLS = 'there is no TLS to servers yet';

/** [name, syntax, what it does, why it means nothing]. */
const MEANINGLESS: readonly (readonly [string, string, string, string])[] = [
  ['no-agent-check', '', 'No agent check.', 'there are no agent checks yet'],
  ['no-check-reuse-pool', '', 'Checks open connections of their own.', 'they always do'],
  ['no-check-sni-auto', '', 'Checks send no server name.', NO_TLS],
  ['no-check-ssl', '', 'Checks without TLS.', NO_TLS],
  ['no-renegotiate', '', 'No TLS renegotiation.', NO_TLS],
  ['no-send-proxy-v2-ssl', '', 'No TLS details in the PROXY header.', NO_TLS],
  ['no-send-proxy-v2-ssl-cn', '', 'No certificate name in the PROXY header.', NO_TLS],
  ['no-sni-auto', '', 'Sends no server name.', NO_TLS],
  ['no-ssl', '', 'No TLS.', NO_TLS],
  ['no-ssl-reuse', '', 'No TLS session reuse.', NO_TLS],
  ['no-sslv3', '', 'Not SSL 3.', NO_TLS],
  ['no-tls-tickets', '', 'No session tickets.', NO_TLS],
  ['no-tlsv10', '', 'Not TLS 1.0.', NO_TLS],
  ['no-tlsv11', '', 'Not TLS 1.1.', NO_TLS],
  ['no-tlsv12', '', 'Not TLS 1.2.', NO_TLS],
  ['no-tlsv13', '', 'Not TLS 1.3.', NO_TLS],
  ['no-verifyhost', '', 'Does not compare names.', NO_TLS],
  ['non-stick', '', 'Is never stored in a stick table.', 'there are no stick tables yet'],
  ['stick', '', 'Is stored in stick tables.', 'there are no stick tables yet'],
  ['log-bufsize', '<size>', 'Buffer of a log server.', 'there are no log backends'],
  ['shard', '<number>', 'Which part of stick tables it gets.', 'there are no peers yet'],
];

/** [name, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string])[] = [
  ['agent-addr', '<address>', 'Address of its agent.'],
  ['agent-check', '', 'Asks an agent for its state.'],
  ['agent-inter', '<time>', 'Interval of agent checks.'],
  ['agent-port', '<port>', 'Port of its agent.'],
  ['agent-send', '<text>', 'What its agent is sent.'],
  ['allow-0rtt', '', 'TLS early data.'],
  ['alpn', '<protocols>', 'Protocols offered over TLS.'],
  ['ca-file', '<file>', 'Authorities of its certificate.'],
  ['cc', '<algorithm>', 'Congestion control.'],
  ['check-alpn', '<protocols>', 'Protocols offered by checks.'],
  ['check-pool-conn-name', '<name>', 'Which pooled connection checks use.'],
  ['check-proto', '<name>', 'Protocol of checks.'],
  ['check-reuse-pool', '', 'Checks use pooled connections.'],
  ['check-sni', '<name>', 'Server name sent by checks.'],
  ['check-sni-auto', '', 'Checks send a server name.'],
  ['check-ssl', '', 'Checks over TLS.'],
  ['check-via-socks4', '', 'Checks through a SOCKS proxy.'],
  ['ciphers', '<ciphers>', 'TLS 1.2 ciphers.'],
  ['ciphersuites', '<suites>', 'TLS 1.3 ciphers.'],
  ['client-sigalgs', '<algorithms>', 'Signatures of client certificates.'],
  ['crl-file', '<file>', 'Revoked certificates.'],
  ['crt', '<file>', 'Certificate shown to it.'],
  ['curves', '<curves>', 'Key exchange curves.'],
  ['error-limit', '<number>', 'Errors that `observe` tolerates.'],
  ['force-sslv3', '', 'SSL 3 only.'],
  ['force-tlsv10', '', 'TLS 1.0 only.'],
  ['force-tlsv11', '', 'TLS 1.1 only.'],
  ['force-tlsv12', '', 'TLS 1.2 only.'],
  ['force-tlsv13', '', 'TLS 1.3 only.'],
  ['guid', '<id>', 'Globally unique id.'],
  ['hash-key', '<key>', 'What places it on the hash ring.'],
  ['healthcheck', '<section>', 'A named kind of check.'],
  ['idle-ping', '<time>', 'Pings idle HTTP/2 connections.'],
  ['init-addr', '<methods>', 'How its name is resolved at start.'],
  ['init-state', '<state>', 'Its state before the first check.'],
  ['ktls', '<on|off>', 'TLS in the kernel.'],
  ['log-proto', '<framing>', 'Framing of log lines.'],
  ['namespace', '<name>', 'Network namespace.'],
  ['npn', '<protocols>', 'Protocols offered the old way.'],
  ['observe', '<layer4|layer7>', 'Watches its live traffic.'],
  ['on-error', '<action>', 'What an observed error does.'],
  ['on-marked-down', '<action>', 'What happens to its sessions when it goes down.'],
  ['on-marked-up', '<action>', "What happens to backups' sessions when it comes up."],
  ['pool-conn-name', '<name>', 'Name of its pooled connections.'],
  ['proto', '<name>', 'The protocol without negotiation.'],
  ['proxy-v2-options', '<options>', 'Details in the PROXY header.'],
  ['quic-cc-algo', '<algorithm>', 'QUIC congestion control.'],
  ['renegotiate', '', 'TLS renegotiation.'],
  ['resolve-net', '<networks>', 'Preferred networks of its name.'],
  ['resolve-opts', '<options>', 'How its name is resolved.'],
  ['resolve-prefer', '<family>', 'Preferred address family.'],
  ['resolvers', '<section>', 'Resolves its name at run time.'],
  ['send-proxy-v2-ssl', '', 'TLS details in the PROXY header.'],
  ['send-proxy-v2-ssl-cn', '', 'Certificate name in the PROXY header.'],
  ['set-proxy-v2-tlv-fmt', '(<type>) <format>', 'Own fields in the PROXY header.'],
  ['sigalgs', '<algorithms>', 'Signature algorithms.'],
  ['sni', '<expression>', 'Server name sent to it.'],
  ['sni-auto', '', 'Sends the Host as server name.'],
  ['socks4', '<address>', 'Goes through a SOCKS proxy.'],
  ['ssl', '', 'TLS to the server.'],
  ['ssl-max-ver', '<version>', 'Newest TLS version.'],
  ['ssl-min-ver', '<version>', 'Oldest TLS version.'],
  ['ssl-reuse', '', 'TLS session reuse.'],
  ['strict-maxconn', '', '`maxconn` bounds connections too.'],
  ['tcp-md5sig', '<password>', 'TCP MD5 signatures.'],
  ['tcp-ut', '<time>', 'How long sent bytes may stay unacknowledged.'],
  ['tls-tickets', '', 'Session tickets.'],
  ['track', '[<backend>/]<server>', 'Has the state of another server.'],
  ['usesrc', '<address>', 'Transparent source address.'],
  ['verify', '<none|required>', 'Whether its certificate is verified.'],
  ['verifyhost', '<name>', 'Name expected in its certificate.'],
  ['ws', '<auto|h1|h2>', 'How WebSockets are carried.'],
];

export const SERVER: readonly Row[] = [
  ...OWN,
  ...MEANINGLESS.map(([name, args, doc, why]) => accepted<ServerDraft>(name, '', args, doc, why)),
  ...LATER.map(([name, args, doc]) => later<ServerDraft>(name, '', args, doc)),
];
