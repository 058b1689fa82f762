/** What may follow the address of a `bind` line, or of `stats socket`. */

import { WORKERS_MAX } from '../limits.ts';
import type { BindDraft } from './draft.ts';
import { account, bare, integer, word } from './fields.ts';
import { guidRow } from './guid.ts';
import { accepted, type Keyword, later, removed, supported } from './keyword.ts';
import { bindProtocol } from './keywords-protocol.ts';
import { namespaceRow, SOCKET_ROWS } from './keywords-socket.ts';
import { within } from './keywords-tls.ts';
import { BIND_TLS } from './keywords-tls-bind.ts';
import type { BindTlsDraft } from './tls-draft.ts';

type Row = Keyword<BindDraft>;

/** What the rows of this table have in common. */
function row(name: string, doc: string) {
  return { where: '', name, doc };
}

/** `1`, `1-4`, `all`, `odd`, `1/1-2,4`: 1-based thread numbers; the one thread group is 1. Null when it is none of these. */
function threadSet(text: string): number[] | null {
  const numbers = new Set<number>();
  for (const part of text.split(',')) {
    const match = /^(?:1\/)?(?:(all)|(odd)|(even)|(\d+)(?:-(\d+))?)$/.exec(part);
    if (match === null) return null;
    const [, all, odd, even, from, to] = match;
    const first = from === undefined ? 1 : Number(from);
    const last = to !== undefined ? Number(to) : from === undefined ? WORKERS_MAX : first;
    if (first < 1 || last > WORKERS_MAX || first > last) return null;
    for (let n = first; n <= last; n++) {
      if (all || from !== undefined || (odd && n % 2 === 1) || (even && n % 2 === 0)) numbers.add(n - 1);
    }
  }
  return [...numbers].sort((a, b) => a - b);
}

const OWN: readonly Row[] = [
  bare(row('accept-proxy', 'Expects a PROXY protocol header on every connection.'), { acceptProxy: true }),
  supported<BindDraft>({
    ...row('accept-netscaler-cip', 'Expects a NetScaler client IP header, which begins with this number.'),
    args: '<magic>',
    parse(cursor, bind) {
      const magic = cursor.expectInt('accept-netscaler-cip', { min: 1, max: 0xffff_ffff });
      if (magic !== null) bind.netscalerMagic = magic;
    },
    good: ['accept-netscaler-cip 1314079561'],
    bad: [['accept-netscaler-cip 0', "'accept-netscaler-cip' expects an integer between 1 and 4294967295, not '0'"]],
  }),
  bare(row('defer-accept', 'Accepts a connection once its first bytes are there.'), { deferAccept: true }),
  bare(row('tfo', 'TCP fast open.'), { tfo: true }),
  bare(row('v4v6', 'An IPv6 socket takes IPv4 clients too.'), { v4v6: true }),
  bare(row('v6only', 'An IPv6 socket takes only IPv6 clients.'), { v6only: true }),
  bare(row('transparent', 'Binds an address that is not on this machine.'), { transparent: true }),
  integer(row('maxconn', 'Connections on this listener at most.'), 'maxconn', { min: 1 }),
  integer(row('backlog', 'Connections waiting in the kernel.'), 'backlog'),
  integer(row('id', 'Number of the listener in statistics.'), 'id', { min: 1 }),
  word(row('name', 'Name of the listener in statistics.'), '<name>', 'name'),
  guidRow('guid-prefix', '', 'Globally unique ids of the listeners: this, `-` and their numbers on the line.'),
  word(row('interface', 'Takes connections of one network interface only.'), '<interface>', 'interface'),
  account(row('user', 'Owner of the unix socket.'), 'user', 'unixUser'),
  account(row('group', 'Group of the unix socket.'), 'group', 'unixGroup'),
  integer(row('uid', 'Owner of the unix socket, as a number.'), 'unixUid'),
  integer(row('gid', 'Group of the unix socket, as a number.'), 'unixGid'),
  supported<BindDraft>({
    name: 'mode',
    args: '<octal>',
    doc: 'Access rights of the unix socket.',
    parse(cursor, bind) {
      const word = cursor.next();
      if (word !== null && /^[0-7]{1,4}$/.test(word.text)) bind.unixMode = Number.parseInt(word.text, 8);
      else cursor.error(`'mode': missing or invalid mode '${word?.text ?? ''}' (octal integer expected)`);
    },
    good: ['mode 660'],
    bad: [
      ['mode', "'mode': missing or invalid mode '' (octal integer expected)"],
      ['mode 9', "'mode': missing or invalid mode '9' (octal integer expected)"],
    ],
  }),
  supported<BindDraft>({
    name: 'mss',
    args: '<size>',
    doc: 'Largest TCP segment; negative: that much less than the path allows.',
    parse(cursor, bind) {
      const mss = cursor.expectInt('mss', { min: -65_535, max: 65_535 });
      if (mss === 0) cursor.error("'mss' expects an MSS with an absolute value between 1 and 65535");
      else if (mss !== null) bind.mss = mss;
    },
    good: ['mss 1400', 'mss -12'],
    bad: [['mss 0', "'mss' expects an MSS with an absolute value between 1 and 65535"]],
  }),
  ...SOCKET_ROWS,
  namespaceRow(false),
  supported<BindDraft>({
    name: 'tcp-ss',
    args: '<mode>',
    doc: 'Keeps the SYN of each client for `fc_saved_syn`: 0 = not, 1 = from the IP header on, 2 = from the Ethernet header on.',
    parse(cursor, bind) {
      const mode = cursor.expectInt('tcp-ss', { min: 0, max: 2 });
      if (mode !== null) bind.saveSyn = mode;
    },
    good: ['tcp-ss 1', 'tcp-ss 0'],
    bad: [['tcp-ss 3', "'tcp-ss' expects an integer between 0 and 2, not '3'"]],
  }),
  supported<BindDraft>({
    name: 'level',
    args: '<user|operator|admin>',
    doc: 'What the runtime API allows on this socket.',
    parse(cursor, bind) {
      const level = cursor.expectOneOf('level', ['user', 'operator', 'admin']);
      if (level !== null) bind.level = level;
    },
    good: ['level admin'],
    bad: [['level foo', "'level' expects 'user', 'operator' or 'admin', not 'foo'"]],
  }),
  supported<BindDraft>({
    name: 'expose-fd',
    args: 'listeners',
    doc: 'A new process may take the listening sockets over from this socket.',
    parse(cursor, bind) {
      if (cursor.expectOneOf('expose-fd', ['listeners']) !== null) bind.exposeFd = true;
    },
    good: ['expose-fd listeners'],
    bad: [['expose-fd', "'expose-fd' expects 'listeners'"]],
  }),
  supported<BindDraft>({
    name: 'shards',
    args: '<number> | by-thread | by-group',
    doc: 'How many listening sockets share this address.',
    parse(cursor, bind) {
      const shards = cursor.match('by-thread')
        ? -1
        : cursor.match('by-group')
          ? 1
          : cursor.expectInt('shards', { min: 1, max: WORKERS_MAX });
      if (shards !== null) bind.shards = shards;
    },
    good: ['shards 2', 'shards by-thread', 'shards by-group'],
    bad: [['shards 0', `'shards' expects an integer between 1 and ${WORKERS_MAX}, not '0'`]],
  }),
  supported<BindDraft>({
    name: 'severity-output',
    args: '<none|number|string>',
    doc: 'Whether messages of the runtime API begin with how serious they are.',
    parse(cursor, bind) {
      const output = cursor.expectOneOf('severity-output', ['none', 'number', 'string']);
      if (output !== null) bind.severityOutput = output;
    },
    good: ['severity-output number'],
    bad: [['severity-output foo', "'severity-output' expects 'none', 'number' or 'string', not 'foo'"]],
  }),
  supported<BindDraft>({
    name: 'thread',
    args: '<thread-set>',
    doc: 'Which threads serve this address.',
    parse(cursor, bind) {
      const word = cursor.expectWord('thread');
      if (word === null) return;
      const threads = threadSet(word.text);
      if (threads === null) cursor.error(`'thread': '${word.text}' is not a valid number/range`);
      else bind.threads = threads.length === WORKERS_MAX ? null : threads;
    },
    good: ['thread 1', 'thread all', 'thread 1/1-4', 'thread 1,3', 'thread odd'],
    bad: [
      ['thread foo', "'thread': 'foo' is not a valid number/range"],
      ['thread 9-2', "'thread': '9-2' is not a valid number/range"],
    ],
  }),
  accepted('nice', '', '<-1024..1024>', 'Priority of these connections.', 'the event loop is fair'),
  accepted('idle-ping', '', '<time>', 'Interval of pings on idle connections.', 'only HTTP/2 has pings'),
  accepted('label', '', '<label>', 'Groups sockets.', 'nothing asks for it'),
  removed('process', '', '2.5', "'thread'"),
];

/** [name, syntax, what it does]. */
const LATER: readonly (readonly [string, string, string])[] = [
  ['nbconn', '<number>', 'Reverse HTTP connections.'],
  ['quic-cc-algo', '<algorithm>', 'QUIC congestion control.'],
  ['quic-force-retry', '', 'QUIC address validation.'],
  ['quic-socket', '<how>', 'QUIC sockets.'],
];

export const BIND: readonly Row[] = [
  ...OWN,
  ...within<BindDraft, BindTlsDraft>(BIND_TLS, bind => bind.tls),
  bindProtocol<BindDraft>(),
  ...LATER.map(([name, args, doc]) => later<BindDraft>(name, '', args, doc)),
];
