/** Expressions as functions: compiled once per worker from the model's data. */
import { Args } from './arguments.ts';
import { cast } from './cast.ts';
import type { Convert, Env, Fetch } from './context.ts';
import { CONVERTERS } from './converters.ts';
import { type Call, type Expression, fetchOf } from './expression.ts';
import type { Type } from './sample.ts';

/**
 * The function of an expression: finds its value into `out`, false when there is none. The caller has called
 * `out.begin(...)`; as long as `out.more` is set afterwards, the next call gives the next value.
 */
export function compileExpression(expression: Expression, env: Env): Fetch {
  return compileConverters(expression.converters, fetchOf(expression).make(new Args(expression.fetch.args), env), env);
}

/** What the converters make of what `fetch` finds. */
export function compileConverters(converters: readonly Call[], fetch: Fetch, env: Env): Fetch {
  return converters.reduce((before, { name, args }) => {
    const row = CONVERTERS.get(name)!;
    return chain(before, row.in, row.make(new Args(args), env));
  }, fetch);
}

function chain(before: Fetch, type: Type, convert: Convert): Fetch {
  return (ctx, out) => before(ctx, out) && cast(out, type) && convert(out, ctx);
}
