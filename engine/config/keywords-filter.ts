/** `filter` and `filter-sequence` (manual 4.2 and 9). */
import type { Cursor } from './cursor.ts';
import type { Draft, ProxyDraft } from './draft.ts';
import { type BandwidthSpec, type FilterSpec, isBandwidth } from './filter-spec.ts';
import { type Keyword, supported } from './keyword.ts';
import { didYouMean } from './suggest.ts';

type Read = (cursor: Cursor, kind: string, proxy: ProxyDraft) => Draft<FilterSpec> | null;

const plain: Read = (_cursor, kind) => ({ kind }) as FilterSpec;

const refused: Read = (cursor, kind) => {
  cursor.error(`'filter ${kind}' is not supported by Sluice yet`);
  cursor.rest();
  return null;
};

/** `<name> default-limit <size> default-period <time> [min-size <size>]`, in any order. */
const bandwidth: Read = (cursor, kind, proxy) => {
  const name = cursor.next()?.text ?? '';
  if (name === '') {
    cursor.error(`'filter ${kind}' expects a name`);
    return null;
  }
  if (proxy.filters.some(other => isBandwidth(other) && other.name === name)) {
    cursor.error(`filter '${name}' is declared twice`);
    return null;
  }
  const spec: Draft<BandwidthSpec> = {
    kind: kind as BandwidthSpec['kind'],
    name,
    limitBytes: 0,
    periodMs: 0,
    minBytes: 0,
  };
  while (cursor.left > 0) {
    if (!bandwidthSetting(cursor, kind, spec)) {
      cursor.rest();
      return null;
    }
  }
  if (spec.limitBytes > 0 && spec.periodMs > 0) return spec;
  cursor.error(`'filter ${kind} ${name}' expects 'default-limit' and 'default-period'`);
  return null;
};

function bandwidthSetting(cursor: Cursor, kind: string, spec: Draft<BandwidthSpec>): boolean {
  const { text } = cursor.next()!;
  if (text === 'default-limit' || text === 'min-size') {
    const bytes = cursor.expectSize(text);
    if (bytes !== null) spec[text === 'min-size' ? 'minBytes' : 'limitBytes'] = bytes;
    return bytes !== null;
  }
  if (text === 'default-period') {
    const ms = cursor.expectTime(text, 'ms', { min: 1 });
    if (ms !== null) spec.periodMs = ms;
    return ms !== null;
  }
  if (text === 'limit' || text === 'key' || text === 'table') {
    cursor.error(`'${text}' of 'filter ${kind}' is not supported by Sluice yet: limits are per stream`);
    return false;
  }
  const known = ['default-limit', 'default-period', 'min-size'];
  cursor.error(`'filter ${kind}' : unknown keyword '${text}'`, didYouMean(text, known) ?? undefined);
  return false;
}

const KINDS: Readonly<Record<string, Read>> = {
  compression: plain,
  'comp-req': plain,
  'comp-res': plain,
  'bwlim-in': bandwidth,
  'bwlim-out': bandwidth,
  trace: refused,
  spoe: refused,
  cache: refused,
  'fcgi-app': refused,
  opentracing: refused,
};

export const FILTER_KINDS: readonly string[] = Object.keys(KINDS);

const FILTER = supported<ProxyDraft>({
  name: 'filter',
  where: 'FLB',
  args: '{ comp-req | comp-res | compression | { bwlim-in | bwlim-out } <name> default-limit <size> default-period <time> [min-size <size>] }',
  doc: 'Adds a filter to the streams; the order of the lines counts.',
  parse(cursor, proxy) {
    const word = cursor.next();
    if (word === null) return cursor.error("'filter' expects a filter name");
    const read = KINDS[word.text];
    if (read === undefined) {
      const hint = didYouMean(word.text, FILTER_KINDS);
      return cursor.error(`'filter' : unknown keyword '${word.text}'`, hint ?? undefined);
    }
    const spec = read(cursor, word.text, proxy);
    if (spec !== null) proxy.filters.push(spec);
  },
  good: [
    'filter compression',
    'filter comp-req',
    'filter comp-res',
    'filter bwlim-in up default-limit 1m default-period 1s',
    'filter bwlim-out down default-period 1s default-limit 625000 min-size 2896',
  ],
  bad: [
    ['filter', "'filter' expects a filter name"],
    ['filter foo', "'filter' : unknown keyword 'foo'"],
    ['filter trace', "'filter trace' is not supported by Sluice yet"],
    ['filter compression foo', "'filter' cannot handle unexpected argument 'foo'"],
    ['filter bwlim-out', "'filter bwlim-out' expects a name"],
    ['filter bwlim-out x default-limit 1k', "'filter bwlim-out x' expects 'default-limit' and 'default-period'"],
    [
      'filter bwlim-in x limit 1k key src',
      "'limit' of 'filter bwlim-in' is not supported by Sluice yet: limits are per stream",
    ],
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
