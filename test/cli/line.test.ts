import { expect, test } from 'vitest';
import { findCommand, helpText, unknownText } from '../../engine/cli/help.ts';
import { COMMANDS } from '../../engine/cli/index.ts';
import { splitLine } from '../../engine/cli/line.ts';
import fc from '../properties.ts';

test.each([
  ['show stat', [['show', 'stat']]],
  ['  show\tstat  up\r', [['show', 'stat', 'up']]],
  ['a;b c; d', [['a'], ['b', 'c'], ['d']]],
  ['a;;b;', [['a'], ['b']]],
  ['', [[]]],
  [' ; ', [[]]],
  ['a\\ b c\\;d \\\\', [['a b', 'c;d', '\\']]],
  ['a\\', [['a\\']]],
] as const)('%j', (line, commands) => {
  expect(splitLine(line)).toEqual({ commands, payloadEnd: null });
});

test.each([
  ['add map m <<', [['add', 'map', 'm']], ''],
  ['a; b <<EOF', [['a'], ['b']], 'EOF'],
  ['a <<%x%\r', [['a']], '%x%'],
  [`a <<${'x'.repeat(65)}`, [['a', `<<${'x'.repeat(65)}`]], null],
  ['a<<', [['a<<']], null],
] as const)('payload: %j', (line, commands, payloadEnd) => {
  expect(splitLine(line)).toEqual({ commands, payloadEnd });
});

test('any line can be split, and what cannot be run gets an answer', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 200 }), fc.constantFrom('user', 'admin'), (line, level) => {
      for (const words of splitLine(line).commands) {
        expect(words.length).toBeLessThanOrEqual(64);
        if (findCommand(COMMANDS, words) === null) {
          expect(unknownText(COMMANDS, level, words)).toMatch(/\n {2}quit {36}: disconnect$/);
        }
      }
    }),
  );
});

test('whatever words are escaped and joined come back', () => {
  const word = fc.string({ minLength: 1, maxLength: 10 });
  fc.assert(
    fc.property(fc.array(word, { minLength: 1, maxLength: 10 }), words => {
      const line = words.map(w => w.replace(/[\s\S]/g, '\\$&')).join(' ');
      const { commands, payloadEnd } = splitLine(line);
      if (payloadEnd === null) expect(commands).toEqual([words]);
    }),
  );
});

test('every command is one row, found by its words, and has its line in help', () => {
  expect(new Set(COMMANDS.map(c => c.words)).size).toBe(COMMANDS.length);
  const help = helpText(COMMANDS, 'admin', []).split('\n');
  for (const command of COMMANDS) {
    expect(findCommand(COMMANDS, [...command.words.split(' '), 'x'])).toBe(command);
    const lines = help.filter(l => l.startsWith(`  ${command.words} `) && l.endsWith(`: ${command.help}`));
    expect(lines).toHaveLength(command.hidden ? 0 : 1);
    if (!command.hidden) expect(lines[0]!.indexOf(': ')).toBe(42);
  }
});
