/**
 * What the user may have meant: the known word nearest to an unknown one.
 */

/** Longer words than this are not compared: no keyword is. */
const WORD_MAX = 64;

/** Words that differ only in case and in how their parts are joined are the same: `stats-uri`, `Stats uri`. */
function fold(word: string): string {
  return word.toLowerCase().replace(/[-_. ]/g, '');
}

/**
 * Optimal string alignment distance: insertions, deletions, replacements and swaps of neighbours that lead from `a`
 * to `b`. Gives up with `limit + 1` as soon as it must be above `limit`.
 */
export function distance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  let before: number[] = [];
  let above = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1];
      let best = Math.min(above[j]! + 1, row[j - 1]! + 1, above[j - 1]! + (same ? 0 : 1));
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, before[j - 2]! + 1);
      row.push(best);
    }
    if (Math.min(...row) > limit) return limit + 1;
    before = above;
    above = row;
  }
  return Math.min(above[b.length]!, limit + 1);
}

/**
 * The known word nearest to `word`, or null when none is near: at most one slip per three letters. `known` may hold
 * sequences (`stats uri`), and `word` may be several words joined with spaces. The first of equals wins.
 */
export function suggest(word: string, known: Iterable<string>): string | null {
  const wanted = fold(word);
  if (wanted === '' || wanted.length > WORD_MAX) return null;
  let best: string | null = null;
  let bound = Math.min(Math.max(Math.floor(wanted.length / 3), 1), 4);
  for (const candidate of known) {
    const d = candidate === word ? 0 : distance(wanted, fold(candidate), bound);
    if (d > bound || candidate === word) continue;
    // A word of one or two letters is near to everything of its length: one slip is all of it.
    if (d > 0 && wanted.length < 3) continue;
    best = candidate;
    bound = d - 1;
    if (bound < 0) break;
  }
  return best;
}

/** The hint of a diagnostic: `did you mean 'stats uri' maybe ?`, or null. */
export function didYouMean(word: string, known: Iterable<string>): string | null {
  const best = suggest(word, known);
  return best === null ? null : meant(best);
}

export function meant(word: string): string {
  return `did you mean '${word}' maybe ?`;
}
