import { constants } from 'node:os';
import { describe, expect, test } from 'vitest';
import type { Check } from '../../engine/config/check-model.ts';
import { judge, request, success, whereabouts } from '../../engine/health/check.ts';
import { errnoText } from '../../engine/health/errnos.ts';
import { type Deed, planCheck } from '../../engine/health/plan.ts';
import { CheckResponse } from '../../engine/health/response.ts';
import { Sight } from '../../engine/health/sight.ts';
import { CHECK_STATUSES, L7RSP, type Verdict, verdict } from '../../engine/health/statuses.ts';
import fc from '../properties.ts';
import { checkOfLines, HTTP_CHECK, modelOf, worldOf } from './fixture.ts';

const LIMIT = 16_384;
const WORLD = worldOf(modelOf([{}]));

function feed(response: CheckResponse, text: string): void {
  const bytes = Buffer.from(text, 'latin1');
  response.feed(bytes, 0, bytes.length);
}

/** Judges all that a check expects of one response; null while more is needed. */
function judgeAll(check: Check, response: CheckResponse, ended: boolean, stopped = false): Verdict | null {
  const { env, targets } = WORLD;
  const plan = planCheck(check, env.outside.env, () => verdict(L7RSP));
  const sight = new Sight(targets[0]!, check, env.outside);
  sight.look(response);
  const answer = { response, ended, stopped, tls: false, at: sight.at };
  for (const [at, { kind }] of check.steps.entries()) {
    const found = kind === 'expect' ? judge(plan, at, answer) : 'good';
    if (found !== 'good') return found === 'more' ? null : found;
  }
  return success(plan, answer);
}

function shown(v: Verdict): string {
  const told = v.told === undefined ? '' : `[${v.told}]`;
  return `${CHECK_STATUSES[v.status]!.name} ${v.code} ${v.info}${told}`.trim();
}

/** `name code info` of the verdict, in brackets what only the log tells; null while more is needed. */
function verdictOf(check: Check, text: string, ended: boolean, stopped = false): string | null {
  const response = new CheckResponse(LIMIT);
  feed(response, text);
  const v = judgeAll(check, response, ended, stopped);
  return v && shown(v);
}

function expecting(line: string): Check {
  return checkOfLines('option httpchk', ...line.split(' & ').map(rule => `http-check expect ${rule}`));
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
  [
    '! string zzz',
    'HTTP/1.1 204 No Content\r\n\r\n',
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
      const check = rule === '' ? HTTP_CHECK : expecting(rule);
      const response = new CheckResponse(LIMIT);
      let from = 0;
      for (const to of [...cuts.map(c => c % (text.length + 1)).sort((a, b) => a - b), text.length]) {
        feed(response, text.slice(from, to));
        from = to;
      }
      const whole = verdictOf(check, text, true);
      expect(shown(judgeAll(check, response, true)!)).toBe(whole);
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
      expect(judgeAll(expecting('string x'), response, true)).not.toBeNull();
    }),
  );
});

describe('requests, byte for byte those of HAProxy 2.6', () => {
  const cases: readonly [lines: readonly string[], state: string, bytes: string][] = [
    [['option httpchk'], '', 'OPTIONS / HTTP/1.0\r\n\r\n'],
    [['option httpchk', 'http-check send body abc'], '', 'OPTIONS / HTTP/1.0\r\ncontent-length: 3\r\n\r\nabc'],
    [['option httpchk GET /x HTTP/1.1'], '', 'GET /x HTTP/1.1\r\nconnection: close\r\n\r\n'],
    [
      ['option httpchk GET /x HTTP/1.1', 'http-check send hdr Host foo'],
      'UP; qcur=0',
      'GET /x HTTP/1.1\r\nhost: foo\r\nx-haproxy-server-state: UP; qcur=0\r\nconnection: close\r\n\r\n',
    ],
    [
      [
        'option httpchk POST /p HTTP/1.1',
        'http-check send hdr Host a.b hdr X-Y z hdr Content-Length 99 body abc hdr Connection keep-alive',
      ],
      '',
      'POST /p HTTP/1.1\r\nhost: a.b\r\nx-y: z\r\ncontent-length: 3\r\n\r\nabc',
    ],
    // Whichever of the two lines comes last has the last word.
    [
      ['option httpchk HEAD /o HTTP/1.1\\r\\nHost:\\ old\\r\\nA:\\ 1', 'http-check send hdr X 1'],
      '',
      'HEAD /o HTTP/1.1\r\nx: 1\r\nconnection: close\r\n\r\n',
    ],
    [
      ['http-check send uri /late hdr X 1 body bb', 'option httpchk POST /o HTTP/1.1'],
      '',
      'POST /o HTTP/1.1\r\nx: 1\r\ncontent-length: 2\r\nconnection: close\r\n\r\nbb',
    ],
  ];
  test.each(cases)('%j', (lines, state, bytes) => {
    const { env } = WORLD;
    const plan = planCheck(checkOfLines(...lines), env.outside.env, () => verdict(L7RSP));
    const step = plan.deeds[1] as Deed & { kind: 'request' };
    expect(Buffer.from(request(step.request(env.outside.at), state)).toString('latin1')).toBe(bytes);
  });
});

/** Each recorded from HAProxy 2.6 with the same lines; `...` = it waits for more. The first line is `option ...`. */
const RECORDED_BYTES: readonly [lines: string, response: string, ended: boolean, verdict: string][] = [
  ['tcp-check|expect string foo', 'bar', false, '...'],
  ['tcp-check|expect string foo', 'bar', true, "L7RSP -1 TCPCHK did not match content 'foo' at step 1"],
  ['tcp-check|expect string foo', '', true, 'L7RSP -1 TCPCHK got an empty response at step 1'],
  ['tcp-check|expect string foo', 'a foo b', false, 'L7OK 0 (tcp-check)'],
  [
    'tcp-check|comment x|expect ! string bar',
    'bar',
    false,
    "L7RSP -1 TCPCHK matched unwanted content 'bar' at step 2 comment: x",
  ],
  ['tcp-check|expect rstring ^f', 'bar', true, 'L7RSP -1 TCPCHK did not match content (regex) at step 1'],
  ['tcp-check|expect binary 414243', 'bar', true, 'L7RSP -1 TCPCHK did not match content (binary) at step 1'],
  ['tcp-check|expect rbinary ^4142', 'bar', true, 'L7RSP -1 TCPCHK did not match content (binary regex) at step 1'],
  ['tcp-check|expect ! rbinary ^62', 'bar', false, 'L7RSP -1 TCPCHK matched unwanted content (binary regex) at step 1'],
  ['tcp-check|expect string bar on-success fine', 'bar', false, 'L7OK 0 fine'],
  ['tcp-check|expect on-error bad\\ thing error-status L4CON string foo', 'b', true, 'L4CON -1 bad thing'],
  ['tcp-check|expect min-recv 0 string foo', 'b', false, '...'],
  ['tcp-check|expect min-recv 0 string foo', 'barb', false, "L7RSP -1 TCPCHK did not match content 'foo' at step 1"],
  ['tcp-check|expect string foo|send bye', 'foo', false, 'L7OK 0 (tcp-check)'],
  ['tcp-check', '', false, 'L4OK -1'],
  ['redis-check', '+PONG\r\n', false, 'L7OK 0 Redis server is ok'],
  ['redis-check', '-NOAUTH x\r\n', true, 'L7STS 0 -NOAUTH x'],
  ['redis-check', '', true, 'L7STS 0 TCPCHK got an empty response at step 2'],
  ['ssl-hello-chk', '', true, 'L6RSP -1 TCPCHK got an empty response at step 2'],
  ['ldap-check', '', true, 'L7RSP -1 TCPCHK got an empty response at step 2'],
  ['spop-check', '', true, 'L7RSP -1 TCPCHK got an empty response at step 2'],
  ['spop-check', '\0\0\0', true, 'L7RSP -1 invalid frame received'],
  ['spop-check', '\0\0\0\x17\x65\0\0', true, 'L7RSP -1 invalid frame received'],
  ['smtpchk', '520 go away\r\n', false, 'L7STS 520 go away'],
  ['smtpchk', 'SSH-2.0\r\n', false, 'L7RSP -1 SSH-2.0'],
  ['smtpchk', '220-hi\r\n220 more\r\n', false, 'L7RSP -1 220-hi'],
  ['smtpchk', '221 bye\r\n', false, 'L7OK 221 bye'],
  ['ldap-check', '0\x0c\x02\x01\x01a\x07\n\x01\0\x04\0\x04\0', false, 'L7OK 0 [Success]'],
  [
    'ldap-check',
    '0\x0c\x02\x01\x01a\x07\n\x011\x04\0\x04\0',
    false,
    'L7STS 49 See RFC: http://tools.ietf.org/html/rfc4511#section-4.1.9',
  ],
  ['ldap-check', 'hello world foo bar', false, 'L7RSP -1 Not LDAPv3 protocol'],
  ['ldap-check', '0\x0c\x02\x01\x01b\x07\n\x011\x04\0\x04\0', false, 'L7RSP -1 Not LDAPv3 protocol'],
  ['ldap-check', '0\x0c\x02', false, '...'],
  ['pgsql-check user joe', 'R\0\0\0\x08\0\0\0\0', false, 'L7OK 0 PostgreSQL server is ok'],
  ['pgsql-check user joe', 'E\0\0\0\x20SFATAL\0', false, 'L7RSP -1 FATAL'],
  ['pgsql-check user joe', 'R\0\0\0\x08\0\0\0\x55', false, 'L7STS 0 PostgreSQL unknown error'],
  ['pgsql-check user joe', 'R\0', false, '...'],
  ['pgsql-check user joe', 'R\0', true, 'L7STS 0 PostgreSQL unknown error'],
  ['pgsql-check user joe', '', true, 'L7RSP -1 TCPCHK got an empty response at step 3'],
  ['mysql-check', '\x0b\0\0\0\x0a8.0.1\0abcd', false, 'L7OK 0 [8.0.1]'],
  ['mysql-check', '\x0e\0\0\0\xff\x10\x04#08004Too m', false, 'L7STS 1040 #08004Too m'],
  ['mysql-check user bob', '\x0b\0\0\0\x0a8.0.1\0abcd\x07\0\0\x02\0\0\0\x02\0\0\0', false, 'L7OK 0 [8.0.1]'],
  ['mysql-check user bob', '\x0b\0\0\0\x0a8.0.1\0abcd\x0f\0\0\x02\xff\x15\x04#28000Acces', false, '...'],
  [
    'mysql-check user bob',
    '\x0b\0\0\0\x0a8.0.1\0abcd\x0f\0\0\x02\xff\x15\x04#28000Access',
    false,
    'L7STS 1045 #28000Access',
  ],
  ['mysql-check user bob', '\x0b\0\0\0\x0a8.0.1\0abcd\x01\0\0\x02\xfe', false, 'L7OK 0 [8.0.1]'],
  ['mysql-check user bob', '\x0a\0\0', false, '...'],
  ['mysql-check user bob', '\x0a\0\0', true, 'L7RSP -1'],
  ['ssl-hello-chk', '\x16\x03\0\0\x10xx', false, 'L6OK -1'],
  ['ssl-hello-chk', 'HTTP/1.0 400', true, 'L6RSP -1'],
  ['spop-check', '\0\0\0\x34\x65\0\0\0\x01\0\0\x07version\x08\x039.0', false, '...'],
  ['spop-check', '\0\0\0\x14\x65\0\0\0\x01\0\0\x07version\x08\x039.0', false, 'L7RSP -1 unsupported version'],
  ['spop-check', '\0\0\0\x07\x65\0\0\0\x01\0\0', false, 'L7RSP -1 version value not found'],
  ['spop-check', 'hello world foo bar', true, 'L7RSP -1 invalid frame received'],
];

test.each(RECORDED_BYTES)('%s, %j (ended: %s): %s', (lines, response, ended, wanted) => {
  const [option, ...rules] = lines.split('|');
  const check = checkOfLines(`option ${option}`, ...rules.map(rule => `tcp-check ${rule}`));
  expect(verdictOf(check, response, ended) ?? '...').toBe(wanted);
});

test('an SPOP agent that says hello is fine', () => {
  const frame = `\x65\0\0\0\x01\0\0\x07version\x08\x032.0\x0emax-frame-size\x03\xfc\xf0\x06\x0ccapabilities\x08\0`;
  const text = `\0\0\0${String.fromCharCode(frame.length)}${frame}`;
  expect(verdictOf(checkOfLines('option spop-check'), text, false)).toBe('L7OK 0');
  for (let cut = 0; cut < text.length; cut++) {
    expect(verdictOf(checkOfLines('option spop-check'), text.slice(0, cut), false)).toBeNull();
  }
});

test('bytes from anywhere do no protocol harm', () => {
  const options = ['mysql-check user a', 'ldap-check', 'spop-check', 'pgsql-check user a', 'smtpchk', 'redis-check'];
  const checks = options.map(option => checkOfLines(`option ${option}`));
  fc.assert(
    fc.property(fc.constantFrom(...checks), fc.uint8Array({ maxLength: 60 }), (check, bytes) => {
      expect(verdictOf(check, Buffer.from(bytes).toString('latin1'), true)).not.toBeNull();
    }),
  );
});

test('headers: names in any case, values whole or in parts', () => {
  const text = 'HTTP/1.1 200 OK\r\nX-Q: yy, xz\r\nVia: a\r\n\r\n';
  for (const [rule, wanted] of [
    ['hdr name x-q value -m beg x', 'L7OK 200'],
    ['fhdr name x-q value -m beg x', 'L7STS 200 OK'],
    ['fhdr name -m beg X- value -m reg ^yy.*z$', 'L7OK 200'],
    ['hdr name -m end Q value yy', 'L7OK 200'],
    ['! hdr name via', 'L7STS 200 OK'],
    ['hdr name -m reg ^v.a$', 'L7OK 200'],
    ['hdr name other comment c', 'L7STS 200 OK comment: c'],
    ['on-error mine hdr name other', 'L7STS 200 mine'],
    ['ok-status L7OKC on-success yeah hdr name via', 'L7OKC 200 yeah'],
    ['error-status L4CON status 500', 'L4CON -1 OK'],
  ] as const) {
    expect(verdictOf(expecting(rule), text, false), rule).toBe(wanted);
  }
});

test('where a script was when something broke', () => {
  const check = checkOfLines(
    'option tcp-check',
    'tcp-check connect port 81 comment cc',
    'tcp-check send x',
    'tcp-check expect binary 414200ff',
    'tcp-check expect rstring x',
  );
  expect(check.steps.map((_, i) => whereabouts(check, i))).toEqual([
    " at step 1 of tcp-check (connect port 81) comment: 'cc'",
    ' at step 2 of tcp-check (send)',
    " at step 3 of tcp-check (expect binary 'AB')",
    ' at step 4 of tcp-check (expect regex)',
  ]);
  expect(whereabouts(checkOfLines('option tcp-check', 'tcp-check send x'), 0)).toBe(
    ' at initial connection step of tcp-check',
  );
  expect(whereabouts(checkOfLines('option redis-check'), 0)).toBe('');
});

test('errors are told in the words of the C library', () => {
  expect(errnoText(constants.errno.ECONNREFUSED)).toBe('Connection refused');
  expect(errnoText(0)).toBe('');
  expect(errnoText(9999)).toBe('Unknown error 9999');
});
