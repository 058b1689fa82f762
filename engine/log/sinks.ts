/**
 * Where lines go. A line is sent at once, or at the end of the turn with others (UDP), or written into a ring's bounded channel, or dropped:
 * nothing waits longer, so no target, slow or dead, holds up traffic or fills memory. The sockets are this thread's own, one per address family, not bound and not connected. Their descriptors stand
 * in shared memory: a thread that dies leaves them open, and the one that follows sends through them.
 */
import { type LogTarget, ringOfServer } from '../config/log-model.ts';
import type { Model } from '../config/model.ts';
import type { Address, Io } from '../io/contract.ts';
import { DatagramSender } from '../io/datagram-sender.ts';
import {
  AF_INET,
  AF_INET6,
  AF_UNIX,
  closeFd,
  encodeSockaddr,
  errorText,
  SOCK_DGRAM,
  setNonBlocking,
  socket,
  writeFd,
} from '../io/native.ts';
import type { Outside } from '../sample/outside.ts';
import { ringLogs } from '../shm/doorbell.ts';
import { type Memory, topology } from '../shm/memory.ts';
import { PROCESS, WORKER } from '../shm/words.ts';
import type { Line } from './line.ts';
import { LineBatch } from './line-batch.ts';
import { LogBackend } from './log-backend.ts';

/** Takes the first `length` bytes, which say `message` behind a header; 0, or minus errno when the line is lost already. */
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
  readonly #io: Pick<Io, 'settle'>;
  readonly #complain: (text: string) => void;
  /** By family. */
  readonly #senders = new Map<Address['family'], DatagramSender>();
  /** By the socket address that they go to. */
  readonly #datagrams = new Map<string, PlainSink>();
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
    io: Pick<Io, 'settle'>,
    complain: (text: string) => void,
  ) {
    this.#model = model;
    this.#io = io;
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
    return this.#datagram(target, endpoint!);
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
      return this.#datagram({ address, file, line }, server.address);
    });
    const backend = new LogBackend(this.#memory, topology({ proxies }), proxy, sinks, this.#thread + 1);
    this.#backends.set(name, backend);
    return backend;
  }

  /** Targets of one address share one sink, and the first of them is named. */
  #datagram(target: Named, endpoint: Address): PlainSink {
    const name = encodeSockaddr(endpoint)!;
    const key = String(name);
    const known = this.#datagrams.get(key);
    if (known !== undefined) return known;
    const sender = this.#sender(endpoint.family);
    const sink = endpoint.family === 1 ? this.#once(target, single(sender, name)) : this.#batched(target, sender, name);
    this.#datagrams.set(key, sink);
    return sink;
  }

  #batched(target: Named, sender: DatagramSender, name: Uint8Array): PlainSink {
    const send = (bytes: Uint8Array, length: number, segment: number) => sender.send(bytes, length, name, segment);
    const tell = this.#teller(target);
    const dropped = this.#memory.process + PROCESS.at.dropped_logs;
    const batch = new LineBatch(this.#io, send, errno => {
      Atomics.add(this.#memory.words, dropped, 1);
      tell(errno);
    });
    return (bytes, length) => {
      batch.put(bytes, length);
      return 0;
    };
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
    const { maxlenBytes, sizeBytes } = this.#model.rings[index]!;
    const maxBytes = Math.min(maxlenBytes || sizeBytes, sizeBytes);
    return (bytes, length) => {
      if (!channel.put(bytes, Math.min(length - 1, maxBytes))) return FULL;
      ringLogs(this.#memory);
      return 0;
    };
  }

  #sender(family: Address['family']): DatagramSender {
    const known = this.#senders.get(family);
    if (known !== undefined) return known;
    const sender = new DatagramSender(this.#socket(family));
    this.#senders.set(family, sender);
    return sender;
  }

  #socket(family: Address['family']): number {
    const { number, at } = FAMILIES[family];
    const known = Atomics.load(this.#memory.words, this.#at + at) - 1;
    if (known >= 0) return known;
    const fd = socket(number, SOCK_DGRAM);
    if (fd >= 0) Atomics.store(this.#memory.words, this.#at + at, fd + 1);
    return fd;
  }

  #once(target: Named, send: PlainSink): PlainSink {
    const tell = this.#teller(target);
    return (bytes, length) => {
      const result = send(bytes, length);
      if (result >= 0) return 0;
      tell(result);
      return result;
    };
  }

  /** The first failure is told. That a target is full (EAGAIN) is none: those lines are only counted. */
  #teller(target: Named): (errno: number) => void {
    let told = false;
    return errno => {
      if (told || errno === FULL) return;
      told = true;
      this.#complain(`log '${target.address}' at ${target.file}:${target.line}: ${errorText(-errno)}`);
    };
  }
}

/** One line, one call. */
function single(sender: DatagramSender, name: Uint8Array): PlainSink {
  return (bytes, length) => sender.send(bytes, length, name, length);
}

/** EAGAIN. */
const FULL = -11;

/** Closes the `log_sockets` of threads that have ended and are not followed by others. */
export function closeSinks(words: Int32Array, at: number): void {
  for (const family of Object.values(FAMILIES)) {
    const fd = Atomics.exchange(words, at + family.at, 0) - 1;
    if (fd >= 0) closeFd(fd);
  }
}
