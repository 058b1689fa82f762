// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the braces are those of environment variables

import { describe, expect, test } from 'vitest';
import { Diagnostics } from '../../engine/config/diagnostics.ts';
import { type Environment, lex } from '../../engine/config/lexer.ts';
import fc from '../properties.ts';

const ENV: Environment = { A: 'x y  z', L: '  a  b ', E: '', X: '1' };

function read(text: string, env = ENV) {
  const diagnostics = new Diagnostics();
  const lines = lex('a.cfg', text, env, diagnostics);
  return { lines, words: lines.map(line => line.words.map(word => word.text)), list: diagnostics.list };
}

function words(line: string): string[] {
  const result = read(`${line}\n`);
  expect(result.list).toEqual([]);
  return result.words.flat();
}

describe('words', () => {
  test.each([
    ['a b\tc', ['a', 'b', 'c']],
    ['  global#this is the global section', ['global']],
    ['# nothing', []],
    ['a\fb', ['a', 'b']],
    ['a \r', ['a']],
    ['a"b c"d', ['ab cd']],
    ['"" ""', ['', '']],
    ["'it'\\''s'", ["it's"]],
    ["'a\\$A#\"'", ['a\\$A#"']],
    ['"\'" "#" \\# \\\\ \\" \\\'', ["'", '#', '#', '\\', '"', "'"]],
    ['a\\ b a\\x41\\ b\\#c', ['a b', 'aA b#c']],
    ['a\\qb "a\\qb"', ['a\\qb', 'a\\qb']],
    ['a\\$ "a\\$"', ['a\\$', 'a$']],
    ['"\\$ \\t\\n\\r" $ $X ${X}', ['$ \t\n\r', '$', '$X', '${X}']],
    ['\\xc3\\xa9 "\\xe2\\x82\\xac" \\xff', ['é', '€', 'ÿ']],
    ['log-format "%{+Q}o %t"\' %s\'\\ %{-Q}r', ['log-format', '%{+Q}o %t %s %{-Q}r']],
  ])('%j', (line, expected) => expect(words(line)).toEqual(expected));

  test('any string in strong quotes, weak quotes or escapes gives itself back', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 30 }).filter(s => !/[\0\r\n]/.test(s));
    const weak = (s: string) => `"${s.replace(/[\\"$]/g, '\\$&')}"`;
    const bare = (s: string) => s.replace(/[\s\\"'#]/g, c => (/[\v\f]/.test(c) ? `"${c}"` : `\\${c}`));
    fc.assert(
      fc.property(fc.array(text, { minLength: 1, maxLength: 5 }), list => {
        expect(words(list.map(weak).join(' '))).toEqual(list);
        const strong = list.map(s => s.replaceAll("'", ''));
        expect(words(strong.map(s => `'${s}'`).join('\t'))).toEqual(strong);
        const some = list.filter(s => s !== '' && !/[^\S \t\v\f]/u.test(s));
        expect(words(some.map(bare).join(' '))).toEqual(some);
      }),
    );
  });

  test('any bytes as \\xNN give the string that they encode', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), s => {
        fc.pre(!s.includes('\0'));
        const hex = Array.from(new TextEncoder().encode(s), b => `\\x${b.toString(16).padStart(2, '0')}`).join('');
        expect(words(hex)).toEqual([s]);
      }),
    );
  });

  test('any text at all ends, and reports or reads every line', () => {
    const unit = fc.constantFrom(...'ab \t"\'\\$#{}[*]-xX.\n\r\0');
    fc.assert(
      fc.property(fc.string({ unit, maxLength: 60 }), text => {
        for (const { line, words: list, source } of read(text).lines) {
          expect(source).toBe(text.split('\n')[line - 1]!.replace(/\r+$/, ''));
          for (const { column, width } of list) expect(column + width).toBeLessThanOrEqual(source.length + 1);
        }
      }),
    );
  });
});

describe('environment variables', () => {
  test.each([
    ['"<$A>" <"$A">', ['<x y  z>', '<x y  z>']],
    ['"<${A[*]}>"', ['<x', 'y', 'z>']],
    ['"${L[*]}" end', ['a', 'b', 'end']],
    ['"${E[*]}" "${NOPE[*]}" end', ['end']],
    ['"a${NOPE[*]}" "${NOPE[*]}b"', ['a', 'b']],
    ['"${NOPE[*]-a b}"', ['a', 'b']],
    ['"<$NOPE>" "<${NOPE}>"', ['<>', '<>']],
    ['"<${NOPE-d e f}>" "<${NOPE-}>"', ['<d e f>', '<>']],
    ['"<${NOPE-a"b#}>"', ['<a"b#>']],
    ['"<${NOPE-$A}>" "<${NOPE-a}b}>"', ['<$A>', '<ab}>']],
    ['"<${E-def}>" "<${X-def}>"', ['<>', '<1>']],
    ['"<$X-x>" "$X_Y"', ['<1-x>', '']],
    ['"${.FILE}:$.LINE$.SECTION"', ['a.cfg:1']],
    ['"$constructor"', ['']],
  ])('%j', (line, expected) => expect(words(line)).toEqual(expected));
});

describe('continuation', () => {
  test('a backslash at the end joins lines, in weak quotes too', () => {
    const { lines } = read('a \\\n  b\\\nc "d\\\r\ne"\nf # \\\n"g $.LINE"\n');
    expect(lines.map(l => [l.line, l.source, l.words.map(w => w.text)])).toEqual([
      [1, 'a \\', ['a', 'bc', 'de']],
      [5, 'f # \\', ['f']],
      [6, '"g $.LINE"', ['g 6']],
    ]);
    expect(lines[0]!.words.map(w => [w.column, w.width])).toEqual([
      [1, 1],
      [0, 0],
      [0, 0],
    ]);
  });

  test('not in strong quotes', () => {
    expect(read("'a\\\nb\n").list.map(d => d.message)).toEqual(['unmatched quote at position 1']);
  });
});

describe('places', () => {
  test('columns and widths count characters of the source', () => {
    const [line] = read('\n\t bind "fd@$X" name\\ x # c\n').lines;
    expect(line!.line).toBe(2);
    expect(line!.words.map(w => line!.source.slice(w.column - 1, w.column - 1 + w.width))).toEqual([
      'bind',
      '"fd@$X"',
      'name\\ x',
    ]);
  });
});

describe('errors', () => {
  // Messages and positions are those of HAProxy 2.6.
  test.each([
    ['  description "abc', 'unmatched quote at position 15'],
    ["  description 'abc", 'unmatched quote at position 15'],
    ['  description "a\\xZZ"', 'truncated or invalid hexadecimal sequence at position 17'],
    ['  description "a\\x4"', 'truncated or invalid hexadecimal sequence at position 17'],
    ['  description "${FOO"', 'unmatched brace in environment variable name at position 17'],
    ['  description "${FOO;x}"', 'unmatched brace in environment variable name at position 17'],
    ['  description "$"', 'forbidden first char in environment variable name at position 17'],
    ['  description "${}"', 'forbidden first char in environment variable name at position 18'],
    ['.notice "<$1>"', 'forbidden first char in environment variable name at position 12'],
    ['.notice "<${A.b}>"', 'unmatched brace in environment variable name at position 12'],
    ['.notice "<${E:-def}>"', 'unmatched brace in environment variable name at position 12'],
    ['.notice "<$.FOO>"', 'forbidden first char in environment variable name at position 12'],
    // HAProxy silently ends the word, or the line, at these.
    ['a\\x00b', 'NUL character in a word at position 2'],
    ['a\rb', 'unexpected carriage return at position 2'],
    ['  descri\0ption', 'unexpected NUL character at position 9'],
  ])('%j', (line, message) => {
    const result = read(`first\n${line}\nlast\n`);
    expect(result.words).toEqual([['first'], ['last']]);
    expect(result.list).toHaveLength(1);
    expect(result.list[0]).toMatchObject({
      severity: 'alert',
      message,
      source: line,
      place: { file: 'a.cfg', line: 2 },
    });
    expect(message).toContain(`position ${result.list[0]!.column}`);
  });

  test('a last line without line feed is read and reported', () => {
    const result = read('global\n  description abc');
    expect(result.words).toEqual([['global'], ['description', 'abc']]);
    expect(result.list[0]).toMatchObject({
      message: 'missing LF on last line, file might have been truncated at position 18',
      place: { line: 2 },
    });
    expect(read('').list).toEqual([]);
    expect(read('a\n# end').list).toHaveLength(1);
  });

  test('more than 64 words', () => {
    const result = read(`${Array.from({ length: 70 }, (_, i) => `w${i}`).join(' ')}\n`);
    expect(result.words[0]).toHaveLength(64);
    expect(result.list[0]).toMatchObject({
      message: /too many words, truncating after word 64/,
      column: 247,
      width: 3,
    });
  });
});
