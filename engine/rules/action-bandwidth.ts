/** `set-bandwidth-limit`: slows a direction of the stream down (manual 4.4, 9.7). */
import type { Cursor } from '../config/cursor.ts';
import type { BandwidthSpec } from '../config/filter-spec.ts';
import type { Context } from '../config/keyword.ts';
import { parseSize } from '../config/units.ts';
import { limitStream, limitTogether } from '../proxy/bandwidth.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { Sample } from '../sample/sample.ts';
import { type Act, type ActionRow, action, atCondition, CONTINUE, type RuleDraft } from './action.ts';
import { compileNumber, readSample, readTime } from './values.ts';

/** The arguments of a rule; null = as the filter says. */
export interface Limit {
  readonly filter: string;
  readonly limit: number | Expression | null;
  readonly period: number | Expression | null;
}

function read(cursor: Cursor, rule: RuleDraft, context: Context): Limit | null {
  const filter = cursor.expectWord('the name of a filter')?.text;
  if (filter === undefined) return null;
  const found: { limit: Limit['limit']; period: Limit['period'] } = { limit: null, period: null };
  while (!atCondition(cursor)) {
    const what = cursor.expectOneOf(filter, ['limit', 'period']);
    if (what === null) return null;
    const value = what === 'period' ? readTime(cursor, rule, context) : readSize(cursor, rule, context);
    if (value === null) return null;
    found[what] = value;
  }
  return { filter, ...found };
}

/** Bytes, or what finds them. */
function readSize(cursor: Cursor, rule: RuleDraft, context: Context): number | Expression | null {
  const text = cursor.peek()?.text ?? '';
  if (text !== '' && !/^\d/.test(text)) return readSample(cursor, rule, context);
  const parsed = parseSize(text);
  cursor.next();
  if ('value' in parsed) return parsed.value;
  cursor.error(`'limit' expects a size or an expression: ${parsed.error}`);
  return null;
}

/** A function that gives the number; `otherwise` when there is none, or when it is no limit at all. */
function numberOf(value: number | Expression | null, env: Env, otherwise: number): (at: Standpoint) => number {
  if (value === null || typeof value === 'number') {
    const number = value || otherwise;
    return () => number;
  }
  const compiled = compileNumber(value, env, otherwise);
  return at => {
    const number = compiled(at);
    return number > 0 ? number : otherwise;
  };
}

/** A limit for the stream alone. */
function own(spec: BandwidthSpec, place: number, { limit, period }: Limit, env: Env): Act {
  const bytes = numberOf(limit, env, spec.limitBytes);
  const ms = numberOf(period, env, spec.periodMs);
  return at => {
    limitStream(at.stream!, spec, place, bytes(at), ms(at));
    return CONTINUE;
  };
}

const sample = new Sample();

/** A limit for all streams of a key. */
function shared(spec: BandwidthSpec, by: NonNullable<BandwidthSpec['shared']>, place: number, env: Env): Act {
  const { tables, model } = env.worker;
  const table = by.table === '' ? tables.list[model.proxies[env.proxy]!.table]! : tables.named(by.table)!;
  const fetch = compileExpression(by.key, env);
  return at => {
    sample.begin(false);
    if (fetch(at, sample)) limitTogether(at.stream!, spec, place, table, sample);
    return CONTINUE;
  };
}

/** The name in the lines. */
export const SET_BANDWIDTH_LIMIT = 'set-bandwidth-limit';

export const BANDWIDTH_ACTIONS: readonly ActionRow[] = [
  action<Limit>({
    name: SET_BANDWIDTH_LIMIT,
    where: 'TUQR',
    args: '<filter> [limit { <size> | <expression> }] [period { <time> | <expression> }]',
    doc: 'Slows a direction of the stream down.',
    read,
    compile(limit, env) {
      const { filters } = env.worker.frontends[env.proxy] ?? env.worker.backends[env.proxy]!;
      const { spec, place } = filters!.limit(limit.filter)!;
      // `filter-sequence` leaves it out.
      if (place < 0) return () => CONTINUE;
      return spec.shared === null ? own(spec, place, limit, env) : shared(spec, spec.shared, place, env);
    },
    good: ['set-bandwidth-limit slow', 'set-bandwidth-limit slow limit 10k period int(500)'],
    bad: [
      ['set-bandwidth-limit', "'set-bandwidth-limit' expects the name of a filter"],
      ['set-bandwidth-limit slow limit', "'limit' expects a size or an expression: empty value"],
      ['set-bandwidth-limit foo', "there is no bandwidth limitation filter 'foo' in proxy 't'"],
    ],
  }),
];
