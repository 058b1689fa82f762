/** `server`, `server-template` and `default-server` lines. */
import { type Accepts, parseEndpoint, SERVER_ACCEPTS, SERVER_LINE_ACCEPTS } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft, ServerDraft } from './draft.ts';

/** Who has servers: proxies and rings. */
type Owner = Pick<ProxyDraft, 'name' | 'servers' | 'defaultServer' | 'namedServers'>;

import type { Context } from './keyword.ts';
import { SERVER } from './keywords-server.ts';
import { illegalCharacter } from './names.ts';
import { newServer } from './new-drafts.ts';
import { readSettings, Table } from './table.ts';
import type { Word } from './words.ts';

const SERVER_TABLE = new Table(SERVER);

/** Servers that one `server-template` line may make. */
const TEMPLATE_MAX = 10_000;

export function readDefaultServer(cursor: Cursor, proxy: ProxyDraft, context: Context) {
  const name = cursor.match('name') ? (cursor.expectWord('name')?.text ?? null) : '';
  if (name === null) return cursor.rest();
  if (proxy.servers.some(server => server.name === name)) {
    return cursor.error(`'default-server': there is a server '${name}' already`);
  }
  const before = name === '' ? proxy.defaultServer : proxy.namedServers.find(named => named.name === name);
  const draft = structuredClone(before ?? { ...newServer(), name });
  if (!readAll(cursor, draft, "'default-server'", proxy, context)) return cursor.rest();
  if (name === '') proxy.defaultServer = draft;
  else proxy.namedServers = [...proxy.namedServers.filter(named => named.name !== name), draft];
}

/** Reads the settings that end a line. False after reporting. */
function readAll(cursor: Cursor, draft: ServerDraft, subject: string, owner: Owner, context: Context): boolean {
  return readSettings(SERVER_TABLE, cursor, draft, subject, { ...context, owner }, words => {
    if (words[0] !== 'from') draft.settings = [...draft.settings, [...words]];
  });
}

/** `server` of a proxy. */
export function readServer(cursor: Cursor, proxy: Owner, context: Context) {
  readOne(cursor, proxy, context, SERVER_LINE_ACCEPTS);
}

/** `server` of a ring. */
export function readRingServer(cursor: Cursor, ring: Owner, context: Context) {
  readOne(cursor, ring, context, SERVER_ACCEPTS);
}

function readOne(cursor: Cursor, proxy: Owner, context: Context, accepts: Accepts) {
  const name = cursor.next();
  const address = cursor.next();
  if (name === null || address === null)
    return cursor.error("'server' expects <name> and <addr>[:<port>] as arguments");
  const bad = illegalCharacter(name.text);
  if (bad !== null)
    return cursor.error(`character '${bad}' is not permitted in server name '${name.text}'`, undefined, name);
  const server = serverOf(cursor, proxy, name.text, address, context, accepts);
  if (server !== null) proxy.servers.push(server);
}

export function readServerTemplate(cursor: Cursor, proxy: ProxyDraft, context: Context) {
  const [prefix, range, address] = [cursor.next(), cursor.next(), cursor.next()];
  if (prefix === null || range === null || address === null) {
    return cursor.error("'server-template' expects <prefix> <nb | range> <addr>[:<port>] as arguments");
  }
  const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range.text);
  const first = match?.[2] === undefined ? 1 : Number(match[1]);
  const last = Number(match?.[2] ?? match?.[1]);
  if (match === null || first > last || last - first >= TEMPLATE_MAX) {
    return cursor.error(`'server-template': wrong number or range '${range.text}'`, undefined, range);
  }
  const model = serverOf(cursor, proxy, prefix.text + first, address, context, SERVER_LINE_ACCEPTS);
  if (model === null) return;
  for (let n = first; n <= last; n++) proxy.servers.push({ ...structuredClone(model), name: prefix.text + n });
}

/** A server as `default-server` and the rest of the line make it; null after reporting. */
function serverOf(
  cursor: Cursor,
  proxy: Owner,
  name: string,
  word: Word,
  context: Context,
  accepts: Accepts,
): ServerDraft | null {
  const subject = `'server ${proxy.name}/${name}'`;
  if (proxy.namedServers.some(named => named.name === name)) {
    cursor.error(`${subject}: there is a default-server of that name already`);
    return null;
  }
  const endpoint = parseEndpoint(word.text, accepts, context.resources.env);
  if ('error' in endpoint) {
    cursor.error(`${subject}: ${endpoint.error}`, undefined, word);
    return null;
  }
  const { file, line } = cursor.line;
  const server = {
    ...structuredClone(proxy.defaultServer),
    file,
    line,
    name,
    text: endpoint.value.text,
    datagrams: endpoint.value.datagrams,
    mptcp: endpoint.value.mptcp,
    endpoint: endpoint.value,
  };
  if (!readAll(cursor, server, subject, proxy, context)) cursor.rest();
  return server;
}
