/** The request line as it came, and its parts. What was no request is `<BADREQ>`. */

import type { Stream } from '../proxy/stream.ts';
import { bytesOf, type Line } from './line.ts';

const BADREQ = bytesOf('<BADREQ>');
const LF = 10;
const CR = 13;
const SPACE = 32;
const SLASH = 47;
const QUESTION = 63;
const COLON = 58;

/** The line `bytes[start, end)`; its target `[targetStart, targetEnd)`, which the query ends. One object for all lines. */
const PARTS = {
  bytes: BADREQ,
  start: 0,
  methodEnd: 0,
  targetStart: 0,
  queryStart: 0,
  targetEnd: 0,
  versionStart: 0,
  end: 0,
  /** Where a whole line is cut (`tune.http.logurilen`). */
  limit: 0,
};

/** Finds the parts of the stream's request line; false when there is none. */
function parts(stream: Stream): boolean {
  if (!stream.requestKnown) return false;
  const { bytes, methodStart, methodEnd, headersStart } = stream.requestHead;
  let end = headersStart;
  while (end > methodEnd && (bytes[end - 1] === LF || bytes[end - 1] === CR)) end--;
  let targetStart = methodEnd;
  while (targetStart < end && bytes[targetStart] === SPACE) targetStart++;
  let versionStart = end;
  while (versionStart > targetStart && bytes[versionStart - 1] !== SPACE) versionStart--;
  let targetEnd = versionStart;
  while (targetEnd > targetStart && bytes[targetEnd - 1] === SPACE) targetEnd--;
  let queryStart = targetStart;
  while (queryStart < targetEnd && bytes[queryStart] !== QUESTION) queryStart++;
  PARTS.bytes = bytes;
  PARTS.start = methodStart;
  PARTS.end = end;
  PARTS.limit = Math.min(end, methodStart + stream.context.model.global.tune.logUriBytes);
  PARTS.versionStart = versionStart;
  PARTS.methodEnd = methodEnd;
  PARTS.targetStart = targetStart;
  PARTS.targetEnd = targetEnd;
  PARTS.queryStart = queryStart;
  return true;
}

/** A writer of the part from `start` to `end` of what `parts` found. */
function part(start: () => number, end: () => number) {
  return (line: Line, stream: Stream, escape: boolean): void => {
    if (parts(stream)) line.encoded(PARTS.bytes, start(), end(), escape);
    else line.raw(BADREQ);
  };
}

/** Where the path starts: after the authority of an absolute target (`http://host/path`); `*` and `host:port` have none. */
function pathStart(): number {
  const { bytes, targetStart, queryStart } = PARTS;
  if (bytes[targetStart] === SLASH) return targetStart;
  for (let i = targetStart; i + 2 < queryStart; i++) {
    if (bytes[i] !== COLON || bytes[i + 1] !== SLASH || bytes[i + 2] !== SLASH) continue;
    let at = i + 3;
    while (at < queryStart && bytes[at] !== SLASH) at++;
    return at;
  }
  return queryStart;
}

export const writeRequestLine = part(
  () => PARTS.start,
  () => PARTS.limit,
);
export const writeMethod = part(
  () => PARTS.start,
  () => PARTS.methodEnd,
);
export const writeTarget = part(
  () => PARTS.targetStart,
  () => PARTS.targetEnd,
);
export const writeTargetWithoutQuery = part(
  () => PARTS.targetStart,
  () => PARTS.queryStart,
);
export const writePath = part(pathStart, () => PARTS.queryStart);
export const writeQuery = part(
  () => PARTS.queryStart,
  () => PARTS.targetEnd,
);
export const writeVersion = part(
  () => PARTS.versionStart,
  () => PARTS.end,
);
