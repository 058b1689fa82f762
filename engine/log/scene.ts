/** What a line is about, and what the writers of its items may look at. One object per thread, used for every line. */
import type { Stream } from '../proxy/stream.ts';
import { type SampleContext, Standpoint } from '../sample/context.ts';
import { Dates } from './dates.ts';
import { bytesOf } from './line.ts';
import type { Origin } from './steps.ts';

/** What is true for all lines of a process. */
export interface LogFacts {
  readonly pid: number;
  readonly hostname: string;
}

/** How long the distance between the two clocks is trusted: the wall clock may be set. Milliseconds. */
const OFFSET_MS = 1000;

/** A scene with a stream in it, as the variables need. */
export type StreamScene = Scene & { readonly stream: Stream };

export class Scene {
  /** null in rules that run before there is one. */
  stream: Stream | null = null;
  /** Where expressions are evaluated. */
  at!: SampleContext;
  /** In log lines: the same place as seen from the response; null in rules. */
  response: SampleContext | null = null;
  /** Why the line is written (`%OG`). */
  origin: Origin = 'unspec';
  readonly dates = new Dates();
  readonly pid: number;
  readonly hostname: Uint8Array;
  readonly #wall: () => number;
  readonly #request = new Standpoint();
  readonly #response = new Standpoint();
  #offset = 0;
  #measured = Number.NEGATIVE_INFINITY;

  /** @param wall milliseconds since the epoch */
  constructor(facts: LogFacts, wall: () => number) {
    this.pid = facts.pid;
    this.hostname = bytesOf(facts.hostname);
    this.#wall = wall;
  }

  /** A log line about `stream` is to be written. */
  log(stream: Stream, origin: Origin): this {
    this.origin = origin;
    this.response = this.#response.at(stream, true);
    return this.look(this.#request.at(stream), stream.now);
  }

  /** A value of a rule is to be made, which stands at `at`. `now`: milliseconds of the io clock. */
  look(at: SampleContext, now: number): this {
    this.at = at;
    this.stream = at.stream;
    this.#measure(now);
    return this;
  }

  #measure(now: number): void {
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
