/**
 * How many bytes may pass now, if no more than a limit are to pass in a period. Counted as HAProxy counts rates: bytes of this
 * period, and of the last one as far as it is still in sight:
 *
 *      |---- last ----|--now--.
 *              |<- a period ->|      rate = current + last x (share of the period still to come)
 */

/** What waits goes on in steps of this long, so that a fast stream does not fire a timer every millisecond. */
const STEP_MS = 10;

/** Who says how many bytes may pass. */
export interface Meter {
  /** How many of `bytes` may pass at `now` (ms); they are counted. */
  take(bytes: number, now: number): number;
  /** When to look again, if `bytes` wait at `now`. */
  when(bytes: number, now: number): number;
  /** The stream is over. */
  release(): void;
}

export class ByteMeter implements Meter {
  readonly #minBytes: number;
  #limit = 0;
  #periodMs = 1;
  /** When the period of now began. Milliseconds. */
  #began: number;
  #current = 0;
  #last = 0;

  /** `minBytes`: less passes only when there is no more. */
  constructor(minBytes: number, now: number) {
    this.#minBytes = minBytes;
    this.#began = now;
  }

  /** Another limit, from now on; what has passed still counts. */
  set(limitBytes: number, periodMs: number): void {
    this.#limit = limitBytes;
    this.#periodMs = periodMs;
  }

  take(bytes: number, now: number): number {
    const passing = Math.min(bytes, Math.floor(this.#room(now)));
    if (passing <= 0 || (passing < bytes && passing < Math.min(this.#minBytes, this.#limit))) return 0;
    this.#current += passing;
    return passing;
  }

  /**
   * When the next step has room; just before the period ends, as what it still
   * had room for is lost then; at its end when it has none.
   */
  when(bytes: number, now: number): number {
    const step = Math.max(this.#minBytes, (this.#limit * STEP_MS) / this.#periodMs, 1);
    const missing = Math.min(step, this.#limit, bytes) - this.#room(now);
    const ms = this.#last > 0 ? (missing * this.#periodMs) / this.#last : Infinity;
    const end = this.#began + this.#periodMs;
    if (now + ms < end - 1) return now + Math.max(ms, 0);
    return this.#last > 0 && now < end - 1 ? end - 1 : end;
  }

  release(): void {}

  #room(now: number): number {
    const periods = Math.floor((now - this.#began) / this.#periodMs);
    if (periods > 0) {
      this.#last = periods === 1 ? this.#current : 0;
      this.#current = 0;
      this.#began += periods * this.#periodMs;
    }
    return this.#limit - this.#current - this.#last * (1 - (now - this.#began) / this.#periodMs);
  }
}
