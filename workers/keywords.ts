/** `-dK`: the keywords of each class, listed from the tables that parse them. */
import { COMMANDS } from '../engine/cli/index.ts';
import type { Keyword } from '../engine/config/keyword.ts';
import { BIND } from '../engine/config/keywords-bind.ts';
import { FILTERS_HERE } from '../engine/config/keywords-filter.ts';
import { SERVER } from '../engine/config/keywords-server.ts';
import { SECTIONS, TABLES } from '../engine/config/sections.ts';
import { SERVICES } from '../engine/rules/actions-service.ts';
import { aclLines, converterLines, fetchLines } from './keyword-samples.ts';

type Row = Pick<Keyword<unknown>, 'name' | 'where' | 'args' | 'status'>;

interface Class {
  readonly name: string;
  readonly doc: string;
  readonly title: string;
  readonly list: () => readonly string[];
}

/** HAProxy's classes, its order. */
const CLASSES: readonly Class[] = [
  { name: 'acl', doc: 'ACL keywords', title: 'ACL keywords', list: aclLines },
  { name: 'cfg', doc: 'configuration keywords', title: 'configuration keywords', list: configuration },
  { name: 'cli', doc: 'CLI keywords', title: 'CLI keywords', list: commands },
  { name: 'cnv', doc: 'sample converter keywords', title: 'sample converter functions', list: converterLines },
  { name: 'flt', doc: 'filter names', title: 'filter names', list: () => FILTERS_HERE },
  { name: 'smp', doc: 'sample fetch functions', title: 'sample fetch functions', list: fetchLines },
  { name: 'svc', doc: 'service names', title: 'service names', list: () => Object.keys(SERVICES) },
];

/** The text that `-dK<classes>` prints: `classes` separated by commas; `all`; '' and `help` list the classes. */
export function dumpKeywords(classes: string): string {
  const asked = classes.split(',');
  const known = CLASSES.filter(({ name }) => asked.includes(name) || asked.includes('all'));
  if (known.length === 0) return help();
  return known.map(({ title, list }) => [`# List of registered ${title}:`, ...list(), ''].join('\n')).join('');
}

function help(): string {
  const rows = CLASSES.map(({ name, doc }) => `${name}: list ${doc}\n`);
  return `# List of supported keyword classes:\nall: list all keywords\n${rows.join('')}`;
}

/** Who has it, and in which mode. */
function commands(): string[] {
  return COMMANDS.map(({ words, mode }) => `${words} [WORKER]${mode === undefined ? '' : ` [${mode.toUpperCase()}]`}`);
}

/** As the lines of a file: section by section, with what follows a `bind` and a `server`. */
function configuration(): string[] {
  const rows = Object.values(TABLES).flatMap<Row>(table => table.rows);
  const lines: string[] = [];
  for (const { keyword, letter } of SECTIONS) {
    if (letter === '') continue;
    lines.push(keyword);
    for (const row of rows) if (row.where.includes(letter)) lines.push(...shown(row, '\t'));
    if ('FL'.includes(letter)) for (const row of BIND) lines.push(...shown(row, '\tbind <addr> '));
    if ('LB'.includes(letter)) for (const row of SERVER) lines.push(...shown(row, '\tserver <name> <addr> '));
  }
  return lines;
}

/** What does not work does not count. */
function shown({ name, args, status }: Row, before: string): string[] {
  return status === 'supported' || status === 'accepted' ? [`${before}${name} ${args}`.trimEnd()] : [];
}
