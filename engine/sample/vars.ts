/**
 * Variables (manual 2.8): values that rules keep. Where they live is their scope:
 *
 *     proc  the process, in all threads (proc-vars.ts)   txn   the stream
 *     sess  the session                                  req   the stream, until the response comes
 *     check  a run of a health check                     res   the stream, from the response on
 *     psess, ptxn, preq, pres: those of a parent stream, which none here has
 *
 * Names stand in the configuration and a value is at most one room long, so what a stream can hold is bounded; `tune.vars.*`
 * bound it further.
 */
import type { Tune } from '../config/global-model.ts';
import type { SampleContext } from './context.ts';
import { type Sample, SINT, STR, type Type } from './sample.ts';
import type { Scope, Variable } from './variable.ts';

export interface Value {
  readonly type: Type;
  readonly int: number;
  readonly wide: bigint | null;
  readonly bytes: Uint8Array;
}

export interface Store {
  get(name: string): Value | undefined;
  has(name: string): boolean;
  set(name: string, value: Value): void;
  delete(name: string): void;
  entries(): Iterable<readonly [string, Value]>;
}

/** What HAProxy counts for a variable, beside the bytes of its text. */
const VARIABLE_BYTES = 80;

export function sizeOf({ type, bytes }: Pick<Value, 'type' | 'bytes'>): number {
  return VARIABLE_BYTES + (type >= STR ? bytes.length : 0);
}

/** The variables of a session or a stream. */
export class OwnStore extends Map<string, Value> implements Store {
  get bytes(): number {
    let sum = 0;
    for (const value of this.values()) sum += sizeOf(value);
    return sum;
  }
}

/** The variables of a stream. Stores are made when the first variable is set. */
export class StreamVars {
  txn: OwnStore | null = null;
  req: OwnStore | null = null;
  res: OwnStore | null = null;

  clear(): void {
    this.txn = this.req = this.res = null;
  }
}

type Find = (ctx: SampleContext, make: boolean) => Store | null;

/** The store of a scope; null when there is none (no stream yet), or none yet and `make` is false. */
const STORES: Readonly<Record<Scope, Find>> = {
  proc: ({ session }) => session.context.procVars,
  sess: ({ session }, make) => {
    if (make) session.vars ??= new OwnStore();
    return session.vars;
  },
  txn: ofStream('txn'),
  req: ofStream('req'),
  res: ofStream('res'),
  check: ({ check }) => check?.vars ?? null,
  ...{ psess: nowhere, ptxn: nowhere, preq: nowhere, pres: nowhere },
};

function nowhere(): null {
  return null;
}

/** Those of the request and of the response are there while it is processed only. */
function ofStream(scope: 'txn' | 'req' | 'res'): Find {
  return ({ stream, response }, make) => {
    if (stream === null || (scope !== 'txn' && response !== (scope === 'res'))) return null;
    if (make) stream.vars[scope] ??= new OwnStore();
    return stream.vars[scope];
  };
}

/** Puts the variable's value into `out`; false when it is not set. */
export function getVar(variable: Variable, ctx: SampleContext, out: Sample): boolean {
  const value = STORES[variable.scope](ctx, false)?.get(variable.name);
  return value !== undefined && putValue(value, out);
}

export function putValue(value: Value, out: Sample): true {
  out.type = value.type;
  out.int = value.int;
  out.wide = value.wide;
  out.bytes = value.bytes;
  out.start = 0;
  out.end = value.bytes.length;
  return true;
}

/** The variables of a scope that are set, by name. */
export function variablesOf(scope: Scope, ctx: SampleContext): Iterable<readonly [string, Value]> {
  return STORES[scope](ctx, false)?.entries() ?? [];
}

/** Keeps a copy of the sample. False when the scope is not there, or full. */
export function setVar(variable: Variable, ctx: SampleContext, sample: Sample): boolean {
  const store = STORES[variable.scope](ctx, true);
  if (store === null) return false;
  const { type, int, wide } = sample;
  const value = { type, int, wide, bytes: sample.copy() };
  const limits = ctx.session.context.model.global.tune;
  if (limits.varsLimited && !hasRoom(variable, ctx, limits, sizeOf(value), store.get(variable.name))) return false;
  store.set(variable.name, value);
  return true;
}

/**
 * Whether the limits of the scope, and of those around it, let a value of `size` bytes in, in the place of `before`. Those
 * of the process count its own variables and those of the session in hand.
 */
function hasRoom(
  { scope }: Variable,
  ctx: SampleContext,
  tune: Tune,
  size: number,
  before: Value | undefined,
): boolean {
  const more = size - (before === undefined ? 0 : sizeOf(before));
  const { session, stream } = ctx;
  const fits = (limit: number, bytes: number): boolean => limit === 0 || bytes + more <= limit;
  let bytes = 0;
  if (scope !== 'proc') {
    bytes += (stream?.vars.req?.bytes ?? 0) + (stream?.vars.res?.bytes ?? 0);
    if ((scope === 'req' || scope === 'res') && !fits(tune.varsReqresBytes, bytes)) return false;
    bytes += stream?.vars.txn?.bytes ?? 0;
    if (scope !== 'sess' && !fits(tune.varsTxnBytes, bytes)) return false;
    bytes += session.vars?.bytes ?? 0;
    if (!fits(tune.varsSessBytes, bytes)) return false;
  }
  bytes += session.context.procVars.size;
  return fits(tune.varsProcBytes, bytes) && fits(tune.varsGlobalBytes, bytes);
}

export function unsetVar(variable: Variable, ctx: SampleContext): void {
  STORES[variable.scope](ctx, false)?.delete(variable.name);
}

/** What a condition looks at: `is` = the variable is set, `now` its value then. */
interface Before {
  /** Variables of the process are there from the start, set or not. */
  readonly exists: boolean;
  readonly is: boolean;
  readonly now: Sample;
}

/** The conditions of `set-var(name,cond...)` (manual 7.3.1). */
const CONDITIONS: Readonly<Record<string, (before: Before, sample: Sample) => boolean>> = {
  ifexists: ({ exists }) => exists,
  ifnotexists: ({ exists }) => !exists,
  ifempty: (_, sample) => isEmpty(sample),
  ifnotempty: (_, sample) => !isEmpty(sample),
  ifset: ({ is }) => is,
  ifnotset: ({ is }) => !is,
  ifgt: (before, sample) => !comparable(before, sample) || valueOf(before.now) > valueOf(sample),
  iflt: (before, sample) => !comparable(before, sample) || valueOf(before.now) < valueOf(sample),
};

/** Only integers can be compared. */
function comparable({ is, now }: Before, sample: Sample): boolean {
  return is && sample.type === SINT && now.type === SINT;
}

function valueOf({ wide, int }: Sample): number | bigint {
  return wide ?? int;
}

/** Numbers and addresses are never empty. */
function isEmpty(sample: Sample): boolean {
  return sample.type >= STR && sample.length === 0;
}

export const VAR_CONDITIONS: readonly string[] = Object.keys(CONDITIONS);

/**
 * Sets the variable if all named conditions hold. False when it did not.
 * @param now scratch: it takes the present value
 */
export function setVarIf(
  variable: Variable,
  conditions: readonly string[],
  ctx: SampleContext,
  sample: Sample,
  now: Sample,
): boolean {
  if (conditions.length > 0) {
    const is = getVar(variable, ctx, now);
    const before = { exists: is || variable.scope === 'proc', is, now };
    for (const name of conditions) if (!CONDITIONS[name]!(before, sample)) return false;
  }
  return setVar(variable, ctx, sample);
}
