/**
 * The layers: who may import what, and who may use which global. Read from the sources, so that a slip fails here and
 * not in a review.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { files, ROOT, read, sources } from './sources.ts';

const SOURCES = ['engine', 'workers'].flatMap(sources);

interface Rule {
  readonly rule: string;
  /** Files that may: their paths match. */
  readonly only: RegExp;
  readonly imports?: RegExp;
  readonly uses?: RegExp;
}

const RULES: readonly Rule[] = [
  { rule: 'workers/ imports engine/, never the reverse', only: /^workers\//, imports: /^workers\// },
  { rule: 'nothing that runs needs bench/, scripts/ or test/', only: /^$/, imports: /^(bench|scripts|test)\// },
  {
    rule: 'only workers/ starts threads',
    only: /^workers\//,
    imports: /^(node:(worker_threads|cluster)|piscina)$/,
  },
  {
    rule: 'only workers/ starts processes, and the io the programs of external checks',
    only: /^(workers\/|engine\/io\/command\.ts$)/,
    imports: /^node:child_process$/,
    uses: /^process\.kill$/,
  },
  {
    rule: 'only workers/ reads signals and ends the process',
    only: /^workers\//,
    uses: /^process\.(on|once|addListener|exit|abort)$/,
  },
  {
    rule: 'only engine/io/ touches sockets, and only it and engine/tls/ what is native',
    only: /^engine\/(io|tls)\//,
    imports: /^node:(net|dgram|tls|https?|http2|dns|dns\/promises|ffi)$/,
  },
  {
    rule: 'only engine/time.ts looks at a clock',
    only: /^engine\/time\.ts$/,
    imports: /^node:(timers|timers\/promises|perf_hooks)$/,
    uses: /^(Date\.now|new Date\(\)|performance|process\.hrtime|setTimeout|setInterval)$/,
  },
  {
    // The check phase ends a turn of the net io; the doorbell rings itself when it was rung before it slept.
    rule: 'only the loop of an io and the doorbell yield to the event loop',
    only: /^engine\/(io\/|shm\/doorbell\.ts$)/,
    uses: /^(setImmediate|process\.nextTick|queueMicrotask)$/,
  },
];

describe('the layers', () => {
  test.each(RULES)('$rule', ({ only, imports, uses }) => {
    const wrong = SOURCES.filter(({ path }) => !only.test(path)).flatMap(({ path, ...source }) => [
      ...source.imports.filter(name => imports?.test(name)).map(name => `${path} imports ${name}`),
      ...source.uses.filter(name => uses?.test(name)).map(name => `${path} uses ${name}`),
    ]);
    expect(wrong).toEqual([]);
  });

  test('packages that run are dependencies', () => {
    const { dependencies } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));
    const packages = SOURCES.flatMap(({ imports }) => imports).filter(
      name => !/^(node:|engine\/|workers\/)/.test(name),
    );
    expect(new Set(packages).difference(new Set(Object.keys(dependencies)))).toEqual(new Set());
  });
});

describe('the folders', () => {
  const paths = ['engine', 'workers', 'bench', 'scripts', 'test'].flatMap(files);

  test('are at most two deep', () => {
    expect(paths.filter(path => path.startsWith('engine/') && path.split('/').length > 4)).toEqual([]);
  });

  test('and the files in them have kebab-case names', () => {
    const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+)*$/;
    const loud = /^[A-Z]+\.md$/; // what a reader looks for first
    const wrong = paths.filter(path => !path.split('/').every(part => kebab.test(part) || loud.test(part)));
    expect(wrong).toEqual([]);
  });
});

describe('the reading of sources', () => {
  test('finds imports of every form', () => {
    const { imports } = read(
      'engine/x/y.ts',
      `import a from './a.ts';
       import type { B } from '../b.ts';
       import './c.ts';
       export { d } from 'd';
       export * from './e.ts';
       const f = await import('node:f');
       // import g from './g.ts';`,
    );
    expect(imports).toEqual(['engine/x/a.ts', 'engine/b.ts', 'engine/x/c.ts', 'd', 'engine/x/e.ts', 'node:f']);
  });

  test('finds uses, not names of others', () => {
    const used = (text: string) => read('x.ts', text).uses;
    expect(used('Date.now(); run(setTimeout)')).toEqual(['Date.now', 'Date', 'run', 'setTimeout']);
    expect(used('new Date(); new Date(0)')).toEqual(['new Date()', 'Date', 'Date']);
    expect(used("'Date.now'; socket.setTimeout(1); ({ setTimeout: 1 })")).toEqual(['socket.setTimeout', 'socket']);
    expect(used('function setTimeout() {} setTimeout()')).toEqual([]);
  });
});
