/**
 * Shared memory has no weight for V8's garbage collector: it would let that of hundreds of generations lie before it had
 * another reason to look. So the threads that have seen a generation end look themselves.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
import { returnFreeBlocks } from '../engine/io/process.ts';
import { after } from '../engine/time.ts';

/** Until what ends together has ended. Milliseconds. */
const COLLECT_AFTER_MS = 200;

let collect: (() => void) | null = null;
let due = false;

/** Collects garbage soon, once for all who ask until then. Takes some 10 ms: not for a thread that serves traffic. */
export function collectSoon(): void {
  if (due) return;
  due = true;
  after(COLLECT_AFTER_MS, () => {
    due = false;
    collect ??= exposed();
    collect();
  });
}

/** By then the threads of what has ended are gone, and V8 has freed what they had. Milliseconds. */
const RETURN_AFTER_MS = 22_000;

let returning: { cancel(): void } | null = null;

/** Gives back to the system what ended threads have freed, once nothing more ends. */
export function returnMemoryLater(): void {
  returning?.cancel();
  returning = after(RETURN_AFTER_MS, returnFreeBlocks);
}

function exposed(): () => void {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}
