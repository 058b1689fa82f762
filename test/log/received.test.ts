/** Messages of others: what they say, and how they go on in each format. */

import { describe, expect, test } from 'vitest';
import type { HostStrategy, LogTarget } from '../../engine/config/log-model.ts';
import { Dates } from '../../engine/log/dates.ts';
import { Line } from '../../engine/log/line.ts';
import { Received } from '../../engine/log/received.ts';
import { writeHeader } from '../../engine/log/relayed.ts';
import { FORMATS } from '../../engine/log/syslog.ts';
import fc from '../properties.ts';

/** A moment in local time. */
const WALL = new Date(2026, 10, 22, 16, 35, 11, 866).getTime();
const TARGET: LogTarget = {
  ...{ file: 'c', line: 1, address: 'x', endpoint: null, fd: 1, ring: null, backend: null },
  ...{ facility: 'local3', maxLevel: 7, minLevel: 0, lenBytes: 1024, sample: null, profile: null, format: '' },
};

function goOn(
  message: string,
  format: string,
  given: { host?: HostStrategy; source?: string; minLevel?: number } = {},
): string {
  const { host = 'fill', source = '10.0.0.1', minLevel = 0 } = given;
  const bytes = Buffer.from(message, 'latin1');
  const received = new Received();
  received.parse(bytes, 0, bytes.length);
  const line = new Line(2000);
  writeHeader(
    line,
    received,
    { ...TARGET, format, minLevel },
    { dates: new Dates(), host, wall: WALL, source: Buffer.from(source) },
  );
  line.slice(bytes, received.text.start, received.text.end);
  return Buffer.from(line.bytes.subarray(0, line.length)).toString('latin1');
}

const ISO = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.866000[+-]\d\d:\d\d/;
const NEW = '<165>1 2003-10-01T22:14:15.003Z mymachine evntslog 12 ID47 [a@1 b="\\]" c="]"][d] text';
const OLD = '<13>Oct  1 22:14:15 myhost app[77]: hello world';

describe('a message goes on', () => {
  test.each([
    [OLD, '', OLD],
    [OLD, 'local', '<13>Oct  1 22:14:15 app[77]: hello world'],
    [OLD, 'rfc3164', OLD],
    [OLD, 'rfc5424', '<13>1 2026-10-01T22:14:15-00:00 myhost app 77 - - hello world'],
    [OLD, 'priority', '<13>hello world'],
    [OLD, 'short', '<5>hello world'],
    [OLD, 'timed', '<5>2026-10-01T22:14:15-00:00 hello world'],
    [OLD, 'iso', '2026-10-01T22:14:15-00:00 hello world'],
    [OLD, 'raw', 'hello world'],
    [NEW, '', NEW],
    [NEW, 'local', '<165>Oct  1 22:14:15 evntslog[12]: text'],
    [NEW, 'rfc3164', '<165>Oct  1 22:14:15 mymachine evntslog[12]: text'],
    [NEW, 'rfc5424', NEW],
    [NEW, 'timed', '<5>2003-10-01T22:14:15.003Z text'],
    ['<13>Oct 11 22:14:15 myhost app: hello', 'rfc5424', '<13>1 2026-10-11T22:14:15-00:00 myhost app - - - hello'],
    ['<13>Oct 11 22:14:15 myhost no tag', '', '<13>Oct 11 22:14:15 myhost no tag'],
    ['<13>Oct 11 22:14:15 myhost no tag', 'local', '<13>Oct 11 22:14:15 no tag'],
    ['<13>Oct 11 22:14:15 myhost a[1] no: colon', 'raw', 'a[1] no: colon'],
    ['<13>Oct 11 22:14:15  tag: no host', 'local', '<13>Nov 22 16:35:11 Oct 11 22:14:15  tag: no host'],
    ['<13>Oct 11 22:14:15 word', 'local', '<13>Nov 22 16:35:11 Oct 11 22:14:15 word'],
    ['<34>1 - - - - - - msg here', 'local', '<34>Nov 22 16:35:11 msg here'],
    ['<34>1 - h - - - -', '', '<34>1 - h - - - - '],
    ['<34>1 - h - - - [a', '', '<34>1 - h - - - [a'],
    ['<34>only', 'local', '<34>Nov 22 16:35:11 only'],
    ['none', '', 'none'],
    ['none', 'short', '<0>none'],
    ['none', 'local', '<152>Nov 22 16:35:11 none'],
    ['<192>high', '', '<192>high'],
    ['<>x', 'raw', '<>x'],
    ['<1', 'raw', '<1'],
    ['<5>ends\r\n\0', '', '<5>ends'],
    ['', '', ''],
  ])('%j as %j', (message, format, expected) => {
    expect(goOn(message, format)).toBe(expected);
  });

  test('with the time of now where it says none', () => {
    expect(goOn('<3>x', 'timed')).toMatch(new RegExp(`^<3>${ISO.source} x$`));
    expect(goOn('x', 'rfc5424')).toMatch(new RegExp(`^<152>1 ${ISO.source} 10\\.0\\.0\\.1 - - - - x$`));
    expect(goOn('<3>1 - h t - - - x', 'rfc5424')).toBe('<3>1 - h t - - - x');
    expect(goOn('<3>1 yesterday h t - - - x', 'local')).toBe('<3>Nov 22 16:35:11 t: x');
  });

  test('not graver than its target wants', () => {
    expect(goOn('<8>x', 'short', { minLevel: 4 })).toBe('<4>x');
    expect(goOn('<15>x', 'priority', { minLevel: 4 })).toBe('<15>x');
  });

  test.each([
    ['replace', '10.0.0.1', '10.0.0.1', '10.0.0.1'],
    ['fill', '10.0.0.1', 'h', '10.0.0.1'],
    ['keep', '10.0.0.1', 'h', 'localhost'],
    ['append', '10.0.0.1', 'h,10.0.0.1', '10.0.0.1'],
    ['replace', '', 'h', 'localhost'],
    ['fill', '', 'h', 'localhost'],
    ['append', '', 'h', 'localhost'],
  ] as const)('host %s from "%s"', (host, source, known, unknown) => {
    const old = { host, source };
    expect(goOn('<3>Oct 11 22:14:15 h x', 'rfc3164', old)).toBe(`<3>Oct 11 22:14:15 ${known} x`);
    expect(goOn('<3>x', 'rfc3164', old)).toBe(`<3>Nov 22 16:35:11 ${unknown} x`);
    const dash = unknown === 'localhost' ? '-' : unknown;
    expect(goOn('<3>1 - - t - - - x', 'rfc5424', old)).toBe(`<3>1 - ${dash} t - - - x`);
  });
});

describe('whatever comes', () => {
  const piece = fc.constantFrom(
    '<13>',
    '<',
    '>',
    '1 ',
    '- ',
    'Oct 11 22:14:15 ',
    'h ',
    'a[1]: ',
    '[',
    ']',
    '"',
    '\\',
    '\n',
    ' ',
  );
  const message = fc
    .array(fc.oneof(piece, fc.string({ maxLength: 5 })), { maxLength: 12 })
    .map(parts => parts.join(''));

  test('its parts lie in it, its text at its end, and it can be written in each format', () => {
    fc.assert(
      fc.property(message, fc.nat(5), (text, before) => {
        const bytes = Buffer.from(`${'x'.repeat(before)}${text}yy`);
        const received = new Received();
        received.parse(bytes, before, bytes.length - 2);
        for (const name of ['time', 'host', 'tag', 'pid', 'msgid', 'data'] as const) {
          const { start, end } = received[name];
          expect(start).toBeLessThanOrEqual(end);
          if (start < end) expect(start >= before && end <= received.text.end).toBe(true);
        }
        expect(received.text.start).toBeGreaterThanOrEqual(before);
        expect(received.text.end).toBeGreaterThanOrEqual(received.text.start);
        for (const format of FORMATS) goOn(text, format);
      }),
    );
  });

  test('what goes on as it came, comes as it goes on', () => {
    fc.assert(
      fc.property(message, text => {
        const once = goOn(text, '', { host: 'keep' });
        expect(goOn(once, '', { host: 'keep' })).toBe(once);
      }),
    );
  });
});
