/** How servers are checked: `option httpchk`, `option tcp-check`, `http-check`. */
import type { Cursor } from './cursor.ts';
import type { Draft, ProxyDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import type { CheckExpect } from './model.ts';

type Check = ProxyDraft['check'];

const EXPECTS: readonly CheckExpect['what'][] = ['status', 'rstatus', 'string', 'rstring'];
/** Matches and modifiers of HAProxy that have no place yet. */
const EXPECTS_LATER =
  'string-lf hdr fhdr min-recv comment ok-status error-status tout-status on-success on-error status-code'.split(' ');

/** A log-format text with expressions needs the rules engine; a plain one is itself. Null after reporting. */
function plainFormat(cursor: Cursor, text: string): string | null {
  if (!/%(?!%)/.test(text.replaceAll('%%', ''))) return text.replaceAll('%%', '%');
  cursor.error(`the format '${text}' is not supported by Sluice yet`, 'write a text without %');
  return null;
}

/**
 * `option httpchk [[<method>] <uri> [<version> [<host>]]]`. Before `http-check send` came, headers and a body were glued
 * to the version with `\r\n`: HTTP/1.1\r\nHost:\ name
 */
function httpchk(cursor: Cursor, check: Check): void {
  const words = cursor.line.words.slice(cursor.index, cursor.index + 4).map(word => word.text);
  cursor.index += words.length;
  check.type = 'http';
  if (words.length === 1) check.uri = words[0]!;
  if (words.length < 2) return;
  const [method = '', uri = '', version = 'HTTP/1.0', host] = words;
  Object.assign(check, { method, uri });
  const [first = '', ...rest] = version.split('\r\n\r\n');
  const [protocol = '', ...lines] = first.split('\r\n');
  check.version = protocol;
  check.body = rest.join('\r\n\r\n') || check.body;
  check.headers = lines.filter(line => line !== '').map(splitHeader);
  if (host === undefined) return;
  const plain = plainFormat(cursor, host);
  if (plain !== null) check.headers.push(['Host', plain]);
}

function splitHeader(line: string): [string, string] {
  const colon = line.indexOf(':');
  return colon < 0 ? [line, ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()];
}

/** `http-check send [meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]* [body <text>]` */
function send(cursor: Cursor, check: Check) {
  const headers: [string, string][] = [];
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const field = ({ meth: 'method', uri: 'uri', ver: 'version', body: 'body' } as const)[word.text];
    if (field !== undefined) {
      const value = cursor.next();
      if (value === null) return cursor.error(`'http-check send': '${word.text}' expects an argument`);
      check[field] = value.text;
    } else if (word.text === 'hdr') {
      const [name, value] = [cursor.next(), cursor.next()];
      if (name === null || value === null) {
        return cursor.error("'http-check send': 'hdr' expects <name> and <value> as arguments");
      }
      const plain = plainFormat(cursor, value.text);
      if (plain === null) return;
      headers.push([name.text, plain]);
    } else if (['uri-lf', 'body-lf', 'comment'].includes(word.text)) {
      return cursor.error(`'${word.text}' of 'http-check send' is not supported by Sluice yet`);
    } else {
      return cursor.error(
        `'http-check send' only supports 'meth', 'uri', 'ver', 'hdr' and 'body' (got '${word.text}')`,
      );
    }
  }
  check.headers.push(...headers);
}

/** `http-check expect [!] <match> <pattern>` */
function expect(cursor: Cursor, check: Check) {
  let negate = cursor.match('!');
  const word = cursor.next();
  if (word === null) return cursor.error("'http-check expect': expects at least a matching pattern as arguments");
  const glued = word.text.startsWith('!');
  if (glued) negate = true;
  const name = glued ? word.text.slice(1) : word.text;
  if (EXPECTS_LATER.includes(name)) {
    return cursor.error(`'${name}' of 'http-check expect' is not supported by Sluice yet`);
  }
  const what = EXPECTS.find(known => known === name);
  if (what === undefined) {
    const known = EXPECTS.map(known => `[!]${known}`).join(', ');
    return cursor.error(`'http-check expect': only supports ${known} but got '${name}' as argument`);
  }
  const pattern = cursor.next();
  if (pattern === null) return cursor.error(`'http-check expect': '${what}' expects a <pattern> as argument`);
  const rule: Draft<CheckExpect> = { what, negate, pattern: pattern.text };
  if (wrongPattern(cursor, rule)) return;
  check.expect.push(rule);
}

function wrongPattern(cursor: Cursor, { what, pattern }: Draft<CheckExpect>): boolean {
  const status = /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/;
  if (what === 'status' && !status.test(pattern)) {
    cursor.error(`'http-check expect': invalid status codes '${pattern}'`, 'such as 200 or 200-299,404');
    return true;
  }
  if (what !== 'rstatus' && what !== 'rstring') return false;
  try {
    new RegExp(pattern);
    return false;
  } catch {
    cursor.error(`'http-check expect': invalid regular expression '${pattern}'`);
    return true;
  }
}

function flag(name: string, field: 'disableOn404' | 'sendState', doc: string): Keyword<ProxyDraft> {
  return supported({
    ...{ name, doc, where: 'DLB', args: '', good: [name] },
    parse(_cursor, { check }) {
      check[field] = true;
    },
    bad: [[`${name} x`, `'${name}' cannot handle unexpected argument 'x'`]],
  });
}

export const CHECKS: readonly Keyword<ProxyDraft>[] = [
  supported({
    name: 'option httpchk',
    where: 'DLB',
    args: '[[<method>] <uri> [<version> [<host>]]]',
    doc: 'Checks servers by an HTTP request.',
    parse: (cursor, { check }) => httpchk(cursor, check),
    good: [
      'option httpchk',
      'option httpchk /test',
      'option httpchk GET /test',
      'option httpchk GET /test HTTP/1.1',
      'option httpchk GET /test HTTP/1.1 example.org',
    ],
    bad: [
      ['no option httpchk', "negation/default is not supported for 'option httpchk'"],
      ['option httpchk A B C D E', "'option httpchk' cannot handle unexpected argument 'E'"],
      ['option httpchk GET / HTTP/1.1 %[x]', "the format '%[x]' is not supported by Sluice yet"],
    ],
  }),
  supported({
    name: 'option tcp-check',
    where: 'DLB',
    args: '',
    doc: 'Checks servers by a TCP connection.',
    parse(_cursor, { check }) {
      check.type = 'tcp';
    },
    good: ['option tcp-check'],
    bad: [['option tcp-check x', "'option tcp-check' cannot handle unexpected argument 'x'"]],
  }),
  flag('http-check disable-on-404', 'disableOn404', 'A server that answers 404 gets no new users.'),
  flag('http-check send-state', 'sendState', 'Checks tell the server its state in a header.'),
  supported({
    name: 'http-check send',
    where: 'DLB',
    args: '[meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]* [body <text>]',
    doc: 'What the check request has.',
    parse: (cursor, { check }) => send(cursor, check),
    good: ['http-check send', 'http-check send meth GET uri /x ver HTTP/1.1 hdr Host www body hello'],
    bad: [
      ['http-check send hdr x', "'http-check send': 'hdr' expects <name> and <value> as arguments"],
      ['http-check send uri', "'http-check send': 'uri' expects an argument"],
      ['http-check send hdr x %[y]', "the format '%[y]' is not supported by Sluice yet"],
      ['http-check send uri-lf /x', "'uri-lf' of 'http-check send' is not supported by Sluice yet"],
      ['http-check send foo', "'http-check send' only supports 'meth', 'uri', 'ver', 'hdr' and 'body' (got 'foo')"],
    ],
  }),
  supported({
    name: 'http-check expect',
    where: 'DLB',
    args: '[!] <match> <pattern>',
    doc: 'What a good answer to a check is.',
    parse: (cursor, { check }) => expect(cursor, check),
    good: [
      'http-check expect status 200',
      'http-check expect status 200-299,404',
      'http-check expect ! rstatus ^5',
      'http-check expect !string error',
      'http-check expect rstring <(h1|h2)>',
    ],
    bad: [
      ['http-check expect', "'http-check expect': expects at least a matching pattern as arguments"],
      ['http-check expect status', "'http-check expect': 'status' expects a <pattern> as argument"],
      ['http-check expect status abc', "'http-check expect': invalid status codes 'abc'"],
      ['http-check expect rstring (', "'http-check expect': invalid regular expression '('"],
      [
        'http-check expect foo bar',
        "'http-check expect': only supports [!]status, [!]rstatus, [!]string, [!]rstring but got 'foo' as argument",
      ],
      ['http-check expect hdr name x', "'hdr' of 'http-check expect' is not supported by Sluice yet"],
    ],
  }),
];
