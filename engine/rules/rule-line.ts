/** Lines with rules: `http-request <action> [arguments] [{ if | unless } <condition>]` and their kin. */
import type { Cursor } from '../config/cursor.ts';
import type { ProxyDraft } from '../config/draft.ts';
import { type Context, type Keyword, supported } from '../config/keyword.ts';
import { readProxyCondition } from '../config/keywords-acl.ts';
import { didYouMean } from '../config/suggest.ts';
import { carryOut } from '../config/table.ts';
import type { ConditionData } from '../sample/condition.ts';
import type { Point } from '../sample/points.ts';
import type { ActionRow, RuleDraft } from './action.ts';
import { ACTION_TABLE, takeAction } from './actions.ts';
import { readRedirect } from './redirect.ts';
import { RULE_SETS, type RuleSet, ruleSet } from './rule-sets.ts';

/** Where the expressions of a section's rules are evaluated. In `listen` and `defaults` it is both: the backend sees more. */
function pointOf({ kind }: ProxyDraft, { front, back }: RuleSet): Point {
  return kind === 'frontend' ? front : back;
}

function draftOf(proxy: ProxyDraft, set: RuleSet): RuleDraft {
  return { set, proxy, point: pointOf(proxy, set), args: null };
}

/** `if ...` or `unless ...` at the end of a line; null = there is none. False after reporting. */
function readIf(
  cursor: Cursor,
  proxy: ProxyDraft,
  { resources }: Context,
  point: Point,
  what: string,
): ConditionData | null | false {
  const word = cursor.peek();
  if (word === null) return null;
  if (word.text === 'if' || word.text === 'unless') return readProxyCondition(cursor, proxy, resources, point) ?? false;
  cursor.error(`'${what}' cannot handle unexpected argument '${word.text}'`, undefined, word);
  return false;
}

function readRule(cursor: Cursor, proxy: ProxyDraft, context: Context, set: RuleSet) {
  if (inAnonymousDefaults(cursor, proxy, set.keyword)) return;
  const at = cursor.index;
  const row = takeAction(cursor);
  if (row === null) return unknownAction(cursor, set);
  const rule = draftOf(proxy, set);
  if (row.status === 'later') return row.parse(cursor, rule, context);
  const word = cursor.line.words[at]!;
  if (!row.where.includes(set.letter)) {
    return cursor.error(`'${row.name}' is not possible in '${set.keyword}' rules`, whereElse(row), word);
  }
  if (carryOut(row, cursor, rule, context)) finish(cursor, proxy, context, rule, row.name);
}

function finish(cursor: Cursor, proxy: ProxyDraft, context: Context, rule: RuleDraft, name: string): void {
  const { set, point, args } = rule;
  const condition = readIf(cursor, proxy, context, point ?? set.front, name);
  const { file, line } = cursor.line;
  if (condition !== false) proxy.rules[set.name].push({ file, line, action: name, args, condition });
}

/** A section without a name cannot say which rules a proxy would inherit. */
function inAnonymousDefaults(cursor: Cursor, proxy: ProxyDraft, keyword: string): boolean {
  if (proxy.kind !== 'defaults' || proxy.name !== '') return false;
  const message = `'${keyword}' not allowed in anonymous 'defaults' section`;
  cursor.error(message, "give the section a name: 'defaults <name>'");
  cursor.rest();
  return true;
}

function namesOf(set: RuleSet): string[] {
  return ACTION_TABLE.rows.filter(row => row.where.includes(set.letter)).map(row => row.name);
}

function unknownAction(cursor: Cursor, set: RuleSet) {
  const word = cursor.next();
  if (word === null) return cursor.error(`'${set.keyword}' expects an action`);
  // Scripts register actions by such names.
  const isLua = word.text.startsWith('lua.');
  const message = isLua
    ? `'${set.keyword} ${word.text}' is not supported by Sluice yet: there is no Lua`
    : `'${set.keyword}': unknown action '${word.text}'`;
  cursor.error(message, didYouMean(word.text, namesOf(set)) ?? undefined, word);
}

function whereElse(row: ActionRow): string {
  const keywords = RULE_SETS.filter(set => set.letter !== '' && row.where.includes(set.letter)).map(set => set.keyword);
  return `it is for ${keywords.join(', ')}`;
}

/** Lines of each set: the first unconditional action that it has, and two that cannot be. */
function ruleKeyword(set: RuleSet): Keyword<ProxyDraft> {
  const { keyword, sections, doc } = set;
  const final =
    set.letter === 'C' || set.letter === 'S' || set.letter === 'T' || set.letter === 'U' ? 'accept' : 'allow';
  return supported<ProxyDraft>({
    ...{ name: keyword, where: sections, doc, args: '<action> [arguments] [{ if | unless } <condition>]' },
    parse: (cursor, proxy, context) => readRule(cursor, proxy, context, set),
    good: [`${keyword} ${final}`, `${keyword} ${final} if TRUE`, `${keyword} ${final} unless { src 10.0.0.0/8 }`],
    bad: [
      [keyword, `'${keyword}' expects an action`],
      [`${keyword} foo`, `'${keyword}': unknown action 'foo'`],
      [`${keyword} lua.foo`, `'${keyword} lua.foo' is not supported by Sluice yet: there is no Lua`],
      [`${keyword} ${final} foo`, `'${final}' cannot handle unexpected argument 'foo'`],
      [`${keyword} ${final} if nosuch`, "no such ACL : 'nosuch'"],
    ],
  });
}

const REDIRECT_SET = ruleSet('redirect');

const REDIRECT = supported<ProxyDraft>({
  name: 'redirect',
  where: REDIRECT_SET.sections,
  args: '{ location | prefix | scheme } <to> [code <code>] [options] [{ if | unless } <condition>]',
  doc: REDIRECT_SET.doc,
  parse(cursor, proxy, context) {
    const rule = draftOf(proxy, REDIRECT_SET);
    rule.args = readRedirect(cursor, rule, context);
    if (rule.args !== null) finish(cursor, proxy, context, rule, 'redirect');
  },
  good: ['redirect location / if TRUE', 'redirect prefix http://x code 301 drop-query append-slash'],
  bad: [['redirect location', "'location' expects an argument"]],
});

/** The rows of the proxy table. */
export const RULE_KEYWORDS: readonly Keyword<ProxyDraft>[] = [
  ...RULE_SETS.filter(set => set.letter !== '').map(ruleKeyword),
  REDIRECT,
];
