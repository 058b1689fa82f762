/** The tables as text for the README: what is supported, and what is not. */

import { ACTIONS } from '../rules/actions.ts';
import { RULE_SETS } from '../rules/rule-sets.ts';
import type { Keyword, Status } from './keyword.ts';
import { BIND } from './keywords-bind.ts';
import { HTTP_ERRORS } from './keywords-errors.ts';
import { GLOBAL } from './keywords-global.ts';
import { LOG_FORWARD } from './keywords-log-forward.ts';
import { MAILERS } from './keywords-mailers.ts';
import { PEERS } from './keywords-peers.ts';
import { PROXY } from './keywords-proxy.ts';
import { RESOLVERS } from './keywords-resolvers.ts';
import { RING } from './keywords-ring.ts';
import { SERVER } from './keywords-server.ts';
import { USERLIST } from './keywords-userlist.ts';
import { sectionKeyword } from './unknown.ts';

/** What is told of a row. */
type Row = Pick<Keyword<never>, 'name' | 'where' | 'args' | 'doc' | 'status'>;

/** What the letters of a table's `where` stand for. */
type NameOf = (letter: string) => string;

const GROUPS: readonly (readonly [title: string, rows: readonly Row[], nameOf?: NameOf])[] = [
  ['Global section', GLOBAL],
  ['Proxy sections', PROXY],
  ['`bind` lines', BIND],
  ['`server` lines', SERVER],
  ['Userlist section', USERLIST],
  ['HTTP-errors section', HTTP_ERRORS],
  ['Resolvers section', RESOLVERS],
  ['Peers section', PEERS],
  ['Mailers section', MAILERS],
  ['Ring section', RING],
  ['Log-forward section', LOG_FORWARD],
  ['Actions of rules', ACTIONS, letter => RULE_SETS.find(set => set.letter === letter)!.keyword],
];

const LISTS: readonly (readonly [status: Status, lead: string])[] = [
  ['accepted', 'Read, and of no effect here'],
  ['later', 'Refused by name, not built yet'],
  ['removed', 'Gone from HAProxy, refused with what to write instead'],
];

/** Markdown: per part of the language a table of what is supported, then the names of what is not. */
export function supportedTable(): string {
  return GROUPS.map(([title, rows, nameOf = sectionKeyword]) => {
    const supported = rows.filter(row => row.status === 'supported').sort(byName);
    const lists = LISTS.map(([status, lead]) =>
      listOf(
        lead,
        rows.filter(row => row.status === status),
      ),
    );
    return [`### ${title}`, tableOf(supported, nameOf), ...lists].filter(text => text !== '').join('\n\n');
  }).join('\n\n');
}

/** Markdown: how many keywords of each part there are. `file` is where the parts are told in full. */
export function supportedCounts(file: string): string {
  const count = (rows: readonly Row[], status: Status) => rows.filter(row => row.status === status).length;
  const lines = GROUPS.map(([title, rows]) => {
    const anchor = title.toLowerCase().replaceAll('`', '').replaceAll(' ', '-');
    const [yes, accepted, later] = (['supported', 'accepted', 'later'] as const).map(status => count(rows, status));
    return `| [${title}](${file}#${anchor}) | ${yes} | ${accepted} | ${later} |`;
  });
  return ['| part | supported | read, of no effect here | not yet |', '|---|---|---|---|', ...lines].join('\n');
}

function byName(a: Row, b: Row): number {
  return a.name < b.name ? -1 : 1;
}

function tableOf(rows: readonly Row[], nameOf: NameOf): string {
  // Settings of a line are in no section.
  const sections = rows.some(row => row.where.length > 1);
  const lines = rows.map(({ name, args, where, doc }) => {
    const cells = [
      `\`${name}${args === '' ? '' : ` ${args}`}\``,
      ...(sections ? [[...where].map(nameOf).join(', ')] : []),
      doc,
    ];
    return `| ${cells.map(cell => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  });
  const head = sections ? ['| keyword | sections | |', '|---|---|---|'] : ['| keyword | |', '|---|---|'];
  return [...head, ...lines].join('\n');
}

function listOf(lead: string, rows: readonly Row[]): string {
  const names = [...rows].sort(byName).map(row => `\`${row.name}\``);
  return names.length === 0 ? '' : `${lead}: ${names.join(', ')}.`;
}
