/**
 * Files of patterns: `acl ... -f <file>` and maps. They are read once, when the configuration is, into shared bytes: the
 * model refers to them and each worker makes its own structures from them (book.ts).
 *
 * `id` names the file in all threads. A change at run time is for all workers: it will be written to a log in shared memory
 * under the file's id, with a generation number that each worker compares with its own before it looks something up.
 */
import type { Resources } from '../config/draft.ts';

export interface PatternFile {
  /** Its place in the order of first mention, from 0. */
  readonly id: number;
  /** As written, without `file@`. */
  readonly path: string;
  /** The text; empty for `virt@`, and for `opt@` when there is no such file. Backed by shared memory. */
  readonly bytes: Uint8Array;
}

const READ = new WeakMap<Resources, Map<string, PatternFile>>();

/** The pattern files read so far for one configuration, in the order of their ids. */
export function patternFiles(resources: Resources): readonly PatternFile[] {
  return [...(READ.get(resources)?.values() ?? [])];
}

/**
 * The file of a name: a path, or `file@<path>`, `opt@<path>` (may be missing), `virt@<name>` (is no file).
 * Null when it cannot be read.
 */
export function readPatternFile(resources: Resources, name: string): PatternFile | null {
  const files = READ.get(resources) ?? new Map<string, PatternFile>();
  READ.set(resources, files);
  const known = files.get(name);
  if (known !== undefined) return known;
  const [, kind = 'file', path = name] = /^(file|opt|virt)@(.*)$/s.exec(name) ?? [];
  const bytes = kind === 'virt' ? EMPTY : (resources.readFile(path) ?? (kind === 'opt' ? EMPTY : null));
  if (bytes === null) return null;
  const file: PatternFile = { id: files.size, path: kind === 'virt' ? name : path, bytes: shared(bytes) };
  files.set(name, file);
  return file;
}

const EMPTY = new Uint8Array(0);

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
