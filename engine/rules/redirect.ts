/** Redirects (manual 4.2, `redirect`): where to, with which code, and which cookie goes along. */
import type { Cursor } from '../config/cursor.ts';
import { type Field, redirect } from '../http/reply.ts';
import { UriParts } from '../http/uri.ts';
import { H_HOST } from '../http/names.ts';
import { Reply } from '../proxy/errors.ts';
import type { Stream } from '../proxy/stream.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { view } from '../sample/sample.ts';
import { type Act, ANSWERED, atCondition, CONTINUE, type RuleDraft } from './action.ts';
import { answerLocally } from './answers.ts';
import { compileText, readFormat, type Value } from './format.ts';

const TYPES = ['location', 'prefix', 'scheme'] as const;
const CODES = [301, 302, 303, 307, 308];
const FLAGS = ['drop-query', 'append-slash', 'ignore-empty', 'keep-query'] as const;

export interface Redirect {
  readonly type: (typeof TYPES)[number];
  /** A format in http-request and http-response rules, else plain. */
  readonly to: string;
  readonly plain: boolean;
  readonly code: number;
  readonly flags: readonly (typeof FLAGS)[number][];
  /** The whole value of Set-Cookie; '' = none. */
  readonly cookie: string;
  /** `cookie` is a format. */
  readonly cookieFormat: boolean;
}

interface RedirectDraft {
  type: Redirect['type'] | null;
  to: string;
  code: number;
  flags: Redirect['flags'][number][];
  cookie: string;
  cookieFormat: boolean;
}

/** Reads a redirect's words. `redirect` lines know no formats. */
export function readRedirect(cursor: Cursor, rule: RuleDraft): Redirect | null {
  const draft: RedirectDraft = { type: null, to: '', code: 302, flags: [], cookie: '', cookieFormat: false };
  const plain = rule.set.name === 'redirect';
  while (!atCondition(cursor)) {
    if (!readOption(cursor, draft, rule, plain)) return null;
  }
  if (draft.type === null) {
    cursor.error("expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', 'drop-query', 'ignore-empty' or 'append-slash'");
    return null;
  }
  if (rule.set.name === 'response' && draft.type !== 'location') {
    cursor.error(`'${draft.type}' is not possible in a response: only 'location' is`);
    return null;
  }
  return { ...draft, type: draft.type, plain };
}

const OPTIONS = [...TYPES, 'code', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', ...FLAGS] as const;

function readOption(cursor: Cursor, draft: RedirectDraft, rule: RuleDraft, plain: boolean): boolean {
  const option = cursor.expectOneOf('redirect', OPTIONS);
  switch (option) {
    case null:
      return false;
    case 'location':
    case 'prefix':
    case 'scheme': {
      const to = plain ? (cursor.expectWord(option)?.text ?? null) : readFormat(cursor, rule, option);
      Object.assign(draft, { type: option, to });
      return to !== null;
    }
    case 'code': {
      const word = cursor.expectWord('code');
      if (word === null) return false;
      draft.code = Number(word.text);
      if (CODES.includes(draft.code)) return true;
      cursor.error(`'code': unsupported redirect code '${word.text}' (must be one of ${CODES.join(', ')})`);
      return false;
    }
    case 'set-cookie':
    case 'set-cookie-fmt':
    case 'clear-cookie': {
      const word = cursor.expectWord('a cookie');
      if (word === null) return false;
      const clear = option === 'clear-cookie' ? ' Max-Age=0;' : '';
      draft.cookie = `${word.text}; path=/;${clear}`;
      draft.cookieFormat = option === 'set-cookie-fmt';
      return !draft.cookieFormat || checkFormat(cursor, rule, word.text) !== null;
    }
    default:
      draft.flags.push(option);
      return true;
  }
}

export function compileRedirect(spec: Redirect, env: Env): Act {
  const to = spec.plain ? null : compileText(spec.to, env);
  const cookie = spec.cookieFormat ? compileText(spec.cookie, env) : null;
  const place = PLACES[spec.type];
  const ignoreEmpty = spec.flags.includes('ignore-empty');
  return at => {
    const stream = at.stream!;
    const target = to === null ? spec.to : view(to(at)).latin1Slice();
    if (ignoreEmpty && target === '') return CONTINUE;
    const location = place(stream, target, spec.flags).replace(/[\r\n\0]/g, ' ');
    const value = cookie === null ? spec.cookie : view(cookie(at)).latin1Slice();
    const fields: readonly Field[] = value === '' ? [] : [['set-cookie', value]];
    return answerLocally(stream, new Reply(redirect(spec.code, location, fields)));
  };
}

/** The Location for a target. */
type Place = (stream: Stream, target: string, flags: Redirect['flags']) => string;

const PLACES: Readonly<Record<Redirect['type'], Place>> = {
  location(stream, target, flags) {
    const { query } = pathOf(stream);
    if (!flags.includes('keep-query') || query === '') return target;
    return `${target}${target.includes('?') ? '&' : '?'}${query}`;
  },
  prefix(stream, target, flags) {
    return `${target === '/' ? '' : target}${pathAndQuery(stream, flags)}`;
  },
  scheme(stream, target, flags) {
    const head = stream.requestHead;
    const slot = head.find(H_HOST);
    const host = slot < 0 ? '' : view(head.bytesOf(slot)).latin1Slice(head.valueStart[slot], head.valueEnd[slot]);
    return `${target}://${host}${pathAndQuery(stream, flags)}`;
  },
};

function pathAndQuery(stream: Stream, flags: Redirect['flags']): string {
  const { path, query, hasQuery } = pathOf(stream);
  const drop = flags.includes('drop-query');
  const known = path === '' || path === '*' ? '/' : path;
  if (drop) return flags.includes('append-slash') && !known.endsWith('/') ? `${known}/` : known;
  return hasQuery ? `${known}?${query}` : known;
}

const parts = new UriParts();

function pathOf({ requestHead }: Stream): { path: string; query: string; hasQuery: boolean } {
  const { uriBytes, uriStart, uriEnd } = requestHead;
  parts.split(uriBytes, uriStart, uriEnd);
  const text = view(uriBytes);
  const path = text.latin1Slice(parts.pathStart, parts.pathEnd);
  return { path, query: text.latin1Slice(parts.queryStart, parts.queryEnd), hasQuery: parts.hasQuery };
}
