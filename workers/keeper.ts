/**
 * Keeps one thread going: starts its task, and when the thread dies starts another one after a back-off that doubles
 * with every death in a row.
 */
import fs from 'node:fs';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { closeFd } from '../engine/io/bind.ts';
import { RESPAWN_MAX_MS, RESPAWN_MIN_MS } from '../engine/limits.ts';
import { after, monotonicMs } from '../engine/time.ts';
import { type Heard, type ListenerFd, type Order, order, type Report } from './messages.ts';

/** What the master does about one thread. */
export interface Care {
  /** Runs the task with this port and these descriptors; settles as Pool.run. */
  run(port: MessagePort, listeners: readonly ListenerFd[]): Promise<void>;
  /** As Pool.gone. */
  gone(threadId: number): Promise<void>;
  /** Duplicates for a new thread. Throws when there is no descriptor left. */
  share(): ListenerFd[];
  /** Whether a thread that runs now was given this descriptor after the share of that number. */
  isGiven(fd: number, share: number): boolean;
  /** The thread can take orders. */
  ready(): void;
  /** It reports something else. */
  heard(message: Heard): void;
  /** The thread died and is gone with all it had; another follows after `againMs`. */
  died(error: Error, againMs: number): void;
  /** The task ended as it was told to. */
  done(): void;
}

/** How often descriptors were shared out. */
let shares = 0;

export class Keeper {
  readonly #care: Care;
  #port: MessagePort | null = null;
  #listeners: readonly ListenerFd[] = [];
  #inodes: readonly number[] = [];
  #share = 0;
  #backoffMs = RESPAWN_MIN_MS;
  #startedMs = 0;
  #again: { cancel(): void } | null = null;
  #stopping = false;
  #resting = false;

  constructor(care: Care) {
    this.#care = care;
  }

  start(): void {
    this.#again = null;
    this.#startedMs = monotonicMs();
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    // Before it is ready a thread owns nothing that would have to be waited for.
    let gone = Promise.resolve();
    port1.on('message', (message: Report) => {
      if (message.type !== 'ready') return this.#care.heard(message);
      gone = this.#care.gone(message.threadId);
      this.#care.ready();
    });
    let task: Promise<void>;
    try {
      this.#share = ++shares;
      this.#listeners = this.#care.share();
      this.#inodes = this.#listeners.map(({ fd }) => inode(fd));
      task = this.#care.run(port2, this.#listeners);
    } catch (error) {
      task = Promise.reject(error);
    }
    task.then(
      () => this.#ended(null),
      async error => {
        await gone;
        this.#ended(error instanceof Error ? error : new Error(String(error)));
      },
    );
  }

  tell(message: Order): void {
    // A thread that was told to rest or stop before it could serve must not begin.
    if (this.#resting && message.type === 'serve') return;
    if (message.type === 'rest' || message.type === 'stop') this.#resting = true;
    if (message.type === 'stop') this.#stopping = true;
    if (this.#again !== null) {
      // No thread to tell: a stop finds nothing to do.
      if (!this.#stopping) return;
      this.#again.cancel();
      this.#again = null;
      this.#care.done();
    } else if (this.#port !== null) order(this.#port, message);
  }

  /** Gives the thread a message that it may miss; false when there is none to take it. */
  pass(message: Order): boolean {
    if (this.#port === null) return false;
    order(this.#port, message);
    return true;
  }

  #ended(error: Error | null): void {
    this.#port?.close();
    this.#port = null;
    this.#closeLeft();
    if (error === null) {
      this.#care.done();
      return;
    }
    if (monotonicMs() - this.#startedMs > RESPAWN_MAX_MS) this.#backoffMs = RESPAWN_MIN_MS;
    const delay = this.#backoffMs;
    this.#backoffMs = Math.min(delay * 2, RESPAWN_MAX_MS);
    this.#care.died(error, delay);
    if (this.#stopping) this.#care.done();
    else this.#again = after(delay, () => this.start());
  }

  /**
   * A thread that ends before its io owns the descriptors leaves them open. Those that its io did close may be anything
   * by now: only one that is still the same socket, and was not given to another thread since, is ours to close. Who was
   * given that number before has closed it.
   */
  #closeLeft(): void {
    const left = this.#listeners;
    this.#listeners = [];
    left.forEach(({ fd }, i) => {
      if (inode(fd) === this.#inodes[i] && !this.#care.isGiven(fd, this.#share)) closeFd(fd);
    });
  }

  /** Whether the thread was given this descriptor after the share of that number. */
  holds(fd: number, share: number): boolean {
    return this.#share > share && this.#listeners.some(given => given.fd === fd);
  }
}

/** What tells one open socket from another; -1 when `fd` is not open. */
function inode(fd: number): number {
  try {
    return fs.fstatSync(fd).ino;
  } catch {
    return -1;
  }
}
