/** What a connection has still to send: spans of blocks, in order. */
import { copy } from '../../bytes.ts';

import type { Block, OutputBlocks, Piece, Pieces } from './buffers.ts';

/** Where blocks and pieces come from. */
export interface OutputPools {
  readonly output: OutputBlocks;
  readonly pieces: Pieces;
}

/** Up to here a copy costs less than a span of its own: a message head and its short body. */
const JOIN_BYTES = 1024;

export class Output {
  readonly #pools: OutputPools;
  #last: Piece | null = null;
  /** What is sent next; null when there is nothing. */
  first: Piece | null = null;
  /** Bytes in all pieces. */
  pending = 0;

  constructor(pools: OutputPools) {
    this.#pools = pools;
  }

  /** Copies `bytes[start, end)`, behind the bytes of the last copy where there is room. */
  copy(bytes: Uint8Array, start: number, end: number): void {
    const length = end - start;
    const last = this.#last;
    // A piece that is being sent may grow: what the kernel was told of it does not change.
    if (last?.block.output && last.block.bytes.length - last.end >= length) {
      copy(bytes, start, end, last.block.bytes, last.end);
      last.end += length;
      this.pending += length;
    } else {
      const block = this.#pools.output.take(length);
      copy(bytes, start, end, block.bytes, 0);
      this.add(block, 0, length);
    }
  }

  /** A short span behind a copy joins it there: one span is sent faster than two. */
  joins(length: number): boolean {
    const last = this.#last;
    return length <= JOIN_BYTES && last !== null && last.block.output && last.block.bytes.length - last.end >= length;
  }

  /** Takes over one `keep` of the block. */
  add(block: Block, start: number, end: number): void {
    const piece = this.#pools.pieces.take(block, start, end);
    if (this.#last === null) this.first = piece;
    else this.#last.next = piece;
    this.#last = piece;
    this.pending += end - start;
  }

  /** The kernel took the first `length` bytes. */
  sent(length: number): void {
    this.pending -= length;
    let left = length;
    while (left > 0) {
      const piece = this.first!;
      const size = piece.end - piece.start;
      if (size > left) {
        piece.start += left;
        return;
      }
      left -= size;
      this.#dropFirst(piece);
    }
  }

  drop(): void {
    while (this.first !== null) this.#dropFirst(this.first);
    this.pending = 0;
  }

  #dropFirst(piece: Piece): void {
    this.first = piece.next;
    if (piece.next === null) this.#last = null;
    this.#pools.pieces.give(piece);
  }
}
