/**
 * Arguments of fetches and converters (manual 2.2, 7.3): `name(arg1,arg2)`. An argument ends at a comma or a closing
 * parenthesis outside of quotes; quotes and backslashes work as in the rest of the configuration, once more.
 *
 * A parsed argument is plain data, as it crosses threads: what it refers to (backends, servers) is looked up by name.
 */
import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import { INT64_MAX, INT64_MIN } from './cast.ts';
import type { PatternRef } from './pattern-ref.ts';
import { regexProblem } from './regex.ts';
import { bytesOf } from './sample.ts';
import { parseTarget, parseVariable, type Variable } from './variable.ts';

export type Arg = null | number | bigint | string | Uint8Array | Variable | PatternRef;

export type ArgType =
  | 'str'
  | 'int'
  | 'ipv4'
  | 'mask4'
  | 'ipv6'
  | 'mask6'
  | 'fe'
  | 'be'
  | 'srv'
  | 'usr'
  | 'tab'
  | 'othertab'
  | 'sink'
  | 'reg'
  | 'var'
  | 'target'
  | 'value'
  | 'secret';

export interface ArgSpec {
  readonly name: string;
  readonly type: ArgType;
  readonly optional: boolean;
}

/** A value; `null`: the text is not of this type; or what else is wrong. */
type Read = { readonly value: Arg } | { readonly error: string } | null;

interface TypeRow {
  /** HAProxy's name of the type. */
  readonly noun: string;
  /** A text of this type, and one that is not (null = any text is). */
  readonly sample: string;
  readonly fault: string | null;
  /** Whether nothing at all is a value. */
  readonly empty: boolean;
  readonly read: (text: string) => Read;
}

const ARG_TYPES: Readonly<Record<ArgType, TypeRow>> = {
  str: { noun: 'string', sample: 'x', fault: null, empty: true, read: text => ({ value: text }) },
  int: { noun: 'integer', sample: '1', fault: 'x', empty: false, read: readInteger },
  ipv4: { noun: 'IPv4 address', sample: '127.0.0.1', fault: 'x', empty: false, read: bytes(parseIpv4) },
  mask4: { noun: 'IPv4 mask', sample: '24', fault: 'x', empty: false, read: bytes(readMask4) },
  ipv6: { noun: 'IPv6 address', sample: '::1', fault: 'x', empty: false, read: bytes(parseIpv6) },
  mask6: { noun: 'IPv6 mask', sample: '64', fault: 'x', empty: false, read: bytes(readMask6) },
  fe: { noun: 'frontend', sample: 'f', fault: null, empty: true, read: text => ({ value: text }) },
  be: { noun: 'backend', sample: 'b', fault: null, empty: true, read: text => ({ value: text }) },
  srv: { noun: 'server', sample: 'b/s', fault: null, empty: true, read: text => ({ value: text }) },
  usr: { noun: 'user list', sample: 'u', fault: null, empty: true, read: text => ({ value: text }) },
  tab: { noun: 'table', sample: 't', fault: null, empty: true, read: text => ({ value: text }) },
  othertab: { noun: 'table', sample: 't', fault: null, empty: true, read: text => ({ value: text }) },
  sink: { noun: 'sink', sample: 'stderr', fault: null, empty: true, read: text => ({ value: text }) },
  reg: { noun: 'regex', sample: 'x', fault: null, empty: true, read: readRegex },
  var: { noun: 'variable name', sample: 'txn.x', fault: null, empty: true, read: variableBy(parseVariable) },
  target: { noun: 'variable name', sample: 'txn.x', fault: null, empty: true, read: variableBy(parseTarget) },
  value: { noun: 'string', sample: '1', fault: null, empty: true, read: readValue },
  secret: { noun: 'string', sample: 'MDEyMzQ1Njc4OWFiY2RlZg==', fault: null, empty: true, read: readSecret },
};

/** 64 bits, saturated; a number while it is a safe integer. */
function integerOf(text: string): number | bigint | null {
  if (!/^[+-]?\d+$/.test(text)) return null;
  const number = Number(text);
  if (Number.isSafeInteger(number)) return number === 0 ? 0 : number;
  const exact = BigInt(text.replace(/^\+/, ''));
  return exact > INT64_MAX ? INT64_MAX : exact < INT64_MIN ? INT64_MIN : exact;
}

function readInteger(text: string): Read {
  const value = integerOf(text);
  return value === null ? null : { value };
}

function bytes(parse: (text: string) => Uint8Array | null): TypeRow['read'] {
  return text => {
    const value = parse(text);
    return value === null ? null : { value };
  };
}

/** `24`, or `255.255.255.0`. */
function readMask4(text: string): Uint8Array | null {
  return parseIpv4(text) ?? maskOf(text.trimStart(), 32);
}

function readMask6(text: string): Uint8Array | null {
  return parseIpv6(text) ?? maskOf(text.trimStart(), 128);
}

function maskOf(text: string, bits: number): Uint8Array | null {
  if (!/^\d{1,3}$/.test(text) || Number(text) > bits) return null;
  return Uint8Array.from({ length: bits / 8 }, (_, i) => {
    const ones = Math.min(Math.max(Number(text) - i * 8, 0), 8);
    return 256 - 2 ** (8 - ones);
  });
}

function readRegex(text: string): Read {
  const problem = regexProblem(text);
  return problem === null ? { value: text } : { error: problem };
}

function variableBy(parse: typeof parseVariable): TypeRow['read'] {
  return text => {
    const variable = parse(text);
    return typeof variable === 'string' ? { error: variable } : { value: variable };
  };
}

/** A number or a variable that holds one. Nothing is zero. */
function readValue(text: string): Read {
  if (text === '') return { value: 0 };
  const value = integerOf(text);
  if (value !== null) return { value };
  const variable = parseVariable(text);
  return typeof variable === 'string' ? { error: 'expects an integer or a variable name' } : { value: variable };
}

/** Bytes in base64, or a variable that holds them so. */
function readSecret(text: string): Read {
  const variable = parseVariable(text);
  if (typeof variable !== 'string') return { value: variable };
  if (/^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0) return { value: Buffer.from(text, 'base64') };
  return {
    error: 'failed to parse key : argument needs to be base64 encoded, and can either be a string or a variable',
  };
}

/** `name:str [occ:int] [len:int]`: those in brackets are optional. */
export function argSpecs(text: string): readonly ArgSpec[] {
  return text
    .split(' ')
    .filter(token => token !== '')
    .map(token => {
      const [name, type] = token.replace(/[[\]]/g, '').split(':') as [string, ArgType];
      if (ARG_TYPES[type] === undefined) throw new Error(`sample: no argument type in '${token}'`);
      return { name, type, optional: token.startsWith('[') };
    });
}

/** A text that the argument takes. */
export function sampleArg(spec: ArgSpec): string {
  return ARG_TYPES[spec.type].sample;
}

/** What HAProxy calls arguments of a type. */
export function nounOf(type: ArgType): string {
  return ARG_TYPES[type].noun;
}

/** A text that the argument does not take; null = it takes all. */
export function faultyArg(spec: ArgSpec): { text: string; noun: string } | null {
  const { fault, noun } = ARG_TYPES[spec.type];
  return fault === null ? null : { text: fault, noun };
}

/** What is wrong with an expression, and which characters of it. */
export interface Problem {
  readonly message: string;
  readonly at: number;
  readonly width: number;
}

export interface ArgProblem extends Problem {
  /** 1-based: which argument. */
  readonly position: number;
  /** The arguments are well-formed; what they say is wrong. */
  readonly meaning: boolean;
}

/** `end`: behind the closing parenthesis. */
type ParsedArgs = { readonly args: readonly Arg[]; readonly end: number } | ArgProblem;

/** Reads the argument list that begins at `text[at]`: a parenthesis, or there is none. */
export function parseArgs(text: string, at: number, specs: readonly ArgSpec[]): ParsedArgs {
  const least = specs.filter(spec => !spec.optional).length;
  const open = text[at] === '(';
  if (!open && least === 0) return { args: [], end: at };
  if (open && text[at + 1] === ')' && least === 0) return { args: [], end: at + 2 };
  const args: Arg[] = [];
  let pos = open ? at + 1 : at;
  for (const [i, spec] of specs.entries()) {
    const start = pos;
    const word = open ? readWord(text, pos) : { value: '', end: pos };
    pos = word.end;
    const read = readArg(word.value, spec, i + 1);
    if ('message' in read) return { ...read, at: start, width: Math.max(pos - start, 1), position: i + 1 };
    args.push(read.value);
    if (!open || text[pos] !== ',' || i + 1 === specs.length) break;
    pos++;
  }
  const position = args.length < least ? args.length + 1 : Math.max(args.length, 1);
  const problem = (message: string): ArgProblem => {
    return { message, at: Math.min(pos, text.length), width: 1, position, meaning: false };
  };
  if (args.length < least) {
    const { noun } = ARG_TYPES[specs[args.length]!.type];
    return problem(`missing arguments (got ${args.length}/${least}), type '${noun}' expected`);
  }
  if (!open) return { args, end: pos };
  if (pos >= text.length) return problem("expected ')'");
  if (text[pos] !== ')') return problem(`expected ')' before '${text.slice(pos)}'`);
  return { args, end: pos + 1 };
}

type ReadArg = { readonly value: Arg } | Pick<ArgProblem, 'message' | 'meaning'>;

function readArg(text: string, spec: ArgSpec, position: number): ReadArg {
  const { noun, empty, read } = ARG_TYPES[spec.type];
  // An empty text behind a comma was given; other types have no empty value.
  if (text === '' && spec.optional && (position === 1 || spec.type !== 'str')) return { value: null };
  if (text === '' && !empty) {
    return { message: `expected type '${noun}' at position ${position}, but got nothing`, meaning: false };
  }
  const found = read(text);
  if (found === null) {
    return { message: `failed to parse '${text}' as type '${noun}' at position ${position}`, meaning: false };
  }
  return 'error' in found ? { message: found.error, meaning: true } : found;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };
const ESCAPABLE = ' \t\\"\'';

/** One argument with its quotes and backslashes resolved; `end` is at the comma or parenthesis behind it. */
function readWord(text: string, start: number): { value: string; end: number } {
  let value = '';
  let quote = '';
  let at = start;
  for (; at < text.length; at++) {
    const c = text[at]!;
    const next = text[at + 1];
    if (c === quote) quote = '';
    else if (quote === '' && (c === '"' || c === "'")) quote = c;
    else if (quote === '' && (c === ',' || c === ')')) break;
    else if (
      c === '\\' &&
      quote !== "'" &&
      next !== undefined &&
      (ESCAPABLE.includes(next) || Object.hasOwn(ESCAPES, next))
    ) {
      value += ESCAPES[next] ?? next;
      at++;
    } else value += c;
  }
  return { value, end: at };
}

/** The arguments as a row's `make` reads them: by place, with what to take when there is none. */
export class Args {
  readonly list: readonly Arg[];

  constructor(list: readonly Arg[]) {
    this.list = list;
  }

  has(i: number): boolean {
    const arg = this.list[i];
    return arg !== undefined && arg !== null;
  }

  /** As a number; 64-bit ones that are no safe integers are rounded. */
  int(i: number, otherwise = 0): number {
    const arg = this.list[i];
    return typeof arg === 'number' || typeof arg === 'bigint' ? Number(arg) : otherwise;
  }

  text(i: number, otherwise = ''): string {
    const arg = this.list[i];
    return typeof arg === 'string' ? arg : otherwise;
  }

  /** A text as the bytes it stands for, or bytes. */
  bytes(i: number): Uint8Array {
    const arg = this.list[i];
    return arg instanceof Uint8Array ? arg : bytesOf(typeof arg === 'string' ? arg : '');
  }

  variable(i: number): Variable | null {
    const arg = this.list[i];
    return typeof arg === 'object' && arg !== null && 'scope' in arg ? arg : null;
  }

  patterns(i: number): PatternRef {
    return this.list[i] as PatternRef;
  }
}
