/**
 * Actions on headers whose names and values come as bytes (manual 4.3, add-headers-bin): what `req.hdrs_bin` gives.
 *
 *     <length> name <length> value ... 0 0        del-headers-bin: names alone
 *
 * A length is HAProxy's varint: one byte below 240, else 4 bits of it and 7 of each byte that follows.
 */
import { TOKEN_LOWER, textOf, VALUE } from '../http/chars.ts';
import { compileExpression } from '../sample/compile.ts';
import type { Expression } from '../sample/expression.ts';
import { BIN } from '../sample/sample.ts';
import { type ActionRow, action, CONTINUE } from './action.ts';
import { NAME_MATCHERS, Name, removeMatching } from './actions-headers.ts';
import { rewritten } from './answers.ts';
import { evaluate, readSample } from './values.ts';

const LONG_LENGTH = 240;

/** Reads the pieces of encoded bytes one after the other. */
class Pieces {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** What was read cannot be right. */
  bad = false;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** The next piece; null at the end, or when there is none any more. */
  next(): Uint8Array | null {
    if (this.#at >= this.#bytes.length) return null;
    const length = this.#length();
    const end = this.#at + length;
    if (end > this.#bytes.length) this.bad = true;
    if (this.bad) return null;
    const piece = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return piece;
  }

  #length(): number {
    let value = this.#bytes[this.#at++]!;
    if (value < LONG_LENGTH) return value;
    for (let unit = 16; ; unit *= 128) {
      const byte = this.#bytes[this.#at++];
      if (byte === undefined) {
        this.bad = true;
        return 0;
      }
      value += byte * unit;
      if (byte < 128) return value;
      if (unit > 2 ** 40) this.bad = true;
      if (this.bad) return 0;
    }
  }
}

/** A header name in lower case; null = the bytes are none. */
function nameOf(bytes: Uint8Array): string | null {
  const lower = bytes.map(byte => TOKEN_LOWER[byte]!);
  return lower.length > 0 && lower.every(byte => byte !== 0) ? textOf(lower, 0, lower.length) : null;
}

/** The names and values; null = the bytes are not what they should be. */
function headersOf(bytes: Uint8Array, prefix: string): readonly (readonly [string, Uint8Array])[] | null {
  const pieces = new Pieces(bytes);
  const headers: [string, Uint8Array][] = [];
  for (;;) {
    const piece = pieces.next();
    const value = piece === null ? null : pieces.next();
    if (piece === null || value === null) return pieces.bad || piece !== null ? null : headers;
    if (piece.length === 0) return headers;
    const name = nameOf(piece);
    // As a line of the head could not: nothing here may begin another line.
    if (name === null || value.some(byte => VALUE[byte] === 0)) return null;
    if (name.startsWith(prefix)) headers.push([name, value]);
  }
}

interface Spec {
  readonly expression: Expression;
  readonly prefix: string;
}

function putting(name: 'add-headers-bin' | 'set-headers-bin', doc: string): ActionRow {
  return action<Spec>({
    ...{ name, doc, where: 'QRA', args: '<expression> [prefix <text>]' },
    read(cursor, rule, context) {
      const expression = readSample(cursor, rule, context);
      if (expression === null) return null;
      const prefix = cursor.match('prefix') ? cursor.expectWord('prefix') : undefined;
      return prefix === null ? null : { expression, prefix: prefix?.text.toLowerCase() ?? '' };
    },
    compile({ expression, prefix }, env) {
      const fetch = compileExpression(expression, env);
      return at => {
        const found = evaluate(fetch, at, BIN);
        if (found === null) return CONTINUE;
        const headers = headersOf(found.copy(), prefix);
        if (headers === null) return rewritten(at, false);
        // A list of all headers has those that say where the payload ends, which is as it was.
        const names = headers.map(([name]) => new Name(name));
        if (name === 'set-headers-bin') for (const header of names) if (!header.framing) header.remove(at);
        return rewritten(
          at,
          headers.every(([, value], i) => names[i]!.framing || names[i]!.add(at, value)),
        );
      };
    },
    good: [`${name} var(txn.h)`, `${name} var(txn.h) prefix x-`],
    bad: [
      [`${name} nosuch`, "unknown fetch method 'nosuch'"],
      [`${name} var(txn.h) prefix`, "'prefix' expects an argument"],
    ],
  });
}

/** Those that need no compiling. */
const METHODS = ['str', 'beg', 'end', 'sub'] as const;

const DEL_HEADERS: ActionRow = action<{ readonly expression: Expression; readonly match: (typeof METHODS)[number] }>({
  name: 'del-headers-bin',
  where: 'QRA',
  args: '<expression> [-m { str | beg | end | sub }]',
  doc: 'Removes the headers that encoded bytes name.',
  read(cursor, rule, context) {
    const expression = readSample(cursor, rule, context);
    if (expression === null) return null;
    const match = cursor.match('-m') ? cursor.expectOneOf('a method', METHODS) : 'str';
    return match === null ? null : { expression, match };
  },
  compile({ expression, match }, env) {
    const fetch = compileExpression(expression, env);
    return at => {
      const found = evaluate(fetch, at, BIN);
      if (found === null) return CONTINUE;
      const pieces = new Pieces(found.copy());
      for (let piece = pieces.next(); piece !== null && piece.length > 0; piece = pieces.next()) {
        removeMatching(at, NAME_MATCHERS[match](textOf(piece, 0, piece.length).toLowerCase()));
      }
      return rewritten(at, !pieces.bad);
    };
  },
  good: ['del-headers-bin var(txn.h)', 'del-headers-bin var(txn.h) -m beg'],
  bad: [['del-headers-bin var(txn.h) -m reg', "'-m' expects 'str', 'beg', 'end' or 'sub' as a method, not 'reg'"]],
});

export const HEADER_BIN_ACTIONS: readonly ActionRow[] = [
  putting('add-headers-bin', 'Adds headers out of encoded bytes.'),
  putting('set-headers-bin', 'Sets headers out of encoded bytes.'),
  DEL_HEADERS,
];
