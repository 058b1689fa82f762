/**
 * Every native object that lives longer than a call is in a handle: made once, freed once, and of no use afterwards. What
 * is alive in this thread is counted by kind, so that a test sees what was left.
 */
import { erase, note } from './ledger.ts';

/** Native objects alive in this thread. */
export const alive = { context: 0, connection: 0, session: 0, store: 0 };

export type Kind = keyof typeof alive;

export class Handle {
  readonly kind: Kind;
  readonly #free: (pointer: bigint) => void;
  #pointer: bigint;
  readonly #slot: number;

  /** Takes over `pointer`, which must not be null; `free` ends it. */
  constructor(kind: Kind, pointer: bigint, free: (pointer: bigint) => void) {
    if (pointer === 0n) throw new Error(`tls: no memory for a ${kind}`);
    this.kind = kind;
    this.#pointer = pointer;
    this.#free = free;
    this.#slot = note(kind, pointer);
    alive[kind]++;
  }

  /** For the duration of one call. Throws when the object was freed. */
  get pointer(): bigint {
    if (this.#pointer === 0n) throw new Error(`tls: a ${this.kind} was used after it had been freed`);
    return this.#pointer;
  }

  get freed(): boolean {
    return this.#pointer === 0n;
  }

  /** Idempotent. */
  free(): void {
    const pointer = this.#pointer;
    if (pointer === 0n) return;
    this.#pointer = 0n;
    erase(this.#slot);
    alive[this.kind]--;
    this.#free(pointer);
  }
}
