/**
 * The one shared memory of a running configuration: created by the master, attached to by every worker.
 *
 *   ┌────────┬─────────┬──────────────┬─────────────────┬───────────────┬───────────────┐
 *   │ header │ process │ workers      │ proxies         │ listeners     │ servers       │  32-bit words (Atomics);
 *   │ places of channels | source ports (source-ports.ts)                                │  those of ports last
 *   ├────────┴─────────┴──────────────┴─────────────────┴───────────────┴───────────────┤
 *   │ worker 0: process | frontend 0.. | backend 0.. | listener 0.. | server 0..         │  doubles, one writer
 *   │ worker 1: the same rows                                                            │  per worker
 *   │ name server 0 | name server 1 ..                                                   │  the control thread
 *   ├────────────────────────────────────────────────────────────────────────────────────┤
 *   │ worker 0: frontend 0.. | backend 0.. | server 0..                                  │  histograms, one writer
 *   │ worker 1: the same rows                                                            │  per worker
 *   ├────────────────────────────────────────────────────────────────────────────────────┤
 *   │ ring 0: a channel of each worker and of the control thread | ring 1 ..             │  bytes (channel.ts)
 *   └────────────────────────────────────────────────────────────────────────────────────┘
 *
 * Listeners and servers are numbered over the whole configuration, in its order (`Topology`).
 */
import { isFrontend, type Model } from '../config/model.ts';
import { RING_CHANNEL_BYTES } from '../limits.ts';
import { Channel } from './channel.ts';
import { COUNTERS, NAMESERVER } from './counters.ts';
import { Histograms, histogramBytes } from './histogram.ts';
import type { Past } from './past.ts';
import { portCount, portWords } from './source-ports.ts';
import { LISTENER, PROCESS, PROXY, SERVER, WORKER } from './words.ts';

const MAGIC = 0x534c5543; // "SLUC"
const HEADER_WORDS = 16;
const FINGERPRINT = [COUNTERS, NAMESERVER, PROCESS, PROXY, LISTENER, SERVER, WORKER].reduce(
  (h, l) => Math.imul(h ^ l.fingerprint, 0x01000193),
  0x811c9dc5,
);

/** How many of each thing the memory holds. */
export interface Shape {
  readonly workers: number;
  readonly proxies: number;
  readonly listeners: number;
  readonly servers: number;
  readonly rings: number;
  /** Of all `resolvers` sections, in their order. */
  readonly nameservers: number;
  /** Words of source ports of all servers. */
  readonly ports: number;
  /** Rows with histograms that are of places for backends to come; absent = none. */
  readonly spare?: number;
}

/** Numbers listeners and servers over the whole configuration. */
export interface Topology {
  /** Number of the first listener of each proxy; one more entry at the end: the total. */
  readonly firstListener: Int32Array;
  /** Number of the first server of each proxy; one more entry at the end: the total. */
  readonly firstServer: Int32Array;
}

export function topology(model: Pick<Model, 'proxies'>): Topology {
  const n = model.proxies.length;
  const firstListener = new Int32Array(n + 1);
  const firstServer = new Int32Array(n + 1);
  model.proxies.forEach((proxy, i) => {
    firstListener[i + 1] = firstListener[i]! + (isFrontend(proxy) ? proxy.binds.length : 0);
    firstServer[i + 1] = firstServer[i]! + proxy.serverSlots;
  });
  return { firstListener, firstServer };
}

export function shapeOf(model: Model, workers: number): Shape {
  const t = topology(model);
  const n = model.proxies.length;
  return {
    ...{ workers, proxies: n, listeners: t.firstListener[n]!, servers: t.firstServer[n]! },
    rings: model.rings.length,
    nameservers: model.resolvers.reduce((sum, { nameservers }) => sum + nameservers.length, 0),
    ports: model.proxies
      .flatMap(({ servers }) => servers)
      .reduce((sum, server) => sum + portWords(portCount(server)), 0),
    spare: model.proxies.reduce((sum, proxy) => sum + (proxy.kind === 'spare' ? 2 + proxy.serverSlots : 0), 0),
  };
}

export type RowKind = 'process' | 'frontend' | 'backend' | 'listener' | 'server';

export class Memory {
  readonly buffer: SharedArrayBuffer;
  readonly shape: Shape;
  /** The shared words; use Atomics. */
  readonly words: Int32Array;
  /** The counters; write only rows of your own worker. */
  readonly counters: Float64Array;
  /** What earlier generations of the configuration have counted; a reader of statistics is given it (past.ts). */
  past: readonly Past[] = [];
  /** The times that streams took. */
  readonly histograms: Histograms;
  readonly #nameservers: Float64Array;
  readonly #wordsAt: { process: number; worker: number; proxy: number; listener: number; server: number };
  readonly #rowsPerWorker: number;
  /** Byte offset of the first channel. */
  readonly #channelsAt: number;

  private constructor(buffer: SharedArrayBuffer, shape: Shape) {
    this.buffer = buffer;
    this.shape = shape;
    const process = HEADER_WORDS;
    const worker = process + PROCESS.size;
    const proxy = worker + WORKER.size * shape.workers;
    const listener = proxy + PROXY.size * shape.proxies;
    const server = listener + LISTENER.size * shape.listeners;
    this.#wordsAt = { process, worker, proxy, listener, server };
    this.#rowsPerWorker = 1 + 2 * shape.proxies + shape.listeners + shape.servers;
    const words = wordCount(shape);
    this.words = new Int32Array(buffer, 0, words);
    this.counters = new Float64Array(buffer, words * 4, this.#rowsPerWorker * shape.workers * COUNTERS.size);
    const nameserversAt = words * 4 + this.counters.byteLength;
    this.#nameservers = new Float64Array(buffer, nameserversAt, NAMESERVER.size * shape.nameservers);
    const histogramsAt = nameserversAt + this.#nameservers.byteLength;
    this.histograms = new Histograms(buffer, histogramsAt, timedRows(shape), shape.workers, shape.spare);
    this.#channelsAt = histogramsAt + timedBytes(shape);
  }

  /** Allocates zeroed memory for `shape`. Throws RangeError when the system has not enough. */
  static create(shape: Shape): Memory {
    const rows = (1 + 2 * shape.proxies + shape.listeners + shape.servers) * shape.workers;
    const channels = shape.rings * (shape.workers + 1) * RING_CHANNEL_BYTES;
    const countersEnd = wordCount(shape) * 4 + rows * COUNTERS.size * 8 + shape.nameservers * NAMESERVER.size * 8;
    const bytes = countersEnd + timedBytes(shape) + channels;
    const memory = new Memory(new SharedArrayBuffer(bytes), shape);
    const { workers, proxies, listeners, servers, rings, nameservers, ports, spare = 0 } = shape;
    memory.words.set([MAGIC, FINGERPRINT, workers, proxies, listeners, servers, rings, nameservers, ports, spare]);
    return memory;
  }

  /** Attaches to memory made by `create`, perhaps in another thread. Throws if its layout is not ours. */
  static attach(buffer: SharedArrayBuffer): Memory {
    const [magic, fingerprint, ...sizes] = new Int32Array(buffer, 0, HEADER_WORDS);
    if (magic !== MAGIC || fingerprint !== FINGERPRINT) {
      throw new Error('shm: this shared memory was made by another version of Sluice');
    }
    const [workers, proxies, listeners, servers, rings, nameservers, ports, spare] = sizes as number[] & { length: 8 };
    return new Memory(buffer, {
      ...{ workers: workers!, proxies: proxies!, listeners: listeners!, servers: servers! },
      ...{ rings: rings!, nameservers: nameservers!, ports: ports!, spare: spare! },
    });
  }

  /** Word offset of the process struct. */
  get process(): number {
    return this.#wordsAt.process;
  }

  worker(index: number): number {
    return this.#wordsAt.worker + index * WORKER.size;
  }

  proxy(index: number): number {
    return this.#wordsAt.proxy + index * PROXY.size;
  }

  listener(index: number): number {
    return this.#wordsAt.listener + index * LISTENER.size;
  }

  server(index: number): number {
    return this.#wordsAt.server + index * SERVER.size;
  }

  /** Word offset of the ranges of source ports. */
  get ports(): number {
    return channelWords(this.shape) + 2 * this.shape.rings * (this.shape.workers + 1);
  }

  /** What one thread writes into one ring: workers by number, then the control thread. */
  channel(ring: number, thread: number): Channel {
    const index = ring * (this.shape.workers + 1) + thread;
    const bytes = new Uint8Array(this.buffer, this.#channelsAt + index * RING_CHANNEL_BYTES, RING_CHANNEL_BYTES);
    return new Channel(this.words, channelWords(this.shape) + index * 2, bytes);
  }

  /** What a name server did, by NAMESERVER; its number counts through all sections. */
  nameserver(index: number): Float64Array {
    return this.#nameservers.subarray(index * NAMESERVER.size, (index + 1) * NAMESERVER.size);
  }

  /** Offset in `counters` of the row of one thing in one worker. */
  row(worker: number, kind: RowKind, index: number): number {
    return (worker * this.#rowsPerWorker + this.#rowIndex(kind, index)) * COUNTERS.size;
  }

  /** The rows of one thing in all workers, with `field` added: what rate.ts wants. */
  rows(kind: RowKind, index: number, field: number): Int32Array {
    return Int32Array.from({ length: this.shape.workers }, (_, w) => this.row(w, kind, index) + field);
  }

  /** Sum of one counter of one thing over all workers, of earlier generations too. */
  sum(kind: RowKind, index: number, field: number): number {
    let sum = 0;
    for (const past of this.past) sum += past.sum(kind, index, field);
    const step = this.#rowsPerWorker * COUNTERS.size;
    let at = this.#rowIndex(kind, index) * COUNTERS.size + field;
    for (let w = 0; w < this.shape.workers; w++, at += step) sum += this.counters[at]!;
    return sum;
  }

  /** Greatest value of one counter of one thing over all workers, of earlier generations too. */
  max(kind: RowKind, index: number, field: number): number {
    let max = 0;
    for (const past of this.past) max = Math.max(max, past.max(kind, index, field));
    const step = this.#rowsPerWorker * COUNTERS.size;
    let at = this.#rowIndex(kind, index) * COUNTERS.size + field;
    for (let w = 0; w < this.shape.workers; w++, at += step) max = Math.max(max, this.counters[at]!);
    return max;
  }

  /** Row of a frontend, backend or server in `histograms`; -1 = a thing without times. */
  timedRow(kind: RowKind, index: number): number {
    const { proxies } = this.shape;
    switch (kind) {
      case 'frontend':
        return index;
      case 'backend':
        return proxies + index;
      case 'server':
        return 2 * proxies + index;
      default:
        return -1;
    }
  }

  #rowIndex(kind: RowKind, index: number): number {
    const { proxies, listeners } = this.shape;
    switch (kind) {
      case 'process':
        return 0;
      case 'frontend':
        return 1 + index;
      case 'backend':
        return 1 + proxies + index;
      case 'listener':
        return 1 + 2 * proxies + index;
      case 'server':
        return 1 + 2 * proxies + listeners + index;
    }
  }
}

function timedRows({ proxies, servers }: Shape): number {
  return 2 * proxies + servers;
}

function timedBytes(shape: Shape): number {
  return histogramBytes(timedRows(shape) * shape.workers, (shape.spare ?? 0) * shape.workers);
}

/** Offset of the first channel's words. */
function channelWords(s: Shape): number {
  return (
    HEADER_WORDS +
    PROCESS.size +
    WORKER.size * s.workers +
    PROXY.size * s.proxies +
    LISTENER.size * s.listeners +
    SERVER.size * s.servers
  );
}

/** Even, so that the doubles behind the words are aligned. */
function wordCount(s: Shape): number {
  const words = channelWords(s) + 2 * s.rings * (s.workers + 1) + s.ports;
  return words + (words % 2);
}
