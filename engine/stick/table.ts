/**
 * A stick table in shared memory (layout.ts), as one thread sees it. The key in hand stands in `KEY` (key.ts).
 *
 * Reading (`find`) takes no lock: at most two buckets of the index are looked at. Whoever wants to use an entry holds it,
 * by adding one to its references; a held entry is neither evicted nor used for another key. Its data are changed by single
 * atomic operations. Structure (which keys there are) is changed by one thread at a time, the writer.
 *
 *            claim: order                    publish: refs += LIVE
 *     free ───────────────► being filled ───────────────────────────► live (refs = LIVE + holds)
 *       ▲                                                                │
 *       └──────────── out of index and order ◄── dead ◄──────────────────┘  evict, purge, clear: refs LIVE -> 0, by
 *                                                                            compare-and-swap: only while nobody holds it
 *
 * Why it is right:
 * 1. A hold succeeds only if the references were >= LIVE when it was added. From then on they are > LIVE, so the only way
 *    out of `live`, the compare-and-swap from exactly LIVE, fails until the hold is given back. Hence key and place of a held
 *    entry stay. A failed hold is taken back at once; references of dead places only ever see such pairs.
 * 2. The index is only a hint: after a hold the key is compared. A stale slot leads to a dead place (no hold) or to another
 *    key (given back), never to a wrong answer.
 * 3. Key and data are written before `refs += LIVE` and read after a hold, which reads what that addition wrote: sequentially
 *    consistent atomics order them.
 * 4. No key is live twice: only the writer makes entries, and it looks for the key after it has become the writer. A live key
 *    is found by whoever looks: its slot is written before it goes live and cleared after it is dead, and slots never move.
 * 5. The writer is bounded: it looks at EVICT_TRIES entries of the order at most. Waiting for it is bounded too: after
 *    that (writer.ts) the table answers as a full one does.
 * 6. A writer that died is seen by the master (`reclaim`), which alone then makes index and order anew from what is live.
 *    Live entries keep their slots meanwhile, so that nobody who looks notices.
 */
import type { StickTable } from '../config/stick-model.ts';
import { recordChange } from './changes.ts';
import { COUNTED, type HoldRow } from './holds.ts';
import { hashKey, KEY, usedWords } from './key.ts';
import {
  BUCKET_WORDS,
  ENTRY_KEY,
  EXPIRE,
  type Field,
  HASH,
  HEADER,
  type Layout,
  LIVE,
  layoutOf,
  MAGIC,
  REFS,
  UPDATE,
} from './layout.ts';
import { Order } from './order.ts';
import { Slots } from './slots.ts';
import { becomeWriter, isWriter, leaveWriter } from './writer.ts';

/** Entries that a full table looks at before the one on top has to go. */
const EVICT_TRIES = 256;
/** Expired entries that go whenever one is added. */
const PURGE_ON_ADD = 2;

/** Number of the type in data-types.ts. */
const CONN_CUR = 6;

const { used: USED, handed: HANDED } = HEADER.at;

/** Bytes that the table takes. */
export function tableBytes(spec: StickTable): number {
  return layoutOf(spec).totalWords * 4;
}

/** Memory for a table without entries. `seed`: a random number. Throws RangeError when the system has not enough. */
export function createTable(spec: StickTable, seed: number): SharedArrayBuffer {
  const layout = layoutOf(spec);
  const buffer = new SharedArrayBuffer(layout.totalWords * 4);
  const words = new Int32Array(buffer);
  words[HEADER.at.magic] = MAGIC;
  words[HEADER.at.shape] = layout.shape;
  words[HEADER.at.seed] = seed;
  return buffer;
}

export class Table {
  readonly spec: StickTable;
  readonly words: Int32Array;
  readonly layout: Layout;
  readonly order: Order;
  /** A hold for what is only looked at: the one used when none is given. */
  readonly hold: number;
  /** Names that this thread has met, and their numbers: they never change. */
  readonly nameTexts: string[] = [];
  readonly nameNumbers = new Map<string, number>();
  readonly #holds: HoldRow;
  /** What this thread writes into `writer`, and into its holds. */
  readonly #self: number;
  readonly #mark: number;
  readonly #seed: number;
  readonly #slots: Slots;
  /** Fields by the number of their type. */
  readonly #fields: (Field | undefined)[] = [];
  readonly #shared: boolean;
  /** Offset of `conn_cur` in an entry; 0 = it is not stored. */
  readonly #current: number;
  /** Of the key that was looked for last. */
  #hash = 0;

  /** @param row number of this thread's row of holds. Throws when the memory is not that of such a table. */
  constructor(spec: StickTable, buffer: SharedArrayBuffer, row: number, holds: HoldRow) {
    this.spec = spec;
    this.words = new Int32Array(buffer);
    this.layout = layoutOf(spec);
    if (this.words[HEADER.at.magic] !== MAGIC || this.words[HEADER.at.shape] !== this.layout.shape) {
      throw new Error(`stick: this memory is not that of table '${spec.name}'`);
    }
    this.order = new Order(this.words, this.layout.order);
    this.#holds = holds;
    this.hold = holds.take();
    this.#self = row + 1;
    this.#mark = spec.index + 1;
    this.#seed = this.words[HEADER.at.seed]!;
    this.#slots = new Slots(this.words, this.layout, spec.size);
    for (const field of this.layout.fields) this.#fields[field.type.number] = field;
    this.#shared = this.layout.changesMax > 0;
    this.#current = this.field(CONN_CUR)?.at ?? 0;
  }

  /** Live entries now. */
  get used(): number {
    return Atomics.load(this.words, USED);
  }

  /** Entries are numbered from 0 to less than this: `take` tells which of them are there. */
  get end(): number {
    return Atomics.load(this.words, HANDED);
  }

  /** Where a type stands in an entry, by its number; null = it is not stored. */
  field(number: number): Field | null {
    return this.#fields[number] ?? null;
  }

  /** Word offset of an entry. */
  at(entry: number): number {
    return this.layout.entries + entry * this.layout.entryWords;
  }

  /** Who holds the entry, without the asking thread's own hold of just now. */
  holders(entry: number): number {
    return Atomics.load(this.words, this.at(entry) + REFS) - LIVE - 1;
  }

  /** Milliseconds until it expires, below 0 when it has; 0 where entries do not. */
  expiresIn(entry: number, now: number): number {
    return this.spec.expireMs === 0 ? 0 : (this.words[this.at(entry) + EXPIRE]! - now) | 0;
  }

  // --- holding ---

  /**
   * Holds an entry by its number. False when there is none. The reference and its hold change side by side (holds.ts), a
   * dead place's too, and all that the second needs is loaded before the first.
   */
  take(entry: number, hold = this.hold): boolean {
    const { words } = this;
    const row = this.#holds.words;
    const mark = this.#mark;
    const refs = this.layout.entries + entry * this.layout.entryWords + REFS;
    row[hold + 1] = entry;
    const before = Atomics.add(words, refs, 1);
    row[hold] = mark;
    if (before >= LIVE) return true;
    this.release(entry, hold);
    return false;
  }

  /** A hold of its own for who holds an entry for long; -1 = this thread has none left. */
  takeHold(): number {
    return this.#holds.take();
  }

  giveHold(hold: number): void {
    this.#holds.give(hold);
  }

  /** Lets an entry go that is held in `hold`. */
  release(entry: number, hold = this.hold): void {
    const { words } = this;
    const row = this.#holds.words;
    const refs = this.layout.entries + entry * this.layout.entryWords + REFS;
    row[hold] = 0;
    Atomics.sub(words, refs, 1);
  }

  /** The holder counts as a connection: raises `conn_cur`, where it is stored. As with the hold itself, side by side. */
  count(entry: number, hold: number): void {
    const row = this.#holds.words;
    const at = this.at(entry) + this.#current;
    if (this.#current === 0) return;
    Atomics.add(this.words, at, 1);
    row[hold] = this.#mark | COUNTED;
  }

  uncount(entry: number, hold: number): void {
    const row = this.#holds.words;
    const at = this.at(entry) + this.#current;
    if (this.#current === 0) return;
    row[hold] = this.#mark;
    Atomics.sub(this.words, at, 1);
  }

  // --- finding ---

  /** The entry of the key in KEY, held; -1 = there is none, or it has expired. */
  find(now: number, hold = this.hold): number {
    const entry = this.#look(hold);
    if (entry < 0 || !this.#isOver(entry, now)) return entry;
    this.release(entry, hold);
    return -1;
  }

  /** The same; a key that is not there is added, with nothing counted yet. -1 = there is no room. */
  findOrAdd(now: number, hold = this.hold): number {
    const entry = this.find(now, hold);
    if (entry >= 0 || !becomeWriter(this.words, this.#self)) return entry;
    try {
      return this.#add(now, hold);
    } finally {
      leaveWriter(this.words);
    }
  }

  #look(hold: number): number {
    const used = usedWords(this.spec.key, this.layout.keyWords);
    const hash = hashKey(used, this.#seed);
    this.#hash = hash;
    const first = this.#slots.first(hash);
    const entry = this.#lookIn(first, hash, used, hold);
    if (entry >= 0 || Atomics.load(this.words, first) === 0) return entry;
    return this.#lookIn(this.#slots.second(hash), hash, used, hold);
  }

  #lookIn(bucket: number, hash: number, used: number, hold: number): number {
    const { words } = this;
    const mask = this.#slots.placeMask;
    for (let slot = bucket + 1; slot < bucket + BUCKET_WORDS; slot++) {
      const found = Atomics.load(words, slot);
      if (((found ^ hash) & ~mask) !== 0 || (found & mask) === 0) continue;
      const entry = (found & mask) - 1;
      if (!this.take(entry, hold)) continue;
      if (this.#isKey(entry, used)) return entry;
      this.release(entry, hold);
    }
    return -1;
  }

  #isKey(entry: number, used: number): boolean {
    const at = this.at(entry) + ENTRY_KEY;
    for (let i = 0; i < used; i++) if (this.words[at + i] !== KEY[i]) return false;
    return true;
  }

  /** It has expired and nobody else uses it. */
  #isOver(entry: number, now: number): boolean {
    if (this.spec.expireMs === 0) return false;
    const at = this.at(entry);
    return ((this.words[at + EXPIRE]! - now) | 0) <= 0 && Atomics.load(this.words, at + REFS) === LIVE + 1;
  }

  // --- keeping ---

  /** It expires `expire` from now on again. */
  refresh(entry: number, now: number): void {
    this.expireIn(entry, now, this.spec.expireMs);
  }

  expireIn(entry: number, now: number, ms: number): void {
    this.words[this.at(entry) + EXPIRE] = now + ms;
  }

  /** Something of the entry was changed by this process: it lives on, and the peers will be told. */
  changed(entry: number, now: number): void {
    this.refresh(entry, now);
    if (this.#shared) recordChange(this, entry);
  }

  // --- structure: one writer at a time ---

  /** Runs `change` as the writer; `otherwise` when it cannot become it. */
  write<T>(change: () => T, otherwise: T): T {
    if (!becomeWriter(this.words, this.#self)) return otherwise;
    try {
      return change();
    } finally {
      leaveWriter(this.words);
    }
  }

  #add(now: number, hold: number): number {
    // Another writer may have been faster.
    const known = this.#look(hold);
    if (known >= 0) {
      if (this.#isOver(known, now)) this.#reset(known, now);
      return known;
    }
    const hash = this.#hash;
    const slot = this.#slots.free(hash);
    const entry = slot < 0 ? -1 : this.#claim(now);
    if (entry < 0) return -1;
    const { words } = this;
    const at = this.at(entry);
    words[at + HASH] = hash;
    const used = usedWords(this.spec.key, this.layout.keyWords);
    for (let i = 0; i < used; i++) words[at + ENTRY_KEY + i] = KEY[i]!;
    this.#reset(entry, now);
    this.#slots.fill(slot, hash, entry);
    const live = words[USED]!;
    this.order.push(live, words[at + EXPIRE]!, entry);
    Atomics.store(words, USED, live + 1);
    const row = this.#holds.words;
    const mark = this.#mark;
    row[hold + 1] = entry;
    Atomics.add(words, at + REFS, LIVE + 1);
    row[hold] = mark;
    return entry;
  }

  /** Nothing counted, and a whole life ahead. */
  #reset(entry: number, now: number): void {
    const { words, layout } = this;
    const at = this.at(entry);
    words.fill(0, at + ENTRY_KEY + layout.keyWords, at + layout.entryWords);
    words[at + UPDATE] = 0;
    this.refresh(entry, now);
  }

  /** A place for an entry; -1 = none. */
  #claim(now: number): number {
    const { words, spec } = this;
    if (spec.expireMs > 0) this.#purge(now, PURGE_ON_ADD);
    if (words[USED] === spec.size && (spec.noPurge || !this.#evict(now))) return -1;
    const used = words[USED]!;
    const handed = words[HANDED]!;
    if (used < handed) return this.order.place(used);
    Atomics.store(words, HANDED, handed + 1);
    return handed;
  }

  /** Frees the place of the entry that expires first; false = too many are held. */
  #evict(now: number): boolean {
    for (let tries = 0; tries < 2 * EVICT_TRIES; tries++) {
      if (tries < EVICT_TRIES && this.#requeue()) continue;
      if (this.#killFirst(now)) return true;
    }
    return false;
  }

  /** Frees the places of entries that have expired, `max` at most; gives how many. */
  purge(now: number, max: number): number {
    return this.spec.expireMs === 0 ? 0 : this.write(() => this.#purge(now, max), 0);
  }

  #purge(now: number, max: number): number {
    let freed = 0;
    for (let tries = 0; tries < max && this.words[USED]! > 0; tries++) {
      if (this.#requeue()) continue;
      if (((this.order.key(0) - now) | 0) > 0) break;
      if (this.#killFirst(now)) freed++;
    }
    return freed;
  }

  /** The entry on top was refreshed since it was queued: to its right position. False = it is the oldest indeed. */
  #requeue(): boolean {
    const { words, order } = this;
    const expire = words[this.at(order.place(0)) + EXPIRE]!;
    if (expire === order.key(0)) return false;
    order.later(0, expire, words[USED]!);
    return true;
  }

  /** Ends the entry on top. One that is held lives on, as if it was refreshed now. */
  #killFirst(now: number): boolean {
    const { words, order } = this;
    const entry = order.place(0);
    // One that is dead already was killed by `removeAll`.
    if (this.#kill(entry, LIVE) || !this.#isLive(entry)) {
      this.#drop(entry, 0);
      return true;
    }
    this.refresh(entry, now);
    order.later(0, words[this.at(entry) + EXPIRE]!, words[USED]!);
    return false;
  }

  /** Removes an entry that the caller holds with `hold`; false = others hold it too, and it stays held. */
  remove(entry: number, hold = this.hold): boolean {
    return this.write(() => {
      const position = this.order.find(entry, this.words[USED]!);
      if (position < 0 || !this.#kill(entry, LIVE + 1)) return false;
      this.#holds.words[hold] = 0;
      this.#drop(entry, position);
      return true;
    }, false);
  }

  /** Removes the entries that nobody else holds and for which `matches` holds, at a time when each is held. */
  removeAll(matches: (entry: number) => boolean): void {
    for (let entry = 0; entry < this.end; entry++) {
      if (!this.take(entry)) continue;
      if (matches(entry) && this.#kill(entry, LIVE + 1)) {
        this.#holds.words[this.hold] = 0;
        this.#forget(entry);
      } else this.release(entry);
    }
    this.write(() => this.#queueAll(), undefined);
  }

  /** From live to dead, if the references are exactly `refs`. */
  #kill(entry: number, refs: number): boolean {
    return Atomics.compareExchange(this.words, this.at(entry) + REFS, refs, 0) === refs;
  }

  /** Takes a dead entry out of index and order. */
  #drop(entry: number, position: number): void {
    this.#forget(entry);
    const used = this.words[USED]!;
    this.order.remove(position, used);
    Atomics.store(this.words, USED, used - 1);
  }

  /** Takes a dead entry out of the index. */
  #forget(entry: number): void {
    this.#slots.drop(this.words[this.at(entry) + HASH]!, entry);
  }

  // --- what a dead thread left ---

  /**
   * Makes the structure whole again if thread `row`, which has ended, was the writer. Called by the master. Dead places
   * leave the index, what is live is queued anew.
   */
  recover(row: number): void {
    if (!isWriter(this.words, row + 1)) return;
    Atomics.add(this.words, HEADER.at.rebuilt, 1);
    this.#slots.clean(place => this.#isLive(place));
    this.#queueAll();
    leaveWriter(this.words);
  }

  /** Makes the order anew from what is live. */
  #queueAll(): void {
    const { words, order } = this;
    const handed = words[HANDED]!;
    let used = 0;
    for (let place = 0; place < handed; place++) {
      if (this.#isLive(place)) order.push(used++, words[this.at(place) + EXPIRE]!, place);
    }
    let free = used;
    for (let place = 0; place < handed; place++) if (!this.#isLive(place)) order.set(free++, 0, place);
    Atomics.store(words, USED, used);
  }

  #isLive(place: number): boolean {
    return Atomics.load(this.words, this.at(place) + REFS) >= LIVE;
  }
}
