/**
 * The entry point of the language: files in, lines of words out. Conditional blocks are resolved here, and the
 * environment changes here, as both decide how the following lines read.
 */
import { Conditions } from './conditions.ts';
import type { Diagnostics } from './diagnostics.ts';
import { applyEnvironment, defineVariables } from './environment.ts';
import { listFiles, readText } from './files.ts';
import { type Environment, Lexer } from './lexer.ts';
import type { Line } from './words.ts';

/** The keywords that begin a section (manual 2.1, rule 6). */
export const SECTIONS: readonly string[] = [
  'acme',
  'backend',
  'cache',
  'crt-store',
  'defaults',
  'dynamic-update',
  'fcgi-app',
  'frontend',
  'global',
  'healthcheck',
  'http-errors',
  'listen',
  'log-forward',
  'log-profile',
  'mailers',
  'namespace_list',
  'peers',
  'program',
  'resolvers',
  'ring',
  'traces',
  'userlist',
];

/**
 * Reads configuration files and folders.
 * @param paths as given to `-f`, in order
 * @param env the process's environment (a copy of it); changed by `setenv` and its kin, and holds afterwards what
 *   HAProxy defines. `HAPROXY_LOCALPEER` may be set before (`-L`).
 * @param diagnostics takes everything that is wrong; nothing is thrown
 * @returns the lines of all files in order. `setenv` and its kin are among them, already carried out; wrong ones are
 *   reported and left out.
 */
export function readLines(paths: readonly string[], env: Environment, diagnostics: Diagnostics): Line[] {
  const files = listFiles(paths, diagnostics);
  const lines: Line[] = [];
  defineVariables(env);
  for (const file of files) {
    const text = readText(file, diagnostics);
    if (text === null) continue;
    for (const line of readFileLines(file, text, env, diagnostics)) lines.push(line);
  }
  // Undefined while the files are read (manual 2.3).
  env.HAPROXY_CFGFILES = files.join(';');
  return lines;
}

/** The lines of one file's text: a generator, so that the caller may act on each before the next is read. */
export function* readFileLines(
  file: string,
  text: string,
  env: Environment,
  diagnostics: Diagnostics,
): Generator<Line, void, void> {
  const lexer = new Lexer(file, text, env, diagnostics);
  const conditions = new Conditions(env, diagnostics);
  let section = '';
  for (let next = lexer.next(); next !== null; next = lexer.next()) {
    const line = withoutEmptyEnd(next);
    if (conditions.take(line)) continue;
    const keyword = line.words[0]!.text;
    if (SECTIONS.includes(keyword)) {
      section = keyword;
      lexer.section = sectionName(line);
    } else if (section === 'global' && !applyEnvironment(line, env, diagnostics)) continue;
    yield line;
  }
  conditions.finish();
}

/** Empty words at the end of a line, as `"${OPTIONS}"` may leave them, are no arguments. */
function withoutEmptyEnd(line: Line): Line {
  const last = line.words.findLastIndex(word => word.text !== '');
  return last === line.words.length - 1 ? line : { ...line, words: line.words.slice(0, Math.max(last + 1, 1)) };
}

/** `.SECTION`: the section's name, or its type when it has none (`defaults from x` has none). */
function sectionName({ words }: Line): string {
  const name = words[1]?.text ?? '';
  return name === '' || name === 'from' ? words[0]!.text : name;
}
