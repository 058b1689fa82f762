/** What is said about a keyword that a section does not take: HAProxy's words, and a hint at what was meant. */
import type { Cursor } from './cursor.ts';
import type { Keyword } from './keyword.ts';
import { didYouMean, meant, suggest } from './suggest.ts';
import type { Table } from './table.ts';

/** The section keywords that the letters of `Keyword.where` stand for. */
const SECTION_NAMES: Readonly<Record<string, string>> = {
  G: 'global',
  D: 'defaults',
  F: 'frontend',
  L: 'listen',
  B: 'backend',
  U: 'userlist',
  E: 'http-errors',
  S: 'peers',
  R: 'ring',
  W: 'log-forward',
};

export function sectionKeyword(letter: string): string {
  return SECTION_NAMES[letter] ?? '';
}

/** `'a', 'b' or 'c'` section. */
function sectionsOf(where: string): string {
  const names = [...where].map(letter => `'${sectionKeyword(letter)}'`);
  const list = names.length === 1 ? names[0] : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
  return `${list} section`;
}

interface Anywhere {
  take(cursor: Cursor): Pick<Keyword<unknown>, 'name' | 'where'> | null;
}

/**
 * Reports the word at the cursor, which begins no keyword of `table`.
 * @param elsewhere the tables of all sections, to find out where it belongs
 */
export function unknownKeyword<T>(
  cursor: Cursor,
  table: Table<T>,
  section: string,
  letter: string,
  elsewhere: Readonly<Record<string, Anywhere>>,
) {
  const first = cursor.next()!;
  const second = cursor.peek();
  const family = table.family(first.text).filter(row => row.where.includes(letter) && row.status !== 'removed');
  if (family.length > 0)
    return unknownMember(
      cursor,
      first.text,
      family.map(row => row.name),
    );
  cursor.index--;
  for (const other of Object.values(elsewhere)) {
    const row = other.take(cursor);
    if (row !== null) return misplaced(cursor, row, section);
  }
  const names = table.names(letter);
  const pair = second === null ? null : suggest(`${first.text} ${second.text}`, names);
  const hint = didYouMean(first.text, names) ?? (pair === null ? null : meant(pair));
  cursor.error(`unknown keyword '${first.text}' in '${section}' section`, hint ?? undefined, first);
}

/** `option foo`, `timeout foo`: the first word is known, the second is not. */
function unknownMember(cursor: Cursor, first: string, names: readonly string[]) {
  const word = cursor.next();
  const hint = word === null ? null : didYouMean(`${first} ${word.text}`, names);
  if (first === 'option') {
    return cursor.error(
      word === null ? "'option' expects an option name" : `unknown option '${word.text}'`,
      hint ?? undefined,
    );
  }
  const members = names.map(name => `'${name.slice(first.length + 1)}'`).join(', ');
  cursor.error(`'${first}' only supports ${members} (got '${word?.text ?? ''}')`, hint ?? undefined);
}

/** A keyword of another section. */
export function misplaced(cursor: Cursor, row: Pick<Keyword<unknown>, 'name' | 'where'>, section: string): void {
  const first = cursor.line.words[cursor.index - row.name.split(' ').length]!;
  const message =
    section === 'defaults'
      ? `'${row.name}' not allowed in 'defaults' section`
      : `unknown keyword '${row.name}' in '${section}' section`;
  cursor.error(message, `'${row.name}' belongs in a ${sectionsOf(row.where)}`, first);
}

/** Without these the rest makes no sense; the others are ignored with a warning. */
const NEEDED = [
  ...['server', 'server-template', 'default-server', 'use-server', 'retry-on'],
  ...['tcp-response inspect-delay', 'tcp-response content', 'declare capture'],
];
/** Of these HAProxy reads nothing more, once it has said that it ignores them. */
const UNREAD = /^(stick|option redispatch) /;
const INSTEAD: Readonly<Record<string, string>> = { fullconn: 'maxconn', maxconn: 'fullconn' };

/** A keyword of backends in a frontend, or the other way round. True when the rest of its line does not matter. */
export function wrongSide<T>(cursor: Cursor, row: Keyword<T>, section: string, letter: string, name: string): boolean {
  const lacks = letter === 'F' ? 'backend' : 'frontend';
  const first = cursor.line.words[cursor.index - row.name.split(' ').length]!;
  const because = `because ${section} '${name}' has no ${lacks} capability`;
  const instead = INSTEAD[row.name];
  const hint = instead === undefined ? undefined : meant(instead);
  const needed = NEEDED.includes(row.name);
  if (needed) cursor.error(`'${row.name}' not allowed ${because}`, hint, first);
  else cursor.warning(`'${row.name}' ignored ${because}`, hint, first);
  return needed || UNREAD.test(`${row.name} `);
}
