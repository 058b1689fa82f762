/** The values of a header, one after the other: whole, or split at the commas outside of quotes (RFC 9110 5.6.1). */
import { COMMA, latin1, SP, TAB } from '../http/chars.ts';
import { type Head, REMOVED } from '../http/head.ts';
import { H_OTHER, headerIdOf } from '../http/names.ts';
import type { Sample } from './sample.ts';

const QUOTE = 34;
const BACKSLASH = 92;

export class HeaderValues {
  readonly #id: number;
  readonly #name: Uint8Array;
  readonly #split: boolean;

  /** `name` '' = all headers. `split`: at commas. */
  constructor(name: string, split: boolean) {
    const lower = name.toLowerCase();
    this.#id = headerIdOf(lower);
    this.#name = latin1(lower);
    this.#split = split;
  }

  /** The next value after where `out.slot` and `out.offset` say (0 at first): sets `out` to it. False: there is none. */
  next(head: Head, out: Sample): boolean {
    const slot = this.#slot(head, out.slot);
    if (slot < 0) return false;
    const bytes = head.bytesOf(slot);
    const end = head.valueEnd[slot]!;
    let at = head.valueStart[slot]! + (slot === out.slot ? out.offset : 0);
    const stop = this.#split ? valueEnd(bytes, at, end) : end;
    out.slot = stop < end ? slot : slot + 1;
    out.offset = stop < end ? stop + 1 - head.valueStart[slot]! : 0;
    let last = stop;
    while (at < last && isBlank(bytes[at]!)) at++;
    while (last > at && isBlank(bytes[last - 1]!)) last--;
    return out.setStr(bytes, at, last);
  }

  /** Occurrence `occ`: 1 is the first, -1 the last. */
  pick(head: Head, occ: number, out: Sample): boolean {
    const wanted = occ > 0 ? occ : this.count(head, out) + 1 + occ;
    out.slot = out.offset = 0;
    for (let i = 1; wanted > 0; i++) {
      if (!this.next(head, out)) return false;
      if (i === wanted) return true;
    }
    return false;
  }

  count(head: Head, out: Sample): number {
    out.slot = out.offset = 0;
    let count = 0;
    while (this.next(head, out)) count++;
    return count;
  }

  #slot(head: Head, from: number): number {
    if (this.#id !== H_OTHER) return head.find(this.#id, from);
    if (this.#name.length > 0) return head.findName(this.#name, from);
    for (let i = from; i < head.count; i++) if (head.source[i] !== REMOVED) return i;
    return -1;
  }
}

/** Where the value that begins at `start` ends: at a comma that is in no quotes, or at `end`. */
function valueEnd(bytes: Uint8Array, start: number, end: number): number {
  let quoted = false;
  let at = start;
  for (; at < end; at++) {
    const b = bytes[at]!;
    if (b === QUOTE) quoted = !quoted;
    else if (quoted && b === BACKSLASH) at++;
    else if (!quoted && b === COMMA) break;
  }
  return Math.min(at, end);
}

function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}
