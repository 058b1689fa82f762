/** `source`, of backends and of servers: where connections come from (manual 4.2 and 5.2). */
import { parseExpression } from '../sample/expression.ts';
import { type Accepts, parseEndpoint, SOURCE_ACCEPTS } from './address.ts';
import type { Cursor } from './cursor.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import type { Source, UseSource } from './server-model.ts';

/** IFNAMSIZ without the zero byte. */
const INTERFACE_MAX = 15;
const SOURCE = "'source' expects <addr>[:<port>], and optionally 'usesrc' <addr>, and 'interface' <name>";
const USESRC = "'usesrc' expects <addr>[:<port>], 'client', 'clientip', or 'hdr_ip(name,#)' as argument";

/** An address after a word; null after reporting. */
function addressAfter(
  cursor: Cursor,
  text: string,
  keyword: string,
  { resources }: Context,
  accepts: Accepts = SOURCE_ACCEPTS,
): Pick<Source, 'address' | 'lastPort'> | null {
  const endpoint = parseEndpoint(text, accepts, resources.env);
  if ('error' in endpoint) {
    cursor.error(`'${keyword}': ${endpoint.error}`);
    return null;
  }
  const { address, hostname, family, port, lastPort } = endpoint.value;
  const found = hostname === null ? address : resources.resolve(hostname, family);
  if (found === null) cursor.error(`'${keyword}': could not resolve address '${hostname}'`);
  return found === null ? null : { address: { ...found, port }, lastPort };
}

/** What `usesrc` says; null after reporting, undefined where it changes nothing. */
function useSource(cursor: Cursor, context: Context): UseSource | null | undefined {
  const text = cursor.next()?.text ?? '';
  if (text === 'client' || text === 'clientip') return { from: text };
  const [, name, occurrence = '-1'] = /^hdr_ip\(([^,()]+)(?:,(-?\d{1,5}))?\)$/.exec(text) ?? [];
  if (name === undefined) {
    if (text === '' || text.startsWith('hdr_ip')) {
      cursor.error(USESRC);
      return null;
    }
    const found = addressAfter(cursor, text, 'usesrc', context);
    return found === null ? null : { from: 'address', address: found.address };
  }
  if (Number(occurrence) === 0) return undefined;
  const parsed = parseExpression(`req.hdr_ip(${name},${occurrence})`, 0, context.resources);
  if ('expression' in parsed) return { from: 'header', value: parsed.expression };
  cursor.error(parsed.message);
  return null;
}

function readInterface(cursor: Cursor): string | null {
  const name = cursor.next()?.text ?? '';
  if (name === '') cursor.error("'interface' : missing interface name");
  else if (Buffer.byteLength(name) > INTERFACE_MAX) cursor.error(`'interface' : '${name}' is too long for a name`);
  else return name;
  return null;
}

/** The words after `source`; null after reporting. */
function readSource(cursor: Cursor, context: Context, accepts: Accepts): Source | null {
  const word = cursor.next();
  if (word === null) {
    cursor.error(SOURCE);
    return null;
  }
  const from = addressAfter(cursor, word.text, 'source', context, accepts);
  if (from === null) return null;
  const source = { ...from, interface: '', usesrc: null as UseSource | null };
  for (;;) {
    if (cursor.match('usesrc')) {
      const usesrc = useSource(cursor, context);
      if (usesrc === null) return null;
      source.usesrc = usesrc ?? null;
    } else if (cursor.match('interface')) {
      const name = readInterface(cursor);
      if (name === null) return null;
      source.interface = name;
    } else return source;
  }
}

/** The row of one of the two tables. */
export function sourceRow(where: string, doc: string, accepts: Accepts): Keyword<{ source: Source | null }> {
  const ports = accepts.range ? '<port>[-<port>]' : '<port>';
  return supported({
    name: 'source',
    where,
    args: `<address>[:${ports}] [usesrc { <address>[:<port>] | client | clientip | hdr_ip(<name>[,<occurrence>]) }] [interface <name>]`,
    doc,
    parse(cursor, draft, context) {
      draft.source = readSource(cursor, context, accepts) ?? draft.source;
    },
    good: [
      ...['127.0.0.1', '127.0.0.1:5000', '0.0.0.0 usesrc client', '0.0.0.0 usesrc clientip', '0.0.0.0 interface lo'],
      ...[
        '0.0.0.0 usesrc 192.0.2.1:80',
        '0.0.0.0 usesrc hdr_ip(x-forwarded-for)',
        '* usesrc hdr_ip(x-forwarded-for,-1)',
      ],
    ].map(args => `source ${args}`),
    bad: [
      ['source', SOURCE],
      accepts.range
        ? ['source 127.0.0.1:10-5', "'source': invalid port range '10-5'"]
        : ['source 127.0.0.1:5-10', "'source': port range not permitted here in '127.0.0.1:5-10'"],
      ['source 0.0.0.0 usesrc', USESRC],
      ['source 0.0.0.0 usesrc hdr_ip()', USESRC],
      ['source 0.0.0.0 interface', "'interface' : missing interface name"],
      [
        'source 0.0.0.0 interface an-interface-too-long',
        "'interface' : 'an-interface-too-long' is too long for a name",
      ],
    ],
  });
}
