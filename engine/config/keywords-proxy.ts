/** Keywords of the proxy sections (manual 4): the whole table, and the rows that belong to no group. */

import { nameAt } from '../log/format-text.ts';
import { takeFormat } from '../rules/format.ts';
import { RULE_KEYWORDS } from '../rules/rule-line.ts';
import { SOURCE_ACCEPTS } from './address.ts';
import { readBindLine } from './bind-line.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { bare, type FieldOf, integer, reference, sentence, word } from './fields.ts';
import { guidRow } from './guid.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { ACL, readProxyCondition } from './keywords-acl.ts';
import { BALANCE } from './keywords-balance.ts';
import { CAPTURES } from './keywords-captures.ts';
import { CHECKS } from './keywords-checks.ts';
import { COMPRESSION } from './keywords-compression.ts';
import { COOKIE } from './keywords-cookie.ts';
import { ERRORS } from './keywords-errors.ts';
import { FILTERS } from './keywords-filter.ts';
import { LATER_PROXY } from './keywords-later.ts';
import { LOG_FORMATS, PROXY_LOG } from './keywords-log.ts';
import { LOG_STEPS_KEYWORD } from './keywords-log-profile.ts';
import { EMAIL_ALERT } from './keywords-mailers.ts';
import { OPTION } from './keywords-options.ts';
import { REMOVED } from './keywords-removed.ts';
import { RETRY_ON } from './keywords-retry.ts';
import { sourceRow } from './keywords-source.ts';
import { SSL_F_USE } from './keywords-ssl-f-use.ts';
import { STATS } from './keywords-stats.ts';
import { STICK } from './keywords-stick.ts';
import { SWITCHING } from './keywords-switching.ts';
import { TIMEOUT } from './keywords-timeouts.ts';
import { readDefaultServer, readServer, readServerTemplate } from './server-line.ts';

type Row = Keyword<ProxyDraft>;

/** What every row of this table has. */
function row(name: string, where: string, doc: string) {
  return { where, name, doc };
}

function choice<const V extends string>(
  name: string,
  where: string,
  field: FieldOf<ProxyDraft, V>,
  list: readonly V[],
  doc: string,
  otherwise: Readonly<Record<string, string>> = {},
): Row {
  const quoted = list.map(value => `'${value}'`);
  const names = `${quoted.slice(0, -1).join(', ')} or ${quoted.at(-1)}`;
  return supported({
    ...{ name, where, doc, args: `<${list.join('|')}>`, good: list.map(value => `${name} ${value}`) },
    parse(cursor, proxy) {
      const special = otherwise[cursor.peek()?.text ?? ''];
      if (special !== undefined) return cursor.error(special, undefined, cursor.next()!);
      const value = cursor.expectOneOf(name, list);
      if (value !== null) Object.assign(proxy, { [field]: value });
    },
    bad: [
      [name, `'${name}' expects ${names}`],
      [`${name} foo`, `'${name}' expects ${names}, not 'foo'`],
      ...Object.entries(otherwise).map(([word, message]) => [`${name} ${word}`, message] as const),
    ],
  });
}

function useBackend(cursor: Cursor, proxy: ProxyDraft, { resources }: Context) {
  if (cursor.next() === null) return cursor.error("'use_backend' expects a backend name");
  const target = reference(cursor);
  const named = target.name.includes('%');
  const dynamic = named ? takeFormat(cursor, proxy, cursor.current, nameAt('setBackend'), resources) : null;
  if (named && dynamic === null) return;
  const word = cursor.peek();
  if (word !== null && word.text !== 'if' && word.text !== 'unless') {
    const message = `unexpected keyword '${word.text}' after switching rule, only 'if' and 'unless' are allowed`;
    return cursor.error(message, undefined, cursor.next()!);
  }
  const condition = word === null ? null : readProxyCondition(cursor, proxy, resources, 'setBackend');
  if (word === null || condition !== null) proxy.useBackend.push({ ...target, condition, dynamic });
}

function bind(cursor: Cursor, proxy: ProxyDraft, context: Context) {
  const word = cursor.next();
  if (word === null) {
    return cursor.error("'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments");
  }
  proxy.binds.push(...(readBindLine(cursor, word, 'bind', context) ?? []));
}

const SERVER_LINES: Pick<Row, 'good' | 'bad'> = {
  good: ['server a 127.0.0.1:80 check inter 2s weight 10', 'server a unix@/run/a.sock', 'server a 127.0.0.1'],
  bad: [
    ['server', "'server' expects <name> and <addr>[:<port>] as arguments"],
    ['server x', "'server' expects <name> and <addr>[:<port>] as arguments"],
    ['server s/4 127.0.0.1:80', "character '/' is not permitted in server name 's/4'"],
    ['server s 127.0.0.1:99999', "'server t/s': invalid port '99999'"],
    ['server s 127.0.0.1:80 foo', "'server t/s': unknown keyword 'foo'"],
  ],
};

/** Headers that say where a message goes, and where it ends. */
const NOT_FOR_NAMES = ['host', 'content-length', 'transfer-encoding', 'connection'];

const MODE = choice('mode', 'DFLB', 'mode', ['tcp', 'http', 'log'], 'What the proxy understands.', {
  spop: "'mode spop' is not supported by Sluice yet",
  haterm: "'mode haterm' is not supported by Sluice yet",
  health: "'mode health' is not supported anymore since HAProxy 2.0. Use 'http-request return' instead",
});

const OWN: readonly Row[] = [
  {
    ...MODE,
    parse(cursor, proxy, context) {
      MODE.parse(cursor, proxy, context);
      proxy.modeGiven = true;
    },
  },
  supported<ProxyDraft>({
    name: 'bind',
    where: 'FL',
    args: '[<address>]:<port>[-<port>] [, ...] [settings]',
    doc: 'Addresses to listen on.',
    parse: bind,
    good: [
      'bind :80',
      'bind *:8000-8010 name x',
      'bind 127.0.0.1:80,[::1]:80 maxconn 100',
      'bind /run/s.sock mode 600',
      'bind fd@3',
    ],
    bad: [
      ['bind', "'bind' expects {<path>|[addr1]:port1[-end1]}{,[addr]:port[-end]}... as arguments"],
      ['bind 127.0.0.1', "'bind': missing port specification in '127.0.0.1'"],
      ['bind 127.0.0.1:99999', "'bind': invalid port '99999'"],
      ['bind :80 foo', "'bind :80': unknown keyword 'foo'"],
      ['bind nosuch.invalid:80', "'bind': invalid address: 'nosuch.invalid' in 'nosuch.invalid:80'"],
      ['bind :80-81 id 3', "'bind :80-81': 'id' can only be used with a single socket"],
    ],
  }),
  supported<ProxyDraft>({
    name: 'server',
    where: 'LB',
    args: '<name> <address>[:<port>] [settings]',
    doc: 'A server of the backend.',
    parse: readServer,
    ...SERVER_LINES,
  }),
  supported<ProxyDraft>({
    name: 'server-template',
    where: 'LB',
    args: '<prefix> <number or range> <address>[:<port>] [settings]',
    doc: 'Several servers by one line.',
    parse: readServerTemplate,
    good: ['server-template s 3 127.0.0.1:80 check', 'server-template s 2-4 127.0.0.1:80'],
    bad: [
      ['server-template s 3', "'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments"],
      ['server-template s 4-2 127.0.0.1:80', "'server-template': wrong number or range '4-2'"],
    ],
  }),
  choice('load-server-state-from-file', 'DLB', 'stateFrom', ['global', 'local', 'none'], 'Takes server states over.'),
  supported<ProxyDraft>({
    name: 'server-state-file-name',
    where: 'DLB',
    args: '[{ use-backend-name | <file> }]',
    doc: 'Name of the state file of this backend.',
    parse(cursor, proxy) {
      const name = cursor.next()?.text ?? 'use-backend-name';
      proxy.stateFile = name === 'use-backend-name' ? '' : name;
    },
    good: ['server-state-file-name', 'server-state-file-name use-backend-name', 'server-state-file-name /run/states'],
    bad: [['server-state-file-name a b', "'server-state-file-name' cannot handle unexpected argument 'b'"]],
  }),
  supported<ProxyDraft>({
    name: 'default-server',
    where: 'DLB',
    args: '[settings]',
    doc: 'Settings of the servers that follow.',
    parse: readDefaultServer,
    good: ['default-server inter 2s fall 5', 'default-server'],
    bad: [['default-server foo', "'default-server': unknown keyword 'foo'"]],
  }),
  supported<ProxyDraft>({
    name: 'default_backend',
    where: 'DFL',
    args: '<backend>',
    doc: 'The backend of what no rule sends elsewhere.',
    parse(cursor, proxy) {
      if (cursor.next() === null) cursor.error("'default_backend' expects a backend name");
      else proxy.defaultBackend = reference(cursor);
    },
    good: ['default_backend other'],
    bad: [
      ['default_backend', "'default_backend' expects a backend name"],
      ['default_backend a b', "'default_backend' cannot handle unexpected argument 'b'"],
    ],
  }),
  supported<ProxyDraft>({
    name: 'use_backend',
    where: 'FL',
    args: '<backend> [{ if | unless } <condition>]',
    doc: 'Sends requests to a backend.',
    parse: useBackend,
    good: [
      'use_backend t',
      'use_backend t if TRUE',
      'use_backend t unless { path_beg /a } || !METH_GET',
      'use_backend %[hdr(host),lower]',
    ],
    bad: [
      ['use_backend', "'use_backend' expects a backend name"],
      ['use_backend x foo', "unexpected keyword 'foo' after switching rule, only 'if' and 'unless' are allowed"],
      ['use_backend x if foo', "no such ACL : 'foo'"],
      ['use_backend x if { path', "missing closing '}' in condition"],
      ['use_backend x if { foo }', "unknown fetch method 'foo' in ACL expression 'foo'"],
      ['use_backend %[foo]', "failed to parse sample expression <foo]> : unknown fetch method 'foo'"],
    ],
  }),
  integer(row('maxconn', 'DFL', 'Connections of the frontend at most; 0 = those of the process.'), 'maxconn'),
  integer(row('backlog', 'DFL', 'Connections waiting in the kernel.'), 'backlog'),
  integer(row('rate-limit sessions', 'DFL', 'Sessions begun per second at most.'), 'rateLimitSessions'),
  integer(row('id', 'FLB', 'Number of the proxy in statistics.'), 'id', { min: 1 }),
  bare(row('be-unpublished', 'LB', 'Switching rules pass it over until it is published.'), { unpublished: true }),
  integer(
    row('max-keep-alive-queue', 'DLB', 'Queue length at which the last server is given up; -1 = none.'),
    'maxKeepAliveQueue',
    {
      min: -1,
    },
  ),
  integer(row('fullconn', 'DLB', 'Sessions at which dynamic limits reach `maxconn`.'), 'fullconn'),
  integer(row('retries', 'DLB', 'How often a failed connection is tried again.'), 'retries'),
  choice(
    'http-reuse',
    'DLB',
    'httpReuse',
    ['never', 'safe', 'aggressive', 'always'],
    'Who may use an idle connection.',
  ),
  word(
    row('monitor-uri', 'DFL', 'A path that is answered here, for monitors.'),
    '<uri>',
    'monitorUri',
    "'monitor-uri' expects an URI",
  ),
  word(
    row('dynamic-cookie-key', 'DLB', 'Secret of the cookies that are made of addresses.'),
    '<key>',
    'dynamicCookieKey',
    "'dynamic-cookie-key' expects <secret_key> as argument",
  ),
  integer(
    row('max-session-srv-conns', 'DFL', 'Idle server connections that a client may keep for itself.'),
    'maxSessionServerConns',
  ),
  guidRow('guid', 'FLB', 'Globally unique id.'),
  word(
    row('log-tag', 'DFLB', 'Program name in log lines.'),
    '<tag>',
    'logTag',
    "'log-tag' expects a tag for use in syslog",
  ),
  bare(row('disabled', 'DFLB', 'The proxy is not started.'), { disabled: true }),
  bare(row('enabled', 'DFLB', 'The proxy is started.'), { disabled: false }),
  sentence(
    row('description', 'FLB', 'Text on the statistics page.'),
    'description',
    "'description' expects a string argument",
  ),
  supported<ProxyDraft>({
    name: 'http-send-name-header',
    where: 'DLB',
    args: '<name>',
    doc: 'Tells the server its own name in a header.',
    parse(cursor, proxy) {
      const name = cursor.next()?.text.toLowerCase() ?? '';
      if (name === '') cursor.error("'http-send-name-header' requires a header string");
      else if (!NOT_FOR_NAMES.includes(name)) proxy.sendNameHeader = name;
      else cursor.error(`'http-send-name-header' : '${name}' is a reserved name and cannot be used`);
    },
    good: ['http-send-name-header X-Server'],
    bad: [
      ['http-send-name-header', "'http-send-name-header' requires a header string"],
      ['http-send-name-header Host', "'http-send-name-header' : 'host' is a reserved name and cannot be used"],
    ],
  }),
  sourceRow('DLB', 'Where connections to servers come from.', SOURCE_ACCEPTS),
];

export const PROXY: readonly Row[] = [
  ...OWN,
  ...BALANCE,
  COOKIE,
  COMPRESSION,
  ...FILTERS,
  RETRY_ON,
  ...ERRORS,
  PROXY_LOG as Row,
  ...LOG_FORMATS,
  LOG_STEPS_KEYWORD,
  ...TIMEOUT,
  ...OPTION,
  ...CHECKS,
  ...STATS,
  ...SWITCHING,
  ...STICK,
  ...RULE_KEYWORDS,
  ...CAPTURES,
  ...ACL,
  ...EMAIL_ALERT,
  ...LATER_PROXY,
  SSL_F_USE,
  ...REMOVED,
];
