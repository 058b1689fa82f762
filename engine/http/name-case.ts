/**
 * `h1-case-adjust`: header names as some clients and servers insist on them. Names are in lower case in Sluice, and as long in any
 * case: a head that was written is changed where it stands.
 */
import { copy } from '../bytes.ts';
import { CR, LF, latin1 } from './chars.ts';

const COLON = 58;

export class NameCases {
  /** Spellings by the length of the name. */
  readonly #byLength: [from: Uint8Array, to: Uint8Array][][] = [];

  /** @param names of each header: its name in lower case, and as it is to be written. */
  constructor(names: readonly (readonly [from: string, to: string])[]) {
    for (const [from, to] of names) {
      this.#byLength[from.length] ??= [];
      this.#byLength[from.length]!.push([latin1(from), latin1(to)]);
    }
  }

  /** Changes the names of the head `bytes[start, end)`, which begins with its start line. */
  apply(bytes: Uint8Array, start: number, end: number): void {
    const fields = bytes.indexOf(LF, start) + 1;
    if (fields > 0) this.applyFields(bytes, fields, end);
  }

  /** The same for fields alone: `bytes[start, end)` is a trailer section, its empty line included. */
  applyFields(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && bytes[at] !== CR) {
      const colon = bytes.indexOf(COLON, at);
      for (const [from, to] of this.#byLength[colon - at] ?? []) {
        if (is(bytes, at, from)) copy(to, 0, to.length, bytes, at);
      }
      const next = bytes.indexOf(LF, at) + 1;
      if (next === 0) return;
      at = next;
    }
  }
}

function is(bytes: Uint8Array, at: number, name: Uint8Array): boolean {
  for (let i = 0; i < name.length; i++) if (bytes[at + i] !== name[i]) return false;
  return true;
}
