/** What was changed of maps, ACLs and variables in one generation of the configuration, in the next. */

import { expect, test } from 'vitest';
import type { Resources } from '../../engine/config/draft.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { inheritChanges } from '../../engine/sample/inherit-changes.ts';
import { addAcl, deleteKey, setMap } from '../../engine/sample/pattern-changes.ts';
import { ownPatterns, type PatternRef, readPatternFile } from '../../engine/sample/pattern-ref.ts';
import { type ProcVar, ProcVars } from '../../engine/sample/proc-vars.ts';
import { SINT, type Type } from '../../engine/sample/sample.ts';
import { type ChangeBuffers, ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import fc from '../properties.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const number = (int: number) => ({ type: SINT as Type, int, wide: null, bytes: new Uint8Array(0) });
const THREAD = 0;
const MASTER = 1;

/** A configuration as it runs: files by name, the patterns of ACL lines, variables. */
class Running {
  readonly patternRefs: readonly PatternRef[];
  readonly procVars: readonly ProcVar[];
  readonly proxies = [];
  readonly buffers: ChangeBuffers = createChanges(2);
  readonly follower = MASTER;
  readonly books: PatternBooks;
  readonly vars: ProcVars;

  constructor(files: Record<string, string>, lines: readonly string[][] = [], vars: Record<string, number> = {}) {
    const readFile = (path: string) => bytes(files[path]!);
    const resources: Resources = { env: {}, resolve: () => null, readFolder: () => null, readFile };
    const maps = Object.keys(files).map(name => readPatternFile(resources, name, true) as PatternRef);
    this.patternRefs = [...maps, ...lines.map(patterns => ownPatterns(resources, -1, 'path', patterns)!)];
    this.procVars = Object.entries(vars).map(([name, int]) => ({ name, ...number(int) }));
    const log = new ChangeLog(this.buffers, THREAD);
    this.books = new PatternBooks(this.patternRefs, log);
    this.vars = new ProcVars(this.procVars, log);
  }

  /** `key value` of all entries of the reference with this place. */
  list(place: number): string[] {
    const entries = this.books.present(this.patternRefs[place]!).entries()!;
    return Array.from({ length: entries.count }, (_, i) => i)
      .filter(i => entries.isThere(i))
      .map(i => `${Buffer.from(entries.key(i))} ${Buffer.from(entries.value(i))}`.trim());
  }
}

test('files are known by name, wherever they are named, and go on as they are', () => {
  const old = new Running({ a: 'k 1\nl 2\n', b: 'x y\n' });
  const heir = new Running({ new: 'n 0\n', b: 'x y\n', a: 'k 1\nl 2\n' });
  setMap(old.books, old.patternRefs[0]!, bytes('k'), bytes('one'));
  deleteKey(old.books, old.patternRefs[0]!, bytes('l'));
  expect(inheritChanges(heir, old)).toEqual([]);
  expect([0, 1, 2].map(place => heir.list(place))).toEqual([['n 0'], ['x y'], ['k one']]);
  setMap(heir.books, heir.patternRefs[2]!, bytes('k'), bytes('two'));
  expect(heir.list(2)).toEqual(['k two']);
  expect(old.list(0)).toEqual(['k one']);
  // And to the one after it.
  const last = new Running({ a: 'k 1\nl 2\n' });
  expect(inheritChanges(last, heir)).toEqual([]);
  expect(last.list(0)).toEqual(['k two']);
});

test('a file that says something else now is in force, and that is told', () => {
  const old = new Running({ a: 'k 1\n', gone: 'x y\n' });
  const heir = new Running({ a: 'k 2\n' });
  for (const ref of old.patternRefs) setMap(old.books, ref, bytes('k'), bytes('set'));
  expect(inheritChanges(heir, old)).toEqual(["'a' was changed at run time; what its file says now is in force."]);
  expect(heir.list(0)).toEqual(['k 2']);
});

test('a version that was prepared can still be committed', () => {
  const [old, heir] = [new Running({ a: 'k 1\n' }), new Running({ a: 'k 1\n' })];
  const state = old.books.present(old.patternRefs[0]!);
  old.books.change(() => old.books.prepare(state));
  old.books.change(() => old.books.add(state, 1, bytes('n'), bytes('9')));
  inheritChanges(heir, old);
  expect(heir.list(0)).toEqual(['k 1']);
  heir.books.change(() => heir.books.commit(heir.books.present(heir.patternRefs[0]!), 1));
  expect(heir.list(0)).toEqual(['n 9']);
});

test('patterns of ACL lines are known by what they are, the second of two by its turn', () => {
  const old = new Running({}, [['/a'], ['/a'], ['/b']]);
  const heir = new Running({}, [['/x'], ['/a'], ['/a']]);
  addAcl(old.books, old.patternRefs[1]!, bytes('/second'));
  addAcl(old.books, old.patternRefs[2]!, bytes('/gone'));
  expect(inheritChanges(heir, old)).toEqual([]);
  expect([0, 1, 2].map(place => heir.list(place))).toEqual([['/x'], ['/a'], ['/a', '/second']]);
});

test('variables: what was set or unset stays, unless the configuration says something else', () => {
  const name = fc.constantFrom('proc.a', 'proc.b', 'proc.c');
  const values = fc.dictionary(name, fc.integer({ min: 0, max: 2 }));
  fc.assert(
    fc.property(
      values,
      values,
      fc.dictionary(name, fc.option(fc.integer({ min: 0, max: 3 }))),
      (then, now, changes) => {
        const [old, heir] = [new Running({}, [], then), new Running({}, [], now)];
        for (const [key, value] of Object.entries(changes)) {
          if (value === null) old.vars.delete(key);
          else old.vars.set(key, number(value));
        }
        inheritChanges(heir, old);
        for (const key of ['proc.a', 'proc.b', 'proc.c']) {
          const expected = then[key] === now[key] ? old.vars.get(key)?.int : now[key];
          expect(heir.vars.get(key)?.int).toBe(expected);
        }
      },
    ),
  );
});
