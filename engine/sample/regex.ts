/**
 * Regular expressions: those of HAProxy are PCRE's, ours are V8's, over bytes as Latin-1 text. What is written otherwise
 * is translated; what V8 lacks (atomic groups, possessive quantifiers, recursion, conditionals) is refused by name.
 *
 * A pattern may not stall a worker: V8's backtracking engine hands over to its linear-time one once it has backtracked
 * too often (`^(a+)+$` on 32 bytes takes milliseconds). Patterns with back references or look-around cannot be handed
 * over, as no linear-time engine knows them: the bound for those is the length of what they are matched with.
 */
import { setFlagsFromString } from 'node:v8';

/** The launcher gives it: set later it would make V8 distrust its compile cache, and the start would be three times slower. */
const LINEAR_FALLBACK = '--enable-experimental-regexp-engine-on-excessive-backtracks';
if (!process.execArgv.includes(LINEAR_FALLBACK)) setFlagsFromString(LINEAR_FALLBACK);

/** POSIX classes inside brackets, and PCRE's escapes, as V8 writes them; without the brackets around. */
const CLASSES: Readonly<Record<string, string>> = {
  alpha: 'a-zA-Z',
  digit: '0-9',
  alnum: 'a-zA-Z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\t-\\r ',
  blank: '\\t ',
  punct: '!-\\/:-@\\[-`{-~',
  xdigit: '0-9A-Fa-f',
  word: '\\w',
  cntrl: '\\x00-\\x1f\\x7f',
  print: ' -~',
  graph: '!-~',
};

/** Escapes that mean something else, or nothing, in V8: [outside of brackets, inside]. */
const ESCAPES: Readonly<Record<string, readonly [string, string | null]>> = {
  A: ['^', null],
  z: ['$', null],
  Z: ['(?=\\n?$)', null],
  s: ['[\\t-\\r ]', '\\t-\\r '],
  S: ['[^\\t-\\r ]', null],
  h: ['[\\t \\xa0]', '\\t \\xa0'],
  H: ['[^\\t \\xa0]', null],
  R: ['(?:\\r\\n|[\\n-\\r])', null],
  N: ['[^\\n]', null],
  a: ['\\x07', '\\x07'],
  e: ['\\x1b', '\\x1b'],
};

interface Translation {
  readonly source: string;
  readonly flags: string;
}

class Untranslatable extends Error {}

const REFUSED: readonly (readonly [RegExp, string])[] = [
  [/^\(\?>/, 'atomic groups'],
  [/^\(\?\|/, 'branch reset groups'],
  [/^\(\?(?:R|\d|&|P>)/, 'recursion'],
  [/^\(\?\(/, 'conditional groups'],
  [/^\(\*/, 'verbs'],
  [/^\\[KGX]/, 'the escapes \\K, \\G and \\X'],
  [/^(?:[*+?]|\{\d+(?:,\d*)?\})\+/, 'possessive quantifiers'],
];

/** One piece of a pattern outside of brackets: [what it looks like, what V8 writes]. */
type Piece = readonly [RegExp, (found: RegExpExecArray) => string];

const PIECES: readonly Piece[] = [
  [/^\(\?#[^)]*\)/, () => ''],
  [/^\(\?P?<([A-Za-z_]\w*)>/, found => `(?<${found[1]}>`],
  [/^\(\?P=(\w+)\)/, found => `\\k<${found[1]}>`],
  [/^\\Q([\s\S]*?)(?:\\E|$)/, found => found[1]!.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')],
  [/^\\x\{([0-9A-Fa-f]{1,2})\}/, found => `\\x${found[1]!.padStart(2, '0')}`],
  [/^\\([\s\S])/, found => ESCAPES[found[1]!]?.[0] ?? found[0]],
  [/^\[\^?\]?(?:\[:\^?\w+:\]|\\[\s\S]|[^\]\\])*\]/, found => bracket(found[0])],
  [/^\./, () => '[^\\n]'],
  // A brace that begins no quantifier stands for itself.
  [/^\{(?!\d+(?:,\d*)?\})/, () => '\\{'],
  [/^[\s\S]/, found => found[0]],
];

/** PCRE's pattern as V8's. Throws Untranslatable. */
function translate(pattern: string): Translation {
  let flags = '';
  let rest = pattern;
  const global = /^\(\?([imsx]+)\)/.exec(rest);
  if (global !== null) {
    flags = [...global[1]!].filter(flag => flag !== 'x').join('');
    if (global[1]!.includes('x')) throw new Untranslatable('the extended syntax (?x)');
    rest = rest.slice(global[0].length);
  }
  let source = '';
  while (rest !== '') {
    for (const [syntax, name] of REFUSED) if (syntax.test(rest)) throw new Untranslatable(name);
    for (const [syntax, write] of PIECES) {
      const found = syntax.exec(rest);
      if (found === null) continue;
      source += write(found);
      rest = rest.slice(found[0].length);
      break;
    }
  }
  return { source, flags };
}

/** A bracket expression with its POSIX classes and PCRE escapes. */
function bracket(text: string): string {
  const open = text.startsWith('[^') ? '[^' : '[';
  const inner = text.slice(open.length, -1).replace(/\[:(\^?)(\w+):\]|\\([\s\S])|[[\]]/g, (all, not, name, escaped) => {
    if (name !== undefined) {
      const set = CLASSES[name];
      if (set === undefined || not === '^') throw new Untranslatable(`the class ${all}`);
      return set;
    }
    if (escaped !== undefined) return ESCAPES[escaped]?.[1] ?? all;
    return `\\${all}`;
  });
  return `${open}${inner}]`;
}

/** The bytes of a pattern, one character each. */
function byBytes(pattern: string): string {
  return Buffer.from(pattern, 'utf8').toString('latin1');
}

/**
 * The regular expression of `pattern`, for text that holds one byte per character.
 * @param flags of V8: `i`, `g`
 * @throws Error when `regexProblem` says so
 */
export function compileRegex(pattern: string, flags = ''): RegExp {
  const translated = translate(byBytes(pattern));
  return new RegExp(translated.source, [...new Set([...flags, ...translated.flags])].join(''));
}

/** What is wrong with a pattern; null = nothing. */
export function regexProblem(pattern: string): string | null {
  try {
    compileRegex(pattern);
    return null;
  } catch (error) {
    const reason =
      error instanceof Untranslatable
        ? `${error.message} are not supported by Sluice's regular expressions`
        : (error as Error).message.replace(/^Invalid regular expression: .*: /, '').toLowerCase();
    return `regex '${pattern}' is invalid (error=${reason})`;
  }
}
