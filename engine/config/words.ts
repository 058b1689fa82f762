/**
 * What the lexer makes of a configuration: lines of words. Quotes, escapes, comments, continuations, environment
 * variables and `.if` blocks are gone; where each word stood is kept for the diagnostics.
 */
import type { Place } from './model.ts';

export interface Word {
  /** The word with quotes removed, escapes and variables resolved. */
  readonly text: string;
  /** 1-based column of its first character in the source line, and how many source characters it took. */
  readonly column: number;
  readonly width: number;
}

export interface Line extends Place {
  /** The line as written (of a continued line: its first physical line). */
  readonly source: string;
  /** Never empty. `no` and `default` prefixes are still words here. */
  readonly words: readonly Word[];
}
