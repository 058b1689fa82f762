import { expect, test } from 'vitest';
import type { Keyword } from '../../engine/config/keyword.ts';
import { BIND } from '../../engine/config/keywords-bind.ts';
import { GLOBAL } from '../../engine/config/keywords-global.ts';
import { PROXY } from '../../engine/config/keywords-proxy.ts';
import { SERVER } from '../../engine/config/keywords-server.ts';
import { SECTIONS } from '../../engine/config/sections.ts';
import fc from '../properties.ts';
import { load } from './load-text.ts';

const SAMPLES = ([GLOBAL, PROXY, BIND, SERVER] as readonly (readonly Keyword<never>[])[]).flat();

/** Words that mean something somewhere, and some that never do. */
const word = fc.oneof(
  fc.constantFrom(...SECTIONS.map(section => section.keyword)),
  fc.constantFrom(...SAMPLES.map(row => row.name)),
  fc.constantFrom(
    'no',
    'default',
    'a',
    'b',
    '127.0.0.1:80',
    ':1-3',
    '10s',
    '-1',
    '0',
    '99999999999',
    'if',
    '%[x]',
    '("',
    '\\',
  ),
  fc.string({ maxLength: 8 }),
);
const sample = fc.constantFrom(...SAMPLES.flatMap(row => row.good));
const line = fc.oneof(
  fc.array(word, { maxLength: 6 }).map(words => words.join(' ')),
  sample,
);

test('any text gives a model or errors, never an exception', () => {
  fc.assert(
    fc.property(fc.array(line, { maxLength: 30 }), lines => {
      const { model, diagnostics } = load(lines.join('\n'));
      expect(model === null).toBe(diagnostics.fatal);
      for (const { place, source, column, width } of diagnostics.list) {
        if (place !== null) expect(place.line).toBeGreaterThan(0);
        if (source !== null && column > 0) expect(column + width).toBeLessThanOrEqual(source.length + 2);
      }
    }),
    { numRuns: 300, seed: 1 },
  );
});

test('lines in their own sections, many at once', () => {
  const inside = SAMPLES.filter(row => row.where.includes('L') && row.status !== 'later').flatMap(row => row.good);
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...inside), { maxLength: 40 }), lines => {
      const { model, diagnostics } = load(`listen t\n${lines.join('\n')}\n`, { files: { '/dev/null': '' } });
      expect(model === null).toBe(diagnostics.fatal);
      if (model === null) return;
      const { binds, servers } = model.proxies[0]!;
      for (const list of [binds, servers]) expect(new Set(list.map(entry => entry.id)).size).toBe(list.length);
    }),
    { numRuns: 200, seed: 1 },
  );
});
