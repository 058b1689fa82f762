/**
 * What earlier generations of the configuration have counted, so that a reload loses no count and takes none twice.
 *
 *   generation 3, serving      memory ◄── its workers
 *      past ─┬─ generation 2, draining   its own memory ◄── its workers, which still count there
 *            └─ ended generations        one memory with one row for each thing, never changed again
 *
 * A sum is that of all of them. When a generation has ended its memory stands still: the master adds it to that of the ended
 * ones, in a new memory, and gives each reader a new list, which it takes in one step. So no reader ever sees a count twice
 * or not at all, and nobody takes a lock.
 */
import { COUNTERS, CUM_LB, CUM_REQ } from './counters.ts';
import { Memory, type RowKind } from './memory.ts';
import { rateClearMax, rateFold } from './rate.ts';

/** By the number of a thing in a memory: its number in an earlier one, -1 = it was not there. */
export interface Matches {
  readonly proxies: Int32Array;
  readonly listeners: Int32Array;
  readonly servers: Int32Array;
}

/** An earlier memory as it crosses threads. */
export interface PastData {
  readonly buffer: SharedArrayBuffer;
  readonly matches: Matches;
}

/** An earlier memory, seen with the numbers of a later one. */
export class Past {
  readonly memory: Memory;
  readonly matches: Matches;

  constructor(memory: Memory, matches: Matches) {
    this.memory = memory;
    this.matches = matches;
  }

  /** Its number there; -1 = it was not there. */
  find(kind: RowKind, index: number): number {
    const { proxies, listeners, servers } = this.matches;
    if (kind === 'process') return 0;
    return (kind === 'listener' ? listeners : kind === 'server' ? servers : proxies)[index]!;
  }

  sum(kind: RowKind, index: number, field: number): number {
    const there = this.find(kind, index);
    return there < 0 ? 0 : this.memory.sum(kind, there, field);
  }

  max(kind: RowKind, index: number, field: number): number {
    const there = this.find(kind, index);
    return there < 0 ? 0 : this.memory.max(kind, there, field);
  }

  /** A shared word that says how much of something is there now. */
  gauge(kind: RowKind, index: number, field: number): number {
    const there = this.find(kind, index);
    return there < 0 ? 0 : Atomics.load(this.memory.words, wordsOf(this.memory, kind, there) + field);
  }
}

export function attachPast(data: readonly PastData[]): Past[] {
  return data.map(({ buffer, matches }) => new Past(Memory.attach(buffer), matches));
}

/** The words of `from` seen through `through`: a generation further back. */
export function compose(through: Matches, from: Matches): Matches {
  const map = (a: Int32Array, b: Int32Array) => a.map(i => (i < 0 ? -1 : b[i]!));
  return {
    proxies: map(through.proxies, from.proxies),
    listeners: map(through.listeners, from.listeners),
    servers: map(through.servers, from.servers),
  };
}

/** Each thing is itself: what ended generations are folded into has the numbers of the generation that serves. */
export function identity({ shape }: Memory): Matches {
  const count = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
  return { proxies: count(shape.proxies), listeners: count(shape.listeners), servers: count(shape.servers) };
}

// --- folding ---

/** How a counter of several rows becomes that of one. Gauges are nothing in a memory whose workers have ended. */
type Fold = 'none' | 'sum' | 'max' | 'rate' | 'window';

const LATEST = ['last_sess'];
const WINDOWS = ['q_time', 'c_time', 'd_time', 't_time'];

function foldOf(name: string): Fold {
  if (name.startsWith('cur_') || name === 'queue_head') return 'none';
  if (name.endsWith('_rate')) return 'rate';
  if (name.endsWith('_max') || LATEST.includes(name)) return 'max';
  return WINDOWS.includes(name) ? 'window' : 'sum';
}

const FOLDS = Object.entries(COUNTERS.at).map(([name, field]) => ({ field, how: foldOf(name) }));

/** One memory, with a single row for each thing of `like`, of all that `pasts` have counted. */
export function fold(like: Memory, pasts: readonly Past[]): Memory {
  const folded = Memory.create({ ...like.shape, workers: 1 });
  for (const [kind, index] of things(folded)) foldThing(folded, pasts, kind, index);
  return folded;
}

function* things({ shape }: Memory): Generator<readonly [RowKind, number]> {
  const { proxies, listeners, servers } = shape;
  yield ['process', 0];
  for (let i = 0; i < proxies; i++) yield ['frontend', i];
  for (let i = 0; i < proxies; i++) yield ['backend', i];
  for (let i = 0; i < listeners; i++) yield ['listener', i];
  for (let i = 0; i < servers; i++) yield ['server', i];
}

/**
 * `clear counters`: from now on `folded` and the generations that still drain add up to nothing. The latter count on in rows
 * that are not ours to write, so what they have counted stands in `folded` with a minus. As there the totals of the process
 * stay. `server`: its number, null = everything.
 */
export function forget(folded: Memory, draining: readonly Past[], all: boolean, server: number | null): void {
  for (const [kind, index] of things(folded)) {
    if (server !== null && (kind !== 'server' || index !== server)) continue;
    const to = folded.row(0, kind, index);
    const timed = folded.timedRow(kind, index);
    if (timed >= 0) folded.histograms.clear(folded.histograms.at(0, timed), all);
    for (const { field, how } of FOLDS) {
      if (how === 'max') folded.counters[to + field] = 0;
      if (how === 'rate') rateClearMax(folded.counters, to + field);
      if (!all || kind === 'process') continue;
      if (how === 'window') folded.counters[to + field] = 0;
      if (how === 'sum') folded.counters[to + field] = -draining.reduce((sum, p) => sum + p.sum(kind, index, field), 0);
    }
  }
}

function foldThing(folded: Memory, pasts: readonly Past[], kind: RowKind, index: number): void {
  const to = folded.row(0, kind, index);
  const { counters } = folded;
  foldTimes(folded, pasts, kind, index);
  for (const { field, how } of FOLDS) {
    if (how === 'sum') for (const past of pasts) counters[to + field]! += past.sum(kind, index, field);
    if (how === 'max') {
      counters[to + field] = pasts.reduce((max, past) => Math.max(max, past.max(kind, index, field)), 0);
    }
  }
  for (const { field, how } of FOLDS) {
    if (how === 'window') foldWindow(folded, pasts, kind, index, field);
    if (how !== 'rate') continue;
    for (const past of pasts) {
      const there = past.find(kind, index);
      if (there >= 0) rateFold(counters, to + field, past.memory.counters, past.memory.rows(kind, there, field));
    }
  }
}

function foldTimes(folded: Memory, pasts: readonly Past[], kind: RowKind, index: number): void {
  const row = folded.timedRow(kind, index);
  if (row < 0) return;
  const at = folded.histograms.at(0, row);
  for (const { memory, find } of pasts.map(past => ({ memory: past.memory, find: past.find(kind, index) }))) {
    const there = find < 0 ? -1 : memory.timedRow(kind, find);
    if (there >= 0 && memory.histograms.used(there)) folded.histograms.fold(at, memory.histograms, there);
  }
}

/** Streams that a window looks back on. */
const WINDOW = 512;

/**
 * Windows of several rows: the average of all, as one row that has as many samples as all together, WINDOW at most.
 */
function foldWindow(folded: Memory, pasts: readonly Past[], kind: RowKind, index: number, field: number): void {
  let sum = 0;
  let weight = 0;
  for (const past of pasts) {
    const there = past.find(kind, index);
    if (there < 0) continue;
    const { counters, shape } = past.memory;
    for (let w = 0; w < shape.workers; w++) {
      const row = past.memory.row(w, kind, there);
      sum += counters[row + field]!;
      weight += samples(counters, row);
    }
  }
  const to = folded.row(0, kind, index);
  if (weight > 0) folded.counters[to + field] = (sum / weight) * samples(folded.counters, to);
}

function samples(counters: Float64Array, row: number): number {
  return Math.max(0, Math.min(counters[row + CUM_REQ]! || counters[row + CUM_LB]!, WINDOW));
}

function wordsOf(memory: Memory, kind: RowKind, index: number): number {
  if (kind === 'process') return memory.process;
  if (kind === 'listener') return memory.listener(index);
  return kind === 'server' ? memory.server(index) : memory.proxy(index);
}
