/** `tcp-check`: the steps of a check that speaks any protocol. */
import type { CheckOwner } from './check-draft.ts';
import type { SendStep } from './check-model.ts';
import {
  addRule,
  bytesOfHex,
  commentRow,
  connectRow,
  expectRule,
  formatPattern,
  type Matches,
  pattern,
  wrongHex,
  wrongRegex,
} from './check-rules.ts';
import { argument, checkFormat, type RuleReader } from './check-values.ts';
import { variableRows } from './check-variables.ts';
import { type Keyword, supported } from './keyword.ts';
import type { Word } from './words.ts';

type Row = Keyword<CheckOwner>;

const MATCHES: Matches = {
  string: { match: 'string', read: pattern(() => null) },
  rstring: { match: 'rstring', read: pattern(wrongRegex) },
  binary: { match: 'binary', read: pattern(wrongHex) },
  rbinary: { match: 'rbinary', read: pattern(wrongRegex) },
  'string-lf': { match: 'string', read: formatPattern },
  'binary-lf': { match: 'binary', read: formatPattern },
};

/** Makes what is sent of the word behind the keyword; null after reporting. */
type Send = (reader: RuleReader, word: Word) => Pick<SendStep, 'bytes' | 'hex'> | null;

/** `<what> [comment <text>]`. */
function sendRow(
  word: string,
  args: string,
  doc: string,
  make: Send,
  good: Keyword<CheckOwner>['good'],
  bad: Keyword<CheckOwner>['bad'],
): Row {
  const name = `tcp-check ${word}`;
  const parse: Row['parse'] = (cursor, owner, context) =>
    addRule(cursor, owner, 'tcp', () => {
      const reader = { cursor, owner, context, name };
      const what = cursor.next();
      if (what === null) {
        cursor.error(`'${name}' expects a string as argument`);
        return null;
      }
      const made = make(reader, what);
      const comment = cursor.match('comment') ? argument(reader, 'comment') : NO_COMMENT;
      return made === null || comment === null ? null : { kind: 'send', id: 0, comment: comment.text, ...made };
    });
  return supported({
    ...{ name, where: 'DLB', args: `${args} [comment <text>]`, doc, parse, good },
    bad: [[name, `'${name}' expects a string as argument`], ...bad],
  });
}

const NO_COMMENT: Word = { text: '', column: 0, width: 0 };

const text: Send = (_, word) => ({ bytes: new Uint8Array(Buffer.from(word.text)), hex: false });

const binary: Send = ({ cursor, name }, word) => {
  const complaint = wrongHex(word.text);
  if (complaint === null) return { bytes: bytesOfHex(word.text), hex: false };
  cursor.error(`'${name}': ${complaint} '${word.text}'`);
  return null;
};

function formatted(hex: boolean): Send {
  return (reader, word) => {
    const bytes = checkFormat(reader, word);
    return bytes === null ? null : { bytes, hex };
  };
}

export const TCP_CHECK: readonly Row[] = [
  commentRow('tcp'),
  connectRow('tcp'),
  sendRow(
    'send',
    '<text>',
    'Sends text in a check.',
    text,
    ['tcp-check send PING\\r\\n', 'tcp-check send x comment hello'],
    [['tcp-check send a b', "'tcp-check send' cannot handle unexpected argument 'b'"]],
  ),
  sendRow(
    'send-binary',
    '<hex>',
    'Sends bytes in a check.',
    binary,
    ['tcp-check send-binary 50494e470d0a comment ping'],
    [
      [
        'tcp-check send-binary 0g',
        "'tcp-check send-binary': an even number of hexadecimal digits is expected, not '0g'",
      ],
    ],
  ),
  sendRow(
    'send-lf',
    '<format>',
    'Sends a formatted text in a check.',
    formatted(false),
    ['tcp-check send-lf "HELO %[hostname]\\r\\n" comment hello'],
    [
      [
        'tcp-check send-lf %[foo]',
        "'tcp-check send-lf' : failed to parse sample expression <foo]> : unknown fetch method 'foo'",
      ],
    ],
  ),
  sendRow(
    'send-binary-lf',
    '<format>',
    'Sends formatted bytes in a check, given in hexadecimal.',
    formatted(true),
    ['tcp-check send-binary-lf %[srv_name,hex]0d0a'],
    [['tcp-check send-binary-lf a b', "'tcp-check send-binary-lf' cannot handle unexpected argument 'b'"]],
  ),
  supported({
    name: 'tcp-check expect',
    where: 'DLB',
    args: '[<settings>] [!] <match> <pattern>',
    doc: 'What the server must answer.',
    parse: (cursor, owner, context) =>
      addRule(cursor, owner, 'tcp', () => expectRule({ cursor, owner, context, name: 'tcp-check expect' }, MATCHES)),
    good: [
      'tcp-check expect string +PONG',
      'tcp-check expect min-recv 4 comment greeting ! rstring ^5',
      'tcp-check expect ok-status L6OK error-status L6RSP tout-status L6TOUT rbinary ^16',
      'tcp-check expect status-code res.payload(0,3) on-error "got %[res.len] bytes" string-lf %[srv_name]',
      'tcp-check expect binary-lf %[srv_name,hex]',
      'tcp-check expect on-success fine on-error bad !binary 00ff',
    ],
    bad: [
      ['tcp-check expect', "'tcp-check expect': expects at least a matching pattern as arguments"],
      ['tcp-check expect string', "'tcp-check expect': 'string' expects a <pattern> as argument"],
      ['tcp-check expect rstring (', "'tcp-check expect': invalid regular expression '('"],
      ['tcp-check expect binary 0', "'tcp-check expect': an even number of hexadecimal digits is expected, not '0'"],
      ['tcp-check expect string a b', "'tcp-check expect' cannot handle unexpected argument 'b'"],
      ['tcp-check expect string-lf', "'tcp-check expect': 'string-lf' expects a <pattern> as argument"],
      [
        'tcp-check expect on-error %[x] string a',
        "'tcp-check expect' : failed to parse sample expression <x]> : unknown fetch method 'x'",
      ],
      [
        'tcp-check expect ok-status L7RSP string a',
        "'ok-status' expects 'L7OK', 'L7OKC', 'L6OK' or 'L4OK', not 'L7RSP'",
      ],
      [
        'tcp-check expect status 200',
        "'tcp-check expect': only supports [!]string, [!]rstring, [!]binary, [!]rbinary, [!]string-lf, [!]binary-lf but got 'status' as argument",
      ],
    ],
  }),
  ...variableRows('tcp'),
];
