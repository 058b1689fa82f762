/** Actions that change header fields. */
import type { Cursor } from '../config/cursor.ts';
import type { Context } from '../config/keyword.ts';
import { followHost } from '../http/authority.ts';
import { latin1, textOf } from '../http/chars.ts';
import { listItemEnd, trimEnd, trimStart } from '../http/fields.ts';
import type { Head } from '../http/head.ts';
import { REMOVED } from '../http/head.ts';
import { H_HOST, H_OTHER, headerIdOf } from '../http/names.ts';
import type { Standpoint } from '../sample/context.ts';
import { compileRegex, regexProblem } from '../sample/regex.ts';
import { expand } from '../sample/replacement.ts';
import { type ActionRow, action, CONTINUE, type RuleDraft } from './action.ts';
import { rewritten } from './answers.ts';
import { compileText, type Format, latin1Of, oneLine, readFormat, type Value } from './format.ts';
import { headOf, isFraming, putFraming, removeFraming } from './framing.ts';

const HTTP = 'QRA';

interface NameAndFormat {
  readonly name: string;
  readonly format: Format;
}

function readNameAndFormat(cursor: Cursor, rule: RuleDraft, context: Context): NameAndFormat | null {
  const name = readName(cursor);
  const format = name === null ? null : readFormat(cursor, rule, context, 'a format');
  return name === null || format === null ? null : { name, format };
}

/** A header name, in lower case as all that leave. */
function readName(cursor: Cursor): string | null {
  const word = cursor.expectWord('a header name');
  if (word === null) return null;
  const bad = /[^!#$%&'*+.^_`|~0-9A-Za-z-]/.exec(word.text);
  if (bad === null) return word.text.toLowerCase();
  cursor.error(`character '${bad[0]}' is not permitted in header name '${word.text}'`);
  return null;
}

/** A header's name, compiled: known names are found by number. */
export class Name {
  readonly bytes: Uint8Array;
  /** It says where the payload ends (framing.ts). */
  readonly framing: boolean;
  readonly isHost: boolean;
  readonly #id: number;

  constructor(name: string) {
    this.bytes = latin1(name);
    this.#id = headerIdOf(name);
    this.framing = isFraming(this.#id);
    this.isHost = this.#id === H_HOST;
  }

  find(head: Head, from = 0): number {
    return this.#id === H_OTHER ? head.findName(this.bytes, from) : head.find(this.#id, from);
  }

  remove(at: Standpoint): void {
    const head = headOf(at);
    if (this.framing) removeFraming(at, this.#id);
    else for (let i = this.find(head); i >= 0; i = this.find(head, i + 1)) head.remove(i);
  }

  /** Puts a header in the place of all of the name. False when that cannot be. */
  set(at: Standpoint, value: Uint8Array): boolean {
    if (this.framing) return putFraming(at, this.#id, value, true);
    this.remove(at);
    return headOf(at).add(this.bytes, value);
  }

  add(at: Standpoint, value: Uint8Array): boolean {
    return this.framing ? putFraming(at, this.#id, value, false) : headOf(at).add(this.bytes, value);
  }
}

/** A target with an authority says what Host says. */
function followed({ response }: Standpoint, { isHost }: Name, head: Head): boolean {
  return !isHost || response || followHost(head);
}

function adding(name: 'add-header' | 'set-header', doc: string): ActionRow {
  const remove = name === 'set-header';
  return action<NameAndFormat>({
    ...{ name, doc, where: HTTP, args: '<name> <format>', read: readNameAndFormat },
    compile(args, env) {
      const header = new Name(args.name);
      const value = compileText(args.format, env);
      return at => {
        // The value is made first: it may be that of the header itself.
        const bytes = value(at);
        const done = remove ? header.set(at, bytes) : header.add(at, bytes);
        return rewritten(at, done && followed(at, header, headOf(at)));
      };
    },
    good: [`${name} X-Foo bar`, `${name} X-Foo "a b %[src]"`],
    bad: [
      [name, `'${name}' expects a header name`],
      [`${name} x`, "'x' expects a format"],
      [`${name} a:b c`, "character ':' is not permitted in header name 'a:b'"],
    ],
  });
}

const MATCHES = ['str', 'beg', 'end', 'sub', 'reg'] as const;
type Match = (typeof MATCHES)[number];

/** Whether a name matches, by method; both in lower case. */
export const NAME_MATCHERS: Readonly<Record<Match, (pattern: string) => (name: string) => boolean>> = {
  str: pattern => name => name === pattern,
  beg: pattern => name => name.startsWith(pattern),
  end: pattern => name => name.endsWith(pattern),
  sub: pattern => name => name.includes(pattern),
  reg: pattern => {
    const regex = compileRegex(pattern, 'i');
    return name => regex.test(name);
  },
};

/** Removes the headers with such names. */
export function removeMatching(at: Standpoint, matches: (name: string) => boolean): void {
  const head = headOf(at);
  for (let i = 0; i < head.count; i++) {
    if (head.source[i] === REMOVED) continue;
    if (!matches(textOf(head.bytesOf(i), head.nameStart[i], head.nameEnd[i]))) continue;
    if (isFraming(head.id[i]!)) removeFraming(at, head.id[i]!);
    else head.remove(i);
  }
}

const DEL_HEADER = action<{ readonly name: string; readonly match: Match }>({
  name: 'del-header',
  where: HTTP,
  args: '<name> [-m { str | beg | end | sub | reg }]',
  doc: 'Removes all headers of a name.',
  read(cursor) {
    const word = cursor.expectWord('a header name');
    if (word === null) return null;
    const match = cursor.match('-m') ? cursor.expectOneOf('a method', MATCHES) : 'str';
    if (match === null) return null;
    const problem = match === 'reg' ? regexProblem(word.text) : null;
    if (problem === null) return { name: match === 'reg' ? word.text : word.text.toLowerCase(), match };
    cursor.error(problem, undefined, word);
    return null;
  },
  compile({ name, match }) {
    if (match === 'str') {
      const header = new Name(name);
      return at => {
        header.remove(at);
        return CONTINUE;
      };
    }
    const matches = NAME_MATCHERS[match](name);
    return at => {
      removeMatching(at, matches);
      return CONTINUE;
    };
  },
  good: ['del-header X-Foo', 'del-header X- -m beg', 'del-header ^x-.*o$ -m reg'],
  bad: [
    ['del-header', "'del-header' expects a header name"],
    ['del-header x -m foo', "'-m' expects 'str', 'beg', 'end', 'sub' or 'reg' as a method, not 'foo'"],
  ],
});

interface Replacing {
  readonly name: string;
  readonly regex: string;
  readonly format: Format;
}

function replacing(name: 'replace-header' | 'replace-value', doc: string): ActionRow {
  const whole = name === 'replace-header';
  return action<Replacing>({
    ...{ name, doc, where: HTTP, args: '<name> <regex> <format>' },
    read(cursor, rule, context) {
      const header = readName(cursor);
      const word = header === null ? null : cursor.expectWord('a regex');
      if (header === null || word === null) return null;
      const problem = regexProblem(word.text);
      if (problem !== null) cursor.error(problem);
      const format = problem === null ? readFormat(cursor, rule, context, 'a format') : null;
      return format === null ? null : { name: header, regex: word.text, format };
    },
    compile(args, env) {
      const header = new Name(args.name);
      const regex = compileRegex(args.regex);
      const value = compileText(args.format, env);
      return at => {
        const head = headOf(at);
        let done = true;
        for (let i = header.find(head); i >= 0; i = header.find(head, i + 1)) {
          const text = textOf(head.bytesOf(i), head.valueStart[i], head.valueEnd[i]);
          const replaced = whole ? replaceIn(text, regex, value, at) : replaceItems(text, regex, value, at);
          if (replaced === text) continue;
          done = (header.framing ? header.set(at, latin1(replaced)) : head.setValue(i, replaced)) && done;
        }
        return rewritten(at, followed(at, header, head) && done);
      };
    },
    good: [`${name} X-Foo ^(.*)$ "\\1 b"`],
    bad: [
      [name, `'${name}' expects a header name`],
      [`${name} x`, "'x' expects a regex"],
      [`${name} x y`, "'y' expects a format"],
    ],
  });
}

/** The whole text is replaced when some part of it matches. */
function replaceIn(text: string, regex: RegExp, value: Value, at: Standpoint): string {
  const found = regex.exec(text);
  return found === null ? text : expand(latin1Of(value(at)), found);
}

/** The same for each item of a list; one that is replaced loses the blanks around it. */
function replaceItems(text: string, regex: RegExp, value: Value, at: Standpoint): string {
  const bytes = latin1(text);
  let out = '';
  for (let start = 0; start <= bytes.length; ) {
    const end = listItemEnd(bytes, start, bytes.length);
    const from = trimStart(bytes, start, end);
    const to = trimEnd(bytes, from, end);
    const item = text.slice(from, to);
    const replaced = replaceIn(item, regex, value, at);
    out += replaced === item ? text.slice(start, end) : replaced;
    if (end < bytes.length) out += ',';
    start = end + 1;
  }
  return out;
}

const EARLY_HINT = action<NameAndFormat>({
  name: 'early-hint',
  where: 'Q',
  args: '<name> <format>',
  doc: 'Sends a 103 response with a header before the real one (RFC 8297).',
  read: readNameAndFormat,
  compile({ name, format }, env, next) {
    const value = compileText(format, env);
    // Rules one after the other make one response; one with a condition may not come, and begins its own.
    const more = next?.action === 'early-hint' && next.condition === null;
    return at => {
      const stream = at.stream!;
      stream.hints += `${name}: ${oneLine(value(at))}\r\n`;
      if (more) return CONTINUE;
      const hint = latin1(`HTTP/1.1 103 Early Hints\r\n${stream.hints}\r\n`);
      stream.hints = '';
      if (stream.requestHead.version === 1) stream.client.write(hint, 0, hint.length);
      return CONTINUE;
    };
  },
  good: ['early-hint Link "</style.css>; rel=preload; as=style"'],
  bad: [['early-hint Link', "'Link' expects a format"]],
});

export const HEADER_ACTIONS: readonly ActionRow[] = [
  adding('add-header', 'Adds a header at the end.'),
  adding('set-header', 'Puts a header in the place of all of its name.'),
  DEL_HEADER,
  replacing('replace-header', 'Replaces the value of each header that matches.'),
  replacing('replace-value', 'Replaces each value of a list that matches.'),
  EARLY_HINT,
];
