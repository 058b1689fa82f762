/** Where an invalid message is wrong. The parser tells only what: the shortest beginning that it refuses ends with the byte. */
import { Head } from '../http/head.ts';
import { errorOf } from '../http/invalid.ts';
import { parseRequest, parseResponse } from '../http/parse.ts';
import type { BadMessage } from '../proxy/bad-messages.ts';

export interface Parsing {
  readonly maxHeaders: number;
  readonly relaxed: boolean;
}

/** Offset of the byte; -1 = it is not in the head. */
export function errorPosition({ direction, bytes, error }: BadMessage, parsing: Parsing): number {
  const parse = direction === 'request' ? parseRequest : parseResponse;
  const head = new Head(parsing.maxHeaders, 0);
  const limits = { ...parsing, maxHeadBytes: bytes.length + 1 };
  const refused = (length: number) => {
    // It writes names in lower case.
    const n = parse(head, bytes.slice(0, length), 0, length, limits);
    return n < 0 && errorOf(n).name === error;
  };
  if (!refused(bytes.length)) return -1;
  let low = 0;
  let high = bytes.length;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (refused(middle)) high = middle;
    else low = middle;
  }
  return high - 1;
}
