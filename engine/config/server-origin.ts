/** `from` of `server` and `default-server` lines: the settings that a line begins with (manual 5.2). */
import type { Cursor } from './cursor.ts';
import type { ServerDraft } from './draft.ts';
import type { Context } from './keyword.ts';
import { newServer } from './new-drafts.ts';

/** `none`, `be:[<backend>]`, `srv:[<backend>/]<server>`; null = it is none of these. */
export function parseOrigin(text: string): { backend: string; server: string | null } | 'none' | null {
  if (text === 'none') return 'none';
  if (text.startsWith('be:')) return { backend: text.slice('be:'.length), server: null };
  const [, backend = '', server] = /^srv:(?:([^/]*)\/)?([^/]+)$/.exec(text) ?? [];
  return server === undefined ? null : { backend, server };
}

/** What stands above the line counts. What only one server can have stays with that one. */
export function readFrom(cursor: Cursor, server: ServerDraft, context: Context) {
  const word = cursor.expectWord('from');
  if (word === null) return;
  const origin = originOf(word.text, context);
  if (typeof origin === 'string') return cursor.error(origin, undefined, word);
  const { file, line, name, text, datagrams, endpoint } = server;
  const { id, forcedId, guid } = newServer();
  Object.assign(server, structuredClone(origin), { file, line, name, text, datagrams, endpoint, id, forcedId, guid });
}

function originOf(text: string, { proxies = [], owner }: Context): ServerDraft | string {
  const origin = parseOrigin(text);
  if (origin === null) {
    return `'from' expects 'none', 'be:[<backend>]' or 'srv:[<backend>/]<server>', not '${text}'`;
  }
  if (origin === 'none') return newServer();
  const { backend, server } = origin;
  const proxy = backend === '' ? owner : proxies.find(({ name, kind }) => name === backend && kind !== 'frontend');
  if (proxy === undefined && backend !== '') return `'from ${text}': there is no backend '${backend}' above`;
  if (server === null) return proxy?.defaultServer ?? newServer();
  const there = [...(proxy?.servers ?? []), ...(proxy?.namedServers ?? [])];
  const found = there.find(({ name }) => name === server);
  return found ?? `'from ${text}': there is no server or default-server '${server}' above`;
}
