/**
 * Where lines go. A line is sent at once, or written into a ring's bounded channel, or dropped: nothing waits, so no target, slow
 * or dead, holds up traffic or fills memory. The sockets are this thread's own, one per address family, not bound and not connected. Their descriptors stand
 * in shared memory: a thread that dies leaves them open, and the one that follows sends through them.
 */
import { type LogTarget, ringOfServer } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Address } from '../io/contract.ts';
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
import type { Outside } from '../sample/outside.ts';
import { ringLogs } from '../shm/doorbell.ts';
import { type Memory, topology } from '../shm/memory.ts';
import { PROCESS, WORKER } from '../shm/words.ts';
import type { Line } from './line.ts';
import { LogBackend } from './log-backend.ts';

/** Sends the first `length` bytes, which say `message` behind a header; 0, or minus errno when the line is lost. */
export type Sink = (bytes: Uint8Array, length: number, message: Line) => number;
/** One that sends whatever the bytes are. */
export type PlainSink = (bytes: Uint8Array, length: number) => number;

/** A place where lines go, for messages about it. */
type Named = Pick<LogTarget, 'address' | 'file' | 'line'>;

/** By address family: the system's number of it, and its place in `log_sockets`. */
const FAMILIES = {
  4: { number: AF_INET, at: 0 },
  6: { number: AF_INET6, at: 1 },
  1: { number: AF_UNIX, at: 2 },
} as const;

export class Sinks {
  readonly #model: Pick<Model, 'rings' | 'proxies'>;
  readonly #memory: Memory;
  readonly #thread: number;
  readonly #at: number;
  readonly #complain: (text: string) => void;
  /** By name: those that lines go to. */
  readonly #backends = new Map<string, LogBackend>();

  /**
   * @param worker whose sockets and channels they are; null = the control thread's
   * @param complain hears once of each target that takes no lines
   */
  constructor(
    model: Pick<Model, 'rings' | 'proxies'>,
    memory: Memory,
    worker: number | null,
    complain: (text: string) => void,
  ) {
    this.#model = model;
    this.#memory = memory;
    this.#thread = worker ?? memory.shape.workers;
    this.#at =
      worker === null ? memory.process + PROCESS.at.log_sockets : memory.worker(worker) + WORKER.at.log_sockets;
    this.#complain = complain;
  }

  open(target: LogTarget): Sink {
    const { fd, endpoint, ring, backend } = target;
    if (backend !== null) return this.#backend(backend).sink;
    if (ring !== null) return this.#ring(ring);
    if (fd !== null) {
      setNonBlocking(fd);
      return this.#once(target, (bytes, length) => writeFd(fd, bytes, length));
    }
    return this.#datagrams(target, endpoint!);
  }

  /** Expressions of log backends can be evaluated from now on. */
  evaluate(there: () => Outside): void {
    for (const backend of this.#backends.values()) backend.evaluate(there);
  }

  #backend(name: string): LogBackend {
    const known = this.#backends.get(name);
    if (known !== undefined) return known;
    const { proxies } = this.#model;
    const proxy = proxies.find(other => other.name === name && other.mode === 'log')!;
    const sinks = proxy.servers.map(server => {
      const { text: address, file, line } = server;
      if (!server.datagrams) return this.#ring(ringOfServer(proxy, server));
      return this.#datagrams({ address, file, line }, server.address);
    });
    const backend = new LogBackend(this.#memory, topology({ proxies }), proxy, sinks, this.#thread + 1);
    this.#backends.set(name, backend);
    return backend;
  }

  #datagrams(target: Named, endpoint: Address): Sink {
    const socketFd = this.#socket(endpoint.family);
    const name = encodeSockaddr(endpoint)!;
    return this.#once(target, (bytes, length) =>
      socketFd < 0 ? socketFd : sendDatagram(socketFd, bytes, name, length),
    );
  }

  /** `stdout`, `stderr`, or a ring; one that is not there takes nothing. */
  named(name: string): PlainSink {
    const fd = name === 'stdout' ? 1 : name === 'stderr' ? 2 : null;
    if (fd !== null) return (bytes, length) => writeFd(fd, bytes, length);
    return this.#model.rings.some(ring => ring.name === name) ? this.#ring(name) : () => FULL;
  }

  /** Into the thread's channel of the ring, without the line feed at the end: the ring's readers say how lines end. */
  #ring(name: string): PlainSink {
    const index = this.#model.rings.findIndex(ring => ring.name === name);
    const channel = this.#memory.channel(index, this.#thread);
    const maxBytes = this.#model.rings[index]!.maxlenBytes || Number.POSITIVE_INFINITY;
    return (bytes, length) => {
      if (!channel.put(bytes, Math.min(length - 1, maxBytes))) return FULL;
      ringLogs(this.#memory);
      return 0;
    };
  }

  #socket(family: keyof typeof FAMILIES): number {
    const { number, at } = FAMILIES[family];
    const known = Atomics.load(this.#memory.words, this.#at + at) - 1;
    if (known >= 0) return known;
    const fd = socket(number, SOCK_DGRAM);
    if (fd >= 0) Atomics.store(this.#memory.words, this.#at + at, fd + 1);
    return fd;
  }

  /** The first failure is told. That a target is full (EAGAIN) is none: those lines are only counted. */
  #once(target: Named, send: PlainSink): Sink {
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

/** EAGAIN. */
const FULL = -11;
const BUSY = errorText(-FULL);

/** Closes the `log_sockets` of threads that have ended and are not followed by others. */
export function closeSinks(words: Int32Array, at: number): void {
  for (const family of Object.values(FAMILIES)) {
    const fd = Atomics.exchange(words, at + family.at, 0) - 1;
    if (fd >= 0) closeFd(fd);
  }
}
