/** Expressions as functions: compiled once per worker from the model's data. */
import { Args } from './arguments.ts';
import { cast } from './cast.ts';
import type { Convert, Env, Fetch } from './context.ts';
import { CONVERTERS } from './converters.ts';
import { type Call, type Expression, fetchOf } from './expression.ts';
import { mayBeRequest } from './peeked-request.ts';
import { isSeen, type Source } from './points.ts';
import type { Type } from './sample.ts';

/**
 * The function of an expression: finds its value into `out`, false when there is none. The caller has called
 * `out.begin(...)`; as long as `out.more` is set afterwards, the next call gives the next value.
 */
export function compileExpression(expression: Expression, env: Env): Fetch {
  const found = fetchOf(expression);
  const made = found.make(new Args(expression.fetch.args), env);
  const there = isSeen(found.from, 'frontResponse') ? made : gone(made);
  const fetch = OF_REQUEST.includes(found.from) && inTcpMode(env) ? patient(there) : there;
  return compileConverters(expression.converters, fetch, env);
}

/** What the converters make of what `fetch` finds. */
export function compileConverters(converters: readonly Call[], fetch: Fetch, env: Env): Fetch {
  return converters.reduce((before, { name, args }) => {
    const row = CONVERTERS.get(name)!;
    return chain(before, row.in, row.make(new Args(args), env));
  }, fetch);
}

const OF_REQUEST: readonly Source[] = ['request', 'requestHeaders', 'requestBody'];

function inTcpMode({ worker, proxy }: Env): boolean {
  return proxy >= 0 && worker.model.proxies[proxy]!.mode === 'tcp';
}

/** In rules of responses the request has left already, although we still have its head. */
function gone(fetch: Fetch): Fetch {
  return (ctx, out) => !ctx.response && fetch(ctx, out);
}

/** In TCP mode what is not found may still come, as long as the bytes may become a request. */
function patient(fetch: Fetch): Fetch {
  return (ctx, out) => {
    if (fetch(ctx, out)) return true;
    const { stream } = ctx;
    if (stream !== null && !stream.http && !ctx.final && mayBeRequest(stream)) out.mayChange = true;
    return false;
  };
}

function chain(before: Fetch, type: Type, convert: Convert): Fetch {
  return (ctx, out) => before(ctx, out) && cast(out, type) && convert(out, ctx);
}
