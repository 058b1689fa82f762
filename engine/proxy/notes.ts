/**
 * What a frontend notes of its streams for the logs: `capture` lines, and the unique id. Slots that rules fill
 * (`declare capture`, `http-request capture`) are in the same lists.
 */
import type { Capture, Proxy } from '../config/proxy-model.ts';
import { latin1 } from '../http/chars.ts';
import { CookieAt, nextSetCookie, readNextSetCookie, readPair, readSetCookie } from '../http/cookie.ts';
import type { Head } from '../http/head.ts';
import { H_COOKIE } from '../http/names.ts';
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

  /** Gives the stream its slots, if it has none yet: content rules fill some before there is a request. */
  open(stream: Stream): void {
    if (stream.requestCaptures !== NO_CAPTURES) return;
    stream.requestCaptures = this.#request.map(() => null);
    stream.responseCaptures = this.#response.map(() => null);
  }

  /** The request's head is there: its headers and its cookie. */
  request(stream: Stream): void {
    this.open(stream);
    captureAll(stream.requestHead, this.#request, stream.requestCaptures);
    if (this.#cookie !== null) {
      stream.requestCookie = cookieOf(stream.requestHead, this.#cookie.name, this.#cookie.lenBytes);
    }
  }

  response(stream: Stream): void {
    captureAll(stream.responseHead, this.#response, stream.responseCaptures);
    if (this.#cookie === null) return;
    stream.responseCookie = setCookieOf(stream.responseHead, this.#cookie.name, this.#cookie.lenBytes);
  }
}

interface CapturedHeader {
  readonly name: Uint8Array | null;
  readonly lenBytes: number;
}

function header({ name, lenBytes }: Capture): CapturedHeader {
  return { name: name === null ? null : latin1(name), lenBytes };
}

/** Fills the slots of headers; the others are for rules. */
function captureAll(head: Head, headers: readonly CapturedHeader[], slots: Captured[]): void {
  for (let i = 0; i < headers.length; i++) {
    const { name, lenBytes } = headers[i]!;
    if (name !== null) slots[i] = capture(head, name, lenBytes);
  }
}

/** The last header of the name, cut. */
function capture(head: Head, name: Uint8Array, lenBytes: number): Captured {
  const slot = head.findLast(name);
  if (slot < 0) return null;
  const start = head.valueStart[slot]!;
  return head.bytesOf(slot).slice(start, Math.min(head.valueEnd[slot]!, start + lenBytes));
}

const found = new CookieAt();

/** The first cookie of a request with a value whose text (`name=value`) begins with `prefix`, cut. */
function cookieOf(head: Head, prefix: Uint8Array, lenBytes: number): Captured {
  for (let i = head.find(H_COOKIE); i >= 0; i = head.find(H_COOKIE, i + 1)) {
    const bytes = head.bytesOf(i);
    const end = head.valueEnd[i]!;
    for (let at = head.valueStart[i]!; at < end; at = found.pairEnd + 1) {
      readPair(bytes, at, end, found, true);
      const text = beginsWith(prefix, pairText(bytes));
      if (text !== null) return text.slice(0, lenBytes);
    }
  }
  return null;
}

/** The same of those that a response sets. */
function setCookieOf(head: Head, prefix: Uint8Array, lenBytes: number): Captured {
  for (let i = nextSetCookie(head, 0); i >= 0; i = nextSetCookie(head, i + 1)) {
    for (let more = readSetCookie(head, i, head.valueStart[i]!, found); more; more = readNextSetCookie(head, found)) {
      const text = beginsWith(prefix, pairText(head.bytesOf(i)));
      if (text !== null) return text.slice(0, lenBytes);
    }
  }
  return null;
}

function beginsWith(prefix: Uint8Array, text: Uint8Array | null): Uint8Array | null {
  return text !== null && prefix.every((byte, k) => text[k] === byte) ? text : null;
}

/** `name=value` of the cookie found, without white space around the `=`; null when it has no name. */
function pairText(bytes: Uint8Array): Uint8Array | null {
  const { nameStart, nameEnd, valueStart, valueEnd } = found;
  if (nameEnd === nameStart) return null;
  if (valueStart === nameEnd + 1) return bytes.subarray(nameStart, valueEnd);
  return Buffer.concat([bytes.subarray(nameStart, nameEnd), EQUALS_SIGN, bytes.subarray(valueStart, valueEnd)]);
}

const EQUALS_SIGN = latin1('=');

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
  if (value === null || (stream.http && !stream.requestKnown)) return null;
  if (stream.uniqueId === null) {
    // While it is made there is none: its own format may ask for it.
    stream.uniqueId = NO_ID;
    stream.uniqueId = value(stream).slice();
  }
  return stream.uniqueId;
}
