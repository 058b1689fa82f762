/**
 * Memory that the kernel reads and writes: blocks for received bytes, lent through a ring of provided buffers, and blocks
 * for output. All of it belongs to the garbage collector of the thread: the kernel uses it only inside the thread's own
 * `enter`, so a thread that dies leaves nothing.
 */
import ffi from 'node:ffi';
import { copy } from '../../bytes.ts';
import { URING_RECEIVE_MAX_BYTES } from '../../limits.ts';
import { POISON } from '../common.ts';
import type { OwnChunk } from '../contract.ts';
import * as abi from './abi.ts';
import { high, low, type Ring } from './ring.ts';

/** Where a block goes when nobody keeps it any more. */
interface Home {
  /** Its blocks are for output. */
  readonly output: boolean;
  takeBack(block: Block): void;
}

/** A span of memory at a known address. One with received bytes is the chunk that handlers are lent. */
export class Block implements OwnChunk {
  readonly bytes: Uint8Array;
  start = 0;
  end = 0;
  /** In a pool: its number there. */
  readonly number: number;
  /** For `send` to copy into. */
  readonly output: boolean;
  /** Of `bytes[0]`, whole and in halves. */
  readonly address: bigint;
  readonly low: number;
  readonly high: number;
  readonly #home: Home;
  readonly #poison: boolean;
  #kept = 0;

  constructor(bytes: Uint8Array, address: bigint, number: number, home: Home, poison: boolean) {
    this.output = home.output;
    this.bytes = bytes;
    this.address = address;
    this.low = low(address);
    this.high = high(address);
    this.number = number;
    this.#home = home;
    this.#poison = poison;
  }

  /** Somebody has the block from now on, who gives it back by `release`. */
  take(end: number): this {
    this.end = end;
    this.#kept = 1;
    return this;
  }

  keep(): void {
    this.#kept++;
  }

  release(): void {
    if (this.#kept === 0) throw new Error('io: chunk released more often than kept');
    if (--this.#kept > 0) return;
    if (this.#poison) this.bytes.fill(POISON, this.start, this.end);
    this.#home.takeBack(this);
  }
}

/** Blocks of any size, when the pools are used up: memory comes and goes with the garbage collector. */
const HEAP: Home = { output: false, takeBack() {} };

function heapBlock(bytes: number, poison: boolean): Block {
  const memory = new ArrayBuffer(bytes);
  return new Block(new Uint8Array(memory), ffi.getRawPointer(memory), -1, HEAP, poison);
}

/** Adds `count` blocks to `blocks`. They are aligned to their size, a power of two: none crosses a border of 4 GiB. */
function addSlab(blocks: Block[], count: number, bytes: number, home: Home, poison: boolean): void {
  const memory = new ArrayBuffer((count + 1) * bytes);
  const address = ffi.getRawPointer(memory);
  const skip = Number(-address & BigInt(bytes - 1));
  for (let i = 0; i < count; i++) {
    const offset = skip + i * bytes;
    const view = new Uint8Array(memory, offset, bytes);
    blocks.push(new Block(view, address + BigInt(offset), blocks.length, home, poison));
  }
}

export interface PoolSize {
  /** Per block, a power of two. */
  readonly bytes: number;
  /** Blocks at first, as many more each time it runs low, at most. `max` is a power of two for received bytes. */
  readonly count: number;
  readonly max: number;
}

/**
 * What connections receive into. The kernel takes the blocks from the ring in order; a block is in the ring, or waits in a
 * completion, or is kept by somebody.
 *
 *   ring ──kernel──► completion ──lend──► handler ──release──► ring
 *
 * When fewer than a quarter are left the pool grows; when it cannot, what arrives is copied out and its block goes back at
 * once. So those who keep chunks cannot take the last quarter, and receiving always goes on.
 */
export class ReceiveBlocks implements Home {
  readonly output = false;
  readonly #ring: Ring;
  readonly #size: PoolSize;
  readonly #poison: boolean;
  readonly #blocks: Block[] = [];
  readonly #mask: number;
  /** Neither lent nor kept. */
  #free = 0;
  #tail = 0;
  /** Chunks that were copied for want of blocks. */
  copied = 0;

  constructor(ring: Ring, size: PoolSize, poison: boolean) {
    this.#ring = ring;
    this.#size = size;
    this.#poison = poison;
    this.#mask = size.max - 1;
    this.#grow();
    this.publish();
  }

  #grow(): void {
    const from = this.#blocks.length;
    const count = Math.min(this.#size.count, this.#size.max - from);
    addSlab(this.#blocks, count, this.#size.bytes, this, this.#poison);
    for (let i = from; i < from + count; i++) this.takeBack(this.#blocks[i]!);
  }

  /** The chunk of `length` bytes that block `number` has received, kept once. */
  lend(number: number, length: number): Block {
    const block = this.#blocks[number]!.take(length);
    this.#free--;
    if (this.#free >= this.#blocks.length >> 2) return block;
    if (this.#blocks.length < this.#size.max) {
      this.#grow();
      return block;
    }
    this.copied++;
    const own = heapBlock(length, this.#poison).take(length);
    copy(block.bytes, 0, length, own.bytes, 0);
    block.release();
    return own;
  }

  /** A block that the kernel took for nothing. */
  giveBack(number: number): void {
    this.#free--;
    this.takeBack(this.#blocks[number]!);
  }

  takeBack(block: Block): void {
    const { buffers, bufferHalves } = this.#ring;
    const at = (this.#tail & this.#mask) * abi.BUF_WORDS;
    buffers[at + abi.BUF.addr] = block.low;
    buffers[at + abi.BUF.addrHigh] = block.high;
    buffers[at + abi.BUF.len] = Math.min(block.bytes.length, URING_RECEIVE_MAX_BYTES);
    bufferHalves[(at + abi.BUF.id) * 2] = block.number;
    this.#tail = (this.#tail + 1) & 0xffff;
    this.#free++;
  }

  /** Lets the kernel see what was given back: before each `enter`. */
  publish(): void {
    this.#ring.bufferHalves[abi.BUF_TAIL_HALFWORD] = this.#tail;
  }
}

/**
 * What `send` copies into (`output`), and what layers fill by themselves (`Io.take`): the block used last is taken first, its
 * memory is still in the processor's cache.
 */
export class OutputBlocks implements Home {
  readonly output: boolean;
  readonly #size: PoolSize;
  readonly #poison: boolean;
  readonly #spare: Block[] = [];
  #count = 0;

  constructor(size: PoolSize, poison: boolean, output = true) {
    this.#size = size;
    this.#poison = poison;
    this.output = output;
  }

  /** Room for `bytes` at least. */
  take(bytes: number): Block {
    if (bytes > this.#size.bytes) return heapBlock(bytes, this.#poison).take(bytes);
    if (this.#spare.length === 0 && this.#count < this.#size.max) {
      const more = Math.min(this.#size.count, this.#size.max - this.#count);
      addSlab(this.#spare, more, this.#size.bytes, this, this.#poison);
      this.#count += more;
    }
    return (this.#spare.pop() ?? heapBlock(bytes, this.#poison)).take(bytes);
  }

  takeBack(block: Block): void {
    this.#spare.push(block);
  }
}

/** Bytes `block.bytes[start, end)` waiting to be sent, in a list. */
export class Piece {
  block!: Block;
  start = 0;
  end = 0;
  next: Piece | null = null;
}

/** Pieces used before, for the next ones. */
export class Pieces {
  #spare: Piece | null = null;

  take(block: Block, start: number, end: number): Piece {
    const piece = this.#spare ?? new Piece();
    this.#spare = piece.next;
    piece.block = block;
    piece.start = start;
    piece.end = end;
    piece.next = null;
    return piece;
  }

  /** The block is released, too. */
  give(piece: Piece): void {
    piece.block.release();
    piece.next = this.#spare;
    this.#spare = piece;
  }
}
