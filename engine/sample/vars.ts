/**
 * Variables (manual 2.8): values that rules keep. Where they live is their scope:
 *
 *     proc  the worker: each worker has its own          txn   the stream
 *     sess  the session                                  req   the stream, until the response comes
 *                                                        res   the stream, from the response on
 *
 * Names stand in the configuration and a value is at most one room long, so what a stream can hold is bounded.
 */
import type { SampleContext } from './context.ts';
import { type Sample, SINT, STR, type Type } from './sample.ts';
import type { Scope, Variable } from './variable.ts';

interface Value {
  type: Type;
  int: number;
  wide: bigint | null;
  bytes: Uint8Array;
}

export type Store = Map<string, Value>;

/** The variables of a stream. Stores are made when the first variable is set. */
export class StreamVars {
  txn: Store | null = null;
  req: Store | null = null;
  res: Store | null = null;

  clear(): void {
    this.txn = this.req = this.res = null;
  }
}

const PROCESS: Store = new Map();

type Find = (ctx: SampleContext, make: boolean) => Store | null;

/** The store of a scope; null when there is none (no stream yet), or none yet and `make` is false. */
const STORES: Readonly<Record<Scope, Find>> = {
  proc: () => PROCESS,
  sess: ({ session }, make) => {
    if (make) session.vars ??= new Map();
    return session.vars;
  },
  txn: ofStream('txn'),
  req: ofStream('req'),
  res: ofStream('res'),
  check: () => null,
};

function ofStream(scope: 'txn' | 'req' | 'res'): Find {
  return ({ stream }, make) => {
    if (stream === null) return null;
    if (make) stream.vars[scope] ??= new Map();
    return stream.vars[scope];
  };
}

/** Puts the variable's value into `out`; false when it is not set. */
export function getVar(variable: Variable, ctx: SampleContext, out: Sample): boolean {
  const value = STORES[variable.scope](ctx, false)?.get(variable.name);
  if (value === undefined) return false;
  out.type = value.type;
  out.int = value.int;
  out.wide = value.wide;
  out.bytes = value.bytes;
  out.start = 0;
  out.end = value.bytes.length;
  return true;
}

export function hasVar(variable: Variable, ctx: SampleContext): boolean {
  return STORES[variable.scope](ctx, false)?.has(variable.name) ?? false;
}

/** Keeps a copy of the sample. False when the scope is not there. */
export function setVar(variable: Variable, ctx: SampleContext, sample: Sample): boolean {
  const store = STORES[variable.scope](ctx, true);
  if (store === null) return false;
  const { type, int, wide } = sample;
  store.set(variable.name, { type, int, wide, bytes: sample.copy() });
  return true;
}

export function unsetVar(variable: Variable, ctx: SampleContext): void {
  STORES[variable.scope](ctx, false)?.delete(variable.name);
}

/** The conditions of `set-var(name,cond...)` (manual 7.3.1): `is` = the variable is set, `now` its value then. */
const CONDITIONS: Readonly<Record<string, (is: boolean, sample: Sample, now: Sample) => boolean>> = {
  ifexists: is => is,
  ifnotexists: is => !is,
  ifempty: (_, sample) => isEmpty(sample),
  ifnotempty: (_, sample) => !isEmpty(sample),
  ifset: is => is,
  ifnotset: is => !is,
  ifgt: (is, sample, now) => !comparable(is, sample, now) || now.int > sample.int,
  iflt: (is, sample, now) => !comparable(is, sample, now) || now.int < sample.int,
};

/** Only integers can be compared. */
function comparable(is: boolean, sample: Sample, now: Sample): boolean {
  return is && sample.type === SINT && now.type === SINT;
}

/** Numbers and addresses are never empty. */
function isEmpty(sample: Sample): boolean {
  return sample.type >= STR && sample.length === 0;
}

export const VAR_CONDITIONS: readonly string[] = Object.keys(CONDITIONS);

/** Sets the variable if all named conditions hold. `now` is scratch: it takes the present value. */
export function setVarIf(
  variable: Variable,
  conditions: readonly string[],
  ctx: SampleContext,
  sample: Sample,
  now: Sample,
): void {
  const is = conditions.length > 0 && getVar(variable, ctx, now);
  for (const name of conditions) if (!CONDITIONS[name]!(is, sample, now)) return;
  setVar(variable, ctx, sample);
}
