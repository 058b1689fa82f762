/**
 * Maps and ACLs at run time (management 9.3). A reference is named by `#<id>` or its file; `map` commands take those with
 * values, `acl` commands those that ACLs look into, and some are both.
 */
import type { RefState } from '../sample/book.ts';
import { deleteKey, entryProblem, NO_ROOM, setAll } from '../sample/pattern-changes.ts';
import type { PatternRef } from '../sample/pattern-ref.ts';
import { bytesOf, view } from '../sample/sample.ts';
import { type Out, steppedDump } from '../stats/out.ts';
import type { Call, CliEnv, Command, Reply } from './command.ts';
import { findIn } from './pattern-find.ts';
import { err, info, type Message } from './severity.ts';

/** What the two kinds of commands differ in. */
interface Kind {
  readonly name: 'map' | 'acl';
  /** As messages write it. */
  readonly noun: string;
  has(ref: PatternRef): boolean;
}

const MAP: Kind = { name: 'map', noun: 'map', has: ref => ref.pairs };
const ACL: Kind = { name: 'acl', noun: 'ACL', has: ref => ref.heads.some(head => head.output === null) };

/** An entry as clients name it: `0x` and 48 bits that no other entry of the process has. */
const ID_BASE = 2 ** 36;
const ID_DIGITS = 12;

function idText({ index }: PatternRef, id: number): string {
  return `0x${((index + 1) * ID_BASE + id).toString(16).padStart(ID_DIGITS, '0')}`;
}

/** The id of an entry of the reference that `#0x...` names; -1 = none can have it. Null: it is no such name. */
function idOf({ index }: PatternRef, text: string): number | null {
  if (!/^#0x[0-9a-f]+$/i.test(text)) return null;
  const id = Number(text.slice(1)) - (index + 1) * ID_BASE;
  return id >= 0 && id < ID_BASE ? id : -1;
}

/** The reference that a word names, as it is now, or what to answer. */
function find({ books }: CliEnv, kind: Kind, word = ''): RefState | string {
  const id = /^#\d+$/.test(word) ? Number(word.slice(1)) : -1;
  const named = id < 0 ? books.named(word) : books.refs.find(ref => ref.id === id);
  const ref = named && kind.has(named) ? named : null;
  return ref === null ? `Unknown ${kind.noun} identifier. Please use #<id> or <file>.` : books.present(ref);
}

/** `@<version>` in front of the arguments; null = there is none. */
function takeVersion(args: readonly string[]): { version: number | null; rest: readonly string[] } {
  if (!args[0]?.startsWith('@')) return { version: null, rest: args };
  return { version: (Number.parseInt(args[0].slice(1), 10) || 0) >>> 0, rest: args.slice(1) };
}

function changed(done: boolean): string {
  return done ? '' : NO_ROOM;
}

// --- show ---

function usesText({ uses }: PatternRef): string {
  return uses.map(({ by, file, line }) => `by ${by} at file '${file}' line ${line}`).join(', ');
}

function describe(ref: PatternRef): string {
  if (ref.name !== '') return `pattern loaded from file '${ref.name}' used ${usesText(ref)}`;
  const [{ file, line } = { file: '', line: 0 }] = ref.uses;
  return `acl '${ref.keyword}' file '${file}' line ${line}`;
}

/** Entries of all versions, each as often as there are ways to look into them: as HAProxy counts. */
function entryCount({ ref, generations }: RefState): number {
  let live = 0;
  for (const entries of generations.values()) live += entries.live;
  return live * ref.heads.length;
}

function list({ books }: CliEnv, kind: Kind): string {
  const refs = books.refs.filter(ref => kind.has(ref)).sort((a, b) => a.id - b.id);
  const rows = refs.map(ref => {
    const state = books.present(ref);
    const versions = `curr_ver=${state.current} next_ver=${state.next} entry_cnt=${entryCount(state)}`;
    return `${ref.id} (${ref.name}) ${describe(ref)}. ${versions}`;
  });
  return ['# id (file) description', ...rows].join('\n');
}

function show({ env, args }: Call, kind: Kind): Reply {
  if (args.length === 0) return list(env, kind);
  const { version, rest } = takeVersion(args);
  const state = find(env, kind, rest[0]);
  if (typeof state === 'string') return err(state);
  const { ref } = state;
  const entries = state.entries(version ?? state.current);
  if (entries === null) return '';
  let next = 0;
  return steppedDump((out: Out) => {
    while (next < entries.count && !entries.isThere(next)) next++;
    if (next >= entries.count) return false;
    const value = ref.pairs ? ` ${view(entries.value(next))}` : '';
    out.text(`${idText(ref, entries.id(next))} ${view(entries.key(next))}${value}\n`);
    return ++next < entries.count;
  });
}

function get({ env, args }: Call, kind: Kind): string | Message {
  const [name, text] = args;
  if (name === undefined || text === undefined) return err(`Missing ${kind.noun} identifier and/or key.`);
  const state = find(env, kind, name);
  return typeof state === 'string' ? err(state) : findIn(state, text, kind.name);
}

// --- add, set, del, clear ---

const NO_KEY_VALUE =
  "'add map' expects three parameters (map identifier, key and value) or one parameter (map identifier) and a payload";

/** Lines of a payload as keys and values; a text says what is wrong. */
function pairsOf(payload: string): [string, string][] | string {
  const pairs: [string, string][] = [];
  for (const line of payload.split('\n')) {
    const [, key, value] = /^[ \t]*([^ \t]+)[ \t]*(.*?)[ \t]*$/.exec(line) ?? [];
    if (key === undefined) continue;
    if (value === '') return `Missing value for key '${key}'.`;
    pairs.push([key, value!]);
  }
  return pairs;
}

/** Adds all of them, or none. */
function addAll({ books }: CliEnv, state: RefState, version: number | null, pairs: [string, string | null][]): string {
  if (version !== null && !state.isOpen(version)) {
    return `Version number in the future, please use 'prepare ${state.ref.pairs ? 'map' : 'acl'}' before.`;
  }
  const entries = pairs.map(([key, value]) => [bytesOf(key), value === null ? null : bytesOf(value)] as const);
  for (const [key, value] of entries) {
    const problem = entryProblem(state.ref, key, value);
    if (problem !== null) return `${problem}.`;
  }
  const done = books.change(() => {
    entries.forEach(([key, value], i) => {
      books.add(state, version ?? state.current, key, value ?? new Uint8Array(0), i);
    });
  });
  return changed(done);
}

function addMap({ env, args, payload }: Call): string {
  const { version, rest } = takeVersion(args);
  const [name, key, value] = rest;
  if (name === undefined || (payload === null && value === undefined)) return NO_KEY_VALUE;
  const state = find(env, MAP, name);
  if (typeof state === 'string') return state;
  const pairs = payload === null ? [[key!, value!] as [string, string]] : pairsOf(payload);
  return typeof pairs === 'string' ? pairs : addAll(env, state, version, pairs);
}

function addAcl({ env, args }: Call): string {
  const { version, rest } = takeVersion(args);
  const [name, key] = rest;
  if (name === undefined || key === undefined) {
    return "'add acl' expects two parameters: ACL identifier and pattern.";
  }
  const state = find(env, ACL, name);
  if (typeof state === 'string') return state;
  if (state.ref.pairs) {
    return "This ACL is shared with a map containing samples. You must use the command 'add map' to add values.";
  }
  return addAll(env, state, version, [[key, null]]);
}

function setMap({ env, args }: Call): string {
  const [name, key, value] = args;
  if (name === undefined || key === undefined || value === undefined) {
    return "'set map' expects three parameters: map identifier, key and value.";
  }
  const state = find(env, MAP, name);
  if (typeof state === 'string') return state;
  const { books } = env;
  const id = idOf(state.ref, key);
  const problem = entryProblem(state.ref, null, bytesOf(value));
  if (problem !== null) return `${problem}.`;
  let found = false;
  const done = books.change(() => {
    if (id === null) found = setAll(books, state, bytesOf(key), bytesOf(value));
    else {
      found = state.entries()!.withId(id) >= 0;
      if (found) books.setValue(state, state.current, id, bytesOf(value));
    }
  });
  if (found || !done) return changed(done);
  return id === null ? 'entry not found.' : 'key or pattern not found.';
}

function del({ env, args }: Call, kind: Kind): string {
  const [name, key] = args;
  if (name === undefined || key === undefined) {
    return `This command expects two parameters: ${kind.noun} identifier and key.`;
  }
  const state = find(env, kind, name);
  if (typeof state === 'string') return find(env, MAP) as string;
  const { books } = env;
  const id = idOf(state.ref, key);
  if (id === null) return deleteKey(books, state.ref, bytesOf(key)) ?? '';
  if (state.entries()!.withId(id) < 0) return 'Key not found.';
  return changed(books.change(() => books.remove(state, state.current, id)));
}

function clear({ env, args }: Call, kind: Kind): string {
  const { version, rest } = takeVersion(args);
  if (rest[0] === undefined) return `Missing ${kind.noun} identifier.`;
  const state = find(env, kind, rest[0]);
  if (typeof state === 'string') return state;
  return changed(env.books.change(() => env.books.clear(state, version ?? state.current)));
}

// --- versions ---

function prepare({ env, args }: Call, kind: Kind): string | Message {
  const state = find(env, kind, args[0]);
  if (typeof state === 'string') return state;
  const done = env.books.change(() => env.books.prepare(state));
  return done ? info(`New version created: ${state.next}`) : NO_ROOM;
}

function commit({ env, args }: Call, kind: Kind): string {
  const { version, rest } = takeVersion(args);
  if (version === null) return 'Missing version number.';
  if (rest[0] === undefined) return `Missing ${kind.noun} identifier.`;
  const state = find(env, kind, rest[0]);
  if (typeof state === 'string') return state;
  if (version === state.current || !state.isOpen(version)) return 'Version number out of range.';
  return changed(env.books.change(() => env.books.commit(state, version)));
}

/** A row for maps and one for ACLs. */
function both(
  verb: string,
  usage: string,
  help: (noun: string) => string,
  run: (call: Call, kind: Kind) => Reply,
): Command[] {
  return [MAP, ACL].map(kind => ({
    words: `${verb} ${kind.name}`,
    usage: usage.replace('<ref>', `<${kind.name}>`),
    help: help(kind.noun),
    level: 'user',
    run: call => run(call, kind),
  }));
}

export const PATTERN_COMMANDS: readonly Command[] = [
  { words: 'add map', usage: '[@<ver>] <map> <key> <val>', help: 'add a map entry', level: 'user', run: addMap },
  { words: 'add acl', usage: '[@<ver>] <acl> <pattern>', help: 'add an acl entry', level: 'user', run: addAcl },
  { words: 'set map', usage: '<map> [<key>|#<ref>] <value>', help: 'modify a map entry', level: 'user', run: setMap },
  ...both('show', '[[@<ver>] <ref>]', noun => `report available ${noun}s or dump the contents of one`, show),
  ...both('get', '<ref> <value>', noun => `report what a value matches in this ${noun}`, get),
  ...both('del', '<ref> [<key>|#<ref>]', noun => `delete ${noun} entries matching <key>`, del),
  ...both('clear', '[@<ver>] <ref>', noun => `clear the contents of this ${noun}`, clear),
  ...both('prepare', '<ref>', noun => `prepare a new version for atomic ${noun} replacement`, prepare),
  ...both('commit', '@<ver> <ref>', noun => `commit the ${noun} at this version`, commit),
];
