/** Fetches of start lines (manual 7.3.6): method, target and its parts, versions, status; and what is made of them. */
import { avalanche } from '../balance/hash.ts';
import { latin1 } from '../http/chars.ts';
import type { Head } from '../http/head.ts';
import { H_HOST } from '../http/names.ts';
import { UriParts } from '../http/uri.ts';
import { parseIpv4, parseIpv6 } from '../io/ip.ts';
import type { Fetch, SampleContext } from './context.ts';
import { peekedHead } from './peeked-request.ts';
import { alias, type FetchRow, fetch, plain } from './row.ts';
import { type Sample, view } from './sample.ts';
import { give, ROOM_BYTES, room, SCRATCH } from './scratch.ts';

/** The request's head; null before it came, and in TCP mode where the bytes that are held are no request. */
export function requestHead(ctx: SampleContext): Head | null {
  const { stream } = ctx;
  if (stream === null || stream.refused) return null;
  return stream.http ? stream.requestHead : peekedHead(stream);
}

/** In rules of responses the response's head, else the request's. */
export function eitherHead(ctx: SampleContext): Head | null {
  return ctx.response ? responseHead(ctx) : requestHead(ctx);
}

/** The response's head; null before it came. */
export function responseHead(ctx: SampleContext): Head | null {
  const { stream } = ctx;
  if (ctx.check !== null) return ctx.check.head();
  // `http-after-response` rules see the head of an own response.
  return stream?.http && (stream.responded || stream.lastWord) ? stream.responseHead : null;
}

const parts = new UriParts();

/** Splits the target of the request into `parts`. */
function split(ctx: SampleContext): Head | null {
  const head = requestHead(ctx);
  if (head !== null) parts.split(head.uriBytes, head.uriStart, head.uriEnd);
  return head;
}

/** A fetch of a piece of the target; `from` and `to` look at the parts, and give -1 when there is no such piece. */
function piece(from: (head: Head) => number, to: (head: Head) => number): Fetch {
  return (ctx, out) => {
    const head = split(ctx);
    if (head === null) return false;
    const start = from(head);
    return start >= 0 && out.setStr(head.uriBytes, start, to(head));
  };
}

/** A target without a path (`*`, an authority) has no path. */
const pathStart = (head: Head): number =>
  head.uriBytes[parts.pathStart] === SLASH && parts.pathStart < head.uriEnd ? parts.pathStart : -1;
const pathEnd = (): number => parts.pathEnd;
const uriEnd = (head: Head): number => head.uriEnd;
const queryStart = (): number => (parts.hasQuery ? parts.queryStart : -1);
const queryEnd = (): number => parts.queryEnd;
const SLASH = 47;

/** Path and query of the request line as it came, whatever rules have made of the target since. */
function receivedUri(ctx: SampleContext, out: Sample): boolean {
  const head = requestHead(ctx);
  if (head === null) return false;
  const { bytes, methodEnd, headersStart } = head;
  const start = methodEnd + 1;
  const end = bytes.indexOf(SPACE, start);
  if (end < 0 || end > headersStart) return false;
  parts.split(bytes, start, end);
  const { pathStart } = parts;
  return pathStart < end && bytes[pathStart] === SLASH && out.setStr(bytes, pathStart, end);
}

const SPACE = 32;

function query(withMark: boolean): Fetch {
  if (!withMark) return piece(queryStart, queryEnd);
  return piece(() => (parts.hasQuery ? parts.queryStart - (parts.queryEnd > parts.queryStart ? 1 : 0) : -1), queryEnd);
}

/** Writes the first Host and the path behind one another into a room; the end of it, -1 = neither is there. */
function writeBase(ctx: SampleContext, at: number, withQuery: boolean): number {
  const head = split(ctx);
  if (head === null) return -1;
  let to = at;
  const host = head.find(H_HOST);
  if (host >= 0) to = append(head.bytesOf(host), head.valueStart[host]!, head.valueEnd[host]!, to, at);
  const start = pathStart(head);
  if (start >= 0) to = append(head.uriBytes, start, withQuery ? head.uriEnd : parts.pathEnd, to, at);
  return host < 0 && start < 0 ? -1 : to;
}

/** Copies as much as the room that began at `room` has place for. */
function append(bytes: Uint8Array, start: number, end: number, to: number, from: number): number {
  return to + view(bytes).copy(SCRATCH, to, start, Math.min(end, start + from + ROOM_BYTES - to));
}

function base(withQuery: boolean): Fetch {
  return (ctx, out) => {
    const at = room();
    const end = writeBase(ctx, at, withQuery);
    if (end < 0) return false;
    give(end);
    return out.setStr(SCRATCH, at, end);
  };
}

/** sdbm with full avalanche of host and path: -1 = there are none. */
function baseHash(ctx: SampleContext, withQuery: boolean): number {
  const at = room();
  const end = writeBase(ctx, at, withQuery);
  if (end < 0) return -1;
  let hash = 0;
  for (let i = at; i < end; i++) hash = (Math.imul(hash, 65_599) + SCRATCH[i]!) | 0;
  return avalanche(hash);
}

function hashed(withQuery: boolean): Fetch {
  return (ctx, out) => {
    const hash = baseHash(ctx, withQuery);
    return hash >= 0 && out.setInt(hash);
  };
}

function hashedWithSource(withQuery: boolean): Fetch {
  return (ctx, out) => {
    const source = ctx.session.source();
    const hash = baseHash(ctx, withQuery);
    if (hash < 0 || source === null || source.family === 1) return false;
    const at = room();
    SCRATCH.writeUInt32BE(hash, at);
    SCRATCH.set(source.bytes, at + 4);
    give(at + 4 + source.bytes.length);
    return out.setBin(SCRATCH, at, at + 4 + source.bytes.length);
  };
}

function method(ctx: SampleContext, out: Sample): boolean {
  const head = requestHead(ctx);
  return head !== null && out.setMethod(head.methodId, head.sentMethodBytes, head.sentMethodStart, head.sentMethodEnd);
}

/** The host of an absolute target as an address. */
function urlIp(ctx: SampleContext, out: Sample): boolean {
  const head = split(ctx);
  if (head === null || parts.authorityEnd === parts.authorityStart) return false;
  const authority = view(head.uriBytes).toString('latin1', parts.authorityStart, parts.authorityEnd);
  const [, v6, v4] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(authority) ?? [];
  const bytes = v6 !== undefined ? parseIpv6(v6) : parseIpv4(v4 ?? '');
  return bytes !== null && out.setIp(bytes);
}

function urlPort(ctx: SampleContext, out: Sample): boolean {
  const head = split(ctx);
  if (head === null || parts.authorityEnd === parts.authorityStart) return false;
  const authority = view(head.uriBytes).toString('latin1', parts.authorityStart, parts.authorityEnd);
  const port = /:(\d{1,5})$/.exec(authority);
  return out.setInt(port === null ? 80 : Number(port[1]));
}

const VERSIONS = ['1.0', '1.1'].map(latin1);
const LONG_VERSIONS = ['HTTP/1.0', 'HTTP/1.1'].map(latin1);

function version(headOf: (ctx: SampleContext) => Head | null, texts: readonly Uint8Array[]): Fetch {
  return (ctx, out) => {
    const head = headOf(ctx);
    if (head === null) return false;
    const text = texts[head.version]!;
    return out.setStr(text, 0, text.length);
  };
}

function status(ctx: SampleContext, out: Sample): boolean {
  const head = responseHead(ctx);
  return head !== null && out.setInt(head.status);
}

function serverStatus(ctx: SampleContext, out: Sample): boolean {
  if (ctx.check !== null) return status(ctx, out);
  const received = ctx.stream?.serverStatus ?? 0;
  return received > 0 && out.setInt(received);
}

function txnStatus(ctx: SampleContext, out: Sample): boolean {
  const { stream } = ctx;
  return stream?.http === true && stream.status > 0 && out.setInt(stream.status);
}

const QUERY_OPTION = (args: readonly unknown[]): string | null =>
  args[0] == null || args[0] === 'with_qm' ? null : `'${args[0]}' is not a valid option. Only 'with_qm' is supported`;

export const REQUEST_LINE_FETCHES: readonly FetchRow[] = [
  plain('method', 'meth', 'request', 'The method.', method),
  plain('path', 'str', 'requestHeaders', 'The path, without query.', piece(pathStart, pathEnd)),
  plain('pathq', 'str', 'requestHeaders', 'The path with its query.', piece(pathStart, uriEnd)),
  plain(
    'url',
    'str',
    'requestHeaders',
    'The target as it was received.',
    piece(head => head.uriStart, uriEnd),
  ),
  fetch(
    'query',
    '[option:str]',
    'str',
    'requestHeaders',
    'What is behind the question mark.',
    args => query(args.has(0)),
    {
      check: QUERY_OPTION,
      good: ['query', 'query(with_qm)'],
      bad: [
        ['query(x)', "invalid args in fetch method 'query' : 'x' is not a valid option. Only 'with_qm' is supported"],
      ],
    },
  ),
  plain('url_ip', 'addr', 'requestHeaders', 'The host of an absolute target, an address.', urlIp),
  plain('url_port', 'sint', 'requestHeaders', 'The port of an absolute target, 80 when it has none.', urlPort),
  plain('base', 'str', 'requestHeaders', 'First Host header and path.', base(false)),
  plain('baseq', 'str', 'requestHeaders', 'First Host header, path and query.', base(true)),
  plain('base32', 'sint', 'requestHeaders', 'A hash of base: base,sdbm(1).', hashed(false)),
  plain('base32+src', 'bin', 'requestHeaders', "base32 and the client's address.", hashedWithSource(false)),
  plain('url32', 'sint', 'requestHeaders', 'A hash of first Host header, path and query.', hashed(true)),
  plain('url32+src', 'bin', 'requestHeaders', "url32 and the client's address.", hashedWithSource(true)),
  ...named(
    ['req.ver', 'req_ver'],
    'The version of the request: 1.0, 1.1.',
    'requestHeaders',
    version(requestHead, VERSIONS),
  ),
  ...named(['res.ver', 'resp_ver'], 'The version of the response.', 'responseHeaders', version(responseHead, VERSIONS)),
  plain(
    'capture.req.ver',
    'str',
    'request',
    'The version of the request: HTTP/1.1.',
    version(requestHead, LONG_VERSIONS),
  ),
  plain('capture.res.ver', 'str', 'request', 'The version of the response.', version(responseHead, LONG_VERSIONS)),
  plain('capture.req.method', 'str', 'request', 'The method, at any time.', (ctx, out) => {
    const head = requestHead(ctx);
    return head !== null && out.setStr(head.bytes, head.methodStart, head.methodEnd);
  }),
  plain('capture.req.uri', 'str', 'request', 'The path with its query as received, at any time.', receivedUri),
  plain('status', 'sint', 'response', 'The status of the response.', status),
  plain('server_status', 'sint', 'response', 'The status as the server sent it.', serverStatus),
  plain('txn.status', 'sint', 'request', 'The status, own answers too, as the log shows it.', txnStatus),
  plain(
    'res.comp',
    'bool',
    'response',
    'The response is compressed here.',
    ({ stream }, out) => stream !== null && out.setBool(stream.compression !== null),
  ),
  plain('res.comp_algo', 'str', 'response', 'Name of the algorithm that compresses it.', ({ stream }, out) => {
    const bytes = stream?.compression == null ? null : latin1(stream.compression);
    return bytes !== null && out.setStr(bytes, 0, bytes.length);
  }),
  plain('http_first_req', 'bool', 'request', 'The first request of the connection.', (ctx, out) => {
    return ctx.stream?.http === true && out.setBool(ctx.stream.first);
  }),
  ...named(['req.proto_http', 'req_proto_http'], 'A complete HTTP request is there.', 'request', (ctx, out) => {
    return requestHead(ctx) !== null && out.setBool(true);
  }).map(row => ({ ...row, out: 1 as const })),
];

/** One fetch of text under a name and its older ones. */
function named(names: readonly [string, ...string[]], doc: string, from: FetchRow['from'], run: Fetch): FetchRow[] {
  const [first, ...older] = names;
  const row = plain(first, 'str', from, doc, run);
  return [row, ...older.map(name => alias(name, row))];
}
