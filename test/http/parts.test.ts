/** Targets, cookies, and the responses that Sluice makes itself. */
import { describe, expect, test } from 'vitest';
import { latin1, textOf } from '../../engine/http/chars.ts';
import {
  CookieAt,
  cutPrefix,
  findCookie,
  findSetCookie,
  prefixValue,
  removeCookie,
  replaceValue,
} from '../../engine/http/cookie.ts';
import {
  authRequired,
  ERROR_STATUSES,
  type ErrorFile,
  earlyErrorPage,
  errorLocation,
  errorPage,
  parseErrorFile,
} from '../../engine/http/errors.ts';
import { headLength, redirect, reply } from '../../engine/http/reply.ts';
import { findParam, hostEnd, paramEnd, UriParts } from '../../engine/http/uri.ts';
import { request, response, written } from './wire.ts';

const text = (bytes: Uint8Array) => textOf(bytes, 0, bytes.length);

describe('uri', () => {
  const cases: [string, string, string, string, string | null][] = [
    ['/a/b?x=1&y', '', '', '/a/b', 'x=1&y'],
    ['/', '', '', '/', null],
    ['/a?', '', '', '/a', ''],
    ['//a/b', '', '', '//a/b', null],
    ['*', '', '', '*', null],
    ['http://h:80/p?q?r', 'http', 'h:80', '/p', 'q?r'],
    ['https://h', 'https', 'h', '', null],
    ['https://h?q', 'https', 'h', '', 'q'],
    ['/a#b?c', '', '', '/a', null],
    ['/a?b#c', '', '', '/a', 'b'],
  ];
  test.each(cases)('%s', (uri, scheme, authority, path, query) => {
    const parts = new UriParts();
    const bytes = latin1(`xx${uri}yy`);
    parts.split(bytes, 2, 2 + uri.length);
    expect(textOf(bytes, parts.schemeStart, parts.schemeEnd)).toBe(scheme);
    expect(textOf(bytes, parts.authorityStart, parts.authorityEnd)).toBe(authority);
    expect(textOf(bytes, parts.pathStart, parts.pathEnd)).toBe(path);
    expect(parts.hasQuery ? textOf(bytes, parts.queryStart, parts.queryEnd) : null).toBe(query);
  });

  test.each([
    ['a=1&b=2', 'b', '2'],
    ['ab=1&b=2', 'b', '2'],
    ['b', 'b', ''],
    ['b&c', 'b', ''],
    ['a=b&b=', 'b', ''],
    ['bb=1', 'b', null],
    ['&&b=x=y&', 'b', 'x=y'],
    ['', 'b', null],
  ])('parameter of %s', (query, name, value) => {
    const bytes = latin1(query);
    const at = findParam(bytes, 0, bytes.length, latin1(name));
    expect(at < 0 ? null : textOf(bytes, at, paramEnd(bytes, at, bytes.length))).toBe(value);
  });

  test.each([
    ['a.b', 3],
    ['a:80', 1],
    ['a:', 1],
    ['[::1]:8', 5],
    ['', 0],
    ['a:b', -1],
    ['a@b', -1],
    ['[::1', -1],
    ['[::1]x', -1],
    ['a:70000', -1],
  ])('host of %s', (host, end) => {
    expect(hostEnd(latin1(host), 0, host.length)).toBe(end);
  });
});

describe('cookies of a request', () => {
  const S = latin1('S');
  const withCookie = (...values: string[]) =>
    request(`GET / HTTP/1.1\r\nHost: a\r\n${values.map(v => `Cookie: ${v}\r\n`).join('')}\r\n`).head;
  test.each([
    ['S=1', '1'],
    ['a=b; S=1; c=d', '1'],
    ['XS=0; S =  1 ; c=d', '1'],
    ['a="x;S=0"; S=1', '1'],
    ['a=1,S=2', '2'],
    ['S', null],
    ['s=1', null],
    ['S="q;r"', '"q;r"'],
    ['S=', ''],
  ])('find in %s', (value, found) => {
    const head = withCookie('z=9', value);
    const at = new CookieAt();
    const ok = findCookie(head, S, at);
    expect(ok ? textOf(head.bytesOf(at.slot), at.valueStart, at.valueEnd) : null).toBe(found);
  });
  test.each([
    ['S=1', null],
    ['S=1; a=b', 'a=b'],
    ['a=b; S=1', 'a=b'],
    ['a=b; S=1; c=d', 'a=b; c=d'],
    ['a=b;S=1;c=d', 'a=b;c=d'],
  ])('remove from %s', (value, left) => {
    const head = withCookie(value);
    const at = new CookieAt();
    findCookie(head, S, at);
    removeCookie(head, at);
    const line = left === null ? '' : `cookie: ${left}\r\n`;
    expect(written(head)).toBe(`GET / HTTP/1.1\r\nhost: a\r\n${line}\r\n`);
  });
  test('replace, cut', () => {
    const head = withCookie('a=b; S=srv~xyz; c=d');
    const at = new CookieAt();
    findCookie(head, S, at);
    cutPrefix(head, at, 4);
    expect(written(head)).toContain('cookie: a=b; S=xyz; c=d\r\n');
    findCookie(head, S, at);
    expect(replaceValue(head, at, latin1('longer than before'))).toBe(true);
    expect(written(head)).toContain('cookie: a=b; S=longer than before; c=d\r\n');
  });
});

test('Set-Cookie: find, replace, prefix', () => {
  const { head } = response('HTTP/1.1 200 OK\r\nSet-Cookie: a=1; Path=/\r\nSet-Cookie: S=v; Path=/, x\r\n\r\n');
  const at = new CookieAt();
  expect(findSetCookie(head, latin1('Path'), at)).toBe(false);
  expect(findSetCookie(head, latin1('S'), at)).toBe(true);
  expect(at.slot).toBe(1);
  expect(prefixValue(head, at, latin1('s1~'))).toBe(true);
  expect(written(head)).toContain('set-cookie: S=s1~v; Path=/, x\r\n');
  findSetCookie(head, latin1('a'), at);
  replaceValue(head, at, latin1('22'));
  expect(written(head)).toContain('set-cookie: a=22; Path=/\r\n');
});

describe('error pages', () => {
  // Recorded from HAProxy 2.6.
  test('of a request that was understood', () => {
    const head = 'HTTP/1.1 503 Service Unavailable\r\ncontent-length: 107\r\ncache-control: no-cache\r\n';
    const body =
      '<html><body><h1>503 Service Unavailable</h1>\nNo server is available to handle this request.\n</body></html>\n';
    expect(text(errorPage(503, null))).toBe(`${head}content-type: text/html\r\n\r\n${body}`);
    expect(text(errorPage(503, 'close'))).toBe(`${head}content-type: text/html\r\nconnection: close\r\n\r\n${body}`);
  });
  test('of one that was not', () => {
    expect(text(earlyErrorPage(400))).toBe(
      'HTTP/1.1 400 Bad request\r\nContent-length: 90\r\nCache-Control: no-cache\r\nConnection: close\r\n' +
        'Content-Type: text/html\r\n\r\n<html><body><h1>400 Bad request</h1>\nYour browser sent an invalid request.\n</body></html>\n',
    );
    expect(text(earlyErrorPage(422))).toBe(
      'HTTP/1.1 422 Unprocessable Content\r\nContent-length: 116\r\nCache-Control: no-cache\r\n' +
        'Content-Type: text/html\r\n\r\n<html><body><h1>422 Unprocessable Content</h1>\nThe server cannot process the contained instructions.\n</body></html>\n',
    );
  });
  test('lengths recorded from HAProxy 2.6', () => {
    const lengths: Record<number, number> = {
      ...{ 200: 58, 400: 90, 401: 112, 403: 93, 404: 83, 405: 146, 407: 112, 408: 110, 410: 114, 413: 106, 422: 116 },
      ...{ 425: 80, 429: 117, 500: 97, 501: 136, 502: 107, 503: 107, 504: 92 },
    };
    for (const [status, length] of Object.entries(lengths)) {
      const page = errorPage(Number(status), null);
      expect([status, page.length - headLength(page)]).toEqual([status, length]);
    }
  });
  test('all are valid responses with the right length', () => {
    for (const status of ERROR_STATUSES) {
      for (const page of [errorPage(status, 'close'), earlyErrorPage(status)]) {
        const { head, verdict, result } = response(text(page));
        expect([verdict, head.status]).toEqual(['ok', status]);
        expect(page.length - result).toBe(head.contentLength);
      }
    }
  });
  test('authentication', () => {
    expect(text(authRequired(401, 'errs'))).toBe(
      'HTTP/1.1 401 Unauthorized\r\ncontent-length: 112\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n' +
        'www-authenticate: Basic realm="errs"\r\n\r\n<html><body><h1>401 Unauthorized</h1>\n' +
        'You need a valid user and password to access this content.\n</body></html>\n',
    );
    expect(text(authRequired(407, 'a"b'))).toContain('proxy-authenticate: Basic realm="a\\"b"\r\n');
  });
  test('errorloc', () => {
    const rest = 'cache-control: no-cache\r\ncontent-length: 0\r\nlocation: http://e/403\r\n\r\n';
    expect(text(errorLocation(302, 'http://e/403'))).toBe(`HTTP/1.1 302 Found\r\n${rest}`);
    expect(text(errorLocation(303, 'http://e/403'))).toBe(`HTTP/1.1 303 See Other\r\n${rest}`);
  });
});

describe('errorfile', () => {
  const file = (content: string) => parseErrorFile(latin1(content), 16_384);
  test.each([
    [
      'its own version, names in lower case, right line ends; closes',
      'HTTP/1.0 503 Sorry\nCache-Control: no-cache\nConnection: close\nContent-Type:  text/html\n\n<p>\n',
      'HTTP/1.0 503 Sorry\r\ncache-control: no-cache\r\ncontent-type: text/html\r\n\r\n<p>\n',
      true,
    ],
    [
      'a length: the connection goes on',
      'HTTP/1.1 403 X\r\nContent-Length: 3\r\n\r\nabc',
      'HTTP/1.1 403 X\r\ncontent-length: 3\r\n\r\nabc',
      false,
    ],
    ['no length', 'HTTP/1.1 403 X\r\n\r\n', 'HTTP/1.1 403 X\r\n\r\n', true],
    ['no payload', 'HTTP/1.1 204 X\r\n\r\n', 'HTTP/1.1 204 X\r\n\r\n', false],
    ['nothing', '', '', true],
  ])('%s', (_what, content, response, closes) => {
    const page = file(content) as ErrorFile;
    expect([text(page.bytes), page.closes]).toEqual([response, closes]);
  });
  test.each([
    ['HTTP/1.1 503 X\r\nA: b\r\n', 'has no empty line after its headers'],
    ['<html>..........', 'is not an HTTP response'],
    ['HTTP/1.1 503 X\r\nContent-Length: 9\r\n\r\nabc', 'says Content-Length 9, but its body is 3 bytes long'],
    ['HTTP/1.1 503 X\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 'has a chunked body'],
    ['HTTP/1.1 100 X\r\n\r\n', 'has status 100'],
    ['x'.repeat(17_000), 'is 17000 bytes long'],
  ])('%#: refused', (content, problem) => {
    expect((file(content) as { problem: string }).problem).toContain(problem);
  });
});

describe('replies', () => {
  test('length first, unless it is placed', () => {
    expect(text(reply(200, [['content-type', 'text/plain']], 'h\u00e9'))).toBe(
      'HTTP/1.1 200 OK\r\ncontent-length: 3\r\ncontent-type: text/plain\r\n\r\nh\xc3\xa9',
    );
  });
  test('redirect', () => {
    const expected = 'HTTP/1.1 302 Found\r\ncontent-length: 0\r\nlocation: /x\r\ncache-control: no-cache\r\n\r\n';
    expect(text(redirect(302, '/x'))).toBe(expected);
  });
});
