/** `http-check`: the steps of an HTTP check, and what HTTP checks do besides. */
import { type CheckOwner, newRequest, type RequestDraft } from './check-draft.ts';
import type { CheckValue, MatchMethod } from './check-model.ts';
import {
  addRule,
  commentRow,
  connectRow,
  expectRule,
  formatPattern,
  type Matches,
  pattern,
  wrongRegex,
} from './check-rules.ts';
import { argument, checkFormat, checkValue, formatArgument, type RuleReader } from './check-values.ts';
import { variableRows } from './check-variables.ts';
import { type Keyword, supported } from './keyword.ts';

type Row = Keyword<CheckOwner>;

const SEND = 'http-check send';
/** Settings that are a text, and those that are a format. */
const SEND_TEXTS = new Map<string, 'method' | 'uri' | 'version' | 'body' | 'comment'>([
  ['meth', 'method'],
  ['uri', 'uri'],
  ['ver', 'version'],
  ['body', 'body'],
  ['comment', 'comment'],
]);
const SEND_FORMATS = new Map<string, 'uri' | 'body'>([
  ['uri-lf', 'uri'],
  ['body-lf', 'body'],
]);

/** What follows `http-check send`; null after reporting. */
function request(reader: RuleReader): (RequestDraft & { comment: string }) | null {
  const { cursor } = reader;
  const made = { ...newRequest(), comment: '' };
  for (let word = cursor.next(); word !== null; word = cursor.next()) {
    const text = SEND_TEXTS.get(word.text);
    const format = SEND_FORMATS.get(word.text);
    if (text !== undefined) {
      const value = argument(reader, word.text);
      if (value === null) return null;
      made[text] = value.text;
    } else if (format !== undefined) {
      const value = formatArgument(reader, word.text);
      if (value === null) return null;
      made[format] = value;
    } else if (word.text === 'hdr') {
      const [name, value] = [cursor.next(), cursor.next()];
      if (name === null || value === null) {
        cursor.error(`'${SEND}': 'hdr' expects <name> and <value> as arguments`);
        return null;
      }
      const found = checkValue(reader, value);
      if (found === null) return null;
      made.headers.push([name.text, found]);
    } else {
      const known = "'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body', 'body-lf' and 'comment'";
      cursor.error(`'${SEND}' only supports ${known} (got '${word.text}')`);
      return null;
    }
  }
  return made;
}

const METHODS: readonly MatchMethod[] = ['str', 'beg', 'end', 'sub', 'reg'];

/** `[-m <method>] <text>`, a format where `what` ends so; null after reporting. */
function matched(reader: RuleReader, hdr: string, what: string): { method: MatchMethod; value: CheckValue } | null {
  const { cursor, name } = reader;
  const format = what.endsWith('-lf');
  const method = cursor.match('-m') ? cursor.expectOneOf('-m', METHODS) : 'str';
  if (method === 'reg' && format) {
    cursor.error(`'${name}' : '${hdr}': log-format string is not supported with a regex matching method`);
    return null;
  }
  const word = method === null ? null : argument(reader, what);
  if (word === null || method === null) return null;
  const value = format ? checkFormat(reader, word) : word.text;
  const complaint = method === 'reg' ? wrongRegex(word.text) : null;
  if (complaint !== null) cursor.error(`'${name}': ${complaint} '${word.text}'`);
  return value === null || complaint !== null ? null : { method, value };
}

/** `hdr` and `fhdr`: `{ name | name-lf } [-m <method>] <name> [{ value | value-lf } [-m <method>] <value>]`. */
const header: Matches[string]['read'] = (reader, word, step) => {
  const { cursor, name } = reader;
  const what = cursor.next()?.text;
  if (what !== 'name' && what !== 'name-lf') {
    return cursor.error(`'${name}': '${word}' expects at the keyword name as first argument`);
  }
  const field = matched(reader, word, what);
  if (field === null) return;
  const next = cursor.peek()?.text;
  const valued = next === 'value' || next === 'value-lf';
  if (valued) cursor.next();
  const value = valued ? matched(reader, word, next) : null;
  step.header = { name: field.value, nameMethod: field.method, valueMethod: value?.method ?? null };
  step.pattern = value?.value ?? '';
};

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
  'string-lf': { match: 'body', read: formatPattern },
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
    args: '[meth <method>] [{ uri <uri> | uri-lf <format> }] [ver <version>] [hdr <name> <format>]* [{ body <text> | body-lf <format> }] [comment <text>]',
    doc: 'What a check request has.',
    parse: (cursor, owner, context) =>
      addRule(cursor, owner, 'http', () => {
        const made = request({ cursor, owner, context, name: SEND });
        return made === null ? null : { kind: 'request', id: 0, ...made };
      }),
    good: [
      SEND,
      `${SEND} uri-lf /%[nbsrv] hdr x %[srv_name] body-lf %H`,
      `${SEND} meth GET uri /x ver HTTP/1.1 hdr Host www body hello comment x`,
    ],
    bad: [
      [`${SEND} hdr x`, `'${SEND}': 'hdr' expects <name> and <value> as arguments`],
      [`${SEND} uri`, `'${SEND}': 'uri' expects an argument`],
      [`${SEND} hdr x %[y]`, `'${SEND}' : failed to parse sample expression <y]> : unknown fetch method 'y'`],
      [
        `${SEND} uri-lf %[path]`,
        `'${SEND}' : sample fetch <path> may not be reliably used here because it needs 'HTTP request headers' which is not available here`,
      ],
      [`${SEND} body-lf %HM`, `'${SEND}' : format variable 'HM' is reserved for HTTP mode`],
      [
        `${SEND} foo`,
        `'${SEND}' only supports 'meth', 'uri', 'uri-lf', 'ver', 'hdr', 'body', 'body-lf' and 'comment' (got 'foo')`,
      ],
    ],
  }),
  supported({
    name: 'http-check expect',
    where: 'DLB',
    args: '[<settings>] [!] <match> <pattern>',
    doc: 'What a good answer to a check is.',
    parse: (cursor, owner, context) =>
      addRule(cursor, owner, 'http', () => expectRule({ cursor, owner, context, name: 'http-check expect' }, MATCHES)),
    good: [
      'http-check expect status 200',
      'http-check expect status 200-299,404',
      'http-check expect ! rstatus ^5',
      'http-check expect !string error',
      'http-check expect rstring <(h1|h2)>',
      'http-check expect hdr name -m beg x- value -m sub foo comment c',
      'http-check expect min-recv 10 fhdr name via',
      'http-check expect hdr name-lf x-%[srv_name] value-lf -m sub "%[var(check.x)]"',
      'http-check expect status-code res.hdr(x) on-success "%[status] %[res.body]" string-lf %[srv_name]',
    ],
    bad: [
      ['http-check expect', "'http-check expect': expects at least a matching pattern as arguments"],
      ['http-check expect status', "'http-check expect': 'status' expects a <pattern> as argument"],
      ['http-check expect status abc', "'http-check expect': invalid status codes 'abc'"],
      ['http-check expect rstring (', "'http-check expect': invalid regular expression '('"],
      ['http-check expect hdr x', "'http-check expect': 'hdr' expects at the keyword name as first argument"],
      [
        'http-check expect hdr name-lf -m reg x',
        "'http-check expect' : 'hdr': log-format string is not supported with a regex matching method",
      ],
      ['http-check expect string-lf', "'http-check expect': 'string-lf' expects a <pattern> as argument"],
      ['http-check expect hdr name -m foo x', "'-m' expects 'str', 'beg', 'end', 'sub' or 'reg', not 'foo'"],
      [
        'http-check expect foo bar',
        "'http-check expect': only supports [!]status, [!]rstatus, [!]hdr, [!]fhdr, [!]string, [!]rstring, [!]string-lf but got 'foo' as argument",
      ],
      ['http-check expect status-code x status 200', "unknown fetch method 'x'"],
    ],
  }),
  ...variableRows('http'),
];
