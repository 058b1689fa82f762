/** Regular expressions: what PCRE writes otherwise, what is refused, and that none stalls a worker. */
import { expect, test } from 'vitest';
import { compileRegex, regexProblem } from '../../engine/sample/regex.ts';
import { monotonicMs } from '../../engine/time.ts';

test.each([
  ['^/v[0-9]+/', '/v12/x', true],
  ['(?i)ABC', 'abc', true],
  ['[[:alpha:]]+[[:digit:]]', 'ab1', true],
  ['^[^[:space:]]+$', 'a b', false],
  ['\\Aab\\z', 'ab', true],
  ['a.b', 'a\nb', false],
  ['a.b', 'a\rb', true],
  ['(?P<x>a)(?P=x)', 'aa', true],
  ['\\Qa.b\\E$', 'a.b', true],
  ['\\Qa.b\\E$', 'axb', false],
  ['a{,3}', 'a{,3}', true],
  ['[]a]', ']', true],
  ['\\x{41}', 'A', true],
  ['é', Buffer.from('é').toString('latin1'), true],
])('%s on %j: %s', (pattern, text, matches) => {
  expect(compileRegex(pattern).test(text)).toBe(matches);
});

test.each([
  ['(', 'unterminated group'],
  ['a++', 'possessive quantifiers'],
  ['(?>a)', 'atomic groups'],
  ['(?R)', 'recursion'],
  ['[[:foo:]]', 'the class [:foo:]'],
])('%s is refused', (pattern, reason) => {
  expect(regexProblem(pattern)).toContain(reason);
});

test.each(['^(a+)+$', '^(a|a)*$', '^(a|aa)+$', '(x+x+)+y'])('%s does not stall', pattern => {
  const regex = compileRegex(pattern);
  const begin = monotonicMs();
  expect(regex.test(`${(pattern.includes('x') ? 'x' : 'a').repeat(32)}!`)).toBe(false);
  expect(monotonicMs() - begin).toBeLessThan(200);
});
