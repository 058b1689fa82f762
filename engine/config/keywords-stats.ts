/** `stats ...` of a proxy: the statistics page. Any of them alone turns the page on, as in HAProxy. */
import type { Cursor } from './cursor.ts';
import type { ProxyDraft, StatsDraft } from './draft.ts';
import { type Keyword, supported } from './keyword.ts';
import { needCondition } from './keywords-acl.ts';
import { newStatsPage } from './new-drafts.ts';

type Page = StatsDraft;

/** A `stats` row: `set` reads its arguments into the page. */
function stats(
  row: Pick<Keyword<ProxyDraft>, 'args' | 'doc' | 'good' | 'bad'> & { name: string; where?: string },
  set: (page: Page, cursor: Cursor) => void,
): Keyword<ProxyDraft> {
  return supported({
    where: 'DFLB',
    ...row,
    parse(cursor, proxy) {
      proxy.stats ??= newStatsPage();
      set(proxy.stats, cursor);
    },
  });
}

/** A row without arguments. */
function bare(name: string, doc: string, set: (page: Page) => void): Keyword<ProxyDraft> {
  const bad: [string, string][] = [[`${name} foo`, `'${name}' cannot handle unexpected argument 'foo'`]];
  return stats({ name, doc, args: '', good: [name], bad }, set);
}

/** A row with one word; `complaint` is what HAProxy says when it is missing. */
function word(
  name: string,
  args: string,
  doc: string,
  complaint: string,
  set: (page: Page, text: string) => void,
): Keyword<ProxyDraft> {
  return stats({ name, args, doc, good: [`${name} foo`], bad: [[name, complaint]] }, (page, cursor) => {
    const text = cursor.next()?.text;
    if (text === undefined) cursor.error(complaint);
    else set(page, text);
  });
}

/** `show-desc` and `show-node` take the rest of the line, or nothing: then it is what `global` says. */
function optionalText(name: string, doc: string, set: (page: Page, text: string) => void): Keyword<ProxyDraft> {
  return stats({ name, args: '[<text>]', doc, good: [name, `${name} my own`], bad: [] }, (page, cursor) => {
    const words = cursor.rest().map(w => w.text);
    set(page, words.join(' '));
  });
}

const ADMIN = "'stats admin' requires either 'if' or 'unless' followed by a condition";

export const STATS: readonly Keyword<ProxyDraft>[] = [
  bare('stats enable', 'Turns the statistics page on.', () => {}),
  word('stats uri', '<prefix>', 'Where the page is.', "'uri' needs an URI prefix", (page, text) => {
    page.uri = text;
  }),
  word('stats realm', '<realm>', 'The realm of its login.', "'realm' needs an realm name", (page, text) => {
    page.realm = text;
  }),
  word('stats auth', '<user>:<password>', 'Who may see it.', "'auth' needs a user:password account", (page, text) => {
    page.auth.push(text);
  }),
  word('stats scope', '<proxy>', 'Shows only the named proxies.', "'scope' needs a proxy name", (page, text) => {
    page.scope.push(text);
  }),
  stats(
    {
      name: 'stats refresh',
      args: '<time>',
      doc: 'How often browsers reload the page.',
      good: ['stats refresh 10s', 'stats refresh 5'],
      bad: [
        [
          'stats refresh foo',
          "'stats refresh' expects a time (in seconds by default): unexpected character 'f' in 'foo'",
        ],
      ],
    },
    (page, cursor) => {
      const ms = cursor.expectTime('stats refresh', 's');
      if (ms !== null) page.refreshSeconds = Math.floor(ms / 1000);
    },
  ),
  bare('stats hide-version', 'The page does not tell the version.', page => {
    page.hideVersion = true;
  }),
  bare('stats show-version', 'The page tells the version.', page => {
    page.hideVersion = false;
  }),
  bare('stats show-legends', 'The page shows details as tooltips.', page => {
    page.showLegends = true;
  }),
  bare('stats show-modules', 'The page shows the columns of modules.', page => {
    page.showModules = true;
  }),
  optionalText('stats show-desc', 'The page shows a description.', (page, text) => {
    page.showDesc = text;
  }),
  optionalText('stats show-node', 'The page shows the node name.', (page, text) => {
    page.showNode = text;
  }),
  supported({
    name: 'stats admin',
    where: 'FLB',
    args: '{ if | unless } <condition>',
    doc: 'Who may change server states on the page.',
    parse(cursor, proxy, { resources }) {
      const condition = needCondition(cursor, proxy, resources, 'frontRequest', ADMIN);
      if (condition === null) return;
      proxy.stats ??= newStatsPage();
      proxy.stats.admin = true;
      proxy.stats.adminIf.push(condition);
    },
    good: ['stats admin if TRUE', 'stats admin if LOCALHOST'],
    bad: [
      ['stats admin', ADMIN],
      ['stats admin if', ADMIN],
      ['stats admin if foo', "no such ACL : 'foo'"],
    ],
  }),
];
