/** `h1-case-adjust` and `h1-case-adjust-file` (manual 3.1): how header names are written where an option asks for it. */
import { latin1, TOKEN_LOWER } from '../http/chars.ts';
import type { Cursor } from './cursor.ts';
import type { GlobalDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';

type Spellings = GlobalDraft['nameCases'];

/** Adds a spelling; what is wrong with it, or null. */
function addSpelling(list: Spellings, from: string, to: string): string | null {
  if (from !== from.toLowerCase() || [...latin1(from)].some(byte => TOKEN_LOWER[byte] === 0)) {
    return `'${from}' is no header name in lower case`;
  }
  if (to.toLowerCase() !== from) return `'${from}' and '${to}' differ by more than their case`;
  if (list.some(([known]) => known === from)) return `'${from}' was given a spelling already`;
  list.push([from, to]);
  return null;
}

/** The spellings of a file; null after reporting. */
function readFile(cursor: Cursor, bytes: Uint8Array | null): Spellings | null {
  const { text: path } = cursor.current;
  const list: Spellings = [];
  let problem = bytes === null ? `cannot read '${path}'` : null;
  const lines = new TextDecoder('latin1').decode(bytes ?? undefined).split('\n');
  for (let i = 0; i < lines.length && problem === null; i++) {
    const [from = '', to, ...more] = lines[i]!.trim().split(/[ \t]+/);
    if (from === '' || from.startsWith('#')) continue;
    const wrong = to === undefined || more.length > 0 ? 'a line has two header names' : addSpelling(list, from, to);
    if (wrong !== null) problem = `${path}:${i + 1}: ${wrong}`;
  }
  if (problem !== null) cursor.error(`'h1-case-adjust-file' ${problem}`);
  return problem === null ? list : null;
}

export const NAME_CASES: readonly Keyword<GlobalDraft>[] = [
  supported<GlobalDraft>({
    name: 'h1-case-adjust',
    where: 'G',
    args: '<from> <to>',
    doc: 'How a header name is written.',
    parse(cursor, global) {
      const from = cursor.expectWord('a header name in lower case');
      const to = from === null ? null : cursor.expectWord('the same name as it is to be written');
      if (from === null || to === null) return;
      const problem = addSpelling(global.nameCases, from.text, to.text);
      if (problem !== null) cursor.error(`'h1-case-adjust': ${problem}`);
    },
    good: ['h1-case-adjust content-length Content-Length'],
    bad: [
      ['h1-case-adjust', "'h1-case-adjust' expects a header name in lower case"],
      ['h1-case-adjust Host HOST', "'h1-case-adjust': 'Host' is no header name in lower case"],
      ['h1-case-adjust host Hots', "'h1-case-adjust': 'host' and 'Hots' differ by more than their case"],
    ],
  }),
  supported<GlobalDraft>({
    name: 'h1-case-adjust-file',
    where: 'G',
    args: '<file>',
    doc: 'A file of header name spellings.',
    parse(cursor, global, { resources }) {
      const word = cursor.expectWord('a file');
      const list = word === null ? null : readFile(cursor, resources.readFile(word.text));
      if (list !== null) global.fileNameCases = list;
    },
    good: ['h1-case-adjust-file /dev/null'],
    bad: [
      ['h1-case-adjust-file', "'h1-case-adjust-file' expects a file"],
      ['h1-case-adjust-file /nosuch', "'h1-case-adjust-file' cannot read '/nosuch'"],
    ],
  }),
];
