/** The few read-modify-write idioms on shared words, each a single bounded operation. */

/**
 * Takes one of `limit` places (0 = no limit). False when all are taken.
 * Ordered so that a thread stopped between two lines never holds a place that its own gauge does not show.
 */
export function take(words: Int32Array, at: number, limit: number): boolean {
  const before = Atomics.add(words, at, 1);
  if (limit === 0 || before < limit) return true;
  Atomics.sub(words, at, 1);
  return false;
}

/** Raises a maximum to `value`. */
export function raise(words: Int32Array, at: number, value: number): void {
  let seen = Atomics.load(words, at);
  while (value > seen) {
    const found = Atomics.compareExchange(words, at, seen, value);
    if (found === seen) return;
    seen = found;
  }
}
