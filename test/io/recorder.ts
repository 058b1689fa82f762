/** A handler that writes down what it hears and checks the rules that hold for every connection. */
import type { Chunk, Conn, Handler } from '../../engine/io/contract.ts';

export class Recorder implements Handler {
  /** Names of the calls in order, with runs of `data` as one. */
  readonly calls: string[] = [];
  readonly received: number[] = [];
  chunks = 0;
  drains = 0;
  ended = false;
  opened = false;
  /** What `onClose` gave; -1 before. */
  errno = -1;
  /** What was broken; must stay empty. */
  readonly broken: string[] = [];
  #inside = false;
  /** What the test wants done in a call. */
  react: Partial<Handler> = {};

  text(): string {
    return Buffer.from(this.received).toString('latin1');
  }

  get closed(): boolean {
    return this.errno >= 0;
  }

  onOpen(conn: Conn): void {
    this.#hear('open', conn, () => {
      if (this.opened) this.broken.push('opened twice');
      this.opened = true;
      this.react.onOpen?.(conn);
    });
  }

  onData(conn: Conn, chunk: Chunk): void {
    this.#hear('data', conn, () => {
      if (chunk.end <= chunk.start) this.broken.push('empty chunk');
      if (this.ended) this.broken.push('data after end');
      this.chunks++;
      for (let i = chunk.start; i < chunk.end; i++) this.received.push(chunk.bytes[i]!);
      this.react.onData?.(conn, chunk);
    });
  }

  onEnd(conn: Conn): void {
    this.#hear('end', conn, () => {
      if (this.ended) this.broken.push('ended twice');
      this.ended = true;
      this.react.onEnd?.(conn);
    });
  }

  onDrain(conn: Conn): void {
    this.#hear('drain', conn, () => {
      this.drains++;
      this.react.onDrain?.(conn);
    });
  }

  onClose(conn: Conn, errno: number): void {
    if (conn.alive) this.broken.push('alive in onClose');
    if (errno < 0) this.broken.push(`errno ${errno}`);
    this.#hear('close', null, () => {
      this.errno = errno;
      this.react.onClose?.(conn, errno);
    });
  }

  #hear(call: string, conn: Conn | null, react: () => void): void {
    if (this.#inside) this.broken.push(`${call} inside another call`);
    if (this.errno >= 0) this.broken.push(`${call} after close`);
    if (conn !== null && !conn.alive) this.broken.push(`${call} on a dead connection`);
    if (this.calls.at(-1) !== call || call !== 'data') this.calls.push(call);
    this.#inside = true;
    react();
    this.#inside = false;
  }
}
