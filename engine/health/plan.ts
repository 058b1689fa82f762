/**
 * The steps of a check as functions, made once per check: formats, expressions and patterns. Before it runs, a step finds
 * what it says or expects; where nothing is a format that is always the same.
 */
import type {
  Check,
  CheckStep,
  CheckText,
  CheckValue,
  ExpectStep,
  RequestStep,
  SendStep,
  VariableStep,
} from '../config/check-model.ts';
import { compileText, harmless, latin1Of } from '../rules/format.ts';
import { evaluate } from '../rules/values.ts';
import { cast } from '../sample/cast.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import type { Expression } from '../sample/expression.ts';
import { ANY, Sample, SINT, STR } from '../sample/sample.ts';
import { setVarIf, unsetVar } from '../sample/vars.ts';
import { type Match, matchOf } from './matches.ts';
import { pieceOf } from './protocols.ts';
import type { CheckResponse } from './response.ts';
import type { Verdict } from './statuses.ts';
import { latin1 } from './text.ts';

/** A request with nothing left to evaluate; texts are one character per byte. */
export interface RequestText {
  readonly method: string;
  readonly uri: string;
  readonly version: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
}

type Say = (at: Standpoint, response: CheckResponse) => string;

/** What an expectation needs beside its words. A text instead of a match: why there is none. */
export interface Expectation {
  readonly match: (at: Standpoint) => Match | string;
  readonly onSuccess: Say | null;
  readonly onError: Say | null;
  /** The status code; null = it is not found. */
  readonly code: (at: Standpoint) => number | null;
}

/** What one step does. */
export type Deed =
  | { readonly kind: 'connect' }
  /** null = what there is to send cannot be made. */
  | { readonly kind: 'send'; readonly bytes: (at: Standpoint) => Uint8Array | null }
  | { readonly kind: 'request'; readonly request: (at: Standpoint) => RequestText }
  | { readonly kind: 'variable'; readonly run: (at: Standpoint) => void }
  | ({ readonly kind: 'expect' } & Expectation);

export interface Plan {
  readonly check: Check;
  /** One per step. */
  readonly deeds: readonly Deed[];
}

/**
 * Builds what a check needs once.
 * @param env what its expressions are compiled with
 * @param agent judges an agent's line
 * Throws SyntaxError on a bad regular expression.
 */
export function planCheck(check: Check, env: Env, agent: (line: string) => Verdict): Plan {
  return { check, deeds: check.steps.map(step => deedOf(step, env, agent)) };
}

function deedOf(step: CheckStep, env: Env, agent: (line: string) => Verdict): Deed {
  switch (step.kind) {
    case 'connect':
      return { kind: 'connect' };
    case 'send':
      return { kind: 'send', bytes: sender(step, env) };
    case 'request':
      return { kind: 'request', request: requester(step, env) };
    case 'variable':
      return { kind: 'variable', run: setter(step, env) };
    case 'expect':
      return { kind: 'expect', ...expectation(step, env, agent) };
  }
}

/** A value as text, one character per byte. */
function textOf(value: CheckValue, env: Env): (at: Standpoint) => string {
  if (typeof value !== 'string') {
    const make = compileText(value, env);
    return at => latin1Of(make(at));
  }
  const fixed = latin1(value);
  return () => fixed;
}

function sender({ bytes, hex }: SendStep, env: Env): (at: Standpoint) => Uint8Array | null {
  if (bytes instanceof Uint8Array) return () => bytes;
  const make = compileText(bytes, env);
  if (!hex) return at => make(at).slice();
  return at => {
    const text = latin1Of(make(at));
    return isHex(text) ? Buffer.from(text, 'hex') : null;
  };
}

function isHex(text: string): boolean {
  return /^([0-9a-f]{2})*$/i.test(text);
}

function requester({ method, uri, version, headers, body }: RequestStep, env: Env): (at: Standpoint) => RequestText {
  const target = textOf(uri, env);
  const values = headers.map(([name, value]) => [name, textOf(value, env)] as const);
  const content = textOf(body, env);
  return at => ({
    method,
    uri: harmless(target(at)) || '/',
    version,
    // A header whose value comes to nothing is left out.
    headers: values.map(([name, value]) => [name, harmless(value(at))] as const).filter(([, value]) => value !== ''),
    body: content(at),
  });
}

const text = new Sample();
const now = new Sample();

function setter({ variable, conditions, value }: VariableStep, env: Env): (at: Standpoint) => void {
  if (value === null) return at => unsetVar(variable, at);
  if ('items' in value) {
    const make = compileText(value, env);
    return at => {
      const bytes = make(at);
      text.setStr(bytes, 0, bytes.length);
      setVarIf(variable, conditions, at, text, now);
    };
  }
  const fetch = compileExpression(value, env);
  return at => {
    const sample = evaluate(fetch, at, ANY);
    if (sample !== null) setVarIf(variable, conditions, at, sample, now);
  };
}

function expectation(step: ExpectStep, env: Env, agent: (line: string) => Verdict): Expectation {
  return {
    match: matcher(step, env, agent),
    onSuccess: sayer(step.onSuccess, env),
    onError: sayer(step.onError, env),
    code: step.statusCode === null ? () => null : coder(step.statusCode, env),
  };
}

function sayer(what: CheckText | null, env: Env): Say | null {
  if (what === null) return null;
  if (!('text' in what)) return (_, response) => pieceOf(response.text, what.responseFrom);
  const make = textOf(what.text, env);
  return at => make(at);
}

/** The number that its text begins with, as HAProxy has it: 0 when it begins with none. */
function coder(expression: Expression, env: Env): (at: Standpoint) => number | null {
  const fetch = compileExpression(expression, env);
  return at => {
    const sample = evaluate(fetch, at, STR);
    return sample !== null && cast(sample, SINT) ? sample.int : null;
  };
}

const EMPTY = 'log-format string evaluated to an empty string';
const NOT_HEX = 'Failed to parse hexastring resulting of eval of a log-format string';

function matcher(step: ExpectStep, env: Env, agent: (line: string) => Verdict): Expectation['match'] {
  const { header } = step;
  const name = header?.name ?? '';
  const matchWith = (pattern: string, found: string): Match =>
    matchOf({ ...step, pattern, header: header && { ...header, name: found } }, agent);
  if (typeof step.pattern === 'string' && typeof name === 'string') {
    const match = matchWith(latin1(step.pattern), latin1(name));
    return () => match;
  }
  const makePattern = textOf(step.pattern, env);
  const makeName = textOf(name, env);
  return at => {
    const pattern = makePattern(at);
    const found = makeName(at);
    if ((pattern === '' && step.pattern !== '') || (found === '' && name !== '')) return EMPTY;
    return step.match === 'binary' && !isHex(pattern) ? NOT_HEX : matchWith(pattern, found);
  };
}
