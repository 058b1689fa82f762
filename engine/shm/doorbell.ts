/**
 * Waking another thread. A worker that waits for a limit or in a queue does not poll: whoever frees a place, changes a
 * server's state or raises a limit rings its doorbell, a shared word, and the worker looks again.
 *
 *   ring:    exchange(word, 1); only the one who found 0 notifies     any number of rings before the worker
 *   listen:  waitAsync(word, 0) -> exchange(word, 0) -> onRing        looks are one call of `onRing`
 *
 * Ring after the change is written: the worker clears the word before it looks, so no change is missed.
 */
import type { Memory } from './memory.ts';
import { PROCESS, WORKER } from './words.ts';

/** Rings at `worker`. Cheap when it was rung already; never blocks. */
export function ring(memory: Memory, worker: number): void {
  ringWord(memory.words, memory.worker(worker) + WORKER.at.doorbell);
}

/** Rings at the control thread. */
export function ringControl(memory: Memory): void {
  ringWord(memory.words, memory.process + PROCESS.at.control_doorbell);
}

/** Rings at whoever listens to a word that is 0 as long as nobody did. */
export function ringWord(words: Int32Array, at: number): void {
  if (Atomics.exchange(words, at, 1) === 0) Atomics.notify(words, at, 1);
}

/** Tells the control thread that lines for rings have come. */
export function ringLogs(memory: Memory): void {
  ringWord(memory.words, memory.process + PROCESS.at.log_doorbell);
}

/** Rings at every worker. */
export function ringAll(memory: Memory): void {
  for (let w = 0; w < memory.shape.workers; w++) ring(memory, w);
}

/**
 * Calls `onRing` in this thread, in an event of its own, after each ring (several may be one call). One listener per worker
 * row. `stop` ends it: no call comes afterwards, and nothing of it keeps the thread alive.
 */
export function listenDoorbell(memory: Memory, worker: number, onRing: () => void): { stop(): void } {
  return listenWord(memory.words, memory.worker(worker) + WORKER.at.doorbell, onRing);
}

/** The same for the control thread. */
export function listenControl(memory: Memory, onRing: () => void): { stop(): void } {
  return listenWord(memory.words, memory.process + PROCESS.at.control_doorbell, onRing);
}

/** The same for lines for rings. */
export function listenLogs(memory: Memory, onRing: () => void): { stop(): void } {
  return listenWord(memory.words, memory.process + PROCESS.at.log_doorbell, onRing);
}

/** The same for any word. */
export function listenWord(words: Int32Array, at: number, onRing: () => void): { stop(): void } {
  let stopped = false;

  const wake = () => {
    if (stopped) return;
    if (Atomics.exchange(words, at, 0) !== 0) onRing();
    arm();
  };
  const arm = () => {
    if (stopped) return;
    const wait = Atomics.waitAsync(words, at, 0);
    if (wait.async) wait.value.then(wake);
    // Rung already: look in the next turn, so that a storm of rings cannot starve the loop.
    else setImmediate(wake);
  };

  arm();
  return {
    stop: () => {
      stopped = true;
      Atomics.notify(words, at, 1);
    },
  };
}
