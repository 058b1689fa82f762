/**
 * What an action is: one row of one table. It is read into plain data when the configuration is read, and made a function
 * of in each worker. The table tells in which rule sets it may stand.
 */
import type { Cursor } from '../config/cursor.ts';
import type { ProxyDraft } from '../config/draft.ts';
import { accepted, type Context, type Keyword, later } from '../config/keyword.ts';
import type { Rule } from '../config/proxy-model.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import type { Point } from '../sample/points.ts';
import type { RuleSet } from './rule-sets.ts';

// What an action says about the traffic.
/** On to the next rule. */
export const CONTINUE = 0;
/** No more rules of this set: it may pass. */
export const STOP = 1;
/** A response of our own has left: the stream is over. */
export const ANSWERED = 2;
/** The connection ends without an answer. */
export const CLOSE = 3;
/** The same rule again when more has come, or when the stream's timer fires. */
export const YIELD = 4;
/** Answers after `timeout tarpit`. */
export const TARPIT = 5;
/** A response of our own is under way, made as the client reads. */
export const SERVED = 6;
/** The client speaks HTTP from here on. */
export const SWITCH = 7;

export type Verdict =
  | typeof CONTINUE
  | typeof STOP
  | typeof ANSWERED
  | typeof CLOSE
  | typeof YIELD
  | typeof TARPIT
  | typeof SERVED
  | typeof SWITCH;

/** An action as a worker carries it out. */
export type Act = (at: Standpoint) => Verdict;

/** A rule while it is read. */
export interface RuleDraft {
  readonly set: RuleSet;
  /** Where it is evaluated; null = in a frontend or a backend, as `defaults` and `listen` do not know. */
  readonly point: Point | null;
  readonly proxy: ProxyDraft;
  /** What the row's `read` made of the words. */
  args: unknown;
}

export interface ActionRow extends Keyword<RuleDraft> {
  readonly compile: (args: never, env: Env, next?: Rule) => Act;
}

interface ActionSpec<A> {
  readonly name: string;
  /** Letters of the rule sets that have it (rule-sets.ts). */
  readonly where: string;
  readonly args: string;
  readonly doc: string;
  /** Plain data, or null after reporting. */
  readonly read: (cursor: Cursor, rule: RuleDraft, context: Context) => A | null;
  /** `next`: the rule after it in its set. */
  readonly compile: (args: A, env: Env, next?: Rule) => Act;
  readonly good: readonly string[];
  readonly bad: readonly (readonly [string, string])[];
}

export function action<A>({ read, compile, ...spec }: ActionSpec<A>): ActionRow {
  return {
    ...spec,
    ...{ status: 'supported', note: '', negatable: false },
    parse(cursor, rule, context) {
      rule.args = read(cursor, rule, context);
    },
    compile: compile as ActionRow['compile'],
  };
}

/** An action that is read and does nothing here; `note` says why. */
export function acceptedAction(name: string, where: string, args: string, doc: string, note: string): ActionRow {
  return { ...accepted<RuleDraft>(name, where, args, doc, note), compile: () => goOn };
}

/** An action that is known and refused. */
export function laterAction(name: string, where: string, args: string, doc: string): ActionRow {
  return { ...later<RuleDraft>(name, where, args, doc), compile: () => goOn };
}

function goOn(): Verdict {
  return CONTINUE;
}

/** True where the options of an action end: at its condition, or at the end of the line. */
export function atCondition(cursor: Cursor): boolean {
  const word = cursor.peek();
  return word === null || word.text === 'if' || word.text === 'unless';
}

/** `name(inside)` of the word just taken: what is inside; null after reporting that there is nothing. */
export function insideParens(cursor: Cursor, what: string): string | null {
  const { text } = cursor.current;
  const open = text.indexOf('(');
  if (open > 0 && text.endsWith(')') && open + 2 < text.length) return text.slice(open + 1, -1);
  cursor.error(`'${open < 0 ? text : text.slice(0, open)}' expects ${what} in parentheses`);
  return null;
}
