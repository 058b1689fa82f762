import { constants } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CheckExpect, HttpCheck } from '../../engine/config/model.ts';
import { judge, planCheck, request } from '../../engine/health/check.ts';
import { errnoText } from '../../engine/health/errnos.ts';
import { CheckResponse } from '../../engine/health/response.ts';
import { CHECK_STATUSES } from '../../engine/health/statuses.ts';
import { HTTP_CHECK } from './fixture.ts';

const LIMIT = 16_384;

function feed(response: CheckResponse, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  response.feed(bytes, 0, bytes.length);
}

/** `name code info` of the verdict; null while more is needed. */
function verdictOf(check: HttpCheck, text: string, ended: boolean, stopped = false): string | null {
  const response = new CheckResponse(LIMIT);
  feed(response, text);
  const v = judge(planCheck(check), response, ended, stopped);
  return v && `${CHECK_STATUSES[v.status]!.name} ${v.code} ${v.info}`.trim();
}

function expecting(line: string): HttpCheck {
  const rules = line.split(' & ').map(rule => {
    const [, not, what, pattern] = /^(! )?(\w+) (.*)$/.exec(rule)!;
    return { negate: not !== undefined, what: what as CheckExpect['what'], pattern: pattern! };
  });
  return { ...HTTP_CHECK, expect: rules };
}

const HELLO = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const OPEN = 'HTTP/1.1 200 OK\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n';

/** Each recorded from HAProxy 2.6 with the same rule and response; `...` = it waits for more. */
const RECORDED: readonly [rule: string, response: string, ended: boolean, verdict: string][] = [
  ['', HELLO, false, 'L7OK 200'],
  ['', 'HTTP/1.1 200 OK\n\n', false, 'L7OK 200'],
  ['', 'HTTP/2.0 200 OK\r\n\r\n', false, 'L7OK 200'],
  ['', 'HTTP/1.0 399 Odd\r\n\r\n', false, 'L7OK 399'],
  ['', 'HTTP/1.0 503 Sorry Man\r\n\r\n', false, 'L7STS 503 Sorry Man'],
  ['', 'HTTP/1.1 500\r\n\r\n', false, 'L7STS 500'],
  ['', 'HTTP/1.1 101 Sw\r\n\r\n', false, 'L7STS 101 Sw'],
  ['', 'HTTP/1.0 404 Nope\r\n\r\n', false, 'L7STS 404 Nope'],
  ['', 'garbage\r\n\r\n', false, 'L7RSP -1'],
  ['', 'HTTP/1.0 200 OK\r\n', false, '...'],
  ['', 'HTTP/1.0 200 OK\r\n', true, 'L7RSP -1'],
  ['', '', true, 'L7RSP -1'],
  ['', `HTTP/1.1 200 OK\r\nA: ${'x'.repeat(20_000)}\r\n\r\n`, false, 'L7RSP -1'],
  ['status 200', HELLO, false, 'L7OK 200'],
  ['! status 200', HELLO, false, 'L7STS 200 OK'],
  ['status 201,300-310', HELLO, false, 'L7STS 200 OK'],
  ['status 100,200-310', HELLO, false, 'L7OK 200'],
  ['rstatus ^2', HELLO, false, 'L7OK 200'],
  ['rstatus ^3', HELLO, false, 'L7STS 200 OK'],
  ['! rstatus ^2', HELLO, false, 'L7STS 200 OK'],
  ['string hell', HELLO, false, 'L7OK 200'],
  ['string zzz', HELLO, false, 'L7RSP -1 HTTP content check did not match'],
  ['! string hell', HELLO, false, 'L7RSP -1 HTTP check matched unwanted content'],
  ['! string zzz', HELLO, false, 'L7OK 200'],
  ['rstring he.*o', HELLO, false, 'L7OK 200'],
  ['rstring z+', HELLO, false, 'L7RSP -1 HTTP content check did not match'],
  ['! rstring l+', HELLO, false, 'L7RSP -1 HTTP check matched unwanted content'],
  [
    'string zzz',
    'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n',
    false,
    'L7RSP -1 HTTP content check could not find a response body',
  ],
  ['string hell', 'HTTP/1.1 503 Bad\r\nContent-Length: 5\r\n\r\nhello', false, 'L7OK 503'],
  ['string hell', OPEN, false, 'L7OK 200'],
  ['string zz', OPEN, false, '...'],
  ['! string zz', OPEN, false, '...'],
  ['string zz', OPEN, true, 'L7RSP -1 HTTP content check did not match'],
  [
    'string zz',
    'HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello',
    true,
    'L7RSP -1 HTTP content check did not match',
  ],
  ['string hello', CHUNKED, false, 'L7OK 200'],
  ['status 200 & string zz', HELLO, false, 'L7RSP -1 HTTP content check did not match'],
  ['status 200 & string hello', HELLO, false, 'L7OK 200'],
];

test.each(RECORDED)('expect "%s" of %j (ended: %s): %s', (rule, response, ended, wanted) => {
  const check = rule === '' ? HTTP_CHECK : expecting(rule);
  expect(verdictOf(check, response, ended) ?? '...').toBe(wanted);
});

test('disable-on-404 is a conditional success, but not for a server that is down', () => {
  const check = { ...HTTP_CHECK, disableOn404: true };
  const nope = 'HTTP/1.0 404 Nope\r\n\r\n';
  expect(verdictOf(check, nope, true)).toBe('L7OKC 404');
  expect(verdictOf(check, nope, true, true)).toBe('L7STS 404 Nope');
});

test('a body that fills the buffer is judged as it is', () => {
  const long = `HTTP/1.1 200 OK\r\n\r\n${'x'.repeat(LIMIT)}needle`;
  expect(verdictOf(expecting('string needle'), long, false)).toBe('L7RSP -1 HTTP content check did not match');
  expect(verdictOf(expecting('! string needle'), long, false)).toBe('L7OK 200');
});

test('however a response is cut, the verdict is the same', () => {
  const responses = fc.constantFrom(...RECORDED.filter(r => r[1].length < 200));
  fc.assert(
    fc.property(responses, fc.array(fc.nat(80)), ([rule, text, , wanted], cuts) => {
      const plan = planCheck(rule === '' ? HTTP_CHECK : expecting(rule));
      const response = new CheckResponse(LIMIT);
      let from = 0;
      for (const to of [...cuts.map(c => c % (text.length + 1)).sort((a, b) => a - b), text.length]) {
        feed(response, text.slice(from, to));
        from = to;
      }
      const v = judge(plan, response, true, false)!;
      const whole = verdictOf(rule === '' ? HTTP_CHECK : expecting(rule), text, true);
      expect(`${CHECK_STATUSES[v.status]!.name} ${v.code} ${v.info}`.trim()).toBe(whole);
      if (wanted !== '...') expect(whole).toBe(wanted);
    }),
  );
});

test('bytes that no server should send do no harm', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 400 }), { maxLength: 5 }), fc.boolean(), (chunks, http) => {
      const response = new CheckResponse(LIMIT);
      if (http) feed(response, 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      for (const chunk of chunks) response.feed(chunk, 0, chunk.length);
      expect(judge(planCheck(expecting('string x')), response, true, false)).not.toBeNull();
    }),
  );
});

describe('requests, byte for byte those of HAProxy 2.6', () => {
  const HTTP_11 = { ...HTTP_CHECK, method: 'GET', uri: '/x', version: 'HTTP/1.1' };
  const cases: readonly [HttpCheck, string, string][] = [
    [HTTP_CHECK, '', 'OPTIONS / HTTP/1.0\r\n\r\n'],
    [{ ...HTTP_CHECK, body: 'abc' }, '', 'OPTIONS / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc'],
    [HTTP_11, '', 'GET /x HTTP/1.1\r\nconnection: close\r\n\r\n'],
    [
      { ...HTTP_11, headers: [['Host', 'foo']] },
      'UP; qcur=0',
      'GET /x HTTP/1.1\r\nhost: foo\r\nx-haproxy-server-state: UP; qcur=0\r\nconnection: close\r\n\r\n',
    ],
    [
      {
        ...HTTP_11,
        method: 'POST',
        uri: '/p',
        headers: [
          ['Host', 'a.b'],
          ['X-Y', 'z'],
          ['Content-Length', '99'],
        ],
        body: 'abc',
      },
      '',
      'POST /p HTTP/1.1\r\nhost: a.b\r\nx-y: z\r\ncontent-length: 3\r\nconnection: close\r\n\r\nabc',
    ],
  ];
  test.each(cases)('%#', (check, state, bytes) => {
    expect(Buffer.from(request(check, state)).toString('latin1')).toBe(bytes);
  });
});

test('bad patterns are refused when the checks start, with what is wrong', () => {
  expect(() => planCheck(expecting('status 2xx'))).toThrow("'2xx' is neither a status nor a range");
  expect(() => planCheck(expecting('rstring ('))).toThrow(SyntaxError);
});

test('errors are told in the words of the C library', () => {
  expect(errnoText(constants.errno.ECONNREFUSED)).toBe('Connection refused');
  expect(errnoText(0)).toBe('');
  expect(errnoText(9999)).toBe('Unknown error 9999');
});
