/** Actions that change the request line, and the status line of a response. */

import { textOf } from '../http/chars.ts';
import { H_HOST } from '../http/names.ts';
import { statusReason } from '../http/reasons.ts';
import { UriParts } from '../http/uri.ts';
import { errorReply } from '../proxy/errors.ts';
import type { Stream } from '../proxy/stream.ts';
import { compileRegex, regexProblem } from '../sample/regex.ts';
import { expand } from '../sample/replacement.ts';
import { type ActionRow, action, atCondition } from './action.ts';
import { deny, rewritten } from './answers.ts';
import { compileText, type Format, latin1Of, readFormat } from './format.ts';
import { NORMALIZERS } from './normalize.ts';

/** A request target in pieces that make it up again: `before + path + query`. */
interface Target {
  /** Scheme and authority. */
  readonly before: string;
  readonly path: string;
  /** With its `?`; '' = none. */
  readonly query: string;
}

const parts = new UriParts();

function targetOf({ requestHead }: Stream): Target {
  const { uriBytes, uriStart, uriEnd } = requestHead;
  parts.split(uriBytes, uriStart, uriEnd);
  return {
    before: textOf(uriBytes, uriStart, parts.pathStart),
    path: textOf(uriBytes, parts.pathStart, parts.pathEnd),
    query: textOf(uriBytes, parts.pathEnd, uriEnd),
  };
}

/** Gives the request another target; the Host header follows an authority in it (RFC 9112 3.2.2). */
function setTarget({ requestHead }: Stream, target: string): boolean {
  if (!requestHead.setUri(target)) return false;
  const { uriBytes, uriStart, uriEnd } = requestHead;
  parts.split(uriBytes, uriStart, uriEnd);
  const slot = requestHead.find(H_HOST);
  if (parts.authorityStart === parts.authorityEnd || slot < 0) return true;
  return requestHead.setValue(slot, uriBytes.slice(parts.authorityStart, parts.authorityEnd));
}

type Part = 'path' | 'pathq' | 'query' | 'uri';

/** The target with another part. */
const WITH: Readonly<Record<Part, (target: Target, text: string) => string>> = {
  path: ({ before, query }, text) => before + text + query,
  pathq: ({ before }, text) => before + text,
  // An empty one keeps its `?`, but brings none.
  query: ({ before, path, query }, text) => before + path + (text === '' ? query.slice(0, 1) : `?${text}`),
  uri: (_, text) => text,
};

const OF: Readonly<Record<Exclude<Part, 'query'>, (target: Target) => string>> = {
  path: target => target.path,
  pathq: ({ path, query }) => path + query,
  uri: ({ before, path, query }) => before + path + query,
};

function setting(part: Part, doc: string): ActionRow {
  const name = `set-${part}`;
  return action<Format>({
    ...{ name, doc, where: 'Q', args: '<format>' },
    read: (cursor, rule, context) => readFormat(cursor, rule, context, 'a format'),
    compile(format, env) {
      const value = compileText(format, env);
      return at => {
        const stream = at.stream!;
        const text = latin1Of(value(at));
        return rewritten(at, setTarget(stream, WITH[part](targetOf(stream), text)));
      };
    },
    good: [`${name} /x`, `${name} %[path]`],
    bad: [[name, `'${name}' expects a format`]],
  });
}

function replacing(part: Exclude<Part, 'query'>, doc: string): ActionRow {
  const name = `replace-${part}`;
  return action<{ readonly regex: string; readonly format: Format }>({
    ...{ name, doc, where: 'Q', args: '<regex> <format>' },
    read(cursor, rule, context) {
      const word = cursor.expectWord('a regex');
      const problem = word === null ? null : regexProblem(word.text);
      if (problem !== null) cursor.error(problem);
      const format = word === null || problem !== null ? null : readFormat(cursor, rule, context, 'a format');
      return word === null || format === null ? null : { regex: word.text, format };
    },
    compile(args, env) {
      const regex = compileRegex(args.regex);
      const value = compileText(args.format, env);
      return at => {
        const stream = at.stream!;
        const target = targetOf(stream);
        const found = regex.exec(OF[part](target));
        if (found === null) return rewritten(at, true);
        const text = expand(latin1Of(value(at)), found);
        return rewritten(at, setTarget(stream, WITH[part](target, text)));
      };
    },
    good: [`${name} ^/a(/.*)?$ /b\\1`],
    bad: [
      [name, `'${name}' expects a regex`],
      [`${name} x`, "'x' expects a format"],
    ],
  });
}

const SET_METHOD = action<Format>({
  name: 'set-method',
  where: 'Q',
  args: '<format>',
  doc: 'Sends the request with another method. The client gets the answer to its own.',
  read: (cursor, rule, context) => readFormat(cursor, rule, context, 'a format'),
  compile(format, env) {
    const value = compileText(format, env);
    return at => rewritten(at, at.stream!.requestHead.setMethod(value(at)));
  },
  good: ['set-method POST'],
  bad: [['set-method', "'set-method' expects a format"]],
});

/** To the normalizers a fragment is part of what it stands in: those of fragments come first. */
function normalTarget(stream: Stream): Target {
  const { before, path, query } = targetOf(stream);
  const rest = path + query;
  const mark = rest.indexOf('?');
  return mark < 0 ? { before, path: rest, query: '' } : { before, path: rest.slice(0, mark), query: rest.slice(mark) };
}

const NAMES = NORMALIZERS.map(row => row.name);

const NORMALIZE = action<{ readonly name: string; readonly option: boolean }>({
  name: 'normalize-uri',
  where: 'Q',
  args: `{ ${NAMES.join(' | ')} } [full | strict]`,
  doc: 'Brings the request target into a normal form.',
  read(cursor) {
    const name = cursor.expectOneOf('normalize-uri', NAMES);
    if (name === null) return null;
    const { option } = NORMALIZERS.find(row => row.name === name)!;
    if (atCondition(cursor)) return { name, option: false };
    if (option !== '') return cursor.expectOneOf(name, [option]) === null ? null : { name, option: true };
    cursor.error(`'${name}' takes no options`, undefined, cursor.peek()!);
    return null;
  },
  compile({ name, option }) {
    const { part, run } = NORMALIZERS.find(row => row.name === name)!;
    return at => {
      const stream = at.stream!;
      const target = normalTarget(stream);
      const text = part === 'path' ? target.path : part === 'query' ? target.query.slice(1) : OF.uri(target);
      const made = text === '' ? text : run(text, option);
      if (made === null) return deny(at, errorReply(stream, 400));
      if (made === text) return rewritten(at, true);
      return rewritten(at, setTarget(stream, part === 'target' ? made : WITH[part](target, made)));
    };
  },
  good: [
    'normalize-uri path-merge-slashes',
    'normalize-uri path-strip-dotdot full',
    'normalize-uri query-sort-by-name',
  ],
  bad: [
    ['normalize-uri path-strip-dot full', "'path-strip-dot' takes no options"],
    ['normalize-uri path-strip-dotdot strict', "'path-strip-dotdot' expects 'full', not 'strict'"],
  ],
});

const SET_STATUS = action<{ readonly status: number; readonly reason: string }>({
  name: 'set-status',
  where: 'RA',
  args: '<status> [reason <text>]',
  doc: 'Gives the response another status.',
  read(cursor) {
    const status = cursor.expectInt('set-status', { min: 100, max: 999 });
    if (status === null) return null;
    if (!cursor.match('reason')) return { status, reason: statusReason(status) };
    const word = cursor.expectWord('reason');
    return word === null ? null : { status, reason: word.text };
  },
  compile({ status, reason }) {
    return at => {
      const stream = at.stream!;
      const done = stream.responseHead.setStatus(status, reason);
      if (done) stream.status = status;
      return rewritten(at, done);
    };
  },
  good: ['set-status 503', 'set-status 503 reason "Slow Down"'],
  bad: [
    ['set-status', "'set-status' expects an integer between 100 and 999"],
    ['set-status 99', "'set-status' expects an integer between 100 and 999, not '99'"],
  ],
});

export const LINE_ACTIONS: readonly ActionRow[] = [
  SET_METHOD,
  setting('path', 'Sends the request with another path.'),
  setting('pathq', 'Sends the request with another path and query.'),
  setting('query', 'Sends the request with another query.'),
  setting('uri', 'Sends the request with another target.'),
  replacing('path', 'Replaces the path when it matches.'),
  replacing('pathq', 'Replaces path and query when they match.'),
  replacing('uri', 'Replaces the target when it matches.'),
  NORMALIZE,
  SET_STATUS,
];
