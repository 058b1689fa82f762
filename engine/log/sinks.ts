/**
 * Where lines go. A line is sent at once or dropped: nothing waits, so no target, slow or dead, holds up traffic or fills
 * memory. The sockets are this thread's own, one per address family, not bound and not connected. Their descriptors stand
 * in shared memory: a thread that dies leaves them open, and the one that follows sends through them.
 */
import type { LogTarget } from '../config/model.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  closeFd,
  encodeSockaddr,
  errorText,
  SOCK_DGRAM,
  sendDatagram,
  setNonBlocking,
  socket,
  writeFd,
} from '../io/native.ts';

/** Sends the first `length` bytes; 0, or minus errno when the line is lost. */
export type Sink = (bytes: Uint8Array, length: number) => number;

/** By address family: the system's number of it, and its place in `log_sockets`. */
const FAMILIES = {
  4: { number: AF_INET, at: 0 },
  6: { number: AF_INET6, at: 1 },
  1: { number: AF_UNIX, at: 2 },
} as const;

export class Sinks {
  readonly #words: Int32Array;
  readonly #at: number;
  readonly #complain: (text: string) => void;

  /**
   * @param at where in `words` the `log_sockets` of this thread stand
   * @param complain hears once of each target that takes no lines
   */
  constructor(words: Int32Array, at: number, complain: (text: string) => void) {
    this.#words = words;
    this.#at = at;
    this.#complain = complain;
  }

  open(target: LogTarget): Sink {
    const { fd, endpoint } = target;
    if (fd !== null) {
      setNonBlocking(fd);
      return this.#once(target, (bytes, length) => writeFd(fd, bytes, length));
    }
    const socketFd = this.#socket(endpoint!.family);
    const name = encodeSockaddr(endpoint!)!;
    return this.#once(target, (bytes, length) =>
      socketFd < 0 ? socketFd : sendDatagram(socketFd, bytes, name, length),
    );
  }

  #socket(family: keyof typeof FAMILIES): number {
    const { number, at } = FAMILIES[family];
    const known = Atomics.load(this.#words, this.#at + at) - 1;
    if (known >= 0) return known;
    const fd = socket(number, SOCK_DGRAM);
    if (fd >= 0) Atomics.store(this.#words, this.#at + at, fd + 1);
    return fd;
  }

  /** The first failure is told. That a target is full (EAGAIN) is none: those lines are only counted. */
  #once(target: LogTarget, send: Sink): Sink {
    let told = false;
    return (bytes, length) => {
      const result = send(bytes, length);
      if (result >= 0) return 0;
      if (!told && errorText(-result) !== BUSY) {
        told = true;
        this.#complain(`log '${target.address}' at ${target.file}:${target.line}: ${errorText(-result)}`);
      }
      return result;
    };
  }
}

const BUSY = errorText(11);

/** Closes the `log_sockets` of threads that have ended and are not followed by others. */
export function closeSinks(words: Int32Array, at: number): void {
  for (const family of Object.values(FAMILIES)) {
    const fd = Atomics.exchange(words, at + family.at, 0) - 1;
    if (fd >= 0) closeFd(fd);
  }
}
