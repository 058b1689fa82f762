/**
 * The payload of a request, gathered while rules wait for it: the bytes as received, to be passed on later, and the
 * payload that they hold, for `req.body` and its kin.
 */
import { Body, DATA, DONE, ERROR, MORE } from '../http/body.ts';

export class BodyBuffer {
  readonly #raw: Uint8Array;
  #used = 0;
  readonly #payload: Uint8Array;
  #length = 0;
  readonly #body = new Body();
  /** The payload is complete, or its framing is wrong: nothing more is to be gathered. */
  done = false;

  /** For a payload of `kind` and `contentLength` as `Body.reset` takes them; at most `maxBytes` are gathered. */
  constructor(kind: number, contentLength: number, maxBytes: number) {
    this.#raw = new Uint8Array(maxBytes);
    this.#payload = new Uint8Array(maxBytes);
    this.#body.reset(kind, contentLength);
  }

  get full(): boolean {
    return this.#used === this.#raw.length;
  }

  /** Bytes as received. */
  get raw(): Uint8Array {
    return this.#raw.subarray(0, this.#used);
  }

  /** Bytes without their framing. */
  get payload(): Uint8Array {
    return this.#payload.subarray(0, this.#length);
  }

  /** Takes what it can of `bytes[start, end)`; returns where it stopped. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#raw.length - this.#used);
    let at = start;
    while (at < stop && !this.done) {
      at = this.#body.step(bytes, at, stop);
      const { event, dataStart, dataEnd } = this.#body;
      if (event === DATA) {
        this.#payload.set(bytes.subarray(dataStart, dataEnd), this.#length);
        this.#length += dataEnd - dataStart;
      } else if (event === DONE || event === ERROR) this.done = true;
      else if (event === MORE) break;
    }
    if (this.#body.event === ERROR) at = stop;
    this.#raw.set(bytes.subarray(start, at), this.#used);
    this.#used += at - start;
    return at;
  }
}
