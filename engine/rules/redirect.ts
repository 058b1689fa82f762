/** Redirects (manual 4.2, `redirect`): where to, with which code, and which cookie goes along. */
import type { Cursor } from '../config/cursor.ts';
import type { Context } from '../config/keyword.ts';
import { textOf } from '../http/chars.ts';
import { H_HOST } from '../http/names.ts';
import { type Field, redirect } from '../http/reply.ts';
import { UriParts } from '../http/uri.ts';
import { Reply } from '../proxy/reply.ts';
import type { Stream } from '../proxy/stream.ts';
import type { Env, Standpoint } from '../sample/context.ts';
import { type Act, atCondition, CONTINUE, type RuleDraft } from './action.ts';
import { answerLocally } from './answers.ts';
import { compileText, type Format, harmless, latin1Of, readFormat, ruleFormat } from './format.ts';

const TYPES = ['location', 'prefix', 'scheme'] as const;
const CODES = [301, 302, 303, 307, 308];
const FLAGS = ['drop-query', 'append-slash', 'ignore-empty', 'keep-query'] as const;

export interface Redirect {
  readonly type: (typeof TYPES)[number];
  /** Plain in `redirect` lines, else a format. */
  readonly to: string | Format;
  readonly code: number;
  readonly flags: readonly (typeof FLAGS)[number][];
  /** The value of Set-Cookie up to its attributes; '' = none. */
  readonly cookie: string | Format;
  readonly clearCookie: boolean;
}

interface RedirectDraft {
  type: Redirect['type'] | null;
  to: string | Format;
  code: number;
  flags: Redirect['flags'][number][];
  cookie: string | Format;
  clearCookie: boolean;
}

/** Reads a redirect's words. `redirect` lines know no formats. */
export function readRedirect(cursor: Cursor, rule: RuleDraft, context: Context): Redirect | null {
  const draft: RedirectDraft = { type: null, to: '', code: 302, flags: [], cookie: '', clearCookie: false };
  while (!atCondition(cursor)) {
    if (!readOption(cursor, draft, rule, context)) return null;
  }
  if (draft.type === null) {
    cursor.error(
      "expects 'code', 'prefix', 'location', 'scheme', 'set-cookie', 'clear-cookie', 'drop-query', 'ignore-empty' or 'append-slash'",
    );
    return null;
  }
  if (rule.set.name === 'response' && draft.type !== 'location') {
    cursor.error(`'${draft.type}' is not possible in a response: only 'location' is`);
    return null;
  }
  return { ...draft, type: draft.type };
}

const OPTIONS = [...TYPES, 'code', 'set-cookie', 'set-cookie-fmt', 'clear-cookie', ...FLAGS] as const;

function readOption(cursor: Cursor, draft: RedirectDraft, rule: RuleDraft, context: Context): boolean {
  const option = cursor.expectOneOf('redirect', OPTIONS);
  switch (option) {
    case null:
      return false;
    case 'location':
    case 'prefix':
    case 'scheme': {
      const plain = rule.set.name === 'redirect';
      const to = plain ? (cursor.expectWord(option)?.text ?? null) : readFormat(cursor, rule, context, option);
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
    case 'clear-cookie':
    case 'set-cookie-fmt': {
      const word = cursor.expectWord('a cookie');
      const cookie =
        word !== null && option === 'set-cookie-fmt' ? ruleFormat(cursor, rule, context, word) : word?.text;
      Object.assign(draft, { cookie, clearCookie: option === 'clear-cookie' });
      return cookie != null;
    }
    default:
      draft.flags.push(option);
      return true;
  }
}

export function compileRedirect(spec: Redirect, env: Env): Act {
  const to = textOrFormat(spec.to, env);
  const cookie = textOrFormat(spec.cookie, env);
  const attributes = `; path=/;${spec.clearCookie ? ' Max-Age=0;' : ''}`;
  const place = PLACES[spec.type];
  const ignoreEmpty = spec.flags.includes('ignore-empty');
  return at => {
    const stream = at.stream!;
    const target = to(at);
    if (ignoreEmpty && target === '') return CONTINUE;
    const fields: Field[] = [];
    const name = cookie(at);
    if (name !== '') fields.push(['set-cookie', harmless(`${name}${attributes}`)]);
    const location = harmless(place(stream, target, spec.flags));
    // As in HAProxy, a payload is not waited for: the connection closes.
    return answerLocally(stream, new Reply(redirect(spec.code, location, fields)), stream.requestDone);
  };
}

function textOrFormat(spec: string | Format, env: Env): (at: Standpoint) => string {
  if (typeof spec === 'string') return () => spec;
  const value = compileText(spec, env);
  return at => latin1Of(value(at));
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
    const host = slot < 0 ? '' : textOf(head.bytesOf(slot), head.valueStart[slot], head.valueEnd[slot]);
    return `${target}://${host}${pathAndQuery(stream, flags)}`;
  },
};

function pathAndQuery(stream: Stream, flags: Redirect['flags']): string {
  const { path, query, hasQuery } = pathOf(stream);
  const drop = flags.includes('drop-query');
  const known = path === '' || path === '*' ? '/' : path;
  const kept = hasQuery && !drop ? `${known}?${query}` : known;
  return flags.includes('append-slash') && !kept.endsWith('/') ? `${kept}/` : kept;
}

const parts = new UriParts();

function pathOf({ requestHead }: Stream): { path: string; query: string; hasQuery: boolean } {
  const { uriBytes, uriStart, uriEnd } = requestHead;
  parts.split(uriBytes, uriStart, uriEnd);
  const path = textOf(uriBytes, parts.pathStart, parts.pathEnd);
  return { path, query: textOf(uriBytes, parts.queryStart, parts.queryEnd), hasQuery: parts.hasQuery };
}
