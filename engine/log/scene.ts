/** What a line is about, and what the writers of its items may look at. One object per thread, used for every line. */
import type { Stream } from '../proxy/stream.ts';
import { Dates } from './dates.ts';
import { bytesOf } from './line.ts';

/** What is true for all lines of a process. */
export interface LogFacts {
  readonly pid: number;
  readonly hostname: string;
}

/** When a line is written (`%OG`), and so what is known by then. */
export type Origin = 'sess_error' | 'txn_accept' | 'txn_connect' | 'txn_response' | 'txn_close';

/** How long the distance between the two clocks is trusted: the wall clock may be set. Milliseconds. */
const OFFSET_MS = 1000;

export class Scene {
  stream!: Stream;
  origin: Origin = 'txn_close';
  readonly dates = new Dates();
  readonly pid: number;
  readonly hostname: Uint8Array;
  readonly #wall: () => number;
  #offset = 0;
  #measured = Number.NEGATIVE_INFINITY;

  /** @param wall milliseconds since the epoch */
  constructor(facts: LogFacts, wall: () => number) {
    this.pid = facts.pid;
    this.hostname = bytesOf(facts.hostname);
    this.#wall = wall;
  }

  set(stream: Stream, origin: Origin): void {
    this.stream = stream;
    this.origin = origin;
    const { now } = stream;
    if (now - this.#measured < OFFSET_MS) return;
    this.#measured = now;
    this.#offset = this.#wall() - now;
  }

  /** Milliseconds since the epoch of a moment of the io clock. */
  wallOf(at: number): number {
    return at + this.#offset;
  }

  wall(): number {
    return this.#wall();
  }
}
