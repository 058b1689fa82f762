/**
 * Conditional expressions (manual 2.4), of `.if`, `.elif` and `-cc`.
 *
 *     or        = and *( "||" and )
 *     and       = term *( "&&" term )
 *     term      = *"!" ( "(" or ")" / integer / predicate )
 *     predicate = name "(" [ argument [ "," argument ] ] ")"
 *
 * Blanks may stand around operators. In arguments every blank counts, quotes and backslashes work as in the rest of
 * the configuration, and an unquoted comma or closing parenthesis ends the argument.
 */
import { getFips } from 'node:crypto';
import { CONDITION_NESTING_MAX } from '../limits.ts';
import {
  compareVersions,
  FEATURES,
  parseVersion,
  RUNTIME_OPTIONS,
  TLS_LIBRARY,
  VERSION,
  type VersionNumbers,
} from '../version.ts';
import type { Environment } from './lexer.ts';

/** `column` is 1-based, in the text that was evaluated. */
export type Evaluation = { readonly value: boolean } | { readonly error: string; readonly column: number };

type Answer = boolean | { readonly error: string };
type Predicate = { readonly args: number; readonly test: (args: readonly string[], env: Environment) => Answer };

/** The numbers of what `VERSION` stands for: `3.4` of `3.4-sluice0.1.0`. */
const CURRENT = parseVersion(VERSION)!;

/** Of the library's version the numbers count, not what its packager has added. */
const OPENSSL = parseVersion(process.versions.openssl.replace(/[^\d.].*/, ''))!;

type Holds = (order: number) => boolean;
const ATLEAST: Holds = order => order >= 0;
const BEFORE: Holds = order => order < 0;

/** Compares a version that is here with the one that is asked for. */
function version(here: VersionNumbers, holds: Holds): Predicate {
  const test: Predicate['test'] = ([text]) => {
    const asked = parseVersion(text!);
    return asked === null ? { error: `invalid version '${text}'` } : holds(compareVersions(here, asked));
  };
  return { args: 1, test };
}

function lookUp(list: readonly (readonly [string, boolean])[], name: string): boolean | undefined {
  return list.find(row => row[0] === name)?.[1];
}

/** Of a library that is not there no version is old or new enough. */
const NOT_HERE: Predicate = { args: 1, test: () => false };

const PREDICATES: Readonly<Record<string, Predicate>> = {
  defined: { args: 1, test: ([name], env) => Object.hasOwn(env, name!) && env[name!] !== undefined },
  feature: { args: 1, test: ([name]) => lookUp(FEATURES, name!) ?? false },
  enabled: { args: 1, test: ([name]) => lookUp(RUNTIME_OPTIONS, name!) ?? { error: `unsupported option '${name}'` } },
  streq: { args: 2, test: ([a, b]) => a === b },
  strneq: { args: 2, test: ([a, b]) => a !== b },
  strstr: { args: 2, test: ([a, b]) => a!.includes(b!) },
  version_atleast: version(CURRENT, ATLEAST),
  version_before: version(CURRENT, BEFORE),
  openssl_version_atleast: version(OPENSSL, ATLEAST),
  openssl_version_before: version(OPENSSL, BEFORE),
  awslc_api_atleast: NOT_HERE,
  awslc_api_before: NOT_HERE,
  ssllib_name_startswith: { args: 1, test: ([name]) => TLS_LIBRARY.startsWith(name!) },
  fips_mode: { args: 0, test: () => getFips() === 1 },
};

/** The names of all predicates, for suggestions. */
export const PREDICATE_NAMES: readonly string[] = Object.keys(PREDICATES);

const ARGUMENT_ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t' };

/** Thrown inside this file only: the way out of the recursion. */
class Failure extends Error {
  readonly at: number;
  constructor(message: string, at: number) {
    super(message);
    this.at = at;
  }
}

class Evaluator {
  readonly #text: string;
  readonly #env: Environment;
  #at = 0;
  #depth = 0;

  constructor(text: string, env: Environment) {
    this.#text = text;
    this.#env = env;
  }

  whole(): boolean {
    this.#skipBlanks();
    if (this.#at === this.#text.length) return false;
    const value = this.#or();
    const rest = this.#text[this.#at];
    if (rest === undefined) return value;
    throw new Failure(`unexpected character '${rest}' at the end of conditional expression '${this.#text}'`, this.#at);
  }

  // Both sides are always evaluated: nothing has an effect, and errors must not hide behind a shortcut.
  #or(): boolean {
    let value = this.#and();
    while (this.#take('||')) value = this.#and() || value;
    return value;
  }

  #and(): boolean {
    let value = this.#term();
    while (this.#take('&&')) value = this.#term() && value;
    return value;
  }

  #term(): boolean {
    const start = this.#at;
    if (this.#depth >= CONDITION_NESTING_MAX) {
      throw new Failure(`conditional expression nested too deep, max is ${CONDITION_NESTING_MAX}`, start);
    }
    this.#depth++;
    const value = this.#take('!') ? !this.#term() : this.#operand(start);
    this.#depth--;
    this.#skipBlanks();
    return value;
  }

  #operand(start: number): boolean {
    if (this.#take('(')) {
      const value = this.#or();
      if (this.#take(')')) return value;
      throw new Failure(`expected ')' after conditional expression '${this.#text.slice(start)}'`, start);
    }
    const integer = this.#match(/[+-]?\d+/y);
    if (integer !== null) return Number(integer) !== 0;
    if (start === this.#text.length) throw new Failure(`conditional expression '${this.#text}' ends too early`, start);
    const name = this.#match(/\w+(?=\()/y);
    if (name === null || !Object.hasOwn(PREDICATES, name)) {
      throw new Failure(`unparsable conditional expression '${this.#text.slice(start)}'`, start);
    }
    const answer = PREDICATES[name]!.test(this.#arguments(name, PREDICATES[name]!.args), this.#env);
    if (typeof answer === 'boolean') return answer;
    throw new Failure(`${answer.error} in predicate '${name}' used in conditional expression`, start);
  }

  /** Exactly `count` arguments with their parentheses. */
  #arguments(name: string, count: number): string[] {
    const start = this.#at++;
    const where = (n: number) => `in argument ${n} of predicate '${name}' used in conditional expression`;
    const args: string[] = [];
    if (count > 0) args.push(this.#argument(where(1)));
    while (args.length < count && this.#text[this.#at] === ',') {
      this.#at++;
      args.push(this.#argument(where(args.length + 1)));
    }
    if (args.length < count) {
      const message = `missing arguments (got ${args.length}/${count}), type 'string' expected ${where(args.length)}`;
      throw new Failure(message, start + 1);
    }
    const c = this.#text[this.#at];
    if (c === undefined) throw new Failure(`expected ')' ${where(1)}`, this.#at);
    if (c !== ')') throw new Failure(`expected ')' before '${this.#text.slice(this.#at)}' ${where(1)}`, this.#at);
    this.#at++;
    return args;
  }

  #argument(where: string): string {
    let value = '';
    let quote = '';
    const start = this.#at;
    for (let c = this.#text[this.#at]; c !== undefined; c = this.#text[++this.#at]) {
      if (c === quote) quote = '';
      else if (quote === '' && (c === '"' || c === "'")) quote = c;
      else if (quote === '' && (c === ',' || c === ')')) return value;
      else if (c === '\\' && quote !== "'") value += this.#escaped();
      else value += c;
    }
    if (quote !== '') throw new Failure(`unmatched quote ${where}`, start);
    return value;
  }

  #escaped(): string {
    const c = this.#text[this.#at + 1];
    if (c === undefined) return '\\';
    if (Object.hasOwn(ARGUMENT_ESCAPES, c)) {
      this.#at++;
      return ARGUMENT_ESCAPES[c]!;
    }
    if (!' \t\\"\'(),'.includes(c)) return '\\';
    this.#at++;
    return c;
  }

  /** Takes `token` and the blanks behind it. */
  #take(token: string): boolean {
    if (!this.#text.startsWith(token, this.#at)) return false;
    this.#at += token.length;
    this.#skipBlanks();
    return true;
  }

  #match(syntax: RegExp): string | null {
    syntax.lastIndex = this.#at;
    const found = syntax.exec(this.#text);
    if (found === null) return null;
    this.#at = syntax.lastIndex;
    return found[0];
  }

  #skipBlanks(): void {
    while (this.#text[this.#at] === ' ' || this.#text[this.#at] === '\t') this.#at++;
  }
}

/** Evaluates an expression whose quotes and variables the lexer has already resolved. Nothing but blanks is false. */
export function evaluateExpression(text: string, env: Environment): Evaluation {
  try {
    return { value: new Evaluator(text, env).whole() };
  } catch (failure) {
    if (failure instanceof Failure) return { error: failure.message, column: failure.at + 1 };
    throw failure;
  }
}
