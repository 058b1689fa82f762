/** Fetches of parameters and bodies (manual 7.3.6): `url_param`, `req.body` and their kin. */

import type { Slice } from '../balance/balancer.ts';
import { lower } from '../http/chars.ts';
import type { Args } from './arguments.ts';
import { leadingInt } from './cast.ts';
import type { Fetch, SampleContext } from './context.ts';
import { requestHead, responseHead } from './fetches-request.ts';
import { alias, type Extras, type FetchRow, fetch, plain } from './row.ts';
import { type Sample, view } from './sample.ts';

const AMPERSAND = 38;
const EQUALS = 61;
const QUESTION = 63;
const SEMICOLON = 59;

/** Names a parameter, and says where the parameters are. */
class Params {
  readonly #name: Uint8Array;
  readonly #fold: boolean;
  /** What the parameters begin behind, and end at beside `&`; in a body they begin at its start. */
  readonly #delimiter: number;

  constructor(name: Uint8Array, delimiter: number, fold: boolean) {
    this.#name = fold ? name.map(lower) : name;
    this.#delimiter = delimiter;
    this.#fold = fold;
  }

  /** Where the parameters begin in a target: behind the first delimiter; -1 = there are none. */
  begin(bytes: Uint8Array, start: number, end: number): number {
    const at = bytes.indexOf(this.#delimiter, start);
    return at < 0 || at >= end ? -1 : at + 1;
  }

  /** The next value after `out.offset` (counted from `start`) in `bytes[start, end)`. */
  next(bytes: Uint8Array, start: number, end: number, out: Sample): boolean {
    for (let at = start + out.offset; at < end; ) {
      let stop = at;
      while (stop < end && !this.#ends(bytes[stop]!)) stop++;
      let equals = at;
      while (equals < stop && bytes[equals] !== EQUALS) equals++;
      const found = equals < stop && this.#isName(bytes, at, equals);
      at = stop + 1;
      out.offset = at - start;
      if (found) return out.setStr(bytes, equals + 1, stop);
    }
    return false;
  }

  #ends(byte: number): boolean {
    if (byte === AMPERSAND) return true;
    return byte === SEMICOLON || byte === this.#delimiter;
  }

  #isName(bytes: Uint8Array, start: number, end: number): boolean {
    const name = this.#name;
    if (name.length === 0) return true;
    if (end - start !== name.length) return false;
    for (let i = 0; i < name.length; i++) {
      const byte = bytes[start + i]!;
      if ((this.#fold ? lower(byte) : byte) !== name[i]) return false;
    }
    return true;
  }
}

function urlParam(asInt: boolean): (args: Args) => Fetch {
  return args => {
    const params = new Params(args.bytes(0), args.bytes(1)[0] ?? QUESTION, args.text(2) === 'i');
    return (ctx, out) => {
      const head = requestHead(ctx);
      if (head === null) return false;
      const bytes = head.uriBytes;
      const start = params.begin(bytes, head.uriStart, head.uriEnd);
      return start >= 0 && each(params, bytes, start, head.uriEnd, out, asInt);
    };
  };
}

function each(params: Params, bytes: Uint8Array, start: number, end: number, out: Sample, asInt: boolean): boolean {
  out.more = false;
  while (params.next(bytes, start, end, out)) {
    if (asInt && !leadingInt(out)) continue;
    out.more = out.iterate;
    return true;
  }
  return false;
}

/** The payload that has come so far; null = none. */
export function payload(ctx: SampleContext): Slice | null {
  return ctx.stream === null ? null : ctx.stream.client.buffered();
}

/** What came from the server and was not passed on: payload, or in TCP the bytes that are held; null = nothing. */
export function received({ stream }: SampleContext): Slice | null {
  return stream?.serverSide?.buffered() ?? null;
}

function bodyParam(args: Args): Fetch {
  const params = new Params(args.bytes(0), AMPERSAND, args.text(1) === 'i');
  return (ctx, out) => {
    const body = ctx.stream?.http ? payload(ctx) : null;
    return body !== null && each(params, body.bytes, body.start, body.end, out, false);
  };
}

function body(ctx: SampleContext, out: Sample): boolean {
  // In TCP mode what is held is no body.
  if (!ctx.stream?.http || requestHead(ctx) === null) return false;
  out.mayChange = true;
  const slice = payload(ctx);
  return slice === null ? out.setBin(view(NOTHING), 0, 0) : out.setBin(slice.bytes, slice.start, slice.end);
}

function responseBody(ctx: SampleContext, out: Sample): boolean {
  if (responseHead(ctx) === null) return false;
  const slice = ctx.check === null ? received(ctx) : ctx.check.body();
  return slice === null ? out.setBin(view(NOTHING), 0, 0) : out.setBin(slice.bytes, slice.start, slice.end);
}

const NOTHING = new Uint8Array(0);

function bodyLength(ctx: SampleContext, out: Sample): boolean {
  const there = body(ctx, out);
  // A length is a length, also while more comes.
  out.mayChange = false;
  return there && out.setInt(out.length);
}

function bodySize(ctx: SampleContext, out: Sample): boolean {
  const head = requestHead(ctx);
  if (head === null) return false;
  return head.contentLength >= 0 ? out.setInt(head.contentLength) : bodyLength(ctx, out);
}

const FOLD =
  (place: number): NonNullable<Extras['check']> =>
  args => {
    const flag = args[place];
    return flag == null || flag === '' || flag === 'i'
      ? null
      : `'${flag}' is not a valid option. Only 'i' is supported`;
  };

const URL_PARAM: Extras = { check: FOLD(2), good: ['url_param', 'url_param(x)', 'url_param(x,;)', 'url_param(x,?,i)'] };
const urlParamRow = fetch(
  'url_param',
  '[name:str] [delim:str] [i:str]',
  'str',
  'requestHeaders',
  'A parameter of the query.',
  urlParam(false),
  URL_PARAM,
);

export const BODY_FETCHES: readonly FetchRow[] = [
  urlParamRow,
  alias('urlp', urlParamRow),
  fetch(
    'urlp_val',
    '[name:str] [delim:str] [i:str]',
    'sint',
    'requestHeaders',
    'A parameter of the query as an integer.',
    urlParam(true),
    {
      check: FOLD(2),
      good: ['urlp_val', 'urlp_val(x)', 'urlp_val(x,;)'],
    },
  ),
  plain('req.body', 'bin', 'requestBody', 'What has come of the body.', body),
  plain('req.body_len', 'sint', 'requestBody', 'The length of what has come of the body.', bodyLength),
  plain('req.body_size', 'sint', 'requestBody', 'The length of the body as announced.', bodySize),
  fetch('req.body_param', '[name:str] [i:str]', 'str', 'requestBody', 'A parameter of a form in the body.', bodyParam, {
    check: FOLD(1),
    good: ['req.body_param', 'req.body_param(x)', 'req.body_param(x,i)'],
  }),
  plain('res.body', 'bin', 'responseBody', 'What has come of the body.', responseBody),
  plain(
    'res.body_len',
    'sint',
    'responseBody',
    'The length of what has come of the body.',
    (ctx, out) => responseBody(ctx, out) && out.setInt(out.length),
  ),
  plain('res.body_size', 'sint', 'responseBody', 'The length of the body as announced.', (ctx, out) => {
    const head = responseHead(ctx);
    if (head === null) return false;
    return head.contentLength >= 0 ? out.setInt(head.contentLength) : responseBody(ctx, out) && out.setInt(out.length);
  }),
];
