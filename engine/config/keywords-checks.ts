/** How servers are checked: `option httpchk` and its kin, `external-check`. The rules are in files of their own. */
import { type CheckOwner, newRequest, type StepDraft } from './check-draft.ts';
import type { CheckStep, CheckType } from './check-model.ts';
import {
  ldapCheck,
  type MysqlClient,
  mysqlCheck,
  pgsqlCheck,
  redisCheck,
  smtpCheck,
  spopCheck,
  sslHelloCheck,
} from './check-presets.ts';
import { checkValue } from './check-values.ts';
import type { Cursor } from './cursor.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { HTTP_CHECK } from './keywords-http-check.ts';
import { TCP_CHECK } from './keywords-tcp-check.ts';

type Row = Keyword<CheckOwner>;

/** A kind of check, named by an option of a proxy or by `type` of a `healthcheck` section. */
interface Kind {
  readonly name: string;
  readonly args: string;
  readonly doc: string;
  readonly parse: Row['parse'];
  /** Arguments that must parse, and those that must not. */
  readonly good: readonly string[];
  readonly bad: readonly (readonly [args: string, message: string])[];
}

/**
 * `option httpchk [[<method>] <uri> [<version> [<host>]]]`. Before `http-check send` came, headers and a body were glued
 * to the version with `\r\n`: HTTP/1.1\r\nHost:\ name
 */
function httpchk(cursor: Cursor, owner: CheckOwner, context: Context): void {
  const { check } = owner;
  const given = cursor.line.words.slice(cursor.index, cursor.index + 4);
  const words = given.map(word => word.text);
  cursor.index += words.length;
  const request = newRequest();
  check.type = 'http';
  check.httpchk = request;
  check.httpchkLast = check.http.list.some(rule => rule.kind === 'request');
  if (words.length === 1) request.uri = words[0]!;
  if (words.length < 2) return;
  const [method = '', uri = '', version = 'HTTP/1.0'] = words;
  const [first = '', ...rest] = version.split('\r\n\r\n');
  const [protocol = '', ...lines] = first.split('\r\n');
  Object.assign(request, { method, uri, version: protocol, body: rest.join('\r\n\r\n') || null });
  request.headers = lines.filter(line => line !== '').map(splitHeader);
  if (version.includes('\r\n')) {
    const message = "'option httpchk' : hiding headers or body at the end of the version string is deprecated";
    cursor.warning(message, "use 'http-check send' instead", given[2]);
  }
  const host = given[3] && checkValue({ cursor, owner, context, name: 'option httpchk' }, given[3]);
  if (host != null) request.headers.push(['Host', host]);
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** A kind that is a fixed script. */
function preset(name: string, type: CheckType, doc: string, steps: () => StepDraft<CheckStep>[]): Kind {
  return {
    ...{ name, doc, args: '', good: [''] },
    parse: (_cursor, { check }) => void Object.assign(check, { type, preset: steps() }),
    bad: [['x', `'option ${name}' cannot handle unexpected argument 'x'`]],
  };
}

const MYSQL_CLIENTS: readonly MysqlClient[] = ['pre-41', 'post-41', 'post-80'];

/** `user <name>`; null after reporting. */
function user(cursor: Cursor, option: string): string | null {
  const word = cursor.match('user') ? cursor.next() : null;
  if (word === null) cursor.error(`'option ${option}' expects 'user <username>' as argument`);
  return word?.text ?? null;
}

function mysql(cursor: Cursor, { check }: CheckOwner): void {
  const name = cursor.left === 0 ? null : user(cursor, 'mysql-check');
  const client = name === null || cursor.left === 0 ? 'post-41' : cursor.expectOneOf('mysql-check', MYSQL_CLIENTS);
  if (client !== null) Object.assign(check, { type: 'mysql', preset: mysqlCheck(name, client) });
}

/** Any greeting but HELO and EHLO is taken for HELO localhost, as in HAProxy. */
function smtp(cursor: Cursor, { check }: CheckOwner) {
  const [hello, domain] = [cursor.next(), cursor.next()];
  if (hello !== null && domain === null) {
    return cursor.error("'option smtpchk' expects <hello> and <domain> together");
  }
  const known = hello !== null && ['HELO', 'EHLO'].includes(hello.text.toUpperCase());
  const command = known ? `${hello.text} ${domain!.text}` : 'HELO localhost';
  Object.assign(check, { type: 'smtp', preset: smtpCheck(command) });
}

const KINDS: readonly Kind[] = [
  {
    name: 'httpchk',
    args: '[[<method>] <uri> [<version> [<host>]]]',
    doc: 'Checks servers by an HTTP request.',
    parse: httpchk,
    good: ['', '/test', 'GET /test', 'GET /test HTTP/1.1', 'GET /test HTTP/1.1 example.org'],
    bad: [
      ['A B C D E', "'option httpchk' cannot handle unexpected argument 'E'"],
      ['GET / HTTP/1.1 %[x]', "'option httpchk' : failed to parse sample expression <x]> : unknown fetch method 'x'"],
    ],
  },
  preset('tcp-check', 'tcp', 'Checks servers by a TCP connection and the steps of `tcp-check`.', () => []),
  preset('ssl-hello-chk', 'ssl-hello', 'Checks servers by an SSL client hello.', sslHelloCheck),
  preset('redis-check', 'redis', 'Checks servers by a Redis PING.', redisCheck),
  preset('ldap-check', 'ldap', 'Checks servers by an LDAP bind.', ldapCheck),
  preset('spop-check', 'spop', 'Checks servers by an SPOP hello.', spopCheck),
  {
    name: 'smtpchk',
    args: '[<hello> <domain>]',
    doc: 'Checks servers by an SMTP greeting.',
    parse: smtp,
    good: ['', 'EHLO mydomain.org'],
    bad: [
      ['EHLO', "'option smtpchk' expects <hello> and <domain> together"],
      ['EHLO a b', "'option smtpchk' cannot handle unexpected argument 'b'"],
    ],
  },
  {
    name: 'mysql-check',
    args: '[user <name> [post-41 | pre-41 | post-80]]',
    doc: 'Checks servers by a MySQL handshake.',
    parse: mysql,
    good: ['', 'user bob', 'user bob pre-41', 'user bob post-80'],
    bad: [
      ['foo', "'option mysql-check' expects 'user <username>' as argument"],
      ['user', "'option mysql-check' expects 'user <username>' as argument"],
    ],
  },
  {
    name: 'pgsql-check',
    args: 'user <name>',
    doc: 'Checks servers by the start of a PostgreSQL session.',
    parse(cursor, { check }) {
      const name = user(cursor, 'pgsql-check');
      if (name !== null) Object.assign(check, { type: 'pgsql', preset: pgsqlCheck(name) });
    },
    good: ['user bob'],
    bad: [['', "'option pgsql-check' expects 'user <username>' as argument"]],
  },
];

function option({ name, args, doc, parse, good, bad }: Kind): Row {
  const option = `option ${name}`;
  return supported({
    ...{ name: option, where: 'DLB', args, doc, parse },
    good: good.map(words => `${option} ${words}`.trim()),
    bad: [
      [`no ${option}`, `negation/default is not supported for '${option}'`],
      ...bad.map(([words, message]) => [`${option} ${words}`.trim(), message] as const),
    ],
  });
}

/** `type httpchk ...` in a `healthcheck` section. */
function type({ name, args, doc, parse, good, bad }: Kind): Row {
  return supported({
    ...{ name: `type ${name}`, where: 'H', args, doc, parse },
    good: good.map(words => `type ${name} ${words}`.trim()),
    bad: bad.map(([words, message]) => [
      `type ${name} ${words}`.trim(),
      message.replace(`'option ${name}' cannot`, `'type ${name}' cannot`),
    ]),
  });
}

function external(what: 'command' | 'path', doc: string): Row {
  const name = `external-check ${what}`;
  return supported({
    ...{ name, doc, where: 'DLB', args: `<${what}>` },
    parse(cursor, { check }) {
      const word = cursor.next();
      if (word === null) cursor.error(`'${name}' expects an argument`);
      else check[what] = word.text;
    },
    good: [`${name} /bin/true`],
    bad: [
      [name, `'${name}' expects an argument`],
      [`${name} a b`, `'${name}' cannot handle unexpected argument 'b'`],
    ],
  });
}

export const CHECKS: readonly Row[] = [
  ...KINDS.map(option),
  supported({
    ...{ name: 'option external-check', where: 'DLB', args: '', doc: 'Checks servers by a program.' },
    parse: (_cursor, { check }) => void Object.assign(check, { type: 'external', preset: [] }),
    good: ['option external-check'],
    bad: [['option external-check x', "'option external-check' cannot handle unexpected argument 'x'"]],
  }),
  external('command', 'The program that checks servers.'),
  external('path', 'PATH of that program.'),
  ...HTTP_CHECK,
  ...TCP_CHECK,
];

/** The keywords of a `healthcheck` section. */
export const HEALTHCHECK: readonly Row[] = [
  ...KINDS.map(type),
  ...[...HTTP_CHECK, ...TCP_CHECK].map(row => ({ ...row, where: 'H' })),
];
