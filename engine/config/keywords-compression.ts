/** `compression` (manual 4.2) and what bounds it in the global section (manual 3.2). */
import type { Cursor } from './cursor.ts';
import type { GlobalDraft, ProxyDraft } from './draft.ts';
import { COMPRESSION_FORMATS, type CompressionFormat, newCompression } from './filter-spec.ts';
import { type Keyword, supported } from './keyword.ts';
import { didYouMean } from './suggest.ts';

type CompressionDraft = NonNullable<ProxyDraft['compression']>;

const SETTINGS = 'algo, algo-req, algo-res, type, type-req, type-res, minsize-req, minsize-res, offload, direction';
const MISSING = `'compression' expects one of ${SETTINGS}`;

/** One format; null after reporting. */
function format(cursor: Cursor): CompressionFormat | null {
  const { text } = cursor.next()!;
  const found = COMPRESSION_FORMATS.find(name => name === text);
  if (found !== undefined) return found;
  cursor.error(
    `'compression' : '${text}' is not a supported algorithm.`,
    didYouMean(text, COMPRESSION_FORMATS) ?? undefined,
  );
  return null;
}

/** At least one word must follow. False after reporting that there is none. */
function follows(cursor: Cursor, what: string): boolean {
  if (cursor.left === 0) cursor.error(`'compression' expects <${what}>.`);
  return cursor.left > 0;
}

function responseFormats(cursor: Cursor, draft: CompressionDraft): void {
  if (!follows(cursor, 'algorithm')) return;
  while (cursor.left > 0) {
    const found = format(cursor);
    if (found !== null) draft.responseFormats.push(found);
    else cursor.rest();
  }
}

function requestFormat(cursor: Cursor, draft: CompressionDraft): void {
  const found = follows(cursor, 'algorithm') ? format(cursor) : null;
  if (found !== null) draft.requestFormat = found;
}

function types(cursor: Cursor, list: string[]): void {
  if (follows(cursor, 'type')) list.push(...cursor.rest().map(({ text }) => text.toLowerCase()));
}

function minSize(cursor: Cursor, draft: CompressionDraft, field: 'minRequestBytes' | 'minResponseBytes'): void {
  const bytes = cursor.expectSize(cursor.current.text);
  if (bytes !== null) draft[field] = bytes;
}

function offload(cursor: Cursor, draft: CompressionDraft, section: string): void {
  if (section === 'D') cursor.warning("'compression' : 'offload' ignored in 'defaults' section.");
  else draft.offload = true;
}

function direction(cursor: Cursor, draft: CompressionDraft): void {
  const found = cursor.expectOneOf('direction', ['request', 'response', 'both']);
  if (found !== null) draft.direction = found;
}

type Setting = (cursor: Cursor, draft: CompressionDraft, section: string) => void;

/** What the word after `compression` sets. */
const SETTING: Readonly<Record<string, Setting>> = {
  algo: responseFormats,
  'algo-req': requestFormat,
  'algo-res': responseFormats,
  type: (cursor, draft) => types(cursor, draft.responseTypes),
  'type-req': (cursor, draft) => types(cursor, draft.requestTypes),
  'type-res': (cursor, draft) => types(cursor, draft.responseTypes),
  'minsize-req': (cursor, draft) => minSize(cursor, draft, 'minRequestBytes'),
  'minsize-res': (cursor, draft) => minSize(cursor, draft, 'minResponseBytes'),
  offload,
  direction,
};

export const COMPRESSION: Keyword<ProxyDraft> = supported<ProxyDraft>({
  name: 'compression',
  where: 'DFLB',
  args: '{ algo | algo-req | algo-res | type | type-req | type-res | minsize-req | minsize-res | offload | direction } ...',
  doc: 'Compresses bodies: gzip, deflate, raw-deflate, identity; br and zstd beyond HAProxy.',
  parse(cursor, proxy, { section }) {
    const word = cursor.next();
    const setting = word === null ? undefined : SETTING[word.text];
    if (setting === undefined) {
      const hint = word === null ? null : didYouMean(word.text, Object.keys(SETTING));
      return cursor.error(MISSING, hint ?? undefined);
    }
    proxy.compression ??= newCompression() as CompressionDraft;
    setting(cursor, proxy.compression, section);
  },
  good: [
    'compression algo gzip deflate',
    'compression algo-res br zstd gzip',
    'compression algo-req gzip',
    'compression type text/html application/json',
    'compression minsize-res 1k',
    'compression direction both',
  ],
  bad: [
    ['compression', MISSING],
    ['compression algos gzip', MISSING],
    ['compression algo', "'compression' expects <algorithm>."],
    ['compression algo foo', "'compression' : 'foo' is not a supported algorithm."],
    ['compression type', "'compression' expects <type>."],
    ['compression direction up', "'direction' expects 'request', 'response' or 'both', not 'up'"],
    [
      'compression minsize-res x',
      "'minsize-res' expects a size (in bytes by default): unexpected character 'x' in 'x'",
    ],
  ],
});

type Bound = keyof GlobalDraft['compression'];

/** [name, field, least, most, what one of its units is, what it is]. */
const BOUNDS: readonly (readonly [string, Bound, number, number, number, string])[] = [
  ['maxcomprate', 'rateBytes', 0, 2_097_151, 1024, 'Kilobytes per second that are compressed at most; 0 = no limit.'],
  ['maxcompcpuusage', 'cpuPercent', 0, 100, 1, 'Processor load in percent above which less is compressed.'],
  ['maxzlibmem', 'memoryBytes', 0, 2_097_151, 1024 ** 2, 'Megabytes that compression may take; 0 = its own limit.'],
  ['tune.comp.maxlevel', 'maxLevel', 1, 9, 1, 'Compression level, 1 to 9.'],
  ['tune.zlib.memlevel', 'memLevel', 1, 9, 1, 'Memory of a compressed stream, 1 to 9.'],
  ['tune.zlib.windowsize', 'windowBits', 8, 15, 1, 'History of a compressed stream, bits.'],
];

export const COMPRESSION_BOUNDS: readonly Keyword<GlobalDraft>[] = BOUNDS.map(
  ([name, field, min, max, unit, doc]): Keyword<GlobalDraft> =>
    supported<GlobalDraft>({
      ...{ name, doc, where: 'G', args: '<number>', good: [`${name} ${Math.min(max, 9)}`] },
      parse(cursor, global) {
        const value = cursor.expectInt(name, { min, max });
        if (value !== null) global.compression[field] = value * unit;
      },
      bad: [[name, `'${name}' expects an integer between ${min} and ${max}`]],
    }),
);
