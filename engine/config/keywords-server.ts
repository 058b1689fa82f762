/** What may follow the address of a `server` line, or `default-server`. */

import { WEIGHT_MAX } from '../limits.ts';
import { readExpression } from '../sample/expression.ts';
import { SOURCE_RANGE_ACCEPTS } from './address.ts';
import type { ServerDraft } from './draft.ts';
import { bare, integer, time, word } from './fields.ts';
import { guidRow } from './guid.ts';
import { accepted, type Keyword, later, supported } from './keyword.ts';
import { serverProtocols } from './keywords-protocol.ts';
import { SERVER_CHECKS } from './keywords-server-checks.ts';
import { SERVER_NAMES } from './keywords-server-names.ts';
import { PROXY_ROWS } from './keywords-server-proxy.ts';
import { namespaceRow, SOCKET_ROWS } from './keywords-socket.ts';
import { sourceRow } from './keywords-source.ts';
import { within } from './keywords-tls.ts';
import { SERVER_TLS } from './keywords-tls-server.ts';
import { readFrom } from './server-origin.ts';
import type { ServerTlsDraft } from './tls-draft.ts';

type Row = Keyword<ServerDraft>;

/** What the rows of this table have in common. */
function row(name: string, doc: string) {
  return { where: '', name, doc };
}

const HASH_KEYS = ['id', 'id32', 'guid', 'addr', 'addr-port'] as const;

const OWN: readonly Row[] = [
  bare(row('check', 'Checks the health of the server.'), { check: true }),
  bare(row('no-check', 'Does not check it.'), { check: false }),
  bare(row('backup', 'Is used only when no other server is up.'), { backup: true }),
  bare(row('no-backup', 'Is not a backup.'), { backup: false }),
  bare(row('disabled', 'Starts in maintenance.'), { disabled: true }),
  bare(row('enabled', 'Starts in service.'), { disabled: false }),
  bare<ServerDraft>(row('send-proxy', 'Sends a PROXY header, version 1.'), { sendProxy: 1 }),
  bare<ServerDraft>(row('send-proxy-v2', 'Sends a PROXY header, version 2.'), { sendProxy: 2 }),
  bare<ServerDraft>(row('no-send-proxy', 'Sends no PROXY header, version 1.'), { sendProxy: 0 }),
  bare<ServerDraft>(row('no-send-proxy-v2', 'Sends no PROXY header, version 2.'), { sendProxy: 0 }),
  ...PROXY_ROWS,
  ...SOCKET_ROWS,
  namespaceRow(true),
  bare(row('tfo', 'TCP fast open.'), { tfo: true }),
  bare(row('no-tfo', 'No TCP fast open.'), { tfo: false }),
  time(row('inter', 'Interval of checks.'), 'interMs', 'ms', { min: 1 }),
  time(row('fastinter', 'Interval of checks while the state changes.'), 'fastinterMs', 'ms', { min: 1 }),
  time(row('downinter', 'Interval of checks while the server is down.'), 'downinterMs', 'ms', { min: 1 }),
  integer(row('rise', 'Good checks that bring it up.'), 'rise', { min: 1 }),
  integer(row('fall', 'Bad checks that take it down.'), 'fall', { min: 1 }),
  integer(row('port', 'Port that checks go to.'), 'checkPort', { min: 1, max: 65_535 }),
  integer(row('weight', 'Its share of the load; 0 = none but what sticks to it.'), 'weight', {
    min: 0,
    max: WEIGHT_MAX,
  }),
  integer(row('maxconn', 'Requests it handles at a time at most; the others queue.'), 'maxconn'),
  integer(row('minconn', 'What `maxconn` is while the backend is idle.'), 'minconn'),
  integer(row('maxqueue', 'Requests that may wait for it.'), 'maxqueue'),
  integer(row('id', 'Its number in statistics.'), 'id', { min: 1 }),
  integer(row('pool-max-conn', 'Idle connections kept for it; -1 = any number.'), 'poolMaxConn', { min: -1 }),
  integer(row('pool-low-conn', 'Idle connections below which no other thread takes one.'), 'poolLowConn'),
  integer(row('max-reuse', 'How often a connection is used again; -1 = always.'), 'maxReuse', { min: -1 }),
  time(row('pool-purge-delay', 'Interval at which idle connections are closed.'), 'poolPurgeDelayMs'),
  supported<ServerDraft>({
    ...row('pool-conn-name', 'Only requests for which it is the same share a connection.'),
    ...{ args: '<expression>', good: ['pool-conn-name req.hdr(host)', 'pool-conn-name src'] },
    parse(cursor, server, { resources }) {
      server.poolName = readExpression(cursor, resources, null) ?? server.poolName;
    },
    bad: [['pool-conn-name foo', "unknown fetch method 'foo'"]],
  }),
  bare(row('non-stick', 'Is never stored in a stick table.'), { nonStick: true }),
  bare(row('stick', 'Is stored in stick tables.'), { nonStick: false }),
  integer(row('shard', 'In `peers` sections: which part of the tables it gets.'), 'shard'),
  time(row('slowstart', 'How long it takes to get its whole share after coming up.'), 'slowstartMs'),
  word(row('cookie', 'Its value in the persistence cookie.'), '<value>', 'cookie'),
  guidRow('guid', '', 'Globally unique id.'),
  word(row('redir', 'GET and HEAD are redirected there.'), '<prefix>', 'redir'),
  bare(row('strict-maxconn', '`maxconn` bounds its connections too, not only the requests it handles.'), {
    strictMaxconn: true,
  }),
  supported<ServerDraft>({
    name: 'hash-key',
    args: '{ id | id32 | guid | addr | addr-port }',
    doc: 'What places it on the ring of consistent hashing.',
    parse(cursor, server) {
      server.hashKey = cursor.expectOneOf('hash-key', HASH_KEYS) ?? 'id';
    },
    good: HASH_KEYS.map(key => `hash-key ${key}`),
    bad: [['hash-key foo', "'hash-key' expects 'id', 'id32', 'guid', 'addr' or 'addr-port', not 'foo'"]],
  }),
  sourceRow('', 'Where connections to it come from.', SOURCE_RANGE_ACCEPTS),
  supported<ServerDraft>({
    name: 'log-proto',
    args: '{ legacy | octet-count }',
    doc: 'How a log server tells lines apart (RFC 6587).',
    parse(cursor, server) {
      server.logProto = cursor.expectOneOf('log-proto', ['legacy', 'octet-count']) ?? 'legacy';
    },
    good: ['log-proto octet-count', 'log-proto legacy'],
    bad: [['log-proto x', "'log-proto' expects 'legacy' or 'octet-count', not 'x'"]],
  }),
  supported<ServerDraft>({
    name: 'log-bufsize',
    args: '<size>',
    doc: 'In log backends: what is kept for a log server that is slow.',
    parse(cursor, server) {
      const bytes = cursor.expectSize('log-bufsize');
      if (bytes === 0) cursor.error("'log-bufsize' expects a size above 0");
      else server.logBufBytes = bytes ?? server.logBufBytes;
    },
    good: ['log-bufsize 64k'],
    bad: [['log-bufsize 0', "'log-bufsize' expects a size above 0"]],
  }),
  supported<ServerDraft>({
    name: 'from',
    args: '<origin>',
    doc: 'Begins with the settings of another server or `default-server`, or with none.',
    parse: readFrom,
    good: ['from none'],
    bad: [
      ['from x', "'from' expects 'none', 'be:[<backend>]' or 'srv:[<backend>/]<server>', not 'x'"],
      ['from be:x', "'from be:x': there is no backend 'x' above"],
      ['from srv:x', "'from srv:x': there is no server or default-server 'x' above"],
    ],
  }),
];

/** [name, syntax, what it does, why it means nothing]. */
const MEANINGLESS: readonly (readonly [string, string, string, string])[] = [
  ['check-pool-conn-name', '<name>', 'Which pooled connection checks use.', 'checks open connections of their own'],
  ['check-reuse-pool', '', 'Checks may use pooled connections.', 'they open connections of their own'],
  ['no-check-reuse-pool', '', 'Checks open connections of their own.', 'they always do'],
  ['idle-ping', '<time>', 'Interval of pings on idle connections.', 'only HTTP/2 has pings'],
];

/** [name, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string])[] = [
  ['quic-cc-algo', '<algorithm>', 'QUIC congestion control.'],
];

export const SERVER: readonly Row[] = [
  ...OWN,
  ...SERVER_CHECKS,
  ...SERVER_NAMES,
  ...within<ServerDraft, ServerTlsDraft>(SERVER_TLS, server => server.tls),
  ...MEANINGLESS.map(([name, args, doc, why]) => accepted<ServerDraft>(name, '', args, doc, why)),
  ...serverProtocols<ServerDraft>(),
  ...LATER.map(([name, args, doc]) => later<ServerDraft>(name, '', args, doc)),
];
