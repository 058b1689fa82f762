/**
 * The head of one message: start line and header slots, as offsets into the received bytes. One Head is made per
 * direction of a connection and used for all its messages; parsing and editing allocate nothing.
 *
 *      bytes  GET /x HTTP/1.1\r\nhost: a\r\naccept: *\r\n\r\n
 *             ^start             ^headersStart           ^end
 *      slot i     nameStart[i] nameEnd[i] valueStart[i] valueEnd[i]   offsets into bytes, or into extra
 *                 id[i]      number of the name (names.ts)
 *                 source[i]  RAW, PIECES, EXTRA or REMOVED
 *
 * The parser makes names lower-case in place, as HAProxy sends them. Edits go to `extra`: `add` makes a new slot,
 * `setValue` moves the whole slot there, at its place in the order.
 */
import { CR, isExactly, LF, SP, span, TARGET, TOKEN_LOWER } from './chars.ts';
import { headerId, METHOD_OTHER, methodId } from './names.ts';

/** The line is in `bytes` exactly as it is to be written: `name: value CRLF`. */
export const RAW = 0;
/** Name and value are in `bytes`, but the line has other spaces, or another end, than it must be written with. */
export const PIECES = 1;
/** Name and value are in `extra`. */
export const EXTRA = 2;
export const REMOVED = 3;

/** A header added beyond this many slots is refused, whatever room `extra` has. */
const ADDED_MAX = 64;
const HASH = 35;

const NO_BYTES = new Uint8Array(0);

export class Head {
  bytes: Uint8Array = NO_BYTES;
  /** The head is `bytes[start, end)`: from its start line to after its empty line. */
  start = 0;
  end = 0;
  /** Where the first header line starts. */
  headersStart = 0;

  // --- request line ---
  /** As received: what the client expects of the answer. */
  methodId = METHOD_OTHER;
  /** As it leaves (`setMethod`): what the server answers to. */
  sentMethodId = METHOD_OTHER;
  /** As received, in `bytes`. */
  methodStart = 0;
  methodEnd = 0;
  methodEdited = false;
  /** As `setMethod` has it, in `extra`. */
  #newMethodStart = 0;
  #newMethodEnd = 0;
  /** The request target: in `uriBytes`. */
  uriStart = 0;
  uriEnd = 0;
  uriEdited = false;
  /** Its length as received, once it is edited. */
  #receivedUri = 0;
  /** The authority of an absolute-form or authority-form target, as received; equal = there is none. */
  authorityStart = 0;
  authorityEnd = 0;

  // --- status line ---
  status = 0;
  /** In `reasonBytes`. */
  reasonStart = 0;
  reasonEnd = 0;
  /** Status and reason are not those in `bytes`. */
  statusEdited = false;

  /** HTTP/1.version. A higher minor version counts as 1 (RFC 9110 2.5) and is written so. */
  version = 1;
  /** The version as received, where it is another protocol's that is let pass as it is; equal = it is not. */
  versionStart = 0;
  versionEnd = 0;

  // --- header slots ---
  /** Slots in use, removed ones too. */
  count = 0;
  readonly nameStart: Int32Array;
  readonly nameEnd: Int32Array;
  readonly valueStart: Int32Array;
  readonly valueEnd: Int32Array;
  readonly id: Uint8Array;
  readonly source: Uint8Array;

  extra: Uint8Array;
  extraUsed = 0;
  readonly #maxExtraBytes: number;
  /** What the head may grow to. */
  readonly #maxBytes: number;
  /** False once the head is to be written otherwise than it was received. */
  verbatim = true;

  // --- what the headers said, as received ---
  /** Bytes; -1 = none given. */
  contentLength = -1;
  chunked = false;
  /** Tokens of Connection. */
  connectionClose = false;
  connectionKeepAlive = false;
  connectionUpgrade = false;
  expectContinue = false;
  /** Both lengths were given: the connection must close after this exchange (RFC 9112 6.3). */
  mustClose = false;
  /** As it leaves: the connection ends after this exchange (hop.ts). */
  closes = false;
  /** Slots; -1 = none. */
  hostIndex = -1;
  upgradeIndex = -1;
  lengthIndex = -1;
  encodingIndex = -1;
  websocketKeyIndex = -1;
  /** A transfer coding other than chunked came before it. */
  otherCoding = false;
  /** Transfer-Encoding has empty items, or chunked twice. */
  looseEncoding = false;

  /**
   * Room for `maxHeaders` received headers and `extraBytes` of edits (`tune.maxrewrite`), which grows when rules want more, as
   * long as neither edits nor the whole head take more than `maxBytes` (`tune.bufsize`). Without it edits have `extraBytes`.
   */
  constructor(maxHeaders: number, extraBytes: number, maxBytes?: number) {
    const slots = maxHeaders + ADDED_MAX;
    this.nameStart = new Int32Array(slots);
    this.nameEnd = new Int32Array(slots);
    this.valueStart = new Int32Array(slots);
    this.valueEnd = new Int32Array(slots);
    this.id = new Uint8Array(slots);
    this.source = new Uint8Array(slots);
    this.extra = new Uint8Array(extraBytes);
    this.#maxExtraBytes = maxBytes ?? extraBytes;
    this.#maxBytes = maxBytes ?? Infinity;
  }

  /** Forgets the message; the parser does it by itself. */
  reset(): void {
    this.bytes = NO_BYTES;
    this.begin(0);
  }

  /** Clean fields for a message that starts at `start`. `bytes` is the caller's to set. */
  begin(start: number): void {
    this.start = start;
    this.end = start;
    this.headersStart = start;
    this.methodId = METHOD_OTHER;
    this.sentMethodId = METHOD_OTHER;
    this.methodStart = start;
    this.methodEnd = start;
    this.methodEdited = false;
    this.uriStart = start;
    this.uriEnd = start;
    this.uriEdited = false;
    this.authorityStart = start;
    this.authorityEnd = start;
    this.status = 0;
    this.reasonStart = start;
    this.reasonEnd = start;
    this.statusEdited = false;
    this.version = 1;
    this.versionStart = start;
    this.versionEnd = start;
    this.count = 0;
    this.extraUsed = 0;
    this.verbatim = true;
    this.contentLength = -1;
    this.chunked = false;
    this.connectionClose = false;
    this.connectionKeepAlive = false;
    this.connectionUpgrade = false;
    this.expectContinue = false;
    this.mustClose = false;
    this.closes = false;
    this.hostIndex = -1;
    this.upgradeIndex = -1;
    this.lengthIndex = -1;
    this.encodingIndex = -1;
    this.websocketKeyIndex = -1;
    this.otherCoding = false;
    this.looseEncoding = false;
  }

  /** The array that `uriStart` and `uriEnd` point into. */
  get uriBytes(): Uint8Array {
    return this.uriEdited ? this.extra : this.bytes;
  }

  /** The array that `sentMethodStart` and `sentMethodEnd` point into. */
  get sentMethodBytes(): Uint8Array {
    return this.methodEdited ? this.extra : this.bytes;
  }

  get sentMethodStart(): number {
    return this.methodEdited ? this.#newMethodStart : this.methodStart;
  }

  get sentMethodEnd(): number {
    return this.methodEdited ? this.#newMethodEnd : this.methodEnd;
  }

  /** The array that `reasonStart` and `reasonEnd` point into. */
  get reasonBytes(): Uint8Array {
    return this.statusEdited ? this.extra : this.bytes;
  }

  /** The array that the offsets of slot `i` point into. */
  bytesOf(i: number): Uint8Array {
    return this.source[i] === EXTRA ? this.extra : this.bytes;
  }

  /** The next slot at or after `from` with the known name `id` (names.ts); -1 = none. */
  find(id: number, from = 0): number {
    for (let i = from; i < this.count; i++) if (this.id[i] === id && this.source[i] !== REMOVED) return i;
    return -1;
  }

  /** The next slot at or after `from` whose name is `name` (lower case); -1 = none. Known names: use `find`. */
  findName(name: Uint8Array, from = 0): number {
    for (let i = from; i < this.count; i++) if (this.isNamed(i, name)) return i;
    return -1;
  }

  /** The last slot whose name is `name` (lower case); -1 = none. For names that are known only at run time. */
  findLast(name: Uint8Array): number {
    for (let i = this.count - 1; i >= 0; i--) if (this.isNamed(i, name)) return i;
    return -1;
  }

  /** Whether slot `i` is there and has this lower-case name. */
  isNamed(i: number, name: Uint8Array): boolean {
    if (this.source[i] === REMOVED || this.nameEnd[i]! - this.nameStart[i]! !== name.length) return false;
    return isExactly(this.bytesOf(i), this.nameStart[i]!, this.nameEnd[i]!, name);
  }

  remove(i: number): void {
    this.source[i] = REMOVED;
    this.verbatim = false;
  }

  /** Removes every header with the known name `id`. */
  removeAll(id: number): void {
    for (let i = this.find(id); i >= 0; i = this.find(id, i + 1)) this.remove(i);
  }

  /** Adds a header at the end. The name must be in lower case. False when `extra` or the slots are full. */
  add(name: Uint8Array | string, value: Uint8Array | string): boolean {
    if (this.count === this.source.length || !this.#put(this.count, name, value)) return false;
    const i = this.count++;
    this.id[i] = headerId(this.extra, this.nameStart[i]!, this.nameEnd[i]!);
    return true;
  }

  /** Gives slot `i` another value at its place. False when `extra` is full: the slot is as before. */
  setValue(i: number, value: Uint8Array | string): boolean {
    return this.#put(i, this.bytesOf(i).subarray(this.nameStart[i], this.nameEnd[i]), value);
  }

  /**
   * Puts `insert` in the place of `[from, to)`, offsets inside the value of slot `i`. False when it would grow and `extra`
   * is full: the slot is as before.
   */
  splice(i: number, from: number, to: number, insert: Uint8Array): boolean {
    const bytes = this.bytesOf(i);
    const start = this.valueStart[i]!;
    const end = this.valueEnd[i]!;
    const length = end - start + insert.length - (to - from);
    if (insert.length > to - from) {
      const value = new Uint8Array(length);
      value.set(bytes.subarray(start, from));
      value.set(insert, from - start);
      value.set(bytes.subarray(to, end), from - start + insert.length);
      return this.setValue(i, value);
    }
    bytes.set(insert, from);
    bytes.copyWithin(from + insert.length, to, end);
    this.shrink(i, start + length);
    return true;
  }

  /** The value of slot `i`, changed where it stands, ends at `valueEnd` now. */
  shrink(i: number, valueEnd: number): void {
    this.valueEnd[i] = valueEnd;
    if (this.source[i] === RAW) this.source[i] = PIECES;
    this.verbatim = false;
  }

  /** Takes `bytes[from, to)` out of the target where it stands: the line before it moves up. Only before other changes of the line. */
  cutUri(from: number, to: number): void {
    const n = to - from;
    this.bytes.copyWithin(this.start + n, this.start, from);
    this.start += n;
    this.methodStart += n;
    this.methodEnd += n;
    this.uriStart += n;
    this.authorityStart += n;
  }

  /**
   * Another request target. False when `extra` is full, or when it holds a byte that no target may hold; a `#` only where
   * the one before has one.
   */
  setUri(uri: Uint8Array | string): boolean {
    const before = this.uriEnd - this.uriStart;
    if (uri.length === 0 || !this.#hasRoom(uri.length, before)) return false;
    const end = this.#append(uri, this.extraUsed);
    let at = span(TARGET, this.extra, this.extraUsed, end);
    if (at !== end && this.uriBytes.subarray(this.uriStart, this.uriEnd).includes(HASH)) {
      while (at < end && this.extra[at] === HASH) at = span(TARGET, this.extra, at + 1, end);
    }
    if (at !== end) return false;
    if (!this.uriEdited) this.#receivedUri = before;
    this.uriStart = this.extraUsed;
    this.extraUsed = this.uriEnd = end;
    this.uriEdited = true;
    this.verbatim = false;
    return true;
  }

  /** Sends the request with another method. False when `extra` is full, or when it is no token. */
  setMethod(method: Uint8Array | string): boolean {
    if (method.length === 0 || !this.#hasRoom(method.length)) return false;
    const end = this.#append(method, this.extraUsed);
    for (let i = this.extraUsed; i < end; i++) if (TOKEN_LOWER[this.extra[i]!] === 0) return false;
    this.#newMethodStart = this.extraUsed;
    this.extraUsed = this.#newMethodEnd = end;
    this.methodEdited = true;
    this.sentMethodId = methodId(this.extra, this.#newMethodStart, end);
    this.verbatim = false;
    return true;
  }

  /** Another status, 100 to 999, and its reason phrase. False when `extra` is full. */
  setStatus(status: number, reason: string): boolean {
    if (!this.#hasRoom(reason.length)) return false;
    this.status = status;
    this.reasonStart = this.extraUsed;
    this.extraUsed = this.reasonEnd = this.#append(reason, this.extraUsed);
    this.statusEdited = true;
    this.verbatim = false;
    return true;
  }

  /** For the parser: a new slot for a line of `bytes`. The caller has seen that there is room. */
  push(nameStart: number, nameEnd: number, valueStart: number, valueEnd: number, id: number, source: number): number {
    const i = this.count++;
    this.nameStart[i] = nameStart;
    this.nameEnd[i] = nameEnd;
    this.valueStart[i] = valueStart;
    this.valueEnd[i] = valueEnd;
    this.id[i] = id;
    this.source[i] = source;
    return i;
  }

  /** Name and value of slot `i`, from now on in `extra`. */
  #put(i: number, name: Uint8Array | string, value: Uint8Array | string): boolean {
    const before = i < this.count ? this.#sizeOf(i) : 0;
    if (name.length === 0 || !this.#hasRoom(name.length + value.length + 4, before)) return false;
    const nameStart = this.extraUsed;
    const valueStart = this.#append(name, nameStart);
    this.nameStart[i] = nameStart;
    this.nameEnd[i] = this.valueStart[i] = valueStart;
    this.extraUsed = this.valueEnd[i] = this.#append(value, valueStart);
    this.source[i] = EXTRA;
    this.verbatim = false;
    return true;
  }

  /**
   * Makes room for `bytes` more in `extra`, in the place of `before` bytes; false when there can be none, or when the head would
   * be too long.
   */
  #hasRoom(bytes: number, before = 0): boolean {
    const needed = this.extraUsed + bytes;
    if (this.end - this.start + needed > this.#maxBytes && this.#size() + bytes - before > this.#maxBytes) return false;
    if (needed <= this.extra.length) return true;
    if (needed > this.#maxExtraBytes) return false;
    const extra = new Uint8Array(Math.min(Math.max(needed, 2 * this.extra.length), this.#maxExtraBytes));
    extra.set(this.extra.subarray(0, this.extraUsed));
    this.extra = extra;
    return true;
  }

  /** Bytes of the head as it stands. */
  #size(): number {
    let size = this.headersStart - this.start + 2;
    if (this.uriEdited) size += this.uriEnd - this.uriStart - this.#receivedUri;
    for (let i = 0; i < this.count; i++) size += this.#sizeOf(i);
    return size;
  }

  /** Bytes of the line of slot `i`. */
  #sizeOf(i: number): number {
    if (this.source[i] === REMOVED) return 0;
    return this.nameEnd[i]! - this.nameStart[i]! + this.valueEnd[i]! - this.valueStart[i]! + 4;
  }

  /** CR, LF and NUL become spaces: what rules put into a value can never end the line (RFC 9110 5.5). */
  #append(what: Uint8Array | string, at: number): number {
    const { extra } = this;
    if (typeof what === 'string') {
      for (let i = 0; i < what.length; i++) extra[at + i] = harmless(what.charCodeAt(i));
    } else {
      for (let i = 0; i < what.length; i++) extra[at + i] = harmless(what[i]!);
    }
    return at + what.length;
  }
}

function harmless(byte: number): number {
  return byte < SP && (byte === CR || byte === LF || byte === 0) ? SP : byte;
}
