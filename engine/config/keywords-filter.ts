/** `filter` and `filter-sequence` (manual 4.2 and 9). */
import { readExpression } from '../sample/expression.ts';
import type { Cursor } from './cursor.ts';
import type { ProxyDraft } from './draft.ts';
import { type BandwidthSpec, type FilterSpec, isBandwidth } from './filter-spec.ts';
import { type Context, type Keyword, supported } from './keyword.ts';
import { useExpression } from './keywords-acl.ts';
import { readTableName } from './keywords-stick.ts';
import { didYouMean } from './suggest.ts';

type Read = (cursor: Cursor, kind: string, proxy: ProxyDraft, context: Context) => FilterSpec | null;

const plain: Read = (_cursor, kind) => ({ kind }) as FilterSpec;

/** Shows how filters are called, which is of use to who writes them in C: it changes nothing, and says nothing here. */
const trace: Read = (cursor, kind) => {
  while (cursor.left > 0) {
    const { text } = cursor.next()!;
    if (text === 'name' && cursor.left > 0) cursor.next();
    else if (text === 'max-fwd') cursor.expectInt(text, { min: 0 });
    else if (!['quiet', 'random-forwarding', 'random-parsing', 'hexdump'].includes(text)) {
      cursor.error(`'filter trace' : unknown keyword '${text}'`);
      break;
    }
  }
  cursor.rest();
  return { kind } as FilterSpec;
};

const refused: Read = (cursor, kind) => {
  cursor.error(`'filter ${kind}' is not supported by Sluice yet`);
  cursor.rest();
  return null;
};

/** `<name> default-limit <size> default-period <time>`, or `<name> limit <size> key <key> [table <table>]`, in any order. */
const bandwidth: Read = (cursor, kind, proxy, context) => {
  const name = cursor.next()?.text ?? '';
  if (name === '') {
    cursor.error(`'filter ${kind}' expects a name`);
    return null;
  }
  if (proxy.filters.some(other => isBandwidth(other) && other.name === name)) {
    cursor.error(`filter '${name}' is declared twice`);
    return null;
  }
  const found: Found = { own: 0, together: 0, periodMs: 0, minBytes: 0, shared: null };
  while (cursor.left > 0) {
    if (!bandwidthSetting(cursor, kind, found, proxy, context)) {
      cursor.rest();
      return null;
    }
  }
  const { own, together, periodMs, minBytes, shared } = found;
  const apart = own > 0 && periodMs > 0 && together === 0 && shared === null;
  if (apart || (together > 0 && shared !== null && own === 0 && periodMs === 0)) {
    return { kind: kind as BandwidthSpec['kind'], name, limitBytes: own || together, periodMs, minBytes, shared };
  }
  cursor.error(`'filter ${kind} ${name}' expects 'default-limit' and 'default-period', or 'limit' and 'key'`);
  return null;
};

/** What a line says: its limit for each stream, or for all together. */
interface Found {
  own: number;
  together: number;
  periodMs: number;
  minBytes: number;
  shared: BandwidthSpec['shared'];
}

const SIZES: Readonly<Record<string, 'own' | 'together' | 'minBytes'>> = {
  'default-limit': 'own',
  limit: 'together',
  'min-size': 'minBytes',
};

/** False after reporting. */
function bandwidthSetting(cursor: Cursor, kind: string, found: Found, proxy: ProxyDraft, context: Context): boolean {
  const { text } = cursor.next()!;
  const size = SIZES[text];
  if (size !== undefined) {
    const bytes = cursor.expectSize(text);
    if (bytes !== null) found[size] = bytes;
    return bytes !== null;
  }
  if (text === 'default-period') {
    const ms = cursor.expectTime(text, 'ms', { min: 1 });
    if (ms !== null) found.periodMs = ms;
    return ms !== null;
  }
  if (text === 'key') {
    const key = readExpression(cursor, context.resources, null);
    if (key === null) return false;
    useExpression(proxy, cursor, key);
    const table = readTableName(cursor, proxy, `filter ${kind}`, key);
    found.shared = table === null ? null : { key, table };
    return table !== null;
  }
  const known = [...Object.keys(SIZES), 'default-period', 'key'];
  cursor.error(`'filter ${kind}' : unknown keyword '${text}'`, didYouMean(text, known) ?? undefined);
  return false;
}

const KINDS: Readonly<Record<string, Read>> = {
  compression: plain,
  'comp-req': plain,
  'comp-res': plain,
  'bwlim-in': bandwidth,
  'bwlim-out': bandwidth,
  trace,
  spoe: refused,
  cache: refused,
  'fcgi-app': refused,
  opentracing: refused,
};

export const FILTER_KINDS: readonly string[] = Object.keys(KINDS);
/** Those that are there, for `-vv`. */
export const FILTERS_HERE: readonly string[] = FILTER_KINDS.filter(kind => KINDS[kind] !== refused);

const FILTER = supported<ProxyDraft>({
  name: 'filter',
  where: 'FLB',
  args: '{ comp-req | comp-res | compression | trace [<options>] | { bwlim-in | bwlim-out } <name> { default-limit <size> default-period <time> | limit <size> key <key> [table <table>] } [min-size <size>] }',
  doc: 'Adds a filter to the streams; the order of the lines counts.',
  parse(cursor, proxy, context) {
    const word = cursor.next();
    if (word === null) return cursor.error("'filter' expects a filter name");
    const read = KINDS[word.text];
    if (read === undefined) {
      const hint = didYouMean(word.text, FILTER_KINDS);
      return cursor.error(`'filter' : unknown keyword '${word.text}'`, hint ?? undefined);
    }
    const spec = read(cursor, word.text, proxy, context);
    if (spec !== null) proxy.filters.push(spec);
  },
  good: [
    'filter compression',
    'filter comp-req',
    'filter comp-res',
    'filter bwlim-in up default-limit 1m default-period 1s',
    'filter bwlim-out down default-period 1s default-limit 625000 min-size 2896',
    'filter bwlim-out all limit 10m key src table t min-size 2k',
    'filter trace name BEFORE random-forwarding max-fwd 100 quiet',
  ],
  bad: [
    ['filter', "'filter' expects a filter name"],
    ['filter foo', "'filter' : unknown keyword 'foo'"],
    ['filter spoe', "'filter spoe' is not supported by Sluice yet"],
    ['filter trace foo', "'filter trace' : unknown keyword 'foo'"],
    ['filter compression foo', "'filter' cannot handle unexpected argument 'foo'"],
    ['filter bwlim-out', "'filter bwlim-out' expects a name"],
    [
      'filter bwlim-out x default-limit 1k',
      "'filter bwlim-out x' expects 'default-limit' and 'default-period', or 'limit' and 'key'",
    ],
    ['filter bwlim-in x foo', "'filter bwlim-in' : unknown keyword 'foo'"],
    ['filter bwlim-in x limit 1k key foo', "unknown fetch method 'foo'"],
  ],
});

const FILTER_SEQUENCE = supported<ProxyDraft>({
  name: 'filter-sequence',
  where: 'FLB',
  args: '{ request | response } <filter>[,<filter>...]',
  doc: 'Which filters act on a direction, and in which order.',
  parse(cursor, proxy) {
    const direction = cursor.expectOneOf('filter-sequence', ['request', 'response']);
    const list = direction === null ? null : cursor.expectWord('a list of filters');
    if (direction !== null && list !== null) proxy.filterOrder[direction] = list.text.split(',');
  },
  good: ['filter-sequence request comp-req', 'filter-sequence response comp-res,bwlim-out'],
  bad: [
    ['filter-sequence', "'filter-sequence' expects 'request' or 'response'"],
    ['filter-sequence request', "'request' expects a list of filters"],
  ],
});

export const FILTERS: readonly Keyword<ProxyDraft>[] = [FILTER, FILTER_SEQUENCE];
