/**
 * Body framing (RFC 9112 6.3, 7.1): walks received bytes without copying and says where the payload is.
 *
 *      body.reset(responseBody(head, method), head.contentLength);
 *      do {
 *        at = body.step(bytes, at, end);
 *        if (body.event === DATA) forward(bytes, body.dataStart, body.dataEnd);
 *      } while (body.event === DATA || body.event === TRAILERS);
 *      // MORE: all of bytes is used, step again with what comes next
 *      // DONE: bytes[at, end) belongs to the next message         ERROR: errorOf(body.error)
 *
 * `step` gives runs of payload, to be framed again by the writer: `writeChunkSize` + run + CRLF, at the end LAST_CHUNK or,
 * at TRAILERS, `0 CRLF` + `trailers[0, trailersEnd)`. `relay` has the same contract, but its runs hold the framing as it was
 * received, checked: chunked in, the same chunks out, one run per received span. Chunk extensions, and blanks behind a size,
 * are in no run: they are for one hop (RFC 9112 7.1.1), and what one peer passes over another may read. The final `0 CRLF` is
 * in a run, so at TRAILERS only `trailers` remains to be sent, and at DONE nothing.
 */
import { CR, HEX_VALUE, LF, SEMICOLON, SP, TAB, VALUE } from './chars.ts';
import { type Limits, parseFields } from './fields.ts';
import { Head } from './head.ts';
import { invalid } from './invalid.ts';
import { METHOD_CONNECT, METHOD_HEAD } from './names.ts';

/** How the end of a body is known. */
export const BODY_NONE = 0;
export const BODY_LENGTH = 1;
export const BODY_CHUNKED = 2;
export const BODY_UNTIL_CLOSE = 3;

/** What a step came to. */
export const MORE = 0;
export const DATA = 1;
export const TRAILERS = 2;
export const DONE = 3;
export const ERROR = 4;

/** A chunk line, with its extensions, is at most this long. Bytes. */
const CHUNK_LINE_MAX_BYTES = 4096;
/** A trailer section is at most this long, and has at most so many fields. */
const TRAILERS_MAX_BYTES = 8192;
const TRAILERS_MAX = 100;
const TRAILER_LIMITS: Limits = { maxHeadBytes: TRAILERS_MAX_BYTES, maxHeaders: TRAILERS_MAX, relaxed: false };

const ERR_SIZE = invalid('chunk-size');
const ERR_EXTENSION = invalid('chunk-extension');
const ERR_LINE_END = invalid('chunk-line-end');
const ERR_CHUNK_END = invalid('chunk-end');
const ERR_TRAILERS_TOO_LARGE = invalid('trailers-too-large');
const ERR_TRAILER = invalid('trailer');

/*
 * Where a chunked body stands:
 *
 *      SIZE ─► [BLANK ─►] [EXTENSION ─►] SIZE_CR ─► SIZE_LF ─► PAYLOAD ─► PAYLOAD_CR ─► PAYLOAD_LF ─► SIZE
 *                                                      └─ size 0 ─► LAST ─► LAST_LF ─► END
 *                                                                    └─► TRAILER ─► TRAILER_READY ─► END
 */
const BLANK = 0;
const EXTENSION = 1;
const SIZE = 2;
const SIZE_CR = 3;
const SIZE_LF = 4;
const PAYLOAD = 5;
const PAYLOAD_CR = 6;
const PAYLOAD_LF = 7;
const LAST = 8;
const LAST_LF = 9;
const TRAILER = 10;
const TRAILER_READY = 11;
const END = 12;

const NO_BYTES = new Uint8Array(0);

/** Scratch for checking trailer sections; made when the first one comes. */
let trailerHead: Head | null = null;

/** The framing of a request's body. */
export function requestBody(head: Head): number {
  if (head.chunked) return BODY_CHUNKED;
  return head.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
}

/**
 * The framing of a response's body. BODY_NONE too for what turns the connection into a tunnel: 101, and 2xx to CONNECT,
 * whose lengths mean nothing.
 */
export function responseBody(head: Head, requestMethod: number): number {
  if (isBodyless(head, requestMethod)) return BODY_NONE;
  if (head.chunked) return BODY_CHUNKED;
  if (head.contentLength < 0) return BODY_UNTIL_CLOSE;
  return head.contentLength > 0 ? BODY_LENGTH : BODY_NONE;
}

/** A response that has no payload, whatever its headers say. */
export function isBodyless({ status }: Head, requestMethod: number): boolean {
  if (requestMethod === METHOD_HEAD || status < 200 || status === 204 || status === 304) return true;
  return requestMethod === METHOD_CONNECT && status < 300;
}

export class Body {
  kind = BODY_NONE;
  event = DONE;
  /** DATA: the run is `bytes[dataStart, dataEnd)`, never empty. */
  dataStart = 0;
  dataEnd = 0;
  /** ERROR: the code (invalid.ts). It stays: every further step is ERROR. */
  error = 0;
  /** Payload bytes to come: of the message (BODY_LENGTH) or of the current chunk. */
  remaining = 0;
  /** Payload bytes so far. */
  payload = 0;
  /** TRAILERS: the section, names in lower case, its closing empty line included. */
  trailers: Uint8Array = NO_BYTES;
  trailersEnd = 0;

  #phase = END;
  /** Bytes of the current chunk line. */
  #lineBytes = 0;

  /** Starts a body. `length` counts for BODY_LENGTH only. */
  reset(kind: number, length: number): void {
    this.kind = kind;
    this.remaining = kind === BODY_LENGTH ? length : 0;
    this.payload = 0;
    this.error = 0;
    this.trailersEnd = 0;
    this.#phase = SIZE;
    this.#lineBytes = 0;
  }

  /** Walks `bytes[pos, end)` to the next event; returns where it stopped. */
  step(bytes: Uint8Array, pos: number, end: number): number {
    if (this.kind !== BODY_CHUNKED) return this.#plain(pos, end);
    const at = this.#framing(bytes, pos, end);
    if (this.#phase !== PAYLOAD || at === end) return this.#settle(at);
    return this.#run(at, this.#take(at, end));
  }

  /** As `step`, with runs that hold the chunk framing as received; see the top of the file. */
  relay(bytes: Uint8Array, pos: number, end: number): number {
    if (this.kind !== BODY_CHUNKED) return this.#plain(pos, end);
    let at = pos;
    if (this.#phase < TRAILER) {
      let start = pos;
      while (at < end && this.error === 0 && this.#phase < TRAILER) {
        if (this.#phase > EXTENSION) at = this.#phase === PAYLOAD ? this.#take(at, end) : this.#byte(bytes, at);
        else if (at > start) break;
        else at = start = this.#byte(bytes, at);
      }
      if (at > start && this.error === 0) return this.#run(start, at);
    }
    at = this.#framing(bytes, at, end);
    return this.#settle(at);
  }

  /** At the end of the connection: whether the message is whole. */
  get complete(): boolean {
    if (this.error < 0) return false;
    if (this.kind === BODY_CHUNKED) return this.#phase === END;
    return this.remaining === 0;
  }

  #plain(pos: number, end: number): number {
    const open = this.kind === BODY_UNTIL_CLOSE;
    if (this.remaining === 0 && !open) {
      this.event = DONE;
      return pos;
    }
    if (pos === end) {
      this.event = MORE;
      return pos;
    }
    const to = open || this.remaining >= end - pos ? end : pos + this.remaining;
    if (!open) this.remaining -= to - pos;
    this.payload += to - pos;
    return this.#run(pos, to);
  }

  #run(start: number, end: number): number {
    this.event = DATA;
    this.dataStart = start;
    this.dataEnd = end;
    return end;
  }

  /** The event for having stopped before any payload. */
  #settle(at: number): number {
    if (this.error < 0) {
      this.event = ERROR;
    } else if (this.#phase === TRAILER_READY) {
      this.event = TRAILERS;
      this.#phase = END;
    } else {
      this.event = this.#phase === END ? DONE : MORE;
    }
    return at;
  }

  /** Passes over payload of the current chunk from `at`. */
  #take(at: number, end: number): number {
    const run = Math.min(this.remaining, end - at);
    this.remaining -= run;
    this.payload += run;
    if (this.remaining === 0) this.#phase = PAYLOAD_CR;
    return at + run;
  }

  /** Passes over framing until payload, the end, an error or the end of the bytes. */
  #framing(bytes: Uint8Array, pos: number, end: number): number {
    let at = pos;
    while (at < end && this.#phase !== PAYLOAD && this.#phase < TRAILER && this.error === 0) at = this.#byte(bytes, at);
    if (this.#phase === TRAILER && this.error === 0) at = this.#trailer(bytes, at, end);
    return at;
  }

  /** One byte of chunk framing. Returns `at + 1`, or `at` when the byte is the next phase's or is wrong. */
  #byte(bytes: Uint8Array, at: number): number {
    const b = bytes[at]!;
    switch (this.#phase) {
      case SIZE:
        return this.#sizeByte(b, at);
      case BLANK:
        if (b === SEMICOLON) this.#phase = EXTENSION;
        else if (b === CR) this.#phase = SIZE_CR;
        else if (b !== SP && b !== TAB) return this.#fail(b === LF ? ERR_LINE_END : ERR_SIZE, at);
        else return this.#lineByte(at);
        return at;
      case EXTENSION:
        if (VALUE[b] !== 0) return this.#lineByte(at);
        if (b !== CR) return this.#fail(b === LF ? ERR_LINE_END : ERR_EXTENSION, at);
        this.#phase = SIZE_CR;
        return at;
      case SIZE_CR:
        return this.#expect(b, CR, SIZE_LF, ERR_LINE_END, at);
      case SIZE_LF:
        return this.#expect(b, LF, this.remaining === 0 ? LAST : PAYLOAD, ERR_LINE_END, at);
      case PAYLOAD_CR:
        return this.#expect(b, CR, PAYLOAD_LF, ERR_CHUNK_END, at);
      case PAYLOAD_LF:
        this.#lineBytes = 0;
        return this.#expect(b, LF, SIZE, ERR_CHUNK_END, at);
      case LAST:
        this.#phase = b === CR ? LAST_LF : TRAILER;
        return b === CR ? at + 1 : at;
      default:
        return this.#expect(b, LF, END, ERR_LINE_END, at);
    }
  }

  #sizeByte(b: number, at: number): number {
    const digit = HEX_VALUE[b]!;
    if (digit < 16) {
      this.remaining = this.remaining * 16 + digit;
      if (this.remaining > Number.MAX_SAFE_INTEGER) return this.#fail(ERR_SIZE, at);
      return this.#lineByte(at);
    }
    if (this.#lineBytes === 0) return this.#fail(ERR_SIZE, at);
    if (b === CR) {
      this.#phase = SIZE_LF;
      return at + 1;
    }
    this.#phase = BLANK;
    return at;
  }

  #lineByte(at: number): number {
    return ++this.#lineBytes > CHUNK_LINE_MAX_BYTES ? this.#fail(ERR_EXTENSION, at) : at + 1;
  }

  #expect(b: number, wanted: number, next: number, error: number, at: number): number {
    if (b !== wanted) return this.#fail(error, at);
    this.#phase = next;
    return at + 1;
  }

  #fail(error: number, at: number): number {
    this.error = error;
    return at;
  }

  /** Gathers the trailer section, which may come in pieces, up to its empty line; then checks it. */
  #trailer(bytes: Uint8Array, pos: number, end: number): number {
    if (this.trailers.length === 0) this.trailers = new Uint8Array(TRAILERS_MAX_BYTES);
    const { trailers } = this;
    let at = pos;
    let to = this.trailersEnd;
    while (at < end) {
      if (to === trailers.length) return this.#fail(ERR_TRAILERS_TOO_LARGE, at);
      const b = bytes[at++]!;
      trailers[to++] = b;
      if (b !== LF) continue;
      if (to < 2 || trailers[to - 2] !== CR) return this.#fail(ERR_LINE_END, at);
      if (to >= 4 && trailers[to - 3] === LF) {
        this.trailersEnd = to;
        this.error = checkTrailers(trailers, to);
        this.#phase = TRAILER_READY;
        return at;
      }
    }
    this.trailersEnd = to;
    return at;
  }
}

let probe: Body | null = null;

/** What is wrong with chunked payload of which `bytes[start, end)` has come, from its first byte on; 0 = nothing so far. */
export function chunksError(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end) return 0;
  probe ??= new Body();
  probe.reset(BODY_CHUNKED, 0);
  let at = start;
  do at = probe.step(bytes, at, end);
  while (probe.event < DONE && probe.event !== MORE);
  return probe.error;
}

/** Checks a whole trailer section. Fields that say how to frame or route a message are no trailers (RFC 9110 6.5.1). */
function checkTrailers(trailers: Uint8Array, end: number): number {
  trailerHead ??= new Head(TRAILERS_MAX, 0);
  trailerHead.begin(0);
  const parsed = parseFields(trailerHead, trailers, 0, end, TRAILER_LIMITS);
  if (parsed < 0) return parsed;
  const { lengthIndex, encodingIndex, hostIndex } = trailerHead;
  return parsed !== end || lengthIndex >= 0 || encodingIndex >= 0 || hostIndex >= 0 ? ERR_TRAILER : 0;
}
