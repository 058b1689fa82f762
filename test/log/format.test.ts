import { describe, expect, test } from 'vitest';
import { compileFormat } from '../../engine/log/format.ts';
import { type Format, httpVariable, LOG_LINE, parseFormat } from '../../engine/log/format-text.ts';
import { EARLY, END, START } from '../../engine/log/variable.ts';
import { VARIABLES } from '../../engine/log/variables.ts';
import { load } from '../config/load-text.ts';

const RESOURCES = { resolve: () => null, readFolder: () => null, readFile: () => null, env: {} };
const parse = (text: string) => parseFormat(text, LOG_LINE, RESOURCES);

function errorOf(text: string): string {
  const format = parse(text);
  return 'message' in format ? format.message : '';
}

function read(text: string): Format {
  const format = parse(text);
  if ('message' in format) throw new Error(format.message);
  return format;
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
    ['%[nosuch]', "failed to parse sample expression <nosuch]> : unknown fetch method 'nosuch'"],
    ['%[src x]', "expected ']' after 'src'"],
    [
      '%[req.hdr(a)]',
      "sample fetch <req.hdr(a)> may not be reliably used here because it needs 'HTTP request headers' which is not available here",
    ],
    ['%{+Z}ci', "unknown flag 'Z'"],
    ['%(a:float)ci', "unexpected output type 'float'"],
    ['%(a', "truncated line after 'a'"],
    [
      '% a',
      "unexpected variable name near ' ' at position 1 line : '% a'. Maybe you want to write a single '%', use the syntax '%%'",
    ],
  ])('%s', (text, message) => expect(errorOf(text)).toBe(message));

  test.each(VARIABLES.filter(v => v.mode === 'http').map(v => v.name))('%%%s in TCP mode', name => {
    expect(httpVariable(read(`%ci %${name}`))).toBe(name);
  });

  test('an unknown name gets a suggestion', () => {
    expect(parse('%tscc')).toMatchObject({ hint: expect.stringContaining('tsc') });
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
    expect(compileFormat(read(text), null, partial)).toMatchObject({ known });
  });
});

describe('in a configuration', () => {
  const messages = (lines: string): string[] =>
    load(`listen l\n  bind :80\n  log stdout local0\n  timeout client 1s\n  ${lines}\n`).diagnostics.list.map(
      d => d.message,
    );

  test('a bad format is an error at its line', () => {
    expect(messages('mode http\n  log-format "%ci %zz"')[0]).toMatch(/^failed to parse log-format : no such format/);
    expect(messages('error-log-format %[foo]')[0]).toMatch(
      /^failed to parse error-log-format : failed to parse sample/,
    );
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
    expect(model('option httplog\n  log-format %ci').proxies[0]).toMatchObject({
      logFormat: { items: [{ name: 'ci' }] },
    });
    expect(model('log-format %ci\n  option httplog').proxies[0]).toMatchObject({ logFormat: null, logStyle: 'http' });
  });

  test.each([
    ['log global', ['/l', 'stdout']],
    ['log /m local0\n  log global\n  log global', ['/l', '/m', 'stdout']],
    ['no log\n  log global', ['stdout']],
    ['no log', []],
  ])('log global adds the targets of the global section, once: %j', (lines, addresses) => {
    const sections = `global\n log stdout local0\ndefaults\n log /l local0\nlisten l\n bind :80\n timeout client 1s\n  ${lines}\n`;
    expect(load(sections).model!.proxies[0]!.logs.map(({ address }) => address)).toEqual(addresses);
  });

  test('a format without a target is told', () => {
    expect(messages('mode http\n  no log\n  log-format %ci')).toEqual([
      "log format ignored for proxy 'l' since it has no log address",
    ]);
  });

  test('option httpslog', () => {
    expect(messages('mode http\n  option httpslog')).toEqual([]);
  });
});
