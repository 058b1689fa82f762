/** The tables as text: `-dK`, and the table of the README. */
import type { Keyword, Status } from './keyword.ts';
import { BIND } from './keywords-bind.ts';
import { GLOBAL } from './keywords-global.ts';
import { PROXY } from './keywords-proxy.ts';
import { SERVER } from './keywords-server.ts';
import { USERLIST } from './keywords-userlist.ts';
import { SECTIONS } from './sections.ts';
import { sectionKeyword } from './unknown.ts';

/** What a dump needs of a row. */
type Row = Pick<Keyword<never>, 'name' | 'where' | 'args' | 'doc' | 'status' | 'note'>;

interface Group {
  readonly title: string;
  readonly rows: readonly Row[];
  /** What stands before the keyword in a line. */
  readonly lead: string;
  /** The section that `-dK` lists it under; '' = those of `where`. */
  readonly letters: string;
}

const GROUPS: readonly Group[] = [
  { title: 'Global section', rows: GLOBAL, lead: '', letters: '' },
  { title: 'Proxy sections', rows: PROXY, lead: '', letters: '' },
  { title: '`bind` lines', rows: BIND, lead: 'bind <addr> ', letters: 'FL' },
  { title: '`server` lines', rows: SERVER, lead: 'server <name> <addr> ', letters: 'LB' },
  { title: 'Userlist section', rows: USERLIST, lead: '', letters: '' },
];

/** The classes that `-dK` knows: one of them is about configurations. */
export const DUMP_CLASSES: readonly string[] = ['all', 'cfg'];

/**
 * The lines of `-dK<class>`: each section with the keywords that may be written in it.
 * @returns nothing for a class that is not among `DUMP_CLASSES`
 */
export function dumpKeywords(which: string): string[] {
  if (!DUMP_CLASSES.includes(which)) return [];
  const lines = ['# List of registered configuration keywords:'];
  for (const { keyword, letter } of SECTIONS) {
    if (letter === '') continue;
    const keywords = GROUPS.flatMap(({ rows, lead, letters }) =>
      rows
        .filter(row => usable(row) && (letters || row.where).includes(letter))
        .map(({ name, args }) => `\t${lead}${name} ${args}`.trimEnd()),
    );
    lines.push(keyword, ...keywords.sort());
  }
  return lines;
}

function usable({ status }: Row): boolean {
  return status === 'supported' || status === 'accepted';
}

const LISTS: readonly (readonly [status: Status, lead: string])[] = [
  ['accepted', 'Read, and of no effect here'],
  ['later', 'Refused by name, not built yet'],
  ['removed', 'Gone from HAProxy, refused with what to write instead'],
];

/** Markdown: per part of the language a table of what is supported, then the names of what is not. */
export function supportedTable(): string {
  return GROUPS.map(({ title, rows }) => {
    const supported = rows.filter(row => row.status === 'supported').sort(byName);
    const lists = LISTS.map(([status, lead]) =>
      listOf(
        lead,
        rows.filter(row => row.status === status),
      ),
    );
    return [`### ${title}`, tableOf(supported), ...lists].filter(text => text !== '').join('\n\n');
  }).join('\n\n');
}

function byName(a: Row, b: Row): number {
  return a.name < b.name ? -1 : 1;
}

function tableOf(rows: readonly Row[]): string {
  // Settings of a line are in no section.
  const sections = rows.some(row => row.where.length > 1);
  const lines = rows.map(({ name, args, where, doc }) => {
    const cells = [`\`${name}${args === '' ? '' : ` ${args}`}\``, ...(sections ? [whereOf(where)] : []), doc];
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = sections ? ['| keyword | sections | |', '|---|---|---|'] : ['| keyword | |', '|---|---|'];
  return [...head, ...lines].join('\n');
}

function whereOf(where: string): string {
  return [...where].map(sectionKeyword).join(', ');
}

function listOf(lead: string, rows: readonly Row[]): string {
  const names = [...rows].sort(byName).map(row => `\`${row.name}\``);
  return names.length === 0 ? '' : `${lead}: ${names.join(', ')}.`;
}
