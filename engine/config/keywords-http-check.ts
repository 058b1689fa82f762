/** `http-check`: the steps of an HTTP check, and what HTTP checks do besides. */
import { type CheckOwner, newRequest, type RequestDraft } from './check-draft.ts';
import {
  addRule,
  argument,
  commentRow,
  connectRow,
  expectRule,
  type Matches,
  pattern,
  plainFormat,
  wrongRegex,
} from './check-rules.ts';
import type { Cursor } from './cursor.ts';
import type { Draft } from './draft.ts';
import { type Keyword, later, supported } from './keyword.ts';
import type { ExpectStep, MatchMethod } from './model.ts';

type Row = Keyword<CheckOwner>;

const SEND = 'http-check send';
const SEND_FIELDS: Readonly<Record<string, 'method' | 'uri' | 'version' | 'body'>> = {
  meth: 'method',
  uri: 'uri',
  ver: 'version',
  body: 'body',
};

/** `[meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]* [body <text>] [comment <text>]`; null after reporting. */
function request(cursor: Cursor): (RequestDraft & { comment: string }) | null {
  const made = { ...newRequest(), comment: '' };
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const field = word.text === 'comment' ? 'comment' : SEND_FIELDS[word.text];
    if (field !== undefined) {
      const value = argument(cursor, SEND, word.text);
      if (value === null) return null;
      made[field] = value;
    } else if (word.text === 'hdr') {
      const [name, value] = [cursor.next(), cursor.next()];
      if (name === null || value === null) {
        cursor.error(`'${SEND}': 'hdr' expects <name> and <value> as arguments`);
        return null;
      }
      const plain = plainFormat(cursor, value.text);
      if (plain === null) return null;
      made.headers.push([name.text, plain]);
    } else {
      const known = word.text === 'uri-lf' || word.text === 'body-lf';
      if (known) cursor.error(`'${word.text}' of '${SEND}' is not supported by Sluice yet`);
      else
        cursor.error(`'${SEND}' only supports 'meth', 'uri', 'ver', 'hdr', 'body' and 'comment' (got '${word.text}')`);
      return null;
    }
  }
  return made;
}

const METHODS: readonly MatchMethod[] = ['str', 'beg', 'end', 'sub', 'reg'];

/** `[-m <method>] <text>`; null after reporting. */
function matched(cursor: Cursor, name: string, what: string): { method: MatchMethod; text: string } | null {
  const method = cursor.match('-m') ? cursor.expectOneOf('-m', METHODS) : 'str';
  if (method === null) return null;
  const text = argument(cursor, name, what);
  const complaint = text !== null && method === 'reg' ? wrongRegex(text) : null;
  if (complaint !== null) cursor.error(`'${name}': ${complaint} '${text}'`);
  return text === null || complaint !== null ? null : { method, text };
}

/** `hdr` and `fhdr`: `name [-m <method>] <name> [value [-m <method>] <value>]`. */
function header(cursor: Cursor, name: string, word: string, step: Draft<ExpectStep>) {
  const what = cursor.next()?.text;
  if (what === 'name-lf') return cursor.error(`'name-lf' of '${name}' is not supported by Sluice yet`);
  if (what !== 'name') return cursor.error(`'${name}': '${word}' expects at the keyword name as first argument`);
  const field = matched(cursor, name, 'name');
  if (field === null) return;
  step.header = { name: field.text, nameMethod: field.method, valueMethod: null };
  if (cursor.match('value-lf')) return cursor.error(`'value-lf' of '${name}' is not supported by Sluice yet`);
  if (!cursor.match('value')) return;
  const value = matched(cursor, name, 'value');
  if (value === null) return;
  step.header.valueMethod = value.method;
  step.pattern = value.text;
}

function wrongStatuses(text: string): string | null {
  return /^\d{3}(-\d{3})?(,\d{3}(-\d{3})?)*$/.test(text) ? null : 'invalid status codes';
}

const MATCHES: Matches = {
  status: { match: 'status', read: pattern(wrongStatuses) },
  rstatus: { match: 'rstatus', read: pattern(wrongRegex) },
  hdr: { match: 'hdr', read: header },
  fhdr: { match: 'fhdr', read: header },
  string: { match: 'body', read: pattern(() => null) },
  rstring: { match: 'rbody', read: pattern(wrongRegex) },
};

function flag(name: string, field: 'disableOn404' | 'sendState', doc: string): Row {
  return supported({
    ...{ name, doc, where: 'DLB', args: '', good: [name] },
    parse(_cursor, { check }) {
      check[field] = true;
    },
    bad: [[`${name} x`, `'${name}' cannot handle unexpected argument 'x'`]],
  });
}

export const HTTP_CHECK: readonly Row[] = [
  flag('http-check disable-on-404', 'disableOn404', 'A server that answers 404 gets no new users.'),
  flag('http-check send-state', 'sendState', 'Checks tell the server its state in a header.'),
  commentRow('http'),
  connectRow('http'),
  supported({
    name: SEND,
    where: 'DLB',
    args: '[meth <method>] [uri <uri>] [ver <version>] [hdr <name> <value>]* [body <text>] [comment <text>]',
    doc: 'What a check request has.',
    parse: (cursor, owner) =>
      addRule(cursor, owner, 'http', () => {
        const made = request(cursor);
        return made === null ? null : { kind: 'request', id: 0, ...made };
      }),
    good: [SEND, `${SEND} meth GET uri /x ver HTTP/1.1 hdr Host www body hello comment x`],
    bad: [
      [`${SEND} hdr x`, `'${SEND}': 'hdr' expects <name> and <value> as arguments`],
      [`${SEND} uri`, `'${SEND}': 'uri' expects an argument`],
      [`${SEND} hdr x %[y]`, "the format '%[y]' is not supported by Sluice yet"],
      [`${SEND} uri-lf /x`, `'uri-lf' of '${SEND}' is not supported by Sluice yet`],
      [`${SEND} foo`, `'${SEND}' only supports 'meth', 'uri', 'ver', 'hdr', 'body' and 'comment' (got 'foo')`],
    ],
  }),
  supported({
    name: 'http-check expect',
    where: 'DLB',
    args: '[<settings>] [!] <match> <pattern>',
    doc: 'What a good answer to a check is.',
    parse: (cursor, owner) => addRule(cursor, owner, 'http', () => expectRule(cursor, 'http-check expect', MATCHES)),
    good: [
      'http-check expect status 200',
      'http-check expect status 200-299,404',
      'http-check expect ! rstatus ^5',
      'http-check expect !string error',
      'http-check expect rstring <(h1|h2)>',
      'http-check expect hdr name -m beg x- value -m sub foo comment c',
      'http-check expect min-recv 10 fhdr name via',
    ],
    bad: [
      ['http-check expect', "'http-check expect': expects at least a matching pattern as arguments"],
      ['http-check expect status', "'http-check expect': 'status' expects a <pattern> as argument"],
      ['http-check expect status abc', "'http-check expect': invalid status codes 'abc'"],
      ['http-check expect rstring (', "'http-check expect': invalid regular expression '('"],
      ['http-check expect hdr x', "'http-check expect': 'hdr' expects at the keyword name as first argument"],
      ['http-check expect hdr name-lf x', "'name-lf' of 'http-check expect' is not supported by Sluice yet"],
      ['http-check expect hdr name -m foo x', "'-m' expects 'str', 'beg', 'end', 'sub' or 'reg', not 'foo'"],
      [
        'http-check expect foo bar',
        "'http-check expect': only supports [!]status, [!]rstatus, [!]hdr, [!]fhdr, [!]string, [!]rstring but got 'foo' as argument",
      ],
      [
        'http-check expect status-code x status 200',
        "'status-code' of 'http-check expect' is not supported by Sluice yet",
      ],
    ],
  }),
  later('http-check set-var', 'DLB', '(<name>) <expression>', 'Sets a variable in a check.'),
  later('http-check set-var-fmt', 'DLB', '(<name>) <format>', 'Sets a variable in a check from a format.'),
  later('http-check unset-var', 'DLB', '(<name>)', 'Forgets a variable in a check.'),
];
