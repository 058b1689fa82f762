/**
 * Diagnostics are values: what is wrong, where, how bad, and what to write instead. Parsing never throws and never
 * stops at the first error; the caller prints them all in HAProxy's shape and decides.
 */
import type { Place } from './model.ts';

/** HAProxy's levels: an alert is an error (exit 1), a warning is fatal only with -dW, a notice and diag never. */
export type Severity = 'alert' | 'warning' | 'notice' | 'diag';

export interface Diagnostic {
  readonly severity: Severity;
  /** null when it concerns no line (a whole proxy, the command line). */
  readonly place: Place | null;
  /** 1-based column and width of the marked word in `source`; 0 = mark nothing. */
  readonly column: number;
  readonly width: number;
  /** The line as written; null when there is none. */
  readonly source: string | null;
  /** One sentence, HAProxy's wording where it has one: `unknown keyword 'foo' in 'frontend' section`. */
  readonly message: string;
  /** What to write instead; null when we do not know. */
  readonly hint: string | null;
}

/** Where a word stands: its line as written, and the word in it. */
export interface Mark extends Place, Pick<Diagnostic, 'column' | 'width'> {
  readonly source: string;
}

export class Diagnostics {
  readonly list: Diagnostic[] = [];

  add(d: Diagnostic): void {
    this.list.push(d);
  }

  /** Something about the word at `where`. */
  mark(severity: Severity, where: Mark, message: string, hint: string | null = null): void {
    const { file, line, source, column, width } = where;
    this.add({ severity, place: { file, line }, column, width, source, message, hint });
  }

  /** Something about a whole line, or about no line: nothing in it is marked. */
  report(severity: Severity, place: Place | null, message: string, hint: string | null = null): void {
    const at = place === null ? null : { file: place.file, line: place.line };
    this.add({ severity, place: at, column: 0, width: 0, source: null, message, hint });
  }

  get fatal(): boolean {
    return this.list.some(d => d.severity === 'alert');
  }
}
