import { describe, expect, test } from 'vitest';
import {
  BODY_CHUNKED,
  BODY_LENGTH,
  BODY_NONE,
  BODY_UNTIL_CLOSE,
  Body,
  DATA,
  DONE,
  ERROR,
  MORE,
  requestBody,
  responseBody,
  TRAILERS,
} from '../../engine/http/body.ts';
import { latin1, textOf } from '../../engine/http/chars.ts';
import { METHOD_CONNECT, METHOD_GET, METHOD_HEAD } from '../../engine/http/names.ts';
import { LAST_CHUNK, writeChunkSize } from '../../engine/http/write.ts';
import fc from '../properties.ts';
import { request, response, verdictOf } from './wire.ts';

interface Walk {
  verdict: string;
  data: string;
  trailers: string;
  /** Bytes that the body took. */
  used: number;
  complete: boolean;
}

/** Feeds `text` in pieces of the given sizes (then the rest), by `step` or `relay`. */
function walk(kind: number, length: number, text: string, sizes: readonly number[], how: 'step' | 'relay'): Walk {
  const body = new Body();
  body.reset(kind, length);
  const bytes = latin1(text);
  let data = '';
  let trailers = '';
  let at = 0;
  let end = 0;
  const ends = [...sizes.map(size => (end += size)), bytes.length].filter(e => e <= bytes.length);
  for (const to of ends) {
    do {
      at = body[how](bytes, at, to);
      if (body.event === DATA) {
        expect(body.dataEnd).toBeGreaterThan(body.dataStart);
        data += textOf(bytes, body.dataStart, body.dataEnd);
      }
      if (body.event === TRAILERS) trailers = textOf(body.trailers, 0, body.trailersEnd);
    } while (body.event === DATA || body.event === TRAILERS);
    if (body.event !== MORE) break;
    expect(at).toBe(to);
  }
  const verdict = body.event === ERROR ? verdictOf(body.error) : body.event === DONE ? 'done' : 'more';
  return { verdict, data, trailers, used: at, complete: body.complete };
}

const GOOD: [string, string][] = [
  ['0\r\n\r\n', ''],
  ['3\r\nabc\r\n0\r\n\r\n', 'abc'],
  ['3\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n', 'abc0123456789'],
  ['3;a=b;c="d\\"e"\r\nabc\r\n0;z\r\n\r\n', 'abc'],
  ['3 ;a\r\n\r\n\r\r\n0\r\n\r\n', '\r\n\r'],
  ['3 \t\r\nabc\r\n0  \r\n\r\n', 'abc'],
  ['1\r\nx\r\n0\r\nT: 1\r\nU:2\r\n\r\n', 'x'],
];

const BAD: [string, string, string][] = [
  ['RFC 9112 7.1: no size', '\r\nabc\r\n0\r\n\r\n', 'chunk-size'],
  ['RFC 9112 7.1: sign', '+3\r\nabc\r\n0\r\n\r\n', 'chunk-size'],
  ['RFC 9112 7.1: negative', '-3\r\nabc', 'chunk-size'],
  ['RFC 9112 7.1: 0x', '0x3\r\nabc', 'chunk-size'],
  ['RFC 9112 7.1: leading space', ' 3\r\nabc', 'chunk-size'],
  ['RFC 9112 7.1: more than blanks after the size', '3 x\r\nabc', 'chunk-size'],
  ['RFC 9112 7.1: bare LF after blanks', '3 \nabc', 'chunk-line-end'],
  ['RFC 9112 7.1: overflow', '100000000000000003\r\nabc', 'chunk-size'],
  ['RFC 9112 7.1: 2^53', '20000000000000\r\n', 'chunk-size'],
  ['RFC 9112 7.1: bare LF after the size', '3\nabc\r\n0\r\n\r\n', 'chunk-line-end'],
  ['RFC 9112 7.1: bare CR after the size', '3\rabc\r\n0\r\n\r\n', 'chunk-line-end'],
  ['RFC 9112 7.1.1: bare LF in an extension', '3;a\nabc\r\n0\r\n\r\n', 'chunk-line-end'],
  ['RFC 9112 7.1.1: bare CR in an extension', '3;a\rb\r\nabc', 'chunk-line-end'],
  ['RFC 9112 7.1.1: NUL in an extension', '3;\0\r\nabc', 'chunk-extension'],
  ['RFC 9112 7.1.1: no end', `3;${'a'.repeat(4096)}`, 'chunk-extension'],
  ['RFC 9112 7.1: endless zeros', '0'.repeat(5000), 'chunk-extension'],
  ['RFC 9112 7.1: data too long', '3\r\nabcd\r\n0\r\n\r\n', 'chunk-end'],
  ['RFC 9112 7.1: LF after the data', '3\r\nabc\n0\r\n\r\n', 'chunk-end'],
  ['RFC 9112 7.1: no CRLF after the data', '3\r\nabc0\r\n\r\n', 'chunk-end'],
  ['RFC 9112 7.1: bare LF at the end', '0\r\n\n', 'chunk-line-end'],
  ['RFC 9112 7.1: bare CR at the end', '0\r\n\rx', 'chunk-line-end'],
  ['RFC 9112 7.1.2: trailer without colon', '0\r\nX\r\n\r\n', 'no-colon'],
  ['RFC 9112 7.1.2: bare LF in trailers', '0\r\nX: y\n\r\n', 'chunk-line-end'],
  ['RFC 9112 5.1: space before the colon', '0\r\nX : y\r\n\r\n', 'name-space'],
  ['RFC 9110 5.5: NUL in a trailer', '0\r\nX: \0\r\n\r\n', 'value'],
  ['RFC 9110 6.5.1: Content-Length', '0\r\nContent-Length: 5\r\n\r\n', 'trailer'],
  ['RFC 9110 6.5.1: Transfer-Encoding', '0\r\nTransfer-Encoding: chunked\r\n\r\n', 'trailer'],
  ['RFC 9110 6.5.1: Host', '0\r\nHost: b\r\n\r\n', 'trailer'],
  ['too many trailers', `0\r\nX: ${'y'.repeat(9000)}\r\n\r\n`, 'trailers-too-large'],
];

describe('chunked', () => {
  test.each(GOOD)('%j', (text, data) => {
    const whole = walk(BODY_CHUNKED, 0, `${text}GET`, [], 'step');
    expect(whole).toMatchObject({ verdict: 'done', data, used: text.length, complete: true });
  });
  test.each(BAD)('%s', (_, text, error) => {
    expect(walk(BODY_CHUNKED, 0, text, [], 'step').verdict).toBe(error);
    expect(walk(BODY_CHUNKED, 0, text, [], 'relay').verdict).toBe(error);
    const ones = Array.from(text, () => 1);
    expect(walk(BODY_CHUNKED, 0, text, ones, 'step').verdict).toBe(error);
    expect(walk(BODY_CHUNKED, 0, text, ones, 'relay').verdict).toBe(error);
  });
  test('a sent error stays', () => {
    const body = new Body();
    body.reset(BODY_CHUNKED, 0);
    body.step(latin1('x'), 0, 1);
    body.step(latin1('0\r\n\r\n'), 0, 5);
    expect(body.event).toBe(ERROR);
  });
  test('trailers', () => {
    const { trailers } = walk(BODY_CHUNKED, 0, '1\r\nx\r\n0\r\nT: 1\r\nU:2\r\n\r\n', [], 'step');
    expect(trailers).toBe('t: 1\r\nu:2\r\n\r\n');
  });
  test('cut short', () => {
    for (let i = 0; i < GOOD[3]![0].length; i++) {
      const cut = walk(BODY_CHUNKED, 0, GOOD[3]![0].slice(0, i), [], 'step');
      expect(cut).toMatchObject({ verdict: 'more', complete: false });
    }
  });

  const chunks = fc.array(fc.string({ minLength: 1, maxLength: 40, unit: fc.constantFrom('a', '\r', '\n', '0', ';') }));
  const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { maxLength: 30 });
  function encode(parts: readonly string[]): string {
    const out = new Uint8Array(16);
    const lines = parts.map(part => `${textOf(out, 0, writeChunkSize(out, 0, part.length))}${part}\r\n`);
    return lines.join('') + textOf(LAST_CHUNK, 0, LAST_CHUNK.length);
  }
  test('any chunks in any pieces give their payload, and relay gives them as they were', () => {
    fc.assert(
      fc.property(chunks, sizes, (parts, cuts) => {
        const text = encode(parts);
        const after = `${text}NEXT`;
        const expected = { verdict: 'done', used: text.length, complete: true };
        expect(walk(BODY_CHUNKED, 0, after, cuts, 'step')).toMatchObject({ ...expected, data: parts.join('') });
        expect(walk(BODY_CHUNKED, 0, after, cuts, 'relay')).toMatchObject({ ...expected, data: text });
      }),
    );
  });
  test('relay gives all but extensions, blanks and trailers', () => {
    fc.assert(
      fc.property(sizes, cuts => {
        const text = '2;x="y"\r\nhi\r\n002 \t;z\r\n;;\r\n2  \r\n  \r\n0;x\r\nA: b\r\n\r\n';
        const { data, trailers, verdict } = walk(BODY_CHUNKED, 0, text, cuts, 'relay');
        const chunks = '2\r\nhi\r\n002\r\n;;\r\n2\r\n  \r\n0\r\n';
        expect([data, trailers, verdict]).toEqual([chunks, 'a: b\r\n\r\n', 'done']);
      }),
    );
  });
  test('noise in any pieces gives what it gives at once', () => {
    const noise = fc.string({
      unit: fc.constantFrom('0', '3', 'a', '\r\n', '\r', '\n', ';', ' ', ':', 'X: y\r\n', '\0'),
    });
    fc.assert(
      fc.property(noise, sizes, (text, cuts) => {
        const { verdict, data, trailers } = walk(BODY_CHUNKED, 0, text, [], 'step');
        expect(walk(BODY_CHUNKED, 0, text, cuts, 'step')).toMatchObject({ verdict, data, trailers });
        expect(walk(BODY_CHUNKED, 0, text, cuts, 'relay')).toMatchObject({ verdict, trailers });
      }),
      { numRuns: 1000 },
    );
  });
});

describe('other framings', () => {
  test('length', () => {
    expect(walk(BODY_LENGTH, 5, 'helloNEXT', [2, 1], 'step')).toMatchObject({
      verdict: 'done',
      data: 'hello',
      used: 5,
    });
    expect(walk(BODY_LENGTH, 5, 'hell', [], 'relay')).toMatchObject({ verdict: 'more', data: 'hell', complete: false });
  });
  test('none', () => {
    expect(walk(BODY_NONE, 9, 'NEXT', [], 'step')).toMatchObject({ verdict: 'done', data: '', used: 0 });
  });
  test('until close', () => {
    expect(walk(BODY_UNTIL_CLOSE, 0, 'abc', [1], 'step')).toMatchObject({
      verdict: 'more',
      data: 'abc',
      complete: true,
    });
  });
});

describe('RFC 9112 6.3: which framing', () => {
  const cases: [string, number, number][] = [
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', METHOD_GET, BODY_LENGTH],
    ['HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', METHOD_GET, BODY_NONE],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', METHOD_HEAD, BODY_NONE],
    ['HTTP/1.1 204 No\r\nContent-Length: 5\r\n\r\n', METHOD_GET, BODY_NONE],
    ['HTTP/1.1 304 No\r\nContent-Length: 5\r\n\r\n', METHOD_GET, BODY_NONE],
    ['HTTP/1.1 100 C\r\n\r\n', METHOD_GET, BODY_NONE],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n', METHOD_GET, BODY_CHUNKED],
    ['HTTP/1.1 200 OK\r\n\r\n', METHOD_GET, BODY_UNTIL_CLOSE],
    ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', METHOD_CONNECT, BODY_NONE],
    ['HTTP/1.1 403 No\r\nContent-Length: 5\r\n\r\n', METHOD_CONNECT, BODY_LENGTH],
  ];
  test.each(cases)('%j to method %i', (text, method, kind) => {
    expect(responseBody(response(text).head, method)).toBe(kind);
  });
  test('requests', () => {
    const post = 'POST / HTTP/1.1\r\nHost: a\r\n';
    expect(requestBody(request(`${post}\r\n`).head)).toBe(BODY_NONE);
    expect(requestBody(request(`${post}Content-Length: 1\r\n\r\n`).head)).toBe(BODY_LENGTH);
    expect(requestBody(request(`${post}Transfer-Encoding: chunked\r\n\r\n`).head)).toBe(BODY_CHUNKED);
  });
});
