/**
 * What streams want to know of names (`do-resolve`). The control thread asks the name servers (engine/resolvers); a stream
 * waits in its step meanwhile, as long as `askMs` at most, and runs the step again when the answer is there.
 */
import type { Model } from '../config/model.ts';
import type { Resolvers } from '../config/server-model.ts';
import type { Address } from '../io/contract.ts';
import { ASK_TIMEOUT_MS, NAME_ASKS_MAX } from '../limits.ts';
import { Timer, type TimerWheel } from '../time.ts';
import type { Stream } from './stream.ts';

/** Plain data, for the control thread. */
export interface NameQuestion {
  readonly id: number;
  /** Index in `model.resolvers`. */
  readonly resolvers: number;
  readonly name: string;
  readonly prefer: 4 | 6;
}

export interface NameAsk {
  readonly id: number;
  readonly stream: Stream;
  readonly timer: Timer<number>;
  /** The answer is there; a null address = there is none. */
  done: boolean;
  address: Address | null;
}

export class NameAsks {
  readonly #sections: readonly Resolvers[];
  readonly #wheel: TimerWheel;
  readonly #post: ((question: NameQuestion) => void) | null;
  readonly #open = new Map<number, NameAsk>();
  #last: number;

  /**
   * @param begin where the numbers of questions begin: a thread must not take the answers to one that it follows for its own
   * @param post sends to the control thread; null = there is none, and no name has an address
   */
  constructor(model: Model, wheel: TimerWheel, begin: number, post: ((question: NameQuestion) => void) | null) {
    this.#sections = model.resolvers;
    this.#wheel = wheel;
    this.#last = begin;
    this.#post = post;
  }

  /** Asks for the stream, which waits from now on; false when too many wait already. */
  ask(stream: Stream, resolvers: number, name: string, prefer: 4 | 6): boolean {
    if (this.#post === null || this.#open.size >= NAME_ASKS_MAX) return false;
    const id = ++this.#last;
    const timer = new Timer(id, late => this.answered(late, null));
    stream.nameAsk = { id, stream, timer, done: false, address: null };
    this.#open.set(id, stream.nameAsk);
    this.#wheel.arm(timer, stream.now + askMs(this.#sections[resolvers]!));
    this.#post({ id, resolvers, name, prefer });
    return true;
  }

  /** The stream goes on. Answers to what nobody waits for are passed over. */
  answered(id: number, address: Address | null): void {
    const ask = this.#open.get(id);
    if (ask === undefined) return;
    this.#close(ask);
    ask.done = true;
    ask.address = address;
    ask.stream.goto(ask.stream.step);
  }

  /** The stream is over. */
  forget(stream: Stream): void {
    if (stream.nameAsk !== null) this.#close(stream.nameAsk);
    stream.nameAsk = null;
  }

  #close(ask: NameAsk): void {
    this.#open.delete(ask.id);
    this.#wheel.forget(ask.timer);
  }
}

/** Both families, all their tries, and the way there and back. */
function askMs({ retries, retryMs }: Resolvers): number {
  return 2 * retries * retryMs + ASK_TIMEOUT_MS;
}
