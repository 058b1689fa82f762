/**
 * Shared memory has no weight for V8's garbage collector: it would let that of hundreds of generations lie before it had
 * another reason to look. So the threads that have seen a generation end look themselves.
 */
import v8 from 'node:v8';
import vm from 'node:vm';
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

function exposed(): () => void {
  v8.setFlagsFromString('--expose-gc');
  return vm.runInNewContext('gc') as () => void;
}
