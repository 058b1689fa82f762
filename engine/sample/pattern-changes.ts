/**
 * What the runtime API and the actions `set-map`, `del-map`, `add-acl`, `del-acl` do to pattern references. Each is one
 * change of the log: done whole or not at all, and in force in all threads when it returns.
 */

import type { PatternBooks, RefState } from './book.ts';
import { cast } from './cast.ts';
import { matchMethod } from './pattern.ts';
import type { PatternRef } from './pattern-ref.ts';
import { Sample, STR, type Type, type TypeName, typeOf, view } from './sample.ts';

/** HAProxy's words when there is no room. */
export const NO_ROOM = 'Out of memory error.';

/** What is wrong with a key, or a value, for some way in which the reference is looked into; null = nothing. */
export function entryProblem({ heads }: PatternRef, key: Uint8Array | null, value: Uint8Array | null): string | null {
  for (const { match, output } of heads) {
    const method = matchMethod(match)!;
    const problem = key !== null && method.checked ? method.problem(view(key).toString('utf8')) : null;
    if (problem !== null) return problem;
    if (value !== null && output !== null && !isOfType(value, output)) return `unable to parse '${view(value)}'`;
  }
  return null;
}

const sample = new Sample();

/** Whether a value of a map can become what the map gives. */
export function isOfType(value: Uint8Array, output: TypeName): boolean {
  const type: Type = typeOf(output);
  if (type === STR) return true;
  sample.setStr(value, 0, value.length);
  return output === 'sint' ? /^[+-]?\d+$/.test(sample.text()) : cast(sample, type);
}

const NOTHING = new Uint8Array(0);

/** Gives all entries with the key the value, or adds one. Null, or what is wrong. */
export function setMap(books: PatternBooks, ref: PatternRef, key: Uint8Array, value: Uint8Array): string | null {
  if (isSo(books, ref, key, value)) return null;
  const problem = entryProblem(ref, key, value);
  if (problem !== null) return problem;
  const state = books.state(ref);
  const done = books.change(() => {
    if (!setAll(books, state, key, value)) books.add(state, state.current, key, value);
  });
  return done ? null : NO_ROOM;
}

/** As most often: the map says that already. */
function isSo(books: PatternBooks, ref: PatternRef, key: Uint8Array, value: Uint8Array): boolean {
  const entries = books.present(ref).entries()!;
  const found = entries.withKey(key);
  return found.length > 0 && found.every(entry => view(entries.value(entry)).equals(value));
}

/** Inside a change: gives the entries with the key the value. False when there is none. */
export function setAll(books: PatternBooks, state: RefState, key: Uint8Array, value: Uint8Array): boolean {
  const entries = state.entries()!;
  const found = entries.withKey(key);
  for (const entry of found) books.setValue(state, state.current, entries.id(entry), value);
  return found.length > 0;
}

/** Adds a pattern that is not there. */
export function addAcl(books: PatternBooks, ref: PatternRef, key: Uint8Array): string | null {
  const state = books.present(ref);
  if (state.entries()!.withKey(key).length > 0) return null;
  const problem = entryProblem(ref, key, null);
  if (problem !== null) return problem;
  const done = books.change(() => {
    if (state.entries()!.withKey(key).length === 0) books.add(state, state.current, key, NOTHING);
  });
  return done ? null : NO_ROOM;
}

/** Deletes all entries with the key. Null, or what is wrong. */
export function deleteKey(books: PatternBooks, ref: PatternRef, key: Uint8Array): string | null {
  const state = books.present(ref);
  if (state.entries()!.withKey(key).length === 0) return 'Key not found.';
  const done = books.change(() => {
    const entries = state.entries()!;
    for (const entry of entries.withKey(key)) books.remove(state, state.current, entries.id(entry));
  });
  return done ? null : NO_ROOM;
}
