/**
 * The responses that `return`, `deny` and `tarpit` give (manual 4.4, `return`): an error page, a file, a text, a format.
 *
 *     status 403 content-type text/plain string "no" hdr x-why rules
 */
import type { Cursor } from '../config/cursor.ts';
import type { ErrorPageReset } from '../config/draft.ts';
import type { Context } from '../config/keyword.ts';
import type { ErrorPage } from '../config/model.ts';
import { ERROR_STATUSES, type ErrorFile, parseErrorFile } from '../http/errors.ts';
import { headerIdOf } from '../http/names.ts';
import { statusReason } from '../http/reasons.ts';
import { type Field, reply } from '../http/reply.ts';
import { errorReply } from '../proxy/errors.ts';
import { Reply } from '../proxy/reply.ts';
import { type Env, Standpoint } from '../sample/context.ts';
import { atCondition, type RuleDraft } from './action.ts';
import { compileText, type Format, oneLine, readFormat, ruleFormat } from './format.ts';
import { isFraming } from './framing.ts';

/** Statuses whose responses have no payload (RFC 9110 6.4.1). */
const BODILESS = [204, 304];

/** What the response is made of. */
type Content =
  /** The proxy's page for the status. */
  | { readonly kind: 'default' }
  /** A page of an `http-errors` section. */
  | { readonly kind: 'errorfiles'; readonly section: string }
  /** A whole response. */
  | { readonly kind: 'errorfile'; readonly file: ErrorFile }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'format'; readonly format: Format };

export interface ReplySpec {
  readonly status: number;
  readonly content: Content;
  /** '' = none. */
  readonly contentType: string;
  /** Names in lower case, values as formats. */
  readonly headers: readonly (readonly [name: string, format: Format])[];
}

/** A reply while its words are read. */
interface ReplyDraft {
  /** Nothing was said but `deny_status`. */
  bare: boolean;
  status: number;
  content: Content | null;
  contentType: string;
  headers: [string, Format][];
}

type Option = (cursor: Cursor, draft: ReplyDraft, rule: RuleDraft, context: Context) => boolean;

const STATUS: Option = (cursor, draft) => {
  const status = cursor.expectInt('status', { min: 200, max: 599 });
  if (status !== null) draft.status = status;
  return status !== null;
};

/** The kinds of content exclude each other. */
function content(read: (...args: Parameters<Option>) => Content | null): Option {
  return (cursor, draft, rule, context) => {
    const name = cursor.current.text;
    if (draft.content !== null) {
      cursor.error(`'${name}' is not possible here: the content of the response is given already`);
      return false;
    }
    draft.content = read(cursor, draft, rule, context);
    return draft.content !== null;
  };
}

function fileOf(cursor: Cursor, { resources }: Context): Uint8Array | null {
  const name = cursor.current.text;
  const word = cursor.expectWord('a file');
  const bytes = word === null ? null : resources.readFile(word.text);
  if (word !== null && bytes === null) cursor.error(`'${name}': error opening file '${word.text}'`);
  return bytes;
}

/** The response in the file `path`; null after reporting. */
export function readErrorFile(cursor: Cursor, path: string, resources: Context['resources']): ErrorFile | null {
  const bytes = resources.readFile(path);
  if (bytes === null) {
    cursor.error(`'errorfile': error opening file '${path}'`);
    return null;
  }
  const file = parseErrorFile(bytes, Number.MAX_SAFE_INTEGER);
  if ('bytes' in file) return file;
  cursor.error(`'errorfile': '${path}' ${file.problem}`);
  return null;
}

/** `status`, unlike `deny_status`, describes a response of one's own. */
const OWN_STATUS: Option = (cursor, draft, rule, context) => {
  draft.bare = false;
  return STATUS(cursor, draft, rule, context);
};

const OPTIONS: Readonly<Record<string, Option>> = {
  status: OWN_STATUS,
  deny_status: STATUS,
  'content-type': (cursor, draft) => {
    const word = cursor.expectWord('a type');
    draft.contentType = word?.text ?? '';
    return word !== null;
  },
  'default-errorfiles': content(() => ({ kind: 'default' })),
  errorfiles: content(cursor => {
    const word = cursor.expectWord("the name of an 'http-errors' section");
    return word === null ? null : { kind: 'errorfiles', section: word.text };
  }),
  errorfile: content((cursor, _draft, _rule, { resources }) => {
    const word = cursor.expectWord('a file');
    const file = word === null ? null : readErrorFile(cursor, word.text, resources);
    return file === null ? null : { kind: 'errorfile', file };
  }),
  file: content((cursor, _draft, _rule, context) => {
    const bytes = fileOf(cursor, context);
    return bytes === null ? null : { kind: 'bytes', bytes };
  }),
  string: content(cursor => {
    const word = cursor.next();
    if (word === null) cursor.error("'string' expects a text");
    return word === null ? null : { kind: 'bytes', bytes: new TextEncoder().encode(word.text) };
  }),
  'lf-file': content((cursor, _draft, rule, context) => {
    const bytes = fileOf(cursor, context);
    if (bytes === null) return null;
    const word = { ...cursor.current, text: new TextDecoder().decode(bytes) };
    const format = ruleFormat(cursor, rule, context, word);
    return format === null ? null : { kind: 'format', format };
  }),
  'lf-string': content((cursor, _draft, rule, context) => {
    const format = readFormat(cursor, rule, context, 'a format');
    return format === null ? null : { kind: 'format', format };
  }),
  hdr: (cursor, draft, rule, context) => {
    const name = cursor.expectWord('a header name');
    const value = name === null ? null : readFormat(cursor, rule, context, 'a format');
    if (name === null || value === null) return false;
    const lower = name.text.toLowerCase();
    if (isFraming(headerIdOf(lower))) cursor.warning(`header '${name.text}' always ignored by the http reply`);
    else draft.headers.push([lower, value]);
    return true;
  },
};

const NAMES = Object.keys(OPTIONS);

/**
 * Reads the description of a response.
 * @param fallback the status when none is given
 * @param page what it is without any other words: the proxy's page, or an empty response
 */
export function readReply(
  cursor: Cursor,
  rule: RuleDraft,
  context: Context,
  fallback: number,
  page: boolean,
): ReplySpec | null {
  const draft: ReplyDraft = { bare: page, status: fallback, content: null, contentType: '', headers: [] };
  while (!atCondition(cursor)) {
    const option = cursor.expectOneOf('an option of the response', NAMES);
    if (option === null || !OPTIONS[option]!(cursor, draft, rule, context)) return null;
  }
  const { status, contentType, headers } = draft;
  if (contentType !== '' && draft.content === null) {
    const why = 'ignored by the http reply because neither errorfile nor payload defined';
    cursor.warning(`content-type '${contentType}' ${why}`);
  }
  const plain = draft.bare && contentType === '' && headers.length === 0;
  const content: Content = draft.content ?? (plain ? { kind: 'default' } : { kind: 'bytes', bytes: new Uint8Array(0) });
  if ((content.kind === 'default' || content.kind === 'errorfiles') && !ERROR_STATUSES.includes(status)) {
    cursor.error(`status code '${status}' not handled by error pages`, `one of ${ERROR_STATUSES.join(', ')}`);
    return null;
  }
  const empty = content.kind === 'bytes' && content.bytes.length === 0;
  if (BODILESS.includes(status) && (content.kind === 'bytes' || content.kind === 'format') && !empty) {
    cursor.error(`No body expected for ${status} responses.`);
    return null;
  }
  if ((content.kind === 'bytes' || content.kind === 'format') && !empty && contentType === '') {
    cursor.error("a content needs its 'content-type'");
    return null;
  }
  return { status, content, contentType: empty ? '' : contentType, headers };
}

/** Gives the response for one stream. */
export type ReplySource = (at: Standpoint) => Reply;

/** The response of a spec: made once if nothing in it depends on the stream. */
export function compileReply(spec: ReplySpec, env: Env): ReplySource {
  const { status, content } = spec;
  if (content.kind === 'default') return ({ stream }) => errorReply(stream!, status);
  if (content.kind === 'errorfile') return constant(new Reply(content.file.bytes, content.file.closes));
  if (content.kind === 'errorfiles') {
    const section = env.worker.model.httpErrors.find(({ name }) => name === content.section)!;
    const page = section.pages.find(p => p.status === status);
    // As HAProxy: a section without the page gives a response without a payload.
    if (page?.content.kind !== 'file') return constant(new Reply(replyWith(status, [], '')));
    const { file } = page.content;
    return constant(new Reply(file.bytes, file.closes, status));
  }
  const body = content.kind === 'bytes' ? content.bytes : compileText(content.format, env);
  const headers = spec.headers.map(([name, format]) => [name, compileText(format, env)] as const);
  const type: readonly Field[] = spec.contentType === '' ? [] : [['content-type', spec.contentType]];
  const make = (at: Standpoint): Reply => {
    // The formats show it.
    if (at.stream !== null) at.stream.status = status;
    // As HAProxy: a header whose format gives nothing is left out.
    const own = headers.map(([name, value]) => [name, oneLine(value(at))] as const).filter(([, value]) => value !== '');
    const bytes = body instanceof Uint8Array ? body : body(at).slice();
    const fields = [
      ...own.filter(field => !saysClose(field)),
      ['content-length', String(bytes.length)],
      ...type,
    ] as const;
    return new Reply(replyWith(status, fields, bytes), own.some(saysClose));
  };
  return spec.headers.length === 0 && body instanceof Uint8Array ? constant(make(NOWHERE)) : make;
}

/** `hdr connection close`: the client's side says so when it closes. */
function saysClose([name, value]: Field): boolean {
  return name === 'connection' && value.toLowerCase() === 'close';
}

/** Nobody looks at it: nothing in the reply depends on the stream. */
const NOWHERE = new Standpoint();

function constant(made: Reply): ReplySource {
  return () => made;
}

/** The page itself, or the section that has it. */
type ErrorPageSpec = ErrorPage | ErrorPageReset | { readonly status: number; readonly section: string };

/** `http-error status <code> ...`: an error page made of what the line says; null after reporting. */
export function readErrorPage(cursor: Cursor, rule: RuleDraft, context: Context): ErrorPageSpec | null {
  if (!cursor.match('status')) {
    cursor.error("'http-error' expects 'status <code>'");
    return null;
  }
  cursor.index--;
  const spec = readReply(cursor, rule, context, 0, false);
  if (spec === null) return null;
  const { status, content } = spec;
  if (!ERROR_STATUSES.includes(status)) {
    cursor.error(`status code '${status}' not handled by error pages`, `one of ${ERROR_STATUSES.join(', ')}`);
    return null;
  }
  if (content.kind === 'errorfile') return { status, content: { kind: 'file', file: content.file } };
  if (content.kind === 'errorfiles') return { status, section: content.section };
  if (content.kind === 'default') return { status, content: null };
  return { status, content: { kind: 'reply', spec } };
}

function replyWith(status: number, fields: readonly Field[], body: Uint8Array | string): Uint8Array {
  return reply(status, fields, body, statusReason(status));
}

/** The `http-errors` section that the data of an action names, and the status of its page; null = none. */
export function errorSection(args: unknown): { readonly section: string; readonly status: number } | null {
  const { content, status = 0 } = (args as Partial<ReplySpec> | null) ?? {};
  return content?.kind === 'errorfiles' ? { section: content.section, status } : null;
}
