/**
 * Where lines go. A line is sent at once or dropped: nothing waits, so no target, slow or dead, holds up traffic or fills
 * memory. The sockets are this thread's own, one per address family, not bound and not connected.
 */
import type { LogTarget } from '../config/model.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
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

const FAMILIES = { 1: AF_UNIX, 4: AF_INET, 6: AF_INET6 } as const;

export class Sinks {
  readonly #sockets = new Map<number, number>();
  readonly #complain: (text: string) => void;

  /** @param complain hears once of each target that takes no lines */
  constructor(complain: (text: string) => void) {
    this.#complain = complain;
  }

  open(target: LogTarget): Sink {
    const { fd, endpoint } = target;
    if (fd !== null) {
      setNonBlocking(fd);
      return this.#once(target, (bytes, length) => writeFd(fd, bytes, length));
    }
    const socketFd = this.#socket(FAMILIES[endpoint!.family]);
    const name = encodeSockaddr(endpoint!)!;
    return this.#once(target, (bytes, length) =>
      socketFd < 0 ? socketFd : sendDatagram(socketFd, bytes, name, length),
    );
  }

  #socket(family: number): number {
    let fd = this.#sockets.get(family);
    if (fd === undefined) {
      fd = socket(family, SOCK_DGRAM);
      this.#sockets.set(family, fd);
    }
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
