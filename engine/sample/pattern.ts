/**
 * Patterns and the ways to match them (manual 7.1): one row per method, which says what samples it takes, how a pattern is
 * read and which structure finds one. The structure gives the number of the pattern found: ACLs only ask whether there is
 * one, maps take the value of that number. Where several match, it is HAProxy's choice: the first in the list, except that
 * prefixes and networks are in trees, where the longest counts.
 */
import { NetworkList, parseNetwork } from './network-list.ts';
import { NumberList, parseRange } from './number-list.ts';
import {
  ALWAYS,
  ExactSet,
  HexSet,
  MethodSet,
  PartSet,
  PrefixSet,
  RegexList,
  SubstringList,
  SuffixSet,
  TRUTH,
} from './pattern-sets.ts';
import { regexProblem } from './regex.ts';
import { ADDR, ANY, BIN, BOOL, bytesOf, METH, type Sample, SINT, STR, type Type } from './sample.ts';

export type MatchName =
  | 'found'
  | 'bool'
  | 'int'
  | 'ip'
  | 'bin'
  | 'len'
  | 'str'
  | 'beg'
  | 'sub'
  | 'dir'
  | 'dom'
  | 'end'
  | 'reg'
  | 'meth';

/** A set of patterns that finds which one a sample matches. */
export interface PatternSet {
  /** The sample has the type that the method wants. Returns the number of a pattern, -1 = none. */
  find(sample: Sample): number;
  /** Takes pattern number `value`, whose text is `bytes[start, end)`. It has been checked. */
  add(bytes: Uint8Array, start: number, end: number, value: number): void;
  /** Forgets pattern number `value`, whose text is that. */
  remove(bytes: Uint8Array, start: number, end: number, value: number): void;
}

export interface MatchMethod {
  readonly name: MatchName;
  /** What samples are cast to. */
  readonly type: Type;
  /** It looks at no patterns. */
  readonly bare: boolean;
  readonly doc: string;
  /** Whether a pattern can be wrong. */
  readonly checked: boolean;
  /** What is wrong with a pattern; null = nothing. HAProxy's words. */
  readonly problem: (text: string) => string | null;
  readonly make: (fold: boolean) => PatternSet;
}

const fine = (): null => null;

export const MATCH_METHODS: readonly MatchMethod[] = [
  {
    ...{ name: 'found', type: ANY, bare: true, doc: 'there is a value' },
    ...{ checked: false, problem: fine, make: () => ALWAYS },
  },
  {
    ...{ name: 'bool', type: BOOL, bare: true, doc: 'the value is true' },
    ...{ checked: false, problem: fine, make: () => TRUTH },
  },
  {
    ...{ name: 'int', type: SINT, bare: false, doc: 'an integer or a range' },
    ...{ checked: true, problem: numberProblem, make: () => new NumberList(sample => sample.int) },
  },
  {
    ...{ name: 'ip', type: ADDR, bare: false, doc: 'an address or a network' },
    ...{ checked: true, problem: ipProblem, make: () => new NetworkList() },
  },
  {
    ...{ name: 'bin', type: BIN, bare: false, doc: 'bytes, in hexadecimal digits' },
    ...{ checked: true, problem: hexProblem, make: () => new HexSet() },
  },
  {
    ...{ name: 'len', type: STR, bare: false, doc: 'the length, as an integer or a range' },
    ...{ checked: true, problem: numberProblem, make: () => new NumberList(sample => sample.end - sample.start) },
  },
  text('str', 'the whole text', fold => new ExactSet(fold)),
  text('beg', 'what the text begins with', fold => new PrefixSet(fold)),
  text('sub', 'what the text has in it', fold => new SubstringList(fold)),
  text('dir', 'parts of the text between slashes and question marks', fold => new PartSet(fold, '/?')),
  text('dom', 'parts of the text between dots, slashes, colons and question marks', fold => new PartSet(fold, './:?')),
  text('end', 'what the text ends with', fold => new SuffixSet(fold)),
  {
    ...{ name: 'reg', type: STR, bare: false, doc: 'a regular expression' },
    ...{ checked: true, problem: regexProblem, make: fold => new RegexList(fold) },
  },
  {
    ...{ name: 'meth', type: METH, bare: false, doc: 'an HTTP method' },
    ...{ checked: false, problem: fine, make: () => new MethodSet() },
  },
];

const BY_NAME = new Map<string, MatchMethod>(MATCH_METHODS.map(method => [method.name, method]));

export function matchMethod(name: string): MatchMethod | null {
  return BY_NAME.get(name) ?? null;
}

/** The method that an expression of this type is matched with when none is given; null = one must be. */
export function defaultMatch(type: Type): MatchName | null {
  if (type === BOOL) return 'bool';
  if (type === SINT) return 'int';
  if (type === STR) return 'str';
  if (type === METH) return 'meth';
  return type === ADDR || type === 4 || type === 5 ? 'ip' : null;
}

function text(name: MatchName, doc: string, make: MatchMethod['make']): MatchMethod {
  return { name, type: STR, bare: false, doc, checked: false, problem: fine, make };
}

function numberProblem(pattern: string): string | null {
  const range = parseRange(pattern);
  if (range === null) return `'${pattern}' is not a number`;
  const [low, high] = range;
  return low > high ? `'${pattern}' is not a valid number range` : null;
}

function ipProblem(pattern: string): string | null {
  return parseNetwork(pattern) === null ? `'${pattern}' is not a valid IPv4 or IPv6 address` : null;
}

function hexProblem(pattern: string): string | null {
  const bad = /[^0-9A-Fa-f]/.exec(pattern);
  if (bad !== null) return `an hex digit is expected (found '${bad[0]}')`;
  return pattern.length % 2 === 1 ? 'an even number of hex digit is expected' : null;
}

/** A set of patterns given in the configuration. */
export function setOf(method: MatchMethod, fold: boolean, patterns: readonly string[]): PatternSet {
  const set = method.make(fold);
  patterns.forEach((pattern, i) => {
    const bytes = bytesOf(pattern);
    set.add(bytes, 0, bytes.length, i);
  });
  return set;
}
