/** Keywords of the global section; its `tune.*` are in keywords-tune.ts, the refused ones in keywords-global-more.ts. */
import { readBindLine } from './bind-line.ts';
import type { Cursor } from './cursor.ts';
import type { GlobalDraft, Resources, UnixBind } from './draft.ts';
import { account, bare, expectAccount, integer, sentence, time, word } from './fields.ts';
import type { StatusRange } from './global-model.ts';
import { type Context, type Keyword, removed, supported } from './keyword.ts';
import { COMPRESSION_BOUNDS } from './keywords-compression.ts';
import { GLOBAL_MORE } from './keywords-global-more.ts';
import { GLOBAL_VARS } from './keywords-global-vars.ts';
import { GLOBAL_LOG } from './keywords-log.ts';
import { NAME_CASES } from './keywords-name-case.ts';
import { GLOBAL_PROCESS } from './keywords-process.ts';
import { GLOBAL_TLS } from './keywords-tls-global.ts';
import { TUNE } from './keywords-tune.ts';
import { once } from './once.ts';

type Row = Keyword<GlobalDraft>;

const DNS_FAMILIES: readonly string[] = ['ipv4', 'ipv6', 'auto'];

const NODE_NAME = "'node' requires a name of letters, digits, dots, hyphens and underscores";

/** What the rows of this table have in common. */
function row(name: string, doc: string) {
  return { where: 'G', name, doc };
}

function statsSocket(cursor: Cursor, global: GlobalDraft, context: Context) {
  const address = cursor.next();
  if (address === null)
    return cursor.error("'stats socket' in global section expects an address or a path to a UNIX socket");
  global.statsSockets.push(...(readBindLine(cursor, address, 'stats socket', context) ?? []));
}

function closeSpreadTime(cursor: Cursor, global: GlobalDraft) {
  if (cursor.match('infinite')) {
    global.closeSpreadMs = Infinity;
    return;
  }
  const ms = cursor.expectTime('close-spread-time', 'ms');
  if (ms !== null) global.closeSpreadMs = ms;
}

/** `unix-bind`: what unix sockets have unless their line says otherwise. */
function unixBind(cursor: Cursor, unix: UnixBind, resources: Resources) {
  const names = ['prefix', 'mode', 'user', 'uid', 'group', 'gid'] as const;
  do {
    const name = cursor.expectOneOf('unix-bind', names);
    if (name === null) return;
    const word = cursor.expectWord(name);
    if (word === null) return;
    if (name === 'user' || name === 'group') expectAccount(cursor, name, word.text, resources);
    if (name === 'prefix' || name === 'user' || name === 'group') unix[name] = word.text;
    else if ((name === 'mode' ? /^[0-7]+$/ : /^\d+$/).test(word.text)) {
      unix[name] = Number.parseInt(word.text, name === 'mode' ? 8 : 10);
    } else return cursor.error(`'${name}' expects ${name === 'mode' ? 'an octal' : 'an'} integer, not '${word.text}'`);
  } while (cursor.left > 0);
}

/** `[+-]<range>[,...] ...`: sets, extends or cuts a set of statuses. */
function statusCodes(name: string, field: 'httpErrCodes' | 'httpFailCodes', doc: string): Row {
  return supported<GlobalDraft>({
    ...{ ...row(name, doc), args: '[+-]<range>[,...] [...]' },
    parse(cursor, global) {
      if (cursor.left === 0) return cursor.error(`'${name}' expects ranges of statuses`);
      for (const { text } of cursor.rest()) {
        const sign = /^[+-]/.exec(text)?.[0] ?? '';
        const ranges = text.slice(sign.length).split(',').map(statusRange);
        if (ranges.includes(null))
          return cursor.error(
            `'${name}': '${text}' is no list of ranges of statuses`,
            'write numbers from 100 to 599, as in 400-403,429',
          );
        if (sign === '') global[field] = [];
        for (const range of ranges) global[field] = changed(global[field], range!, sign !== '-');
      }
    },
    good: [`${name} 400,402-444,446-480,490`, `${name} 400-499 -450 +500`],
    bad: [
      [name, `'${name}' expects ranges of statuses`],
      [`${name} 99`, `'${name}': '99' is no list of ranges of statuses`],
      [`${name} 500-400`, `'${name}': '500-400' is no list of ranges of statuses`],
    ],
  });
}

/** The ranges with `first` to `last` added to them, or taken out of them. */
function changed(ranges: readonly StatusRange[], [first, last]: StatusRange, add: boolean): [number, number][] {
  const result: [number, number][] = [];
  for (let status = 100; status < 600; status++) {
    const inside = status >= first && status <= last;
    if (!(inside ? add : ranges.some(([low, high]) => status >= low && status <= high))) continue;
    const range = result.at(-1);
    if (range?.[1] === status - 1) range[1] = status;
    else result.push([status, status]);
  }
  return result;
}

/** `400` or `400-499`; null = it is no range. */
function statusRange(text: string): StatusRange | null {
  const match = /^(\d{3})(?:-(\d{3}))?$/.exec(text);
  const [first, last] = [Number(match?.[1]), Number(match?.[2] ?? match?.[1])];
  return match === null || first < 100 || last > 599 || first > last ? null : [first, last];
}

const OWN: readonly Row[] = [
  bare(row('daemon', 'Goes to the background.'), { daemon: true }),
  supported({
    name: 'master-worker',
    where: 'G',
    args: '[no-exit-on-failure]',
    doc: 'Signals and reloads work as under `-W`.',
    parse(cursor, global) {
      global.masterWorker = true;
      cursor.match('no-exit-on-failure');
    },
    good: ['master-worker', 'master-worker no-exit-on-failure'],
    bad: [['master-worker x', "'master-worker' cannot handle unexpected argument 'x'"]],
  }),
  integer(row('nbthread', 'How many threads carry traffic.'), 'nbthread', { min: 1, max: 64 }),
  removed('nbproc', 'G', '2.5', "'nbthread'"),
  ...once('maxconn', integer(row('maxconn', 'Connections of the whole process at most.'), 'maxconn')),
  ...once('maxconnrate', integer(row('maxconnrate', 'Connections accepted per second at most.'), 'maxconnrate')),
  ...once('maxsessrate', integer(row('maxsessrate', 'Sessions begun per second at most.'), 'maxsessrate')),
  ...once('ulimit-n', integer(row('ulimit-n', 'File descriptors the process may have.'), 'ulimitN')),
  integer(row('fd-hard-limit', 'File descriptors at most, where `ulimit-n` does not say how many.'), 'fdHardLimit'),
  ...once(
    'user/uid',
    account<GlobalDraft>(row('user', 'User to run as.'), 'user', 'user'),
    integer<GlobalDraft>(row('uid', 'User number to run as.'), 'uid'),
  ),
  ...once(
    'group/gid',
    account<GlobalDraft>(row('group', 'Group to run as.'), 'group', 'group'),
    integer<GlobalDraft>(row('gid', 'Group number to run as.'), 'gid'),
  ),
  ...once('chroot', word(row('chroot', 'Directory to be confined to.'), '<directory>', 'chroot')),
  ...once('pidfile', word(row('pidfile', 'File that gets the process number.'), '<file>', 'pidfile')),
  supported({
    name: 'node',
    where: 'G',
    args: '<name>',
    doc: 'Name of this machine on the statistics page.',
    parse(cursor, global) {
      const name = cursor.next()?.text ?? '';
      if (/^[\w.-]+$/.test(name)) global.node = name;
      else cursor.error(NODE_NAME);
    },
    good: ['node foo', 'node proxy-1.a_b'],
    bad: [
      ['node', NODE_NAME],
      ['node a!', NODE_NAME],
    ],
  }),
  integer(row('anonkey', 'Key of the hashes that `set anon on` shows instead of names; 0 = none.'), 'anonKey', {
    max: 0xffff_ffff,
  }),
  word(row('localpeer', 'Which peer of the `peers` sections this is; `-L` has the last word.'), '<name>', 'localPeer'),
  statusCodes('http-err-codes', 'httpErrCodes', 'Statuses that count as errors of the client.'),
  statusCodes('http-fail-codes', 'httpFailCodes', 'Statuses that count as failures of the server.'),
  word(row('log-tag', 'Program name in log lines.'), '<tag>', 'logTag'),
  word(row('stats-file', 'Totals to begin with: what `dump stats-file` gave.'), '<file>', 'statsFile'),
  ...once(
    'server-state-base',
    word(row('server-state-base', 'Where files of server states are.'), '<directory>', 'serverStateBase'),
  ),
  ...once(
    'server-state-file',
    word(row('server-state-file', 'The file of all server states.'), '<file>', 'serverStateFile'),
  ),
  sentence(
    row('description', 'Text on the statistics page.'),
    'description',
    "'description' expects a string argument",
  ),
  sentence(
    row('log-send-hostname', 'Puts a host name into log lines; this machine by default.'),
    'logSendHostname',
    null,
  ),
  integer(row('spread-checks', 'Percentage of the interval by which checks are shifted.'), 'spreadChecksPercent', {
    min: 0,
    max: 50,
  }),
  time(row('max-spread-checks', 'Checks are spread over this time at most.'), 'maxSpreadChecksMs'),
  time(row('hard-stop-after', 'How long a soft stop may last.'), 'hardStopAfterMs'),
  time(row('grace', 'Time between SIGUSR1 and the end of accepting.'), 'graceMs'),
  supported({
    name: 'close-spread-time',
    where: 'G',
    args: '{ <time> | infinite }',
    doc: 'Time over which a soft stop spreads the end of connections.',
    parse: closeSpreadTime,
    good: ['close-spread-time 10s', 'close-spread-time infinite'],
    bad: [['close-spread-time', "'close-spread-time' expects a time (in milliseconds by default)"]],
  }),
  integer(row('mworker-max-reloads', 'Reloads that a draining generation may survive.'), 'maxReloads'),
  time(row('stats timeout', 'Silence after which a client of the stats socket is dropped.'), 'statsTimeoutMs', 'ms', {
    min: 1,
  }),
  integer(row('stats maxconn', 'Clients of the stats sockets at most.'), 'statsMaxconn', { min: 1 }),
  bare(row('external-check', 'Allows checks by programs.'), { externalCheck: true }),
  bare(row('pp2-never-send-local', 'Checks name their own addresses in PROXY headers of version 2.'), {
    pp2NeverSendLocal: true,
  }),
  bare(row('h1-accept-payload-with-any-method', 'HTTP/1.0 requests of any method may have a payload.'), {
    h1AnyPayload: true,
  }),
  bare(
    row('h1-do-not-close-on-insecure-transfer-encoding', 'A message with two lengths does not end the connection.'),
    {
      h1KeepInsecure: true,
    },
  ),
  supported({
    name: 'harden.reject-privileged-ports.tcp',
    where: 'G',
    args: '{ on | off }',
    doc: 'Closes connections of clients whose port is below 1024.',
    parse(cursor, global) {
      global.rejectPrivilegedPorts = cursor.expectOneOf('harden.reject-privileged-ports.tcp', ['on', 'off']) === 'on';
    },
    good: ['harden.reject-privileged-ports.tcp on', 'harden.reject-privileged-ports.tcp off'],
    bad: [
      ['harden.reject-privileged-ports.tcp x', "'harden.reject-privileged-ports.tcp' expects 'on' or 'off', not 'x'"],
    ],
  }),
  bare(row('noreuseport', 'No other process may listen where we do; threads share one socket.'), { reusePort: false }),
  bare(row('zero-warning', 'Refuses to start when there is a warning.'), { zeroWarning: true }),
  supported({
    name: 'stats socket',
    where: 'G',
    args: '<address> [settings]',
    doc: 'A socket of the runtime API.',
    parse: statsSocket,
    good: [
      'stats socket /run/s.sock mode 660 level admin',
      'stats socket 127.0.0.1:9999',
      'stats socket fd@3 level admin',
    ],
    bad: [
      ['stats socket', "'stats socket' in global section expects an address or a path to a UNIX socket"],
      ['stats socket /a level foo', "'level' expects 'user', 'operator' or 'admin', not 'foo'"],
    ],
  }),
  supported({
    name: 'dns-accept-family',
    where: 'G',
    args: '{ipv4|ipv6|auto},...',
    doc: 'The families of addresses that names may resolve to; auto = IPv6 where the machine can reach it.',
    parse(cursor, global) {
      const word = cursor.expectWord('dns-accept-family');
      const families = word?.text.split(',') ?? [];
      const wrong = families.find(family => !DNS_FAMILIES.includes(family));
      if (wrong !== undefined) {
        return cursor.error(`'dns-accept-family' expects 'ipv4', 'ipv6' or 'auto', not '${wrong}'`);
      }
      const both = families.includes('ipv4') && families.includes('ipv6');
      const one = families.includes('auto') ? 'auto' : (families[0] as 'ipv4' | 'ipv6' | undefined);
      global.dnsAcceptFamily = both ? 'both' : (one ?? global.dnsAcceptFamily);
    },
    good: ['dns-accept-family ipv4', 'dns-accept-family ipv4,ipv6', 'dns-accept-family auto'],
    bad: [
      ['dns-accept-family', "'dns-accept-family' expects an argument"],
      ['dns-accept-family ipv5', "'dns-accept-family' expects 'ipv4', 'ipv6' or 'auto', not 'ipv5'"],
    ],
  }),
  supported({
    name: 'unix-bind',
    where: 'G',
    args: '[prefix <path>] [mode <mode>] [user <name>] [uid <uid>] [group <name>] [gid <gid>]',
    doc: 'Defaults of the unix sockets of `bind` lines.',
    parse: (cursor, global, { resources }) => unixBind(cursor, global.unixBind, resources),
    good: ['unix-bind prefix /run/x mode 770 user nobody gid 4'],
    bad: [
      ['unix-bind mode 9', "'mode' expects an octal integer, not '9'"],
      ['unix-bind foo', "'unix-bind' expects 'prefix', 'mode', 'user', 'uid', 'group' or 'gid', not 'foo'"],
    ],
  }),
];

export const GLOBAL: readonly Row[] = [
  ...OWN,
  ...GLOBAL_PROCESS,
  GLOBAL_LOG as Row,
  ...TUNE,
  ...COMPRESSION_BOUNDS,
  ...NAME_CASES,
  ...GLOBAL_VARS,
  ...GLOBAL_TLS,
  ...GLOBAL_MORE,
];
