/**
 * What a frontend notes of its streams for the logs: `capture` lines, and the unique id. Slots that rules fill
 * (`declare capture`, `http-request capture`) are in the same lists.
 */
import type { Capture, Proxy } from '../config/proxy-model.ts';
import { latin1 } from '../http/chars.ts';
import { CookieAt, readPair } from '../http/cookie.ts';
import type { Head } from '../http/head.ts';
import { H_COOKIE, H_SET_COOKIE } from '../http/names.ts';
import { PROCESS } from '../shm/words.ts';
import type { Stream } from './stream.ts';

/** One slot; null = nothing was found. */
export type Captured = Uint8Array | null;

/** A frontend without captures. */
export const NO_CAPTURES: Captured[] = [];

export class Notes {
  readonly #request: readonly CapturedHeader[];
  readonly #response: readonly CapturedHeader[];
  readonly #cookie: { readonly name: Uint8Array; readonly lenBytes: number } | null;

  constructor({ requestCaptures, responseCaptures, cookieCapture }: Proxy) {
    this.#request = requestCaptures.map(header);
    this.#response = responseCaptures.map(header);
    this.#cookie = cookieCapture === null ? null : { ...cookieCapture, name: latin1(cookieCapture.name) };
  }

  /** The request's head is there: its headers and its cookie. */
  request(stream: Stream): void {
    stream.requestCaptures = this.#request.map(slot => capture(stream.requestHead, slot));
    stream.responseCaptures = this.#response.map(() => null);
    if (this.#cookie !== null) {
      stream.requestCookie = cookieOf(stream.requestHead, H_COOKIE, this.#cookie.name, this.#cookie.lenBytes);
    }
  }

  response(stream: Stream): void {
    const slots = this.#response;
    for (let i = 0; i < slots.length; i++) {
      if (slots[i]!.name !== null) stream.responseCaptures[i] = capture(stream.responseHead, slots[i]!);
    }
    if (this.#cookie === null) return;
    stream.responseCookie = cookieOf(stream.responseHead, H_SET_COOKIE, this.#cookie.name, this.#cookie.lenBytes);
  }
}

interface CapturedHeader {
  readonly name: Uint8Array | null;
  readonly lenBytes: number;
}

function header({ name, lenBytes }: Capture): CapturedHeader {
  return { name: name === null ? null : latin1(name), lenBytes };
}

/** The last header of the name, cut. */
function capture(head: Head, { name, lenBytes }: CapturedHeader): Captured {
  const slot = name === null ? -1 : head.findLast(name);
  if (slot < 0) return null;
  const start = head.valueStart[slot]!;
  return head.bytesOf(slot).slice(start, Math.min(head.valueEnd[slot]!, start + lenBytes));
}

const found = new CookieAt();

/** The first cookie with a value whose text (`name=value`) begins with `prefix`, cut. */
function cookieOf(head: Head, id: number, prefix: Uint8Array, lenBytes: number): Captured {
  for (let i = head.find(id); i >= 0; i = head.find(id, i + 1)) {
    const bytes = head.bytesOf(i);
    const end = head.valueEnd[i]!;
    for (let at = head.valueStart[i]!; at < end; at = found.pairEnd + 1) {
      readPair(bytes, at, end, found, id === H_COOKIE);
      const { nameStart, nameEnd, valueEnd } = found;
      if (nameEnd > nameStart && prefix.every((byte, k) => bytes[nameStart + k] === byte))
        return bytes.slice(nameStart, Math.min(valueEnd, nameStart + lenBytes));
      if (id === H_SET_COOKIE) break;
    }
  }
  return null;
}

/** null = the proxy notes nothing. */
export function notesOf(proxy: Proxy): Notes | null {
  const { requestCaptures, responseCaptures, cookieCapture } = proxy;
  const none = requestCaptures.length === 0 && responseCaptures.length === 0 && cookieCapture === null;
  return none ? null : new Notes(proxy);
}

/** The number of the stream, over all workers, from when somebody first asks on. */
export function streamNumber(stream: Stream): number {
  if (stream.number < 0) {
    const { words, at } = stream.context;
    stream.number = Atomics.add(words, at + PROCESS.at.stream_numbers, 1) >>> 0;
  }
  return stream.number;
}

const NO_ID = new Uint8Array(0);

/** The stream's unique id, made when first asked for; null = no `unique-id-format`, or no request. */
export function uniqueId(stream: Stream): Uint8Array | null {
  const { uniqueId: value } = stream.frontend.rules;
  // What is no request has none.
  if (value === null || (stream.http && stream.requestAt === 0)) return null;
  if (stream.uniqueId === null) {
    // While it is made there is none: its own format may ask for it.
    stream.uniqueId = NO_ID;
    stream.uniqueId = value(stream).slice();
  }
  return stream.uniqueId;
}
