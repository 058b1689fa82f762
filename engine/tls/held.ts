/** Records that came and were not read yet, because the owner has paused. */
import type { Chunk } from '../io/contract.ts';

export class Held {
  readonly #chunks: Chunk[] = [];
  /** Where the first chunk goes on. */
  at = 0;

  get first(): Chunk | undefined {
    return this.#chunks[0];
  }

  /** The bytes of `chunk` from `at` on. */
  push(chunk: Chunk, at: number): void {
    if (this.#chunks.length === 0) this.at = at;
    chunk.keep();
    this.#chunks.push(chunk);
  }

  /** The first chunk has been read. */
  shift(): void {
    this.#chunks.shift()?.release();
    this.at = this.first?.start ?? 0;
  }

  drop(): void {
    while (this.first !== undefined) this.shift();
  }
}
