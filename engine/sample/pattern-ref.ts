/**
 * Pattern references: the lists of patterns that ACLs and maps look into. One for each file, whoever uses it, and one for
 * the patterns of each ACL line. Files are read once, when the configuration is, into shared bytes; each thread makes its
 * own structures from them (book.ts), and follows what is changed at run time (shm/change-log.ts).
 */
import type { Resources } from '../config/draft.ts';
import type { MatchName } from './pattern.ts';
import type { TypeName } from './sample.ts';

/** A way to look into a reference. */
export interface PatternHead {
  readonly match: MatchName;
  readonly fold: boolean;
  /** What a map's values become; null = an ACL asks, for which there are only keys. */
  readonly output: TypeName | null;
}

/** A line that uses it: `by map at file 'a.cfg' line 5` */
interface PatternUse {
  readonly by: 'acl' | 'map';
  readonly file: string;
  readonly line: number;
}

export interface PatternRef {
  /** Its place in `model.patternRefs`: the order of first mention. */
  readonly index: number;
  /** What the runtime API calls it after a `#`: given by `-u`, or counted. */
  readonly id: number;
  /** A path as written, without `file@` and `opt@`, or `virt@...`; '' = the patterns of an ACL line. */
  readonly name: string;
  /** The text of the file; empty for `virt@`, and for `opt@` when there is no such file. Backed by shared memory. */
  readonly bytes: Uint8Array;
  /** The patterns of an ACL line. */
  readonly patterns: readonly string[];
  /** Entries are a key and a value, not a key alone. */
  readonly pairs: boolean;
  /** The fetch of the ACL line, as it is written there. */
  readonly keyword: string;
  readonly heads: readonly PatternHead[];
  readonly uses: readonly PatternUse[];
}

/** Whether an argument of an expression is one. */
export function isPatternRef(arg: unknown): arg is PatternRef {
  return typeof arg === 'object' && arg !== null && 'heads' in arg;
}

/** A reference while the configuration is read; `id` -1 = not given. */
type RefDraft = { -readonly [K in keyof PatternRef]: PatternRef[K] extends readonly (infer T)[] ? T[] : PatternRef[K] };

interface Shelf {
  readonly refs: RefDraft[];
  readonly byName: Map<string, RefDraft>;
}

const SHELVES = new WeakMap<Resources, Shelf>();
const EMPTY = new Uint8Array(0);

function shelfOf(resources: Resources): Shelf {
  const shelf = SHELVES.get(resources) ?? { refs: [], byName: new Map() };
  SHELVES.set(resources, shelf);
  return shelf;
}

function newRef({ refs }: Shelf, about: Partial<RefDraft>): RefDraft {
  const ref = { index: refs.length, id: -1, name: '', bytes: EMPTY, patterns: [], pairs: false, keyword: '', ...about };
  const draft: RefDraft = { ...ref, heads: [], uses: [] };
  refs.push(draft);
  return draft;
}

/**
 * The reference of a name (manual 2.7): a path, or `file@<path>`, `opt@<path>` (may be missing), `virt@<name>` (is no
 * file). A text says what is wrong.
 */
export function readPatternFile(resources: Resources, text: string, pairs: boolean): PatternRef | string {
  const shelf = shelfOf(resources);
  const [, kind = 'file', path = text] = /^(file|opt|virt)@(.*)$/s.exec(text) ?? [];
  const name = kind === 'virt' ? text : path;
  const known = shelf.byName.get(name);
  if (known !== undefined) {
    if (known.pairs === pairs) return known;
    const [was, now] = known.pairs ? ['two', 'one'] : ['one', 'two'];
    return `The file "${name}" is already used as ${was} column file and cannot be used by as ${now} column file.`;
  }
  const bytes = kind === 'virt' ? EMPTY : (resources.readFile(path) ?? (kind === 'opt' ? EMPTY : null));
  if (bytes === null) return `failed to open pattern file <${text}>`;
  const ref = newRef(shelf, { name, bytes: shared(bytes), pairs });
  shelf.byName.set(name, ref);
  return ref;
}

/** The reference of an ACL line's own patterns; `id` -1 = not given. Null when the id is taken. */
export function ownPatterns(
  resources: Resources,
  id: number,
  keyword: string,
  patterns: readonly string[],
): PatternRef | null {
  const shelf = shelfOf(resources);
  if (id >= 0 && shelf.refs.some(ref => ref.id === id)) return null;
  return newRef(shelf, { id, keyword, patterns: [...patterns] });
}

/** Notes how the reference is looked into. False when that was known. */
export function addHead(ref: PatternRef, head: PatternHead): boolean {
  const { heads } = ref as RefDraft;
  const known = heads.some(h => h.match === head.match && h.fold === head.fold && h.output === head.output);
  if (!known) heads.push(head);
  return !known;
}

export function addUse(ref: PatternRef, use: PatternUse): void {
  (ref as RefDraft).uses.push(use);
}

/** All references of a configuration that was read, each with an id. */
export function patternRefs(resources: Resources): readonly PatternRef[] {
  const { refs } = shelfOf(resources);
  const used = new Set(refs.map(ref => ref.id));
  let next = 0;
  for (const ref of refs) {
    if (ref.id >= 0) continue;
    while (used.has(next)) next++;
    ref.id = next++;
  }
  return refs;
}

function shared(bytes: Uint8Array): Uint8Array {
  const copy = new Uint8Array(new SharedArrayBuffer(bytes.length));
  copy.set(bytes);
  return copy;
}

/** Called for each entry: key `bytes[start, end)`, the value behind it (empty when there is none), and its line, from 1. */
export type Entry = (start: number, end: number, valueStart: number, valueEnd: number, line: number) => void;

const LF = 10;
const CR = 13;
const HASH = 35;

/**
 * Goes over the entries of a file: one per line, blanks around it dropped, empty lines and `#` comments left out. With
 * `pairs` the key ends at the first blank and the value follows; without, the whole line is the key.
 */
export function eachEntry(bytes: Uint8Array, pairs: boolean, entry: Entry): void {
  let line = 0;
  for (let at = 0; at < bytes.length; ) {
    line++;
    let stop = bytes.indexOf(LF, at);
    if (stop < 0) stop = bytes.length;
    const start = skipBlanks(bytes, at, stop);
    let end = stop;
    while (end > start && (isBlank(bytes[end - 1]!) || bytes[end - 1] === CR)) end--;
    at = stop + 1;
    if (start === end || bytes[start] === HASH) continue;
    let keyEnd = pairs ? start : end;
    while (keyEnd < end && !isBlank(bytes[keyEnd]!)) keyEnd++;
    entry(start, keyEnd, skipBlanks(bytes, keyEnd, end), end, line);
  }
}

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && isBlank(bytes[at]!)) at++;
  return at;
}

function isBlank(byte: number): boolean {
  return byte === 32 || byte === 9;
}
