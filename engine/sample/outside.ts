/**
 * Evaluating where there is no traffic, and no worker: `set-var` of the global section and `set var` of the runtime API.
 * Only what looks at internal state is allowed there; what such an expression can ask for is in here.
 */
import type { Model } from '../config/model.ts';
import type { Context } from '../proxy/nouns.ts';
import type { Session } from '../proxy/session.ts';
import { monotonicMs } from '../time.ts';
import type { PatternBooks } from './book.ts';
import { type Env, Standpoint } from './context.ts';
import type { ProcVars } from './proc-vars.ts';

export interface Outside {
  readonly env: Env;
  readonly at: Standpoint;
}

/** `model`: what there is of one. */
export function outside(
  model: { readonly global: Pick<Model['global'], 'tune'>; readonly userlists: Model['userlists'] },
  books: PatternBooks,
  procVars: ProcVars,
): Outside {
  const nothing = {
    model,
    books,
    procVars,
    backends: [],
    frontends: [],
    stopping: false,
    worker: 0,
    io: { now: monotonicMs },
  };
  // No fetch of internal state looks at more of a worker than this.
  const worker = nothing as unknown as Context;
  const session = { context: worker, vars: null } as unknown as Session;
  return { env: { worker, proxy: -1, books, acl: () => null }, at: new Standpoint().atSession(session) };
}
