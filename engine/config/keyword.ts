/**
 * What a keyword is: one row of one table. Parsing, `did you mean`, `-dK`, the table of the README and the tests are all
 * derived from the rows, so a keyword that is not a row does not exist, and a row that is wrong fails its own lines.
 */
import type { Cursor } from './cursor.ts';
import type { ProxyDraft, Resources } from './draft.ts';

/**
 * supported  does what HAProxy's manual says
 * accepted   read and checked, but means nothing here; `note` says why
 * later      known and refused by name
 * removed    HAProxy itself refuses it today; `note` says what to write instead
 */
export type Status = 'supported' | 'accepted' | 'later' | 'removed';

/** What a parse function may know beside its line and the draft it fills. */
export interface Context {
  /** The prefix that stood before the keyword; only rows with `negatable` ever see another than ''. */
  readonly prefix: '' | 'no' | 'default';
  /** Letter of the section the line stands in: see `where`. */
  readonly section: string;
  readonly resources: Resources;
  /** The proxies read so far. */
  readonly proxies?: readonly ProxyDraft[];
  /** Whose line it is, where servers stand. */
  readonly owner?: Pick<ProxyDraft, 'name' | 'servers' | 'defaultServer' | 'namedServers'>;
}

/**
 * Reads the words after the keyword's name, reports through the cursor, writes into the draft. Words that it leaves are
 * refused by the caller, if it reported nothing itself.
 */
type Parse<T> = (cursor: Cursor, draft: T, context: Context) => void;

export interface Keyword<T> {
  /** One or more words: `maxconn`, `timeout client`, `http-check disable-on-404`. */
  readonly name: string;
  /** Letters of the sections that take it: Global, Defaults, Frontend, Listen, Backend, Userlist; '' = part of a line. */
  readonly where: string;
  /** Syntax of what follows the name. */
  readonly args: string;
  readonly doc: string;
  readonly status: Status;
  readonly note: string;
  /** `no` and `default` may stand before it. */
  readonly negatable: boolean;
  readonly parse: Parse<T>;
  /** Lines that must parse without a diagnostic. */
  readonly good: readonly string[];
  /** Lines that must fail, and with which message. */
  readonly bad: readonly (readonly [line: string, message: string])[];
}

/** A supported row: what is left out is '' or false. */
export function supported<T>(
  row: Pick<Keyword<T>, 'name' | 'args' | 'doc' | 'parse' | 'good' | 'bad'> &
    Partial<Pick<Keyword<T>, 'where' | 'negatable'>>,
): Keyword<T> {
  return { where: '', negatable: false, status: 'supported', note: '', ...row };
}

/** A row whose words are checked against `args` and then dropped, because of `note`. */
export function accepted<T>(name: string, where: string, args: string, doc: string, note: string): Keyword<T> {
  const lines = [false, true].map(whole => `${name} ${sampleOf(args, whole)}`.trim());
  // In a line of settings another one may follow.
  const open = where === '' || args.includes('...');
  const bad: [string, string][] = open
    ? []
    : [[`${lines[1]} surplus`, `'${name}' cannot handle unexpected argument 'surplus'`]];
  return {
    ...{ name, where, args, doc, note, bad },
    status: 'accepted',
    negatable: true,
    parse: cursor => checkArguments(cursor, name, args),
    good: [...new Set(lines)],
  };
}

/** A row that is known and refused; `why`, where it is not only a matter of time. */
export function later<T>(name: string, where: string, args: string, doc: string, why = ''): Keyword<T> {
  const message = `'${name}' is not supported by Sluice yet${why === '' ? '' : `: ${why}`}`;
  return {
    ...{ name, where, args, doc, note: '', good: [], bad: [[name, message]] },
    status: 'later',
    negatable: true,
    parse: cursor => refuse(cursor, name, message),
  };
}

/** A row that HAProxy once had. `since` is the version that dropped it, `instead` completes "use ...". */
export function removed<T>(name: string, where: string, since: string, instead: string): Keyword<T> {
  const message = `The '${name}' directive is not supported anymore since HAProxy ${since}. Use ${instead} instead`;
  return {
    ...{
      name,
      where,
      args: '...',
      doc: `Gone since HAProxy ${since}.`,
      note: instead,
      good: [],
      bad: [[name, message]],
    },
    status: 'removed',
    negatable: true,
    parse: cursor => refuse(cursor, name, message),
  };
}

/** Reports on the first word of the keyword, which stands just before the cursor, and skips what follows. */
function refuse(cursor: Cursor, name: string, message: string): void {
  const first = cursor.line.words[cursor.index - name.split(' ').length]!;
  cursor.error(message, undefined, first);
  cursor.rest();
}

/**
 * Checks words against a syntax text made of `<number>`, `<1..16>`, `<size>`, `<time>`, `<one|of|these>`, `<any-other-name>`, each
 * possibly in brackets (optional), and `...` (anything more). What is left over is the table's business.
 */
function checkArguments(cursor: Cursor, name: string, args: string) {
  for (const token of args.split(' ')) {
    if (token === '') continue;
    if (token === '...') return void cursor.rest();
    const optional = token.startsWith('[');
    if (optional && cursor.left === 0) break;
    const type = token.replace(/^\[?<|>\]?$/g, '');
    if (checkOne(cursor, name, type) === null) return;
  }
}

function checkOne(cursor: Cursor, name: string, type: string): unknown {
  if (type === 'number') return cursor.expectInt(name);
  if (type === 'size') return cursor.expectSize(name);
  if (type === 'time') return cursor.expectTime(name, 'ms');
  const [low, high] = type.split('..').map(Number);
  if (high !== undefined) return cursor.expectInt(name, { min: low!, max: high });
  if (type.includes('|')) return cursor.expectOneOf(name, type.split('|'));
  return cursor.expectWord(name);
}

/** Words that fit a syntax text, those in brackets too if `whole`. */
function sampleOf(args: string, whole: boolean): string {
  const words: string[] = [];
  for (const token of args.split(' ')) {
    if (token === '' || (token.startsWith('[') && !whole)) continue;
    const type = token.replace(/^\[?<|>\]?$/g, '');
    words.push(/^(number|size|time)$/.test(type) ? '10' : type.split(/\.\.|\|/)[0]!);
  }
  return words.join(' ');
}
