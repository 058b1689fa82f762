/**
 * Lines of commands that the control thread carries out for others, and what it says to each of them. Where control does not
 * run yet, or runs again in a moment, what it is to be told waits for it.
 */
import type { Start } from '../engine/cli/session.ts';
import type { Keeper } from './keeper.ts';
import type { Order } from './messages.ts';

/** Messages that wait for the control thread to start. */
const UNTOLD_MAX = 1_000;

/** An answer of the control thread on its way. */
export interface Answering {
  /** So many bytes went on to who asked: more may come. */
  taken(bytes: number): void;
  /** More input, where more was announced; null = there is no more. */
  send(bytes: Uint8Array | null): void;
  giveUp(): void;
}

/** The control thread, as far as lines are concerned. */
interface Carrier {
  /** False when it does not run. */
  pass(message: Order): boolean;
  /** It will run. */
  comes(): boolean;
}

export class ControlLines {
  readonly #carrier: Carrier;
  /** Who listens, by the line's id. */
  readonly #listeners = new Map<number, (bytes: Uint8Array | null) => void>();
  #lines = 0;
  #untold: Order[] = [];

  constructor(carrier: Carrier) {
    this.#carrier = carrier;
  }

  /** `said` hears the answer, and null at its end. `open`: more input may come. */
  carryOut(line: string, start: Start, said: (bytes: Uint8Array | null) => void, open: boolean): Answering {
    const id = ++this.#lines;
    this.#listeners.set(id, said);
    this.#tell({ type: 'cli', id, line, open, ...start });
    return {
      taken: bytes => this.#tell({ type: 'taken', id, bytes, gone: false }),
      send: bytes => this.#tell({ type: 'typed', id, bytes }),
      giveUp: () => {
        this.#listeners.delete(id);
        if (open) this.#tell({ type: 'typed', id, bytes: null });
      },
    };
  }

  #tell(message: Order): void {
    if (this.#carrier.pass(message)) return;
    if (this.#carrier.comes() && this.#untold.length < UNTOLD_MAX) this.#untold.push(message);
    else this.silence();
  }

  /** Control starts: it is told what waits. */
  starts(control: Keeper): void {
    for (const message of this.#untold.splice(0)) control.pass(message);
  }

  /** Control has said something about line `id`; null = that was all. */
  said(id: number, bytes: Uint8Array | null, control: Keeper): void {
    const listener = this.#listeners.get(id);
    if (bytes === null) this.#listeners.delete(id);
    else if (listener === undefined) control.pass({ type: 'taken', id, bytes: 0, gone: true });
    listener?.(bytes);
  }

  /** Control is gone: nothing more is said. */
  silence(): void {
    this.#untold = [];
    for (const [id, said] of this.#listeners) {
      this.#listeners.delete(id);
      said(null);
    }
  }
}
