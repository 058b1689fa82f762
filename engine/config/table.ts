/** A table of keywords, and how a keyword is found in a line and carried out. */
import type { Cursor } from './cursor.ts';
import type { Context, Keyword } from './keyword.ts';
import { didYouMean } from './suggest.ts';

export class Table<T> {
  readonly rows: readonly Keyword<T>[];
  /** Rows by the first word of their names, longest name first. */
  readonly #byFirst = new Map<string, Keyword<T>[]>();

  constructor(rows: readonly Keyword<T>[]) {
    this.rows = rows;
    const longestFirst = [...rows].sort((a, b) => b.name.split(' ').length - a.name.split(' ').length);
    for (const row of longestFirst) {
      const first = row.name.split(' ')[0]!;
      const list = this.#byFirst.get(first);
      if (list === undefined) this.#byFirst.set(first, [row]);
      else list.push(row);
    }
  }

  /** Takes a keyword from the cursor: the one with the longest name. Null, and nothing taken, when there is none. */
  take(cursor: Cursor): Keyword<T> | null {
    const { words } = cursor.line;
    for (const row of this.#byFirst.get(bare(words[cursor.index]?.text ?? '')) ?? []) {
      const name = row.name.split(' ');
      if (!name.every((part, i) => bare(words[cursor.index + i]?.text ?? '') === part)) continue;
      cursor.index += name.length;
      return row;
    }
    return null;
  }

  /** The keywords whose name begins with this word and goes on: `timeout` -> `timeout client`, ... */
  family(first: string): readonly Keyword<T>[] {
    return (this.#byFirst.get(first) ?? []).filter(row => row.name !== first);
  }

  /** Names of the keywords that a section takes and that are worth suggesting. */
  names(section: string): string[] {
    return this.rows.filter(row => row.where.includes(section) && row.status !== 'removed').map(row => row.name);
  }
}

/** `set-var(txn.x)` -> `set-var`: arguments may be glued to a keyword. */
function bare(word: string): string {
  const paren = word.indexOf('(');
  return paren <= 0 ? word : word.slice(0, paren);
}

/** Carries out a keyword that was just taken. False when it reported an error. */
export function carryOut<T>(row: Keyword<T>, cursor: Cursor, draft: T, context: Context): boolean {
  const { list } = cursor.diagnostics;
  const before = list.length;
  row.parse(cursor, draft, context);
  return !list.slice(before).some(d => d.severity === 'alert');
}

/** Refuses what is left of a line. */
export function expectEnd(cursor: Cursor, name: string): void {
  const word = cursor.peek();
  if (word !== null) cursor.error(`'${name}' cannot handle unexpected argument '${word.text}'`, undefined, word);
}

/**
 * Reads the settings that end a `bind` or `server` line. `subject` begins the messages. Stops at the first error,
 * as nobody knows where the next setting would begin; false then. `read` gets the words of each setting.
 */
export function readSettings<T>(
  table: Table<T>,
  cursor: Cursor,
  draft: T,
  subject: string,
  context: Context,
  read?: (words: readonly string[]) => void,
): boolean {
  while (cursor.left > 0) {
    const start = cursor.index;
    const row = table.take(cursor);
    if (row === null) {
      const word = cursor.next()!;
      cursor.error(
        `${subject}: unknown keyword '${word.text}'`,
        didYouMean(word.text, table.names('')) ?? undefined,
        word,
      );
      return false;
    }
    if (!carryOut(row, cursor, draft, context)) return false;
    read?.(cursor.line.words.slice(start, cursor.index).map(({ text }) => text));
  }
  return true;
}
