/** Keywords of a `peers` section (manual 11.2). */
import { parseEndpoint, SERVER_ACCEPTS } from './address.ts';
import { readBindLine } from './bind-line.ts';
import type { Cursor } from './cursor.ts';
import type { PeersDraft, ServerDraft } from './draft.ts';
import { bare, integer } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { BIND } from './keywords-bind.ts';
import { PEERS_LOG } from './keywords-log.ts';
import { SERVER } from './keywords-server.ts';
import { illegalCharacter } from './names.ts';
import { newBind, newServer } from './new-drafts.ts';
import { readTable, TABLE_ARGS } from './stick-table-line.ts';
import { readSettings, Table } from './table.ts';

type Row = Keyword<PeersDraft>;

const SERVER_TABLE = new Table(SERVER);
const BIND_TABLE = new Table(BIND);

function row(name: string, doc: string) {
  return { where: 'S', name, doc };
}

/** A section as it is opened. */
export function newPeers(name: string): Omit<PeersDraft, 'file' | 'line'> {
  return {
    ...{ name, disabled: false, binds: [], peers: [], shards: 0, logs: [], tables: [] },
    ...{ defaultServer: newServer(), defaultBind: newBind() },
  };
}

/** `peer <name> <address> [settings]`; the local peer of a section with `bind` lines has no address. */
function readPeer(cursor: Cursor, section: PeersDraft, context: Context) {
  const keyword = cursor.current.text;
  const name = cursor.next();
  if (name === null) return cursor.error(`'${keyword}' expects <name> and <addr>[:<port>] as arguments`);
  const bad = illegalCharacter(name.text);
  if (bad !== null) return cursor.error(`character '${bad}' is not permitted in peer name '${name.text}'`);
  if (section.peers.some(peer => peer.name === name.text)) {
    return cursor.error(`'${keyword}': there is a peer '${name.text}' already`);
  }
  const { file, line } = cursor.line;
  const isAddress = cursor.left > 0 && /[:/@]/.test(cursor.peek()!.text);
  const word = isAddress ? cursor.next() : null;
  const endpoint = word === null ? null : parseEndpoint(word.text, SERVER_ACCEPTS, context.resources.env);
  if (endpoint !== null && 'error' in endpoint) return cursor.error(`'${keyword}': ${endpoint.error}`);
  const value = endpoint?.value ?? null;
  const own = { file, line, name: name.text, text: word?.text ?? '', endpoint: value, mptcp: value?.mptcp ?? false };
  const peer: ServerDraft = { ...structuredClone(section.defaultServer), ...own };
  if (readSettings(SERVER_TABLE, cursor, peer, `'${keyword} ${name.text}'`, context)) section.peers.push(peer);
  else cursor.rest();
}

function peerRow(name: 'peer' | 'server', doc: string): Row {
  return supported<PeersDraft>({
    ...row(name, doc),
    args: '<name> [<address>:<port>] [settings]',
    parse: readPeer,
    good: [`${name} a 127.0.0.1:1024`, `${name} a 127.0.0.1:1024 shard 2`],
    bad: [
      [name, `'${name}' expects <name> and <addr>[:<port>] as arguments`],
      [`${name} a 127.0.0.1:1024 foo`, `'${name} a': unknown keyword 'foo'`],
      [`${name} a/b 127.0.0.1:1024`, "character '/' is not permitted in peer name 'a/b'"],
    ],
  });
}

export const PEERS: readonly Row[] = [
  peerRow('peer', 'One of the processes that share tables.'),
  peerRow('server', 'The same as `peer`.'),
  supported<PeersDraft>({
    ...row('bind', 'Where the others reach us.'),
    args: '<address>:<port> [settings]',
    parse(cursor, section, context) {
      const word = cursor.next();
      if (word === null) return cursor.error("'bind' expects <address>:<port> as argument");
      section.binds.push(...(readBindLine(cursor, word, 'bind', context, section.defaultBind) ?? []));
    },
    good: ['bind 127.0.0.1:1024'],
    bad: [['bind', "'bind' expects <address>:<port> as argument"]],
  }),
  supported<PeersDraft>({
    ...row('default-bind', 'Settings of the address of the local peer.'),
    args: '[settings]',
    parse(cursor, section, context) {
      readSettings(BIND_TABLE, cursor, section.defaultBind, "'default-bind'", context);
    },
    good: ['default-bind', 'default-bind v4v6', 'default-bind ssl crt foo.pem'],
    bad: [['default-bind foo', "'default-bind': unknown keyword 'foo'"]],
  }),
  supported<PeersDraft>({
    ...row('default-server', 'Settings of the peers that follow.'),
    args: '[settings]',
    parse(cursor, section, context) {
      readSettings(SERVER_TABLE, cursor, section.defaultServer, "'default-server'", context);
    },
    good: ['default-server', 'default-server shard 1', 'default-server ssl verify none'],
    bad: [['default-server foo', "'default-server': unknown keyword 'foo'"]],
  }),
  bare<PeersDraft>(row('disabled', 'Nothing is shared.'), { disabled: true }),
  bare<PeersDraft>(row('enabled', 'Tables are shared.'), { disabled: false }),
  integer<PeersDraft>(row('shards', 'Over how many peers the tables are spread.'), 'shards', { min: 1 }),
  PEERS_LOG as Row,
  supported<PeersDraft>({
    ...row('table', 'A stick table, named <section>/<name> elsewhere.'),
    args: `<name> ${TABLE_ARGS}`,
    parse(cursor, section) {
      const word = cursor.next();
      if (word === null) return cursor.error("'table': missing name");
      const bad = illegalCharacter(word.text);
      if (bad !== null) return cursor.error(`character '${bad}' is not permitted in table name '${word.text}'`);
      const table = readTable(cursor, 'table', word.text, false);
      if (table === null) return;
      if (section.tables.some(other => other.name === word.text)) {
        return cursor.error(`'table': there is a table '${word.text}' already`);
      }
      section.tables.push(table);
    },
    good: ['table t type ip size 1k', 'table t type string len 10 size 1m expire 1m store gpc0'],
    bad: [
      ['table', "'table': missing name"],
      ['table t', "'table': missing type"],
      ['table t type ip size 1 peers x', "'table': unknown argument 'peers'"],
    ],
  }),
];
