/** The structures behind patterns find what a search through the list would find. */

import { describe, expect, test } from 'vitest';
import { PatternBooks } from '../../engine/sample/book.ts';
import { ByteTable } from '../../engine/sample/byte-table.ts';
import { parseNetwork } from '../../engine/sample/network-list.ts';
import { type MatchName, matchMethod, setOf } from '../../engine/sample/pattern.ts';
import { type PatternRef, readPatternFile } from '../../engine/sample/pattern-ref.ts';
import { Radix } from '../../engine/sample/radix.ts';
import { Sample } from '../../engine/sample/sample.ts';
import { ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import { monotonicMs } from '../../engine/time.ts';
import fc from '../properties.ts';

const word = fc.string({ unit: fc.constantFrom('a', 'b', 'A', '.', '/', '?'), maxLength: 5 });
const words = fc.array(word, { maxLength: 12 });

function sampleOf(text: string): Sample {
  const sample = new Sample();
  const bytes = Buffer.from(`<${text}>`);
  sample.setStr(bytes, 1, bytes.length - 1);
  return sample;
}

/** Whether `text` has `pattern` between delimiters; one of delimiters alone is what ends with one. */
function hasPart(text: string, pattern: string, delimiters: string): boolean {
  const trimmed = [...pattern];
  while (trimmed.length > 0 && delimiters.includes(trimmed[0]!)) trimmed.shift();
  while (trimmed.length > 0 && delimiters.includes(trimmed.at(-1)!)) trimmed.pop();
  const part = trimmed.join('');
  if (part === '') return text === '' || delimiters.includes(text.at(-1)!);
  for (let at = 0; at + part.length <= text.length; at++) {
    const before = at === 0 || delimiters.includes(text[at - 1]!);
    const after = at + part.length === text.length || delimiters.includes(text[at + part.length]!);
    if (before && after && text.startsWith(part, at)) return true;
  }
  return false;
}

const NAIVE: Partial<Record<MatchName, (text: string, pattern: string) => boolean>> = {
  str: (text, pattern) => text === pattern,
  beg: (text, pattern) => text.startsWith(pattern),
  end: (text, pattern) => text.endsWith(pattern),
  sub: (text, pattern) => text.includes(pattern),
  dir: (text, pattern) => hasPart(text, pattern, '/?'),
  dom: (text, pattern) => hasPart(text, pattern, './:?'),
};

describe.each(Object.entries(NAIVE))('%s', (name, matches) => {
  test.each([false, true])('ignoring case: %s', fold => {
    fc.assert(
      fc.property(words, word, (patterns, text) => {
        const set = setOf(matchMethod(name)!, fold, patterns);
        const lower = (s: string): string => (fold ? s.toLowerCase() : s);
        const found = set.find(sampleOf(text));
        const all = patterns.flatMap((pattern, i) => (matches(lower(text), lower(pattern)) ? [i] : []));
        if (name === 'beg' && !fold && all.length > 0) {
          const longest = Math.max(...all.map(i => patterns[i]!.length));
          expect(patterns[found]!.length).toBe(longest);
        } else expect(found).toBe(all[0] ?? -1);
      }),
    );
  });
});

test('a table keeps thousands of keys apart', () => {
  const table = new ByteTable();
  const keys = Array.from({ length: 5_000 }, (_, i) => Buffer.from(`key-${i * 31}`));
  for (const key of keys) table.add(key, 0, key.length);
  for (const [i, key] of keys.entries()) expect(table.find(key, 0, key.length)).toBe(i);
  expect(table.find(Buffer.from('key-1'), 0, 5)).toBe(-1);
});

test('the radix tree gives the longest network', () => {
  const network = fc.record({
    byte: fc.array(fc.constantFrom(0, 1, 128, 255), { minLength: 4, maxLength: 4 }),
    bits: fc.integer({ min: 0, max: 32 }),
  });
  fc.assert(
    fc.property(fc.array(network, { maxLength: 20 }), network, (networks, { byte: address }) => {
      const tree = new Radix(4);
      const masked = networks.map(({ byte, bits }) => parseNetwork(`${byte.join('.')}/${bits}`)!);
      const inside = (i: number): boolean =>
        masked[i]!.address.every((b, k) => ((b ^ address[k]!) & masked[i]!.mask[k]!) === 0);
      for (const [i, n] of masked.entries()) tree.add(n.address, n.bits, i);
      const found = tree.find(Uint8Array.from(address), 0);
      const longest = Math.max(-1, ...masked.flatMap((n, i) => (inside(i) ? [n.bits] : [])));
      expect(found < 0 ? -1 : masked[found]!.bits).toBe(longest);
      if (found >= 0) expect(inside(found)).toBe(true);
    }),
  );
});

test('a map of 100,000 entries is built within a second', () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, i) => `host-${i}.example.org backend-${i}\n`).join(''));
  const log = new ChangeLog(createChanges(1), 0);
  const ref = readPatternFile(
    { env: {}, resolve: () => null, readFolder: () => null, readFile: () => bytes },
    'x',
    true,
  ) as PatternRef;
  const begin = monotonicMs();
  const book = new PatternBooks([ref], log).get(ref, matchMethod('str')!, false);
  expect(monotonicMs() - begin).toBeLessThan(1_000);
  const entry = book.find(sampleOf('host-77777.example.org'));
  expect(Buffer.from(book.entries.value(entry)).toString()).toBe('backend-77777');
});
