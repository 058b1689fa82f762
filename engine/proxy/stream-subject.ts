/**
 * What a balancing algorithm may look at of a stream. One object serves all streams of a thread: it is asked, and what it
 * answers is read, before the next stream is looked at.
 */
import type { Slice, Subject } from '../balance/balancer.ts';
import { latin1 } from '../http/chars.ts';
import { evaluate } from '../rules/values.ts';
import { BIN } from '../sample/sample.ts';
import { HERE } from './rules.ts';
import type { Stream } from './stream.ts';

class StreamSubject implements Subject {
  #stream!: Stream;
  /** One slice for all answers. */
  readonly #slice: Slice = { bytes: new Uint8Array(0), start: 0, end: 0 };

  of(stream: Stream): this {
    this.#stream = stream;
    return this;
  }

  source(): Uint8Array | null {
    const source = this.#stream.session.source();
    return source === null || source.family === 1 ? null : source.bytes;
  }

  uri(): Slice | null {
    const { http, requestHead } = this.#stream;
    return http ? this.#at(requestHead.uriBytes, requestHead.uriStart, requestHead.uriEnd) : null;
  }

  header(name: string): Slice | null {
    const { http, requestHead: head } = this.#stream;
    if (!http) return null;
    const i = head.findLast(latin1(name));
    return i < 0 ? null : this.#at(head.bytesOf(i), head.valueStart[i]!, head.valueEnd[i]!);
  }

  body(): Slice | null {
    return this.#stream.client.buffered();
  }

  payload(): Slice | null {
    return this.#stream.client.buffered();
  }

  hashed(): Slice | null {
    const sample = evaluate(this.#stream.backend!.rules.hashed!, HERE.at(this.#stream), BIN);
    return sample === null ? null : this.#at(sample.bytes, sample.start, sample.end);
  }

  #at(bytes: Uint8Array, start: number, end: number): Slice {
    const slice = this.#slice;
    slice.bytes = bytes;
    slice.start = start;
    slice.end = end;
    return slice;
  }
}

export const SUBJECT = new StreamSubject();
