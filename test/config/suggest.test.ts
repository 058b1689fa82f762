import { describe, expect, test } from 'vitest';
import { didYouMean, distance, suggest } from '../../engine/config/suggest.ts';
import fc from '../properties.ts';

const KNOWN = ['stats uri', 'stats enable', 'bind', 'balance', 'default_backend', 'option httplog', 'retries', 'mode'];

test.each([
  ['stats-uri', 'stats uri'],
  ['statsuri', 'stats uri'],
  ['stats url', 'stats uri'],
  ['BIND', 'bind'],
  ['blance', 'balance'],
  ['balanec', 'balance'],
  ['default-backend', 'default_backend'],
  ['option http-log', 'option httplog'],
  ['retry', null],
  ['xyz', null],
  ['', null],
  ['x'.repeat(10_000), null],
])('%j: %j', (word, expected) => expect(suggest(word, KNOWN)).toBe(expected));

test('the hint', () => {
  expect(didYouMean('stats-uri', KNOWN)).toBe("did you mean 'stats uri' maybe ?");
  expect(didYouMean('stats uri', ['stats uri'])).toBeNull();
});

describe('distance', () => {
  test.each([
    ['', '', 0],
    ['a', '', 1],
    ['abc', 'acb', 1],
    ['abcd', 'abxcd', 1],
    ['kitten', 'sitting', 3],
  ])('%s %s', (a, b, d) => {
    expect(distance(a, b, 9)).toBe(d);
    expect(distance(a, b, d - 1)).toBe(d);
  });

  test('is symmetric, zero for equals only, and bounded by the limit', () => {
    const word = fc.string({ unit: fc.constantFrom(...'abc'), maxLength: 8 });
    fc.assert(
      fc.property(word, word, fc.nat(8), (a, b, limit) => {
        const d = distance(a, b, 20);
        expect(d).toBe(distance(b, a, 20));
        expect(d === 0).toBe(a === b);
        expect(distance(a, b, limit)).toBe(Math.min(d, limit + 1));
      }),
    );
  });
});
