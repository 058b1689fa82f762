/** Reads ACLs from configuration lines; what is wrong is said in HAProxy's words, and the place marked. */
import type { Cursor } from '../config/cursor.ts';
import type { Resources } from '../config/draft.ts';
import { didYouMean } from '../config/suggest.ts';
import type { Word } from '../config/words.ts';
import type { AclDraft, AclTest } from './acl.ts';
import { castable } from './cast.ts';
import { type Expression, fetchOf, parseExpression, partOf, typeOfExpression } from './expression.ts';
import { FETCHES } from './fetches.ts';
import { defaultMatch, MATCH_METHODS, type MatchMethod, type MatchName, matchMethod } from './pattern.ts';
import { addHead, addUse, eachEntry, ownPatterns, type PatternRef, readPatternFile } from './pattern-ref.ts';
import type { FetchRow } from './row.ts';
import { view } from './sample.ts';

/** Fetches that have ACL keywords of their own: `path` gives `path_beg`, `path_dir` ... */
const FAMILIES = [
  'base',
  'cook',
  'hdr',
  'path',
  'req.cook',
  'req.hdr',
  'res.cook',
  'res.hdr',
  'scook',
  'shdr',
  'url',
  'urlp',
];
const SUFFIXES: readonly MatchName[] = ['beg', 'dir', 'dom', 'end', 'len', 'reg', 'sub'];

/** All names that an ACL may begin with, beside the fetches'. */
export const ACL_KEYWORDS: ReadonlyMap<string, { fetch: FetchRow; match: MatchName }> = new Map(
  FAMILIES.flatMap(family => {
    // In ACLs `hdr` is the request's, wherever it stands.
    const fetch = FETCHES.get(family === 'hdr' ? 'req.hdr' : family)!;
    const exact = family === 'hdr' ? [['hdr', { fetch, match: 'str' }] as const] : [];
    return [...exact, ...SUFFIXES.map(match => [`${family}_${match}`, { fetch, match }] as const)];
  }),
);

const NO_PATTERN =
  'no pattern to match against were provided, so this ACL will never match.\n' +
  "  If this is what you intended, please add '--' to get rid of this warning.\n" +
  "  If you intended to match only for existence, please use '-m found'.\n" +
  "  If you wanted to force an int to match as a bool, please use '-m bool'.";

/** Reads the words of one test. */
class TestReader {
  readonly #cursor: Cursor;
  readonly #resources: Resources;
  readonly #words: readonly Word[];
  #at = 0;
  #fold = false;
  #pairs = false;
  #noResolve = false;
  #given = false;
  /** `-u`; -1 = it is counted. */
  #id = -1;
  readonly #files: PatternRef[] = [];

  /** `words`: from the expression on. */
  constructor(cursor: Cursor, resources: Resources, words: readonly Word[]) {
    this.#cursor = cursor;
    this.#resources = resources;
    this.#words = words;
  }

  read(): AclTest | null {
    const first = this.#words[0];
    const text = first?.text ?? '';
    const keyword = /^[\w.\-+:]*/.exec(text)![0];
    const expression = this.#expression(first, text, keyword);
    if (expression === null) return null;
    this.#at = 1;
    const own = expression.converters.length === 0 ? ACL_KEYWORDS.get(keyword)?.match : undefined;
    const method = this.#flags(own ?? defaultMatch(typeOfExpression(expression)), expression);
    if (method === null) return null;
    const patterns = this.#patterns(method);
    if (patterns === null) return null;
    if (!method.bare && patterns.length + this.#files.length === 0 && !this.#given) {
      this.#cursor.warning(`parsing acl keyword '${keyword}' :\n  ${NO_PATTERN}`, undefined, first);
    }
    const ref = ownPatterns(this.#resources, this.#id, keyword, patterns);
    if (ref === null) return this.#error('the id is already used', first);
    this.#use(ref, method);
    return { expression, keyword, match: method.name, fold: this.#fold, refs: [...this.#files, ref] };
  }

  /** Null after an error. HAProxy words it otherwise for names that only ACLs have. */
  #expression(first: Word | undefined, text: string, keyword: string): Expression | null {
    const own = ACL_KEYWORDS.has(keyword) || (FAMILIES.includes(keyword) && !keyword.includes('.'));
    const find = (name: string): FetchRow | undefined => ACL_KEYWORDS.get(name)?.fetch ?? FETCHES.get(name);
    const parsed = parseExpression(text, 0, this.#resources, own ? 'ACL keyword' : 'fetch method', find);
    const suffix = ` in ACL expression '${text}'`;
    if (!('message' in parsed)) {
      const { end, expression } = parsed;
      if (end === text.length) return expression;
      return this.#error(`unexpected '${text.slice(end)}'${suffix}`, first && partOf(first, end, text.length - end));
    }
    const { message, at, width } = parsed;
    const hint = parsed.hint ?? (message.startsWith('unknown fetch') ? didYouMean(text, ACL_KEYWORDS.keys()) : null);
    const where = message.startsWith('ACL keyword') ? '' : suffix;
    return this.#error(`${message}${where}`, first && partOf(first, at, width), hint);
  }

  /** Takes the flags; the method that they, or the expression, say. */
  #flags(implied: MatchName | null, expression: Expression): MatchMethod | null {
    let name = implied;
    const files: Word[] = [];
    for (let word = this.#words[this.#at]; word?.text.startsWith('-'); word = this.#words[this.#at]) {
      this.#at++;
      if (word.text === '--') {
        this.#given = true;
        break;
      }
      const next = this.#words[this.#at];
      if (word.text === '-i') this.#fold = true;
      else if (word.text === '-n') this.#noResolve = true;
      else if (word.text === '-M') this.#pairs = true;
      else if (word.text === '-u') {
        this.#at++;
        if (!/^-?\d+$/.test(next?.text ?? '')) return this.#error('the argument of -u must be an integer', next);
        this.#id = Number(next!.text);
      } else if (word.text === '-m') {
        this.#at++;
        if (matchMethod(next?.text ?? '') === null) {
          const hint = didYouMean(
            next?.text ?? '',
            MATCH_METHODS.map(m => m.name),
          );
          return this.#error(`unknown matching method '${next?.text ?? ''}' when parsing ACL expression`, next, hint);
        }
        if (files.length > 0)
          return this.#error("'-m' must only be specified before patterns and files in parsing ACL expression", word);
        name = next!.text as MatchName;
      } else if (word.text === '-f') {
        this.#at++;
        files.push(next ?? { ...word, text: '' });
      } else {
        return this.#error(
          `'${word.text}' is not a valid ACL option. Please use '--' before any pattern beginning with a '-'`,
          word,
        );
      }
    }
    const type = typeOfExpression(expression);
    if (name === null) {
      const message = `matching method must be specified first (using '-m') when using a sample fetch of this type ('${fetchOf(expression).name}')`;
      return this.#error(message, this.#words[0]);
    }
    const method = matchMethod(name)!;
    if (!castable(type, method.type)) {
      return this.#error(
        `matching method '${name}' cannot be used with fetch keyword '${fetchOf(expression).name}'`,
        this.#words[0],
      );
    }
    return files.every(word => this.#file(word, method)) ? method : null;
  }

  #file(word: Word, method: MatchMethod): boolean {
    const file = readPatternFile(this.#resources, word.text, this.#pairs);
    if (typeof file === 'string') {
      this.#error(file, word);
      return false;
    }
    this.#files.push(file);
    if (!this.#use(file, method)) return true;
    let good = true;
    eachEntry(file.bytes, file.pairs, (start, end, _valueStart, _valueEnd, line) => {
      const problem = good && method.checked ? method.problem(view(file.bytes).toString('utf8', start, end)) : null;
      if (problem === null) return;
      good = false;
      this.#error(`${problem} at line ${line} of file '${file.name}'`, word);
    });
    return good;
  }

  /** Notes that this line looks into the reference. False when another line does so in the same way. */
  #use(ref: PatternRef, { name }: MatchMethod): boolean {
    const { file, line } = this.#cursor.line;
    addUse(ref, { by: ref.pairs ? 'map' : 'acl', file, line });
    return addHead(ref, { match: name, fold: this.#fold, output: null });
  }

  /** The patterns behind the flags; null after an error. */
  #patterns(method: MatchMethod): string[] | null {
    const patterns: string[] = [];
    const numeric = method.name === 'int' || method.name === 'len';
    // Only these are versions without an operator.
    let dotted = /^req[._]ssl_ver/.test(this.#words[0]!.text);
    let operator = 'eq';
    for (; this.#at < this.#words.length; this.#at++) {
      const word = this.#words[this.#at]!;
      const { text } = word;
      if (numeric && Object.hasOwn(OPERATORS, text)) {
        operator = text;
        dotted = true;
        continue;
      }
      // Behind an operator it ends no flags, but who wrote it meant that.
      if (numeric && text === '--') continue;
      const pattern = numeric && dotted ? plainNumber(text) : text;
      const problem = method.problem(pattern);
      if (problem === null) patterns.push(numeric ? OPERATORS[operator]!(pattern) : pattern);
      else if (method.name === 'ip' && this.#resolve(text, patterns)) continue;
      else if (numeric && operator !== 'eq' && problem.endsWith('is not a number')) {
        return this.#error(`'${text}' is neither a number nor a supported operator`, word);
      } else return this.#error(problem.replace(pattern, text), word);
    }
    return patterns;
  }

  /** A host name in the place of an address, unless `-n`. */
  #resolve(name: string, patterns: string[]): boolean {
    const found = this.#noResolve || /[:/]/.test(name) ? null : this.#resources.resolve(name);
    if (found?.family !== 4) return false;
    patterns.push(found.bytes.join('.'));
    return true;
  }

  #error(message: string, word: Word | undefined, hint: string | null = null): null {
    this.#cursor.error(message, hint ?? undefined, word ?? this.#cursor.current);
    return null;
  }
}

/** Versions are numbers: `3.1` is 3 x 65536 + 1. */
function plainNumber(text: string): string {
  return text.replace(/(\d+)\.(\d+)/g, (_, high, low) => String(Number(high) * 65_536 + Number(low)));
}

/** A comparison as a range. */
const OPERATORS: Readonly<Record<string, (number: string) => string>> = {
  eq: number => number,
  ge: number => (isRange(number) ? number : `${number}:`),
  gt: number => (isRange(number) ? number : `${Number(number) + 1}:`),
  le: number => (isRange(number) ? number : `:${number}`),
  lt: number => (isRange(number) ? number : `:${Number(number) - 1}`),
};

/** Of ranges an operator says nothing. */
const isRange = (number: string): boolean => /.[:-]|:/.test(number);

/** `acl <name> <expression> ...`: adds the test to the ACL of that name. */
export function readAcl(cursor: Cursor, acls: AclDraft[], resources: Resources) {
  const name = cursor.next();
  if (name === null) return cursor.error("'acl' expects a name and an expression");
  const bad = /[^\w.:-]/.exec(name.text)?.[0];
  if (bad !== undefined) return cursor.error(`character '${bad}' is not permitted in acl name '${name.text}'`);
  if (name.text === 'or') {
    return cursor.error(
      "acl name 'or' will never match. 'or' is used to express a logical disjunction within a condition",
    );
  }
  const test = new TestReader(cursor, resources, cursor.rest()).read();
  if (test === null) return;
  const known = acls.find(acl => acl.name === name.text);
  if (known === undefined) acls.push({ name: name.text, tests: [test] });
  else known.tests.push(test);
}

/** Reads the words of one test, from its expression on; null after an error. */
export function readTest(cursor: Cursor, resources: Resources, words: readonly Word[]): AclTest | null {
  return new TestReader(cursor, resources, words).read();
}
