/** What `bind` and `server` lines want of their TCP sockets alike (manual 5.1, 5.2). */
import { NAMESPACES_FOLDER } from '../io/namespaces.ts';
import type { Resources } from './draft.ts';
import { word } from './fields.ts';
import { type Keyword, supported } from './keyword.ts';

interface SocketDraft {
  tcpUserTimeoutMs: number;
  congestion: string;
  md5sig: string;
  namespace: string;
}

/** In bytes: TCP_CA_NAME_MAX without the zero byte, TCP_MD5SIG_MAXKEYLEN. */
const CONGESTION_MAX = 15;
const KEY_MAX = 80;

function short(row: Keyword<SocketDraft>, max: number, what: string): Keyword<SocketDraft> {
  return {
    ...row,
    parse(cursor, draft, context) {
      if (Buffer.byteLength(cursor.peek()?.text ?? '') <= max) return row.parse(cursor, draft, context);
      cursor.next();
      cursor.error(`'${row.name}': ${what} of ${max} bytes at most expected`);
    },
    bad: [
      ...row.bad,
      [`${row.name} ${'x'.repeat(max + 1)}`, `'${row.name}': ${what} of ${max} bytes at most expected`],
    ],
  };
}

function row(name: string, doc: string) {
  return { where: '', name, doc };
}

export const SOCKET_ROWS: readonly Keyword<SocketDraft>[] = [
  supported<SocketDraft>({
    ...row('tcp-ut', 'How long sent bytes may stay unacknowledged.'),
    args: '<time>',
    parse(cursor, draft) {
      const ms = cursor.expectTime('tcp-ut', 'ms');
      if (ms !== null) draft.tcpUserTimeoutMs = ms;
    },
    good: ['tcp-ut 30s'],
    bad: [['tcp-ut', "'tcp-ut' expects a time (in milliseconds by default)"]],
  }),
  short(
    word<SocketDraft>(row('cc', "The system's congestion control algorithm."), '<algorithm>', 'congestion'),
    CONGESTION_MAX,
    'a name',
  ),
  short(
    word<SocketDraft>(row('tcp-md5sig', 'Signs all segments with this password (RFC 2385).'), '<password>', 'md5sig'),
    KEY_MAX,
    'a password',
  ),
];

/** Whether there is a network namespace of that name. */
export function hasNamespace(resources: Resources, name: string): boolean {
  return resources.readFolder(NAMESPACES_FOLDER)?.includes(name) ?? false;
}

/** `namespace`; `any`: '*' is one, too. */
export function namespaceRow(any: boolean): Keyword<Pick<SocketDraft, 'namespace'>> {
  return supported({
    ...row('namespace', any ? "Network namespace; `*` = the client's." : 'Network namespace.'),
    args: '<name>',
    parse(cursor, draft, { resources }) {
      const word = cursor.expectWord('namespace');
      if (word === null) return;
      const known = (any && word.text === '*') || hasNamespace(resources, word.text);
      if (known) draft.namespace = word.text;
      else cursor.error(`'namespace': Cannot open namespace '${word.text}'`, undefined, word);
    },
    good: ['namespace red', ...(any ? ['namespace *'] : [])],
    bad: [['namespace none', "'namespace': Cannot open namespace 'none'"]],
  });
}
