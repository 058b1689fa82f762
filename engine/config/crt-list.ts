/**
 * `crt-list` files (manual 5.1): a certificate a line, with settings and names of its own.
 *
 *     site.pem [alpn h2 ssl-min-ver TLSv1.3] *.example.com !old.example.com
 */
import { Cursor } from './cursor.ts';
import type { Diagnostics } from './diagnostics.ts';
import type { Resources } from './draft.ts';
import { CRT_LIST_LINE } from './keywords-tls-bind.ts';
import { readSettings, Table } from './table.ts';
import { type BindTlsDraft, newBindTls } from './tls-draft.ts';
import type { Line, Word } from './words.ts';

const TABLE = new Table(CRT_LIST_LINE);

export interface CrtListLine {
  readonly line: number;
  readonly file: string;
  /** In lower case, as written. */
  readonly filters: readonly string[];
  /** Null = it has none of its own. */
  readonly draft: BindTlsDraft | null;
  /** Those settings as they are written; '' = none. */
  readonly settings: string;
}

export function readCrtList(
  path: string,
  bytes: Uint8Array,
  diagnostics: Diagnostics,
  resources: Resources,
): CrtListLine[] {
  const lines = Buffer.from(bytes).toString('utf8').split('\n');
  return lines.flatMap((source, i) => {
    const line: Line = { file: path, line: i + 1, source, words: wordsOf(source) };
    const read = line.words.length === 0 ? null : readLine(line, diagnostics, resources);
    return read === null ? [] : [read];
  });
}

/** Brackets stand for themselves, even where no space is around them. */
function wordsOf(source: string): Word[] {
  const words: Word[] = [];
  for (const match of source.matchAll(/#.*|[[\]]|[^\s[\]#]+/g)) {
    const [text] = match;
    if (!text.startsWith('#')) words.push({ text, column: match.index + 1, width: text.length });
  }
  return words;
}

function readLine(line: Line, diagnostics: Diagnostics, resources: Resources): CrtListLine | null {
  const cursor = new Cursor(line, diagnostics);
  const file = cursor.next()!;
  if (file.text === '[') {
    cursor.error('a file name must be given before the settings');
    return null;
  }
  let draft: BindTlsDraft | null = null;
  let text = '';
  if (cursor.match('[')) {
    text = between(line, cursor.index);
    draft = settings(cursor, diagnostics, resources);
    if (draft === null) return null;
  }
  const filters = cursor.rest().map(({ text }) => text.toLowerCase());
  const bracket = filters.find(text => text === '[' || text === ']');
  if (bracket !== undefined) {
    cursor.error(bracket === '[' || draft !== null ? `too many '${bracket}'` : "missing '[' before the settings");
    return null;
  }
  return { line: line.line, file: file.text, filters, draft, settings: text };
}

function between({ words }: Line, start: number): string {
  const end = words.findIndex((word, i) => i >= start && word.text === ']');
  return words
    .slice(start, end < 0 ? words.length : end)
    .map(({ text }) => text)
    .join(' ');
}

/** The words up to `]`; null after reporting. */
function settings(cursor: Cursor, diagnostics: Diagnostics, resources: Resources): BindTlsDraft | null {
  const { line } = cursor;
  const end = line.words.findIndex((word, i) => i >= cursor.index && word.text === ']');
  if (end < 0) {
    cursor.error("missing ']' after the settings");
    return null;
  }
  const inside = new Cursor({ ...line, words: line.words.slice(cursor.index, end) }, diagnostics);
  cursor.index = end + 1;
  const draft = newBindTls();
  const context = { prefix: '', section: '', resources } as const;
  return readSettings(TABLE, inside, draft, `'crt-list'`, context) ? draft : null;
}
