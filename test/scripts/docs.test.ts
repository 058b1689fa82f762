import { expect, test } from 'vitest';
import { between, documents } from '../../scripts/docs.ts';

test.each(documents())('$file is up to date (npm run docs)', ({ has, wants }) => {
  expect(has).toBe(wants);
});

test('only what is between the markers changes', () => {
  const text = 'a\n<!-- x -->\nold\n<!-- /x -->\nb\n';
  expect(between(text, 'x', 'new')).toBe('a\n<!-- x -->\n\nnew\n\n<!-- /x -->\nb\n');
  expect(between(between(text, 'x', 'new'), 'x', 'new')).toBe(between(text, 'x', 'new'));
  expect(() => between(text, 'y', 'new')).toThrow("no markers 'y'");
});
