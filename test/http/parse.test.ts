import { describe, expect, test } from 'vitest';
import { latin1, textOf } from '../../engine/http/chars.ts';
import { ERRORS } from '../../engine/http/invalid.ts';
import { METHOD_CONNECT, METHOD_GET, METHOD_OPTIONS, METHOD_OTHER, METHOD_POST } from '../../engine/http/names.ts';
import { parseRequest, parseResponse } from '../../engine/http/parse.ts';
import fc from '../properties.ts';
import {
  factsOf,
  fieldsOf,
  LIMITS,
  newHead,
  type Parser,
  RELAXED,
  request,
  response,
  verdictOf,
  written,
} from './wire.ts';

const GET = 'GET / HTTP/1.1\r\nHost: a\r\n';
const POST = 'POST / HTTP/1.1\r\nHost: a\r\n';

/** [why, message, error] */
const BAD_REQUESTS: [string, string, string][] = [
  ['RFC 9112 2.2: bare LF after the request line', 'GET / HTTP/1.1\nHost: a\r\n\r\n', 'line-end'],
  ['RFC 9112 2.2: bare LF after a header', 'GET / HTTP/1.1\r\nHost: a\n\r\n', 'line-end'],
  ['RFC 9112 2.2: bare LF as the empty line', `${GET}\n`, 'line-end'],
  ['RFC 9112 2.2: bare CR in a value', `${GET}X: a\rb\r\n\r\n`, 'line-end'],
  ['RFC 9112 2.2: CR CR LF', `${GET}X: a\r\r\n\r\n`, 'line-end'],
  ['RFC 9112 2.2: bare CR before the request', `\r${GET}\r\n`, 'line-end'],
  ['RFC 9112 2.2: bare LF before the request', `\n${GET}\r\n`, 'line-end'],
  ['RFC 9112 2.2: white space before the first header', 'GET / HTTP/1.1\r\n Host: a\r\n\r\n', 'name-space'],
  ['RFC 9112 3: tab for space', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['RFC 9112 3: two spaces before the target', 'GET  / HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['RFC 9112 3: two spaces before the version', 'GET /  HTTP/1.1\r\nHost: a\r\n\r\n', 'version'],
  ['RFC 9112 3: space after the version', 'GET / HTTP/1.1 \r\nHost: a\r\n\r\n', 'start-line'],
  ['RFC 9110 9.1: method not a token', 'G@T / HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['RFC 9110 9.1: no method', ' / HTTP/1.1\r\nHost: a\r\n\r\n', 'method'],
  ['RFC 9112 3.2: no target', 'GET HTTP/1.1\r\nHost: a\r\n\r\n', 'version'],
  ['RFC 9112 3.2: control byte in the target', 'GET /\x01 HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['RFC 9112 3.2: NUL in the target', 'GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['RFC 9112 3.2: fragment', 'GET /a#b HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['RFC 3986 2: high byte in the target', 'GET /\xe9 HTTP/1.1\r\nHost: a\r\n\r\n', 'target'],
  ['RFC 9112 3.2.1: relative path', 'GET a/b HTTP/1.1\r\nHost: a\r\n\r\n', 'target-form'],
  ['RFC 9112 3.2.2: scheme without authority', 'GET urn:x HTTP/1.1\r\nHost: a\r\n\r\n', 'target-form'],
  ['RFC 9110 4.2.1: empty host', 'GET http:///x HTTP/1.1\r\nHost:\r\n\r\n', 'authority'],
  ['RFC 9110 4.2.4: user information', 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n', 'authority'],
  ['RFC 9112 3.2.2: Host differs', 'GET http://b/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-differs'],
  ['RFC 9112 3.2.2: port differs', 'GET http://a:81/ HTTP/1.1\r\nHost: a\r\n\r\n', 'host-differs'],
  ['RFC 9112 3.2.3: authority-form without CONNECT', 'GET a:80 HTTP/1.1\r\nHost: a\r\n\r\n', 'target-form'],
  ['RFC 9112 3.2.3: CONNECT without port', 'CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n', 'authority'],
  ['RFC 9112 3.2.3: CONNECT with an empty port', 'CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n', 'authority'],
  ['RFC 9112 3.2.3: CONNECT with a path', 'CONNECT /x HTTP/1.1\r\nHost: a\r\n\r\n', 'authority'],
  ['RFC 9112 3.2.4: * without OPTIONS', 'GET * HTTP/1.1\r\nHost: a\r\n\r\n', 'target-form'],
  ['RFC 9112 2.3: HTTP/0.9', 'GET /\r\n\r\n', 'version'],
  ['RFC 9112 2.3: HTTP/2.0', 'GET / HTTP/2.0\r\nHost: a\r\n\r\n', 'version'],
  ['RFC 9112 2.3: two digits', 'GET / HTTP/1.10\r\nHost: a\r\n\r\n', 'version'],
  ['RFC 9112 2.3: case matters', 'GET / http/1.1\r\nHost: a\r\n\r\n', 'version'],
  ['RFC 9113 3.4: preface', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'http2-preface'],
  ['RFC 9112 5.1: space before the colon', `${GET}X : a\r\n\r\n`, 'name-space'],
  ['RFC 9112 5.1: tab before the colon', `${GET}X\t: a\r\n\r\n`, 'name-space'],
  ['RFC 9110 5.1: empty name', `${GET}: a\r\n\r\n`, 'name'],
  ['RFC 9110 5.1: not a token', `${GET}X(: a\r\n\r\n`, 'name'],
  ['RFC 9110 5.1: high byte in a name', `${GET}X\xe9: a\r\n\r\n`, 'name'],
  ['RFC 9110 5.1: NUL in a name', `${GET}X\0: a\r\n\r\n`, 'name'],
  ['RFC 9112 5: no colon', `${GET}X\r\n\r\n`, 'no-colon'],
  ['RFC 9110 5.5: NUL in a value', `${GET}X: a\0b\r\n\r\n`, 'value'],
  ['RFC 9110 5.5: control byte in a value', `${GET}X: \x1f\r\n\r\n`, 'value'],
  ['RFC 9110 5.5: DEL in a value', `${GET}X: \x7f\r\n\r\n`, 'value'],
  ['RFC 9110 8.6: empty length', `${POST}Content-Length:\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: sign', `${POST}Content-Length: +3\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: negative', `${POST}Content-Length: -3\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: hexadecimal', `${POST}Content-Length: 0x3\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: space inside', `${POST}Content-Length: 3 3\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: overflow', `${POST}Content-Length: 99999999999999999999\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: 2^53', `${POST}Content-Length: 9007199254740992\r\n\r\n`, 'content-length'],
  ['RFC 9110 8.6: empty list item', `${POST}Content-Length: 3,\r\n\r\n`, 'content-length'],
  ['RFC 9112 6.3: list differs', `${POST}Content-Length: 3, 4\r\n\r\n`, 'content-length-differs'],
  ['RFC 9112 6.3: lines differ', `${POST}Content-Length: 3\r\nContent-Length: 4\r\n\r\n`, 'content-length-differs'],
  ['RFC 9112 6.3: chunked is not last', `${POST}Transfer-Encoding: chunked, gzip\r\n\r\n`, 'transfer-encoding'],
  ['RFC 9112 6.3: no chunked', `${POST}Transfer-Encoding: gzip\r\n\r\n`, 'transfer-encoding'],
  ['RFC 9112 6.1: identity is no more', `${POST}Transfer-Encoding: identity\r\n\r\n`, 'transfer-encoding'],
  ['RFC 9112 6.1: chunked twice', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n`, 'transfer-encoding'],
  [
    'RFC 9112 6.1: chunked on two lines',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n`,
    'transfer-encoding',
  ],
  ['RFC 9112 6.1: unknown coding', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n`, 'transfer-coding'],
  ['RFC 9112 6.1: no parameters', `${POST}Transfer-Encoding: chunked;q=1\r\n\r\n`, 'transfer-encoding'],
  ['RFC 9112 6.1: vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n`, 'value'],
  ['RFC 9112 6.1: empty', `${POST}Transfer-Encoding:\r\n\r\n`, 'transfer-encoding'],
  ['RFC 9112 6.1: in HTTP/1.0', 'POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-1.0'],
  ['RFC 9112 3.2: no Host', 'GET / HTTP/1.1\r\n\r\n', 'host-missing'],
  ['RFC 9112 3.2: Host twice', `${GET}Host: a\r\n\r\n`, 'host-repeated'],
  ['RFC 9112 3.2: two hosts', 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n', 'host'],
  ['RFC 9110 7.2: path in Host', 'GET / HTTP/1.1\r\nHost: a/b\r\n\r\n', 'host'],
  ['RFC 9110 7.2: bad port', 'GET / HTTP/1.1\r\nHost: a:8x\r\n\r\n', 'host'],
  ['RFC 9110 7.2: port above 65535', 'GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n', 'host'],
  ['RFC 9110 7.2: open bracket', 'GET / HTTP/1.1\r\nHost: [::1\r\n\r\n', 'host'],
  ['payload of an HTTP/1.0 GET', 'GET / HTTP/1.0\r\nContent-Length: 1\r\n\r\nx', 'payload-1.0'],
  ['RFC 6455 4.1: no key', `${GET}Connection: upgrade\r\nUpgrade: WebSocket\r\n\r\n`, 'websocket-key'],
  ['too many headers', `${GET}${'X: 1\r\n'.repeat(100)}\r\n`, 'too-many-headers'],
  ['too large', `${GET}X: ${'a'.repeat(15_360)}\r\n\r\n`, 'head-too-large'],
  ['too large, and not at its end', `GET /${'a'.repeat(15_360)}`, 'head-too-large'],
  ['too many empty lines', '\r\n'.repeat(8000), 'head-too-large'],
];

const BAD_RESPONSES: [string, string, string][] = [
  ['RFC 9112 4: two digits', 'HTTP/1.1 20 OK\r\n\r\n', 'status'],
  ['RFC 9112 4: four digits', 'HTTP/1.1 2000 OK\r\n\r\n', 'status'],
  ['RFC 9110 15: below 100', 'HTTP/1.1 099 OK\r\n\r\n', 'status'],
  ['RFC 9112 4: letters', 'HTTP/1.1 2x0 OK\r\n\r\n', 'status'],
  ['RFC 9112 4: two spaces', 'HTTP/1.1  200 OK\r\n\r\n', 'status'],
  ['RFC 9112 4: control byte in the reason', 'HTTP/1.1 200 O\x01\r\n\r\n', 'reason'],
  ['RFC 9112 2.3: another protocol', 'ICY 200 OK\r\n\r\n', 'version'],
  ['RFC 9112 2.2: bare LF', 'HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n', 'line-end'],
  ['RFC 9112 2.2: bare CR in the reason', 'HTTP/1.1 200 O\rK\r\n\r\n', 'line-end'],
  [
    'RFC 9112 6.3: lengths differ',
    'HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n',
    'content-length-differs',
  ],
  ['RFC 9112 6.1: in HTTP/1.0', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', 'transfer-encoding-1.0'],
];

const GOOD_REQUESTS = [
  `${GET}\r\n`,
  `\r\n\r\n${GET}\r\n`,
  'GET / HTTP/1.0\r\n\r\n',
  'get /a?b=c&d HTTP/1.1\r\nHOST: example.org:8080\r\nX-Odd_!#: \t spaced out \t\r\nEmpty:\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n',
  'CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]:443\r\n\r\n',
  'GET http://A.org:80/x HTTP/1.1\r\nHost: a.ORG\r\n\r\n',
  `${POST}Content-Length: 5, 5\r\nContent-Length: 05\r\n\r\n`,
  `${POST}Content-Length: 3\r\nTransfer-Encoding: Chunked\r\nExpect: 100-Continue\r\n\r\n`,
  `${GET}Folded: a\r\n  b\r\n\tc\r\nConnection: foo , Close,keep-alive\r\n\r\n`,
  `${GET}Latin: \xe9\xff\r\nConnection: Upgrade\r\nUpgrade: foo\r\n\r\n`,
  `${GET}${'x-a: 1\r\n'.repeat(99)}\r\n`,
];

const GOOD_RESPONSES = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n',
  'HTTP/1.1 204\r\n\r\n',
  'HTTP/1.0 999 \r\nServer:x\r\n\r\n',
  'HTTP/1.1 200 tr\xe8s bien\r\nTransfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n',
];

describe('invalid messages', () => {
  test.each(BAD_REQUESTS)('%s', (_, text, error) => {
    expect(request(text).verdict).toBe(error);
  });
  test.each(BAD_RESPONSES)('response, %s', (_, text, error) => {
    expect(response(text).verdict).toBe(error);
  });
  test('every row of the table that a head can have is shown here', () => {
    const shown = new Set([...BAD_REQUESTS, ...BAD_RESPONSES].map(row => row[2]));
    const left = ERRORS.map(row => row.name).filter(name => !shown.has(name));
    expect(left).toEqual([
      'none',
      ...['chunk-size', 'chunk-extension', 'chunk-line-end', 'chunk-end', 'trailers-too-large', 'trailer'],
    ]);
  });
});

describe('facts', () => {
  test('request line and headers', () => {
    const { head, result } = request(`${GOOD_REQUESTS[3]}body`);
    expect(result).toBe(GOOD_REQUESTS[3]!.length);
    expect([head.methodId, head.version, head.hostIndex]).toEqual([METHOD_OTHER, 1, 0]);
    expect(fieldsOf(head)).toEqual([
      ['host', 'example.org:8080'],
      ['x-odd_!#', 'spaced out'],
      ['empty', ''],
    ]);
  });
  test('methods', () => {
    expect(request(GET.concat('\r\n')).head.methodId).toBe(METHOD_GET);
    expect(request(GOOD_REQUESTS[4]!).head.methodId).toBe(METHOD_OPTIONS);
    expect(request(GOOD_REQUESTS[5]!).head.methodId).toBe(METHOD_CONNECT);
    expect(request(GOOD_REQUESTS[7]!).head.methodId).toBe(METHOD_POST);
  });
  test('equal lengths become one', () => {
    const { head } = request(GOOD_REQUESTS[7]!);
    expect(head.contentLength).toBe(5);
    expect(fieldsOf(head)).toEqual([
      ['host', 'a'],
      ['content-length', '5'],
    ]);
  });
  test('RFC 9112 6.3: Transfer-Encoding wins, Content-Length goes, the connection closes', () => {
    const { head } = request(GOOD_REQUESTS[8]!);
    expect([head.contentLength, head.chunked, head.mustClose, head.expectContinue]).toEqual([-1, true, true, true]);
    expect(written(head)).not.toContain('content-length');
  });
  test('RFC 9112 5.2: obs-fold becomes spaces', () => {
    const { head } = request(GOOD_REQUESTS[9]!);
    expect(fieldsOf(head)[1]).toEqual(['folded', 'a    b  \tc']);
    expect([head.connectionClose, head.connectionKeepAlive, head.connectionUpgrade]).toEqual([true, true, false]);
  });
  test('RFC 9110 2.5: a higher minor version is 1.1', () => {
    const { head } = request('GET / HTTP/1.7\r\nHost: a\r\n\r\n');
    expect(head.version).toBe(1);
    expect(written(head)).toBe('GET / HTTP/1.1\r\nhost: a\r\n\r\n');
  });
  test('relaxed: bare LF passes and leaves as CRLF, a header with a bad name is dropped', () => {
    const { head, verdict } = request('GET /\xe9#x HTTP/1.1\nContent-Length : 5\nX: a\0b\n\n', RELAXED);
    expect(verdict).toBe('ok');
    expect(head.contentLength).toBe(-1);
    expect(written(head)).toBe('GET /\xe9#x HTTP/1.1\r\nx: a\0b\r\n\r\n');
  });
  test.each([
    ['', ''],
    ['chunked, chunked', 'transfer-encoding: chunked\r\n'],
    [',chunked,', 'transfer-encoding: chunked\r\n'],
    ['chunked\r\nTransfer-Encoding:', 'transfer-encoding: chunked\r\n'],
  ])('relaxed: a response with Transfer-Encoding %j says it plainly, a request is refused', (value, line) => {
    const fields = `Transfer-Encoding: ${value}\r\n\r\n`;
    const { head, verdict } = response(`HTTP/1.1 200 OK\r\n${fields}`, RELAXED);
    expect([verdict, written(head)]).toEqual(['ok', `HTTP/1.1 200 OK\r\n${line}\r\n`]);
    expect(head.chunked).toBe(line !== '');
    expect(response(`HTTP/1.1 200 OK\r\n${fields}`).verdict).toBe('transfer-encoding');
    expect(request(`POST / HTTP/1.1\r\nHost: a\r\n${fields}`, RELAXED).verdict).toBe('transfer-encoding');
  });
});

describe('relaxed: versions', () => {
  test.each([
    ['RTSP/1.0', 'RTSP/1.0'],
    ['RTSP/1.1', 'HTTP/1.1'],
    ['HTTP/2.0', 'HTTP/1.1'],
    ['HTTP/1.10', 'HTTP/1.10'],
    ['HTTP/0.9', 'HTTP/0.9'],
    ['HTTP', 'HTTP'],
  ])('%s is written %s, with an edited target as well', (received, sent) => {
    const { head, verdict } = request(`GET / ${received}\r\nHost: a\r\n\r\n`, RELAXED);
    expect(verdict).toBe('ok');
    expect(head.version).toBe(sent === 'HTTP/1.1' ? 1 : 0);
    expect(written(head)).toBe(`GET / ${sent}\r\nhost: a\r\n\r\n`);
    head.setUri('/x');
    expect(written(head)).toBe(`GET /x ${sent}\r\nhost: a\r\n\r\n`);
    const { head: answer } = response(`${received} 200 OK\r\n\r\n`, RELAXED);
    expect(written(answer)).toBe(`${sent} 200 OK\r\n\r\n`);
    answer.setStatus(404, 'No');
    expect(written(answer)).toBe(`${sent} 404 No\r\n\r\n`);
  });
  test.each(['http/1.1', 'HTTP/x.y'])('%s is none', version => {
    expect(request(`GET / ${version}\r\nHost: a\r\n\r\n`, RELAXED).verdict).not.toBe('ok');
  });
  test('none is HTTP/0.9, which has GET only and no headers', () => {
    const { head, result } = request('GET /a\r\nHost: a\r\n\r\n', RELAXED);
    expect(result).toBe('GET /a\r\n'.length);
    expect(written(head)).toBe('GET /a HTTP/1.0\r\n\r\n');
    expect(request('POST /a\r\n', RELAXED).verdict).toBe('version');
    expect(request('GET /a\r\n\r\n').verdict).toBe('version');
  });
});

/** Parses `text` as it grows to each of `ends`, each time in a copy as a connection that collects bytes would. */
function grow(parser: Parser, text: string, ends: readonly number[]): { verdict: string; facts: unknown } {
  const head = newHead();
  const bytes = new Uint8Array(text.length + 10);
  let filled = 0;
  for (const end of [...ends, text.length]) {
    bytes.set(latin1(text.slice(filled, end)), 5 + filled);
    filled = end;
    const result = parser(head, bytes, 5, 5 + end, LIMITS);
    if (result !== 0) return { verdict: verdictOf(result), facts: result > 0 ? factsOf(head) : null };
  }
  return { verdict: 'more', facts: null };
}

describe('heads in pieces', () => {
  const cases: [Parser, string][] = [
    ...GOOD_REQUESTS.map((text): [Parser, string] => [parseRequest, text]),
    ...GOOD_RESPONSES.map((text): [Parser, string] => [parseResponse, text]),
    ...BAD_REQUESTS.filter(row => row[1].length < 1000).map((row): [Parser, string] => [parseRequest, row[1]]),
    ...BAD_RESPONSES.map((row): [Parser, string] => [parseResponse, row[1]]),
  ];
  test('every split point gives the same result', () => {
    for (const [parser, text] of cases) {
      const whole = grow(parser, text, []);
      expect(whole.verdict).not.toBe('more');
      for (let i = 1; i < text.length; i++) expect(grow(parser, text, [i])).toEqual(whole);
    }
  });
  test('byte by byte', () => {
    for (const [parser, text] of cases) {
      const ends = Array.from(text, (_, i) => i + 1);
      expect(grow(parser, text, ends)).toEqual(grow(parser, text, []));
    }
  });
  test('in random pieces', () => {
    fc.assert(
      fc.property(fc.constantFrom(...cases), fc.array(fc.nat(300), { maxLength: 8 }), ([parser, text], cuts) => {
        const ends = cuts.filter(cut => cut < text.length).sort((a, b) => a - b);
        expect(grow(parser, text, ends)).toEqual(grow(parser, text, []));
      }),
    );
  });
});

describe('properties', () => {
  const token = fc.stringMatching(/^[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,20}$/);
  const value = fc.stringMatching(/^([!-~\x80-\xff]([ \t]?[!-~\x80-\xff]){0,20})?$/);
  const known = new Set(['host', 'content-length', 'transfer-encoding', 'upgrade', 'connection', 'expect']);
  const field = fc.tuple(token, value).filter(([name]) => !known.has(name.toLowerCase()));

  test('write(parse(x)) is x with lower-case names, and is verbatim', () => {
    fc.assert(
      fc.property(token, fc.array(field, { maxLength: 20 }), (method, fields) => {
        if (method === 'CONNECT' || method === 'PRI') return;
        const lines = (lower: boolean) =>
          fields.map(([name, text]) => `${lower ? name.toLowerCase() : name}: ${text}\r\n`).join('');
        const { head, verdict } = request(`${method} /p?q HTTP/1.1\r\nHost: h\r\n${lines(false)}\r\n`);
        const expected = `${method} /p?q HTTP/1.1\r\nhost: h\r\n${lines(true)}\r\n`;
        expect(verdict).toBe('ok');
        expect(written(head)).toBe(expected);
        expect(head.verbatim).toBe(true);
        expect(textOf(head.bytes, head.start, head.end)).toBe(expected);
      }),
    );
  });

  test('whatever comes: no exception, and what is written parses again to the same', () => {
    const noise = fc.constantFrom(
      ...['GET', 'POST', ' ', '/', 'HTTP/1.1', '\r\n', 'Host: a', 'Content-Length:', 'Transfer-Encoding:', 'chunked'],
      ...['3', ',', ':', '\n', '\r', '\t', '\0', 'X', 'http://a', '\xff', 'Connection: close', 'CONNECT', ' HTTP/1.0'],
    );
    const bytes = fc.array(noise, { maxLength: 25 }).map(parts => `${parts.join('')}`);
    const start = fc.constantFrom('', GET, POST, 'HTTP/1.1 200 OK\r\n');
    fc.assert(
      fc.property(start, bytes, fc.boolean(), (first, rest, relaxed) => {
        const parse = first.startsWith('HTTP') ? response : request;
        const { head, verdict } = parse(`${first}${rest}\r\n\r\n`, relaxed ? RELAXED : LIMITS);
        if (verdict !== 'ok') return;
        const again = parse(written(head), relaxed ? RELAXED : LIMITS);
        expect(again.verdict).toBe('ok');
        expect(fieldsOf(again.head)).toEqual(fieldsOf(head));
        expect(again.head.contentLength).toBe(head.contentLength);
      }),
      { numRuns: 2000 },
    );
  });
});
