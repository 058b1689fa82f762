import { describe, expect, test } from 'vitest';
import { compileFormat, isError } from '../../engine/log/format.ts';
import { EARLY, END, START, VARIABLES } from '../../engine/log/variables.ts';
import { load } from '../config/load-text.ts';

const HTTP = { mode: 'http', partial: false } as const;

function errorOf(text: string, mode: 'tcp' | 'http' = 'http'): string {
  const format = compileFormat(text, { mode, partial: false });
  return isError(format) ? format.error : '';
}

describe('what is refused', () => {
  const VERBATIM = "If you wanted to emit the '%' character verbatim, you need to use '%%'";
  test.each([
    ['%zz', `no such format variable 'zz'. ${VERBATIM}`],
    ['%ciX', `no such format variable 'ciX'. ${VERBATIM}`],
    ['%{+Q', "truncated line after '+Q'"],
    ['%{+Q}', "parse argument modifier without variable name near '%{+Q}'"],
    ['a%', "truncated line after '%'"],
    ['%[src', "missing ']' after 'src'"],
    ['%[src]', "'%[src]' is not supported by Sluice yet"],
    ['%{+json}o', "flag 'json' is not supported by Sluice yet"],
    ['%{+Z}ci', "unknown flag 'Z'"],
    ['%(a:float)ci', "unexpected output type 'float'"],
    ['%(a', "truncated line after 'a'"],
    [
      '% a',
      "unexpected variable name near ' ' at position 1 line : '% a'. Maybe you want to write a single '%', use the syntax '%%'",
    ],
  ])('%s', (text, message) => expect(errorOf(text)).toBe(message));

  test.each(VARIABLES.filter(v => v.mode === 'http').map(v => v.name))('%%%s in TCP mode', name => {
    expect(errorOf(`%${name}`, 'tcp')).toBe(`format variable '${name}' is reserved for HTTP mode`);
    expect(errorOf(`%${name}`, 'http')).toBe('');
  });

  test('an unknown name gets a suggestion', () => {
    expect(compileFormat('%tscc', HTTP)).toMatchObject({ hint: expect.stringContaining('tsc') });
  });
});

test('every variable has a row, once', () => {
  const names = VARIABLES.map(v => v.name);
  const manual =
    'T Tl Ts t ms Tc Tq Tr Tt Tw B CC CS H ID ST U ac b bc bi bp bq ci cp f fc fi fp ft hr hrl hs hsl pid r rc rt s sc si sp sq sslc sslv ts tsc tr trg trl Ta Td Th Ti TR Tu HM HP HPO HQ HU HV lc OG';
  expect([...names].sort()).toEqual(manual.split(' ').sort());
});

describe('when a line can be written', () => {
  test.each([
    ['%ci:%cp %f', false, START],
    ['%ci %HM %ST', false, EARLY],
    ['%ci %B', false, END],
    ['%ci %B', true, EARLY],
    ['%ci', true, START],
  ])('%s, logasap %s', (text, partial, known) => {
    expect(compileFormat(text, { mode: 'http', partial })).toMatchObject({ known });
  });
});

describe('in a configuration', () => {
  const messages = (lines: string): string[] =>
    load(`listen l\n  bind :80\n  log stdout local0\n  timeout client 1s\n  ${lines}\n`).diagnostics.list.map(
      d => d.message,
    );

  test('a bad format is an error at its line', () => {
    expect(messages('mode http\n  log-format "%ci %zz"')[0]).toMatch(/^failed to parse log-format : no such format/);
    expect(messages('error-log-format %[src]')[0]).toMatch(/^failed to parse error-log-format : '%\[src\]' is not/);
  });

  test('the mode may be said after the format', () => {
    expect(messages('log-format %r\n  mode http')).toEqual([]);
    expect(messages('mode tcp\n  log-format %r')).toEqual([
      "failed to parse log-format : format variable 'r' is reserved for HTTP mode",
    ]);
  });

  test('the last of log-format and option httplog counts', () => {
    const model = (lines: string) =>
      load(`listen l\n  mode http\n  bind :80\n  timeout client 1s\n  ${lines}\n`).model!;
    expect(model('option httplog\n  log-format %ci').proxies[0]).toMatchObject({ logFormat: '%ci' });
    expect(model('log-format %ci\n  option httplog').proxies[0]).toMatchObject({ logFormat: null, logStyle: 'http' });
  });

  test('a format without a target is told', () => {
    expect(messages('mode http\n  no log\n  log-format %ci')).toEqual([
      "log format ignored for proxy 'l' since it has no log address",
    ]);
  });

  test('option httpslog needs TLS', () => {
    expect(messages('mode http\n  option httpslog')).toEqual(["'option httpslog' is not supported by Sluice yet"]);
  });
});
