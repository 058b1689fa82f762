/**
 * What earlier generations have counted, kept for the one that serves: the memories of those that still drain, and one that
 * all who have ended are added to (engine/shm/past.ts).
 */
import { Memory } from '../engine/shm/memory.ts';
import { attachPast, compose, fold, forget, identity, type Matches, type PastData } from '../engine/shm/past.ts';
import type { Generation } from './generation.ts';

export class History {
  /** The memories of those that drain, with the numbers of the generation that serves. */
  #draining: readonly PastData[] = [];
  /** The sum of those that have ended, in the same way; empty = none has. */
  #ended: readonly PastData[] = [];

  /** An earlier process has counted this; `past` has the numbers of `current` and a row for each thing. */
  begin(current: Generation, past: Memory): void {
    this.#ended = [{ buffer: past.buffer, matches: identity(current.memory) }];
    this.#publish(current);
  }

  /** `heir` takes the place of `old`, whose things it knows by `matches`. */
  succeed(heir: Generation, old: Generation, matches: Matches): void {
    const further = (past: PastData) => ({ ...past, matches: compose(matches, past.matches) });
    this.#draining = [{ buffer: old.memory.buffer, matches }, ...this.#draining.map(further)];
    this.#ended = this.#ended.map(further);
    this.#publish(heir);
  }

  /** Nobody counts in the memory of `generation` any more: it is added to the others that have ended. */
  ended(current: Generation, generation: Generation): void {
    const { buffer } = generation.memory;
    if (!this.#draining.some(past => past.buffer === buffer)) return;
    this.#end(
      current,
      this.#draining.filter(past => past.buffer === buffer),
    );
    this.#draining = this.#draining.filter(past => past.buffer !== buffer);
    this.#publish(current);
  }

  /** `clear counters` (engine/shm/past.ts). */
  forget(current: Generation, all: boolean, server: number | null): void {
    if (this.#draining.length + this.#ended.length === 0) return;
    this.#end(current, []);
    forget(Memory.attach(this.#ended[0]!.buffer), attachPast(this.#draining), all, server);
    this.#publish(current);
  }

  #end(current: Generation, more: readonly PastData[]): void {
    const { buffer } = fold(current.memory, attachPast([...this.#ended, ...more]));
    this.#ended = [{ buffer, matches: identity(current.memory) }];
  }

  #publish(current: Generation): void {
    current.setPast([...this.#draining, ...this.#ended]);
  }
}
