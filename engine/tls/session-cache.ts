/**
 * Sessions of clients without tickets, in memory that all threads share: a session resumes on any of them. Bounded by
 * `tune.ssl.cachesize`; what is too old (`tune.ssl.lifetime`) OpenSSL itself refuses.
 *
 *   words    head u32 | index: buckets of WAYS words, block + 1 of an entry; 0 = none
 *   blocks   a ring: an entry is in so many blocks in a row, the oldest is overwritten by the newest
 *   entry    check u32 | bytes u16 | id bytes u16 | id, 32 | session, DER
 *
 * Nobody waits: who writes takes blocks by an atomic add, fills them, and then writes the index. Whoever reads copies and
 * compares the checksum, so that an entry which is overwritten meanwhile, or was left half-written, is none.
 */

const BLOCK_BYTES = 256;
const WAYS = 4;
const ID_BYTES_MAX = 32;
const HEAD_BYTES = 8 + ID_BYTES_MAX;
const HEAD = 0;
const INDEX = 1;
/** Sessions with large certificates of clients are not kept. */
const ENTRY_BLOCKS_MAX = 64;

function bucketsOf(blocks: number): number {
  return Math.ceil(blocks / WAYS);
}

/** Memory for `blocks` blocks. */
export function newSessionMemory(blocks: number): SharedArrayBuffer {
  return new SharedArrayBuffer((INDEX + bucketsOf(blocks) * WAYS) * 4 + blocks * BLOCK_BYTES);
}

/** How many blocks such memory has. */
function blocksIn({ byteLength }: SharedArrayBuffer): number {
  // Up to WAYS - 1 words of the index are beyond one for each block.
  return Math.floor((byteLength - INDEX * 4) / (BLOCK_BYTES + 4));
}

export class SessionCache {
  readonly #words: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #blocks: number;
  readonly #buckets: number;
  /** How often this thread has looked, and found nothing, since somebody counted that. */
  lookups = 0;
  misses = 0;
  /** An entry while it is made or looked at, with its number of bytes. */
  readonly #entry = Buffer.alloc(ENTRY_BLOCKS_MAX * BLOCK_BYTES);

  constructor(memory: SharedArrayBuffer) {
    this.#blocks = blocksIn(memory);
    this.#buckets = bucketsOf(this.#blocks);
    const words = INDEX + this.#buckets * WAYS;
    this.#words = new Int32Array(memory, 0, words);
    this.#bytes = new Uint8Array(memory, words * 4, this.#blocks * BLOCK_BYTES);
  }

  /** Keeps `session` under `id`, 4 to 32 bytes. */
  put(id: Uint8Array, session: Uint8Array): void {
    const bytes = HEAD_BYTES + session.length;
    const blocks = Math.ceil(bytes / BLOCK_BYTES);
    // Half of the ring at most: what does not fit at its end fits at its beginning.
    if (blocks > Math.min(ENTRY_BLOCKS_MAX, (this.#blocks + 1) >> 1) || id.length > ID_BYTES_MAX) return;
    const entry = this.#entry;
    entry.fill(0, 0, HEAD_BYTES);
    entry.writeUInt16LE(bytes, 4);
    entry.writeUInt16LE(id.length, 6);
    entry.set(id, 8);
    entry.set(session, HEAD_BYTES);
    entry.writeUInt32LE(checksum(entry, bytes), 0);
    const block = this.#take(blocks);
    this.#bytes.set(entry.subarray(0, bytes), block * BLOCK_BYTES);
    Atomics.store(this.#words, this.#wayFor(id), block + 1);
  }

  /** The session under `id`, valid until the next call; null = there is none. */
  find(id: Uint8Array): Uint8Array | null {
    const way = this.#wayOf(id);
    this.lookups++;
    if (way < 0) this.misses++;
    return way < 0 ? null : this.#entry.subarray(HEAD_BYTES, this.#entry.readUInt16LE(4));
  }

  forget(id: Uint8Array): void {
    const way = this.#wayOf(id);
    if (way >= 0) Atomics.store(this.#words, way, 0);
  }

  /** So many blocks in a row: the number of the first. */
  #take(blocks: number): number {
    for (;;) {
      const block = (Atomics.add(this.#words, HEAD, blocks) >>> 0) % this.#blocks;
      // The rest at the end of the ring is left out.
      if (block + blocks <= this.#blocks) return block;
    }
  }

  #bucket(id: Uint8Array): number {
    const number = (id[0]! | (id[1]! << 8) | (id[2]! << 16) | (id[3]! << 24)) >>> 0;
    return INDEX + (number % this.#buckets) * WAYS;
  }

  /** The word of the index for a new entry: a free one, else that of the oldest entry. */
  #wayFor(id: Uint8Array): number {
    const first = this.#bucket(id);
    const head = (Atomics.load(this.#words, HEAD) >>> 0) % this.#blocks;
    let [oldest, age] = [first, -1];
    for (let way = first; way < first + WAYS; way++) {
      const block = Atomics.load(this.#words, way) - 1;
      if (block < 0) return way;
      const own = (head - block + this.#blocks) % this.#blocks;
      if (own > age) [oldest, age] = [way, own];
    }
    return oldest;
  }

  /** The word of the index that leads to `id`, whose entry is copied; -1 = none does. */
  #wayOf(id: Uint8Array): number {
    if (id.length < 4) return -1;
    const first = this.#bucket(id);
    for (let way = first; way < first + WAYS; way++) {
      const block = Atomics.load(this.#words, way) - 1;
      if (block >= 0 && this.#copy(block, id)) return way;
    }
    return -1;
  }

  /** Copies the entry there. False when it is not whole, or another one. */
  #copy(block: number, id: Uint8Array): boolean {
    const [entry, at] = [this.#entry, block * BLOCK_BYTES];
    entry.set(this.#bytes.subarray(at, at + HEAD_BYTES));
    const bytes = entry.readUInt16LE(4);
    if (bytes < HEAD_BYTES || bytes > entry.length || at + bytes > this.#bytes.length) return false;
    if (entry.readUInt16LE(6) !== id.length || entry.compare(id, 0, id.length, 8, 8 + id.length) !== 0) return false;
    entry.set(this.#bytes.subarray(at + HEAD_BYTES, at + bytes), HEAD_BYTES);
    return entry.readUInt32LE(0) === checksum(entry, bytes);
  }
}

/** FNV-1a of an entry but for its checksum. */
function checksum(entry: Uint8Array, bytes: number): number {
  let hash = 0x811c9dc5;
  for (let i = 4; i < bytes; i++) hash = Math.imul(hash ^ entry[i]!, 0x01000193);
  return hash >>> 0;
}
