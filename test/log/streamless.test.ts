/** What variables of log lines show where there is no traffic: `set-var-fmt` of the global section. As HAProxy 2.6 does. */
import { hostname } from 'node:os';
import { describe, expect, test } from 'vitest';
import { load } from '../config/load-text.ts';

function valueOf(format: string): string {
  const { model, diagnostics } = load(`global\n  set-var-fmt proc.a "${format}"\n`);
  expect(diagnostics.list).toEqual([]);
  return Buffer.from(model!.global.procVars[0]!.bytes).toString();
}

describe('without traffic', () => {
  test.each([
    ['%H|%pid', `${hostname()}|${process.pid}`],
    ['%{+X}pid', process.pid.toString(16).toUpperCase().padStart(4, '0')],
    ['%Tc %Td %Th %Tw', '-1 -1 -1 -1'],
    ['%B %U %Tt %Tu %ST %ac %fc %bc %sc %rc %lc', '0 0 0 0 0 0 0 0 0 0 0'],
    ['[%ci%cp%fi%bi%si%hr%hs%ID%sslv]', '[]'],
    ['%s %ts', '<NOSRV> PR'],
    ['%{+json}o %(a)pid %(b)Tw', `{"a": ${process.pid}, "b": -1}`],
  ])('%s', (format, expected) => {
    expect(valueOf(format)).toBe(expected);
  });

  test('dates are of now', () => {
    const [date, second, ms] = valueOf('%t=%Ts=%ms').split('=');
    expect(date).toMatch(/^\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d\.\d{3}$/);
    expect(Math.abs(Number(second) - Date.now() / 1000)).toBeLessThan(10);
    expect(ms).toMatch(/^\d{3}$/);
  });

  test('what only requests have is refused', () => {
    const { diagnostics } = load('global\n  set-var-fmt proc.a %HM\n');
    expect(diagnostics.list.map(d => d.message)).toEqual(["format variable 'HM' is reserved for HTTP mode"]);
  });
});
