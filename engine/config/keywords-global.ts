/** Keywords of the global section; its `tune.*` are in keywords-tune.ts, the refused ones in keywords-global-more.ts. */
import { readBindLine } from './bind-line.ts';
import type { Cursor } from './cursor.ts';
import type { GlobalDraft, UnixBind } from './draft.ts';
import { GLOBAL_MORE } from './keywords-global-more.ts';
import { GLOBAL_LOG } from './keywords-log.ts';
import { TUNE } from './keywords-tune.ts';
import { type Context, type Keyword, supported } from './keyword.ts';

type Row = Keyword<GlobalDraft>;
type KeysOf<V> = { [K in keyof GlobalDraft]: V extends GlobalDraft[K] ? K : never }[keyof GlobalDraft];

/** One word into one field. */
function text(name: string, args: string, field: KeysOf<'x'>, doc: string): Row {
  return supported({
    ...{ name, args, doc, where: 'G', good: [`${name} foo`], bad: [[name, `'${name}' expects an argument`]] as const },
    parse(cursor, global) {
      const word = cursor.expectWord(name);
      if (word !== null) Object.assign(global, { [field]: word.text });
    },
  });
}

/** One integer into one field. */
function integer(name: string, field: KeysOf<0>, doc: string, min = 0, max = 0x7fff_ffff, sample = 10): Row {
  return supported({
    ...{ name, doc, where: 'G', args: '<number>', good: [`${name} ${sample}`] },
    parse(cursor, global) {
      const value = cursor.expectInt(name, { min, max });
      if (value !== null) Object.assign(global, { [field]: value });
    },
    bad: [
      [name, `'${name}' expects an integer between ${min} and ${max}`],
      [`${name} ${sample} x`, `'${name}' cannot handle unexpected argument 'x'`],
    ],
  });
}

/** One time into one field of milliseconds. */
function time(name: string, unit: 'ms' | 's', field: KeysOf<0>, doc: string): Row {
  return supported({
    ...{ name, doc, where: 'G', args: '<time>', good: [`${name} 10s`] },
    parse(cursor, global) {
      const ms = cursor.expectTime(name, unit);
      if (ms !== null) Object.assign(global, { [field]: ms });
    },
    bad: [[name, `'${name}' expects a time (in ${unit === 's' ? 'seconds' : 'milliseconds'} by default)`]],
  });
}

/** A switch without arguments. */
function flag(name: string, field: KeysOf<boolean>, doc: string): Row {
  return supported({
    ...{ name, doc, where: 'G', args: '', good: [name] },
    parse(_cursor, global) {
      Object.assign(global, { [field]: true });
    },
    bad: [[`${name} x`, `'${name}' cannot handle unexpected argument 'x'`]],
  });
}

/** The rest of the line as one text. */
function sentence(name: string, field: 'description' | 'logSendHostname', doc: string): Row {
  return supported({
    ...{ name, doc, where: 'G', args: '[<text>]', good: [`${name} foo`], bad: [] },
    parse(cursor, global) {
      global[field] = cursor
        .rest()
        .map(word => word.text)
        .join(' ');
    },
  });
}

function statsSocket(cursor: Cursor, global: GlobalDraft, context: Context): void {
  const address = cursor.next();
  if (address === null) return cursor.error("'stats socket' in global section expects an address or a path to a UNIX socket");
  global.statsSockets.push(...(readBindLine(cursor, address, 'stats socket', context) ?? []));
}

/** `unix-bind`: what unix sockets have unless their line says otherwise. */
function unixBind(cursor: Cursor, unix: UnixBind): void {
  const names = ['prefix', 'mode', 'user', 'uid', 'group', 'gid'] as const;
  do {
    const name = cursor.expectOneOf('unix-bind', names);
    if (name === null) return;
    const word = cursor.expectWord(name);
    if (word === null) return;
    if (name === 'prefix' || name === 'user' || name === 'group') unix[name] = word.text;
    else if ((name === 'mode' ? /^[0-7]+$/ : /^\d+$/).test(word.text)) {
      unix[name] = Number.parseInt(word.text, name === 'mode' ? 8 : 10);
    } else return cursor.error(`'${name}' expects ${name === 'mode' ? 'an octal' : 'an'} integer, not '${word.text}'`);
  } while (cursor.left > 0);
}

const OWN: readonly Row[] = [
  flag('daemon', 'daemon', 'Goes to the background.'),
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
  integer('nbthread', 'nbthread', 'How many threads carry traffic.', 1, 64),
  integer('nbproc', 'nbthread', 'Old name of `nbthread`: there is one process.', 1, 64),
  integer('maxconn', 'maxconn', 'Connections at most, in the whole process.'),
  integer('maxconnrate', 'maxconnrate', 'Connections accepted per second at most.'),
  integer('maxsessrate', 'maxsessrate', 'Sessions begun per second at most.'),
  integer('ulimit-n', 'ulimitN', 'File descriptors the process may have.'),
  integer('uid', 'uid', 'User number to run as.'),
  integer('gid', 'gid', 'Group number to run as.'),
  text('user', '<name>', 'user', 'User to run as.'),
  text('group', '<name>', 'group', 'Group to run as.'),
  text('chroot', '<directory>', 'chroot', 'Directory to be confined to.'),
  text('pidfile', '<file>', 'pidfile', 'File that gets the process number.'),
  text('node', '<name>', 'node', 'Name of this machine on the statistics page.'),
  text('log-tag', '<tag>', 'logTag', 'Program name in log lines.'),
  text('server-state-base', '<directory>', 'serverStateBase', 'Where files of server states are.'),
  text('server-state-file', '<file>', 'serverStateFile', 'The file of all server states.'),
  sentence('description', 'description', 'Text on the statistics page.'),
  sentence('log-send-hostname', 'logSendHostname', 'Puts a host name into log lines; this machine by default.'),
  integer('spread-checks', 'spreadChecksPercent', 'Percentage of the interval by which checks are shifted.', 0, 50),
  time('max-spread-checks', 'ms', 'maxSpreadChecksMs', 'Checks are spread over this time at most.'),
  time('hard-stop-after', 'ms', 'hardStopAfterMs', 'How long a soft stop may last.'),
  time('stats timeout', 'ms', 'statsTimeoutMs', 'Silence after which a client of the stats socket is dropped.'),
  integer('stats maxconn', 'statsMaxconn', 'Clients of the stats sockets at most.', 1),
  flag('zero-warning', 'zeroWarning', 'Refuses to start when there is a warning.'),
  supported({
    name: 'stats socket',
    where: 'G',
    args: '<address> [settings]',
    doc: 'A socket of the runtime API.',
    parse: statsSocket,
    good: ['stats socket /run/s.sock mode 660 level admin', 'stats socket 127.0.0.1:9999', 'stats socket fd@3 level admin'],
    bad: [
      ['stats socket', "'stats socket' in global section expects an address or a path to a UNIX socket"],
      ['stats socket /a level foo', "'level' expects 'user', 'operator' or 'admin', not 'foo'"],
    ],
  }),
  supported({
    name: 'unix-bind',
    where: 'G',
    args: '[prefix <path>] [mode <mode>] [user <name>] [uid <uid>] [group <name>] [gid <gid>]',
    doc: 'Defaults of the unix sockets of `bind` lines.',
    parse: (cursor, global) => unixBind(cursor, global.unixBind),
    good: ['unix-bind prefix /run/x mode 770 user nobody gid 4'],
    bad: [
      ['unix-bind mode 9', "'mode' expects an octal integer, not '9'"],
      ['unix-bind foo', "'unix-bind' expects 'prefix', 'mode', 'user', 'uid', 'group' or 'gid', not 'foo'"],
    ],
  }),
];

export const GLOBAL: readonly Row[] = [...OWN, GLOBAL_LOG as Row, ...TUNE, ...GLOBAL_MORE];
