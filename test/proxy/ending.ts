/** What a test has started ends with it, the last first: a proxy before the servers that it talks to. */
import { afterEach } from 'vitest';

interface Started {
  stop(): void | Promise<void>;
}

const started: Started[] = [];

/** Stops `thing` when the test ends, if it was not stopped before. Not for what `beforeAll` starts. */
export function untilEnd<T extends Started>(thing: T): T {
  started.push(thing);
  return thing;
}

/** For a file that looks at what is left: its own hook calls this first. */
export async function endAll(): Promise<void> {
  for (let thing = started.pop(); thing !== undefined; thing = started.pop()) await thing.stop();
}

// Hooks run last first: those of a file come before this one, which is there since the import.
afterEach(endAll);
