/**
 * A response that is kept back while `http-response` rules wait (`wait-for-body`, `pause`): the chunk that its head lies in, and
 * the payload as far as it came and a buffer holds it. What comes beyond that stays in its chunk, and the server is not read on.
 */
import type { Chunk, Conn } from '../io/contract.ts';
import { BodyBuffer } from './body-buffer.ts';
import { ownChunk } from './own-chunk.ts';

export class ResponseHold {
  readonly body: BodyBuffer;
  /** null = the head lies in a buffer of its own. */
  #head: Chunk | null = null;
  #rest: Chunk | null = null;
  #restAt = 0;

  /** `kind` and `contentLength` as `Body.reset` takes them; at most `maxBytes` are gathered. */
  constructor(kind: number, contentLength: number, maxBytes: number) {
    this.body = new BodyBuffer(kind, contentLength, maxBytes);
  }

  /** The head's bytes must stay where they are. */
  keepHead(chunk: Chunk): void {
    chunk.keep();
    this.#head = chunk;
  }

  /** Takes `chunk.bytes[at, chunk.end)`. */
  take(conn: Conn | null, chunk: Chunk, at: number): void {
    const { body } = this;
    const next = body.done || body.full ? at : body.take(chunk.bytes, at, chunk.end);
    if (next === chunk.end) return;
    chunk.keep();
    this.#rest = chunk;
    this.#restAt = next;
    conn?.pause();
  }

  /** Has room for `maxBytes`: what had none yet is taken, and the server read on. */
  grow(conn: Conn | null, maxBytes: number): void {
    this.body.grow(maxBytes);
    const rest = this.#rest;
    if (rest === null) return;
    this.#rest = null;
    this.take(conn, rest, this.#restAt);
    rest.release();
    if (this.#rest === null) conn?.resume();
  }

  /** Gives back all that came behind the head, in order; nothing is kept any more. */
  replay(take: (chunk: Chunk, at: number) => void): void {
    const rest = this.#rest;
    this.#rest = null;
    const { raw } = this.body;
    if (raw.length > 0) take(ownChunk(raw), 0);
    if (rest !== null) {
      take(rest, this.#restAt);
      rest.release();
    }
    this.release();
  }

  release(): void {
    this.#head?.release();
    this.#rest?.release();
    this.#head = this.#rest = null;
  }
}
