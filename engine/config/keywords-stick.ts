/** `stick-table` and the `stick` rules of the proxy sections (manual 4.2, 11.1). */
import { type Expression, readExpression } from '../sample/expression.ts';
import type { Point } from '../sample/points.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { reference } from './fields.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { readProxyCondition, useExpression } from './keywords-acl.ts';
import { readTable, TABLE_ARGS } from './stick-table-line.ts';

/** `table <name>`, remembered to be looked up; '' = the proxy's own. Null after reporting. */
export function readTableName(cursor: Cursor, proxy: ProxyDraft, keyword: string, key: Expression): string | null {
  const named = cursor.match('table');
  if (named && cursor.expectWord('a table name') === null) return null;
  proxy.tableUses.push({ ...reference(cursor), name: named ? cursor.current.text : '', keyword, key });
  return named ? cursor.current.text : '';
}

interface Kind {
  readonly name: string;
  readonly match: boolean;
  readonly store: boolean;
  readonly response: boolean;
  readonly doc: string;
}

function readStick(cursor: Cursor, proxy: ProxyDraft, { resources }: Context, kind: Kind) {
  const { name, match, store, response } = kind;
  const point: Point = response ? 'store' : 'setServer';
  if (cursor.left === 0) return cursor.error(`'${name}' expects a pattern`);
  const expression = readExpression(cursor, resources, point);
  if (expression === null) return;
  useExpression(proxy, cursor, expression);
  const table = readTableName(cursor, proxy, name, expression);
  if (table === null) return;
  const next = cursor.peek();
  let condition = null;
  if (next !== null) {
    if (next.text !== 'if' && next.text !== 'unless') {
      return cursor.error(`'${name}' cannot handle unexpected argument '${next.text}'`, undefined, next);
    }
    condition = readProxyCondition(cursor, proxy, resources, point);
    if (condition === null) return;
  }
  const { file, line } = cursor.line;
  proxy.stickRules.push({ file, line, expression, table, match, store, response, condition });
}

function stick(name: string, match: boolean, store: boolean, response: boolean, doc: string): Keyword<ProxyDraft> {
  const kind = { name, match, store, response, doc };
  return supported({
    ...{ name, doc, where: 'LB', args: '<pattern> [table <table>] [{ if | unless } <condition>]' },
    parse: (cursor, proxy, context) => readStick(cursor, proxy, context, kind),
    good: response
      ? [`${name} res.hdr(x) table t`, `${name} res.cook(x) table t if TRUE`]
      : [`${name} src table t`, `${name} req.cook(x) table t if TRUE`],
    bad: [
      [name, `'${name}' expects a pattern`],
      [`${name} nosuch`, "unknown fetch method 'nosuch'"],
      [`${name} src table`, "'table' expects a table name"],
      [`${name} src table t foo`, `'${name}' cannot handle unexpected argument 'foo'`],
    ],
  });
}

export const STICK: readonly Keyword<ProxyDraft>[] = [
  supported<ProxyDraft>({
    name: 'stick-table',
    where: 'FLB',
    args: `${TABLE_ARGS} [peers <section>]`,
    doc: 'A table of what is remembered per key.',
    parse(cursor, proxy) {
      const before = proxy.table;
      const table = readTable(cursor, 'stick-table', '', true);
      if (table === null) return;
      if (before !== null) {
        return cursor.error(`'stick-table': there is one at ${before.file}:${before.line} already`);
      }
      proxy.table = { ...table, name: proxy.name };
    },
    good: [
      'stick-table type ip size 1m expire 5m store gpc0,conn_rate(30s)',
      'stick-table type string len 64 size 20k nopurge expire 1h store gpc(3),gpt(2) store gpc_rate(2,10s)',
      'stick-table type binary size 1 recv-only srvkey addr brates-factor 1024 store bytes_in_rate(1m)',
    ],
    bad: [
      ['stick-table', "'stick-table': missing type"],
      ['stick-table type ip', "'stick-table': missing size"],
      ['stick-table type foo size 1', "unknown type 'foo'"],
      ['stick-table type ip size 1 store gpc', "'store': missing argument of data type 'gpc' in 'gpc'"],
      [
        'stick-table type ip size 1 store gpc(101)',
        "'store': number of elements of 'gpc': value must be between 1 and 100 in 'gpc(101)'",
      ],
      [
        'stick-table type ip size 1 store gpc0,gpc(2)',
        "'store': data type 'gpc' cannot be stored beside 'gpc0' in 'gpc(2)'",
      ],
      [
        'stick-table type ip size 1 store conn_rate(10s),gpc0,conn_rate(5s)',
        "'store': data type 'conn_rate' is stored already, 'conn_rate(5s)' is ignored",
      ],
      ['stick-table type ip size 1 store foo', "'store': unknown data type 'foo' in 'foo'"],
      ['stick-table type ip size 1 foo', "'stick-table': unknown argument 'foo'"],
      ['stick-table type ip size 1 brates-factor 0', "'brates-factor' expects an integer between 1 and 1024, not '0'"],
    ],
  }),
  stick('stick on', true, true, false, 'Sticks a user to a server by a key.'),
  stick('stick match', true, false, false, 'Looks for the server of a user in a table.'),
  stick('stick store-request', false, true, false, 'Remembers the server of a key of the request.'),
  stick('stick store-response', false, true, true, 'Remembers the server of a key of the response.'),
];
