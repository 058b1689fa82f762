/** Actions on stick tables: what a session or stream tracks, and the counters and tags of what it tracks. */
import type { Cursor } from '../config/cursor.ts';
import { readTableName } from '../config/keywords-stick.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { Sample, SINT } from '../sample/sample.ts';
import { addToCounter, chosen, INCREMENTS, type Read, TAGS } from '../stick/readings.ts';
import type { Table } from '../stick/table.ts';
import { countAt, NOTHING_TRACKED, REQUEST, statusEvent, type Tracked, track, trackedBy } from '../stick/tracking.ts';
import { setValue } from '../stick/values.ts';
import { type Act, type ActionRow, action, CONTINUE, insideParens, type RuleDraft } from './action.ts';
import { evaluate, readSample } from './values.ts';

const ALL = 'CSTUQRA';

interface Track {
  readonly counter: number;
  readonly expression: Expression;
  /** '' = that of the rule's proxy. */
  readonly table: string;
}

const sample = new Sample();

/** Tracks where the rule stands: in the session before there is a stream, else in the stream. */
function compileTrack({ counter, expression, table: name }: Track, env: Env): Act {
  const { tables, model } = env.worker;
  const table = name === '' ? tables.list[model.proxies[env.proxy]!.table]! : tables.named(name)!;
  const fetch = compileExpression(expression, env);
  return at => {
    const list = at.stream === null ? at.session.counters() : at.stream.tracked;
    const tracked = list[counter];
    if (tracked === undefined || tracked.table !== null) return CONTINUE;
    sample.begin(false);
    if (!fetch(at, sample)) return CONTINUE;
    const now = at.session.context.io.now();
    if (track(tracked, table, sample, now)) countWhatWas(at, tracked, now);
    return CONTINUE;
  };
}

/** Tracking that begins in HTTP rules comes too late for the request, and for what its status counts as. */
function countWhatWas({ stream, response }: Standpoint, tracked: Tracked, now: number): void {
  if (stream === null || !stream.requestTaken) return;
  countAt(tracked, REQUEST, now);
  const event = response ? statusEvent(stream.context.model, stream.responseHead.status) : null;
  if (event !== null) countAt(tracked, event, now);
}

function trackRow(counter: number, doc: string): ActionRow {
  const name = `track-sc${counter}`;
  return action<Track>({
    ...{ name, where: 'CSTQR', args: '<key> [table <table>]', doc },
    read(cursor, rule, context) {
      const expression = readSample(cursor, rule, context);
      if (expression === null) return null;
      const table = readTableName(cursor, rule.proxy, name, expression);
      return table === null ? null : { counter, expression, table };
    },
    compile: compileTrack,
    good: [`${name} src table t`],
    bad: [
      [name, 'missing fetch method'],
      [`${name} src table`, "'table' expects a table name"],
    ],
  });
}

/** The rows of counters beyond the third; they are not listed one by one. */
const MORE = new Map<string, ActionRow>();

/** `track-sc3` to `track-sc99`; null = the word is none of them. */
export function moreTracking(word: string): ActionRow | null {
  const match = /^track-sc([1-9]\d?)$/.exec(word);
  if (match === null || Number(match[1]) < 3) return null;
  const known = MORE.get(word) ?? trackRow(Number(match[1]), 'Tracks a key.');
  MORE.set(word, known);
  return known;
}

// --- counters and tags of what is tracked ---

interface Target {
  readonly element: number;
  readonly counter: number;
}

const FIRST_COUNTER: Target = { element: 0, counter: 0 };

/** `(<sc-id>)`, or `(<idx>,<sc-id>)`; the first counter when a lone one is not said. Null after reporting. */
function readTarget(cursor: Cursor, indexed: boolean): Target | null {
  if (!indexed && /^[^(]*(?:\(\))?$/.test(cursor.current.text)) return FIRST_COUNTER;
  const what = indexed ? 'an index and a counter' : 'a counter';
  const inside = insideParens(cursor, what);
  if (inside === null) return null;
  const numbers = inside.split(',').map(text => (/^\d{1,2}$/.test(text.trim()) ? Number(text) : -1));
  if (numbers.length === (indexed ? 2 : 1) && !numbers.includes(-1)) {
    return { element: indexed ? numbers[0]! : 0, counter: numbers.at(-1)! };
  }
  cursor.error(`'${cursor.current.text}': expects ${what}, each from 0 to 99`);
  return null;
}

function trackedIn(at: Standpoint, counter: number): Tracked | null {
  return trackedBy(at.stream === null ? NOTHING_TRACKED : at.stream.tracked, at.session.tracked, counter);
}

function increment(name: string, indexed: boolean, of: (table: Table, element: number) => Read | null, doc: string) {
  return action<Target>({
    ...{ name, where: ALL, args: indexed ? '(<index>,<counter>)' : '(<counter>)', doc },
    read: cursor => readTarget(cursor, indexed),
    compile: ({ element, counter }) => {
      return at => {
        const tracked = trackedIn(at, counter);
        if (tracked !== null) of(tracked.table!, element)?.(tracked.table!, tracked.entry, at.session.context.io.now());
        return CONTINUE;
      };
    },
    good: indexed ? [`${name}(5,0)`] : [`${name}(0)`, name, `${name}()`],
    bad: [
      ...(indexed ? ([[name, `'${name}' expects an index and a counter in parentheses`]] as const) : []),
      [`${name}(x)`, `'${name}(x)': expects ${indexed ? 'an index and a counter' : 'a counter'}, each from 0 to 99`],
    ],
  });
}

type Amount = number | Expression;

/** An unsigned 32-bit number, or an expression that gives one; null after reporting. */
function readAmount(cursor: Cursor, rule: RuleDraft, context: Parameters<typeof readSample>[2]): Amount | null {
  const word = cursor.peek();
  if (word === null) {
    cursor.error(`'${cursor.current.text}' expects a number or an expression`);
    return null;
  }
  if (/^\d{1,10}$/.test(word.text) && Number(word.text) < 2 ** 32) {
    cursor.next();
    return Number(word.text);
  }
  return readSample(cursor, rule, context);
}

/** What finds the number; -1 = there is none. */
function compileAmount(amount: Amount, env: Env): (at: Standpoint) => number {
  if (typeof amount === 'number') return () => amount;
  const fetch = compileExpression(amount, env);
  return at => {
    const found = evaluate(fetch, at, SINT);
    return found === null || found.int < 0 ? -1 : found.int % 2 ** 32;
  };
}

type Change = (tracked: Tracked, element: number, now: number, amount: number) => void;

function withAmount(name: string, indexed: boolean, change: Change, doc: string): ActionRow {
  return action<Target & { readonly amount: Amount }>({
    ...{
      name,
      where: ALL,
      args: `${indexed ? '(<index>,<counter>)' : '(<counter>)'} { <number> | <expression> }`,
      doc,
    },
    read(cursor, rule, context) {
      const target = readTarget(cursor, indexed);
      const amount = target === null ? null : readAmount(cursor, rule, context);
      return target === null || amount === null ? null : { ...target, amount };
    },
    compile({ element, counter, amount }, env) {
      const value = compileAmount(amount, env);
      return at => {
        const tracked = trackedIn(at, counter);
        const n = tracked === null ? -1 : value(at);
        if (n >= 0) change(tracked!, element, at.session.context.io.now(), n);
        return CONTINUE;
      };
    },
    good: indexed ? [`${name}(5,0) 1`, `${name}(5,0) int(7)`] : [`${name}(0) 1`, `${name}(0) int(7)`, `${name} 1`],
    bad: [
      [
        name,
        indexed
          ? `'${name}' expects an index and a counter in parentheses`
          : `'${name}' expects a number or an expression`,
      ],
      [
        indexed ? `${name}(1,0)` : `${name}(0)`,
        `'${name}${indexed ? '(1,0)' : '(0)'}' expects a number or an expression`,
      ],
    ],
  });
}

function setTag(tag: keyof typeof TAGS): Change {
  return ({ table, entry }, element, now, amount) => {
    const found = chosen(table!, TAGS[tag], element);
    if (found === null) return;
    setValue(table!, entry, found.field, found.at, now, amount);
    table!.changed(entry, now);
  };
}

export const STICK_ACTIONS: readonly ActionRow[] = [
  trackRow(0, 'Tracks a key with the first sticky counter.'),
  trackRow(1, 'Tracks a key with the second sticky counter.'),
  trackRow(2, 'Tracks a key with the third sticky counter.'),
  increment('sc-inc-gpc', true, INCREMENTS.gpc, 'Adds one to a general purpose counter.'),
  increment('sc-inc-gpc0', false, INCREMENTS.gpc0, 'Adds one to the first general purpose counter.'),
  increment('sc-inc-gpc1', false, INCREMENTS.gpc1, 'Adds one to the second general purpose counter.'),
  withAmount(
    'sc-add-gpc',
    true,
    ({ table, entry }, element, now, n) => addToCounter(table!, entry, element, now, n),
    'Adds to a general purpose counter.',
  ),
  withAmount('sc-set-gpt', true, setTag('gpt'), 'Sets a general purpose tag.'),
  withAmount('sc-set-gpt0', false, setTag('gpt0'), 'Sets the first general purpose tag.'),
];
