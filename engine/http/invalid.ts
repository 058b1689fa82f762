/**
 * Everything that makes a message invalid: one row each. Parsers return the negated place of the row, so 0 stays free
 * for "need more bytes". What is invalid in a response is always 502 to the client; `status` is for requests.
 */

/** name, status of the answer to the client (HAProxy's), why. */
const ROWS = [
  ['none', 0, 'not an error'],
  ['head-too-large', 400, 'the head is longer than tune.bufsize less tune.maxrewrite'],
  ['too-many-headers', 400, 'more header lines than tune.http.maxhdr allows'],
  ['method', 400, 'the method is not a token (RFC 9110 9.1)'],
  ['target', 400, 'a byte that no request target may hold, or no target at all (RFC 9112 3.2)'],
  ['target-form', 400, 'not origin-form, absolute-form, CONNECT with authority-form or OPTIONS with * (RFC 9112 3.2)'],
  ['authority', 400, 'a bad authority: empty, with user information, or a bad port (RFC 9110 4.2, RFC 9112 3.2.3)'],
  ['version', 400, 'not HTTP/1.x (RFC 9112 2.3)'],
  ['http2-preface', 400, 'the client speaks HTTP/2 with prior knowledge (RFC 9113 3.4)'],
  ['start-line', 400, 'the start line has wrong spaces or does not end with CRLF (RFC 9112 3, 4)'],
  ['status', 400, 'the status is not three digits from 100 to 999 (RFC 9112 4)'],
  ['reason', 400, 'a control byte in the reason phrase (RFC 9112 4)'],
  ['line-end', 400, 'a CR without LF, or an LF without CR (RFC 9112 2.2)'],
  ['name', 400, 'a header name that is empty or not a token (RFC 9110 5.1)'],
  ['name-space', 400, 'white space before the colon or before the first header (RFC 9112 2.2, 5.1)'],
  ['no-colon', 400, 'a header line without a colon (RFC 9112 5)'],
  ['value', 400, 'a control byte in a header value (RFC 9110 5.5)'],
  ['content-length', 400, 'Content-Length is not a number, or is above 2^53 - 1 (RFC 9110 8.6)'],
  ['content-length-differs', 400, 'several Content-Length values that are not the same (RFC 9112 6.3)'],
  ['transfer-encoding', 400, 'Transfer-Encoding does not end with chunked, or has it twice (RFC 9112 6.1, 6.3)'],
  ['transfer-coding', 422, 'a transfer coding other than chunked (RFC 9112 6.1)'],
  ['transfer-encoding-1.0', 400, 'Transfer-Encoding in an HTTP/1.0 message (RFC 9112 6.1)'],
  ['host-missing', 400, 'an HTTP/1.1 request without Host (RFC 9112 3.2)'],
  ['host-repeated', 400, 'more than one Host line (RFC 9112 3.2)'],
  ['host', 400, 'Host is not host[:port] (RFC 9110 7.2)'],
  ['host-differs', 400, 'Host is not the authority of the request target (RFC 9112 3.2.2)'],
  ['payload-1.0', 413, 'an HTTP/1.0 GET, HEAD or DELETE with a payload (h1-accept-payload-with-any-method)'],
  ['websocket-key', 400, 'a WebSocket request without a valid Sec-WebSocket-Key (RFC 6455 4.1)'],
  ['chunk-size', 400, 'a chunk size that is missing, not hexadecimal or above 2^53 - 1 (RFC 9112 7.1)'],
  ['chunk-extension', 400, 'a control byte in a chunk extension, or a chunk line too long (RFC 9112 7.1.1)'],
  ['chunk-line-end', 400, 'a chunk line that does not end with CRLF (RFC 9112 7.1)'],
  ['chunk-end', 400, 'chunk data that is not followed by CRLF (RFC 9112 7.1)'],
  ['trailers-too-large', 400, 'the trailer section is longer than allowed (RFC 9112 7.1.2)'],
  ['trailer', 400, 'an invalid trailer line, or a field that must not be a trailer (RFC 9110 6.5.1)'],
] as const;

type InvalidName = (typeof ROWS)[number][0];

export interface Invalid {
  readonly name: InvalidName;
  readonly status: number;
  readonly doc: string;
}

export const ERRORS: readonly Invalid[] = ROWS.map(([name, status, doc]) => ({ name, status, doc }));

/** The code of an error: its negated place in ERRORS. For constants made at load. */
export function invalid(name: InvalidName): number {
  return -ERRORS.findIndex(row => row.name === name);
}

/** The row of a code that a parser returned (negative). */
export function errorOf(code: number): Invalid {
  return ERRORS[-code]!;
}

/** What each name means. */
export const INVALID_DOC: ReadonlyMap<string, string> = new Map(ERRORS.map(({ name, doc }) => [name, doc]));
