/**
 * Who may change the structure of a table: one thread at a time, whose row + 1 stands in the header. Waiting is bounded; one
 * that died is seen by the master.
 */
import { HEADER } from './layout.ts';

const WRITER = HEADER.at.writer;

/** Looks at the word, then naps of a millisecond. */
const SPINS = 200;
const NAPS = 20;

/** False = another thread did not finish in time. */
export function becomeWriter(words: Int32Array, self: number): boolean {
  for (let i = 0; i < SPINS; i++) if (Atomics.compareExchange(words, WRITER, 0, self) === 0) return true;
  for (let i = 0; i < NAPS; i++) {
    const other = Atomics.compareExchange(words, WRITER, 0, self);
    if (other === 0) return true;
    Atomics.wait(words, WRITER, other, 1);
  }
  return false;
}

export function leaveWriter(words: Int32Array): void {
  Atomics.store(words, WRITER, 0);
}

export function isWriter(words: Int32Array, self: number): boolean {
  return Atomics.load(words, WRITER) === self;
}
