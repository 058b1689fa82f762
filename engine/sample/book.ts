/**
 * A thread's copy of the pattern references: their versions (manual 2.7; management 9.3, `prepare map`), the entries of
 * each, and books, the ways to look into them. A book is one for the whole thread, however many rules use it. Before it is
 * looked into, what other threads have changed is applied: it costs one atomic load to see that there is nothing.
 */
import type { Change, ChangeLog, Follower } from '../shm/change-log.ts';
import { Generation, type Way } from './generation.ts';
import type { MatchMethod, PatternSet } from './pattern.ts';
import type { PatternRef } from './pattern-ref.ts';
import type { Sample } from './sample.ts';

// What records of the log say of a reference.
/** An entry (id `number`) of a version: key and value. */
const ADD = 1;
/** Entry `number` has another value. */
const SET = 2;
const DELETE = 3;
/** All entries of a version go. */
const CLEAR = 4;
/** The version is the newest that there is. */
const PREPARE = 5;
/** The version is the one that is looked into; those before it go. */
const COMMIT = 6;
/** A snapshot of the reference follows: nothing is as configured. `version` is the current one, ids go on at `number`. */
const RESET = 7;

/** A pattern reference ready to be looked into in one way. */
export class Book {
  readonly #log: ChangeLog;
  readonly way: Way;
  #generation: Generation;
  #set: PatternSet;

  constructor(log: ChangeLog, way: Way, generation: Generation) {
    this.#log = log;
    this.way = way;
    this.#generation = generation;
    this.#set = generation.set(way);
  }

  /**
   * The entry that the sample matches; -1 = none. The sample has the method's type. The number, and what is told of it
   * below, is valid until the next call.
   */
  find(sample: Sample): number {
    if (this.#log.behind) this.#log.catchUp();
    return this.#set.find(sample);
  }

  /** What finds them. */
  get set(): PatternSet {
    return this.#set;
  }

  /** The entries of the version that is looked into. */
  get entries(): Generation {
    return this.#generation;
  }

  /** Other entries are looked into from now on. */
  turn(generation: Generation): void {
    this.#generation = generation;
    this.#set = generation.set(this.way);
  }
}

/** One reference: its versions. Numbers of versions have 32 bits and wrap. */
export class RefState {
  readonly ref: PatternRef;
  /** The version that is looked into, and the newest one. */
  current = 0;
  next = 0;
  /** The id of the next entry. */
  nextId: number;
  /** It is not as configured any more. */
  changed = false;
  readonly #log: ChangeLog;
  readonly #generations = new Map<number, Generation>();
  readonly #books = new Map<string, Book>();

  constructor(ref: PatternRef, log: ChangeLog) {
    this.ref = ref;
    this.#log = log;
    const configured = new Generation(ref);
    this.#generations.set(0, configured);
    this.nextId = configured.count;
  }

  /** The entries of a version; null = there are none. */
  entries(version = this.current): Generation | null {
    return this.#generations.get(version) ?? null;
  }

  /** All versions that have entries. */
  get generations(): ReadonlyMap<number, Generation> {
    return this.#generations;
  }

  book(way: Way): Book {
    const name = `${way.match} ${way.fold}`;
    let book = this.#books.get(name);
    if (book === undefined) {
      book = new Book(this.#log, way, this.#generations.get(this.current)!);
      this.#books.set(name, book);
    }
    return book;
  }

  /** Whether a version is between the current and the newest one. */
  isOpen(version: number): boolean {
    return (version - this.current) >>> 0 <= (this.next - this.current) >>> 0;
  }

  apply({ kind, version, number, bytes, start, mid, end }: Change): void {
    this.changed = true;
    if (kind === RESET) this.#reset(version, number);
    else if (kind === PREPARE) this.next = version;
    else if (kind === COMMIT) this.#commit(version);
    else if (kind === CLEAR) this.#clear(version);
    else if (kind === ADD) {
      this.#made(version).add(number, bytes, start, mid, end);
      this.nextId = Math.max(this.nextId, number + 1);
    } else {
      const entries = this.#made(version);
      const entry = entries.withId(number);
      if (entry < 0) return;
      if (kind === SET) entries.setValue(entry, bytes, mid, end);
      else entries.remove(entry);
      if (entries.isLoose) this.#put(version, entries.compacted(this.#ways()));
    }
  }

  #made(version: number): Generation {
    const entries = this.#generations.get(version);
    return entries ?? this.#put(version, new Generation(null, this.#ways()));
  }

  #put(version: number, entries: Generation): Generation {
    this.#generations.set(version, entries);
    if (version === this.current) for (const book of this.#books.values()) book.turn(entries);
    return entries;
  }

  #clear(version: number): void {
    this.#generations.delete(version);
    if (version === this.current) this.#made(version);
  }

  #commit(version: number): void {
    this.current = version;
    for (const other of this.#generations.keys()) if (((other - version) | 0) < 0) this.#generations.delete(other);
    this.#put(version, this.#made(version));
  }

  #reset(version: number, nextId: number): void {
    this.#generations.clear();
    this.current = this.next = version;
    this.nextId = nextId;
    this.#made(version);
  }

  *#ways(): Generator<Way> {
    for (const book of this.#books.values()) yield book.way;
  }
}

/** All references of a thread. */
export class PatternBooks implements Follower {
  readonly kinds = [ADD, SET, DELETE, CLEAR, PREPARE, COMMIT, RESET];
  readonly refs: readonly PatternRef[];
  readonly #log: ChangeLog;
  readonly #states: RefState[] = [];

  constructor(refs: readonly PatternRef[], log: ChangeLog) {
    this.refs = refs;
    this.#log = log;
    log.follow(this);
  }

  get(ref: PatternRef, method: MatchMethod, fold: boolean): Book {
    return this.state(ref).book({ match: method.name, fold });
  }

  /** The reference with this name; null when nothing looks into one. */
  named(name: string): PatternRef | null {
    const bare = name.replace(/^(file|opt)@/, '');
    return this.refs.find(ref => ref.name === bare && bare !== '') ?? null;
  }

  /** The state of a reference as this thread last saw it. */
  state(ref: PatternRef): RefState {
    let state = this.#states[ref.index];
    if (state === undefined) {
      state = new RefState(ref, this.#log);
      this.#states[ref.index] = state;
    }
    return state;
  }

  /** The same, with what others have changed. */
  present(ref: PatternRef): RefState {
    if (this.#log.behind) this.#log.catchUp();
    return this.state(ref);
  }

  apply(change: Change): void {
    this.state(this.refs[change.ref]!).apply(change);
  }

  snapshot(log: ChangeLog): void {
    for (const state of this.changed) this.write(log, state);
  }

  /** Those that are not as configured, as this thread last saw them. */
  get changed(): readonly RefState[] {
    return this.#states.filter(state => state?.changed);
  }

  /** Appends what a reference is now; `index`: the number that it has where that is read. */
  write(log: ChangeLog, { ref, current, next, nextId, generations }: RefState, index = ref.index): void {
    log.append(RESET, index, current, nextId);
    log.append(PREPARE, index, next, 0);
    for (const [version, entries] of generations) {
      for (let entry = 0; entry < entries.count; entry++) {
        if (!entries.isThere(entry)) continue;
        log.append(ADD, index, version, entries.id(entry), entries.key(entry), entries.value(entry));
      }
    }
  }

  // --- changes: inside `change`, which says whether they are in force ---

  change(work: () => void): boolean {
    return this.#log.change(work);
  }

  add({ ref, nextId }: RefState, version: number, key: Uint8Array, value: Uint8Array, offset = 0): void {
    this.#log.append(ADD, ref.index, version, nextId + offset, key, value);
  }

  setValue({ ref }: RefState, version: number, id: number, value: Uint8Array): void {
    this.#log.append(SET, ref.index, version, id, undefined, value);
  }

  remove({ ref }: RefState, version: number, id: number): void {
    this.#log.append(DELETE, ref.index, version, id);
  }

  clear({ ref }: RefState, version: number): void {
    this.#log.append(CLEAR, ref.index, version, 0);
  }

  prepare({ ref, next }: RefState): void {
    this.#log.append(PREPARE, ref.index, (next + 1) >>> 0, 0);
  }

  commit({ ref }: RefState, version: number): void {
    this.#log.append(COMMIT, ref.index, version, 0);
  }
}
