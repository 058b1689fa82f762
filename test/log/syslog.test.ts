import { describe, expect, test } from 'vitest';
import { Dates } from '../../engine/log/dates.ts';
import { Line } from '../../engine/log/line.ts';
import { compileHeader, FACILITIES, FORMATS, LEVELS } from '../../engine/log/syslog.ts';

process.env.TZ = 'Europe/Paris';

/** 22 Nov 2026 at 15:35:11.866249 UTC. */
const WALL = Date.UTC(2026, 10, 22, 15, 35, 11) + 866.25;
const TARGET = {
  ...{ file: 'c', line: 1, address: '127.0.0.1', endpoint: null, fd: 1, ring: null, backend: null },
  ...{ facility: 'local3', maxLevel: 7, minLevel: 0, lenBytes: 1024, sample: null, profile: null },
};

function header(format: string, sendHostname: string | null = null, data = ''): string {
  const line = new Line(1000);
  const origin = { tag: 'tag', pid: 42, hostname: 'vm', sendHostname };
  const structured = new Line(100);
  structured.raw(Buffer.from(data));
  compileHeader({ ...TARGET, format }, origin)(line, 6, WALL, new Dates(), structured);
  return Buffer.from(line.bytes.subarray(0, line.length)).toString();
}

describe('headers, as HAProxy 2.6 writes them', () => {
  test.each([
    ['', '<158>Nov 22 16:35:11 tag[42]: '],
    ['local', '<158>Nov 22 16:35:11 tag[42]: '],
    ['rfc3164', '<158>Nov 22 16:35:11 localhost tag[42]: '],
    ['rfc5424', '<158>1 2026-11-22T16:35:11.866250+01:00 - tag 42 - - '],
    ['priority', '<158>'],
    ['short', '<6>'],
    ['timed', '<6>2026-11-22T16:35:11.866250+01:00 '],
    ['iso', '2026-11-22T16:35:11.866250+01:00 '],
    ['raw', ''],
  ])("format '%s'", (format, expected) => expect(header(format)).toBe(expected));

  test('log-send-hostname: this machine or a name, and rfc3164 where no format is given', () => {
    expect(header('', '')).toBe('<158>Nov 22 16:35:11 vm tag[42]: ');
    expect(header('local', '')).toBe('<158>Nov 22 16:35:11 tag[42]: ');
    expect(header('rfc3164', 'a.b')).toBe('<158>Nov 22 16:35:11 a.b tag[42]: ');
    expect(header('rfc5424', 'a.b')).toBe('<158>1 2026-11-22T16:35:11.866250+01:00 a.b tag 42 - - ');
  });

  test('structured data only in rfc5424', () => {
    expect(header('rfc5424', null, '[x@1 a="b"]')).toMatch(/ tag 42 - \[x@1 a="b"\] $/);
    expect(header('local', null, '[x@1 a="b"]')).not.toContain('x@1');
  });
});

test('facilities and levels have the numbers of RFC 5424', () => {
  expect(FACILITIES).toHaveLength(24);
  expect(FACILITIES.indexOf('local0')).toBe(16);
  expect(LEVELS.indexOf('info')).toBe(6);
  expect(FORMATS).toHaveLength(8);
});

test('dates: local, UTC, with the zone of their day', () => {
  const dates = new Dates();
  const text = (write: (line: Line) => void): string => {
    const line = new Line(100);
    write(line);
    return Buffer.from(line.bytes.subarray(0, line.length)).toString();
  };
  const summer = Date.UTC(2026, 6, 1, 22, 0, 0, 5);
  expect(text(line => dates.millis(line, summer))).toBe('02/Jul/2026:00:00:00.005');
  expect(text(line => dates.local(line, summer))).toBe('02/Jul/2026:00:00:00 +0200');
  expect(text(line => dates.utc(line, summer))).toBe('01/Jul/2026:22:00:00 +0000');
  expect(text(line => dates.syslog(line, summer))).toBe('Jul  2 00:00:00 ');
});
