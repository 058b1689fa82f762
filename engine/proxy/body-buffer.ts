/**
 * The payload of a message, gathered while rules wait for it: the bytes as received, to be passed on later, and the
 * payload that they hold, for `req.body`, `res.body` and their kin.
 */
import type { Slice } from '../balance/balancer.ts';
import { copy } from '../bytes.ts';
import { BODY_LENGTH, BODY_NONE, BODY_UNTIL_CLOSE, Body, DATA, DONE, ERROR, MORE } from '../http/body.ts';
import type { Chunk } from '../io/contract.ts';

export class BodyBuffer {
  #raw: Uint8Array;
  #used = 0;
  #payload: Uint8Array;
  #length = 0;
  readonly #body = new Body();
  /** The payload is complete, its framing is wrong, or the connection has ended: nothing more is to be gathered. */
  done: boolean;

  /** For a payload of `kind` and `contentLength` as `Body.reset` takes them; at most `maxBytes` are gathered. */
  constructor(kind: number, contentLength: number, maxBytes: number) {
    this.#raw = new Uint8Array(maxBytes);
    this.#payload = new Uint8Array(maxBytes);
    this.#body.reset(kind, contentLength);
    this.done = kind === BODY_NONE;
  }

  /** Its framing is wrong. */
  get broken(): boolean {
    return this.#body.event === ERROR;
  }

  /** From now on `maxBytes` may be gathered, if that is more. */
  grow(maxBytes: number): void {
    if (maxBytes <= this.#raw.length) return;
    const before = [this.#raw, this.#payload] as const;
    this.#raw = new Uint8Array(maxBytes);
    this.#payload = new Uint8Array(maxBytes);
    this.#raw.set(before[0]);
    this.#payload.set(before[1]);
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

  get slice(): Slice {
    return { bytes: this.#payload, start: 0, end: this.#length };
  }

  /** Takes what it can of `bytes[start, end)`; returns where it stopped. */
  take(bytes: Uint8Array, start: number, end: number): number {
    const stop = Math.min(end, start + this.#raw.length - this.#used);
    const body = this.#body;
    let at = start;
    do {
      at = body.step(bytes, at, stop);
      if (body.event !== DATA) continue;
      copy(bytes, body.dataStart, body.dataEnd, this.#payload, this.#length);
      this.#length += body.dataEnd - body.dataStart;
    } while (body.event < DONE && body.event !== MORE);
    this.done = body.event !== MORE;
    if (body.event === ERROR) at = stop;
    copy(bytes, start, at, this.#raw, this.#used);
    this.#used += at - start;
    return at;
  }
}

/**
 * The payload in `chunk.bytes[start, chunk.end)`, when nobody has asked for it to be gathered; null = the message has none.
 * `body` was reset for it, and has not walked.
 */
export function arrived({ kind, remaining }: Body, chunk: Chunk, start: number): Slice | null {
  const { bytes, end } = chunk;
  if (kind === BODY_NONE) return null;
  if (kind === BODY_LENGTH) return { bytes, start, end: Math.min(end, start + remaining) };
  if (kind === BODY_UNTIL_CLOSE) return { bytes, start, end };
  const gathered = new BodyBuffer(kind, 0, end - start);
  gathered.take(bytes, start, end);
  return gathered.slice;
}

/**
 * Where the payload that begins at `bytes[start]` ends, if it ends before `end`; -1 = it does not, or its framing is wrong.
 * `kind` and `contentLength` as `Body.reset` takes them.
 */
export function payloadEnd(kind: number, contentLength: number, bytes: Uint8Array, start: number, end: number): number {
  const body = new Body();
  body.reset(kind, contentLength);
  let at = start;
  do at = body.step(bytes, at, end);
  while (body.event < DONE && body.event !== MORE);
  return body.event === DONE ? at : -1;
}
