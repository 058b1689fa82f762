/** `npm run docs`: writes what is generated from the keyword tables into the documents, between their markers. */
import fs from 'node:fs';
import path from 'node:path';
import { supportedCounts, supportedTable } from '../engine/config/supported.ts';

const ROOT = path.join(import.meta.dirname, '..');

interface Part {
  readonly file: string;
  /** The part stands between `<!-- name -->` and `<!-- /name -->`. */
  readonly name: string;
  readonly text: () => string;
}

const PARTS: readonly Part[] = [
  { file: 'README.md', name: 'supported', text: () => supportedCounts('engine/config/KEYWORDS.md') },
  { file: 'engine/config/KEYWORDS.md', name: 'keywords', text: supportedTable },
];

/** The documents with generated parts: path from the root, the text it has, the text it should have. */
export function documents(): { file: string; has: string; wants: string }[] {
  return PARTS.map(({ file, name, text }) => {
    const has = fs.readFileSync(path.join(ROOT, file), 'utf8');
    return { file, has, wants: between(has, name, text()) };
  });
}

/** `text` with `part` between the markers of `name`. Throws when it lacks them. */
export function between(text: string, name: string, part: string): string {
  const begin = `<!-- ${name} -->\n`;
  const end = `<!-- /${name} -->\n`;
  const from = text.indexOf(begin);
  const to = text.indexOf(end, from);
  if (from < 0 || to < 0) throw new Error(`no markers '${name}'`);
  return `${text.slice(0, from)}${begin}\n${part}\n\n${text.slice(to)}`;
}

if (import.meta.main) {
  for (const { file, has, wants } of documents()) {
    if (has !== wants) fs.writeFileSync(path.join(ROOT, file), wants);
    console.log(`${file} ${has === wants ? 'is up to date' : 'written'}`);
  }
}
