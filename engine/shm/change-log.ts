/**
 * Changes that all threads follow: entries of maps and ACLs, variables of the process. Each thread has its own copy of what
 * changes; whoever changes something appends records to this log, and every other thread applies them to its copy before it
 * looks at it the next time. To see that nothing is new takes one atomic load (`behind`).
 *
 *   words    lock | committed | epoch | per space: length, base | bell | per follower: the epoch it reads + 1, 0 = nobody
 *   space 0  ┌ snapshot ┬ records ... ┐          the space in use is `epoch & 1`
 *   space 1  └──────────┴─────────────┘          [0, base) is the snapshot, [base, length) what came after it
 *
 *   record   total u32 | kind u32 | ref u32 | version u32 | number f64 | key bytes u32 | value bytes u32 | key | value | to 8
 *
 * Writers take turns by a lock and commit by two stores, the length and then `committed`: a thread that is ended in the
 * middle leaves the lock, which the master takes from it (`leave`), and bytes behind the length, which nobody looks at.
 *
 * The log is kept short: the control thread, and no other, writes what is true now into the other space, and changes the
 * epoch. Who follows reads the old space to its end, and goes on behind the snapshot. Only a new thread reads a snapshot.
 * A space is written again when nobody reads it any more.
 */
import { CHANGE_BYTES_MAX, CHANGE_COMPACT_BYTES } from '../limits.ts';
import { listenWord, ringWord } from './doorbell.ts';

const LOCK = 0;
const COMMITTED = 1;
const EPOCH = 2;
const LENGTH = 3;
const BASE = 5;
const BELL = 7;
const FOLLOWERS = 8;

const HEADER_BYTES = 32;
const FIRST_BYTES = 64 * 1024;
/** How often, and for how long at a time, a writer waits for the lock. Milliseconds. */
const LOCK_TRIES = 200;
const LOCK_WAIT_MS = 10;

const NOTHING = new Uint8Array(0);

export interface ChangeBuffers {
  readonly words: SharedArrayBuffer;
  readonly spaces: readonly [SharedArrayBuffer, SharedArrayBuffer];
}

/** A record as it is read; the same object for all of them. The meaning of each field is that of the kind. */
export interface Change {
  kind: number;
  ref: number;
  version: number;
  number: number;
  /** Valid while it is applied: the key is `bytes[start, mid)`, the value `bytes[mid, end)`. */
  bytes: Uint8Array;
  start: number;
  mid: number;
  end: number;
}

/** Who has a copy of something that changes. */
export interface Follower {
  /** The kinds of records that are for it; those of no follower in this thread are passed over. */
  readonly kinds: readonly number[];
  apply(change: Change): void;
  /** Appends what leads from the configuration to the present state. */
  snapshot(log: ChangeLog): void;
}

/** Space for the log of a process whose threads are numbered from 0 to `followers - 1`. */
export function createChanges(followers: number): ChangeBuffers {
  // Growable, so that all threads see the same memory however much it becomes.
  const space = () => new SharedArrayBuffer(FIRST_BYTES, { maxByteLength: CHANGE_BYTES_MAX });
  return { words: new SharedArrayBuffer((FOLLOWERS + followers) * 4), spaces: [space(), space()] };
}

/** Takes from a thread that has ended what it held. Called by the master before another gets its number. */
export function leave({ words }: ChangeBuffers, follower: number): void {
  const w = new Int32Array(words);
  Atomics.store(w, FOLLOWERS + follower, 0);
  if (Atomics.load(w, LOCK) !== follower + 1) return;
  // It may have stored the length and not said so.
  Atomics.add(w, COMMITTED, 1);
  Atomics.store(w, LOCK, 0);
  Atomics.notify(w, LOCK);
}

export class ChangeLog {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #spaces: readonly [SharedArrayBuffer, SharedArrayBuffer];
  readonly #views: [Uint8Array, Uint8Array] = [NOTHING, NOTHING];
  readonly #data: [DataView, DataView];
  readonly #own: number;
  readonly #byKind = new Map<number, Follower>();
  readonly #followers: Follower[] = [];
  readonly #change: Change = { kind: 0, ref: 0, version: 0, number: 0, bytes: NOTHING, start: 0, mid: 0, end: 0 };
  #epoch = 0;
  #offset = 0;
  #seen = 0;
  // --- of the change under way ---
  #target = 0;
  #at = 0;
  #full = false;

  /** `follower`: the number of this thread. */
  constructor({ words, spaces }: ChangeBuffers, follower: number) {
    this.#words = new Int32Array(words);
    this.#spaces = spaces;
    this.#data = [new DataView(spaces[0]), new DataView(spaces[1])];
    this.#own = FOLLOWERS + follower;
    // Published, then looked at again: from then on this epoch's space is not written anew.
    do {
      this.#epoch = Atomics.load(this.#words, EPOCH);
      Atomics.store(this.#words, this.#own, this.#epoch + 1);
    } while (Atomics.load(this.#words, EPOCH) !== this.#epoch);
  }

  follow(follower: Follower): void {
    for (const kind of follower.kinds) this.#byKind.set(kind, follower);
    this.#followers.push(follower);
  }

  /** Something has changed that this thread has not applied. */
  get behind(): boolean {
    return Atomics.load(this.#words, COMMITTED) !== this.#seen;
  }

  /** Applies what is new. */
  catchUp(): void {
    for (;;) {
      const seen = Atomics.load(this.#words, COMMITTED);
      const epoch = Atomics.load(this.#words, EPOCH);
      this.#read();
      if (epoch === this.#epoch) {
        this.#seen = seen;
        return;
      }
      this.#epoch = (this.#epoch + 1) | 0;
      this.#offset = Atomics.load(this.#words, BASE + (this.#epoch & 1));
      Atomics.store(this.#words, this.#own, this.#epoch + 1);
    }
  }

  /**
   * Changes something: `work` sees the present state, and appends. All of it is in force in all threads when this returns
   * true, or nothing (false): there is no room, or the lock was not to be had.
   */
  change(work: () => void): boolean {
    if (!this.#lock()) return false;
    try {
      this.catchUp();
      const space = this.#epoch & 1;
      const length = Atomics.load(this.#words, LENGTH + space);
      this.#begin(space, length);
      work();
      if (this.#full) return false;
      if (this.#at > length) {
        Atomics.store(this.#words, LENGTH + space, this.#at);
        Atomics.add(this.#words, COMMITTED, 1);
        if (this.#isLong()) ringWord(this.#words, BELL);
      }
    } finally {
      this.#unlock();
    }
    this.catchUp();
    return true;
  }

  /** Adds a record to the change, or to the snapshot, under way. */
  append(
    kind: number,
    ref: number,
    version: number,
    number: number,
    key: Uint8Array = NOTHING,
    value: Uint8Array = NOTHING,
  ): void {
    const total = (HEADER_BYTES + key.length + value.length + 7) & ~7;
    const at = this.#at;
    if (this.#full || !this.#room(at + total)) return;
    const data = this.#data[this.#target]!;
    data.setUint32(at, total, true);
    data.setUint32(at + 4, kind, true);
    data.setUint32(at + 8, ref, true);
    data.setUint32(at + 12, version, true);
    data.setFloat64(at + 16, number, true);
    data.setUint32(at + 24, key.length, true);
    data.setUint32(at + 28, value.length, true);
    const bytes = this.#view(this.#target);
    bytes.set(key, at + HEADER_BYTES);
    bytes.set(value, at + HEADER_BYTES + key.length);
    this.#at = at + total;
  }

  /** Calls `onLong` whenever the log has become long: for the one thread that calls `compact`. */
  listenLong(onLong: () => void): { stop(): void } {
    return listenWord(this.#words, BELL, onLong);
  }

  /**
   * Begins the log again with a snapshot. False when that is not possible now: a thread still reads the space that it would
   * go into, and must be made to catch up. Others may write meanwhile: what they do stands behind the snapshot.
   */
  compact(): boolean {
    this.catchUp();
    if (!this.#isLong()) return true;
    if (!this.#allHere()) return false;
    const space = this.#epoch & 1;
    const other = 1 - space;
    this.#begin(other, 0);
    for (const follower of this.#followers) follower.snapshot(this);
    if (!this.#lock()) return false;
    try {
      const rest = this.#view(space).subarray(this.#offset, Atomics.load(this.#words, LENGTH + space));
      if (this.#full || !this.#room(this.#at + rest.length)) return true;
      this.#view(other).set(rest, this.#at);
      Atomics.store(this.#words, LENGTH + other, this.#at + rest.length);
      Atomics.store(this.#words, BASE + other, this.#at + rest.length);
      Atomics.store(this.#words, EPOCH, (this.#epoch + 1) | 0);
    } finally {
      this.#unlock();
    }
    this.catchUp();
    return true;
  }

  #isLong(): boolean {
    const space = this.#epoch & 1;
    const base = Atomics.load(this.#words, BASE + space);
    return Atomics.load(this.#words, LENGTH + space) > Math.max(CHANGE_COMPACT_BYTES, 2 * base);
  }

  #allHere(): boolean {
    for (let at = FOLLOWERS; at < this.#words.length; at++) {
      const epoch = Atomics.load(this.#words, at);
      if (epoch !== 0 && epoch !== this.#epoch + 1) return false;
    }
    return true;
  }

  #lock(): boolean {
    for (let tries = 0; tries < LOCK_TRIES; tries++) {
      const holder = Atomics.compareExchange(this.#words, LOCK, 0, this.#own - FOLLOWERS + 1);
      if (holder === 0) return true;
      Atomics.wait(this.#words, LOCK, holder, LOCK_WAIT_MS);
    }
    return false;
  }

  #unlock(): void {
    Atomics.store(this.#words, LOCK, 0);
    Atomics.notify(this.#words, LOCK, 1);
  }

  #begin(space: number, at: number): void {
    this.#target = space;
    this.#at = at;
    this.#full = false;
  }

  /** Makes the target at least `bytes` long. */
  #room(bytes: number): boolean {
    const space = this.#spaces[this.#target]!;
    if (bytes <= space.byteLength) return true;
    this.#full = bytes > CHANGE_BYTES_MAX;
    if (!this.#full) space.grow(Math.min(CHANGE_BYTES_MAX, Math.max(bytes, 2 * space.byteLength)));
    return !this.#full;
  }

  /** All bytes of a space: of a fixed length, made again after it has grown. */
  #view(space: number): Uint8Array {
    const buffer = this.#spaces[space]!;
    if (this.#views[space]!.length !== buffer.byteLength) {
      this.#views[space] = new Uint8Array(buffer, 0, buffer.byteLength);
    }
    return this.#views[space]!;
  }

  #read(): void {
    const space = this.#epoch & 1;
    const length = Atomics.load(this.#words, LENGTH + space);
    if (this.#offset === length) return;
    const data = this.#data[space]!;
    const change = this.#change;
    change.bytes = this.#view(space);
    for (let at = this.#offset; at < length; at = this.#offset) {
      change.kind = data.getUint32(at + 4, true);
      change.ref = data.getUint32(at + 8, true);
      change.version = data.getUint32(at + 12, true);
      change.number = data.getFloat64(at + 16, true);
      change.start = at + HEADER_BYTES;
      change.mid = change.start + data.getUint32(at + 24, true);
      change.end = change.mid + data.getUint32(at + 28, true);
      this.#offset = at + data.getUint32(at, true);
      this.#byKind.get(change.kind)?.apply(change);
    }
  }
}
