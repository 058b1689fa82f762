/**
 * Serialising heads and chunk framing. Lines that are as received are copied in runs, start line included: a head with
 * a few edits costs a few copies. A head that is `verbatim` needs none: send `bytes[start, end)` as it is.
 */
import { copy } from '../bytes.ts';
import { COLON, CR, LF, latin1, SP } from './chars.ts';
import { EXTRA, type Head, RAW, REMOVED } from './head.ts';

const VERSIONS = [latin1(' HTTP/1.0\r\n'), latin1(' HTTP/1.1\r\n')] as const;
/** ` HTTP/1.x CRLF`. */
const VERSION_BYTES = 11;

/** Ends a chunked body that has no trailers. */
export const LAST_CHUNK = latin1('0\r\n\r\n');
/** Before a trailer section. */
export const LAST_CHUNK_LINE = latin1('0\r\n');
export const CRLF = latin1('\r\n');

/** Bytes that writing `head` takes at most. */
export function maxHeadLength(head: Head): number {
  return head.end - head.start + head.extraUsed + 4 * head.count + 16;
}

/** Writes a request's head to `out[at...]`, which has room for `maxHeadLength`; returns where it ended. */
export function writeRequestHead(head: Head, out: Uint8Array, at: number): number {
  const foreign = head.versionEnd > head.versionStart;
  const edited = head.uriEdited || head.methodEdited || foreign;
  if (!edited && head.headersStart - head.uriEnd === VERSION_BYTES) {
    return writeHeaders(head, out, at, head.start, head.headersStart);
  }
  let to = copy(head.sentMethodBytes, head.sentMethodStart, head.sentMethodEnd, out, at);
  out[to++] = SP;
  to = copy(head.uriBytes, head.uriStart, head.uriEnd, out, to);
  if (foreign) {
    out[to++] = SP;
    to = writeLineEnd(out, copy(head.bytes, head.versionStart, head.versionEnd, out, to));
  } else to = copy(VERSIONS[head.version]!, 0, VERSION_BYTES, out, to);
  return writeHeaders(head, out, to, head.headersStart, head.headersStart);
}

/** Writes a response's head to `out[at...]`, which has room for `maxHeadLength`; returns where it ended. */
export function writeResponseHead(head: Head, out: Uint8Array, at: number): number {
  if (head.statusEdited) {
    const to = writeStatusLine(head, out, at);
    return writeHeaders(head, out, to, head.headersStart, head.headersStart);
  }
  const spaced = head.bytes[head.reasonStart - 1] === SP;
  if (spaced && head.headersStart - head.reasonEnd === 2) {
    return writeHeaders(head, out, at, head.start, head.headersStart);
  }
  let to = copy(head.bytes, head.start, head.reasonEnd, out, at);
  if (!spaced) out[to++] = SP;
  to = writeLineEnd(out, to);
  return writeHeaders(head, out, to, head.headersStart, head.headersStart);
}

/** A status line with another status than the received one; `HTTP/1.x ` stays. */
function writeStatusLine(head: Head, out: Uint8Array, at: number): number {
  const version = head.versionEnd > head.versionStart ? head.versionEnd : head.start + 8;
  let to = copy(head.bytes, head.start, version + 1, out, at);
  for (let unit = 100; unit >= 1; unit /= 10) out[to++] = 48 + (Math.floor(head.status / unit) % 10);
  out[to++] = SP;
  to = copy(head.reasonBytes, head.reasonStart, head.reasonEnd, out, to);
  return writeLineEnd(out, to);
}

/** Writes the run `bytes[runStart, runEnd)`, the headers that are left, and the empty line. */
function writeHeaders(head: Head, out: Uint8Array, at: number, runStart: number, runEnd: number): number {
  const { bytes, source, nameStart, valueEnd } = head;
  let start = runStart;
  let end = runEnd;
  let to = at;
  for (let i = 0; i < head.count; i++) {
    const from = source[i]!;
    if (from === RAW) {
      if (nameStart[i] !== end) {
        to = copy(bytes, start, end, out, to);
        start = nameStart[i]!;
      }
      end = valueEnd[i]! + 2;
    } else if (from !== REMOVED) {
      to = copy(bytes, start, end, out, to);
      start = end;
      to = writeField(head, i, from === EXTRA ? head.extra : bytes, out, to);
    }
  }
  return writeLineEnd(out, copy(bytes, start, end, out, to));
}

function writeField(head: Head, i: number, bytes: Uint8Array, out: Uint8Array, at: number): number {
  let to = copy(bytes, head.nameStart[i]!, head.nameEnd[i]!, out, at);
  out[to++] = COLON;
  out[to++] = SP;
  to = copy(bytes, head.valueStart[i]!, head.valueEnd[i]!, out, to);
  return writeLineEnd(out, to);
}

function writeLineEnd(out: Uint8Array, at: number): number {
  out[at] = CR;
  out[at + 1] = LF;
  return at + 2;
}

/** Bytes that a chunk-size line takes at most: 14 hexadecimal digits (2^53 - 1) and CRLF. */
export const CHUNK_SIZE_MAX_BYTES = 16;

/** Writes the line that starts a chunk of `size` bytes (above 0); returns where it ended. */
export function writeChunkSize(out: Uint8Array, at: number, size: number): number {
  let digits = 1;
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 16)) digits++;
  let rest = size;
  for (let i = at + digits - 1; i >= at; i--) {
    const digit = rest % 16;
    out[i] = digit < 10 ? 48 + digit : 87 + digit;
    rest = Math.floor(rest / 16);
  }
  return writeLineEnd(out, at + digits);
}
