/** Names of variables (manual 2.8): a scope and a name. */

/**
 * proc   the process                                sess   the client's session
 * txn    the stream                                 req    its request, up to the server's answer
 * res    its response                               check  a health check
 */
const OWN = ['proc', 'sess', 'txn', 'req', 'res', 'check'] as const;
/** Those of the stream that has another one work for it. No stream here has such a parent: they can be asked for, and are never set. */
const PARENTS = ['psess', 'ptxn', 'preq', 'pres'] as const;

export const SCOPES = [...OWN, ...PARENTS] as const;
export type Scope = (typeof SCOPES)[number];

export interface Variable {
  readonly scope: Scope;
  readonly name: string;
}

const RULE =
  "A variable name must be start by its scope. The scope can be 'proc', 'sess', 'txn', 'req', 'res' or 'check'";

/** A variable, or what is wrong with the text. */
export function parseVariable(text: string): Variable | string {
  const dot = text.indexOf('.');
  const scope = SCOPES.find(s => s === text.slice(0, Math.max(dot, 0)));
  if (scope === undefined || dot === text.length - 1) return `invalid variable name '${text}'. ${RULE}`;
  const name = text.slice(dot + 1);
  if (name === '') return `invalid variable name '${text}'. ${RULE}`;
  const bad = name.search(/[^A-Za-z0-9_.]/);
  if (bad >= 0) return `invalid syntax at char '${name.slice(bad)}'`;
  return { scope, name };
}

/** A variable that can be set and forgotten, or what is wrong with the text. */
export function parseTarget(text: string): Variable | string {
  const variable = parseVariable(text);
  if (typeof variable === 'string' || !(PARENTS as readonly Scope[]).includes(variable.scope)) return variable;
  return `cannot set nor unset '${text}': it is a variable of the parent stream`;
}
