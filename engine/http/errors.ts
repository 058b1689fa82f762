/** HAProxy's own error responses, byte for byte (2.6 to 3.x), and those that `errorfile` and `errorloc` put in their place. */
import { BODY_UNTIL_CLOSE, responseBody } from './body.ts';
import { latin1, textOf } from './chars.ts';
import { Head } from './head.ts';
import { dropPersistence } from './hop.ts';
import { errorOf } from './invalid.ts';
import { METHOD_OTHER } from './names.ts';
import { parseResponse } from './parse.ts';
import { type ReplyConnection, reasonOf, reply, withConnection } from './reply.ts';
import { maxHeadLength, writeResponseHead } from './write.ts';

/** The sentence that each page shows below its title. 414, 421 and 431 are ours: HAProxy 2.6 has no pages for them. */
const TEXTS: readonly (readonly [status: number, text: string])[] = [
  [200, 'Service ready.'],
  [400, 'Your browser sent an invalid request.'],
  [401, 'You need a valid user and password to access this content.'],
  [403, 'Request forbidden by administrative rules.'],
  [404, 'The resource could not be found.'],
  [405, 'A request was made of a resource using a request method not supported by that resource'],
  [407, 'You need a valid user and password to access this content.'],
  [408, "Your browser didn't send a complete request in time."],
  [410, 'The resource is no longer available and will not be available again.'],
  [413, 'The request entity exceeds the maximum allowed.'],
  [414, 'The request target is longer than this server accepts.'],
  [421, 'Request sent to a non-authoritative server.'],
  [422, 'The server cannot process the contained instructions.'],
  [425, 'Your browser sent early data.'],
  [429, 'You have sent too many requests in a given amount of time.'],
  [431, 'The request header fields are larger than this server accepts.'],
  [500, 'An internal server error occurred.'],
  [501, '.The server does not support the functionality required to fulfill the request.'],
  [502, 'The server returned an invalid or incomplete response.'],
  [503, 'No server is available to handle this request.'],
  [504, "The server didn't respond in time."],
];

/** Statuses that have a page, and that `errorfile` and `errorloc` may name. */
export const ERROR_STATUSES: readonly number[] = TEXTS.map(([status]) => status);

function body(status: number, text: string): string {
  return `<html><body><h1>${status} ${reasonOf(status)}</h1>\n${text}\n</body></html>\n`;
}

const PAGES: ReadonlyMap<number, Uint8Array> = new Map(
  TEXTS.map(([status, text]) => {
    const fields = [
      ['cache-control', 'no-cache'],
      ['content-type', 'text/html'],
    ] as const;
    return [status, reply(status, fields, body(status, text))];
  }),
);

/** After these the connection cannot go on: how much of the request there was is not known. */
export function closesConnection(status: number): boolean {
  return status === 400 || status === 408;
}

const EARLY: ReadonlyMap<number, Uint8Array> = new Map(
  TEXTS.map(([status, text]) => {
    const page = body(status, text);
    const close = closesConnection(status) ? 'Connection: close\r\n' : '';
    const head = `HTTP/1.1 ${status} ${reasonOf(status)}\r\nContent-length: ${page.length}\r\nCache-Control: no-cache\r\n`;
    return [status, latin1(`${head}${close}Content-Type: text/html\r\n\r\n${page}`)];
  }),
);

/** The page of a status (of ERROR_STATUSES) for a request that was understood. */
export function errorPage(status: number, connection: ReplyConnection): Uint8Array {
  return withConnection(PAGES.get(status) ?? PAGES.get(500)!, connection);
}

/**
 * The page for what could not be read as a request: a parse error or `timeout http-request`. HAProxy sends these as they
 * are written in its source, with capitals. The connection closes after it.
 */
export function earlyErrorPage(status: number): Uint8Array {
  return EARLY.get(status) ?? EARLY.get(500)!;
}

/** The response of `errorloc302` and `errorloc303`. */
export function errorLocation(status: 302 | 303, location: string): Uint8Array {
  const fields = [
    ['cache-control', 'no-cache'],
    ['content-length', '0'],
    ['location', location],
  ] as const;
  return reply(status, fields, '');
}

/** 401 of `stats auth` and `http-request auth`; 407 is its form for a request to a proxy. */
export function authRequired(status: 401 | 407, realm: string): Uint8Array {
  const row = TEXTS.find(([known]) => known === status)!;
  const name = status === 401 ? 'www-authenticate' : 'proxy-authenticate';
  const quoted = realm.replace(/["\\]/g, '\\$&');
  const fields = [
    ['cache-control', 'no-cache'],
    ['content-type', 'text/html'],
    [name, `Basic realm="${quoted}"`],
  ] as const;
  return reply(status, fields, body(status, row[1]));
}

/** What an `errorfile` is as a response. */
export interface ErrorFile {
  /** The whole response, without a Connection header; empty = none is sent. */
  readonly bytes: Uint8Array;
  /** The connection closes after it: it says so, or nothing else says where it ends. */
  readonly closes: boolean;
}

/** What an `errorfile` says when it is no response. */
interface BadErrorFile {
  readonly problem: string;
}

/**
 * Makes the contents of an `errorfile` a response to send: lines that end in CRLF, names in lower case, of Connection neither
 * close nor keep-alive. `maxBytes` is `tune.bufsize`.
 */
export function parseErrorFile(file: Uint8Array, maxBytes: number): ErrorFile | BadErrorFile {
  if (file.length > maxBytes) return { problem: `is ${file.length} bytes long, more than tune.bufsize (${maxBytes})` };
  if (file.length === 0) return { bytes: file, closes: true };
  const bytes = file.slice();
  const head = new Head(100, 64);
  const used = parseResponse(head, bytes, 0, bytes.length, { maxHeadBytes: maxBytes, maxHeaders: 100, relaxed: true });
  if (used === 0) return { problem: 'has no empty line after its headers' };
  if (used < 0) return { problem: `is not an HTTP response: ${errorOf(used).doc}` };
  if (head.status < 200) return { problem: `has status ${head.status}, which is not final` };
  if (head.chunked) return { problem: 'has a chunked body' };
  const length = bytes.length - used;
  if (head.contentLength >= 0 && head.contentLength !== length) {
    return { problem: `says Content-Length ${head.contentLength}, but its body is ${length} bytes long` };
  }
  const closes = dropPersistence(head) || responseBody(head, METHOD_OTHER) === BODY_UNTIL_CLOSE;
  const out = new Uint8Array(maxHeadLength(head) + length);
  const at = writeResponseHead(head, out, 0);
  out.set(bytes.subarray(used), at);
  return { bytes: out.slice(0, at + length), closes };
}

/** The status of a response made by `parseErrorFile` or the pages above. */
export function statusOf(response: Uint8Array): number {
  return Number(textOf(response, 9, 12));
}
