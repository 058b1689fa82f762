/** `tcp-check`: the steps of a check that speaks any protocol. */
import type { CheckOwner } from './check-draft.ts';
import {
  addRule,
  argument,
  bytesOfHex,
  commentRow,
  connectRow,
  expectRule,
  type Matches,
  pattern,
  wrongHex,
  wrongRegex,
} from './check-rules.ts';
import type { Cursor } from './cursor.ts';
import { type Keyword, later, supported } from './keyword.ts';

type Row = Keyword<CheckOwner>;

const MATCHES: Matches = {
  string: { match: 'string', read: pattern(() => null) },
  rstring: { match: 'rstring', read: pattern(wrongRegex) },
  binary: { match: 'binary', read: pattern(wrongHex) },
  rbinary: { match: 'rbinary', read: pattern(wrongRegex) },
};

/** `<what> [comment <text>]`, made into bytes. */
function send(cursor: Cursor, owner: CheckOwner, name: string, bytesOf: (text: string) => Uint8Array | null): void {
  addRule(cursor, owner, 'tcp', () => {
    const word = cursor.next();
    if (word === null) {
      cursor.error(`'${name}' expects a string as argument`);
      return null;
    }
    const bytes = bytesOf(word.text);
    if (bytes === null) cursor.error(`'${name}': ${wrongHex(word.text)} '${word.text}'`);
    const comment = cursor.match('comment') ? argument(cursor, name, 'comment') : '';
    return bytes === null || comment === null ? null : { kind: 'send', id: 0, comment, bytes };
  });
}

export const TCP_CHECK: readonly Row[] = [
  commentRow('tcp'),
  connectRow('tcp'),
  supported({
    name: 'tcp-check send',
    where: 'DLB',
    args: '<text> [comment <text>]',
    doc: 'Sends text in a check.',
    parse: (cursor, owner) => send(cursor, owner, 'tcp-check send', text => new Uint8Array(Buffer.from(text))),
    good: ['tcp-check send PING\\r\\n', 'tcp-check send x comment hello'],
    bad: [
      ['tcp-check send', "'tcp-check send' expects a string as argument"],
      ['tcp-check send a b', "'tcp-check send' cannot handle unexpected argument 'b'"],
    ],
  }),
  supported({
    name: 'tcp-check send-binary',
    where: 'DLB',
    args: '<hex> [comment <text>]',
    doc: 'Sends bytes in a check.',
    parse: (cursor, owner) =>
      send(cursor, owner, 'tcp-check send-binary', text => (wrongHex(text) === null ? bytesOfHex(text) : null)),
    good: ['tcp-check send-binary 50494e470d0a comment ping'],
    bad: [
      ['tcp-check send-binary', "'tcp-check send-binary' expects a string as argument"],
      [
        'tcp-check send-binary 0g',
        "'tcp-check send-binary': an even number of hexadecimal digits is expected, not '0g'",
      ],
    ],
  }),
  supported({
    name: 'tcp-check expect',
    where: 'DLB',
    args: '[<settings>] [!] <match> <pattern>',
    doc: 'What the server must answer.',
    parse: (cursor, owner) => addRule(cursor, owner, 'tcp', () => expectRule(cursor, 'tcp-check expect', MATCHES)),
    good: [
      'tcp-check expect string +PONG',
      'tcp-check expect min-recv 4 comment greeting ! rstring ^5',
      'tcp-check expect ok-status L6OK error-status L6RSP tout-status L6TOUT rbinary ^16',
      'tcp-check expect on-success fine on-error bad !binary 00ff',
    ],
    bad: [
      ['tcp-check expect', "'tcp-check expect': expects at least a matching pattern as arguments"],
      ['tcp-check expect string', "'tcp-check expect': 'string' expects a <pattern> as argument"],
      ['tcp-check expect rstring (', "'tcp-check expect': invalid regular expression '('"],
      ['tcp-check expect binary 0', "'tcp-check expect': an even number of hexadecimal digits is expected, not '0'"],
      ['tcp-check expect string a b', "'tcp-check expect' cannot handle unexpected argument 'b'"],
      ['tcp-check expect string-lf %[x]', "'string-lf' of 'tcp-check expect' is not supported by Sluice yet"],
      ['tcp-check expect on-error %[x] string a', "the format '%[x]' is not supported by Sluice yet"],
      [
        'tcp-check expect ok-status L7RSP string a',
        "'ok-status' expects 'L7OK', 'L7OKC', 'L6OK' or 'L4OK', not 'L7RSP'",
      ],
      [
        'tcp-check expect status 200',
        "'tcp-check expect': only supports [!]string, [!]rstring, [!]binary, [!]rbinary but got 'status' as argument",
      ],
    ],
  }),
  later('tcp-check send-lf', 'DLB', '<format>', 'Sends a formatted text in a check.'),
  later('tcp-check send-binary-lf', 'DLB', '<format>', 'Sends formatted bytes in a check.'),
  later('tcp-check set-var', 'DLB', '(<name>) <expression>', 'Sets a variable in a check.'),
  later('tcp-check set-var-fmt', 'DLB', '(<name>) <format>', 'Sets a variable in a check from a format.'),
  later('tcp-check unset-var', 'DLB', '(<name>)', 'Forgets a variable in a check.'),
];
