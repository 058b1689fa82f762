/** `bind` and `stats socket` lines: addresses, then settings that hold for all of them. */
import { type Accepts, addressesOf, BIND_ACCEPTS, parseEndpoints } from './address.ts';
import type { Cursor } from './cursor.ts';
import type { BindDraft, Draft } from './draft.ts';
import type { Context } from './keyword.ts';
import { BIND } from './keywords-bind.ts';
import { newBind } from './new-drafts.ts';
import { readSettings, Table } from './table.ts';
import type { Word } from './words.ts';

const BIND_TABLE = new Table(BIND);

type Socket = Pick<BindDraft, 'text' | 'address' | 'inheritedFd' | 'abstract' | 'mptcp'>;

/**
 * Reads what follows `bind` or `stats socket`. One socket for each address and port of a range.
 * @param keyword begins the messages
 * @param base what they have unless the settings say otherwise
 * @param accepts which addresses
 * @returns null after reporting an error
 */
export function readBindLine(
  cursor: Cursor,
  addresses: Word,
  keyword: string,
  context: Context,
  base: BindDraft = newBind(),
  accepts: Accepts = BIND_ACCEPTS,
): BindDraft[] | null {
  const sockets = socketsOf(cursor, addresses, keyword, context, accepts);
  const { file, line } = cursor.line;
  const settings: BindDraft = { ...structuredClone(base), file, line };
  if (sockets === null || !readSettings(BIND_TABLE, cursor, settings, `'${keyword} ${addresses.text}'`, context))
    return null;
  if (sockets.length > 1 && settings.id !== 0) {
    cursor.error(`'${keyword} ${addresses.text}': 'id' can only be used with a single socket`, undefined, addresses);
    return null;
  }
  const guid = (i: number) => (settings.guid === null ? null : `${settings.guid}-${i + 1}`);
  return sockets.map((socket, i) => ({ ...settings, ...socket, guid: guid(i) }));
}

function socketsOf(
  cursor: Cursor,
  word: Word,
  keyword: string,
  { resources }: Context,
  accepts: Accepts,
): Socket[] | null {
  const endpoints = parseEndpoints(word.text, accepts, resources.env);
  if ('error' in endpoints) {
    cursor.error(`'${keyword}': ${endpoints.error}`, undefined, word);
    return null;
  }
  const sockets: Socket[] = [];
  for (const endpoint of endpoints.value) {
    const { text, inheritedFd, abstract, mptcp, hostname } = endpoint;
    const found = hostname === null ? endpoint.address : resources.resolve(hostname, endpoint.family);
    if (found === null && inheritedFd === null) {
      cursor.error(`'${keyword}': invalid address: '${hostname}' in '${text}'`, undefined, word);
      return null;
    }
    if (found === null) sockets.push({ text, address: null, inheritedFd, abstract, mptcp });
    const first = found === null || found.family === 1 ? found : { ...found, port: endpoint.port };
    for (const address of addressesOf({ ...endpoint, address: first })) {
      sockets.push({ text, address: address as Draft<typeof address>, inheritedFd, abstract, mptcp });
    }
  }
  return sockets;
}
