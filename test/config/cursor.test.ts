import { expect, test } from 'vitest';
import { Cursor } from '../../engine/config/cursor.ts';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { lex } from '../../engine/config/lexer.ts';

function cursorOver(text: string, taken = 0) {
  const diagnostics = new Diagnostics();
  const cursor = new Cursor(lex('a.cfg', `${text}\n`, {}, diagnostics)[0]!, diagnostics);
  for (let i = 0; i < taken; i++) cursor.next();
  return cursor;
}

/** What was reported: the message and the characters that it marks. */
function reported({ line, diagnostics }: Cursor): string[] {
  return diagnostics.list.map(d => `${d.message} <${line.source.slice(d.column - 1, d.column - 1 + d.width)}>`);
}

test('walks over the words', () => {
  const cursor = cursorOver('bind :80 name x');
  expect(cursor.current.text).toBe('bind');
  expect(cursor.next()?.text).toBe('bind');
  expect([cursor.index, cursor.left, cursor.peek()?.text]).toEqual([1, 3, ':80']);
  expect(cursor.match('name')).toBe(false);
  expect(cursor.match(':80')).toBe(true);
  expect(cursor.rest().map(word => word.text)).toEqual(['name', 'x']);
  expect([cursor.left, cursor.peek(), cursor.next(), cursor.rest(), cursor.expectEnd()]).toEqual([
    0,
    null,
    null,
    [],
    true,
  ]);
});

test('expectations that are met', () => {
  const cursor = cursorOver('x name 5 30s 7 1500 64k http');
  expect(cursor.match('x')).toBe(true);
  expect(cursor.expectWord('x')?.text).toBe('name');
  expect(cursor.expectInt('x', { min: 1, max: 5 })).toBe(5);
  expect(cursor.expectTime('x', 'ms')).toBe(30_000);
  expect(cursor.expectTime('x', 's')).toBe(7000);
  expect(cursor.expectTime('x', 'ms', { min: 1, max: 1500 })).toBe(1500);
  expect(cursor.expectSize('x')).toBe(65_536);
  expect(cursor.expectOneOf('x', ['tcp', 'http'])).toBe('http');
  expect(cursor.expectEnd()).toBe(true);
  expect(cursor.diagnostics.list).toEqual([]);
});

type Use = (cursor: Cursor) => unknown;
const TIME = 'a time (in milliseconds by default)';
test.each<[text: string, taken: number, use: Use, message: string]>([
  ['maxconn', 1, c => c.expectInt('maxconn'), "'maxconn' expects an integer <>"],
  ['maxconn abc', 1, c => c.expectInt('maxconn'), "'maxconn' expects an integer, not 'abc' <abc>"],
  [
    'nbthread 65',
    1,
    c => c.expectInt('nbthread', { min: 1, max: 64 }),
    "'nbthread' expects an integer between 1 and 64, not '65' <65>",
  ],
  ['timeout client', 2, c => c.expectTime('timeout client', 'ms'), `'timeout client' expects ${TIME} <>`],
  [
    'timeout client 10x',
    2,
    c => c.expectTime('timeout client', 'ms'),
    `'timeout client' expects ${TIME}: unexpected character 'x' (units are us, ms, s, m, h and d) in '10x' <10x>`,
  ],
  ['use_backend ""', 1, c => c.expectWord('a backend name'), `'use_backend' expects a backend name <"">`],
  ['description', 1, c => c.expectWord('description'), "'description' expects an argument <>"],
  ['mode htp', 1, c => c.expectOneOf('mode', ['tcp', 'http']), "'mode' expects 'tcp' or 'http', not 'htp' <htp>"],
  ['mode', 1, c => c.expectOneOf('mode', ['tcp', 'http']), "'mode' expects 'tcp' or 'http' <>"],
  [
    'tune.bufsize 1t',
    1,
    c => c.expectSize('the size'),
    /* a phrase, not the keyword */ "as the size: unexpected character 't'",
  ],
  ['daemon on', 1, c => c.expectEnd(), "'daemon' cannot handle unexpected argument 'on' <on>"],
])('%s', (text, taken, use, message) => {
  const cursor = cursorOver(text, taken);
  expect(use(cursor)).toBe(cursor.peek() === null ? null : false);
  expect(reported(cursor)).toHaveLength(1);
  expect(reported(cursor)[0]).toContain(message);
});

test('a wrong word of a list gets the hint', () => {
  const cursor = cursorOver('mode htp', 1);
  cursor.expectOneOf('mode', ['tcp', 'http']);
  expect(cursor.diagnostics.list[0]).toMatchObject({
    hint: "did you mean 'http' maybe ?",
    column: 6,
    severity: 'alert',
  });
});

test('errors and warnings mark the current word, or the one given', () => {
  const cursor = cursorOver('a b c', 2);
  cursor.error('one');
  cursor.warning('two', 'hint', cursor.line.words[2]!);
  expect(reported(cursor)).toEqual(['one <b>', 'two <c>']);
  expect(cursor.diagnostics.list[1]).toMatchObject({
    severity: 'warning',
    hint: 'hint',
    place: { file: 'a.cfg', line: 1 },
  });
});
