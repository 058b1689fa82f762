/** What the configuration says is read by somebody: a word that is accepted and has no effect is told as such (`accepted`). */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { files, ROOT } from '../sources.ts';

/** Files that write the model, and those that declare it. */
const WRITES = /^engine\/config\/(keywords-.*|.*drafts?|.*model)\.ts$/;
const DECLARES = /^engine\/config\/.*model\.ts$/;

const text = (file: string) => readFileSync(join(ROOT, file), 'utf8');

test('every field of the model is read', () => {
  const all = ['engine', 'workers'].flatMap(files).filter(file => file.endsWith('.ts'));
  const words = new Set(all.filter(file => !WRITES.test(file)).flatMap(file => text(file).match(/\w+/g) ?? []));
  const declared = all.filter(file => DECLARES.test(file)).map(text);
  const fields = declared.flatMap(source => [...source.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, name]) => name!));
  expect(fields.length).toBeGreaterThan(300);
  expect(fields.filter(field => !words.has(field))).toEqual([]);
});
