/** Pattern references that change: every follower finds what a search through the list would find. */

import { describe, expect, test } from 'vitest';
import type { Resources } from '../../engine/config/draft.ts';
import { PatternBooks } from '../../engine/sample/book.ts';
import { type MatchName, matchMethod } from '../../engine/sample/pattern.ts';
import { addAcl, deleteKey, setMap } from '../../engine/sample/pattern-changes.ts';
import { type PatternRef, readPatternFile } from '../../engine/sample/pattern-ref.ts';
import { IPV4, Sample } from '../../engine/sample/sample.ts';
import { type ChangeBuffers, ChangeLog, createChanges } from '../../engine/shm/change-log.ts';
import fc from '../properties.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);

function refOf(text: string, pairs = true): PatternRef {
  const resources: Resources = { env: {}, resolve: () => null, readFolder: () => null, readFile: () => bytes(text) };
  return readPatternFile(resources, 'x.map', pairs) as PatternRef;
}

class Thread {
  readonly log: ChangeLog;
  readonly books: PatternBooks;
  readonly ref: PatternRef;

  constructor(ref: PatternRef, buffers: ChangeBuffers, number: number) {
    this.log = new ChangeLog(buffers, number);
    this.books = new PatternBooks([ref], this.log);
    this.ref = ref;
  }

  /** `key value` of the entry that a text matches; null = none. */
  find(match: MatchName, text: string): string | null {
    const book = this.books.get(this.ref, matchMethod(match)!, false);
    const sample = new Sample();
    if (match === 'ip') {
      const address = Uint8Array.from(text.split('.'), Number);
      sample.setStr(address, 0, 4);
      sample.type = IPV4;
    } else sample.setStr(bytes(text), 0, bytes(text).length);
    const entry = book.find(sample);
    if (entry < 0) return null;
    return `${Buffer.from(book.entries.key(entry))} ${Buffer.from(book.entries.value(entry))}`;
  }

  list(): string[] {
    const entries = this.books.present(this.ref).entries()!;
    const all: string[] = [];
    for (let i = 0; i < entries.count; i++) {
      if (entries.isThere(i)) all.push(`${Buffer.from(entries.key(i))} ${Buffer.from(entries.value(i))}`);
    }
    return all;
  }
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), minLength: 1, maxLength: 4 });
const edit = fc.oneof(
  fc.record({ do: fc.constant('add' as const), key: word, value: word, writer: fc.nat(1) }),
  fc.record({ do: fc.constant('set' as const), key: word, value: word, writer: fc.nat(1) }),
  fc.record({ do: fc.constant('delete' as const), key: word, value: word, writer: fc.nat(1) }),
  fc.record({ do: fc.constant('replace' as const), key: word, value: word, writer: fc.nat(1) }),
);

const NAIVE: Partial<Record<MatchName, (text: string, key: string) => boolean>> = {
  str: (text, key) => text === key,
  beg: (text, key) => text.startsWith(key),
  end: (text, key) => text.endsWith(key),
  sub: (text, key) => text.includes(key),
};

describe.each(Object.entries(NAIVE))('%s', (match, matches) => {
  test('after any changes, by whomever', () => {
    fc.assert(
      fc.property(fc.array(word, { maxLength: 5 }), fc.array(edit, { maxLength: 30 }), word, (first, edits, text) => {
        const ref = refOf(first.map(key => `${key} ${key}\n`).join(''));
        const buffers = createChanges(3);
        const threads = [0, 1].map(number => new Thread(ref, buffers, number));
        let list = first.map(key => ({ key, value: key }));
        for (const { do: what, key, value, writer } of edits) {
          list = apply(threads[writer]!, list, what, key, value);
          const wanted = winner(list, match as MatchName, matches, text);
          for (const thread of threads) expect(thread.find(match as MatchName, text)).toBe(wanted);
        }
        const all = list.map(entry => `${entry.key} ${entry.value}`);
        // One that comes later reads it all from the log.
        for (const thread of [...threads, new Thread(ref, buffers, 2)]) expect(thread.list()).toEqual(all);
      }),
      { numRuns: 60 },
    );
  });
});

interface Entry {
  readonly key: string;
  readonly value: string;
}

function apply({ books, ref }: Thread, list: Entry[], what: string, key: string, value: string): Entry[] {
  if (what === 'set') {
    setMap(books, ref, bytes(key), bytes(value));
    if (!list.some(entry => entry.key === key)) return [...list, { key, value }];
    return list.map(entry => (entry.key === key ? { key, value } : entry));
  }
  if (what === 'delete') {
    deleteKey(books, ref, bytes(key));
    return list.filter(entry => entry.key !== key);
  }
  const state = books.present(ref);
  if (what === 'add') {
    books.change(() => books.add(state, state.current, bytes(key), bytes(value)));
    return [...list, { key, value }];
  }
  books.change(() => books.prepare(state));
  books.change(() => books.add(state, state.next, bytes(key), bytes(value)));
  books.change(() => books.commit(state, state.next));
  return [{ key, value }];
}

function winner(
  list: readonly Entry[],
  match: MatchName,
  matches: (text: string, key: string) => boolean,
  text: string,
): string | null {
  const all = list.filter(({ key }) => matches(text, key));
  const longest = Math.max(...all.map(({ key }) => key.length));
  const best = match === 'beg' ? all.find(({ key }) => key.length === longest) : all[0];
  return best === undefined ? null : `${best.key} ${best.value}`;
}

test('networks come and go', () => {
  const thread = new Thread(refOf('10.0.0.0/8 a\n10.1.0.0/16 b\n10.1.0.0/16 c\n'), createChanges(1), 0);
  const { books, ref } = thread;
  expect(thread.find('ip', '10.1.2.3')).toBe('10.1.0.0/16 b');
  const state = books.present(ref);
  books.change(() => books.remove(state, 0, 1));
  expect(thread.find('ip', '10.1.2.3')).toBe('10.1.0.0/16 c');
  deleteKey(books, ref, bytes('10.1.0.0/16'));
  expect(thread.find('ip', '10.1.2.3')).toBe('10.0.0.0/8 a');
  setMap(books, ref, bytes('10.1.0.0/16'), bytes('d'));
  setMap(books, ref, bytes('10.1.2.0/255.255.255.0'), bytes('e'));
  expect(thread.find('ip', '10.1.9.3')).toBe('10.1.0.0/16 d');
  expect(thread.find('ip', '10.1.2.3')).toBe('10.1.2.0/255.255.255.0 e');
});

test('what cannot be an entry is refused, and what is there already is no change', () => {
  const ref = refOf('10.0.0.0/8\n', false);
  (ref.heads as unknown[]).push({ match: 'ip', fold: false, output: null });
  const { books, log } = new Thread(ref, createChanges(1), 0);
  expect(addAcl(books, ref, bytes('x'))).toBe("'x' is not a valid IPv4 or IPv6 address");
  expect(addAcl(books, ref, bytes('10.0.0.0/8'))).toBeNull();
  expect(books.changed).toEqual([]);
  expect(addAcl(books, ref, bytes('10.0.0.0/9'))).toBeNull();
  expect(books.changed.map(({ ref }) => ref.name)).toEqual(['x.map']);
  expect(log.behind).toBe(false);
});

test('keys and values that come and go leave nothing behind', () => {
  const buffers = createChanges(2);
  const ref = refOf('first 1\n');
  const [writer, reader] = [0, 1].map(number => new Thread(ref, buffers, number)) as [Thread, Thread];
  for (let i = 0; i < 5_000; i++) {
    setMap(writer.books, ref, bytes(`key-${i}`), bytes('x'));
    setMap(writer.books, ref, bytes('first'), bytes(`value-${i}-${'v'.repeat(50)}`));
    if (i >= 3) deleteKey(writer.books, ref, bytes(`key-${i - 3}`));
  }
  const kept = writer.books.present(ref).entries()!;
  expect(kept.live).toBe(4);
  expect(kept.count).toBeLessThan(2_000);
  expect(reader.list()).toEqual(writer.list());
  expect(reader.find('str', 'key-4999')).toBe('key-4999 x');
  expect(reader.find('str', 'key-4000')).toBeNull();
});
