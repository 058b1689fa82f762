/**
 * `strict-maxconn`: a server has no more connections than `maxconn`, those of all workers and those that are idle counted.
 *
 *   take ──► a place in `conns` ──none──► close one of our own that is idle, again ──none──► wait, and ring at all others: one
 *                                                                                          with an idle one closes it
 *   give ──► a connection has ended: ring at those who wait
 *
 * There is room in the end: who opens a connection has a place of the server (queue.ts), and so has whoever uses one, so that
 * what is too much is idle, or ends just now. The time to connect bounds the wait.
 *
 * No wake-up is lost: who waits publishes that, then tries again; who gives does so, then looks who waits. And who keeps a
 * connection after it was rung at sees that somebody waits.
 */
import { CUR_CONNS, CUR_ROOM, REUSE } from '../shm/counters.ts';
import { ring } from '../shm/doorbell.ts';
import { SERVER } from '../shm/words.ts';
import type { Server } from './nouns.ts';
import { openServerSide } from './server-side.ts';
import { STEP } from './step.ts';
import type { Stream } from './stream.ts';

export class ConnectionRoom {
  readonly #server: Server;
  /** Streams of this worker in the step `connect`, first come first. */
  readonly #waiting: Stream[] = [];

  constructor(server: Server) {
    this.#server = server;
  }

  /** Makes room for one connection more. False when there is none yet: the stream is given its connection later. */
  take(stream: Stream): boolean {
    if (this.#takeOrClose()) return true;
    if (stream.awaitsRoom) return false;
    stream.awaitsRoom = true;
    this.#waiting.push(stream);
    this.#publish();
    if (!this.#takeOrClose()) {
      this.#ringOthers();
      return false;
    }
    this.leave(stream);
    return true;
  }

  /** A connection has ended. */
  give(): void {
    const { backend, row, at, number } = this.#server;
    const { words, counters, memory } = backend.context;
    counters[row + CUR_CONNS]! -= 1;
    Atomics.sub(words, at + SERVER.at.conns, 1);
    for (let w = 0; w < memory.shape.workers; w++) {
      if (counters[memory.row(w, 'server', number) + CUR_ROOM]! > 0) ring(memory, w);
    }
  }

  /** A connection has become idle: true when it may be kept, as nobody else waits for it to end. */
  keeps(): boolean {
    const { memory, worker } = this.#server.backend.context;
    if (this.#waiting.length > 0) {
      ring(memory, worker);
      return true;
    }
    return this.#wanted() === 0;
  }

  /** Somebody rang: idle connections end for those who wait elsewhere, and our own may find room. */
  serve(): void {
    if (this.#waiting.length === 0) {
      for (let n = this.#wanted(); n > 0 && this.#server.pool.closeOne(); n--);
      return;
    }
    for (let stream = this.#waiting[0]; stream !== undefined; stream = this.#waiting[0]) {
      const ready = openServerSide(stream);
      if (stream.serverSide === null) return;
      this.leave(stream);
      if (!ready) continue;
      stream.countServer(REUSE);
      stream.goto(STEP.connected);
    }
  }

  /** The stream waits no more. */
  leave(stream: Stream): void {
    stream.awaitsRoom = false;
    this.#waiting.splice(this.#waiting.indexOf(stream), 1);
    this.#publish();
  }

  #takeOrClose(): boolean {
    while (!this.#take()) if (!this.#server.pool.closeOne()) return false;
    return true;
  }

  /** The gauge is written right beside the shared word, as with places (queue.ts). */
  #take(): boolean {
    const { backend, row, at } = this.#server;
    const { words, counters } = backend.context;
    const limit = Atomics.load(words, at + SERVER.at.maxconn);
    const before = Atomics.add(words, at + SERVER.at.conns, 1);
    counters[row + CUR_CONNS]! += 1;
    if (limit === 0 || before < limit) return true;
    counters[row + CUR_CONNS]! -= 1;
    Atomics.sub(words, at + SERVER.at.conns, 1);
    return false;
  }

  #publish(): void {
    const { backend, row } = this.#server;
    backend.context.counters[row + CUR_ROOM] = this.#waiting.length;
  }

  /** How many wait, in all workers. */
  #wanted(): number {
    const { backend, number } = this.#server;
    const { counters, memory } = backend.context;
    let n = 0;
    for (let w = 0; w < memory.shape.workers; w++) n += counters[memory.row(w, 'server', number) + CUR_ROOM]!;
    return n;
  }

  #ringOthers(): void {
    const { memory, worker } = this.#server.backend.context;
    for (let w = 0; w < memory.shape.workers; w++) if (w !== worker) ring(memory, w);
  }
}
